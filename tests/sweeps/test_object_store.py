"""The S3 protocol on loopback: moto's server, and a proxy before it that fails and dawdles."""

import contextlib
import http.client
import importlib.util
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from test_service import go, physics, plan_of

from photogap.sweeps import service
from photogap.sweeps.cluster import open_pool
from photogap.sweeps.config import read
from photogap.sweeps.errors import BusyError, StoreError
from photogap.sweeps.plan import resolve
from photogap.sweeps.report import status
from photogap.sweeps.service import run
from photogap.sweeps.store import place

AXES = {"F0": {"geomspace": [0.01, 10, 6]}, "damping": ["full", "real"]}
pytestmark = [pytest.mark.real, pytest.mark.slow]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def s3() -> Iterator[int]:
    """Port of an S3 server with a bucket `sweeps`."""
    if importlib.util.find_spec("moto") is None:
        missing = "moto is not installed (pip install 'photogap[test]')"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    port = free_port()
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], **quiet
    ) as process:
        try:
            for _ in range(200):
                try:
                    request(port, "PUT", "/sweeps")
                    break
                except OSError:
                    time.sleep(0.1)
            yield port
        finally:
            process.kill()


def request(port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()


@contextmanager
def proxy(port: int, bad: Callable[[int, str], bool]) -> Iterator[int]:
    """A way to the server that answers 500 to some requests and is slow with the others."""
    count = itertools.count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if bad(next(count), self.command):
                code, headers, data = 500, [], b""
            else:
                time.sleep(0.005)
                kept = {k: v for k, v in self.headers.items() if k.lower() not in ("content-length", "connection")}
                code, headers, data = request(port, self.command, self.path, body, kept)
            self.send_response(code)
            for name, value in headers:
                if name.lower() not in (
                    "content-length",
                    "connection",
                    "transfer-encoding",
                    "server",
                    "date",
                ):
                    self.send_header(name, value)
            length = dict(headers).get("Content-Length", "0") if self.command == "HEAD" else str(len(data))
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], None]:
    def point_to(port: int) -> None:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
            "XDG_STATE_HOME": str(tmp_path / "state"),
        }.items():
            monkeypatch.setenv(name, value)

    return point_to


def compare(url: str, path: Path) -> None:
    xr.testing.assert_identical(physics(place(url).zarr()), physics(path))


QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
SHORTER = (
    "axes.F0=[0.05,2.0]",
    "settings.t_start=-0.3",
    "settings.t_stop=0.0",
    "settings.n_times=7",
    "settings.spacing=1.0",
)


def test_sweeps_with_two_workers_equal_the_local_ones(
    s3: int, credentials: Callable[[int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials(s3)
    plans = {"fake": plan_of(AXES), "quickstart": resolve(read(QUICKSTART, SHORTER))}
    with open_pool(plans["fake"].config, 2) as pool:
        monkeypatch.setattr(service, "open_pool", lambda *_, **__: contextlib.nullcontext(pool))
        for name, plan in plans.items():
            target = place(f"s3://sweeps/{name}.zarr")
            report = run(plan, target)
            assert (
                report.counts.done
                == report.counts.computed
                == plan.grid.size
                == {"fake": 12, "quickstart": 4}[name]
            )
            run(plan, place(tmp_path / f"{name}.zarr"))
            there = physics(target.zarr())
            xr.testing.assert_identical(there, physics(tmp_path / f"{name}.zarr"))
            assert float(there.Delta0_peak.max()) > 0
            assert run(plan, target).counts.computed == 0
            assert status(target)["counts"] == {"ok": plan.grid.size}
            assert list(target.blobs.keys()) == []


def test_a_second_driver_on_another_host_is_told(s3: int, credentials: Callable[[int], None]) -> None:
    credentials(s3)
    target = place("s3://sweeps/busy.zarr")
    target.blobs.put("driver", f'{{"host": "elsewhere", "pid": 1, "at": {time.time()}}}'.encode())
    with pytest.raises(BusyError, match=r"process 1 on elsewhere already drives s3://sweeps/busy.zarr"):
        run(plan_of(AXES), target, workers=0)
    target.blobs.put("driver", b'{"host": "elsewhere", "pid": 1, "at": 0}')
    assert run(plan_of(AXES), target, workers=0).counts.done == 12


def test_a_store_that_fails_now_and_then_is_asked_again(
    s3: int, credentials: Callable[[int], None], tmp_path: Path
) -> None:
    with proxy(s3, lambda n, method: n % 9 == 3) as port:
        credentials(port)
        target = place("s3://sweeps/flaky.zarr")
        assert run(plan_of(AXES), target, workers=0).counts.done == 12
        go(tmp_path, "local.zarr", AXES)
        compare(target.url, tmp_path / "local.zarr")


def test_a_store_that_stays_away_ends_the_run_clearly_and_resumes(
    s3: int, credentials: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photogap.sweeps.store.RETRIES", 2)
    away = threading.Event()
    with proxy(s3, lambda n, method: away.is_set() and method == "PUT") as port:
        credentials(port)
        target = place("s3://sweeps/away.zarr")
        assert run(plan_of({"F0": [0.01]}), target, workers=0).counts.done == 1
        away.set()
        with pytest.raises(StoreError, match=r"the store s3://sweeps/away.zarr .*Finished points are kept"):
            run(plan_of({"F0": [0.01, 1.0]}), target, workers=0)
        away.clear()
        target.blobs.delete(["driver"])
        assert run(plan_of({"F0": [0.01, 1.0]}), target, workers=0).counts.done == 2
