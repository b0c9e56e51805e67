"""Files that a config names, all read through one door: it checks a path where it opens it.

On the command line a config is its user's own and its paths lead anywhere. A server sets a root: a path that
leaves it, links followed, is refused, and so is anything but a regular file of moderate size. A server's answers
quote nothing of a file.
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
"""Bytes of a file that a config on the command line may name."""
LARGEST_SERVED: Final = 16 * 1024**2
"""Bytes of a file that a config in a request may name."""


class RefusedError(ConfigError):
    """A path that a server does not open; the message holds nothing of the path and of the file."""


_OUTSIDE: Final = "must be a path inside the served folder, relative to it; no part of it may begin with a dot."
_UNREADABLE: Final = f"must be a readable regular file of at most {LARGEST_SERVED // 1024**2} MiB."


@dataclass(frozen=True)
class Files:
    """Where a config's files may lie.

    Args:
        folder: Where relative paths start.
        root: Folder that no path may leave; None for a config on the command line.
    """

    folder: Path = Path()
    root: Path | None = None

    def at(self, text: str | Path, base: Path | None = None) -> Path:
        """Path of what a config says, relative to `base` or else the folder.

        `text` checks it again where it opens it; here a model that opens files of its own accord gets no other.

        Raises:
            RefusedError: There is a root, and the path is absolute or leaves it.
        """
        path = (self.folder if base is None else base) / text
        if self.root is not None:
            if Path(text).is_absolute():
                raise RefusedError(_OUTSIDE)
            _parts_inside(self.root, path)
        return path

    def text(self, path: Path, *, what: str = "file", encoding: str = "utf-8", errors: str = "strict") -> str:
        """Content of a file as text, lines ended by \\n.

        Args:
            path: The file; a relative path starts in the working directory.
            what: What the file is, for the error of one that is missing.
            encoding: Encoding of the file.
            errors: What becomes of bytes that are none of that encoding, as in `open`.

        Raises:
            RefusedError: There is a root, and the file is outside it, unreadable, too large or no regular file.
            ConfigError: The file is too large.
            FileNotFoundError: There is no such file.
            OSError: It cannot be read.
            UnicodeDecodeError: It has another encoding.
        """
        if self.root is not None:
            data = _read_inside(self.root, path)
        elif not path.exists() or path.is_dir():
            raise FileNotFoundError(f"the {what} must exist. Got {path}.")
        else:
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
            if len(data) > LARGEST:
                raise ConfigError(f"the {what} must have at most {LARGEST // 1024**2} MiB. Got {str(path)!r}.")
        return io.TextIOWrapper(io.BytesIO(data), encoding=encoding, errors=errors).read()

    @contextlib.contextmanager
    def quiet(self, place: str, given: object, what: str) -> Iterator[None]:
        """Errors without a word of a file's content, where there is a root; as they are otherwise.

        Args:
            place: Key of the config that names the file.
            given: What the request says there.
            what: What the file must hold.

        Raises:
            ConfigError: Anything failed inside, and there is a root.
        """
        try:
            yield
        except Exception as error:
            if self.root is None:
                raise
            rule = (
                str(error)
                if isinstance(error, RefusedError)
                else f"the file must hold {what}. A server quotes nothing of a file: run the config on the command "
                "line, where the file lies, to see why this one does not."
            )
            raise ConfigError(f"`{place}`: {rule} Got {given!r}.") from None


ANYWHERE: Final = Files()
"""Files of the command line, paths from the working directory."""


def _parts_inside(root: Path, path: Path) -> tuple[str, ...]:
    """Folders and name below a root of what a path leads to, all links followed."""
    try:
        parts = Path(os.path.realpath(path)).relative_to(os.path.realpath(root)).parts
    except (OSError, ValueError):
        raise RefusedError(_OUTSIDE) from None
    if not parts or any(part.startswith(".") for part in parts):
        raise RefusedError(_OUTSIDE)
    return parts


def _read_inside(root: Path, path: Path) -> bytes:
    """Bytes of a regular file below a root.

    Links are resolved first, and the result is opened folder by folder without following any, so that a link made
    in between leads nowhere.
    """
    parts = _parts_inside(root, path)
    try:
        with contextlib.ExitStack() as opened:
            here = _open(opened, os.path.realpath(root), os.O_DIRECTORY, None)
            for part in parts[:-1]:
                here = _open(opened, part, os.O_DIRECTORY, here)
            if not stat.S_ISREG(os.stat(parts[-1], dir_fd=here, follow_symlinks=False).st_mode):
                raise RefusedError(_UNREADABLE)
            last = _open(opened, parts[-1], os.O_NONBLOCK, here)
            if not stat.S_ISREG(os.fstat(last).st_mode) or os.fstat(last).st_size > LARGEST_SERVED:
                raise RefusedError(_UNREADABLE)
            with open(last, "rb", closefd=False) as file:
                data = file.read(LARGEST_SERVED + 1)
    except OSError:
        raise RefusedError(_UNREADABLE) from None
    if len(data) > LARGEST_SERVED:
        raise RefusedError(_UNREADABLE)
    return data


def _open(opened: contextlib.ExitStack, name: str, flags: int, folder: int | None) -> int:
    """Descriptor of an entry of a folder, closed with `opened`; a link is not followed."""
    found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)
    opened.callback(os.close, found)
    return found
