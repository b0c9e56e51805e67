"""Where batches run: this process, worker processes of this machine, or a cluster beyond it."""

import contextlib
from collections.abc import Callable, Iterator

from ..ask.config import Config
from ..store.place import Place
from ..work.pool import InlinePool, Pool
from .config import JOBS, Cluster, Local, find
from .dask_pool import DaskPool, settled


@contextlib.contextmanager
def open_pool(
    config: Config,
    workers: int | None,
    *,
    in_process: bool = False,
    place: Place | None = None,
    cluster: Cluster | None = None,
    stopped: Callable[[], str | None] = lambda: None,
) -> Iterator[Pool]:
    """Pool of a cluster, the one that the config names if None; `workers=0` or a store in memory computes here.

    A batch system's queue may be long: `stopped` is asked while the first worker is awaited.
    """
    spec = cluster or find(config.cluster, config.folder)[0]
    if place is not None and (place.state / JOBS).exists():
        from .fleet import reap

        reap(place.state)
    if in_process or workers == 0:
        yield InlinePool()
    elif isinstance(spec, Local):
        with _local(workers or spec.workers or _cores(), config.limits.memory) as pool:
            yield pool
    else:
        from .pools import Visit, open_cluster

        with open_cluster(spec, Visit(place=place, workers=workers, stopped=stopped)) as pool:
            yield pool


def _cores() -> int:
    from dask.system import CPU_COUNT

    return int(CPU_COUNT)


@contextlib.contextmanager
def _local(workers: int, memory: str) -> Iterator[Pool]:
    from distributed import Client, LocalCluster

    with (
        settled(),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:8787",
            memory_limit=memory,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        limits = [w.memory_manager.memory_limit for w in cluster.workers.values() if hasattr(w, "memory_manager")]
        yield DaskPool(client, memory=min(limits) if limits and memory != "auto" else None)
