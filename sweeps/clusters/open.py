"""Open the pool that runs batches: this process, worker processes of this machine, or another cluster."""

import contextlib
from collections.abc import Callable, Iterator

from ..ask.config import Config
from ..model import resolve
from ..store.place import Place
from ..work.batched import require
from ..work.pool import InlinePool, Pool
from .cluster_file import find
from .kinds import system_named
from .spec import JOBS, Spec
from .visit import Visit


def computes_here(config: Config, workers: int | None) -> bool:
    """Return whether points are computed by this process or by worker processes of this machine."""
    return workers == 0 or find(config.cluster, config.folder)[0].here


@contextlib.contextmanager
def open_pool(
    config: Config,
    workers: int | None,
    *,
    in_process: bool = False,
    place: Place | None = None,
    cluster: Spec | None = None,
    dashboard: bool = False,
    stopped: Callable[[], str | None] = lambda: None,
) -> Iterator[Pool]:
    """Pool of a cluster, the one that the config names if None; `workers=0` or a store in memory computes here.

    A batch system's queue may be long: `stopped` is polled in the wait for the first worker. `dashboard` switches
    Dask's on, at an address that cannot be guessed.
    """
    spec = cluster or find(config.cluster, config.folder)[0]
    if place is not None and (place.state / JOBS).exists():
        from .fleet import reap

        reap(place.state, system_named)
    here = in_process or workers == 0
    if config.backend == "gpu" and (here or spec.here):
        require(resolve(config.model))
    if here:
        yield InlinePool()
    else:
        if config.backend == "gpu" and spec.here:
            # worker processes of one machine would share its GPU
            workers = workers or spec.own_workers or 1
        visit = Visit(
            place=place, workers=workers, memory=config.limits.memory, dashboard=dashboard, stopped=stopped
        )
        with spec.open(visit) as pool:
            yield pool
