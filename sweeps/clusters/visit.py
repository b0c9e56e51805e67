"""Requirements of a run on its cluster."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..store.place import Place


def say(text: str) -> None:
    """Print a message for the user on standard error."""
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Visit:
    """Requirements of a run on its cluster.

    Args:
        place: The store, which workers must be able to write.
        workers: Number of worker processes in place of the cluster's own.
        memory: Memory of a worker process where the cluster does not set it: a size, or `auto`.
        folder: Folder for scripts and logs of jobs; next to the store if None.
        only_look: Whether the first worker is only inspected, without any refusal.
        dashboard: Whether a scheduler of this run shows Dask's dashboard.
        stopped: Reason to stop waiting for the first worker; None to continue.
        say: Called with messages for the user.
    """

    place: Place | None = None
    workers: int | None = None
    memory: str = "auto"
    folder: Path | None = None
    only_look: bool = False
    dashboard: bool = False
    stopped: Callable[[], str | None] = lambda: None
    say: Callable[[str], None] = say
