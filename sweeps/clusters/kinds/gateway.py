"""A cluster of a dask-gateway server."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BeforeValidator, Field

from ...errors import ClusterError, ConfigError
from ..dask_pool import DaskPool
from ..guest import guest, size
from ..spec import Adapt, MaybeSpan, Spec, no_bool
from ..visit import Visit


class Gateway(Spec):
    """A cluster of a dask-gateway server; credentials come from dask's own configuration or the environment.

    Args:
        address: URL of the server; dask's `gateway.address` if None.
        proxy_address: Address of the server's proxy for schedulers; dask's `gateway.proxy-address` if None.
        auth: Method of authentication; dask's `gateway.auth.type` if None.
        options: Cluster options that the server offers.
        workers: Number of workers.
        adapt: In place of `workers`: a number that adapts to the work.
        start_timeout: Longest wait for the first worker; None waits forever.
        versions: Whether a worker with other versions ends the run or is only reported.
    """

    kind: Literal["gateway"]
    address: str | None = None
    proxy_address: str | None = None
    auth: Literal["basic", "kerberos", "jupyterhub"] | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    workers: Annotated[int | None, BeforeValidator(no_bool)] = Field(default=None, ge=1)
    adapt: Adapt | None = None
    start_timeout: MaybeSpan = 600.0
    versions: Literal["same", "warn"] = "same"

    @pydantic.model_validator(mode="after")
    def _one_size(self) -> "Gateway":
        if (self.workers is None) == (self.adapt is None):
            raise ValueError("one of `workers` and `adapt` must be given")
        return self

    def size(self) -> tuple[int, int | None]:
        """Largest number of workers."""
        return self.workers or (self.adapt.maximum if self.adapt else 1), None

    def open(self, visit: Visit) -> AbstractContextManager[DaskPool]:
        """Pool of workers that are not this machine's."""
        return _open(self, visit)


@contextlib.contextmanager
def _open(spec: Gateway, visit: Visit) -> Iterator[DaskPool]:
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
            size(cluster, visit.workers or spec.workers, spec.adapt)
            client = stack.enter_context(cluster.get_client(set_as_default=False))
        except Exception as error:
            raise ClusterError(
                f"the gateway {spec.address or 'of the configuration'} gave no cluster "
                f"({type(error).__name__}: {error}). Check `address`, `auth` and `options` of the cluster file."
            ) from error
        yield guest(client, spec, visit)


KIND = Gateway
