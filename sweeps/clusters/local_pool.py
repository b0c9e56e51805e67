"""Worker processes of this machine, inaccessible to its other users."""

import contextlib
import logging
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ClusterError
from ..private import private_folder
from .dask_pool import DaskPool, settled
from .tls import certify_in_memory

_LOOK_S = 1.0
PATIENCE_S = 300.0
"""Time without any worker process after which a run ends, s."""


class Keeper:
    """Replaces worker processes that ended and were not started again.

    A nanny starts its worker again, but gives up for good where that one dies while it starts.

    Args:
        cluster: The processes, a `SpecCluster` of nannies.
        count: Their number.
    """

    def __init__(self, cluster: Any, count: int) -> None:
        self._cluster, self._count = cluster, count
        self._looked = self._seen = time.monotonic()
        self.replaced = 0

    def __call__(self) -> None:
        """Check at intervals.

        Raises:
            ClusterError: No worker has started for `PATIENCE_S`.
        """
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        if self._cluster.scheduler.workers:
            self._seen = now
        elif now - self._seen > PATIENCE_S:
            raise ClusterError(
                f"no worker process has started on this machine for {PATIENCE_S:.0f} s ({self.replaced} replaced). "
                "Finished points are kept; run again to continue. Use --workers 0 to see an error at the start."
            )
        self._cluster.loop.add_callback(self._replace)

    def _replace(self) -> None:
        from distributed import Status

        workers = self._cluster.workers
        dead = [name for name, nanny in workers.items() if nanny.status in (Status.closed, Status.failed)]
        for name in dead:
            del workers[name]
        if len(workers) < self._count:
            self.replaced += len(dead)
            self._cluster.scale(self._count)


@contextlib.contextmanager
def open_local(workers: int, memory: str, *, dashboard: bool = False) -> Iterator[DaskPool]:
    """Pool of local processes.

    Any user of the machine reaches loopback, and a plain Dask scheduler runs any code sent to it, so scheduler,
    workers and nannies accept only this run's certificate. Workers import from their scratch folder, so it is
    private too.
    """
    from distributed import Client, Nanny, SpecCluster

    from .closed import ClosedScheduler, ClosedWorker

    with settled(), private_folder(Path(tempfile.gettempdir()), "photogap") as scratch:
        ours = {"host": "127.0.0.1", "protocol": "tls://", "security": certify_in_memory()}
        worker = {
            "cls": Nanny,
            "options": ours
            | {
                "nthreads": 1,
                "memory_limit": memory,
                "local_directory": str(scratch),
                "worker_class": ClosedWorker,
                "dashboard": False,
                "silence_logs": logging.WARNING,
            },
        }
        try:
            opened = SpecCluster(
                scheduler={"cls": ClosedScheduler, "options": ours | {"port": 0, "pages": dashboard}},
                workers=dict.fromkeys(range(workers), worker),
                worker=worker,
                security=ours["security"],
                silence_logs=logging.WARNING,
            )
        except RuntimeError as error:
            raise ClusterError(
                f"a worker process ended during its start ({error.__cause__ or error}). Run again. A script that "
                'calls photogap with workers needs `if __name__ == "__main__":` around its calls.'
            ) from error
        with (
            opened as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            nannies = [w for w in cluster.workers.values() if hasattr(w, "memory_manager")]
            limits = [nanny.memory_manager.memory_limit for nanny in nannies]
            pool = DaskPool(
                client,
                memory=min(limits) if limits and memory != "auto" else None,
                dashboard=cluster.scheduler.dashboard,
            )
            pool.attend(Keeper(cluster, workers), explain=lambda lost: "")
            yield pool
