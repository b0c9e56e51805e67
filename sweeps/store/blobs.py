"""Whole objects under keys: files of a folder, or objects of a bucket."""

import contextlib
import errno
import functools
import os
import time
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
    """Whole objects under keys. Every implementation passes `tests/support/blobs_suite.py`.

    A key is names joined by `/`, none of them empty, `.` or `..`. No object's key is the folder of another's: of
    `a` and `a/b` there is one at most. A folder is no object. A reader never sees part of an object, and a writer
    that is killed leaves the object as it was, or none. Writers of one key write different data (a token): a store
    that lost an answer recognises its own write by that.
    """

    def put(self, key: str, data: bytes, check: Callable[[], None] = lambda: None) -> None:
        """Write the object, replacing any old one.

        Args:
            key: The object.
            data: Its content.
            check: Called before the one step that makes the content visible. If it raises, the object stays as it
                was.
        """

    def get(self, key: str) -> bytes | None:
        """The object, or None if there is none."""

    def exists(self, key: str) -> bool:
        """Return whether there is an object."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those already gone are no error."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Keys of all objects in a folder and the folders below it, in any order.

        Args:
            prefix: The folder, `parts/` or `parts`; empty for all. `par` is another folder than `parts`.
        """

    def create(self, key: str, data: bytes) -> bool:
        """Write the object if there is none; return whether it was written. Of concurrent writers, one succeeds."""

    def look(self, key: str) -> "tuple[bytes, Version] | None":
        """The object and its version, or None if there is none; each `put` of other content makes a new version."""

    def swap(self, key: str, seen: "Version", data: bytes) -> bool:
        """Write the object if it still has the version; return whether it was written.

        Of concurrent writers, one succeeds. No object is created if none exists. A reader may briefly find none.
        """

    def renew(self, key: str, seen: "Version", data: bytes) -> None:
        """Give the object a new version if it has the version `seen`; otherwise change neither content nor version.

        Args:
            key: The object, there at every moment.
            seen: Its version.
            data: New content. Without it the content of some stores would have the same version; others keep the
                old content, so that a caller may rely on neither.
        """


@dataclass(frozen=True)
class LocalBlobs:
    """Objects as files of one folder."""

    root: Path

    def put(self, key: str, data: bytes, check: Callable[[], None] = lambda: None) -> None:
        """Write to a temporary file, check, then rename: a temporary that was removed meanwhile changes nothing."""
        path = self.root / key
        with _temporary(path, data) as temporary:
            check()
            try:
                temporary.replace(path)
            except FileNotFoundError:
                check()
                raise

    def get(self, key: str) -> bytes | None:
        """Content of the file."""
        try:
            return (self.root / key).read_bytes()
        except _NO_FILE:
            return None

    def exists(self, key: str) -> bool:
        """Return whether the file is there."""
        return (self.root / key).is_file()

    def delete(self, keys: Iterable[str]) -> None:
        """Remove the files."""
        for key in keys:
            with contextlib.suppress(*_NO_FILE):
                (self.root / key).unlink()

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Files of the folder and those below it, temporaries left out."""
        for folder, _, names in os.walk(self.root / prefix, onerror=_unless_gone):
            base = Path(folder).relative_to(self.root).as_posix()
            for name in names:
                if not name.endswith(PARTIAL):
                    yield name if base == "." else f"{base}/{name}"

    def create(self, key: str, data: bytes) -> bool:
        """Write to a temporary file, then give it its name if that is free."""
        path = self.root / key
        with _temporary(path, data) as temporary:
            return _name(temporary, path)

    def look(self, key: str) -> "tuple[bytes, Version] | None":
        """As `Blobs.look`; the version is the time of the last change and the file's inode."""
        try:
            with (self.root / key).open("rb") as file:
                return file.read(), _version(file.fileno())
        except _NO_FILE:
            return None

    def swap(self, key: str, seen: "Version", data: bytes) -> bool:
        """Rename aside, which succeeds for one writer; then exclusive creation."""
        path = self.root / key
        aside = _aside(path)
        if not path.is_file():
            return False
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        found = LocalBlobs(self.root).look(aside.relative_to(self.root).as_posix())
        try:
            if found is not None and found[1] == seen:
                return self.create(key, data)
            _back(aside, path)
            return False
        finally:
            aside.unlink(missing_ok=True)

    def renew(self, key: str, seen: "Version", data: bytes) -> None:
        """Set a new modification time on the inspected file itself, even if another file has its name by then."""
        with contextlib.suppress(*_NO_FILE), (self.root / key).open("rb") as file:
            if _version(file.fileno()) == seen:
                os.utime(file.fileno())
                if _version(file.fileno()) == seen:  # within one tick of the kernel's clock
                    os.utime(file.fileno(), ns=(time.time_ns(), os.fstat(file.fileno()).st_mtime_ns + 1))


_NO_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def _version(file: int) -> Version:
    found = os.fstat(file)
    return {"changed": f"{found.st_mtime_ns} {found.st_ino}"}


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}{PARTIAL}")


@contextlib.contextmanager
def _temporary(path: Path, data: bytes) -> Iterator[Path]:
    """File next to a path with the whole content, gone at the end unless it was renamed."""
    temporary = _aside(path)
    try:
        try:
            temporary.write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _name(file: Path, path: Path) -> bool:
    """Add a name to a file if the name is free; return whether it was. Without hard links, copy the file."""
    try:
        os.link(file, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        try:
            with path.open("xb") as copy:
                copy.write(file.read_bytes())
        except FileExistsError:
            return False
    return True


def _back(aside: Path, path: Path) -> None:
    """Give a file its name back if that is free, without copying, since the file may still be written."""
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if not path.exists():
            aside.rename(path)


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, _NO_FILE):
        raise error


def _version_of(meta: Any) -> Version:
    return {k: meta[k] for k in ("e_tag", "version") if meta.get(k) is not None}


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

    def put(self, key: str, data: bytes, check: Callable[[], None] | None = None) -> None:
        """One PUT; with a check, conditional on the version seen before it, so no later version is overwritten.

        Raises:
            StoreError: Another writer has changed the object since.
        """
        if check is None:
            self._ask(lambda: self._store.put(key, data, use_multipart=False))
            return
        seen = self._seen(key)
        check()
        if not self._put_if("create" if seen is None else seen, key, data):
            check()
            raise StoreError(
                f"another process wrote {key!r} in {self.url} at the same time. Run again when it has ended."
            )

    def _seen(self, key: str) -> "Version | None":
        """Version of an object; None if there is none."""
        try:
            return _version_of(self._ask(lambda: self._store.head(key)))
        except FileNotFoundError:
            return None

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
            return bytes(found.bytes()), _version_of(found.meta)

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
