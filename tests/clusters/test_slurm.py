"""Sweeps through `--cluster slurm` on a real SLURM: equal cubes, lost jobs, wall times, sizes, drivers as jobs."""

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from conftest import Slurm, until

pytestmark = [pytest.mark.real, pytest.mark.slow]
Write = Callable[..., Path]
Start = Callable[..., "subprocess.Popen[str]"]


def numbers(path: Path) -> xr.Dataset:
    """What physics says; the time that a point took is none of it."""
    ds = xr.open_zarr(path).load()
    assert {str(status) for status in ds.status.values.ravel()} == {"ok"}
    return ds[["Delta0", "Gamma", "Delta0_peak"]].drop_attrs()


def finish(process: "subprocess.Popen[str]", seconds: float = 120) -> dict[str, Any]:
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return dict(json.loads(out.splitlines()[-1]))


def local(photogap: Start, config: Path, store: Path) -> xr.Dataset:
    finish(photogap("run", config, "--store", store, "--json", "-n", "0"))
    return numbers(store)


def test_the_cube_is_that_of_this_machine_and_no_secret_is_left(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=2, prologue=["export FROM_PROLOGUE=1"])
    config = sweep(axes={"F0": list(range(1, 13)), "damping": ["full", "real"]})
    report = finish(photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json"))
    assert report["computed"] == 24
    assert max(Counter(tally()).values()) == 1
    xr.testing.assert_identical(numbers(home / "a.zarr"), local(photogap, config, home / "b.zarr"))
    until(lambda: not slurm.queue(), 10)
    assert not list((home / "state").rglob("*.pem"))
    for path in [p for p in home.rglob("*") if p.is_file()]:
        assert b"PRIVATE KEY" not in path.read_bytes(), path


def test_one_point_of_the_real_physics_is_the_same_there(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start
) -> None:
    cluster(jobs=1)
    config = home / "real.yaml"
    config.write_text(
        "name: real\naxes: {material: [K3C60], F0: [1.0], omega_pump: [170], T: [30], tau_esc: [0.02]}\n"
        "settings: {t_start: -0.6, t_stop: -0.5, n_times: 2}\n"
    )
    finish(photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json"))
    there = numbers(home / "a.zarr")
    finish(photogap("run", config, "--store", home / "b.zarr", "-n", "0", "--json"))
    xr.testing.assert_identical(there, numbers(home / "b.zarr"))


def test_cancelled_worker_jobs_are_replaced_and_cost_only_what_ran(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=2)
    config = sweep(axes={"F0": list(range(1, 41)), "seconds": 0.3})
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    until(lambda: len(tally()) > 6)
    victims = slurm.workers()
    subprocess.run(["scancel", *victims], check=True, timeout=30)
    report = finish(driver)
    assert (report["done"], report["total"]) == (40, 40)
    assert report["pool"]["jobs_lost"] == len(victims) == 2
    assert len(tally()) - 40 <= 2, "only a point that ran in a cancelled job runs again"
    until(lambda: not slurm.queue(), 10)


def test_jobs_leave_before_their_wall_time_and_lose_nothing(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=2, walltime="00:01:00", retire_before="54s", stagger="2s")
    config = sweep(axes={"F0": list(range(1, 41)), "seconds": 0.5})
    report = finish(photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json"))
    assert report["done"] == len(tally()) == 40
    assert report["pool"]["jobs_lost"] >= 2
    assert report["lost"] == 0


def test_a_job_that_hits_its_wall_time_is_replaced(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    """SLURM's limit is in minutes: the limit of a running job is moved to its present age instead of waiting."""
    cluster(jobs=2)
    config = sweep(axes={"F0": list(range(1, 41)), "seconds": 0.3})
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    until(lambda: len(tally()) > 4)
    victim = slurm.workers()[0]
    subprocess.run(["scontrol", "update", f"JobId={victim}", "TimeLimit=0:01"], check=True, timeout=30)
    report = finish(driver)
    assert report["done"] == 40
    assert report["pool"]["jobs_lost"] == 1
    assert len(tally()) - 40 <= 1
    assert any(f"JobId={victim} " in line and "JobState=TIMEOUT" in line for line in slurm.ended())


def test_adaptive_size_goes_up_and_down(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, photogap: Start, tally: Any
) -> None:
    cluster(jobs=None, adapt={"minimum": 0, "maximum": 3, "idle": "1s"})
    # One point that takes much longer than the others keeps the run alive while other jobs leave.
    config = sweep(axes={"F0": list(range(1, 13)), "seconds": [0.4, 9.0]}, zip=[])
    config.write_text(config.read_text().replace("- 9.0", "- 0.41"))
    driver = photogap("run", config, "--store", home / "a.zarr", "--cluster", "slurm", "--json")
    sizes = []
    while driver.poll() is None:
        sizes.append(len(slurm.workers()))
        until(lambda: True)
        subprocess.run(["sleep", "0.4"], check=True)
    report = finish(driver)
    assert report["done"] == 24
    assert max(sizes) == 3, sizes
    notes = (home / "a.zarr.state" / "cluster.log").read_text()
    assert "fewer jobs are wanted" in notes, notes
    assert len(tally()) == 24
