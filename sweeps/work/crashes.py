"""Points that a driver computed in its own process when it died, so that the next run tries them last and alone.

The point at work is noted in a file next to the log; if a run finds a note at its start, that point crashed.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

AT_WORK = "at_work"
CRASHES = "crashes"
"""File of point ids, one line for each crash."""


@contextlib.contextmanager
def noting(note: str) -> Iterator["Note"]:
    """Note of the point at work, removed at the end unless the process dies; none for an empty path."""
    found = Note(note)
    try:
        yield found
    finally:
        if note:
            with contextlib.suppress(OSError):
                Path(note).unlink()


class Note:
    """File with the id of the point at work.

    Args:
        path: Its path; empty for no note.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def begin(self, point_id: str) -> None:
        """Note a point, before it is computed; a full disk is reported when its result is written."""
        if self._path:
            with contextlib.suppress(OSError):
                Path(self._path).write_text(point_id, encoding="utf-8")


def at_work(state: Path) -> str:
    """Point that a run was computing when it died, or is computing now; empty if none."""
    return _read(state / AT_WORK)


def crashes(state: Path) -> Counter[str]:
    """Number of crashes of each point since the last complete run; only the driver with the lock may call it."""
    died = at_work(state)
    if died:
        with (state / CRASHES).open("a", encoding="utf-8") as file:
            file.write(f"{died}\n")
        (state / AT_WORK).unlink(missing_ok=True)
    return Counter(_read(state / CRASHES).split())


def forget(state: Path) -> None:
    """Forget all crashes, after a complete run."""
    (state / CRASHES).unlink(missing_ok=True)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
