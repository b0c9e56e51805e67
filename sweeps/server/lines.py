"""Connections of a server: a limited number, with a time limit for the head of a request."""

import asyncio
import contextlib
import resource
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_S: Final = 10.0
"""Time for a request's head, s, from the connection or from the end of the previous request."""
CONNECTIONS: Final = 700
"""Connections at once; beyond that, the one that has waited longest for the head of a request is closed."""
_FILES: Final = 4096


class Line(H11Protocol):
    """One connection, closed if there are too many or if a request's head takes too long."""

    header_s = HEADER_S
    most = CONNECTIONS
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, unless there are too many."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.most:
            self._oldest_waiting().transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; the head of the next request has its own time limit."""
        idle = self.cycle is None or self.cycle.response_complete
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._arrived()
        elif idle and self._waiting is None:
            self._wait()

    def _oldest_waiting(self) -> "Line":
        """The connection that has been silent longest, at worst this one: a flood of connections closes none that
        is active."""
        waiting = [line for line in self.connections if isinstance(line, Line) and line._waiting]
        return min(waiting, key=lambda line: line._waiting.when() if line._waiting else 0.0, default=self)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.header_s, self._late)

    def _arrived(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _late(self) -> None:
        self._waiting = None
        self.transport.abort()


def allow_files() -> None:
    """Let this process open as many files as its connections and cubes need, if the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def settings() -> dict[str, Any]:
    """Arguments of `uvicorn.Config` for such connections."""
    return {"http": Line, "ws": "none", "h11_max_incomplete_event_size": 64 * 1024}
