"""Certificates of one run: an authority whose key is thrown away, and one certificate that it signed.

Whoever holds the key below belongs to the run; the folder is private and goes with it.
"""

import contextlib
import datetime
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_DAYS = 60


@contextlib.contextmanager
def private_folder(base: Path) -> Iterator[Path]:
    """Folder below `base` that only its owner reads, removed at the end; so are those of killed runs."""
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    mine = f"tls-{socket.gethostname()}-"
    for path in base.glob(f"{mine}*"):
        # Not those of a host whose name goes on: this one's processes say nothing of them.
        found = re.fullmatch(r"(\d+)-[^-]*", path.name.removeprefix(mine))
        if found and not _alive(found[1]):
            shutil.rmtree(path, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{mine}{os.getpid()}-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError):
        return True
    return True


def certify(folder: Path) -> Any:
    """Dask's `Security` of a new run, its files in `folder`."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from distributed.security import Security

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("photogap run", authority_key, authority_key, authority=True)
    node = _certificate("photogap node", key, authority_key, authority=False)
    pem = serialization.Encoding.PEM
    _write(folder / "ca.pem", authority.public_bytes(pem))
    _write(folder / "cert.pem", node.public_bytes(pem))
    _write(
        folder / "key.pem",
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    return Security(**files(folder / "ca.pem", folder / "cert.pem", folder / "key.pem"))


def files(ca_file: Path | str, cert: Path | str, key: Path | str | None) -> dict[str, Any]:
    """Arguments of dask's `Security` for three files in every role."""
    roles = ("client", "scheduler", "worker")
    return {
        "require_encryption": True,
        "tls_ca_file": str(ca_file),
        **{f"tls_{role}_cert": str(cert) for role in roles},
        **({f"tls_{role}_key": str(key) for role in roles} if key else {}),
    }


def _write(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)


def _certificate(name: str, key: Any, signer: Any, *, authority: bool) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    def named(text: str) -> Any:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("photogap run"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks of nodes differ.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
