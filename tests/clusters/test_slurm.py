"""Sweeps through `--cluster slurm` on a real SLURM: equal cubes, lost jobs, wall times, sizes, drivers as jobs."""

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from batch import Slurm, until
from cubes import QUICKSTART, physics

from photogap.sweeps.config import read
from photogap.sweeps.plan import resolve
from photogap.sweeps.service import run
from photogap.sweeps.store import place

pytestmark = [pytest.mark.real, pytest.mark.slow]
Write = Callable[..., Path]
Start = Callable[..., "subprocess.Popen[str]"]


def finish(process: "subprocess.Popen[str]", seconds: float = 120) -> dict[str, Any]:
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return dict(json.loads(out.splitlines()[-1]))


def local(config: Path, store: Path) -> xr.Dataset:
    run(resolve(read(config)), place(store), workers=0)
    return physics(store)


def test_the_cube_is_that_of_this_machine_and_no_secret_is_left(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=2, prologue=["export FROM_PROLOGUE=1"])
    config = sweep(axes={"F0": list(range(1, 13)), "damping": ["full", "real"]})
    report = finish(photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json"))
    assert report["computed"] == 24
    assert max(Counter(tally()).values()) == 1
    xr.testing.assert_identical(physics(home / "a.zarr"), local(config, home / "b.zarr"))
    until(lambda: not slurm.queue(), 10)
    assert not list((home / "state").rglob("*.pem"))
    for path in [p for p in home.rglob("*") if p.is_file()]:
        assert b"PRIVATE KEY" not in path.read_bytes(), path


def test_the_whole_quick_start_is_the_same_there(
    slurm: Slurm, home: Path, cluster: Write, photogap: Start, quickstart: xr.Dataset
) -> None:
    cluster(jobs=2)
    report = finish(photogap("run", QUICKSTART, "--store", home / "a.zarr", "--cluster", "slurm", "--json"), 240)
    assert (report["computed"], report["failed"]) == (24, 0)
    xr.testing.assert_identical(physics(home / "a.zarr"), quickstart)
    until(lambda: not slurm.queue(), 10)


def test_jobs_that_are_cancelled_or_hit_their_wall_time_are_replaced_and_cost_only_what_ran(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=2)
    config = sweep(axes={"F0": list(range(1, 161)), "seconds": 0.5})
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    until(lambda: len(tally()) > 4 and len(slurm.workers()) == 2)
    cancelled, over = slurm.workers()
    # Limits are whole minutes, and are looked at every half: the end of a running job is moved instead of waiting,
    # and the sweep lasts longer than half a minute.
    subprocess.run(["scontrol", "update", f"JobId={over}", "EndTime=now+1"], check=True, timeout=30)
    subprocess.run(["scancel", cancelled], check=True, timeout=30)
    report = finish(driver)
    assert (report["done"], report["total"]) == (160, 160)
    ends = {job: next(line for line in slurm.ended() if f"JobId={job} " in line) for job in (cancelled, over)}
    assert "JobState=CANCELLED" in ends[cancelled]
    assert "JobState=TIMEOUT" in ends[over]
    assert report["pool"]["jobs_lost"] == 2
    assert len(tally()) - 160 <= 2, "only a point that ran in a lost job runs again"
    until(lambda: not slurm.queue(), 10)


def test_jobs_leave_before_their_wall_time_and_lose_nothing(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=2, walltime="00:01:00", retire_before="48s", stagger="3s")
    # Both first jobs retire at an age of 9 to 12 s; two workers need 25 s for the sweep, however fast the machine.
    config = sweep(axes={"F0": list(range(1, 51)), "seconds": 1.0})
    report = finish(photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json"))
    assert report["done"] == len(tally()) == 50
    assert report["pool"]["jobs_lost"] >= 2
    assert report["lost"] == 0


def test_adaptive_size_goes_up_and_down(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=None, adapt={"minimum": 0, "maximum": 3, "idle": "1s"})
    # One point that takes long keeps the run alive while the other jobs leave.
    times = [12.0, *(0.3 + 0.001 * i for i in range(11))]
    config = sweep(axes={"F0": list(range(1, 13)), "seconds": times}, zip=[["F0", "seconds"]])
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    sizes = []
    while driver.poll() is None:
        sizes.append(len(slurm.workers()))
        time.sleep(0.4)
    report = finish(driver)
    assert report["done"] == 12
    assert max(sizes) == 3, sizes
    notes = (home / "a.zarr.state" / "cluster.log").read_text()
    assert "fewer jobs are wanted" in notes, notes
    assert len(tally()) == 12


def test_the_driver_is_a_job_that_is_followed_from_outside(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    store = home / "a.zarr"
    config = sweep(axes={"F0": list(range(1, 200)), "seconds": 0.3})

    def said(*words: object) -> str:
        out, err = photogap(*words).communicate(timeout=60)
        return out + err

    driver = {"memory": "600MB"}
    cluster(jobs=1, driver=driver, job_extra_directives=["--begin=now+1hour"])
    waits = finish(photogap("submit", config, "--store", store, "--cluster", "slurm", "--json"))
    assert f"driver job {waits['job']}: pending PENDING" in said("status", store)
    assert "already drives" in said("submit", config, "--store", store)
    assert f"cancelled the driver's job {waits['job']}" in said("cancel", store)

    cluster(jobs=1, driver=driver)
    sent = finish(photogap("submit", config, "--store", store, "--cluster", "slurm", "--json"))
    until(lambda: len(tally()) > 3, 60)
    found = said("status", store)
    assert f"driver job {sent['job']}: running RUNNING" in found
    assert "a driver is at work" in found
    found = said("logs", store)
    assert "driver.log <==" in found
    assert "submitted job" in found
    subprocess.run(["scancel", sent["job"]], check=True, timeout=30)
    until(lambda: not slurm.queue(), 30)
    found = said("status", store)
    assert f"driver job {sent['job']}: ended CANCELLED" in found
    assert ": terminated" in found, "the driver noted what it had before it ended"
    assert not list((home / "state").rglob("*.pem"))


def test_ctrl_c_keeps_what_is_finished_and_cancels_the_jobs(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=1)
    config = sweep(axes={"F0": list(range(1, 400)), "seconds": 0.2})
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    until(lambda: len(tally()) > 3)
    driver.send_signal(signal.SIGINT)
    out, err = driver.communicate(timeout=60)
    assert driver.returncode == 130, err
    report = json.loads(out.splitlines()[-1])
    assert report["outcome"] == "interrupted"
    assert report["done"] >= 2
    until(lambda: not slurm.queue(), 10)


def test_a_driver_that_is_killed_leaves_no_jobs_after_the_next_run(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=2, poll="1s", death_timeout="60s")
    config = sweep(axes={"F0": list(range(1, 25)), "seconds": 0.3})
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    until(lambda: len(tally()) > 4)
    driver.kill()
    driver.communicate(timeout=20)
    report = finish(photogap("run", config, "--store", home / "a.zarr", "-n", "0", "--json"))
    assert report["done"] == 24
    until(lambda: not slurm.queue(), 20)
    assert len(tally()) <= 24 + 2
