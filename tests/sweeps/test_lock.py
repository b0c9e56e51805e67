"""One driver a store: the kernel's lock, the claim that fences where it does not hold, and takeover."""

import contextlib
import errno
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import xarray as xr

from photogap.sweeps.drive.sweep import Watch, run
from photogap.sweeps.errors import BusyError, StoreError
from photogap.sweeps.store import lock
from photogap.sweeps.store.blobs import Blobs, LocalBlobs, ObjectBlobs
from photogap.sweeps.store.cube import Cube
from photogap.sweeps.store.place import place
from support.cubes import physics
from support.driving import go, plan_of
from support.patience import PATIENCE, until

OTHER = b'{"host": "elsewhere", "pid": 1, "at": 0, "token": "theirs"}'


@pytest.fixture(params=["path", "bucket"])
def claimed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A store as its claim sees it."""
    monkeypatch.setattr(lock, "RENEW_S", 0.01)
    monkeypatch.setattr(lock, "WATCH_S", 0.2)
    blobs: Blobs = LocalBlobs(tmp_path)
    if request.param == "bucket":
        blobs = ObjectBlobs(f"memory://{tmp_path.name}")
    return SimpleNamespace(url="s3://b/a.zarr", blobs=blobs)


def test_a_claim_is_renewed_while_a_point_takes_long(claimed: Any) -> None:
    def version() -> Any:
        return claimed.blobs.look("driver")[1]

    with lock._Claim(claimed):
        first = version()
        until(lambda: version() != first)
        with pytest.raises(BusyError, match=r"already drives s3://b/a.zarr"), lock._Claim(claimed):
            pass
    assert claimed.blobs.get("driver") is None


def test_loser_of_a_claim_ends_without_changing_it(claimed: Any) -> None:
    with lock._Claim(claimed) as check:
        check()

        def lost() -> bool:
            # Again and again: a bucket's claim may be renewed between the two.
            claimed.blobs.put("driver", OTHER)
            with contextlib.suppress(BusyError):
                check()
                return False
            return True

        until(lost)
        with pytest.raises(BusyError, match="process 1 on elsewhere"):
            check()
    assert claimed.blobs.get("driver") == OTHER


def test_abandoned_claim_is_taken_over_by_one_of_many(claimed: Any) -> None:
    claimed.blobs.put("driver", OTHER)
    outcomes: list[str] = []
    held = threading.Event()

    def take() -> None:
        try:
            with lock._Claim(claimed) as check:
                check()
                outcomes.append("taken")
                held.wait(PATIENCE)
        except BusyError:
            outcomes.append("busy")

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: len(outcomes) == 8)
    held.set()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["busy"] * 7 + ["taken"]


def test_renewed_claim_is_respected_whatever_its_clock(claimed: Any) -> None:
    claimed.blobs.put("driver", OTHER)
    end = threading.Event()

    def renew() -> None:
        while not end.wait(0.01):
            found = claimed.blobs.look("driver")
            claimed.blobs.renew("driver", found[1], OTHER + b" ")

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        with pytest.raises(BusyError, match="process 1 on elsewhere"), lock._Claim(claimed):
            pass
    finally:
        end.set()
        thread.join()


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b'"x"', b'{"at": "now", "pid": [], "host": {}}'])
def test_a_damaged_claim_is_taken_over(claimed: Any, text: bytes) -> None:
    claimed.blobs.put("driver", text)
    with lock._Claim(claimed) as check:
        check()
    assert claimed.blobs.get("driver") is None


@contextlib.contextmanager
def without_flock(monkeypatch: pytest.MonkeyPatch, number: int | None) -> Iterator[None]:
    """A file system whose locks hold on one node only, or that has none."""

    def flock(file: Any, how: int) -> None:
        if number is not None:
            raise OSError(number, "no locks here")

    with monkeypatch.context() as patch:
        patch.setattr(lock.fcntl, "flock", flock)
        patch.setattr(lock.socket, "gethostname", lambda: f"node{threading.get_ident()}")
        yield


@pytest.mark.parametrize("number", [None, errno.ENOLCK, errno.EOPNOTSUPP])
def test_two_drivers_without_a_working_lock_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int | None
) -> None:
    monkeypatch.setattr(lock, "RENEW_S", 0.02)
    axes = {"F0": [float(i) for i in range(1, 31)]}
    target = place(tmp_path / "a.zarr")
    outcomes: list[Any] = []
    begun, refused = threading.Event(), threading.Event()

    def first(counts: Any) -> None:
        if counts.done > 3:
            begun.set()
            refused.wait(PATIENCE)

    def second() -> None:
        begun.wait(PATIENCE)
        try:
            run(plan_of(axes), target, workers=0)
        except BusyError as error:
            outcomes.append(str(error))
        refused.set()

    with without_flock(monkeypatch, number):
        thread = threading.Thread(target=second)
        thread.start()
        assert run(plan_of(axes), target, workers=0, watch=Watch(tell=first)).counts.done == 30
        thread.join()
    assert len(outcomes) == 1
    assert "already drives" in outcomes[0]
    go(tmp_path, "calm.zarr", axes)
    xr.testing.assert_identical(physics(target.path), physics(tmp_path / "calm.zarr"))


def test_driver_without_its_claim_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photogap.sweeps.drive.flow.PACK_S", 0.0)
    target = place(tmp_path / "a.zarr")
    axes = {"F0": [float(i) for i in range(1, 9)]}
    seen: list[dict[Path, bytes]] = []

    def files() -> dict[Path, bytes]:
        return {p: p.read_bytes() for p in target.path.rglob("*") if p.is_file()}

    def taken() -> None:
        if target.exists() and not seen:
            target.blobs.put("driver", OTHER)
            seen.append(files())

    with pytest.raises(BusyError, match="process 1 on elsewhere"):
        run(plan_of(axes), target, workers=0, watch=Watch(stopped=taken))
    assert files() == seen[0]
    target.blobs.delete(["driver"])
    assert run(plan_of(axes), target, workers=0).counts.done == 8


GONE: dict[str, Callable[[Path, Path], Any]] = {
    "renamed": lambda path, aside: path.rename(aside),
    "replaced": lambda path, aside: (
        path.rename(aside),
        go(path.parent, "else.zarr"),
        (path.parent / "else.zarr").rename(path),
    ),
    "without root": lambda path, aside: (path / "zarr.json").rename(aside),
}


@pytest.mark.parametrize("how", GONE)
def test_parts_survive_a_moved_cube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, tally: Any) -> None:
    axes = {"F0": [float(i) for i in range(1, 9)]}
    target, aside = place(tmp_path / "a.zarr"), tmp_path / "aside"
    done = []

    def gone() -> None:
        if len(list(target.blobs.keys("parts/"))) >= 3 and not done:
            done.append(len(tally()))
            with monkeypatch.context() as patch:
                patch.delenv("PHOTOGAP_TEST_TALLY")
                GONE[how](target.path, aside)

    with pytest.raises(StoreError, match=r"renamed, removed or replaced .* kept in .*a\.zarr\.state"):
        run(plan_of(axes), target, workers=0, watch=Watch(stopped=gone))
    if how == "replaced":
        assert Cube(target).grid.size == 3
        target.path.rename(tmp_path / "other")
    aside.rename(target.path / "zarr.json" if how == "without root" else target.path)
    assert run(plan_of(axes), target, workers=0).counts.done == 8
    assert len(set(tally())) == len(tally()) == 8, "no point that had ended was computed again"
    assert json.loads((tmp_path / "a.zarr.state" / "lock").read_text())["pid"]


def test_a_driver_that_slept_does_not_return_to_a_store_that_another_has_finished(
    claimed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other's claim is gone with it: no claim at all is no permission to continue."""
    clock = [0.0]
    monkeypatch.setattr(lock, "_awake", lambda: clock[0])
    monkeypatch.setattr(lock, "RENEW_S", PATIENCE)
    with lock._Claim(claimed) as check:
        check()
        claimed.blobs.delete(["driver"])
        check()
        assert claimed.blobs.get("driver"), "a state that was removed just now is claimed anew"
        clock[0] += lock.WATCH_S
        claimed.blobs.delete(["driver"])
        with pytest.raises(BusyError):
            check()
        assert claimed.blobs.get("driver") is None
