"""Certificates of one run: an authority whose key is discarded, and one certificate signed by it.

Every holder of the certificate's key belongs to the run.
"""

import datetime
from pathlib import Path
from typing import Any

from ..private import write_private

_DAYS = 60


def certify(folder: Path) -> Any:
    """Dask's `Security` of a new run for processes of several machines: its files in `folder`."""
    from distributed.security import Security

    paths = [folder / name for name in ("ca.pem", "cert.pem", "key.pem")]
    for path, data in zip(paths, _made(), strict=True):
        write_private(path, data)
    return Security(**files(*paths))


def certify_in_memory() -> Any:
    """Dask's `Security` of a new run for this process and those it starts: the key is in no file."""
    from distributed.security import Security

    return Security(**files(*(data.decode() for data in _made())))


def _made() -> tuple[bytes, bytes, bytes]:
    """Authority's certificate, the run's own and its key, PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return (
        _certificate("photogap run", authority_key, authority_key, authority=True).public_bytes(pem),
        _certificate("photogap node", key, authority_key, authority=False).public_bytes(pem),
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain),
    )


def files(ca_file: Path | str, cert: Path | str, key: Path | str | None) -> dict[str, Any]:
    """Arguments of dask's `Security` for three files, or their PEM texts, in every role."""
    roles = ("client", "scheduler", "worker")
    return {
        "require_encryption": True,
        "tls_ca_file": str(ca_file),
        **{f"tls_{role}_cert": str(cert) for role in roles},
        **({f"tls_{role}_key": str(key) for role in roles} if key else {}),
    }


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
