"""Buckets on loopback: moto's S3 server, and before it a proxy that fails, dawdles or speaks Google's dialect."""

import http.client
import importlib.util
import itertools
import json
import os
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

from support.patience import PATIENCE

SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


# On a port that is free when it is bound, until its input closes, as it does with a test run that is killed. Moto
# looks whether a condition holds and then writes; a bucket does both at once, so writes take turns here.
SERVER = """
import sys
import threading
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import ThreadedMotoServer
turn, answer = threading.Lock(), DomainDispatcherApplication.__call__
def one_by_one(app, environ, start_response):
    if environ["REQUEST_METHOD"] not in ("PUT", "POST", "DELETE"):
        return answer(app, environ, start_response)
    with turn:
        return answer(app, environ, start_response)
DomainDispatcherApplication.__call__ = one_by_one
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture(scope="session")
def s3() -> Iterator[int]:
    """Port of an S3 server with a bucket `sweeps`."""
    if importlib.util.find_spec("moto") is None:
        missing = "moto is not installed (pip install 'photogap[test]')"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        request(port, "PUT", "/sweeps")
        try:
            yield port
        finally:
            # A forked driver that a test has left would keep its input open.
            process.kill()


def request(port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()


@contextmanager
def proxy(port: int, bad: Callable[[int, str], bool], answer: tuple[int, str] = (500, "")) -> Iterator[int]:
    """A way to the server that answers 500, or another code, to some requests and is slow with the others.

    Google's XML API is the same protocol but for who calls, what may be overwritten and the deletion of what is not
    there: these are translated.
    """
    count = itertools.count()
    tags: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if bad(next(count), self.command):
                code, headers, data = answer[0], [], f"<Error><Code>{answer[1]}</Code></Error>".encode()
            else:
                time.sleep(0.005)
                kept = {k: v for k, v in self.headers.items() if k.lower() not in ("content-length", "connection")}
                google = not kept.get("authorization", "").startswith("AWS4")
                if google:
                    kept["authorization"] = SIGNED
                generation = kept.pop("x-goog-if-generation-match", None)
                if generation is not None:
                    kept |= {"If-None-Match": "*"} if generation == "0" else {"If-Match": tags[generation]}
                gone = google and self.command == "DELETE" and request(port, "HEAD", self.path, b"", kept)[0] == 404
                code, headers, data = (404, [], b"") if gone else request(port, self.command, self.path, body, kept)
            self.send_response(code)
            for value in [value for name, value in headers if name.lower() == "etag"]:
                generation = str(int(value.strip('"')[:15], 16))
                tags[generation] = value
                self.send_header("x-goog-generation", generation)
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


@pytest.fixture
def amazon(s3: int, credentials: Callable[[int], None]) -> str:
    """URL of a folder in a bucket of Amazon's; credentials and endpoint are in the environment."""
    credentials(s3)
    return "s3://sweeps/amazon"


@pytest.fixture
def google(s3: int, credentials: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The same for Google's."""
    credentials(s3)
    with proxy(s3, lambda n, method: False) as port:
        account = {"gcs_base_url": f"http://127.0.0.1:{port}", "disable_oauth": True}
        nobody = dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account | nobody))
        yield "gs://sweeps/google"


@pytest.fixture(params=["amazon", "google"])
def bucket(request: pytest.FixtureRequest) -> str:
    """URL of a folder in a bucket of either."""
    return str(request.getfixturevalue(request.param))
