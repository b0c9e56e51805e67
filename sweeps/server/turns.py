"""Turns of requests: few of a kind run at once, identical ones share an answer, and those of clients that have left
are dropped."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

AT_ONCE: Final = 3
"""Requests of a kind that run at once."""
WAITING: Final = 300
"""Requests of a kind that may wait; further ones are refused."""
KEPT: Final = 8 * 1024**2
"""Largest shared answer, bytes."""


@dataclass
class _Kind:
    """Requests of one route."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    waiting: int = 0
    answers: dict[tuple[str, bytes], tuple[float, list[Message]]] = field(default_factory=dict)


class Turns:
    """ASGI layer that gives requests of the API their turns.

    A GET shares the answer of an identical request only if that one started after the GET arrived, so the answer is
    never older than its own would be.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kinds: dict[str, _Kind] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request that needs no turn; else wait for one."""
        name = kind_of(scope) if scope["type"] == "http" else None
        if name is None:
            await self._app(scope, receive, send)
            return
        kind = self._kinds.setdefault(name, _Kind())
        if kind.waiting >= WAITING:
            answer = JSONResponse(
                {"detail": "too many requests of this kind are waiting; try again in a moment."}, 429
            )
            await answer(scope, receive, send)
            return
        line = _Patience(receive)
        came = asyncio.get_running_loop().time()
        kind.waiting += 1
        try:
            if not await line.turn(kind.places):
                return
        finally:
            kind.waiting -= 1
        try:
            await self._work(kind, came, scope, line.receive, send)
        finally:
            kind.places.release()

    async def _work(self, kind: _Kind, came: float, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        key = (scope["path"], scope["query_string"])
        began, messages = kind.answers.get(key, (0.0, []))
        if began >= came and messages:
            for message in messages:
                await send(dict(message))
            return
        made: list[Message] = []
        began, size = asyncio.get_running_loop().time(), 0

        async def sent(message: Message) -> None:
            nonlocal size
            size += len(message.get("body", b""))
            # What is too large to be shared is not kept.
            if size < KEPT:
                made.append(dict(message))
            else:
                made.clear()
            await send(message)

        await self._app(scope, receive, sent)
        kind.answers.pop(key, None)
        if kind.waiting and size < KEPT:
            kind.answers[key] = (began, made)
        elif not kind.waiting:
            kind.answers.clear()
        while len(kind.answers) > AT_ONCE:
            kind.answers.pop(next(iter(kind.answers)))


def kind_of(scope: Scope) -> str | None:
    """Route of a request that needs a turn; None for a stream, a page and the login."""
    parts = scope["path"].split("/")
    if len(parts) < 3 or parts[1] != "api" or parts[-1] in ("events", "login", "server", "openapi.json"):
        return None
    return f"{scope['method']} {parts[2]} {parts[4] if len(parts) > 4 else len(parts)}"


class _Patience:
    """A waiting client, which may leave."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read: list[Any] = []

    async def turn(self, places: asyncio.Semaphore) -> bool:
        """True if a slot was free before the client left."""
        self._read.append(await self._receive())  # the body, which the guard has already read
        if self._read[0]["type"] == "http.disconnect":
            return False
        if not places.locked():
            await places.acquire()
            return True
        place = asyncio.ensure_future(places.acquire())
        gone = asyncio.ensure_future(self._gone())
        try:
            await asyncio.wait({place, gone}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            _let_go(place, places)
            raise
        finally:
            if not gone.done():
                gone.cancel()
        if gone.done() and not gone.cancelled():
            _let_go(place, places)
            return False
        return True

    async def _gone(self) -> None:
        """Wait until the client leaves; before that, the end of the body may be announced a second time."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def receive(self) -> Message:
        """Messages read while waiting, then the rest."""
        found: Message = self._read.pop(0) if self._read else await self._receive()
        return found


def _let_go(place: "asyncio.Future[Any]", places: asyncio.Semaphore) -> None:
    """Release a place, whether it was taken or is still awaited."""
    if place.done() and not place.cancelled():
        places.release()
    else:
        place.cancel()
