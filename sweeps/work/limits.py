"""Limits of a point on its worker: one thread, a wall time, memory."""

import contextlib
import ctypes
import faulthandler
import os
import resource
import sys
import threading
from collections.abc import Iterator

import threadpoolctl

THREADS = {f"{pool}_THREADS": "1" for pool in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMBA_NUM", "VECLIB_MAXIMUM")}
"""Environment of a worker: thread pools of one thread, also for libraries that a point loads."""
GRACE_S = 5.0
"""Time between asking a point to end and ending its worker."""


class PointTimeout(BaseException):
    """Raised inside a point over its time limit; not an Exception, so that the solver does not catch it."""


class _Alarm:
    """Raises PointTimeout in one thread after a while, unless disarmed."""

    def __init__(self, seconds: float) -> None:
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._armed = True
        self._fired = False
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True
        self._timer.start()

    def _raise(self, what: type[BaseException] | None) -> None:
        argument = None if what is None else ctypes.py_object(what)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), argument)

    def _fire(self) -> None:
        with self._lock:
            if self._armed:
                self._fired = True
                self._raise(PointTimeout)

    def disarm(self) -> None:
        """Cancel the alarm, even if it has fired but not yet been raised."""
        self._timer.cancel()
        with self._lock:
            self._armed = False
            if self._fired:
                self._raise(None)


@contextlib.contextmanager
def time_limit(seconds: float | None, *, hard: bool) -> Iterator[None]:
    """Raise PointTimeout after `seconds`; if the code does not respond and `hard` is set, end the process.

    The process is ended by faulthandler, which does not need the GIL, since compiled loops may hold it.
    """
    if seconds is None:
        yield
        return
    if hard:
        faulthandler.dump_traceback_later(seconds + GRACE_S, exit=True, file=sys.__stderr__ or 2)
    alarm = _Alarm(seconds)
    try:
        yield
    finally:
        alarm.disarm()
        if hard:
            faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def memory_limit(size: int | None) -> Iterator[None]:
    """Let allocations beyond `size` bytes of this process's data fail with MemoryError while a point runs."""
    if size is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One thread in the pools of BLAS and OpenMP, loaded before or inside the block.

    Otherwise worker processes compete for the cores, and threads waiting for short products of a gap equation spin:
    three times the CPU time, for no gain in wall time.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ |= THREADS
    try:
        with _controller().limit(limits=1):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


_found: list[threadpoolctl.ThreadpoolController] = []


def _controller() -> threadpoolctl.ThreadpoolController:
    # looking for libraries takes milliseconds; those that are loaded later obey the environment
    if not _found:
        _found.append(threadpoolctl.ThreadpoolController())
    return _found[0]
