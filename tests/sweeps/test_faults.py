"""Faults done for real: killed workers, drivers and schedulers, full disks, points that take their worker."""

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import xarray as xr
import yaml

from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import LOG, Watch, run
from photogap.sweeps.errors import BusyError, StoreError
from photogap.sweeps.store.log import Log
from photogap.sweeps.store.place import Place, place
from support.cubes import physics
from support.driving import go, plan_of
from support.fake_config import tree
from support.patience import PATIENCE, until
from support.schedulers import scheduler
from support.tallies import Tally

Start = Callable[..., "subprocess.Popen[str]"]
Slow = Callable[[float], None]
POINTS = {"F0": list(range(1, 25))}
MANY = {"F0": list(range(1, 401))}


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Make each point take a while, or none: its numbers and its identity stay the same."""
    return lambda seconds: monkeypatch.setenv("PHOTOGAP_TEST_SECONDS", str(seconds))


def config(folder: Path, axes: dict[str, Any], **more: Any) -> Path:
    path = folder / "c.yaml"
    path.write_text(yaml.safe_dump(tree(axes, **more)))
    return path


class Ledger:
    """Counts that no point was begun again once its object was there."""

    def __init__(self, target: Place, tally: Tally, axes: dict[str, Any]) -> None:
        plan = plan_of(axes)
        self._target, self._tally = target, tally
        self._names = {
            plan.point_id(labels): f"A {labels['F0']!r}" for labels in map(plan.grid.labels, plan.grid.indices())
        }
        self._seen: list[tuple[set[str], Counter[str]]] = []

    def begun(self) -> Counter[str]:
        return Counter(" ".join(line.split()[:2]) for line in self._tally())

    def finished(self) -> set[str]:
        parts = {key.removeprefix("parts/") for key in self._target.blobs.keys("parts/")}
        packed = Log(self._target.state / LOG, read_only=True)
        with contextlib.closing(packed):
            return {self._names[i] for i in parts | {p["point_id"] for p in packed.points()}}

    def look(self) -> int:
        """Note what is finished now, and how often it was begun; how many are."""
        finished = self.finished()
        self._seen.append((finished, self.begun()))
        return len(finished)

    def settle(self, lost: int) -> None:
        """Every point was computed; those finished at a look never again; at most `lost` beginnings in vain."""
        now = self.begun()
        assert set(now) == set(self._names.values())
        for finished, before in self._seen:
            assert {name: now[name] for name in finished} == {name: before[name] for name in finished}
        assert sum(now.values()) - len(now) <= lost


def workers_of(process: "subprocess.Popen[str] | None" = None) -> list[psutil.Process]:
    """Dask's worker processes below a driver, this one if none is given."""
    root = psutil.Process(process.pid if process else None)
    found = []
    for child in root.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def undisturbed(folder: Path, axes: dict[str, Any]) -> xr.Dataset:
    """Cube of the same points without faults."""
    go(folder, "calm.zarr", axes)
    return physics(folder / "calm.zarr")


@pytest.mark.slow
def test_killed_workers_cost_their_own_point_only(tmp_path: Path, tally: Tally, slow: Slow) -> None:
    target = place(tmp_path / "a.zarr")
    ledger = Ledger(target, tally, POINTS)
    before = {p.pid for p in workers_of()}
    killed = 0

    def kill() -> None:
        nonlocal killed
        for count in (3, 9, 15):
            tally.admit(count)
            until(lambda c=count: len(tally()) > c)
            ledger.look()
            next(p for p in workers_of() if p.pid not in before).kill()
            killed += 1
        tally.open()

    killer = threading.Thread(target=kill)
    slow(0.05)
    tally.admit(0)
    killer.start()
    report = run(plan_of(POINTS), target, workers=2)
    killer.join(PATIENCE)
    assert killed == 3
    assert report.counts.done == 24
    ledger.settle(lost=killed)
    slow(0)
    xr.testing.assert_identical(physics(tmp_path / "a.zarr"), undisturbed(tmp_path, POINTS))


@pytest.mark.slow
def test_a_killed_driver_is_resumed_without_computing_twice(
    tmp_path: Path, tally: Tally, photogap: Start, slow: Slow
) -> None:
    path, store = config(tmp_path, POINTS), tmp_path / "a.zarr"
    target = place(store)
    ledger = Ledger(target, tally, POINTS)
    slow(0.05)
    for count in (4, 12):
        tally.admit(count)
        driver = photogap("run", path, "--store", store, "--workers", 2, "--json")
        until(lambda c=count: len(tally()) > c)
        children = psutil.Process(driver.pid).children(recursive=True)
        driver.kill()
        driver.communicate()
        found = status(target)
        assert not found["live"]
        assert found["counts"]["missing"] > 0
        # Orphaned workers end their point or notice that their scheduler is gone; then nothing runs any more.
        psutil.wait_procs(children, timeout=PATIENCE)
        assert ledger.look() > count - 4
    slow(0)
    tally.open()
    assert go(tmp_path, "a.zarr", POINTS).counts.done == 24
    ledger.settle(lost=4)
    xr.testing.assert_identical(physics(store), undisturbed(tmp_path, POINTS))


@pytest.mark.slow
def test_a_killed_scheduler_ends_the_driver_clearly(
    tmp_path: Path, tally: Tally, photogap: Start, slow: Slow
) -> None:
    path, store = config(tmp_path, POINTS), tmp_path / "a.zarr"
    ledger = Ledger(place(store), tally, POINTS)
    slow(0.05)
    tally.admit(4)
    with scheduler(tmp_path / "scheduler.json") as (address, process):
        driver = photogap("run", path, "--store", store, "--cluster", address)
        until(lambda: len(tally()) > 4)
        process.kill()
        _, told = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 6
    assert "Finished points are kept" in told
    assert 3 <= ledger.look() < 24
    slow(0)
    tally.open()
    assert go(tmp_path, "a.zarr", POINTS).counts.done == 24
    ledger.settle(lost=2)
    xr.testing.assert_identical(physics(store), undisturbed(tmp_path, POINTS))


TAKERS = {
    "die": ("lost", "its worker died 2 times"),
    "deaf": ("timeout", "over the limit of 3 s for a point"),
    "memory": ("memory", "out of memory"),
}


@pytest.mark.slow
def test_points_that_kill_their_worker_are_recorded_and_the_rest_complete(tmp_path: Path) -> None:
    axes = {"fault": [*TAKERS, ""], "F0": [1.0]}
    report = go(tmp_path, "a.zarr", axes, workers=2, limits={"losses": 1, "memory": "1GiB", "time_s": 3.0})
    ds = xr.open_zarr(tmp_path / "a.zarr").squeeze()
    for fault, (expected, message) in TAKERS.items():
        bad = ds.sel(fault=fault)
        assert set(bad.status.values.ravel().astype(object)) == {expected}, bad.message.values
        assert all(message in str(text) for text in bad.message.values.ravel())
    assert set(ds.sel(fault="").status.values.ravel().astype(object)) == {"ok"}
    assert (report.counts.done, report.counts.failed) == (1, 3)


LEAKS = {
    "leak": ({"F0": [1.0, 2.0], "fault": ["leak", ""]}, {"leak": "memory", "": "ok"}),
    "hoard": ({"F0": [float(i) for i in range(1, 7)], "fault": ["hoard"]}, {"hoard": "ok"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", LEAKS)
def test_leaked_memory_fails_no_other_point(tmp_path: Path, how: str) -> None:
    """Points leak up to their worker's limit, or each of them a part of it."""
    axes, expected = LEAKS[how]
    go(tmp_path, "a.zarr", axes, workers=1, limits={"losses": 0, "memory": "1GiB"})
    ds = xr.open_zarr(tmp_path / "a.zarr").load()
    for fault, status_ in expected.items():
        assert set(ds.status.sel(fault=fault).values.ravel().astype(object)) == {status_}
    assert int(ds.attempts.max()) == 1, "no point is blamed for another's memory"


@pytest.mark.slow
def test_ctrl_c_keeps_finished_points(tmp_path: Path, tally: Tally, photogap: Start, slow: Slow) -> None:
    path, store = config(tmp_path, MANY), tmp_path / "a.zarr"
    slow(0.05)
    tally.admit(6)
    driver = photogap("run", path, "--store", store, "--workers", 1, "--json")
    until(lambda: len(tally()) > 6)
    with pytest.raises(BusyError, match=rf"process {driver.pid} on .* already drives"):
        run(plan_of(MANY), place(store), workers=0)
    driver.send_signal(signal.SIGINT)
    tally.open()
    out, told = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 130, told
    numbers = json.loads(out)
    assert numbers["outcome"] == "interrupted"
    ds = xr.open_zarr(store)
    assert int((ds.status == "ok").sum()) == numbers["done"] >= 3
    # What workers finished while they were being stopped lies in parts and is picked up.
    kept = numbers["done"] + len(list(place(store).blobs.keys("parts/")))
    slow(0)
    report = go(tmp_path, "a.zarr", MANY)
    assert report.counts.done == 400
    assert report.counts.computed == 400 - kept


@pytest.mark.slow
def test_a_watched_sweep_is_cancelled_from_another_process(
    tmp_path: Path, tally: Tally, photogap: Start, slow: Slow
) -> None:
    path, store = config(tmp_path, MANY), tmp_path / "a.zarr"
    slow(0.05)
    tally.admit(4)
    driver = photogap("run", path, "--store", store, "--workers", 1, "--json")
    until(lambda: len(tally()) > 4)
    watcher = photogap("status", store, "--watch", "--every", "0.2", "--json")
    assert watcher.stdout is not None
    first = json.loads(watcher.stdout.readline())
    assert first["live"]
    assert first["counts"]["missing"] > 300
    asked = photogap("cancel", store)
    asked.communicate(timeout=PATIENCE)
    assert asked.returncode == 0
    tally.open()
    out, _ = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 1
    assert json.loads(out)["outcome"] == "cancelled"
    looks = [json.loads(line) for line in watcher.communicate(timeout=PATIENCE)[0].splitlines()]
    assert not looks[-1]["live"]
    assert looks[-1]["last_run"]["outcome"] == "cancelled"
    assert looks[-1]["counts"]["ok"] >= json.loads(out)["done"] >= 3


def mounted(folder: Path, *options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounted(folder, "size=1m"):
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_clearly_and_resumes(small_disk: Path, tmp_path: Path, tally: Tally) -> None:
    axes, more = {"F0": list(range(1, 100))}, {"settings": {"n_times": 2000}}
    with pytest.raises(StoreError, match=r"cannot be written: .*No space left on device.*Finished points are kept"):
        go(small_disk, "a.zarr", axes, **more)
    assert len(tally()) > 5
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert go(small_disk, "a.zarr", axes, **more).counts.done == 99
    go(tmp_path, "calm.zarr", axes, **more)
    xr.testing.assert_identical(physics(small_disk / "a.zarr"), physics(tmp_path / "calm.zarr"))


@pytest.mark.parametrize("folder", ["a.zarr", "a.zarr.state/parts"])
def test_store_that_turns_read_only_ends_the_run_and_resumes(
    tmp_path: Path, tally: Tally, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photogap.sweeps.drive.flow.PACK_S", 0.0)
    monkeypatch.setattr("photogap.sweeps.drive.flow.BATCH_POINTS", 1)
    target, disk = place(tmp_path / "a.zarr"), tmp_path / folder
    disk.mkdir(parents=True)
    if not mounted(disk, "size=64m"):
        pytest.skip("no right to mount a file system")
    ledger = Ledger(target, tally, POINTS)

    def remount(how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)

    def turn() -> None:
        if len(tally()) == 5:
            remount("ro")

    try:
        with pytest.raises(StoreError, match=r"cannot be written.*Read-only file system.*Finished points are kept"):
            run(plan_of(POINTS), target, workers=0, watch=Watch(stopped=turn))
        assert status(target)["counts"]["ok"] >= 5
        assert ledger.look() >= 5
        remount("rw")
        assert run(plan_of(POINTS), target, workers=0).counts.done == 24
        ledger.settle(lost=4)
        xr.testing.assert_identical(physics(tmp_path / "a.zarr"), undisturbed(tmp_path, POINTS))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
