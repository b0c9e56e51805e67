"""Data private to this user on this machine: files and folders, notes of servers, loopback."""

import contextlib
import ipaddress
import json
import os
import re
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path


def own_state() -> Path:
    """Folder of the user's state."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "photogap"


def is_loopback(host: str | None) -> bool:
    """Whether the host is reachable from this machine only."""
    if (host or "").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def private_folder(base: Path, purpose: str = "tls") -> Iterator[Path]:
    """New folder below `base` that only its owner can read, removed at the end, as are those of killed runs.

    Args:
        base: Parent folder, created if missing; others may write there if it has the sticky bit, as /tmp has.
        purpose: Start of the folder's name.
    """
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    mine = f"{purpose}-{socket.gethostname()}-"
    for path in base.glob(f"{mine}*"):
        # Not those of a host whose name is longer: processes of this host prove nothing about them.
        found = re.fullmatch(r"(\d+)-[^-]*", path.name.removeprefix(mine))
        if found and is_own(path) and not _alive(found[1]):
            shutil.rmtree(path, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{mine}{os.getpid()}-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_own(path: Path) -> bool:
    """Whether a file or folder (not a link) belongs to this user and is inaccessible to all others."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
    )


def write_private(path: Path, data: bytes) -> None:
    """Write a file that is private to this user from its creation on, replacing any old one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_private(path: Path) -> bytes | None:
    """Content of such a file; None if it does not exist, or if others may have read or written it."""
    try:
        return path.read_bytes() if is_own(path) else None
    except OSError:
        return None


def _note(port: int) -> Path:
    return own_state() / "servers" / f"{socket.gethostname()}-{port}.json"


@contextlib.contextmanager
def leave_note(port: int, token: str) -> Iterator[None]:
    """Keep the token of a server for this user's clients on this machine while it runs."""
    path = _note(port)
    try:
        write_private(path, json.dumps({"pid": os.getpid(), "token": token}).encode())
    except OSError:
        # The home folder is not writable: clients must be given the token.
        yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def noted_token(port: int) -> str | None:
    """Token of this user's server on a port of this machine; None if none is running, so that no other server
    receives it."""
    try:
        found = json.loads(read_private(_note(port)) or b"{}")
        return str(found["token"]) if _alive(str(found["pid"])) else None
    except (ValueError, KeyError, TypeError):
        return None


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError):
        return True
    return True
