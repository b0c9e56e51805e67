"""The driver's view of the workers: a pool that takes batches and reports how they ended."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from .run import run
from .task import Batch


@dataclass(frozen=True)
class Ended:
    """A batch that left the pool.

    Args:
        key: Its key.
        error: None if the task returned, else its exception.
        lost: Whether its worker died while running it.
        ran: Time that a worker spent on it, s; None if its start was not reported.
        story: How the worker's job ended, if its batch system reports it.
        innocent: Whether no point is to blame, since the batch system took the job away or another batch was
            running.
    """

    key: int
    error: BaseException | None = None
    lost: bool = False
    ran: float | None = None
    story: str = ""
    innocent: bool = False


class Pool(Protocol):
    """Runs batches."""

    own_process: bool
    memory: int | None
    dashboard: str | None

    def slots(self) -> int:
        """Batches that can run at once."""

    def running(self) -> int:
        """Batches started by a worker."""

    def submit(self, key: int, batch: Batch) -> None:
        """Accept a batch."""

    def wait(self, timeout: float) -> list[Ended]:
        """Finished batches; empty after `timeout` seconds without one."""

    def describe(self) -> dict[str, Any]:
        """Kind, workers and logs, for display and for the record of the run."""


class InlinePool:
    """Runs each batch in this process, when its result is requested."""

    own_process = False
    memory: int | None = None
    dashboard: str | None = None

    def __init__(self) -> None:
        self._waiting: list[tuple[int, Batch]] = []

    def slots(self) -> int:
        """One."""
        return 1

    def running(self) -> int:
        """None: batches run only within calls."""
        return 0

    def submit(self, key: int, batch: Batch) -> None:
        """Keep the batch."""
        self._waiting.append((key, batch))

    def wait(self, timeout: float) -> list[Ended]:
        """Run the oldest batch."""
        if not self._waiting:
            return []
        key, batch = self._waiting.pop(0)
        try:
            run(batch)
        except Exception as error:
            return [Ended(key, error)]
        return [Ended(key)]

    def describe(self) -> dict[str, Any]:
        """This process."""
        return {"kind": "this process", "workers": 1}


Opener = Callable[..., contextlib.AbstractContextManager[Pool]]
"""Called as `open_pool` is."""
