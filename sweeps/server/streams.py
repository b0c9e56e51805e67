"""Routes for live progress: server-sent events of all sweeps, or of one to its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from . import answers
from .depends import Closing, Name, Running, Told
from .queue import WAITING

_TICK_S = 0.25
_PULSE_S = 0.5
# Pause before a browser reopens a stream.
_RETRY_MS = 1000


def add(app: FastAPI) -> None:
    """Add the routes to an application."""

    async def place_for_one(request: Request) -> AsyncIterator[None]:
        state = request.app.state
        if state.watchers >= state.runner.options.limits.watchers:
            raise HTTPException(429, "too many clients are watching this server; try again later.")
        state.watchers += 1
        try:
            yield
        finally:
            state.watchers -= 1

    def known(runner: Running, name: Name) -> str:
        return runner.entry(name).name

    @app.get("/api/events", response_class=EventSourceResponse, dependencies=[Depends(place_for_one)])
    async def all_events(board: Told, closing: Closing) -> AsyncIterator[ServerSentEvent]:
        """Server-sent events: first every sweep, then each sweep when it changes."""
        async for sweep in _changes(board, None, closing):
            yield ServerSentEvent(data=sweep, retry=_RETRY_MS)

    @app.get("/api/sweeps/{name}/events", response_class=EventSourceResponse, dependencies=[Depends(place_for_one)])
    async def events(
        board: Told, closing: Closing, name: Annotated[str, Depends(known)]
    ) -> AsyncIterator[ServerSentEvent]:
        """Server-sent events: progress of one sweep, to its end."""
        async for sweep in _changes(board, name, closing):
            yield ServerSentEvent(data=sweep, retry=_RETRY_MS)


async def _changes(
    board: answers.Board, name: str | None, closing: Callable[[], bool]
) -> AsyncIterator[dict[str, Any]]:
    """Sweeps at every change, until the server or the single sweep ends."""
    seen: dict[str, tuple[dict[str, Any], float]] = {}
    clock = asyncio.get_running_loop().time
    while not closing():
        entries = board.rows() if name is None else [board.row(name)]
        for found in entries:
            before, told = seen.get(found["name"], (None, 0.0))
            pulse = found["state"] == "running" and clock() - told > _PULSE_S
            if found != before or pulse:
                seen[found["name"]] = (found, clock())
                yield found
        if name is not None and all(e["state"] not in WAITING for e in entries):
            return
        await asyncio.sleep(_TICK_S)
