"""The log: modes, journal, damage; and stores that a group shares."""

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import LOG, Watch, run
from photogap.sweeps.errors import StoreError
from photogap.sweeps.store.log import Log
from photogap.sweeps.store.place import place
from support.driving import go, plan_of


@pytest.fixture
def group_mask() -> Iterator[None]:
    before = os.umask(0o002)
    yield
    os.umask(before)


def test_all_files_of_a_store_follow_the_umask(tmp_path: Path, group_mask: None) -> None:
    go(tmp_path, "a.zarr")
    log = Log(place(tmp_path / "a.zarr").state / LOG)
    log.event("open")
    files = [p for name in ("a.zarr", "a.zarr.state") for p in (tmp_path / name).rglob("*")]
    log.close()
    assert all(p.stat().st_mode & stat.S_IWGRP for p in files), "the group may write each"
    assert not [p for p in files if p.name.endswith(("-wal", "-shm"))]


@pytest.mark.parametrize("how", ["cut", "text", "flipped", "other tables"])
def test_a_damaged_log_is_set_aside(tmp_path: Path, how: str) -> None:
    go(tmp_path, "a.zarr", {"F0": [1.0]})
    target = place(tmp_path / "a.zarr")
    path = target.state / LOG
    data = path.read_bytes()
    if how == "other tables":
        path.unlink()
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE points (x)")
        other.commit()
        other.close()
    else:
        path.write_bytes({"cut": data[:5000], "text": b"no log" * 900, "flipped": _flipped(data)}[how])
    assert status(target)["counts"] == {"ok": 1}
    assert go(tmp_path, "a.zarr", {"F0": [1.0, 2.0]}).counts.computed == 1
    assert status(target)["counts"] == {"ok": 2}


@pytest.mark.parametrize("held", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE", "BEGIN; SELECT * FROM events"])
@pytest.mark.parametrize("when", ["before the run", "during the run"])
def test_a_locked_log_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str, when: str) -> None:
    """By a driver or a reader that is suspended amid its transaction; it changes nothing in the new log."""
    monkeypatch.setattr("photogap.sweeps.store.log.WAIT_S", 0.2)
    go(tmp_path, "a.zarr", {"F0": [1.0]})
    target = place(tmp_path / "a.zarr")
    asleep = sqlite3.connect(target.state / LOG, isolation_level=None)
    cursors = []

    def hold(_: object = None) -> None:
        while len(cursors) < len(held.split("; ")):
            cursors.append(asleep.execute(held.split("; ")[len(cursors)]))
            cursors[-1].fetchone()

    if when == "before the run":
        hold()
        report = go(tmp_path, "a.zarr", {"F0": [1.0, 2.0, 3.0]})
    else:
        report = run(plan_of({"F0": [1.0, 2.0, 3.0]}), target, workers=0, watch=Watch(opened=hold))
    assert report.counts.done == 3
    asleep.execute("COMMIT")
    asleep.close()
    assert status(target)["counts"] == {"ok": 3}
    assert (target.state / f"{LOG}.locked").exists()
    with contextlib.closing(Log(target.state / LOG, read_only=True)) as log:
        assert log.counts()["ok"] >= 1


def _flipped(data: bytes) -> bytes:
    return b"".join(bytes([b ^ 0x55]) if 100 < i < 9000 else bytes([b]) for i, b in enumerate(data))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_foreign_store_is_refused_before_it_grows(tmp_path: Path) -> None:
    go(tmp_path, "a.zarr")
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        if folder != Path("/tmp"):
            folder.chmod(0o755)
    child = os.fork()
    if child == 0:
        os._exit(_as_another(tmp_path / "a.zarr"))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _as_another(store: Path) -> int:
    from photogap.sweeps.store.faults import refuse_unwritable

    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    try:
        refuse_unwritable(place(store))
    except StoreError as error:
        return 0 if "belongs to root, and you do not have write permission" in str(error) else 2
    return 1
