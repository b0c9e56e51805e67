"""Cubes to read only: an archive `x.zarr.zip`, local or at an address, and what is published on the web.

Only parts that are needed are fetched: of an archive its index and the members that are read.
"""

import functools
import io
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..errors import StoreError
from .buckets import clear, object_store

_BUFFER = 2**16
WEB = ("http", "https")
"""Schemes of addresses that can only be read."""


def is_archive(url: str) -> bool:
    """Return whether a URL or path names an archive."""
    return url.endswith(".zip")


@dataclass(frozen=True)
class NoBlobs:
    """The driver's objects of a cube that no driver can write: none.

    Args:
        url: The cube, for the error of a write.
    """

    url: str

    def get(self, key: str) -> bytes | None:
        """Nothing: there are no such objects."""
        return None

    def exists(self, key: str) -> bool:
        """False."""
        return False

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Nothing: there are no such objects."""
        return iter(())

    def look(self, key: str) -> None:
        """Nothing: there are no such objects."""

    def put(self, key: str, data: bytes, check: Callable[[], None] = lambda: None) -> None:
        """Refuse: nothing can be written.

        Raises:
            StoreError: Always.
        """
        self._refuse()

    def delete(self, keys: Iterable[str]) -> None:
        """Refuse: nothing can be written."""
        self._refuse()

    def create(self, key: str, data: bytes) -> bool:
        """Refuse: nothing can be written."""
        self._refuse()

    def swap(self, key: str, seen: dict[str, str], data: bytes) -> bool:
        """Refuse: nothing can be written."""
        self._refuse()

    def renew(self, key: str, seen: dict[str, str], data: bytes) -> None:
        """Refuse: nothing can be written."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StoreError(
            f"{self.url} can only be read: it is an archive or a web address. "
            "Use a --store in a folder or a bucket."
        )


@dataclass(frozen=True)
class ArchiveBlobs(NoBlobs):
    """Members of an archive."""

    def get(self, key: str) -> bytes | None:
        """Content of a member."""
        try:
            return members(self.url).read(key)
        except (KeyError, FileNotFoundError):
            return None

    def exists(self, key: str) -> bool:
        """Return whether there is a member; False too if there is no archive."""
        try:
            return key in members(self.url).NameToInfo
        except FileNotFoundError:
            return False

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Members of a folder."""
        folder = f"{prefix.rstrip('/')}/" if prefix else ""
        return (name for name in members(self.url).namelist() if name.startswith(folder) and name[-1] != "/")


def members(url: str) -> zipfile.ZipFile:
    """An archive, opened once per process for as long as its file stays the same.

    Raises:
        FileNotFoundError: There is none.
        StoreError: It is no zip file, or its address does not answer.
    """
    changed = Path(url).stat().st_mtime_ns if "://" not in url else 0
    try:
        return _members(url, changed, os.getpid())
    except zipfile.BadZipFile as error:
        raise StoreError(
            f"{url} must be a zip archive of a cube, as `photogap publish` makes it ({error})."
        ) from error


@functools.lru_cache(maxsize=8)
def _members(url: str, changed: int, process: int) -> zipfile.ZipFile:
    if "://" not in url:
        return zipfile.ZipFile(url)
    with clear(url):
        return zipfile.ZipFile(io.BufferedReader(_Remote(url), _BUFFER))


class _Remote(io.RawIOBase):
    """A file of an object store, fetched in parts."""

    def __init__(self, url: str) -> None:
        import obstore

        folder, _, name = url.rpartition("/")
        self._file: Any = obstore.open_reader(object_store(folder), name)

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position."""
        return int(self._file.seek(offset, whence))

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer."""
        data = memoryview(bytes(self._file.read(len(buffer))))
        buffer[: len(data)] = data
        return len(data)
