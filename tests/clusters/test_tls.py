"""Encryption and authentication: who lacks the run's certificate is refused, and nothing else listens outside."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed.comm import connect
from distributed.security import Security

from photogap.sweeps.clusters.cluster_file import find
from photogap.sweeps.clusters.tls import certify
from photogap.sweeps.clusters.visit import Visit
from photogap.sweeps.private import is_loopback
from photogap.sweeps.store.place import place
from support.batch import Slurm
from support.patience import PATIENCE, until

pytestmark = [pytest.mark.real, pytest.mark.slow]


def outer_interface() -> str:
    """An interface that other hosts reach; loopback where there is no other."""
    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            if address.family == socket.AF_INET and not is_loopback(address.address):
                return name
    return "lo"


@pytest.fixture(scope="module")
def opened(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("tls")
    (home / "c.yaml").write_text(
        "kind: slurm\njobs: 1\ncores: 1\nmemory: 600MB\nwalltime: 00:05:00\npoll: 1s\n"
        f"interface: {outer_interface()}\nshared_directory: {home / 'certificates'}\n"
    )
    spec, _ = find(str(home / "c.yaml"))
    with spec.open(Visit(place=place(home / "a.zarr"), say=lambda text: None)) as pool:
        yield pool, home
    assert not list(home.rglob("*.pem"))
    until(lambda: not slurm.queue())


def addresses(pool: Any) -> list[str]:
    info = pool._client.scheduler_info(n_workers=-1)
    workers = list(info["workers"])
    return [info["address"], *workers, *(w["nanny"] for w in info["workers"].values())]


async def _try(address: str, seconds: float = 3, **more: Any) -> None:
    comm = await connect(address, timeout=seconds, **more)
    await comm.write({"op": "identity"})
    await asyncio.wait_for(comm.read(), seconds)
    await comm.close()


def foreign(folder: Path) -> Security:
    folder.mkdir()
    return certify(folder)


def stranger(home: Path) -> Security:
    """Knows the authority's certificate, which is public, and has none of its own."""
    (ca,) = (home / "certificates").rglob("ca.pem")
    return Security(require_encryption=True, tls_ca_file=str(ca))


def test_only_the_runs_certificate_is_accepted(opened: Any, tmp_path: Path) -> None:
    pool, home = opened
    own = pool._client.security.get_connection_args("client")
    for address in addresses(pool):
        assert address.startswith("tls://")
        asyncio.run(_try(address, PATIENCE, **own))
        plain = address.replace("tls://", "tcp://")
        for security in (foreign(tmp_path / address[-5:]), stranger(home)):
            with pytest.raises((OSError, TypeError, RuntimeError, ValueError)):
                asyncio.run(_try(address, **security.get_connection_args("client")))
        with pytest.raises((OSError, TypeError, RuntimeError, ValueError)):
            asyncio.run(_try(plain))


def listeners() -> list[tuple[str, int]]:
    """Where the driver and its workers listen."""
    family = [psutil.Process()]
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if "PHOTOGAP_JOB" in process.environ():
                family.append(process)
    assert len(family) >= 3, "driver, nanny and worker"
    found = set()
    for process in family:
        with contextlib.suppress(psutil.Error):
            for c in process.net_connections("inet"):
                if c.status == psutil.CONN_LISTEN:
                    found.add((c.laddr.ip, c.laddr.port))
    return sorted(found)


def speaks_tls(ip: str, port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((ip, port), timeout=PATIENCE) as raw:
        try:
            with context.wrap_socket(raw) as secure:
                return secure.version() in ("TLSv1.2", "TLSv1.3")
        except ssl.SSLError as error:
            return "certificate" in str(error).lower()


def test_nothing_listens_beyond_loopback_but_tls(opened: Any) -> None:
    outside = [(ip, port) for ip, port in listeners() if not is_loopback(ip)]
    if outer_interface() != "lo":
        assert len(outside) >= 3, "scheduler, worker and nanny"
    for ip, port in outside:
        assert speaks_tls(ip, port), (ip, port)


def test_key_is_private_and_in_no_job(opened: Any) -> None:
    _, home = opened
    (key,) = (home / "certificates").rglob("key.pem")
    assert (key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    secret = key.read_text().splitlines()[1]
    for path in (home / "a.zarr.state").rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()
    assert not any(secret in value for value in os.environ.values())
