"""Cubes that the command line makes, extends or computes in the folder of a server that is running."""

import threading
from pathlib import Path
from typing import Any

import google_crc32c
import pytest

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.client import RefusedError
from photogap.sweeps.drive import sweep
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.drive.verify import verify
from photogap.sweeps.server import answers, others
from photogap.sweeps.server.others import Others
from photogap.sweeps.store.lock import driver_lock, is_driven
from photogap.sweeps.store.place import place
from support.fake_config import tree
from support.patience import PATIENCE, until
from support.serving import serving
from support.tallies import Tally

AXES = {"F0": [0.1, 1.0, 10.0], "T": [30, 60]}


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "LOOK_S", 0.1)
    monkeypatch.setattr(sweep, "_LOOK_S", 0.0)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """While it is clear, the server does not look at its folder."""
    free, look = threading.Event(), Others.look
    monkeypatch.setattr(Others, "look", lambda self: free.wait() and look(self))
    free.set()
    return free


def test_cubes_of_the_command_line_appear_while_the_server_runs(tmp_path: Path, tally: Tally) -> None:
    with serving(tmp_path) as client:
        tally.admit(2)
        plan, target = resolve(parse(tree(AXES, name="late"))), place(tmp_path / "late.zarr")
        work = threading.Thread(target=lambda: run(plan, target, workers=0))
        work.start()
        until(lambda: [s["name"] for s in client.sweeps()] == ["late"])
        until(lambda: client.sweep("late")["done"] == 2)
        found = client.sweep("late")
        assert (found["state"], found["elsewhere"], found["total"]) == ("running", True, 6)
        for refused in (client.resume, client.retry, lambda name: client.submit(tree(AXES, name=name))):
            with pytest.raises(RefusedError, match="another process, such as the command line, is computing"):
                refused("late")
        assert client.cancel("late")["state"] == "running"
        tally.admit(3)
        work.join(PATIENCE)
        found = client.wait("late", PATIENCE)
        assert (found["state"], found["done"], found["elsewhere"]) == ("cancelled", 3, False)
        assert client.slice("late", "Delta0_peak").sizes["F0"] == 3
        # Extended by the command line while the server knows it as ended.
        tally.open()
        run(resolve(parse(tree(AXES, name="late"))), target, workers=0)
        until(lambda: client.sweep("late")["state"] == "done")
        assert client.sweep("late")["done"] == 6


@pytest.mark.parametrize("made_by", ["the server", "the command line"])
def test_a_run_between_two_looks_is_seen(tmp_path: Path, tally: Tally, free: threading.Event, made_by: str) -> None:
    """However short it is, and however soon after the last one it ends."""
    target = place(tmp_path / "late.zarr")
    tally.open()
    with serving(tmp_path) as client:
        if made_by == "the server":
            client.submit(tree({"F0": [0.1]}, name="late"))
        else:
            run(resolve(parse(tree({"F0": [0.1]}, name="late"))), target, workers=0)
            until(client.sweeps)
        assert client.wait("late", PATIENCE)["total"] == 1
        for points in ([0.1, 1.0], [0.1, 1.0, 10.0]):
            free.clear()
            run(resolve(parse(tree({"F0": points}, name="late"))), target, workers=0)
            free.set()
            until(lambda n=len(points): client.sweep("late")["total"] == n)
            assert client.sweep("late")["state"] == "done"


def test_a_run_that_has_ended_refuses_nothing(
    tmp_path: Path, tally: Tally, free: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even before the next look; nor does the server's own verification count as another's run."""
    target = place(tmp_path / "late.zarr")
    tally.open()
    with serving(tmp_path) as client:
        client.submit(tree({"F0": [0.1]}, name="late"))
        client.wait("late", PATIENCE)
        with driver_lock(target):
            until(lambda: client.sweep("late")["elsewhere"])
            with pytest.raises(RefusedError, match="another process"):
                client.resume("late")
            free.clear()
        client.resume("late")
        free.set()
        client.wait("late", PATIENCE)

        def slow(*given: Any, **more: Any) -> Any:
            with driver_lock(target):
                seen.wait()
            return verify(*given, **more)

        seen = threading.Event()
        monkeypatch.setattr(answers, "verify", slow)
        work = threading.Thread(target=lambda: client.verify("late", repair=True))
        work.start()
        until(lambda: is_driven(target))
        with pytest.raises(RefusedError, match="is being verified"):
            client.resume("late")
        assert not client.sweep("late")["elsewhere"]
        seen.set()
        work.join(PATIENCE)
        client.resume("late")
        assert client.wait("late", PATIENCE)["state"] == "done"


@pytest.mark.parametrize("how", ["group", "text", "cut", "frame"])
def test_a_damaged_cube_hides_no_other(tmp_path: Path, tally: Tally, how: str) -> None:
    tally.open()
    for name in ("a", "b", "c"):
        run(resolve(parse(tree({"F0": [0.1]}, name=name))), place(tmp_path / f"{name}.zarr"), workers=0)
    chunk = next(p for p in (tmp_path / "b.zarr" / "status" / "c").rglob("*") if p.is_file())
    if how == "group":
        (tmp_path / "b.zarr" / "status" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    else:
        data = chunk.read_bytes()
        # of the last, the checksum is right: the decompressor refuses it
        broken = {"text": b"hello, this is text", "cut": data[:3], "frame": (wrong := data[:4] + b"\xff" * 20)}
        chunk.write_bytes(broken[how] + (crc32c(wrong) if how == "frame" else b""))
    with serving(tmp_path) as client:
        assert {"a", "c"} <= {s["name"] for s in client.sweeps()}


def crc32c(data: bytes) -> bytes:
    return bytes(google_crc32c.Checksum(data).digest())[::-1]
