"""Faults of a store as one message: which kind it is, and the remedy of that kind."""

import contextlib
import errno
import sqlite3
from collections.abc import Iterator

from ..errors import StoreError, SweepError
from .buckets import is_of_bucket, told
from .place import Place

_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def store_faults(place: Place) -> Iterator[None]:
    """End a run with one message where its store cannot be written.

    Raises:
        StoreError: The disk is full or read-only, a right is missing, or an object store does not answer.
    """
    try:
        yield
    except SweepError:
        raise
    except (OSError, sqlite3.OperationalError) as error:
        remedy = "make room and run again" if is_full(error) else "run again once it can"
        raise StoreError(
            f"the store {place.url} cannot be written: {first_line(error)}. Finished points are kept; {remedy}."
        ) from error
    except Exception as error:
        if not is_of_bucket(error):
            raise
        raise StoreError(f"the store {place.url} {told(error)}. Finished points are kept; run again.") from error


def is_full(error: Exception) -> bool:
    """Whether room is short: of blocks, inodes, a quota or a file's size."""
    return getattr(error, "errno", None) in _ROOM or "database or disk is full" in str(error)


def first_line(error: Exception) -> str:
    """An error in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(" .:")
