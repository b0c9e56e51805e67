"""One driver a store: a lock that a killed driver cannot leave behind."""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator

from .errors import BusyError, StoreError
from .store import Place

_KEY = "driver"
STALE_S = 120.0
_TRIES = 4


@contextlib.contextmanager
def driver_lock(place: Place) -> Iterator[Callable[[], None]]:
    """Hold the store as its one driver; yields a function that shows that the driver is alive.

    Temporary files of killed writers go first.

    Raises:
        BusyError: Another driver holds it.
    """
    begin = time.time()
    with _file_lock(place):
        place.tidy(before=begin)
        if place.is_local or place.is_memory:
            yield lambda: None
        else:
            yield from _object_lock(place)


def _who() -> bytes:
    return json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "at": time.time()}).encode()


def _busy(place: Place, text: bytes) -> BusyError:
    try:
        who = json.loads(text)
        holder = f"process {who['pid']} on {who['host']}"
    except (ValueError, KeyError, TypeError):
        holder = "another process"
    return BusyError(
        f"{holder} already drives {place.url}. "
        "Wait for it, watch it with `photogap status`, or end it with `photogap cancel`."
    )


@contextlib.contextmanager
def _file_lock(place: Place) -> Iterator[None]:
    try:
        place.state.mkdir(parents=True, exist_ok=True)
        file = (place.state / "lock").open("a+b")
    except OSError as error:
        raise StoreError(f"the store's state in {str(place.state)!r} cannot be written. {error}") from error
    with file:
        # The kernel drops the lock with the process, kill -9 included. A look by `status` holds it shortly.
        for attempt in range(_TRIES):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == _TRIES - 1:
                    file.seek(0)
                    raise _busy(place, file.read()) from None
                time.sleep(0.1)
        file.truncate(0)
        file.write(_who())
        file.flush()
        yield


def _object_lock(place: Place) -> Iterator[Callable[[], None]]:
    blobs = place.blobs
    if not blobs.create(_KEY, _who()):
        held = blobs.get(_KEY) or b"{}"
        who = json.loads(held)
        dead_here = who.get("host") == socket.gethostname() and not os.path.exists(f"/proc/{who.get('pid')}")
        if not dead_here and time.time() - who.get("at", 0) < STALE_S:
            raise _busy(place, held)
        blobs.put(_KEY, _who())
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last > STALE_S / 4:
            blobs.put(_KEY, _who())
            last = time.monotonic()

    try:
        yield beat
    finally:
        blobs.delete([_KEY])


def is_driven(place: Place) -> bool:
    """Whether a driver holds the store now, as far as can be seen from here."""
    try:
        with (place.state / "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    held = None if place.is_local or place.is_memory else place.blobs.get(_KEY)
    return held is not None and time.time() - json.loads(held).get("at", 0) < STALE_S
