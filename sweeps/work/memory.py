"""Memory left behind by points in their worker: a worker with too much of it ends and is replaced.

A limit on a worker's memory binds what all its points hold. A point that fails in a worker where earlier points
left memory is not to blame; nor are those that come after one that leaked up to the limit.
"""

import gc
import resource
from pathlib import Path
from typing import Any

from ..status import Status

_LEFT = 0.1
"""Share of the limit that earlier points may have left where a failure still counts as a point's own."""
_first: list[int] = []


class SpentWorkerError(Exception):
    """This process holds memory of earlier points: it must end, and no point is to blame."""


class Room:
    """Memory of this process when a point begins.

    Args:
        limit: Bytes that the process may hold; None for no limit.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._before = 0 if limit is None else held()
        if limit is not None and not _first:
            _first.append(self._before)

    def refuse_blame(self, record: dict[str, Any]) -> None:
        """Check that a failed point started with as much free memory as the first point of its process.

        Raises:
            SpentWorkerError: Earlier points left more than a share of the limit.
        """
        if record["status"] in (Status.MEMORY, Status.ERROR):
            self._refuse(self._before)

    def refuse_more(self, record: dict[str, Any]) -> None:
        """Check that a point that ran out of memory has freed it for the next point.

        Raises:
            SpentWorkerError: It has not.
        """
        if self._limit is not None and record["status"] in (Status.MEMORY, Status.ERROR):
            gc.collect()
            self._refuse(held())

    def _refuse(self, bytes_: int) -> None:
        if self._limit is not None and bytes_ - _first[0] > _LEFT * self._limit:
            raise SpentWorkerError(
                f"points left {(bytes_ - _first[0]) / 2**20:.0f} MiB occupied in a worker "
                f"with a limit of {self._limit / 2**20:.0f} MiB"
            )


def held() -> int:
    """Data of this process as its limit counts them, bytes; 0 if the system does not report them."""
    return _status("VmData") or 0


def peak() -> int:
    """Largest resident memory that this process has had, bytes.

    Linux counts what the parent process held as `ru_maxrss` of a child, which serves only where there is no other.
    """
    found = _status("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 if found is None else found


def _status(name: str) -> int | None:
    """An entry of this process's status, bytes; None if the system does not report it."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = [line.split()[1] for line in text.splitlines() if line.startswith(f"{name}:")]
    return int(found[0]) * 1024 if found else None
