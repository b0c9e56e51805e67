"""Where a cube lies: a local path, s3://, gs://, az:// or memory://; credentials from the environment only.

A store has three places: the Zarr group, parts beside it, and a local folder of the driver (log, lock).
Objects are written whole or not at all: temporary and rename, or one PUT.
"""

import contextlib
import functools
import hashlib
import json
import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..errors import ConfigError, StoreError

RETRIES = 8
_PARTIAL = ".partial"
"""How zarr ends the names of its temporary files too."""
SCHEMES = ("s3", "gs", "az", "memory")
ROOT = "zarr.json"
"""Metadata of the group: a cube is where this is."""


class Blobs(Protocol):
    """Whole objects under keys."""

    def put(self, key: str, data: bytes) -> None:
        """Write the object atomically."""

    def get(self, key: str) -> bytes | None:
        """The object, or None if there is none."""

    def exists(self, key: str) -> bool:
        """Whether there is an object."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those already gone are no error."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Keys of all objects whose key starts with the prefix."""

    def create(self, key: str, data: bytes) -> bool:
        """Write the object if there is none; whether it was written."""


@dataclass(frozen=True)
class LocalBlobs:
    """Objects as files of one folder."""

    root: Path

    def put(self, key: str, data: bytes) -> None:
        """Write to a temporary file, then rename."""
        path = self.root / key
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{_PARTIAL}")
        try:
            try:
                temporary.write_bytes(data)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary.write_bytes(data)
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def get(self, key: str) -> bytes | None:
        """Content of the file."""
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError:
            return None

    def exists(self, key: str) -> bool:
        """Whether the file is there."""
        return (self.root / key).exists()

    def delete(self, keys: Iterable[str]) -> None:
        """Remove the files."""
        for key in keys:
            (self.root / key).unlink(missing_ok=True)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Files of one folder, temporaries left out."""
        folder = self.root / prefix
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file() and not entry.name.endswith(_PARTIAL):
                    yield f"{prefix}{entry.name}"

    def create(self, key: str, data: bytes) -> bool:
        """Exclusive creation."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            return False
        return True


@dataclass(frozen=True)
class ObjectBlobs:
    """Objects of a bucket, under a prefix."""

    url: str

    @property
    def _store(self) -> Any:
        return _object_store(self.url)

    def put(self, key: str, data: bytes) -> None:
        """One PUT."""
        self._store.put(key, data, use_multipart=False)

    def get(self, key: str) -> bytes | None:
        """One GET."""
        try:
            return bytes(self._store.get(key).bytes())
        except FileNotFoundError:
            return None

    def exists(self, key: str) -> bool:
        """One HEAD."""
        try:
            self._store.head(key)
        except FileNotFoundError:
            return False
        return True

    def delete(self, keys: Iterable[str]) -> None:
        """Bulk deletion; where a cloud ends it at a key that is gone, one by one."""
        found = list(keys)
        try:
            if found:
                self._store.delete(found)
        except FileNotFoundError:
            for key in found:
                with contextlib.suppress(FileNotFoundError):
                    self._store.delete(key)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Listing under the prefix."""
        for page in self._store.list(prefix=prefix or None):
            for entry in page:
                yield str(entry["path"])

    def create(self, key: str, data: bytes) -> bool:
        """One conditional PUT."""
        from obstore.exceptions import AlreadyExistsError

        try:
            self._store.put(key, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        return True


@functools.lru_cache
def _object_store(url: str) -> Any:
    import obstore.store

    if url.startswith("memory://"):
        return obstore.store.MemoryStore()
    try:
        return obstore.store.from_url(url, retry_config={"max_retries": RETRIES})
    except Exception as error:
        raise StoreError(f"`--store` {url!r} cannot be opened. {error}") from error


@dataclass(frozen=True)
class Place:
    """Location of a cube and of what lies beside it.

    Args:
        url: Local path or URL of the Zarr group.
    """

    url: str

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of a file system."""
        return "://" not in self.url

    @property
    def is_memory(self) -> bool:
        """Whether it lives in this process only."""
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
            base = Path(tempfile.gettempdir()) / f"photogap-{os.getpid()}"
        return Path(base) / "photogap" / hashlib.blake2b(self.url.encode(), digest_size=8).hexdigest()

    @property
    def blobs(self) -> Blobs:
        """Objects of the driver and the workers beside the cube."""
        return LocalBlobs(self.state) if self.is_local else ObjectBlobs(f"{self.url}.state")

    def zarr(self, *, read_only: bool = False) -> Any:
        """The store that Zarr works on."""
        import zarr.storage

        if self.is_local:
            return zarr.storage.LocalStore(self.path, read_only=read_only)
        return zarr.storage.ObjectStore(_object_store(self.url), read_only=read_only)

    @property
    def objects(self) -> Blobs:
        """Objects of the Zarr group itself."""
        return LocalBlobs(self.path) if self.is_local else ObjectBlobs(self.url)

    def exists(self) -> bool:
        """Whether there is a Zarr group."""
        return self.objects.exists(ROOT)

    def foreign(self) -> str | None:
        """What lies in a local store's place and is no part of a cube, whole or begun; None if nothing does.

        A cube made in such a folder would take it along when it is removed.
        """
        if not self.is_local or not self.path.exists():
            return None
        if not self.path.is_dir():
            return self.path.name
        return next((e.name for e in sorted(self.path.iterdir()) if not _of_a_cube(e)), None)

    def tidy(self, before: float) -> None:
        """Remove temporary files that killed writers left in a local store.

        Args:
            before: Those that are younger stay, s since 1970: somebody may be writing them.
        """
        if not self.is_local:
            return
        for folder, _, names in (*os.walk(self.path), *os.walk(self.state)):
            for name in names:
                if name.endswith(_PARTIAL):
                    path = Path(folder, name)
                    with contextlib.suppress(OSError):
                        if path.stat().st_mtime < before:
                            path.unlink()


def _of_a_cube(entry: Path) -> bool:
    """Whether an entry of a folder is one that a driver writes: an array, metadata, or a temporary file."""
    if not entry.is_dir():
        return entry.name == ROOT or entry.name.endswith(_PARTIAL)
    try:
        inside = [e for e in entry.iterdir() if not e.name.endswith(_PARTIAL)]
        return not inside or json.loads((entry / ROOT).read_bytes()).get("node_type") == "array"
    except (OSError, ValueError, AttributeError):
        return False


def place(text: str | Path) -> Place:
    """Place that a user's `--store` names.

    Raises:
        ConfigError: The scheme is not known.
    """
    url = str(text)
    scheme, sign, _ = url.partition("://")
    one_slash = not sign and url.partition(":/")[0] in SCHEMES
    if one_slash or (sign and scheme not in SCHEMES):
        raise ConfigError(
            f"`--store` must be a local path or start with {', '.join(f'{s}://' for s in SCHEMES)}. Got {url!r}."
        )
    return Place(url.rstrip("/") if sign else os.path.abspath(url))
