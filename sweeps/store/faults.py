"""Faults of a store as one message with its remedy."""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ..errors import StoreError, SweepError
from .buckets import is_of_bucket, is_silent, told
from .place import Place
from .seal import damaged, is_damage

_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def store_faults(place: Place) -> Iterator[None]:
    """End a run with one message if its store cannot be written.

    Raises:
        StoreError: The disk is full or read-only, a permission is missing, or an object store does not answer.
    """
    try:
        yield
    except StoreError as error:
        if error.__cause__ is None or not is_silent(error.__cause__):
            raise
        raise StoreError(f"{error} Finished points are kept; run again.") from error
    except SweepError:
        raise
    except (OSError, sqlite3.Error) as error:
        remedy = "make room and run again" if is_full(error) else "run again once it can be written"
        raise StoreError(
            f"the store {place.url} cannot be written: {first_line(error)}. Finished points are kept; {remedy}."
        ) from error
    except Exception as error:
        if is_damage(error) and not is_of_bucket(error):
            raise StoreError(f"{damaged(place.url, error)}.") from error
        if not is_of_bucket(error):
            raise
        raise StoreError(
            f"the store {place.url} {told(error, place.url)}. Finished points are kept; run again."
        ) from error


@contextlib.contextmanager
def reading_faults(url: str) -> Iterator[None]:
    """Damage of a store, or a bucket that does not answer, as one message while it is read.

    Raises:
        StoreError: A chunk or the metadata cannot be read or decoded.
    """
    try:
        yield
    except SweepError:
        raise
    except OSError as error:
        raise StoreError(f"the cube {url} cannot be read: {first_line(error)}.") from error
    except Exception as error:
        if is_of_bucket(error):
            raise StoreError(f"the store {url} {told(error, url)}.") from error
        if is_damage(error):
            raise StoreError(f"{damaged(url, error)}.") from error
        raise


def is_full(error: Exception) -> bool:
    """Return whether space has run out: blocks, inodes, a quota or a file size limit."""
    return getattr(error, "errno", None) in _ROOM or "database or disk is full" in str(error)


def first_line(error: Exception) -> str:
    """An error in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(" .:")


def refuse_unwritable(place: Place) -> None:
    """Check that this user may write everything that a run writes, before it changes anything.

    Raises:
        StoreError: A file belongs to another user who has not shared it.
    """
    if not place.is_local:
        return
    inside = sorted(place.path.iterdir()) if place.path.is_dir() else []
    folders = [place.path, *(p for p in inside if p.is_dir()), place.state, place.state / "parts"]
    for path in (*folders, place.state / "lock", place.state / "log.sqlite"):
        if path.exists() and not os.access(path, os.W_OK):
            raise StoreError(
                f"{str(path)!r} belongs to {_owner(path)}, and you do not have write permission. Ask for "
                f"`chmod -R g+w {place.url} {place.state}` (umask 002 for new files), or use another --store."
            )


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return f"user {path.stat().st_uid}"
