"""A pool whose workers are jobs of a batch system, with a scheduler in this process."""

import asyncio
import contextlib
import errno
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ClusterError
from ..private import own_state, private_folder
from .dask_pool import DaskPool, settled
from .fleet import Fleet, Worker
from .guest import await_worker, inspect
from .retire import Retire
from .script import memory_of, oversubscription, processes_of, retirement, setting, theirs, worker_script
from .spec import Jobs, expanded
from .tls import certify
from .visit import Visit

_JOIN_S = 60.0
"""Longest time between the first and the last worker of a job, s."""


@contextlib.contextmanager
def open_jobs(spec: Jobs, visit: Visit) -> Iterator[DaskPool]:
    """Pool of jobs whose first worker has been checked."""
    from distributed import Client

    processes, say = processes_of(spec), visit.say
    warning = oversubscription(spec)
    if warning and not visit.only_look:
        say(f"warning: {warning}")
    folder = visit.folder or (visit.place.state if visit.place else Path.cwd())
    if not spec.tls:
        say("warning: `tls: false`: every user of the network can run code as you while this lasts")
    memory = memory_of(spec) // processes
    with contextlib.ExitStack() as stack:
        security = certify(stack.enter_context(private_folder(_shared(spec)))) if spec.tls else None
        cluster = _scheduler(spec, security, stack, dashboard=visit.dashboard)
        client = stack.enter_context(Client(cluster, set_as_default=False))
        retire = retirement(spec)
        if retire:
            client.register_plugin(Retire(*retire))
        pool = DaskPool(
            client,
            memory=memory,
            strict=spec.versions == "same",
            dashboard=cluster.scheduler.dashboard,
        )
        fleet = Fleet(
            spec,
            script=lambda name: worker_script(
                spec, name=name, address=cluster.scheduler_address, logs=fleet.logs, security=security
            ),
            workers=lambda: [
                Worker(str(w.name), bool(w.processing)) for w in list(cluster.scheduler.workers.values())
            ],
            outstanding=pool.outstanding,
            folder=folder,
            run=uuid.uuid4().hex[:8],
            jobs=visit.workers and -(-visit.workers // processes),
        )
        stack.callback(fleet.close)
        fleet.start()
        pool.attend(fleet.check, explain=fleet.story, taken=spec.system.taken)
        say(f"submitted {len(fleet.members)} jobs; their logs: {fleet.logs}")
        first = await_worker(client, spec.start_timeout, fleet.check, lambda: _waiting(fleet), visit)
        if visit.only_look:
            # The workers of one job join one after the other; `check` counts them.
            with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
                client.wait_for_workers(processes, timeout=_JOIN_S)
        pool.seen = inspect(client, first, visit, spec.versions, processes)
        pool.seen["queue_wait_s"] = fleet.first_wait()
        pool.fleet = fleet
        yield pool


def _scheduler(spec: Jobs, security: Any, stack: contextlib.ExitStack, *, dashboard: bool) -> Any:
    """Cluster without workers: a scheduler in this process, without Dask's pages even if a site enables them."""
    from distributed import SpecCluster

    from .closed import ClosedScheduler

    stack.enter_context(settled())
    interface = setting(spec, "interface")
    site = dict(theirs(spec, "scheduler_options") or {})
    if interface and "host" not in site:
        site.setdefault("interface", interface)
    options: dict[str, Any] = {"port": 0, "worker_ttl": "5 minutes"} | site
    options |= {"protocol": "tls://" if security else "tcp://", "security": security}
    options["pages"] = dashboard
    first, last = spec.scheduler_ports or (options["port"],) * 2
    for port in range(first, last + 1):
        try:
            scheduler = {"cls": ClosedScheduler, "options": options | {"port": port}}
            return stack.enter_context(SpecCluster(scheduler=scheduler, security=security))
        except (RuntimeError, ValueError, OSError) as error:
            cause = _root(error)
            if port < last and isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
                continue
            ports = f" and `scheduler_ports` {first}-{last}" if spec.scheduler_ports else ""
            raise ClusterError(
                f"the scheduler cannot start here: {str(cause).rstrip('.')}. Check `interface`{ports} of the "
                f"cluster file; `ip address` lists interfaces. Got {interface!r}."
            ) from error
    raise AssertionError("a range of one port")


def _root(error: BaseException) -> BaseException:
    """Root cause of an error: Dask wraps it twice."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _shared(spec: Jobs) -> Path:
    """Folder of certificates: readable by the nodes, private to the user."""
    if spec.shared_directory:
        return Path(expanded(spec.shared_directory))
    return own_state() / "tls"


def _waiting(fleet: Fleet) -> str:
    jobs = fleet.all()
    states = sorted({m.state.detail or m.state.phase for m in jobs})
    return f"waiting for the first of {len(jobs)} jobs: {', '.join(states)}"
