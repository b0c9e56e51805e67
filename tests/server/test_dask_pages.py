"""Dask's pages of a running sweep through the server's guard: for those who have the token, and nobody else."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from photogap.sweeps.server.guard import read_token_of
from support.fake_config import tree
from support.page import WIDE, keep
from support.patience import PATIENCE, until
from support.serving import serving
from support.tallies import Tally

pytestmark = pytest.mark.real
TOKEN = "a-token-of-sixteen-or-more"
READER = read_token_of(TOKEN)


@pytest.fixture
def server(tmp_path: Path, tally: Tally) -> Iterator[Any]:
    """A server whose only sweep is running, until the tally opens."""
    tally.admit(1)
    with serving(tmp_path, workers=1, token=TOKEN, idle_s=0.1) as client:
        client.submit(tree(name="s"))
        until(lambda: client.sweep("s")["done"] >= 1 and client.sweep("s")["running"])
        yield client
        tally.open()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """Follow none."""


def ask(client: Any, path: str, token: str | None = TOKEN, **headers: str) -> tuple[int, str, str]:
    """Status, target of a redirection, and body."""
    given = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(client.url + path, headers=given | headers)
    try:
        answer = urllib.request.build_opener(_Stay).open(request, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers.get("location", ""), answer.read().decode()


def shake(client: Any, path: str, **headers: str) -> str:
    """Status line of a websocket's handshake."""
    where = urlsplit(client.url)
    lines = {
        "Host": where.netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    } | headers
    with socket.create_connection((where.hostname, where.port), PATIENCE) as line:
        head = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in lines.items()), "", ""]
        line.sendall("\r\n".join(head).encode())
        return line.recv(4096).decode("latin-1").partition("\r\n")[0]


def test_pages_are_passed_on_to_users_alone(server: Any, tally: Tally) -> None:
    assert server.sweep("s")["dask"]
    code, status, _ = ask(server, "/api/sweeps/s/dask")
    assert code == 307
    assert status.startswith("/dask/")
    below = status.removesuffix("status")
    for page in ("status", "workers", "tasks", "system", "profile", "graph", "groups", "info/main/workers.html"):
        code, _, body = ask(server, below + page)
        assert code == 200, page
        assert "<html" in body.lower(), page
    assert ask(server, f"{below}statics/css/base.css")[0] == 200
    # Neither Dask's other routes nor another pool's.
    for path in ("json/counts.json", "proxy/80/127.0.0.1/", "statics/../sitemap.json", "status/metadata"):
        assert ask(server, below + path)[0] == 404, path
    assert ask(server, "/dask/" + "x" * 32 + "/status")[0] == 404
    for path in (status, "/api/sweeps/s/dask", f"{below}statics/css/base.css"):
        assert ask(server, path, None)[0] == 401
        assert ask(server, path, READER)[0] == 403
        assert ask(server, path, Host="elsewhere.org")[0] == 421
    tally.open()
    server.wait("s", PATIENCE)
    until(lambda: ask(server, status)[0] == 404)
    assert "while this server computes it" in ask(server, "/api/sweeps/s/dask")[2]
    assert not server.sweep("s")["dask"]


def test_websockets_are_for_pages_of_this_server(server: Any) -> None:
    below = ask(server, "/api/sweeps/s/dask")[1].removesuffix("status")
    user = {"Authorization": f"Bearer {TOKEN}"}
    path = f"{below}status/ws"
    bokeh = {"Sec-WebSocket-Protocol": "bokeh, not-a-session"}
    assert " 403" in shake(server, path, **bokeh)
    assert " 403" in shake(server, path, **bokeh, Authorization=f"Bearer {READER}")
    assert " 403" in shake(server, path, **bokeh, **user, Origin="http://elsewhere.org")
    assert " 403" in shake(server, path, **bokeh, **user, Host="elsewhere.org")
    assert " 403" in shake(server, f"{below}eventstream", **bokeh, **user)
    assert " 403" in shake(server, "/api/events", **user)
    assert " 101" in shake(server, path, **bokeh, **user, Origin=server.url)


def test_pages_live_in_a_browser(server: Any, chromium: Any) -> None:
    wrong: list[str] = []
    context = chromium.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(f"{server.url}/#token={TOKEN}/s")
    page.wait_for_selector("#dask:visible")
    keep(page, "dask-link")
    with context.expect_page() as opening:
        page.click("#dask")
    dask = opening.value
    dask.on("pageerror", lambda error: wrong.append(str(error)))
    dask.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    dask.on("request", lambda r: None if r.url.startswith((server.url, "data:", "blob:")) else wrong.append(r.url))
    frames: list[Any] = []
    dask.on("websocket", lambda s: s.on("framereceived", lambda frame: frames.append(frame)))
    for name in ("status", "workers", "tasks"):
        with dask.expect_event("websocket"):
            dask.goto(dask.url.rpartition("/")[0] + f"/{name}")
        dask.wait_for_function("() => window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle")
        seen = len(frames)
        dask.wait_for_timeout(100)
        until(lambda seen=seen: dask.wait_for_timeout(50) or len(frames) > seen)
        keep(dask, f"dask-{name}")
    assert wrong == []
    context.close()
