"""One driver a store: a lock that a killed driver cannot leave behind."""

import contextlib
import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator

from ..errors import BusyError, StoreError
from .place import Place

_KEY = "driver"
STALE_S = 120.0
RENEW_S = STALE_S / 4
SETTLE_S = 2.0
_TRIES = 4


@contextlib.contextmanager
def driver_lock(place: Place) -> Iterator[Callable[[], None]]:
    """Hold the store as its one driver; yields a function that raises if another has taken it nevertheless.

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
            with _ObjectLock(place) as check:
                yield check


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


class _ObjectLock:
    """Lock among hosts: an object with its holder's token, renewed by a thread however long a point takes."""

    def __init__(self, place: Place) -> None:
        self._place, self._blobs, self._token = place, place.blobs, uuid.uuid4().hex
        self._taken: bytes | None = None
        self._at = time.time()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="photogap-lock", daemon=True)

    def __enter__(self) -> Callable[[], None]:
        if not self._blobs.create(_KEY, self._text()):
            held = self._blobs.get(_KEY) or b"{}"
            who = json.loads(held)
            dead_here = who.get("host") == socket.gethostname() and not os.path.exists(f"/proc/{who.get('pid')}")
            if not dead_here and time.time() - who.get("at", 0) < STALE_S:
                raise _busy(self._place, held)
            self._blobs.put(_KEY, self._text())
            if not dead_here:
                # Of several hosts that find it stale at once the last to write has it.
                time.sleep(SETTLE_S)
                self._look()
                self.check()
        self._thread.start()
        return self.check

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(RENEW_S)
        self._look()
        if self._taken is None:
            self._blobs.delete([_KEY])

    def check(self) -> None:
        """Raise if another driver has taken the store, which this one had left alone for too long.

        Raises:
            BusyError: It has.
        """
        if time.time() - self._at > 2 * RENEW_S:
            # The host slept: its threads have not noticed yet.
            self._keep()
        if self._taken is not None:
            raise _busy(self._place, self._taken)

    def _text(self) -> bytes:
        return json.dumps(json.loads(_who()) | {"token": self._token}).encode()

    def _look(self) -> None:
        held = self._blobs.get(_KEY)
        if held is not None and json.loads(held).get("token") != self._token:
            self._taken = held

    def _renew(self) -> None:
        while self._taken is None and not self._end.wait(RENEW_S):
            self._keep()

    def _keep(self) -> None:
        # A store that is away is noticed by who writes points.
        with contextlib.suppress(Exception):
            self._look()
            if self._taken is None:
                self._blobs.put(_KEY, self._text())
        self._at = time.time()


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
