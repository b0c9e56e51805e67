"""Faults done for real: killed workers, drivers and schedulers, full disks, points that take their worker."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import xarray as xr
import yaml
from conftest import tree
from photogap.sweeps.errors import BusyError, StoreError
from photogap.sweeps.report import status
from photogap.sweeps.service import run
from photogap.sweeps.store import place
from test_service import go, physics, plan_of

Tally = Callable[[], list[str]]
Start = Callable[..., "subprocess.Popen[str]"]
SLOW = {"F0": list(range(1, 25)), "seconds": 0.1}


def config(folder: Path, axes: dict[str, Any], **more: Any) -> Path:
    path = folder / "c.yaml"
    path.write_text(yaml.safe_dump(tree(axes, **more)))
    return path


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def done_points(target: Any) -> set[str]:
    return {key.removeprefix("parts/") for key in target.blobs.keys("parts/")}


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
    """Cube of the same points without faults: the time a point takes is none of its numbers."""
    go(folder, "calm.zarr", axes)
    return physics(folder / "calm.zarr")


@pytest.mark.slow
def test_killed_workers_cost_their_own_point_only(tmp_path: Path, tally: Tally) -> None:
    target = place(tmp_path / "a.zarr")
    finished_before: list[set[str]] = []

    def kill() -> None:
        for count in (3, 9, 15):
            until(lambda c=count: len(tally()) > c)
            finished_before.append(set(done_points(target)))
            workers_of()[0].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    report = run(plan_of(SLOW), target, workers=2)
    killer.join(30)
    assert report.counts.done == 24
    assert report.counts.lost >= 1
    # Twice at most those that were in a killed worker's hands.
    times = Counter(tally())
    assert len(times) == 24
    assert sum(times.values()) <= 24 + 3
    xr.testing.assert_identical(physics(tmp_path / "a.zarr"), undisturbed(tmp_path, SLOW))


@pytest.mark.slow
def test_a_killed_driver_is_resumed_without_computing_twice(tmp_path: Path, tally: Tally, photogap: Start) -> None:
    path, store = config(tmp_path, SLOW), tmp_path / "a.zarr"
    target = place(store)
    finished: set[str] = set()
    for count in (4, 12):
        driver = photogap("run", path, "--store", store, "--workers", 2, "--json")
        children: list[psutil.Process] = []
        until(lambda c=count: len(tally()) > c)
        children = psutil.Process(driver.pid).children(recursive=True)
        driver.kill()
        driver.communicate()
        assert not status(target)["live"]
        assert status(target)["counts"]["missing"] < 24
        # Orphaned workers end their point or notice that their scheduler is gone; then nothing runs any more.
        psutil.wait_procs(children, timeout=30)
        finished |= done_points(target)
    before = Counter(tally())
    calm = photogap("run", path, "--store", store, "--workers", 2, "--json")
    out, _ = calm.communicate(timeout=60)
    assert json.loads(out)["done"] == 24
    assert calm.returncode == 0
    again = Counter(tally()) - before
    plan = plan_of(SLOW)
    ids = {f"A {plan.grid.labels(i)['F0']!r}": plan.point_id(plan.grid.labels(i)) for i in plan.grid.indices()}
    computed_again = {ids[" ".join(line.split()[:2])] for line in again}
    assert len(finished) > 8
    assert not computed_again & finished
    xr.testing.assert_identical(physics(store), undisturbed(tmp_path, SLOW))


@pytest.mark.slow
def test_a_killed_scheduler_ends_the_driver_clearly(tmp_path: Path, tally: Tally, photogap: Start) -> None:
    path, store = config(tmp_path, SLOW), tmp_path / "a.zarr"
    with scheduler() as (address, process):
        driver = photogap("run", path, "--store", store, "--cluster", address)
        until(lambda: len(tally()) > 4)
        process.kill()
        _, told = driver.communicate(timeout=60)
    assert driver.returncode == 6
    assert "Finished points are kept" in told
    finished = len(tally())
    with scheduler() as (address, _):
        out, _ = photogap("run", path, "--store", store, "--cluster", address, "--json").communicate(timeout=60)
    assert json.loads(out)["done"] == 24
    assert len(tally()) <= 24 + 2
    assert finished < 24
    xr.testing.assert_identical(physics(store), undisturbed(tmp_path, SLOW))


@contextlib.contextmanager
def scheduler() -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A scheduler and two workers as processes of their own."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    main = subprocess.Popen(
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"], **quiet
    )
    work = [
        subprocess.Popen(
            [*dask, "worker", address, "--nthreads", "1", "--no-dashboard", "--death-timeout", "20"], **quiet
        )
        for _ in range(2)
    ]
    try:
        yield address, main
    finally:
        for process in [*work, main]:
            for child in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
                with contextlib.suppress(psutil.Error):
                    child.kill()
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "expected", "message"),
    [
        ("die", "lost", "its worker died 2 times"),
        ("deaf", "timeout", "over the limit of 0.5 s for a point"),
        ("memory", "memory", "out of memory"),
    ],
)
def test_a_point_that_takes_its_worker_is_recorded_and_the_rest_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, expected: str, message: str
) -> None:
    monkeypatch.setattr("photogap.sweeps.limits.GRACE_S", 1.0)
    limits: dict[str, Any] = {"losses": 1, "memory": "1GiB"} | ({"time_s": 0.5} if fault == "deaf" else {})
    axes = {"fault": ["", fault], "F0": [1.0, 2.0] if fault == "memory" else [1.0]}
    report = go(tmp_path, "a.zarr", axes, workers=2, limits=limits)
    ds = xr.open_zarr(tmp_path / "a.zarr").squeeze()
    bad = ds.sel(fault=fault)
    assert set(bad.status.values.ravel().astype(object)) == {expected}, bad.message.values
    assert all(message in str(text) for text in bad.message.values.ravel())
    assert set(ds.sel(fault="").status.values.ravel().astype(object)) == {"ok"}
    assert report.counts.done == report.counts.failed


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_finished(tmp_path: Path, tally: Tally, photogap: Start) -> None:
    path, store = config(tmp_path, SLOW), tmp_path / "a.zarr"
    driver = photogap("run", path, "--store", store, "--workers", 2, "--json")
    until(lambda: len(tally()) > 5)
    assert status(place(store))["live"]
    with pytest.raises(BusyError, match=rf"process {driver.pid} on .* already drives"):
        run(plan_of(SLOW), place(store), workers=0)
    driver.send_signal(signal.SIGINT)
    out, told = driver.communicate(timeout=30)
    assert driver.returncode == 130, told
    numbers = json.loads(out)
    assert numbers["outcome"] == "interrupted"
    ds = xr.open_zarr(store)
    assert int((ds.status == "ok").sum()) == numbers["done"] >= 3
    # What workers finished while they were being stopped lies in parts and is picked up.
    kept = numbers["done"] + len(list((tmp_path / "a.zarr.state" / "parts").iterdir()))
    report = go(tmp_path, "a.zarr", SLOW)
    assert report.counts.done == 24
    assert report.counts.computed == 24 - kept


@pytest.mark.slow
def test_cancel_from_another_process(tmp_path: Path, tally: Tally, photogap: Start) -> None:
    path, store = config(tmp_path, SLOW), tmp_path / "a.zarr"
    driver = photogap("run", path, "--store", store, "--workers", 1, "--json")
    until(lambda: len(tally()) > 2)
    asked = photogap("cancel", store)
    asked.communicate(timeout=30)
    assert asked.returncode == 0
    out, _ = driver.communicate(timeout=30)
    assert driver.returncode == 1
    assert json.loads(out)["outcome"] == "cancelled"


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


def test_a_store_that_turned_read_only_ends_clearly(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    target = place(small_disk / "a.zarr")
    go(small_disk, "a.zarr", {"F0": [1]})
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError, match=r"cannot be written.*Read-only file system"):
        run(plan_of({"F0": list(range(1, 200))}), target, workers=0)
    assert status(target)["counts"] == {"ok": 1}
