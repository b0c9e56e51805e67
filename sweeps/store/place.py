"""Location of a cube: a local path, s3://, gs://, az:// or memory://; https:// and .zip are read only.

Credentials come from the environment only.

A store has three places: the Zarr group, parts next to it, and a local folder of the driver (log, lock).
Objects are written completely or not at all: by a temporary file and a rename, or by one PUT.
"""

import atexit
import contextlib
import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .archive import WEB, ArchiveBlobs, NoBlobs, is_archive
from .blobs import PARTIAL, Blobs, LocalBlobs, ObjectBlobs

SCHEMES = ("s3", "gs", "az", "memory")
ROOT = "zarr.json"
"""Metadata of the group; a cube exists if and only if this does."""
COPY = "root"
"""Its copy among the objects next to the cube."""


@dataclass(frozen=True)
class Place:
    """Location of a cube and of the objects next to it; an archive or a web address can only be read.

    Args:
        url: Local path or URL of the Zarr group.
    """

    url: str

    @property
    def is_local(self) -> bool:
        """Return whether it is a folder of a file system."""
        return "://" not in self.url and not is_archive(self.url)

    @property
    def is_shared(self) -> bool:
        """Return whether it can only be read: an archive, or a web address."""
        return is_archive(self.url) or self.url.partition("://")[0] in WEB

    @property
    def is_memory(self) -> bool:
        """Return whether it exists in this process only."""
        return self.url.startswith("memory://")

    @property
    def path(self) -> Path:
        """Folder of a local store."""
        return Path(self.url)

    @property
    def state(self) -> Path:
        """Local folder of the driver's log and lock."""
        if self.is_local:
            return Path(f"{self.url}.state")
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        if self.is_memory:
            base = _own_folder()
        return Path(base) / "photogap" / hashlib.blake2b(self.url.encode(), digest_size=8).hexdigest()

    @property
    def blobs(self) -> Blobs:
        """Objects of the driver and the workers, next to the cube."""
        if self.is_shared:
            return NoBlobs(self.url)
        return LocalBlobs(self.state) if self.is_local else ObjectBlobs(self.blobs_url)

    @property
    def blobs_url(self) -> str:
        """URL of these objects."""
        return f"{self.url}.state"

    def zarr(self, *, read_only: bool = False, check: Callable[[], None] = lambda: None) -> Any:
        """The store that Zarr works on.

        Args:
            read_only: Refuse to write.
            check: Raises if this process may not write any more; called before each write.
        """
        if is_archive(self.url):
            from .zipped import ArchiveStore

            return ArchiveStore(self.url)
        if self.is_local:
            from .fenced import FencedStore

            return FencedStore(self.path, read_only=read_only, check=check)
        from .patient import PatientStore

        return PatientStore(self.url, read_only=read_only, check=check)

    @property
    def objects(self) -> Blobs:
        """Objects of the Zarr group itself."""
        if is_archive(self.url):
            return ArchiveBlobs(self.url)
        return LocalBlobs(self.path) if self.is_local else ObjectBlobs(self.url)

    def exists(self) -> bool:
        """Return whether a Zarr group exists."""
        return self.objects.exists(ROOT)

    def foreign(self) -> str | None:
        """Entry of a local store's folder that is not part of a complete or started cube; None if there is none.

        Removing a cube created in such a folder would remove this entry too.
        """
        if not self.is_local or not self.path.exists():
            return None
        if not self.path.is_dir():
            return self.path.name
        return next((e.name for e in sorted(self.path.iterdir()) if not _of_a_cube(e)), None)

    def tidy(self, before: float) -> None:
        """Remove temporary files of a local store, of killed writers or of a suspended driver.

        Since only the driver writes in the cube's folder, none there is kept, whatever its age: an earlier driver
        that wakes cannot give its old content a name (`store.fenced`).

        Args:
            before: Time, s since 1970; younger files of the state are kept, since workers may still write them.

        Raises:
            OSError: A temporary file in the cube's folder cannot be removed.
        """
        if not self.is_local:
            return
        for path in (Path(folder, name) for folder, _, names in os.walk(self.path) for name in names):
            if path.name.endswith(PARTIAL):
                path.unlink(missing_ok=True)
        for path in (Path(folder, name) for folder, _, names in os.walk(self.state) for name in names):
            if path.name.endswith(PARTIAL):
                with contextlib.suppress(OSError):
                    if path.name.startswith(f".{COPY}.") or path.stat().st_mtime < before:
                        path.unlink()


@functools.cache
def _own_folder() -> Path:
    """Folder of this process, gone when it ends; no other user can have made it before."""
    folder, pid = tempfile.mkdtemp(prefix="photogap-memory-"), os.getpid()
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == pid else None)
    return Path(folder)


def _of_a_cube(entry: Path) -> bool:
    """Return whether a driver writes such an entry: an array, metadata, or a temporary file."""
    if not entry.is_dir():
        return entry.name == ROOT or entry.name.endswith(PARTIAL)
    try:
        inside = [e for e in entry.iterdir() if not e.name.endswith(PARTIAL)]
        return not inside or json.loads((entry / ROOT).read_bytes()).get("node_type") == "array"
    except (OSError, ValueError, AttributeError):
        return False


def place(text: str | Path) -> Place:
    """Place that a user's `--store` names.

    Raises:
        ConfigError: The scheme is unknown.
    """
    url = str(text)
    scheme, sign, _ = url.partition("://")
    one_slash = not sign and url.partition(":/")[0] in SCHEMES
    if one_slash or (sign and scheme not in (*SCHEMES, *WEB)):
        known = ", ".join(f"{s}://" for s in SCHEMES)
        raise ConfigError(
            f"`--store` must be a local path or start with {known}, or with https:// to read a cube. Got {url!r}."
        )
    return Place(url.rstrip("/") if sign else os.path.abspath(url))
