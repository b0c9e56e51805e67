"""Worker processes of this machine, inaccessible to its other users."""

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..private import private_folder
from .dask_pool import DaskPool, settled
from .tls import certify_in_memory


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
        with (
            SpecCluster(
                scheduler={"cls": ClosedScheduler, "options": ours | {"port": 0, "pages": dashboard}},
                workers=dict.fromkeys(range(workers), worker),
                security=ours["security"],
                silence_logs=logging.WARNING,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            nannies = [w for w in cluster.workers.values() if hasattr(w, "memory_manager")]
            limits = [nanny.memory_manager.memory_limit for nanny in nannies]
            yield DaskPool(
                client,
                memory=min(limits) if limits and memory != "auto" else None,
                dashboard=cluster.scheduler.dashboard,
            )
