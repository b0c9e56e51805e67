"""A DaskCluster of the dask-kubernetes operator."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BeforeValidator, Field

from ...errors import ClusterError, ConfigError
from ...text import load_yaml
from ...work.limits import THREADS
from ..dask_pool import DaskPool
from ..guest import guest, size
from ..spec import Adapt, MaybeSpan, Spec, expanded, no_bool
from ..visit import Visit


class Kubernetes(Spec):
    """A DaskCluster of the dask-kubernetes operator.

    Args:
        name: Name of the cluster.
        namespace: Its namespace.
        image: Container image of scheduler and workers.
        workers: Number of workers.
        adapt: In place of `workers`: a number that adapts to the work.
        resources: Requests and limits of a worker, as in a pod.
        gpus: GPUs of a worker, one or None.
        env: Environment of the workers.
        values: YAML file of a DaskCluster resource, used unchanged.
        start_timeout: Longest wait for the first worker; None waits forever.
        versions: Whether a worker with other versions ends the run or is only reported.
    """

    kind: Literal["kubernetes"]
    name: str = "photogap"
    namespace: str | None = None
    image: str | None = None
    workers: Annotated[int | None, BeforeValidator(no_bool)] = Field(default=None, ge=1)
    adapt: Adapt | None = None
    resources: dict[str, Any] = Field(default_factory=dict)
    gpus: Annotated[int | None, BeforeValidator(no_bool)] = Field(default=None, ge=1, le=1)
    env: dict[str, str] = Field(default_factory=dict)
    values: str | None = None
    start_timeout: MaybeSpan = 600.0
    versions: Literal["same", "warn"] = "same"

    @pydantic.model_validator(mode="after")
    def _one_size(self) -> "Kubernetes":
        if (self.workers is None) == (self.adapt is None):
            raise ValueError("one of `workers` and `adapt` must be given")
        if (self.image is None) == (self.values is None):
            raise ValueError("one of `image` and `values` must be given")
        return self

    def size(self) -> tuple[int, int | None]:
        """Largest number of workers."""
        return self.workers or (self.adapt.maximum if self.adapt else 1), None

    def open(self, visit: Visit) -> AbstractContextManager[DaskPool]:
        """Pool of workers that are not this machine's."""
        return _open(self, visit)


@contextlib.contextmanager
def _open(spec: Kubernetes, visit: Visit) -> Iterator[DaskPool]:
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
            size(cluster, visit.workers or spec.workers, spec.adapt)
            client = stack.enter_context(Client(cluster, set_as_default=False))
        except Exception as error:
            raise ClusterError(
                f"kubernetes gave no cluster ({type(error).__name__}: {error}). Is the operator installed "
                "(helm repo https://helm.dask.org, chart dask-kubernetes-operator), and does kubectl reach it?"
            ) from error
        yield guest(client, spec, visit)


def _resources(spec: Kubernetes) -> dict[str, Any]:
    """Requests and limits of a worker, its GPU among the limits."""
    if not spec.gpus:
        return spec.resources
    return spec.resources | {"limits": spec.resources.get("limits", {}) | {"nvidia.com/gpu": spec.gpus}}


def kube_arguments(spec: Kubernetes) -> dict[str, Any]:
    """Arguments of dask-kubernetes' KubeCluster: name, namespace and the whole DaskCluster resource."""
    base: dict[str, Any] = {"name": spec.name, "namespace": spec.namespace}
    if spec.values:
        path = Path(expanded(spec.values))
        try:
            return base | {"custom_cluster_spec": load_yaml(path.read_text(encoding="utf-8"), str(path))}
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"`values` must be a readable YAML file. Got {str(path)!r} ({error}).") from error
    from dask_kubernetes.operator import make_cluster_spec

    resource = make_cluster_spec(
        name=spec.name,
        image=spec.image,
        n_workers=spec.workers or 0,
        resources=_resources(spec),
        env=THREADS | spec.env,
        worker_command=["dask", "worker", "--nthreads", "1"],
    )
    # Its own command is `dask-scheduler`, which distributed no longer has.
    resource["spec"]["scheduler"]["spec"]["containers"][0]["args"] = ["dask", "scheduler", "--host", "0.0.0.0"]
    return base | {"custom_cluster_spec": resource}


KIND = Kubernetes
