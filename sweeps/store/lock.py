"""One driver per store: a lock that a killed driver cannot leave behind, and a claim where locks do not work.

The kernel's lock (flock) ends with its process, but on some file systems it is local to a node or missing. So
every driver also claims the store with the object `driver`, created only if none exists, and replaced only if it
still has the version that was read, so that only one of several hosts succeeds. Its holder renews it. A driver that
finds the claim of another host watches it for several renewal intervals of its own monotonic clock before it takes
it over; clocks of two hosts are never compared. A suspended driver finds its claim lost before it writes again.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import BusyError, StoreError
from .blobs import Version
from .place import Place

_KEY = "driver"
STALE_S = 120.0
"""Age of a claim beyond which no driver is reported."""
RENEW_S = 10.0
WATCH_S = 6 * RENEW_S
"""Time without renewal after which a claim is taken over."""
_TRIES = 4
_NO_FLOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


@contextlib.contextmanager
def driver_lock(place: Place) -> Iterator[Callable[[], None]]:
    """Lock the store as its only driver; yields a function that raises if another driver has taken it over.

    Temporary files of killed writers are removed first.

    Raises:
        BusyError: Another driver has the store.
    """
    begin = time.time()
    with _file_lock(place) as locked:
        if place.is_memory:
            yield lambda: None
        else:
            with _Claim(place, locked and place.is_local) as check:
                place.tidy(before=begin)
                yield check


def _who() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "at": time.time()}


def _read(text: bytes) -> dict[str, Any]:
    """Content of a claim or a lock file; empty if it is torn or damaged."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _busy(place: Place, text: bytes) -> BusyError:
    who = _read(text)
    holder = f"process {who['pid']} on {who['host']}" if {"pid", "host"} <= who.keys() else "another process"
    return BusyError(
        f"{holder} already drives {place.url}. "
        "Wait for it, watch it with `photogap status`, or end it with `photogap cancel`."
    )


@contextlib.contextmanager
def _file_lock(place: Place) -> Iterator[bool]:
    """Take the kernel's lock; yields whether the file system supports such locks."""
    try:
        place.state.mkdir(parents=True, exist_ok=True)
        file = (place.state / "lock").open("a+b")
    except OSError as error:
        raise StoreError(f"the store's state in {str(place.state)!r} cannot be written. {error}") from error
    locked = True
    with file:
        # The kernel releases the lock when the process ends, even by kill -9. `status` takes it for a moment.
        for attempt in range(_TRIES):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == _TRIES - 1:
                    file.seek(0)
                    raise _busy(place, file.read()) from None
                time.sleep(0.1)
            except OSError as error:
                if error.errno not in _NO_FLOCK:
                    raise
                locked = False
                break
        file.truncate(0)
        file.write(json.dumps(_who()).encode())
        file.flush()
        yield locked


class _Claim:
    """Claim among hosts: an object with its holder's token, renewed by a thread even during long points.

    Args:
        place: The store.
        alone: Whether no other process of this host can have it.
    """

    def __init__(self, place: Place, alone: bool = False) -> None:
        self._alone = alone
        self._place, self._blobs, self._token = place, place.blobs, uuid.uuid4().hex
        self._taken: bytes | None = None
        self._end = threading.Event()
        self._seen = _awake()
        self._thread = threading.Thread(target=self._renew, name="photogap-lock", daemon=True)

    def __enter__(self) -> Callable[[], None]:
        while not self._blobs.create(_KEY, self._text()):
            held = self._blobs.look(_KEY)
            if held is None:
                continue
            seen = held[1] if _is_dead_here(held[0], self._alone) else self._watched(*held)
            if self._blobs.swap(_KEY, seen, self._text()):
                break
            # Another driver was faster.
            raise _busy(self._place, self._blobs.get(_KEY) or held[0])
        self._seen = _awake()
        self._thread.start()
        return self.check

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(RENEW_S)
        # An unreachable store keeps the claim of a finished process.
        with contextlib.suppress(OSError, StoreError):
            held = self._blobs.get(_KEY)
            if held is not None and self._is_ours(held):
                self._blobs.delete([_KEY])

    def _watched(self, text: bytes, seen: Version) -> Version:
        """Version of an abandoned claim.

        Raises:
            BusyError: The claim was renewed while it was watched.
        """
        end = time.monotonic() + WATCH_S
        while True:
            now = self._blobs.look(_KEY)
            if now is None or now[1] != seen:
                raise _busy(self._place, text if now is None else now[0])
            if time.monotonic() > end:
                return seen
            time.sleep(min(1.0, WATCH_S / 4))

    def check(self) -> None:
        """Raise if another driver has taken over the store because this one was suspended too long.

        Raises:
            BusyError: Another driver has the store.
        """
        self._keep(renew=False)
        if self._taken is not None:
            raise _busy(self._place, self._taken)

    def _is_ours(self, text: bytes) -> bool:
        return _read(text).get("token") == self._token

    def _text(self) -> bytes:
        return json.dumps(_who() | {"token": self._token}).encode()

    def _renew(self) -> None:
        while self._taken is None and not self._end.wait(RENEW_S):
            # The run itself detects an unreachable store when it writes its points.
            with contextlib.suppress(OSError, StoreError):
                self._keep(renew=True)

    def _keep(self, *, renew: bool) -> None:
        held = self._blobs.look(_KEY)
        if held is None and not self._end.is_set() and self._is_fresh() and self._blobs.create(_KEY, self._text()):
            return  # the state was removed
        if held is None or not self._is_ours(held[0]):
            self._taken = held[0] if held else b"{}"
            return
        self._seen = _awake()
        if renew:
            self._blobs.renew(_KEY, held[1], self._text())

    def _is_fresh(self) -> bool:
        """Return whether nobody can have taken the store, finished and left since this driver saw its claim."""
        return _awake() - self._seen < WATCH_S / 2


def _awake() -> float:
    """Clock that keeps running while this process is stopped or its machine sleeps, s."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _is_dead_here(text: bytes, alone: bool = False) -> bool:
    """Return whether a claim's holder was a process of this host that has ended."""
    who = _read(text)
    return who.get("host") == socket.gethostname() and (alone or not os.path.exists(f"/proc/{who.get('pid')}"))


def is_driven(place: Place) -> bool:
    """Return whether a driver has the store now, as far as this host can see."""
    try:
        with (place.state / "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    held = None if place.is_memory else place.blobs.get(_KEY)
    if held is None or _is_dead_here(held):
        return False
    at = (place.state / _KEY).stat().st_mtime if place.is_local else _read(held).get("at", 0)
    return time.time() - float(at) < STALE_S
