"""Dask's pages of a sweep's pool, passed on through this server's guard.

The pool's scheduler serves them on loopback below a path that cannot be guessed (`clusters.closed`), and this
server under the same path, so no link in them changes. Only pages, their files and the websockets by which they
update are passed on, without the cookies and tokens of the request.
"""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import RedirectResponse, Response

from .depends import Name, Running
from .guard import DASK, may_write
from .runner import Runner

SOCKETS: Final = 50
"""Websockets at once; each is a page that Dask updates several times a second."""
_MESSAGE: Final = 16 * 1024**2
_TIMEOUT_S: Final = 30.0
_ADDRESS = re.compile(rf"(http://127\.0\.0\.1:\d+)({DASK}[\w-]+/)status")
_PAGE = re.compile(r"(statics?|info)/[\w.%~:@+/-]+|[a-z-]+(/autoload\.js)?")
_SOCKET = re.compile(r"[a-z-]+/ws")
_KEPT = ("Content-Type", "Cache-Control", "Etag", "Last-Modified", "Location")


def link(dashboard: str | None) -> str | None:
    """Path of a pool's pages on this server; None unless the scheduler is one of ours."""
    found = _ADDRESS.fullmatch(dashboard or "")
    return f"{found[2]}status" if found else None


def add(app: FastAPI) -> None:
    """Add the routes to an application."""
    app.state.dask_sockets = 0

    @app.get(
        "/api/sweeps/{name}/dask",
        response_class=RedirectResponse,
        status_code=307,
        responses={307: {"description": "the pages of Dask"}},
    )
    def pages(runner: Running, request: Request, name: Name) -> RedirectResponse:
        """Dask's pages of the pool that computes a sweep: workers, tasks, memory, profile."""
        if not may_write(request.scope):
            raise HTTPException(403, "this token may only read sweeps; Dask's pages show the workers' logs.")
        entry, job = runner.entry(name), runner.job(name)
        where = link(job.share.pages) if job and job.share else None
        if where is None:
            raise HTTPException(
                404, f"{entry.name!r} has no pages of Dask: they exist while this server computes it with workers."
            )
        return RedirectResponse(where)

    @app.get(DASK + "{rest:path}", include_in_schema=False)
    async def page(request: Request) -> Response:
        return await _fetched(_target(app.state.runner, request.scope, _PAGE), request.headers)

    @app.websocket(DASK + "{rest:path}")
    async def socket(socket: WebSocket) -> None:
        try:
            url = _target(app.state.runner, socket.scope, _SOCKET)
        except HTTPException:
            url = None
        if url is None or app.state.dask_sockets >= SOCKETS:
            await socket.close(1013)
            return
        app.state.dask_sockets += 1
        try:
            await _relayed(socket, url.replace("http", "ws", 1))
        finally:
            app.state.dask_sockets -= 1


def _target(runner: Runner, scope: Mapping[str, Any], allowed: re.Pattern[str]) -> str:
    """Address of a page at its scheduler.

    Raises:
        HTTPException: No pool of this server has the page.
    """
    path: str = scope["raw_path"].decode("latin-1").partition("?")[0]
    for dashboard in runner.hubs.dashboards():
        own = _ADDRESS.fullmatch(dashboard)
        if own and path.startswith(own[2]) and ".." not in path and allowed.fullmatch(path[len(own[2]) :]):
            query = scope["query_string"].decode("latin-1")
            return f"{own[1]}{path}?{query}" if query else f"{own[1]}{path}"
    raise HTTPException(404, "no such page of Dask: its workers have stopped, or it is none that is passed on.")


async def _fetched(url: str, headers: Mapping[str, str]) -> Response:
    from tornado.httpclient import AsyncHTTPClient, HTTPRequest

    asked = {"If-None-Match": headers["if-none-match"]} if "if-none-match" in headers else {}
    try:
        found = await AsyncHTTPClient().fetch(
            HTTPRequest(url, headers=asked, follow_redirects=False, request_timeout=_TIMEOUT_S), raise_error=False
        )
    except OSError:
        raise HTTPException(404, "the pages of Dask have gone: its workers have stopped.") from None
    kept = {name: found.headers[name] for name in _KEPT if name in found.headers}
    # 599 is tornado's own, for no answer.
    return Response(found.body, found.code if found.code < 599 else 504, headers=kept)


async def _relayed(socket: WebSocket, url: str) -> None:
    """Pass messages on in both directions until one side closes."""
    from tornado.httpclient import HTTPError
    from tornado.websocket import WebSocketClosedError, websocket_connect

    try:
        there = await websocket_connect(
            url, subprotocols=list(socket.scope["subprotocols"]), max_message_size=_MESSAGE
        )
    except (OSError, HTTPError):
        await socket.close(1013)
        return
    await socket.accept(there.selected_subprotocol)

    async def down() -> None:
        while (message := await there.read_message()) is not None:
            await (socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message))
        await socket.close()

    async def up() -> None:
        while (message := await socket.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            await there.write_message(message["bytes"] if text is None else text, binary=text is None)

    tasks = {asyncio.ensure_future(down()), asyncio.ensure_future(up())}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        there.close()
        for task in tasks:
            task.cancel()
            # Both ends may leave at any moment, which is no error.
            with contextlib.suppress(asyncio.CancelledError, WebSocketClosedError, RuntimeError, OSError):
                await task
