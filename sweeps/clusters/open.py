"""Where batches run: this process, worker processes of this machine, or a cluster beyond it."""

import contextlib
from collections.abc import Callable, Iterator

from ..ask.config import Config
from ..store.place import Place
from ..work.pool import InlinePool, Pool
from .config import JOBS, Cluster, Local, find


@contextlib.contextmanager
def open_pool(
    config: Config,
    workers: int | None,
    *,
    in_process: bool = False,
    place: Place | None = None,
    cluster: Cluster | None = None,
    dashboard: bool = False,
    stopped: Callable[[], str | None] = lambda: None,
) -> Iterator[Pool]:
    """Pool of a cluster, the one that the config names if None; `workers=0` or a store in memory computes here.

    A batch system's queue may be long: `stopped` is asked while the first worker is awaited. `dashboard` switches
    Dask's on, at an address that cannot be guessed.
    """
    spec = cluster or find(config.cluster, config.folder)[0]
    if place is not None and (place.state / JOBS).exists():
        from .fleet import reap

        reap(place.state)
    if in_process or workers == 0:
        yield InlinePool()
    elif isinstance(spec, Local):
        from .local import open_local

        count = workers or spec.workers or _cores()
        with open_local(count, config.limits.memory, dashboard=dashboard) as pool:
            yield pool
    else:
        from .pools import Visit, open_cluster

        with open_cluster(spec, Visit(place=place, workers=workers, dashboard=dashboard, stopped=stopped)) as pool:
            yield pool


def _cores() -> int:
    from dask.system import CPU_COUNT

    return int(CPU_COUNT)
