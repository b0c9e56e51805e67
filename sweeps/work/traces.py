"""Removes traces of a point from its process: changed folder, forked children, its own interrupts."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


@contextlib.contextmanager
def own_traces() -> Iterator[Callable[[], bool]]:
    """Run a point; yields whether a signal, and not the point itself, has interrupted it.

    A forked child of the point ends here and never continues as a second worker; the working folder is restored.
    """
    pid, folder = os.getpid(), _folder()
    interrupted = False

    def note(number: int, frame: FrameType | None) -> Any:
        nonlocal interrupted
        interrupted = True
        return before(number, frame) if callable(before) else None

    before = signal.getsignal(signal.SIGINT)
    watched = threading.current_thread() is threading.main_thread() and callable(before)
    if watched:
        signal.signal(signal.SIGINT, note)
    try:
        yield lambda: interrupted
    finally:
        if os.getpid() != pid:
            os._exit(0)
        if watched:
            signal.signal(signal.SIGINT, before)
        if folder is not None and _folder() != folder:
            with contextlib.suppress(OSError):
                os.chdir(folder)


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None
