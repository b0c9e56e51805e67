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
import xarray as xr
import yaml
from typer.testing import CliRunner

from photogap.sweeps.ask.config import read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.cli.main import app
from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import Watch, run
from photogap.sweeps.errors import BusyError, StoreError
from photogap.sweeps.store import buckets
from photogap.sweeps.store.lock import _Claim, driver_lock
from photogap.sweeps.store.place import place
from support.cubes import QUICKSTART, physics
from support.driving import go, plan_of
from support.fake_config import tree
from support.gateway import gateway
from support.patience import PATIENCE

AXES = {"F0": {"geomspace": [0.01, 10, 6]}, "damping": ["full", "real"]}
SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
pytestmark = [pytest.mark.real, pytest.mark.slow]


# On a port that is free when it is bound, until its input closes, as it does with a test run that is killed.
SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture(scope="module")
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
        yield port


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


@pytest.fixture(params=["s3", "gs"])
def bucket(
    request: pytest.FixtureRequest, s3: int, credentials: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """URL of a folder in a bucket; credentials and endpoint are in the environment."""
    credentials(s3)
    if request.param == "s3":
        yield "s3://sweeps/amazon"
        return
    with proxy(s3, lambda n, method: False) as port:
        account = {"gcs_base_url": f"http://127.0.0.1:{port}", "disable_oauth": True}
        nobody = dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account | nobody))
        yield "gs://sweeps/google"


def compare(url: str, path: Path) -> None:
    xr.testing.assert_identical(physics(place(url).zarr()), physics(path))


def test_sweeps_with_two_workers_equal_the_local_ones(bucket: str, tmp_path: Path) -> None:
    target, wider = place(f"{bucket}/two.zarr"), plan_of(AXES | {"T": [30, 60]})
    report = run(plan_of(AXES), target, workers=2)
    assert (report.counts.done, report.counts.computed) == (12, 12)
    assert run(plan_of(AXES), target).counts.computed == 0
    assert run(wider, target, workers=0).counts.computed == 12
    run(wider, place(tmp_path / "local.zarr"), workers=0)
    compare(target.url, tmp_path / "local.zarr")
    assert status(target)["counts"] == {"ok": 24}
    assert list(target.blobs.keys()) == ["root"]
    assert run(wider, target, workers=0, recompute=True).counts.computed == 24
    compare(target.url, tmp_path / "local.zarr")


def test_quick_start_in_a_bucket_equals_the_local_one(
    s3: int, credentials: Callable[[int], None], quickstart: xr.Dataset
) -> None:
    credentials(s3)
    target = place("s3://sweeps/quickstart.zarr")
    report = run(resolve(read(QUICKSTART)), target, workers=2)
    assert (report.counts.computed, report.counts.failed) == (24, 0)
    xr.testing.assert_identical(physics(target.zarr()), quickstart)
    assert list(target.blobs.keys()) == ["root"]


def test_missing_objects_do_not_stop_a_bulk_deletion(bucket: str) -> None:
    blobs = place(f"{bucket}/objects.zarr").blobs
    for key in ("parts/a", "parts/b", "parts/c"):
        blobs.put(key, key.encode())
    blobs.delete(["parts/0", "parts/a", "parts/1", "parts/b", "parts/2"])
    assert (list(blobs.keys("parts/")), blobs.get("parts/a"), blobs.get("parts/c")) == (
        ["parts/c"],
        None,
        b"parts/c",
    )
    assert blobs.create("key", b"1")
    assert not blobs.create("key", b"2")
    assert blobs.get("key") == b"1"


def test_a_second_driver_on_another_host_is_refused_and_a_dead_one_replaced(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photogap.sweeps.store.lock.RENEW_S", 0.05)
    monkeypatch.setattr("photogap.sweeps.store.lock.WATCH_S", 1.0)
    target = place(f"{bucket}/busy.zarr")
    with driver_lock(target):
        monkeypatch.setattr("photogap.sweeps.store.lock._is_dead_here", lambda text, alone=False: False)
        with pytest.raises(BusyError, match=r"already drives \w+://sweeps/\w+/busy.zarr"), _Claim(target):
            pass
    target.blobs.put("driver", b'{"host": "elsewhere", "pid": 1, "at": 0}')
    assert run(plan_of(AXES), target, workers=0).counts.done == 12


def test_suspended_driver_writes_nothing_after_losing_the_store(
    s3: int, credentials: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photogap.sweeps.store.lock.RENEW_S", 0.01)
    monkeypatch.setattr("photogap.sweeps.drive.sweep._LOOK_S", 0.0)
    credentials(s3)
    target = place("s3://sweeps/slept.zarr")
    theirs = b'{"host": "elsewhere", "pid": 1, "at": 0, "token": "theirs"}'
    seen: list[dict[str, bytes | None]] = []

    def objects() -> dict[str, bytes | None]:
        keys = list(target.objects.keys())
        return {key: target.objects.get(key) for key in keys}

    def taken() -> None:
        target.blobs.put("driver", theirs)
        seen.append(objects())

    with pytest.raises(BusyError, match="process 1 on elsewhere already drives"):
        run(plan_of(AXES), target, workers=0, watch=Watch(stopped=taken))
    assert objects() == seen[-1]
    assert list(target.blobs.keys("parts/")), "what ended is in parts"
    assert target.blobs.get("driver") == theirs
    target.blobs.delete(["driver"])
    assert run(plan_of(AXES), target, workers=0).counts.done == 12


def test_unreliable_store_is_retried(s3: int, credentials: Callable[[int], None], tmp_path: Path) -> None:
    with proxy(s3, lambda n, method: n % 9 == 3) as port:
        credentials(port)
        target = place("s3://sweeps/flaky.zarr")
        assert run(plan_of(AXES), target, workers=0).counts.done == 12
        go(tmp_path, "local.zarr", AXES)
        compare(target.url, tmp_path / "local.zarr")


def test_unreachable_store_ends_the_run_and_resumes(
    s3: int, credentials: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photogap.sweeps.store.buckets.PATIENCE_S", 1.5)
    away = threading.Event()
    with proxy(s3, lambda n, method: away.is_set() and method == "PUT") as port:
        credentials(port)
        target = place("s3://sweeps/away.zarr")
        assert run(plan_of({"F0": [0.01]}), target, workers=0).counts.done == 1
        away.set()
        with pytest.raises(StoreError, match=r"s3://sweeps/away.zarr does not answer: http\S+ answers 500") as told:
            run(plan_of({"F0": [0.01, 1.0]}), target, workers=0)
        assert "\n" not in str(told.value)
        away.clear()
        assert run(plan_of({"F0": [0.01, 1.0]}), target, workers=0).counts.done == 2


def test_run_survives_an_absent_gateway(
    s3: int, credentials: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("photogap.sweeps.store.buckets.PATIENCE_S", 60.0)
    away = threading.Event()
    with proxy(s3, lambda n, method: away.is_set()) as port:
        credentials(port)
        target = place("s3://sweeps/gateway.zarr")
        begun: list[threading.Timer] = []

        def turn(counts: Any) -> None:
            if counts.done >= 4 and not begun:
                away.set()
                begun.append(threading.Timer(5.0, away.clear))
                begun[0].start()

        assert run(plan_of(AXES), target, workers=0, watch=Watch(tell=turn)).counts.done == 12
        assert begun
        go(tmp_path, "local.zarr", AXES)
        compare(target.url, tmp_path / "local.zarr")


def test_a_run_outlives_connections_that_are_reset(
    s3: int, credentials: Callable[[int], None], tmp_path: Path
) -> None:
    """Half of them, before a request is whole, between it and its answer, and amid an answer."""
    with gateway(s3) as way:
        credentials(way.port)
        target = place("s3://sweeps/reset.zarr")
        way.risk = 0.5
        way.turn("flaky")
        assert run(plan_of(AXES), target, workers=0).counts.done == 12
        assert way.faults > 10
        way.turn("open")
        go(tmp_path, "local.zarr", AXES)
        compare(target.url, tmp_path / "local.zarr")


def test_a_run_whose_gateway_stays_away_is_patient_once(
    s3: int, credentials: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end writes to the store too: that does not wait anew, request by request."""
    monkeypatch.setattr(buckets, "PATIENCE_S", 2.0)
    monkeypatch.setattr(buckets, "_LOOK_S", 0.5)
    asked: list[float] = []
    plain = buckets._opened

    def opened(url: str, seconds: float) -> Any:
        asked.append(seconds)
        return plain(url, seconds)

    with gateway(s3) as way:
        credentials(way.port)
        target = place("s3://sweeps/stays-away.zarr")

        def turn(counts: Any) -> None:
            if counts.done >= 4 and way.mode == "open":
                way.turn("away")
                monkeypatch.setattr(buckets, "_opened", opened)

        with pytest.raises(StoreError, match=r"does not answer: .*Finished points are kept") as told:
            run(plan_of(AXES), target, workers=0, watch=Watch(tell=turn))
        assert "\n" not in str(told.value)
        ended = len(asked) - 1 - asked[::-1].index(2.0)
        assert asked[ended + 1 :], "what follows is asked as a look is"
        way.turn("open")
        monkeypatch.setattr(buckets, "_opened", plain)
        assert run(plan_of(AXES), target, workers=0).counts.done == 12


COMMANDS = (
    ("run", "CONFIG", "--workers", "0", "--store"),
    ("status",),
    ("plot",),
    ("show",),
    ("retry", "--failed"),
    ("replay", "T=30"),
    ("cancel",),
)
WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    "no credentials": ({"AWS_ACCESS_KEY_ID": None}, "needs credentials: set AWS_ACCESS_KEY_ID"),
    "dead endpoint": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "no connection to http://127.0.0.1:9"),
    "no such bucket": (
        {},
        "cannot be used: there is no such bucket as 'absent'. Create it first, or correct `--store`.",
    ),
    "wrong key": ({}, "cannot be used: "),
    "503": ({}, "answers 503"),
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_commands_report_any_store_error_in_one_line(
    s3: int,
    credentials: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: tuple[str, ...],
    how: str,
) -> None:
    monkeypatch.setattr("photogap.sweeps.store.buckets._LOOK_S", 0.6)
    change, message = WRONG[how]
    codes = {"wrong key": (403, "SignatureDoesNotMatch"), "503": (503, "")}
    with proxy(s3, lambda n, method: how in codes, codes.get(how, (500, ""))) as port:
        credentials(port)
        for name, value in change.items():
            monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
        config = tmp_path / "c.yaml"
        config.write_text(yaml.safe_dump(tree()))
        words = [str(config) if word == "CONFIG" else word for word in command]
        url = f"s3://{'absent' if how == 'no such bucket' else 'sweeps'}/{how.replace(' ', '')}.zarr"
        at = len(words) if words[0] == "run" else 1
        told = CliRunner().invoke(app, [*words[:at], url, *words[at:]])
    assert told.exit_code in (2, 5), told.output
    assert told.exception is None or isinstance(told.exception, SystemExit)
    lines = [line for line in told.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, told.stderr
    assert message in lines[0]
