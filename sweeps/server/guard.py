"""First checks of every request: origin, host name, token and body size."""

import asyncio
import hashlib
import hmac
import json
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..clusters.closed import BELOW
from .options import Options

DASK: Final = f"/{BELOW}/"
"""Path of Dask's pages."""
_WRITER = "photogap.writer"
_OPEN = ("/", "/api/login")
_SAFE = ("GET", "HEAD", "OPTIONS")
_BODY_S = 30.0
_CSP = b"content-security-policy"
_POLICY = (
    b"default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Dask's pages have scripts and styles in them, and Bokeh compiles the templates of a table's cells; nothing comes
# from other hosts.
_DASK_POLICY = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' blob: data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def cookie_of(token: str) -> str:
    """Name of the cookie, different for each server, since a browser shares cookies among all ports of a host."""
    return f"photogap-{hmac.new(token.encode(), b'photogap cookie', hashlib.sha256).hexdigest()[:12]}"


def session_of(token: str) -> str:
    """Cookie value that replaces the token in a browser."""
    return hmac.new(token.encode(), b"photogap session", hashlib.sha256).hexdigest()


def read_token_of(token: str) -> str:
    """Token that may only read: derived from a server's token, so it changes with it."""
    return hmac.new(token.encode(), b"photogap read only", hashlib.sha256).hexdigest()


def may_write(scope: Scope) -> bool:
    """Whether a request carries the token that may do everything, or the server has none."""
    return bool(scope.get(_WRITER, True))


def is_token(token: str | None, given: str) -> bool:
    """True if a text is a token, compared in constant time."""
    return token is not None and hmac.compare_digest(token.encode(), given.encode())


class Guard:
    """ASGI layer that refuses a request before anything else handles it."""

    def __init__(self, app: ASGIApp, options: Options) -> None:
        self._app, self._options = app, options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on with the body read and headers added."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        # A websocket needs what a request that changes something needs: a page of this server and the first token.
        refusal = self._refuse(scope, scope.get("method", "WEBSOCKET"), headers)
        if scope["type"] == "websocket":
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})  # before it is accepted: 403
            return
        body = b""
        if refusal is None and ("content-length" in headers or "transfer-encoding" in headers):
            read = await self._read(headers, receive)
            if isinstance(read, bytes):
                body = read
            else:
                refusal = read
        if refusal is not None:
            await _answer(send, *refusal)
            return
        # Live numbers are never cached; the page's files are, but revalidated by their tag, so that no browser runs
        # the page of an older server.
        keep = b"no-store" if scope["path"].startswith("/api/") else b"no-cache"
        try:
            policy = _DASK_POLICY if scope["path"].startswith(DASK) else _POLICY
            await self._app(scope, _replay(body, receive), _with_headers(send, keep, policy))
        except BaseExceptionGroup as errors:
            # The framework's streams raise this if a client leaves while an event is on its way.
            if errors.split(anyio.BrokenResourceError)[1] is not None:
                raise

    def _refuse(self, scope: Scope, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if _name(host) not in self._options.hosts:
            # Otherwise a page of another site could reach a server on loopback under its own host name.
            return 421, f"this server does not answer under {host!r}. Start it with `--name` to allow that."
        origin = headers.get("origin")
        if method not in _SAFE and origin and urlsplit(origin).netloc != host:
            return 403, f"a page of another site may not call this server. Got the origin {origin!r}."
        if headers.get("sec-fetch-site") == "cross-site" and scope["path"] != "/":
            return 403, "a page of another site may not call this server."
        path = scope["path"]
        if self._options.token is None or path in _OPEN or path.startswith("/static/"):
            return None
        if self._carries(headers, self._options.token):
            return None
        scope[_WRITER] = False
        if self._carries(headers, read_token_of(self._options.token)):
            if method in _SAFE and not path.startswith(DASK):
                return None
            return 403, "this token may only read. Ask the person who started the server for the other one."
        return 401, (
            "a token is required: `Authorization: Bearer TOKEN`, with the token in the address that "
            "`photogap serve` prints. The request has none, or a wrong one."
        )

    def _carries(self, headers: dict[str, str], token: str) -> bool:
        """Whether a request has a token as such, or as the cookie of a browser that has signed in with it."""
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and is_token(token, given.strip()):
            return True
        try:
            kept = SimpleCookie(headers.get("cookie", "")).get(cookie_of(token))
        except CookieError:
            return False
        return kept is not None and hmac.compare_digest(session_of(token).encode(), kept.value.encode())

    async def _read(self, headers: dict[str, str], receive: Receive) -> bytes | tuple[int, str]:
        limit = self._options.limits.body
        refusal = 413, f"a request's body must have at most {limit} bytes here."
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > limit:
            return refusal[0], f"{refusal[1]} Got {length[:20]}."
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(_BODY_S):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return 400, "the request ended before its body was complete."
                    parts.append(message.get("body", b""))
                    if sum(map(len, parts)) > limit:
                        return refusal
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            return 408, f"the request's body took longer than {_BODY_S:.0f} s."


def _name(host: str) -> str:
    """Host name without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _with_headers(send: Send, keep: bytes, policy: bytes) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [*message.get("headers", ())]
            if not any(name.lower() == b"cache-control" for name, _ in own):
                own.append((b"cache-control", keep))
            message["headers"] = [*own, (_CSP, policy), *_HEADERS]
        await send(message)

    return sent


async def _answer(send: Send, status: int, detail: str) -> None:
    body = json.dumps({"detail": detail}).encode()
    headers: list[Any] = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers.append((b"cache-control", b"no-store"))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (_CSP, _POLICY), *_HEADERS]})
    await send({"type": "http.response.body", "body": body})
