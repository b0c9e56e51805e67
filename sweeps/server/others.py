"""Cubes in the served folder that other processes make, extend or are computing, such as the command line."""

import contextlib
import logging
import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..ask.config import parse
from ..drive.sweep import LOG
from ..errors import ConfigError, SweepError
from ..status import Status
from ..store.cube import MISSING, Cube
from ..store.faults import reading_faults
from ..store.lock import is_driven
from ..store.log import Log
from ..store.place import ROOT
from ..text import dump_yaml
from .intake import NAME, Intake
from .queue import CANCELLED, DONE, FAILED, WAITING, Queue, QueuedSweep

LOOK_S: Final = 2.0
"""Time between two looks at the folder, s."""
_HEARD_S: Final = 60.0
"""Age of the last numbers of a run beyond which they are of an earlier one, s."""
_log = logging.getLogger("photogap.server")


class Others:
    """Looks at the folder from time to time; lists new cubes and follows runs of other processes.

    Args:
        intake: Opens cubes.
        queue: Sweeps by name, to which cubes of others are added.
        ours: True if this server runs the sweep of a name.
    """

    def __init__(self, intake: Intake, queue: Queue, ours: Callable[[str], bool]) -> None:
        self._intake, self._queue, self._ours = intake, queue, ours
        self._runs: dict[str, dict[str, int]] = {}
        self._seen: dict[str, tuple[_Stamp, float | None]] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="photogap-folder", daemon=True)

    def start(self) -> None:
        """List the existing cubes, then look for new ones at intervals."""
        self.look()
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def run(self, name: str) -> Mapping[str, int] | None:
        """Progress of a sweep that another process is computing; None if none is."""
        return self._runs.get(name)

    def computes(self, name: str) -> bool:
        """Return whether another process is computing a sweep now, and not only at the last look."""
        self._look_safely(name, self._intake.options.folder / f"{name}.zarr")
        return name in self._runs

    def look(self) -> None:
        """List new cubes, and note the progress of those that others compute."""
        for path in sorted(self._intake.options.folder.glob("*.zarr")):
            name = path.name.removesuffix(".zarr")
            if re.fullmatch(NAME, name) and not self._ours(name):
                self._look_safely(name, path)

    def _look_safely(self, name: str, path: Path) -> None:
        with contextlib.suppress(SweepError, OSError, KeyError, ValueError), reading_faults(str(path)):
            self._look_at(name, path)

    def _watch(self) -> None:
        while not self._end.wait(LOOK_S):
            try:
                self.look()
            except Exception:
                _log.exception("looking at the folder")

    def _look_at(self, name: str, path: Path) -> None:
        place = self._intake.place(name)
        stamp = _stamp(path / ROOT, place.state / LOG)
        entry = self._queue.get(name)
        if entry is not None and entry.state in WAITING:
            return
        if is_driven(place) and not self._ours(name):
            if entry is None:
                self._adopt(name)
            self._runs[name] = _progress(place.state / LOG) or _counts(self._intake.cube(name))
            return
        if entry is None:
            self._adopt(name)
        elif name in self._runs or self._is_changed(entry, stamp):
            counts, ended = _counts(self._intake.cube(name)), stamp.time
            if name in self._runs or counts.items() - entry.counts.items():
                states = (DONE, CANCELLED, FAILED)
                self._queue.claim(name, states, state=_state(counts), message="", counts=counts, ended=ended)
        entry = self._queue.get(name)
        self._seen[name] = stamp, entry.ended if entry else None
        self._runs.pop(name, None)  # last, so that nobody sees its old numbers as those of its end

    def _is_changed(self, entry: QueuedSweep, stamp: "_Stamp") -> bool:
        """True if another process has written since the last look, or since a later end of our own run."""
        seen, ended = self._seen.get(entry.name, (None, None))
        if seen is None or ended != entry.ended:
            return stamp.time > (entry.ended or entry.submitted)
        return stamp != seen

    def _adopt(self, name: str) -> None:
        """List a cube that was not made by a request."""
        cube = self._intake.cube(name)
        tree = {k: v for k, v in cube.record["config"].items() if v is not None} | {"name": name}
        counts = _counts(cube)
        self._queue.put(name, dump_yaml(_short(tree)), tree, state=_state(counts), counts=counts)


@dataclass(frozen=True)
class _Stamp:
    """Files that every run writes: time of the newest, s since 1970; inode, size and time, ns, of each."""

    time: float
    files: tuple[tuple[int, int, int], ...]


def _stamp(*paths: Path) -> _Stamp:
    found = [path.stat() for path in paths if path.exists()]
    return _Stamp(max(f.st_mtime for f in found), tuple((f.st_ino, f.st_size, f.st_mtime_ns) for f in found))


def _counts(cube: Cube) -> dict[str, int]:
    found = Counter(map(str, cube.status().flat))
    done, missing = found[Status.OK], found[MISSING]
    return {"total": cube.grid.size, "done": done, "failed": cube.grid.size - done - missing, "running": 0}


def _state(counts: Mapping[str, int]) -> str:
    return DONE if counts["done"] + counts["failed"] >= counts["total"] else CANCELLED


def _progress(path: Path) -> dict[str, int] | None:
    """The newest numbers in the log of a run."""
    alive = None
    with contextlib.suppress(sqlite3.Error, ValueError), contextlib.closing(Log(path, read_only=True)) as log:
        alive = log.last_alive()
    if alive and "ended" not in alive[1] and time.time() - alive[0] < _HEARD_S:
        return {k: int(alive[1].get(k, 0)) for k in ("total", "done", "failed", "computed", "running", "lost")}
    return None


def _short(tree: dict[str, Any]) -> dict[str, Any]:
    """A config without its defaults, as a user would write it."""
    with contextlib.suppress(ConfigError):
        return parse(tree).model_dump(mode="json", exclude_defaults=True)
    return tree
