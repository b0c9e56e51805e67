"""kill -9 of a driver that packs and writes: what reads as data is data."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.store.cube import MISSING
from photogap.sweeps.store.parts import decode
from photogap.sweeps.store.place import Place, place
from support.cubes import physics
from support.driving import drive
from support.fake_config import tree
from support.patience import PATIENCE

SERIES = ("Delta0", "Gamma", "Delta0_peak")
SWEEP, HALF = (
    tree({"F0": list(range(1, n + 1)), "damping": ["full", "real"]}, settings={"n_times": 400}) for n in (24, 12)
)
KILLS = int(os.environ.get("PHOTOGAP_TEST_KILLS", "12"))


@pytest.fixture(scope="module")
def start() -> Callable[..., Any]:
    """Start a driver in some ten milliseconds: what it imports is imported once, in a process that forks."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["support.driving", "support.fake_model", "photogap.sweeps.drive.sweep"])

    def start(url: str, report: Path, sweep: dict[str, Any] = SWEEP) -> Any:
        process = context.Process(target=drive, args=(sweep, url, str(report)))
        process.start()
        return process

    return start


def partial(target: Place) -> set[str]:
    """Names of temporary files in a store and beside it."""
    return {path.name for folder in (target.path, target.state) for path in folder.rglob("*.partial")}


def check(target: Place, calm: xr.Dataset) -> int:
    """Compare all that reads as data with the undisturbed cube; number of points that are ok."""
    ds = xr.open_zarr(target.url, chunks=None).load()
    calm = calm.sel(F0=ds.F0)
    ended = ds.status != MISSING
    ids = ds.point_id.values
    for name in SERIES:
        has = ds[name].notnull()
        # No value but the right one, whole points or nothing, and nothing missing where the status says ok.
        assert bool((ds[name] == calm[name]).where(has, True).all()), name
        whole = has if not (set(has.dims) - set(ended.dims)) else has.all("time")
        assert bool((whole | ~has.any(set(has.dims) - set(ended.dims))).all()), name
        assert bool(whole.where(ended, True).all()), name
    assert bool((ds.point_id == calm.point_id).where(ended, True).all())
    assert set(ids.ravel()) <= {"", *calm.point_id.values.ravel()}
    for name in ("wall_time", "attempts"):
        assert bool((ds[name] > 0).where(ended, True).all()), name
    for key in target.blobs.keys("parts/"):
        data = target.blobs.get(key)
        assert data is not None
        record, arrays = decode(data)
        where = np.argwhere(calm.point_id.values == record["point_id"])[0]
        for name in SERIES:
            assert np.array_equal(arrays[name], calm[name].values[tuple(where)])
    return int((ds.status == "ok").sum())


@pytest.mark.slow
def test_driver_killed_while_packing_leaves_no_wrong_data(
    tmp_path: Path, start: Callable[..., Any], tally: Callable[[], list[str]]
) -> None:
    report = tmp_path / "report.json"
    for name in ("warm.zarr", "calm.zarr"):
        begin = time.monotonic()
        undisturbed = start(str(tmp_path / name), report)
        undisturbed.join(PATIENCE)
        took = time.monotonic() - begin
    calm = physics(tmp_path / "calm.zarr")
    assert json.loads(report.read_text())["done"] == 48
    chance = random.Random(3)
    target = place(tmp_path / "a.zarr")
    begun, killed, seen = len(tally()), 0, [0]
    while killed < KILLS:
        # Half of the sweep first, so that kills fall into growth too.
        driver = start(target.url, report, SWEEP if seen[-1] > 20 else HALF)
        driver.join(chance.uniform(0.05, 0.4) * took)
        killed += driver.is_alive()
        driver.kill()
        driver.join(PATIENCE)
        if not target.exists():
            continue
        seen.append(check(target, calm))
        assert seen[-1] >= seen[-2]
        assert status(target)["counts"].get("ok", 0) >= seen[-1]
        if seen[-1] == 48:
            # At most the batch in hand was computed again after each kill.
            assert len(tally()) - begun <= 48 + 3 * killed
            xr.testing.assert_identical(physics(target.path), calm)
            shutil.rmtree(target.path)
            shutil.rmtree(target.state)
            begun, seen = len(tally()), [0]
    last = start(target.url, report)
    last.join(PATIENCE)
    assert last.exitcode == 0
    assert partial(target) == set()
    xr.testing.assert_identical(physics(target.path), calm)


WRITE = """
import os, signal, sys
from pathlib import Path
from photogap.sweeps.store.blobs import LocalBlobs
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
LocalBlobs(Path(sys.argv[1])).put("big", bytes(2**20))
"""


@pytest.mark.parametrize("where", ["path", "state"])
def test_next_driver_removes_files_of_a_killed_write(tmp_path: Path, where: str) -> None:
    target = place(tmp_path / "a.zarr")
    plan = resolve(parse(HALF))
    run(plan, target, workers=0)
    folder = str(getattr(target, where))
    writer = subprocess.run([sys.executable, "-c", WRITE, folder], timeout=PATIENCE)
    assert writer.returncode == -signal.SIGKILL
    assert len(partial(target)) == 1, "it was killed before it was renamed"
    # One that is younger than the driver is somebody's at work.
    now = target.state / "parts" / ".of-now.partial"
    now.parent.mkdir(exist_ok=True)
    now.touch()
    os.utime(now, (time.time() + 60,) * 2)
    assert run(plan, target, workers=0).counts.done == 24
    assert partial(target) == {now.name}
    assert not (target.path / "big").exists()
