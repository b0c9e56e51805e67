"""Files named by a config. All are read here, and each path is checked when it is opened.

On the command line a config may name any path. A server sets a root folder: a path that leaves it, with links
resolved, is refused, and so is anything but a regular file of moderate size. Answers of a server never quote
file contents.
"""

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import ConfigError

LARGEST: Final = 256 * 1024**2
"""Largest file, in bytes, for a config on the command line."""
LARGEST_SERVED: Final = 16 * 1024**2
"""Largest file, in bytes, for a config in a request."""


class RefusedPathError(ConfigError):
    """The server does not open this path; the message shows neither the path nor the file."""


_OUTSIDE: Final = "must be a path inside the served folder, relative to it; no part of it may start with a dot."
_UNREADABLE: Final = f"must be a readable regular file of at most {LARGEST_SERVED // 1024**2} MiB."


@dataclass(frozen=True)
class Files:
    """Folders in which a config's files may be.

    Args:
        folder: Base of relative paths.
        root: Folder that contains all allowed paths; None on the command line.
    """

    folder: Path = Path()
    root: Path | None = None

    def at(self, text: str | Path, base: Path | None = None) -> Path:
        """Path of a file named in a config, relative to `base` or else to `folder`.

        `text` checks the path again when it opens the file; the check here covers models that open files

        Raises:
            RefusedError: A root is set, and the path is absolute or leaves it.
        """
        path = (self.folder if base is None else base) / text
        if self.root is not None:
            if Path(text).is_absolute():
                raise RefusedPathError(_OUTSIDE)
            _parts_inside(self.root, path)
        return path

    def text(self, path: Path, *, what: str = "file", encoding: str = "utf-8", errors: str = "strict") -> str:
        """Content of a text file, with lines ending in \\n.

        Args:
            path: The file, relative to the working directory.
            what: Kind of file, for the error message if it is missing.
            encoding: Encoding of the file.
            errors: Treatment of bytes that are invalid in the encoding, as in `open`.

        Raises:
            UnicodeDecodeError: The file has another encoding.
            RefusedError, ConfigError, OSError: As for `data`.
        """
        return io.TextIOWrapper(io.BytesIO(self.data(path, what=what)), encoding=encoding, errors=errors).read()

    def data(self, path: Path, *, what: str = "file") -> bytes:
        """Bytes of a file.

        Args:
            path: The file, relative to the working directory.
            what: Kind of file, for the error message if it is missing.

        Raises:
            RefusedError: A root is set, and the file is outside it, unreadable, too large or not a regular file.
            ConfigError: The file is too large.
            FileNotFoundError: The file does not exist.
            OSError: The file cannot be read.
        """
        if self.root is not None:
            return _read_inside(self.root, path)
        if not path.exists() or path.is_dir():
            raise FileNotFoundError(f"the {what} must exist. Got {path}.")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ConfigError(f"the {what} must have at most {LARGEST // 1024**2} MiB. Got {str(path)!r}.")
        return data

    @contextlib.contextmanager
    def quiet(self, place: str, given: object, what: str) -> Iterator[None]:
        """If files must be below a root, replace any error by one that quotes no file content.

        Args:
            place: Key of the config that names the file.
            given: Value of that key in the request.
            what: Description of the required content.

        Raises:
            ConfigError: The block failed, and a root is set.
        """
        try:
            yield
        except Exception as error:
            if self.root is None:
                raise
            rule = (
                str(error)
                if isinstance(error, RefusedPathError)
                else f"the file must contain {what}. A server never quotes file contents: run the config "
                "on the command line, on the machine with the file, to see what is wrong."
            )
            raise ConfigError(f"`{place}`: {rule} Got {given!r}.") from None


ANYWHERE: Final = Files()
"""Any file, relative to the working directory."""


def _parts_inside(root: Path, path: Path) -> tuple[str, ...]:
    """Parts of a path below the root, with all links resolved."""
    try:
        parts = Path(os.path.realpath(path)).relative_to(os.path.realpath(root)).parts
    except (OSError, ValueError):
        raise RefusedPathError(_OUTSIDE) from None
    if not parts or any(part.startswith(".") for part in parts):
        raise RefusedPathError(_OUTSIDE)
    return parts


def _read_inside(root: Path, path: Path) -> bytes:
    """Bytes of a regular file below a root.

    Links are resolved first, and the result is opened folder by folder without following links, so a link created
    in between has no effect.
    """
    parts = _parts_inside(root, path)
    try:
        with contextlib.ExitStack() as opened:
            here = _open(opened, os.path.realpath(root), os.O_DIRECTORY, None)
            for part in parts[:-1]:
                here = _open(opened, part, os.O_DIRECTORY, here)
            if not stat.S_ISREG(os.stat(parts[-1], dir_fd=here, follow_symlinks=False).st_mode):
                raise RefusedPathError(_UNREADABLE)
            last = _open(opened, parts[-1], os.O_NONBLOCK, here)
            if not stat.S_ISREG(os.fstat(last).st_mode) or os.fstat(last).st_size > LARGEST_SERVED:
                raise RefusedPathError(_UNREADABLE)
            with open(last, "rb", closefd=False) as file:
                data = file.read(LARGEST_SERVED + 1)
    except OSError:
        raise RefusedPathError(_UNREADABLE) from None
    if len(data) > LARGEST_SERVED:
        raise RefusedPathError(_UNREADABLE)
    return data


def _open(opened: contextlib.ExitStack, name: str, flags: int, folder: int | None) -> int:
    """Descriptor of an entry in a folder, closed with `opened`; links are not followed."""
    found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)
    opened.callback(os.close, found)
    return found
