"""The driver's view of the workers: a pool that takes batches and reports how they ended."""

import contextlib
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import ClusterError, ConfigError
from ..store.place import Place
from .crashes import AT_WORK
from .run import run_batch
from .task import Batch


@dataclass(frozen=True)
class Ended:
    """A batch that left the pool.

    Args:
        key: Its key.
        error: None if the task returned, else its exception. A ClusterError if the workers cannot run any batch of
            this sweep, because they lack its model or have other versions.
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
    """Runs batches. Every implementation passes `tests/support/pool_suite.py`.

    Each batch handed in leaves the pool once, as one `Ended`, in any order. Where its error is None, the part of
    each of its points is in the store. A batch that fails, whatever it raises, leaves the pool usable for others:
    only a pool that is gone raises.

    Args:
        own_process: Whether batches run in processes that may be ended for a point that does not listen; their end
            is an `Ended` that is `lost`.
        memory: Bytes of data that such a process may hold; None for no limit.
        dashboard: Address of the scheduler's pages; None if it has none.
    """

    own_process: bool
    memory: int | None
    dashboard: str | None

    def slots(self) -> int:
        """Number of batches that can run at once, at least one."""

    def running(self) -> int:
        """Batches that have begun and not ended, none of which `wait` has returned."""

    def submit(self, key: int, batch: Batch) -> None:
        """Accept a batch, without waiting for its end.

        Args:
            key: Names the batch in its `Ended`; another one for each batch.
            batch: The batch.
        """

    def wait(self, timeout: float) -> list[Ended]:
        """Batches that ended since the last call; empty if none ends within `timeout` seconds.

        Raises:
            ClusterError: The pool is gone: it ends no batch any more.
        """

    def describe(self) -> dict[str, Any]:
        """`kind`, number of `workers`, and more, as JSON: for a person, and for the record of the run."""


def end_of(key: int, error: BaseException) -> Ended:
    """End of a batch that raised an error.

    A worker without the model, or without the package of the settings, fails with every point alike: that blames no
    point.
    """
    if isinstance(error, ImportError | ConfigError):
        reason = str(error).rstrip(".")
        lacking = ClusterError(
            f"a worker lacks a package that the points need ({reason}). Give it the driver's environment."
        )
        lacking.__cause__ = error
        return Ended(key, lacking)
    return Ended(key, error)


class InlinePool:
    """Runs each batch in this process, when its result is requested."""

    own_process = False
    memory: int | None = None
    dashboard: str | None = None

    def __init__(self) -> None:
        self._waiting: list[tuple[int, Batch]] = []

    def slots(self) -> int:
        """One core."""
        return 1

    def running(self) -> int:
        """Zero, since batches run only within calls."""
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
            where = Place(batch.store)
            note = "" if where.is_memory else str(where.state / AT_WORK)
            run_batch(dataclasses.replace(batch, note=note))
        except Exception as error:
            return [end_of(key, error)]
        return [Ended(key)]

    def describe(self) -> dict[str, Any]:
        """This process."""
        return {"kind": "this process", "workers": 1}


Opener = Callable[..., contextlib.AbstractContextManager[Pool]]
"""Called as `open_pool` is."""
