"""Pools of workers beyond this machine: jobs of a batch system, a scheduler by address, gateways."""

import contextlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ClusterError, ConfigError
from ..private import own_state, private_folder
from ..store.place import Place
from ..text import load_yaml
from ..work.limits import THREADS
from .batch import oversubscription, processes_of, retirement, setting, theirs, worker_script
from .config import Address, Cluster, Gateway, Jobs, Kubernetes
from .dask_pool import DaskPool, settled
from .fleet import Fleet, Worker
from .probe import demand, look, oversubscribed
from .retire import Retire
from .tls import certify, files

_LOOK_S = 0.2


def _say(text: str) -> None:
    from ..cli.base import ERR

    ERR.print(text, markup=False, highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Visit:
    """What a run brings to a cluster.

    Args:
        place: The store, which workers must be able to write.
        workers: Number of worker processes in place of the cluster's own.
        folder: Where scripts and logs of jobs go; beside the store if None.
        only_look: Whether the first worker is looked at and not judged.
        dashboard: Whether a scheduler of this run shows Dask's dashboard.
        stopped: Why not to go on waiting for the first worker; None to go on.
        say: Called with words for the user.
    """

    place: Place | None = None
    workers: int | None = None
    folder: Path | None = None
    only_look: bool = False
    dashboard: bool = False
    stopped: Callable[[], str | None] = lambda: None
    say: Callable[[str], None] = _say


@contextlib.contextmanager
def open_cluster(spec: Cluster, visit: Visit) -> Iterator[DaskPool]:
    """Pool of a cluster that is not this machine; its first worker has been looked at."""
    opened: contextlib.AbstractContextManager[DaskPool]
    if isinstance(spec, Jobs):
        opened = _batch(spec, visit)
    elif isinstance(spec, Address):
        opened = _address(spec, visit)
    elif isinstance(spec, Gateway):
        opened = _gateway(spec, visit)
    else:
        assert isinstance(spec, Kubernetes)
        opened = _kubernetes(spec, visit)
    with opened as pool:
        yield pool


@contextlib.contextmanager
def _batch(spec: Jobs, visit: Visit) -> Iterator[DaskPool]:
    from dask.utils import parse_bytes
    from distributed import Client

    processes, say = processes_of(spec), visit.say
    warning = oversubscription(spec)
    if warning and not visit.only_look:
        say(f"warning: {warning}")
    folder = visit.folder or (visit.place.state if visit.place else Path.cwd())
    if not spec.tls:
        say("warning: `tls: false`: every user of the network can run code as you while this lasts")
    memory = int(parse_bytes(setting(spec, "memory")) / processes)
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
        pool.attend(fleet.check, explain=fleet.story)
        say(f"submitted {len(fleet.members)} jobs; their logs: {fleet.logs}")
        first = _await_worker(client, spec.start_timeout, fleet.check, lambda: _waiting(fleet), visit)
        pool.seen = _inspect(client, first, visit, spec.versions, processes)
        pool.seen["queue_wait_s"] = fleet.first_wait()
        pool.fleet = fleet
        yield pool


def _scheduler(spec: Jobs, security: Any, stack: contextlib.ExitStack, *, dashboard: bool) -> Any:
    """Cluster of no workers: a scheduler in this process, its pages closed whatever a site's file says."""
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
    try:
        scheduler = {"cls": ClosedScheduler, "options": options}
        return stack.enter_context(SpecCluster(scheduler=scheduler, security=security))
    except (RuntimeError, ValueError, OSError) as error:
        raise ClusterError(
            f"the scheduler cannot start here: {error}. Check `interface` of the cluster file; `ip address` "
            f"lists interfaces. Got {interface!r}."
        ) from error


def _shared(spec: Jobs) -> Path:
    """Where certificates lie: readable by the nodes, private to the user."""
    if spec.shared_directory:
        return Path(os.path.expandvars(spec.shared_directory)).expanduser()
    return own_state() / "tls"


def _waiting(fleet: Fleet) -> str:
    jobs = fleet.all()
    states = sorted({m.state.detail or m.state.phase for m in jobs})
    return f"waiting for the first of {len(jobs)} jobs: {', '.join(states)}"


def _await_worker(
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
                "`start_timeout` of the cluster file sets how long to wait."
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


def _inspect(client: Any, worker: str, visit: Visit, rule: str, processes: int) -> dict[str, Any]:
    found = look(client, worker, visit.place)
    if not visit.only_look:
        demand(found, visit.place, strict=rule == "same")
        warning = oversubscribed(found, processes)
        if warning:
            visit.say(f"warning: {warning}")
    return found


@contextlib.contextmanager
def _address(spec: Address, visit: Visit) -> Iterator[DaskPool]:
    from distributed import Client
    from distributed.security import Security

    def expand(path: str | None) -> str | None:
        return None if path is None else os.path.expanduser(os.path.expandvars(path))

    security = None
    if spec.ca_file and spec.cert:
        wanted = {"ca_file": expand(spec.ca_file), "cert": expand(spec.cert), "key": expand(spec.key)}
        for name, path in wanted.items():
            if path is not None and not os.access(path, os.R_OK):
                raise ConfigError(f"`{name}` must be a readable PEM file. Got {path!r}.")
        security = Security(**files(wanted["ca_file"] or "", wanted["cert"] or "", wanted["key"]))
    try:
        client = Client(spec.address, security=security, set_as_default=False, timeout=spec.timeout)
    except Exception as error:
        # A refused certificate shows as one of several exceptions, distributed's own among them.
        raise ClusterError(
            f"`cluster` must be `local` or the address of a scheduler. Got {spec.address!r}, which does not answer "
            f"or does not accept the certificate ({type(error).__name__}: {error})."
        ) from error
    with contextlib.closing(client):
        yield _guest(client, spec, visit)


def _guest(client: Any, spec: Address | Gateway | Kubernetes, visit: Visit) -> DaskPool:
    """Pool on a scheduler that is not ours."""
    client.run_on_scheduler(_no_retries)
    first = _await_worker(client, spec.start_timeout, lambda: None, lambda: "no worker is connected", visit)
    pool = DaskPool(client, strict=spec.versions == "same", dashboard=client.dashboard_link)
    pool.seen = _inspect(client, first, visit, spec.versions, 1)
    return pool


def _no_retries(dask_scheduler: Any) -> None:
    dask_scheduler.allowed_failures = 0
    dask_scheduler.WORKER_SATURATION = 1.0


@contextlib.contextmanager
def _gateway(spec: Gateway, visit: Visit) -> Iterator[DaskPool]:
    try:
        from dask_gateway import Gateway as Server
    except ImportError:
        raise ConfigError(
            "a gateway cluster needs the package dask-gateway. Add it: pip install 'photogap[gateway]'."
        ) from None
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(
                Server(address=spec.address, proxy_address=spec.proxy_address, auth=spec.auth)
            )
            cluster = stack.enter_context(server.new_cluster(**spec.options, shutdown_on_close=True))
            _size(cluster, spec, visit.workers)
            client = stack.enter_context(cluster.get_client(set_as_default=False))
        except Exception as error:
            raise ClusterError(
                f"the gateway {spec.address or 'of the configuration'} gave no cluster "
                f"({type(error).__name__}: {error}). Check `address`, `auth` and `options` of the cluster file."
            ) from error
        yield _guest(client, spec, visit)


@contextlib.contextmanager
def _kubernetes(spec: Kubernetes, visit: Visit) -> Iterator[DaskPool]:
    try:
        from dask_kubernetes.operator import KubeCluster
    except ImportError:
        raise ConfigError(
            "a kubernetes cluster needs the package dask-kubernetes. Add it: pip install 'photogap[kubernetes]'."
        ) from None
    from distributed import Client

    with contextlib.ExitStack() as stack:
        try:
            cluster = stack.enter_context(KubeCluster(**kube_arguments(spec)))
            _size(cluster, spec, visit.workers)
            client = stack.enter_context(Client(cluster, set_as_default=False))
        except Exception as error:
            raise ClusterError(
                f"kubernetes gave no cluster ({type(error).__name__}: {error}). Is the operator installed "
                "(helm repo https://helm.dask.org, chart dask-kubernetes-operator), and does kubectl reach it?"
            ) from error
        yield _guest(client, spec, visit)


def kube_arguments(spec: Kubernetes) -> dict[str, Any]:
    """Arguments of dask-kubernetes' KubeCluster: name, namespace and the whole DaskCluster resource."""
    base: dict[str, Any] = {"name": spec.name, "namespace": spec.namespace}
    if spec.values:
        path = Path(os.path.expandvars(spec.values)).expanduser()
        try:
            return base | {"custom_cluster_spec": load_yaml(path.read_text(encoding="utf-8"), str(path))}
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"`values` must be a readable YAML file. Got {str(path)!r} ({error}).") from error
    from dask_kubernetes.operator import make_cluster_spec

    resource = make_cluster_spec(
        name=spec.name,
        image=spec.image,
        n_workers=spec.workers or 0,
        resources=spec.resources,
        env=THREADS | spec.env,
        worker_command=["dask", "worker", "--nthreads", "1"],
    )
    # Its own command is `dask-scheduler`, which distributed has no more.
    resource["spec"]["scheduler"]["spec"]["containers"][0]["args"] = ["dask", "scheduler", "--host", "0.0.0.0"]
    return base | {"custom_cluster_spec": resource}


def _size(cluster: Any, spec: Gateway | Kubernetes, workers: int | None) -> None:
    if workers or spec.workers:
        cluster.scale(workers or spec.workers)
    elif spec.adapt:
        cluster.adapt(minimum=spec.adapt.minimum, maximum=spec.adapt.maximum)
