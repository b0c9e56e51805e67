"""Shortly before its wall time ends, a worker takes no new points, finishes its running ones, and exits.

Dask's own `--lifetime` kills running tasks: https://github.com/dask/distributed/issues/3141
"""

import asyncio
import contextlib
import os
import random
import time
from typing import Any

from distributed import Status
from distributed.diagnostics.plugin import WorkerPlugin

from .script import NAME, STARTED

_LOOK_S = 0.2


class Retire(WorkerPlugin):
    """Drains a worker when its job reaches a certain age.

    Args:
        after: Age of the job at the latest, s.
        stagger: Jobs spread their age over so many seconds before that.
    """

    name = "photogap-retire"
    idempotent = True

    def __init__(self, after: float, stagger: float) -> None:
        self.after, self.stagger = after, stagger

    def setup(self, worker: Any) -> None:
        """Set the clock; it counts from the job's start, not from this process's."""
        born = float(os.environ.get(STARTED, time.time()))
        # All processes of a job exit together, so that the job ends: the same number for the same job.
        spread = random.Random(os.environ.get(NAME, worker.name)).uniform(0, self.stagger)
        delay = max(0.5, born + self.after - spread - time.time())
        worker.loop.call_later(delay, worker.loop.add_callback, drain, worker)


async def drain(worker: Any) -> None:
    """Take no new tasks, wait for the running ones, exit."""
    worker.status = Status.paused
    while worker.state.executing_count or worker.state.long_running:
        await asyncio.sleep(_LOOK_S)
    # The last result may still be on its way to the scheduler.
    await asyncio.sleep(_LOOK_S)
    with contextlib.suppress(Exception):
        # Through the scheduler: a task sent at the moment of the pause goes to another worker and is not blamed.
        await worker.close_gracefully(restart=False, reason="its job's wall time is near")
