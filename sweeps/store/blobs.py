"""Whole objects under keys: files of a folder, or objects of a bucket."""

import contextlib
import functools
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..errors import StoreError
from .buckets import clear, object_store, patiently, refuse_no_bucket, told

T = TypeVar("T")
Version = dict[str, str]
PARTIAL = ".partial"
"""Suffix of temporary files, the same as zarr's."""


class Blobs(Protocol):
    """Whole objects under keys."""

    def put(self, key: str, data: bytes) -> None:
        """Write the object atomically."""

    def get(self, key: str) -> bytes | None:
        """The object, or None if it does not exist."""

    def exists(self, key: str) -> bool:
        """Return whether the object exists."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; missing ones are not an error."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Keys of all objects whose key starts with the prefix."""

    def create(self, key: str, data: bytes) -> bool:
        """Write the object if none exists; return whether it was written."""

    def look(self, key: str) -> "tuple[bytes, Version] | None":
        """The object and its version, or None if it does not exist."""

    def swap(self, key: str, seen: "Version", data: bytes) -> bool:
        """Write the object if it still has this version; return whether it was written."""

    def renew(self, key: str, seen: "Version", data: bytes) -> None:
        """Give the object a new version if it still has the old one; an object of another driver is left
        unchanged."""


@dataclass(frozen=True)
class LocalBlobs:
    """Objects as files of one folder."""

    root: Path

    def put(self, key: str, data: bytes) -> None:
        """Write to a temporary file, then rename."""
        path = self.root / key
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{PARTIAL}")
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
        """Return whether the file exists."""
        return (self.root / key).exists()

    def delete(self, keys: Iterable[str]) -> None:
        """Remove the files."""
        for key in keys:
            (self.root / key).unlink(missing_ok=True)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Files of one folder, except temporary ones."""
        folder = self.root / prefix
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file() and not entry.name.endswith(PARTIAL):
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

    def look(self, key: str) -> "tuple[bytes, Version] | None":
        """The version is the time of the last change and the inode number."""
        try:
            with (self.root / key).open("rb") as file:
                found = os.fstat(file.fileno())
                return file.read(), {"changed": f"{found.st_mtime_ns} {found.st_ino}"}
        except FileNotFoundError:
            return None

    def swap(self, key: str, seen: "Version", data: bytes) -> bool:
        """Only one of several processes that rename the same file aside succeeds; then exclusive creation."""
        path = self.root / key
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}{PARTIAL}")
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        found = LocalBlobs(self.root).look(aside.relative_to(self.root).as_posix())
        try:
            if found is not None and found[1] == seen:
                return self.create(key, data)
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
            return False
        finally:
            aside.unlink(missing_ok=True)

    def renew(self, key: str, seen: "Version", data: bytes) -> None:
        """Set a new modification time: the file itself always exists."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.root / key)


@dataclass(frozen=True)
class ObjectBlobs:
    """Objects of a bucket, under a prefix; failures are StoreErrors of one line."""

    url: str

    @property
    def _store(self) -> Any:
        return object_store(self.url)

    def _ask(self, ask: Callable[[], T]) -> T:
        with clear(self.url):
            return patiently(self.url, ask)

    def put(self, key: str, data: bytes) -> None:
        """One PUT."""
        self._ask(lambda: self._store.put(key, data, use_multipart=False))

    def get(self, key: str) -> bytes | None:
        """One GET."""
        found = self.look(key)
        return None if found is None else found[0]

    def exists(self, key: str) -> bool:
        """One HEAD."""
        try:
            self._ask(lambda: self._store.head(key))
        except FileNotFoundError:
            refuse_no_bucket(self.url)
            return False
        return True

    def delete(self, keys: Iterable[str]) -> None:
        """Bulk deletion; one by one if a cloud stops at a missing key."""
        found = list(keys)
        if not found:
            return
        try:
            self._ask(lambda: self._store.delete(found))
        except FileNotFoundError:
            for key in found:
                with contextlib.suppress(FileNotFoundError):
                    self._ask(functools.partial(self._store.delete, key))

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Listing under the prefix."""
        pages = self._ask(lambda: list(self._store.list(prefix=prefix or None)))
        return (str(entry["path"]) for page in pages for entry in page)

    def create(self, key: str, data: bytes) -> bool:
        """One conditional PUT."""
        return self._put_if("create", key, data)

    def look(self, key: str) -> "tuple[bytes, Version] | None":
        """One GET; the version is the object's tag, and its generation if the cloud has one."""

        def ask() -> tuple[bytes, Version]:
            found = self._store.get(key)
            meta = found.meta
            return bytes(found.bytes()), {k: meta[k] for k in ("e_tag", "version") if meta.get(k) is not None}

        try:
            return self._ask(ask)
        except FileNotFoundError:
            return None

    def swap(self, key: str, seen: "Version", data: bytes) -> bool:
        """One PUT with If-Match."""
        return self._put_if(seen, key, data)

    def renew(self, key: str, seen: "Version", data: bytes) -> None:
        """As `swap`."""
        self._put_if(seen, key, data)

    def _put_if(self, mode: Any, key: str, data: bytes) -> bool:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            self._ask(lambda: self._store.put(key, data, mode=mode, use_multipart=False))
        except (AlreadyExistsError, PreconditionError):
            # It may be this very write, made again because the answer to the first was lost.
            return self.get(key) == data
        except FileNotFoundError as error:
            if mode == "create":
                raise StoreError(f"the store {self.url} {told(error, self.url)}.") from error
            return False
        return True
