"""History of a sweep: its runs, the resources that it used, the group's notes; and the whole cube as one file."""

import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np

from ..numbers import plain
from ..store.cube import Cube
from .intake import TooLargeError
from .runner import Runner
from .schema import Action, History, Run, Words

_RUNS: Final = 50
_PIECE: Final = 1024 * 1024


def history(runner: Runner, name: str) -> History:
    """Runs, resources, notes and actions of a sweep."""
    runner.entry(name)
    note = runner.journal.note(name)
    target = runner.intake.place(name)
    cube = runner.intake.cube(name) if target.exists() else None
    return History(
        runs=[_run(entry) for entry in reversed(cube.record["runs"][-_RUNS:])] if cube else [],
        core_hours=_hours(cube, "cpu_time"),
        wall_hours=_hours(cube, "wall_time"),
        bytes=sum(size for _, size in _files(target.path)) if cube else 0,
        note=Words(text=note.text, tags=list(note.tags), archived=note.archived, version=note.version),
        actions=[Action(**action) for action in runner.journal.actions(name)],
    )


def _run(entry: dict[str, Any]) -> Run:
    pool = entry.get("pool") or {}
    return Run(
        start=entry["start"],
        end=entry.get("end"),
        outcome=str(entry.get("outcome") or ""),
        host=str(entry.get("host") or ""),
        git=entry.get("git"),
        versions=entry.get("versions") or {},
        computed=entry.get("computed"),
        pool=plain({str(k): v for k, v in pool.items()}),
    )


def _hours(cube: Cube | None, name: str) -> float:
    return float(np.nansum(np.asarray(cube.array(name)[...], float))) / 3600 if cube else 0.0


def _files(folder: Path) -> list[tuple[Path, int]]:
    """Regular files of a cube and their sizes; links are left out."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent) / name
            about = path.lstat()
            if stat.S_ISREG(about.st_mode):
                found.append((path, about.st_size))
    return found


class _Tray:
    """A buffer to which a zip is written, emptied after each piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: each piece is kept as it is written."""

    def taken(self) -> bytes:
        """The bytes written since the last call."""
        out = b"".join(self._pieces)
        self._pieces.clear()
        return out


def zipped(runner: Runner, name: str) -> Iterator[bytes]:
    """A whole cube as a zip file, which `zarr.storage.ZipStore` opens; its chunks are compressed already.

    Raises:
        StoreError: No cube exists.
        TooLargeError: It is larger than the server's limit; nothing has been read.
    """
    runner.intake.cube(name)
    folder = runner.intake.place(name).path
    files, limit = _files(folder), runner.options.limits.cube_bytes
    size = sum(n for _, n in files)
    if size > limit:
        raise TooLargeError(
            f"the cube has {size} bytes, over the limit of {limit} for a download. Copy {str(folder)!r} instead."
        )
    return _zip(folder, [path for path, _ in files])


def _zip(folder: Path, paths: list[Path]) -> Iterator[bytes]:
    tray = _Tray()
    with zipfile.ZipFile(cast(IO[bytes], tray), "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            # A chunk that a run replaced meanwhile has its new content; one that vanished is not there.
            try:
                source = path.open("rb")
            except FileNotFoundError:
                continue
            with source, archive.open(path.relative_to(folder).as_posix(), "w", force_zip64=True) as entry:
                while piece := source.read(_PIECE):
                    entry.write(piece)
                    if out := tray.taken():
                        yield out
            yield tray.taken()
    yield tray.taken()
