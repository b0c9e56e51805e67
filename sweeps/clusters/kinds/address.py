"""A scheduler started by others, by its address."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Literal
from urllib.parse import urlsplit

import pydantic

from ...errors import ClusterError, ConfigError
from ...private import is_loopback
from ..dask_pool import DaskPool
from ..guest import guest
from ..spec import MaybeSpan, Span, Spec, expanded
from ..tls import files
from ..visit import Visit


class Address(Spec):
    """A scheduler started by others.

    Args:
        address: Its address, tls://HOST:PORT; tcp:// only on this machine or with `allow_plain`.
        ca_file: Certificate authority of its certificates, PEM.
        cert: Certificate of this client, PEM.
        key: Private key of this client, PEM; may be in `cert`'s file.
        allow_plain: Whether a tcp:// scheduler elsewhere is accepted.
        timeout: Longest time to try.
        start_timeout: Longest wait for the first worker; None waits forever.
        versions: Whether a worker with other versions ends the run or is only reported.
    """

    kind: Literal["address"]
    address: str
    ca_file: str | None = None
    cert: str | None = None
    key: str | None = None
    allow_plain: bool = False
    timeout: Span = 20.0
    start_timeout: MaybeSpan = 300.0
    versions: Literal["same", "warn"] = "same"

    @pydantic.model_validator(mode="after")
    def _guarded(self) -> "Address":
        parts = urlsplit(self.address)
        if parts.scheme == "tls":
            if not (self.ca_file and self.cert):
                raise ValueError("a tls:// scheduler needs `ca_file`, `cert` and `key`")
        elif not (self.allow_plain or is_loopback(parts.hostname) or parts.scheme == "inproc"):
            raise ValueError(
                "a scheduler beyond this machine must be tls://HOST:PORT with `ca_file`, `cert` and `key`: "
                "anyone who can reach a plain scheduler can run code as you. Set `allow_plain: true` in a cluster "
                "file if the network is yours alone"
            )
        return self

    def open(self, visit: Visit) -> AbstractContextManager[DaskPool]:
        """Pool of workers that are not this machine's."""
        return _open(self, visit)


def _expanded(path: str | None) -> str | None:
    return None if path is None else expanded(path)


@contextlib.contextmanager
def _open(spec: Address, visit: Visit) -> Iterator[DaskPool]:
    from distributed import Client
    from distributed.security import Security

    if urlsplit(spec.address).scheme == "tcp":
        visit.say(
            f"warning: {spec.address} asks for no certificate: anyone who can reach it "
            "(on loopback, all users of this host) can run code as you. Start it with TLS, and "
            "name its files in a cluster file."
        )
    security = None
    if spec.ca_file and spec.cert:
        wanted = {"ca_file": _expanded(spec.ca_file), "cert": _expanded(spec.cert), "key": _expanded(spec.key)}
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
        yield guest(client, spec, visit)


KIND = Address
