"""Signals as reasons to stop."""

import signal
from types import FrameType
from typing import Any


class Interrupt:
    """Ctrl-C as a reason to stop; a second Ctrl-C exits at once."""

    def __init__(self) -> None:
        self._asked: str | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupt":
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[number] = signal.signal(number, self._take)
            except ValueError:
                break  # not the main thread: the caller stops the run in its own way
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, _: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = "interrupted" if number == signal.SIGINT else "terminated"

    def reason(self) -> str | None:
        """The reason to stop, if there is one."""
        return self._asked
