"""Waiting for the first worker of a cluster and checking it; pools on schedulers run by others."""

import time
from collections.abc import Callable
from typing import Any

from ..errors import ClusterError
from .dask_pool import DaskPool
from .spec import Adapt
from .survey import demand, look, oversubscribed
from .visit import Visit

_LOOK_S = 0.2


def await_worker(
    client: Any, timeout: float | None, check: Callable[[], None], words: Callable[[], str], visit: Visit
) -> str:
    """Address of the first worker."""
    begin = said = time.monotonic()
    while True:
        check()
        _go_on(visit.stopped())
        workers = list(client.scheduler_info(n_workers=-1)["workers"])
        if workers:
            return str(workers[0])
        now = time.monotonic()
        if timeout is not None and now - begin > timeout:
            raise ClusterError(
                f"no worker after {timeout:.0f} s ({words()}). Is the queue full, or are there no workers? "
                "`start_timeout` in the cluster file sets the waiting time."
            )
        if now - said > 30:
            said = now
            visit.say(words())
        time.sleep(_LOOK_S)


def _go_on(reason: str | None) -> None:
    if reason in ("interrupted", "terminated"):
        raise KeyboardInterrupt
    if reason:
        raise ClusterError(f"{reason} while waiting for the first worker; its jobs were cancelled")


def inspect(client: Any, worker: str, visit: Visit, rule: str, processes: int) -> dict[str, Any]:
    """Report of a worker, checked unless the visit only inspects it.

    Raises:
        SweepError: It would spoil the run.
    """
    found = look(client, worker, visit.place)
    if not visit.only_look:
        demand(found, visit.place, strict=rule == "same")
        warning = oversubscribed(found, processes)
        if warning:
            visit.say(f"warning: {warning}")
    return found


def guest(client: Any, spec: Any, visit: Visit) -> DaskPool:
    """Pool on a scheduler that is not ours."""
    client.run_on_scheduler(_no_retries)
    first = await_worker(client, spec.start_timeout, lambda: None, lambda: "no worker is connected", visit)
    pool = DaskPool(client, strict=spec.versions == "same", dashboard=client.dashboard_link)
    pool.seen = inspect(client, first, visit, spec.versions, 1)
    return pool


def _no_retries(dask_scheduler: Any) -> None:
    dask_scheduler.allowed_failures = 0
    dask_scheduler.WORKER_SATURATION = 1.0


def size(cluster: Any, workers: int | None, adapt: Adapt | None) -> None:
    """Request a number of workers from a cluster, or as many as there is work for."""
    if workers:
        cluster.scale(workers)
    elif adapt:
        cluster.adapt(minimum=adapt.minimum, maximum=adapt.maximum)
