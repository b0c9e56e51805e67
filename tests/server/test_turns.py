"""Many requests at once: half-sent ones are closed, waiting ones take turns, no work for clients that left."""

import asyncio
import contextlib
import socket
import ssl
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.clusters.tls import certify
from photogap.sweeps.server import planes
from photogap.sweeps.server.lines import Handshake, Line
from photogap.sweeps.server.turns import AT_ONCE, WAITING, Turns
from support.fake_config import tree
from support.patience import PATIENCE, until
from support.serving import serving


def test_half_sent_requests_do_not_stop_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "header_s", 5.0)
    monkeypatch.setattr(Line, "most", 40)
    with serving(tmp_path) as client:
        host, port = client.url.removeprefix("http://").split(":")
        lines = []
        for _ in range(120):
            line = socket.create_connection((host, int(port)), timeout=PATIENCE)
            line.sendall(b"GET /api/sweeps HTTP/1.1\r\nHost: ")
            lines.append(line)
        assert client.sweeps() == []
        closed = 0
        for line in lines:
            try:
                closed += line.recv(1) == b""
            except ConnectionResetError:
                closed += 1
            line.close()
        assert closed == 120
        assert client.sweeps() == []


def test_head_of_a_second_request_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "header_s", 0.5)
    with serving(tmp_path) as client:
        host, port = client.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as line:
            line.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert line.recv(15) == b"HTTP/1.1 200 OK"
            line.sendall(b"GET / HTTP/1.1\r\nHo")
            with contextlib.suppress(ConnectionResetError):
                while line.recv(65536):
                    pass


def test_unfinished_tls_handshakes_do_not_stop_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handshake, "header_s", 3.0)
    monkeypatch.setattr(Handshake, "most", 20)
    certify(tmp_path / "keys")
    keys = {"certificate": tmp_path / "keys" / "cert.pem", "key": tmp_path / "keys" / "key.pem"}
    with serving(tmp_path, token="a token of the tests".replace(" ", "-"), **keys) as client:
        host, port = client.url.removeprefix("http://").split(":")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

        def answer() -> bytes:
            with (
                socket.create_connection((host, int(port)), timeout=PATIENCE) as plain,
                context.wrap_socket(plain) as line,
            ):
                line.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                return line.recv(15)

        lines = []
        for number in range(60):
            lines.append(socket.create_connection((host, int(port)), timeout=PATIENCE))
            # a silent one, the start of a hello, and noise
            lines[-1].sendall((b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n")[number % 3])
        assert answer() == b"HTTP/1.1 200 OK"
        for line in lines:
            with contextlib.suppress(ConnectionResetError):
                while line.recv(1000):
                    pass
            line.close()
        assert answer() == b"HTTP/1.1 200 OK"


class Work:
    """An application that counts its requests and lets them end when told."""

    def __init__(self) -> None:
        self.calls, self.running, self.most = 0, 0, 0
        self.go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls += 1
        self.running += 1
        self.most = max(self.most, self.running)
        await self.go.wait()
        self.running -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})


class Caller:
    """A request, and a client that may leave."""

    def __init__(self, path: str, query: bytes = b"", method: str = "GET") -> None:
        self.scope = {"type": "http", "method": method, "path": path, "query_string": query}
        self.left = asyncio.Event()
        self.told: list[Any] = []
        self.read = False

    async def receive(self) -> Any:
        if not self.read:
            self.read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.told.append(message)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_requests_of_disconnected_clients_do_no_work() -> None:
    async def check() -> None:
        work = Work()
        turns = Turns(work)
        callers = [Caller("/api/sweeps/a/slice", str(i).encode()) for i in range(50)]
        tasks = [asyncio.ensure_future(turns(c.scope, c.receive, c.send)) for c in callers]
        await settle()
        assert work.calls == AT_ONCE
        for caller in callers[AT_ONCE:-1]:
            caller.left.set()
        await settle()
        work.go.set()
        await asyncio.gather(*tasks)
        assert work.calls == AT_ONCE + 1
        assert work.most == AT_ONCE
        assert callers[-1].told[-1]["body"] == b"x"
        # Every place is free again.
        work.go.clear()
        more = [Caller("/api/sweeps/a/slice", str(i).encode()) for i in range(AT_ONCE)]
        tasks = [asyncio.ensure_future(turns(c.scope, c.receive, c.send)) for c in more]
        await settle()
        assert work.running == AT_ONCE
        work.go.set()
        await asyncio.gather(*tasks)

    asyncio.run(check())


def test_clients_that_wait_are_served_and_those_that_left_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With the real server, whose messages a stand-in may order otherwise."""
    gate, real, calls = threading.Event(), planes.status_map, []

    def slow(*args: Any) -> Any:
        calls.append(args)
        gate.wait(PATIENCE)
        return real(*args)

    monkeypatch.setattr(planes, "status_map", slow)
    with serving(tmp_path) as client:
        client.submit(tree({"F0": [1.0, 2.0]}, name="s"))
        client.wait("s", PATIENCE)
        host, port = client.url.removeprefix("http://").split(":")

        def ask(number: int) -> socket.socket:
            line = socket.create_connection((host, int(port)), timeout=PATIENCE)
            line.sendall(f"GET /api/sweeps/s/map?n={number} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            return line

        stay = [ask(number) for number in range(4 * AT_ONCE)]
        until(lambda: len(calls) == AT_ONCE)
        for line in [ask(number) for number in range(100, 150)]:
            client.sweeps()
            line.close()
        gate.set()
        for line in stay:
            assert line.recv(15) == b"HTTP/1.1 200 OK"
            line.close()
        assert client.status("s")["points"] == 2
    assert len(calls) == len(stay)
    assert not caplog.records


def test_identical_requests_share_an_answer_that_is_not_older() -> None:
    async def check() -> None:
        work = Work()
        turns = Turns(work)
        callers = [Caller("/api/sweeps/a/map") for _ in range(100)]
        tasks = [asyncio.ensure_future(turns(c.scope, c.receive, c.send)) for c in callers]
        await settle()
        work.go.set()
        await asyncio.gather(*tasks)
        assert all(c.told[-1]["body"] == b"x" for c in callers)
        assert work.calls <= 2 * AT_ONCE
        late = Caller("/api/sweeps/a/map")
        before = work.calls
        await turns(late.scope, late.receive, late.send)
        assert work.calls == before + 1

    asyncio.run(check())


def test_requests_beyond_the_limit_are_refused() -> None:
    async def check() -> None:
        work = Work()
        turns = Turns(work)
        callers = [Caller("/api/sweeps/a/map", str(i).encode()) for i in range(AT_ONCE + WAITING + 1)]
        tasks = [asyncio.ensure_future(turns(c.scope, c.receive, c.send)) for c in callers]
        await settle()
        assert [c.told[0]["status"] for c in callers if c.told] == [429]
        work.go.set()
        for path in ("/api/sweeps/a/status", "/api/server", "/"):
            other = Caller(path)
            await turns(other.scope, other.receive, other.send)
            assert other.told[0]["status"] == 200
        await asyncio.gather(*tasks)

    asyncio.run(check())


def test_a_large_answer_is_not_kept() -> None:
    """A whole cube passes through; only answers that may be shared are held."""

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(60):
            await send({"type": "http.response.body", "body": bytes(1024**2), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def check() -> int:
        size = 0

        async def sent(message: Any) -> None:
            nonlocal size
            size += len(message.get("body", b""))

        caller = Caller("/api/sweeps/a/cube")
        await Turns(stream)(caller.scope, caller.receive, sent)
        return size

    tracemalloc.start()
    try:
        assert asyncio.run(check()) == 60 * 1024**2
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * 1024**2
