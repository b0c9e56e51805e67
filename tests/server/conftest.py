"""Servers for tests: in this process with points computed in it, or as a process of their own to be killed."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.page import TIMEOUT, WIDE, browser
from support.patience import PATIENCE
from support.serving import FAKE, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server that the tests of a module share."""
    with serving(tmp_path_factory.mktemp("served")) as client:
        yield client


@pytest.fixture
def start_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., tuple["subprocess.Popen[str]", Any]]]:
    """Start `photogap serve` as a process; those still alive are killed in the end."""
    from photogap.sweeps.client import Client

    started: list[subprocess.Popen[str]] = []

    state = tmp_path_factory.mktemp("state")

    def start(
        folder: Path, *args: object, env: dict[str, str] | None = None, **client_options: object
    ) -> tuple["subprocess.Popen[str]", Any]:
        command = [
            sys.executable,
            "-m",
            "photogap.sweeps.cli",
            "serve",
            folder,
            "--port",
            0,
            "--model",
            FAKE,
            *args,
        ]
        process = subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            env=os.environ | {"XDG_STATE_HOME": str(state), **(env or {})},
        )
        started.append(process)
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"(https?://\S+?)/?\s*$", said)
        assert found, said + process.stdout.read()
        client = Client(found[1].replace("0.0.0.0", "127.0.0.1"), **{k: str(v) for k, v in client_options.items()})
        # The address is told when the socket listens; an answer comes once the queue is up.
        client.sweeps()
        return process, client

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    path = browser()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        reason = "needs chromium (Debian: apt-get install chromium) and playwright from PyPI"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as play:
        found = play.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield found
        found.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Any]:
    """Open a page of a size; in the end nothing may have been wrong on its console or asked of another host."""
    wrong: list[str] = []
    pages = []

    def start(client: Any, size: tuple[int, int] = WIDE) -> Any:
        page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
        page.set_default_timeout(TIMEOUT)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console", lambda m: wrong.append(f"{m.text} {m.location}") if m.type in ("error", "warning") else None
        )
        page.on(
            "request", lambda r: None if r.url.startswith((client.url, "blob:", "data:")) else wrong.append(r.url)
        )
        # What is written on a canvas, which no selector sees.
        page.add_init_script("""window.painted = new Set();
            const write = CanvasRenderingContext2D.prototype.fillText;
            CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
                window.painted.add(text); write.call(this, text, ...rest); };""")
        page.goto(client.url)
        page.wait_for_selector("#server:not(:empty)")
        pages.append(page)
        return page

    start.wrong = wrong  # type: ignore[attr-defined]
    yield start
    for page in pages:
        page.close()
    assert wrong == []
