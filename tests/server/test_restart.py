"""A server killed during its work: the next one continues, and no finished point is computed twice."""

import contextlib
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
import xarray as xr

from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import LOG
from photogap.sweeps.store.log import Log
from photogap.sweeps.store.place import place
from support.fake_config import tree
from support.patience import PATIENCE, until
from support.tallies import Tally

POINTS = 40


def settled(folder: Path, name: str) -> dict[str, int]:
    """How often each finished point of a sweep was computed."""
    with contextlib.closing(Log(place(folder / f"{name}.zarr").state / LOG, read_only=True)) as log:
        return {p["point_id"]: p["computed"] for p in log.points()}


@pytest.mark.slow
def test_two_sweeps_survive_kill_9_without_repeating_points(
    tmp_path: Path, start_server: Any, tally: Tally
) -> None:
    # So many begin that both are at work, and not enough that one could end.
    tally.admit(POINTS)
    folder = tmp_path / "served"
    server, client = start_server(folder, "--workers", 2)
    for name, start in (("one", 1.0), ("two", 101.0)):
        axes = {"F0": {"linspace": [start, start + POINTS - 1, POINTS]}, "seconds": [0.08]}
        client.submit(tree(axes, name=name))
    until(lambda: min(client.sweep(name)["done"] for name in ("one", "two")) >= 6)
    workers = psutil.Process(server.pid).children(recursive=True)
    server.send_signal(signal.SIGKILL)
    server.wait(PATIENCE)
    psutil.wait_procs(workers, timeout=PATIENCE)
    tally.open()
    begun, kept = Counter(tally()), {n: settled(folder, n) for n in ("one", "two")}
    ended = {n: status(place(folder / f"{n}.zarr"))["counts"]["ok"] for n in ("one", "two")}
    assert all(0 < count < POINTS for count in ended.values()), ended

    _, client = start_server(folder, "--workers", 2)
    for name in ("one", "two"):
        found = client.wait(name, PATIENCE)
        assert (found["state"], found["done"], found["failed"]) == ("done", POINTS, 0)
        assert found["computed"] <= POINTS - ended[name]
        ds = xr.open_zarr(folder / f"{name}.zarr")
        assert bool((ds.status == "ok").all())
        assert int(ds.attempts.max()) == 1
        computed = settled(folder, name)
        assert len(computed) == POINTS
        assert set(computed.values()) == {1}
        assert set(kept[name]) <= set(computed)
    again = Counter(tally())
    twice = [line for line, count in again.items() if count > 1]
    # Only what the two workers had in hand when they were killed begins anew: a batch each.
    assert len(again) == 2 * POINTS
    assert len(twice) <= 2 * 3 + 1, twice
    assert max(begun.values()) == 1


def test_a_stopped_server_leaves_its_sweeps_to_the_next(tmp_path: Path, start_server: Any) -> None:
    server, client = start_server(tmp_path, "--workers", 0)
    client.submit(tree({"F0": {"linspace": [1, 10, 60]}, "seconds": [0.05]}, name="long"))
    until(lambda: client.sweep("long")["done"] >= 3)
    server.terminate()
    assert server.wait(PATIENCE) in (0, -signal.SIGTERM)
    _, client = start_server(tmp_path, "--workers", 0)
    found = client.wait("long", PATIENCE)
    assert (found["state"], found["done"]) == ("done", 60)
    assert found["computed"] < 60


def test_one_server_per_folder(tmp_path: Path, start_server: Any) -> None:
    server, client = start_server(tmp_path, "--workers", 0)
    with pytest.raises(AssertionError, match="another server already serves"):
        start_server(tmp_path, "--workers", 0)
    with client._answer("GET", "events"):
        server.terminate()
        server.wait(PATIENCE)
    said = server.stdout.read()
    assert "Open this address in a browser. From another machine, first run there:\n  ssh -L" in said
    assert f"client = Client({client.url!r})" in said
    assert "Traceback" not in said, "whoever watches is no fault"
