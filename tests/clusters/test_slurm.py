"""Sweeps through `--cluster slurm` on a real SLURM: equal cubes, lost jobs, wall times, sizes, drivers as jobs."""

import json
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from support.batch import Slurm, finish, local
from support.cubes import QUICKSTART, physics
from support.patience import PATIENCE, until

pytestmark = [pytest.mark.real, pytest.mark.slow]
Write = Callable[..., Path]
Start = Callable[..., "subprocess.Popen[str]"]


def notes(store: Path) -> str:
    """What a run's fleet noted of its jobs."""
    return Path(f"{store}.state", "cluster.log").read_text()


def ended_in(store: Path) -> set[str]:
    """Jobs of which the fleet knows that they ended."""
    return set(re.findall(r" job (\d+) \(\S+\) ended", notes(store)))


def test_cube_equals_the_local_one_and_no_secret_remains(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=2, prologue=["export FROM_PROLOGUE=1"])
    config = sweep(axes={"F0": list(range(1, 13)), "damping": ["full", "real"]})
    report = finish(photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json"))
    assert report["computed"] == 24
    assert max(Counter(tally()).values()) == 1
    xr.testing.assert_identical(physics(home / "a.zarr"), local(config, home / "b.zarr"))
    until(lambda: not slurm.queue())
    assert not list((home / "state").rglob("*.pem"))
    for path in [p for p in home.rglob("*") if p.is_file()]:
        assert b"PRIVATE KEY" not in path.read_bytes(), path


def test_quick_start_on_slurm_equals_the_local_one(
    slurm: Slurm, home: Path, cluster: Write, photogap: Start, quickstart: xr.Dataset
) -> None:
    cluster(jobs=2)
    report = finish(photogap("run", QUICKSTART, "--store", home / "a.zarr", "--cluster", "slurm", "--json"))
    assert (report["computed"], report["failed"]) == (24, 0)
    xr.testing.assert_identical(physics(home / "a.zarr"), quickstart)
    until(lambda: not slurm.queue())


def test_cancelled_or_expired_jobs_are_replaced_and_cost_only_running_points(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=2)
    config = sweep(axes={"F0": list(range(1, 25)), "seconds": 0.1})
    tally.admit(6)
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    until(lambda: len(tally()) == 8)
    cancelled, over = slurm.workers()
    # Limits are whole minutes, and are looked at every half: the end of a running job is moved instead of waiting.
    subprocess.run(["scontrol", "update", f"JobId={over}", "EndTime=now+1"], check=True, timeout=PATIENCE)
    subprocess.run(["scancel", cancelled], check=True, timeout=PATIENCE)
    until(lambda: {cancelled, over} <= ended_in(home / "a.zarr"))
    tally.open()
    report = finish(driver)
    assert (report["done"], report["total"]) == (24, 24)
    ends = {job: next(line for line in slurm.ended() if f"JobId={job} " in line) for job in (cancelled, over)}
    assert "JobState=CANCELLED" in ends[cancelled]
    assert "JobState=TIMEOUT" in ends[over]
    assert report["pool"]["jobs_lost"] == 2
    assert len(tally()) - 24 <= 2, "only a point that ran in a lost job runs again"
    until(lambda: not slurm.queue())


def test_jobs_retire_before_their_wall_time_without_loss(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=2, walltime="00:01:00", retire_before="54s", stagger="1s")
    config = sweep(axes={"F0": list(range(1, 13)), "seconds": 0.1})
    tally.admit(4)
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    until(lambda: len(tally()) == 6)
    # Jobs retire at an age of 5 to 6 s; both have a point in hand, which they end first.
    time.sleep(7)
    tally.open()
    report = finish(driver)
    assert report["done"] == len(tally()) == 12
    assert report["pool"]["jobs_lost"] >= 2
    assert report["lost"] == 0


def test_adaptive_size_goes_up_and_down(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=None, adapt={"minimum": 0, "maximum": 3, "idle": "1s"})
    config = sweep(axes={"F0": list(range(1, 25)), "seconds": 0.1})
    tally.admit(1)
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    until(lambda: len(slurm.workers()) == 3)
    until(lambda: len(tally()) == 4)
    # One point that takes long keeps the run alive while the other jobs leave.
    tally.admit(23)
    until(lambda: "fewer jobs are wanted" in notes(home / "a.zarr"))
    until(lambda: len(slurm.workers()) == 1)
    tally.open()
    report = finish(driver)
    assert report["done"] == len(tally()) == 24
    assert report["lost"] == 0


def test_driver_job_is_followed_from_the_login_node(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    store = home / "a.zarr"
    config = sweep(axes={"F0": list(range(1, 25)), "seconds": 0.1})
    tally.admit(4)

    def said(*words: object) -> str:
        out, err = photogap(*words).communicate(timeout=PATIENCE)
        return out + err

    driver = {"memory": "600MB"}
    cluster(jobs=1, driver=driver, job_extra_directives=["--begin=now+1hour"])
    waits = finish(photogap("submit", config, "--store", store, "--cluster", "slurm", "--json"))
    assert f"driver job {waits['job']}: pending PENDING" in said("status", store)
    assert "already drives" in said("submit", config, "--store", store)
    assert f"cancelled the driver's job {waits['job']}" in said("cancel", store)

    cluster(jobs=1, driver=driver)
    sent = finish(photogap("submit", config, "--store", store, "--cluster", "slurm", "--json"))
    until(lambda: len(tally()) > 4)
    found = said("status", store)
    assert f"driver job {sent['job']}: running RUNNING" in found
    assert "a driver is running" in found
    found = said("logs", store)
    assert "driver.log <==" in found
    assert "submitted job" in found
    subprocess.run(["scancel", sent["job"]], check=True, timeout=PATIENCE)
    until(lambda: not slurm.queue())
    found = said("status", store)
    assert f"driver job {sent['job']}: ended CANCELLED" in found
    assert ": terminated" in found, "the driver noted what it had before it ended"
    assert not list((home / "state").rglob("*.pem"))


def test_ctrl_c_keeps_finished_points_and_cancels_jobs(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=1)
    config = sweep(axes={"F0": list(range(1, 25)), "seconds": 0.1})
    tally.admit(4)
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    until(lambda: len(tally()) > 4)
    driver.send_signal(signal.SIGINT)
    out, err = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 130, err
    report = json.loads(out.splitlines()[-1])
    assert report["outcome"] == "interrupted"
    assert 2 <= report["done"] < 24
    until(lambda: not slurm.queue())


def test_next_run_cancels_jobs_of_a_killed_driver(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=2, poll="1s", death_timeout="60s")
    config = sweep(axes={"F0": list(range(1, 25)), "seconds": 0.1})
    tally.admit(4)
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    until(lambda: len(tally()) == 6)
    driver.kill()
    driver.communicate(timeout=PATIENCE)
    tally.open()
    report = finish(photogap("run", config, "--store", home / "a.zarr", "-n", "0", "--json"))
    assert report["done"] == 24
    until(lambda: not slurm.queue())
    assert len(tally()) <= 24 + 2
