"""Connections of a server: a limited number, with a time limit for the head of a request."""

import asyncio
import contextlib
import functools
import resource
import ssl
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_S: Final = 10.0
"""Time for a request's head, s, from the connection or from the end of the previous request."""
CONNECTIONS: Final = 700
"""Connections at once; beyond that, the one that has waited longest for the head of a request is closed."""
HANDSHAKES: Final = 300
"""TLS handshakes at once; beyond that, the oldest is closed."""
MESSAGE: Final = 1024**2
"""Largest message of a client's websocket, bytes."""
_FILES: Final = 4096


class Line(H11Protocol):
    """One connection, closed if there are too many or if a request's head takes too long."""

    header_s = HEADER_S
    most = CONNECTIONS
    _waiting: asyncio.TimerHandle | None = None
    _upgraded = False

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
        """Continue reading; the head of the next request has its own time limit."""
        idle = self.cycle is None or self.cycle.response_complete
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._arrived()
        elif idle and self._waiting is None and not self._upgraded:
            self._wait()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over; its head has arrived."""
        self._upgraded = True
        self._arrived()
        super().handle_websocket_upgrade(event)

    def _oldest_waiting(self) -> "Line":
        """The connection that has been silent longest, this one if all others are active."""
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
    """Raise the limit of open files to the number that connections and cubes need, if the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Handshake(asyncio.Protocol):
    """A connection before its TLS handshake, with limits on number and time.

    asyncio gives a server with TLS its connections only after their handshakes, for which it waits a minute each.

    Args:
        context: The server's certificate and key.
        waiting: All handshakes of the server, oldest first.
        line: Arguments of the `Line` that follows.
    """

    header_s = HEADER_S
    most = HANDSHAKES

    def __init__(self, *, context: ssl.SSLContext, waiting: "dict[Handshake, None]", **line: Any) -> None:
        self._context, self._waiting = context, waiting
        self._line = Line(**line)
        self._early, self._ended, self._lost = b"", False, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake, unless there are too many: then the oldest is closed."""
        assert isinstance(transport, asyncio.Transport)
        # Bytes that arrive before the task begins are the client's hello.
        transport.pause_reading()
        self._transport = transport
        self._waiting[self] = None
        if len(self._waiting) > self.most:
            next(iter(self._waiting)).abort()
        self._task = asyncio.get_running_loop().create_task(self._secure(transport))

    def abort(self) -> None:
        """Close the connection."""
        self._waiting.pop(self, None)
        self._transport.abort()
        self._task.cancel()

    async def _secure(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        try:
            secure = await loop.start_tls(
                transport, self, self._context, server_side=True, ssl_handshake_timeout=self.header_s
            )
        except OSError:
            transport.abort()
            return
        finally:
            self._waiting.pop(self, None)
        if secure is None or self._lost:
            return
        self._line.connection_made(secure)
        secure.set_protocol(self._line)
        if self._early:
            self._line.data_received(self._early)
        if self._ended:
            self._line.eof_received()

    def data_received(self, data: bytes) -> None:
        """Keep the bytes that come with the end of the handshake."""
        self._early += data

    def eof_received(self) -> bool:
        """Note that the client sends no more."""
        self._ended = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._lost = True


def settings(context: ssl.SSLContext | None = None) -> dict[str, Any]:
    """Arguments of `uvicorn.Config` for such connections, with TLS if a context is given."""
    line: Any = Line if context is None else functools.partial(Handshake, context=context, waiting={})
    return {"http": line, "ws": "wsproto", "ws_max_size": MESSAGE, "h11_max_incomplete_event_size": 64 * 1024}
