"""What a server refuses, each with its reason: paths, tokens, sizes, bombs, code, callers from elsewhere."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import anyio
import pytest
from typer.testing import CliRunner

from photogap.sweeps.client import Client, RefusedError
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.server.guard import Guard, cookie_of, is_token
from photogap.sweeps.server.options import Options, RequestLimits
from photogap.sweeps.text import SERVED, load_yaml
from support.fake_config import tree
from support.patience import PATIENCE
from support.serving import serving

TOKEN = "a-token-of-sixteen-or-more"
LIMITS = RequestLimits(body=20_000, values=500, points=20, confirmed_points=100)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server with low limits and a cube."""
    with serving(tmp_path_factory.mktemp("small"), limits=LIMITS) as client:
        client.submit(tree(name="cube"))
        assert client.wait("cube", PATIENCE)["state"] == "done"
        yield client


def raw(client: Client, path: str, **headers: str) -> tuple[int, str]:
    """Status and body of a GET, the path sent as it is."""
    request = urllib.request.Request(
        client.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def refusal(client: Client, config: Any, *overrides: str, **more: Any) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        client.submit(config, *overrides, **more)
    return refused.value


@pytest.mark.parametrize(
    "path",
    [
        "/static/../api.py",
        "/static/..%2fapi.py",
        "/static/%2e%2e/%2e%2e/service.py",
        "/static//etc/passwd",
        "/api/sweeps/..%2f..%2fetc",
        "/api/sweeps/..",
        "/api/sweeps/.photogap/slice?variable=status",
        "/api/sweeps/%2fetc%2fpasswd/record",
        "/api/sweeps/cube%00/record",
    ],
)
def test_paths_outside_the_folder_are_refused(small: Client, path: str) -> None:
    status, body = raw(small, path)
    assert status in (404, 422), body
    assert "import" not in body
    assert "root:" not in body


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"materials": {"A": "../secret.yaml"}}, r"`materials.A`: must be a path inside the served folder"),
        ({"materials": {"A": "/etc/passwd"}}, r"`materials.A`: must be a path inside the served folder"),
        ({"materials": {"A": ".photogap/queue.sqlite"}}, r"must be a path inside the served folder"),
        ({"materials": {"A": "link/passwd"}}, r"must be a path inside the served folder"),
        ({"axes": {"material": ["../a.yaml"]}}, r"`axes.material`: must be a path inside"),
        ({"axes": {"F0": {"csv": "../../x.csv"}}}, r"`axes.F0.csv`: must be a path inside"),
        ({"cluster": "../cluster.yaml"}, r"`cluster`: must be a path inside"),
        (
            {"cluster": "tcp://10.0.0.1:8786"},
            r"`cluster` must be one of local, or a .yaml file in the served folder",
        ),
        ({"cluster": "slurm"}, r"`cluster` must be one of local, or a .yaml file in the served folder"),
        ({"cluster": "../cluster"}, r"`cluster` must be one of local, or a .yaml file in the served folder"),
        ({"cluster": "/etc/cluster.yaml"}, r"`cluster`: must be a path inside the served folder"),
        ({"cluster": "link/cluster.yaml"}, r"`cluster`: must be a path inside the served folder"),
        ({"cluster": "mine.yaml"}, r"`cluster`: must be a readable regular file"),
        ({"model": "os:system"}, r"`model` must be one that this server's operator allows"),
        ({"name": "../up"}, r"`name`: must be letters, digits"),
        ({"name": "n" * 101}, r"`name`: must have at most 100 characters"),
        ({"folder": "/etc"}, r"`folder`: unknown key"),
        ({"axes": {"F0": {"linspace": [1, 2, 10_000_000]}}}, r"`axes.F0` must have at most 100000 values"),
        ({"settings": {"n_times": 10**9}}, r"`settings.n_times` must be at most 100000"),
        ({"settings": {"n_times": 1.5e8}}, r"`settings.n_times` must be at most 100000"),
        ({"settings": {"n_times": "150000000"}}, r"`settings.n_times` must be at most 100000"),
        ({"axes": {"F0": {"linspace": [1, 2, 101]}}}, r"at most 100 points.* Got 101"),
        (
            {"refine": {"variable": "Delta0_peak", "axis": "F0", "tolerance": 1, "budget": 10**12}},
            r"`refine.budget`",
        ),
        ({"refine": {"variable": "Delta0_peak", "axis": "F0", "tolerance": 1, "budget": 98}}, r"points.* Got 101"),
        ({"settings": {"damping": {"full": 1}}}, r"`settings.damping"),
        ({"settings": {"damping": "\ud800"}}, r"must be text that UTF-8 can encode"),
        ({"\ud800": 1}, r"must be text that UTF-8 can encode"),
        ({"workers": 10**9}, r"`workers`: must be at most 10000"),
    ],
)
def test_configs_cannot_name_code_or_files_outside(small: Client, change: dict[str, Any], message: str) -> None:
    folder = Path(small.sweep("cube")["store"]).parent
    if not (folder / "link").exists():
        (folder / "link").symlink_to("/etc")
    config = tree(**{k: v for k, v in change.items() if k != "axes"})
    config["axes"] = config["axes"] | change.get("axes", {})
    with pytest.raises(RefusedError, match=message) as refused:
        small.submit(config)
    assert refused.value.status == 422


def test_many_points_need_their_number_as_confirmation(small: Client) -> None:
    many = tree({"F0": {"linspace": [1, 2, 30]}}, name="many")
    refused = refusal(small, many)
    assert (refused.status, refused.points) == (409, 30)
    assert "the sweep has 30 points, over the limit of 20 without confirmation" in refused.detail
    assert refusal(small, many, confirm_points=29).status == 409
    small.submit(many, confirm_points=30)
    assert small.wait("many", PATIENCE)["done"] == 30


def test_a_slice_of_the_whole_cube_is_refused_and_a_part_is_not(small: Client) -> None:
    small.submit(tree(name="big", settings={"n_times": 200}))
    small.wait("big", PATIENCE)
    with pytest.raises(RefusedError, match=r"the slice has 600 values .*over the limit of 500") as refused:
        small.slice("big", "Delta0")
    assert refused.value.status == 413
    assert small.slice("big", "Delta0", F0=1.0).Delta0.size == 200


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "at most 10000 values, with aliases expanded"),
        ("a: &a 1\nb: [" + "*a, " * 51 + "]", "at most 50 YAML aliases"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n" * 0
            + "\n".join(
                [f"k0: &k0 [{','.join('x' * 200)}]"]
                + [f"k{i}: &k{i} [*k{i - 1},*k{i - 1},*k{i - 1},*k{i - 1},*k{i - 1}]" for i in range(1, 9)]
            ),
            "at most 10000 values, with aliases expanded",
        ),
        ("a: &a [*a]", "CONFIG must not contain itself"),
        ("[" * 15_000, "must not nest deeper than 20 levels"),
        ("[" * 30 + "]" * 30, "must not nest deeper than 20 levels"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor for the tag"),
        ("a: " + "9" * 6000, "CONFIG must be YAML with plain values"),
        ("just words", "CONFIG must be a mapping"),
        ("name: a\nname: \x00", "CONFIG must be YAML"),
    ],
)
def test_yaml_bombs_and_objects_are_refused_at_once(small: Client, text: str, message: str) -> None:
    with pytest.raises(RefusedError, match=message) as refused:
        small.submit(text)
    assert refused.value.status == 422


def test_a_few_aliases_are_fine() -> None:
    assert load_yaml("a: &v [1, 2]\nb: *v", "CONFIG", SERVED) == {"a": [1, 2], "b": [1, 2]}
    with pytest.raises(ConfigError, match="at most 10000 values"):
        load_yaml("[" + "1," * 11_000 + "1]", "CONFIG", SERVED)


def test_large_body_is_refused_with_or_without_content_length(small: Client) -> None:
    with pytest.raises(RefusedError, match="at most 20000 bytes") as refused:
        small.submit("#" * 30_000)
    assert refused.value.status == 413
    host, port = small.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as line:
        head = f"POST /api/sweeps HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        line.sendall(head.encode() + b"7530\r\n" + b"#" * 30_000 + b"\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 413")
    assert small.sweeps()


def test_json_other_than_a_config_is_refused(small: Client) -> None:
    for body in (
        b"[" * 15_000,
        b"{",
        b'{"config": 3}',
        b'{"config": {}, "code": "x"}',
        b"\x80\x04pickle",
        b"9" * 9000,
    ):
        request = urllib.request.Request(
            f"{small.url}/api/sweeps", body, {"Content-Type": "application/json"}, method="POST"
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=PATIENCE)
        with refused.value as answer:
            assert answer.code in (400, 422), body[:20]
            assert json.load(answer)["detail"]


def test_pages_of_other_sites_are_refused(small: Client) -> None:
    assert raw(small, "/api/sweeps", Host="evil.example")[0] == 421
    assert raw(small, "/api/sweeps", Sec_Fetch_Site="cross-site")[0] == 403
    request = urllib.request.Request(
        f"{small.url}/api/sweeps/cube/retry", method="POST", headers={"Origin": "https://evil.example"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=PATIENCE)
    assert refused.value.code == 403
    refused.value.close()


def test_token_is_required_and_compared_completely(tmp_path: Path) -> None:
    with serving(tmp_path, token=TOKEN) as client:
        assert client.sweeps() == []
        for wrong in (None, "", TOKEN[:-1], TOKEN + "x", "ä" * 20):
            client._token = None
            headers = {} if wrong is None else {"Authorization": "Bearer " + wrong.encode().decode("latin-1")}
            assert raw(client, "/api/sweeps", **headers)[0] == 401, wrong
            assert raw(client, "/api/openapi.json", **headers)[0] == 401
        assert raw(client, "/")[0] == 200
        login = urllib.request.Request(
            f"{client.url}/api/login",
            json.dumps({"token": TOKEN}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(login, timeout=PATIENCE) as answer:
            cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert raw(client, "/api/sweeps", Cookie=cookie.split(";")[0])[0] == 200
        name, value = cookie.split(";")[0].split("=")
        assert raw(client, "/api/sweeps", Cookie=f"{name}=0")[0] == 401
        # A browser sends the cookies of all ports of a host.
        other = f"{cookie_of('another-token-of-a-server')}=1"
        assert raw(client, "/api/sweeps", Cookie=f"{other}; {name}={value}")[0] == 200
        assert cookie_of(TOKEN) != cookie_of("another-token-of-a-server")
    options = Options(folder=tmp_path, token=TOKEN)
    assert is_token(options.token, TOKEN)
    assert not is_token(options.token, "ä")
    assert not is_token(Options(folder=tmp_path).token, "")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"host": "0.0.0.0"}, r"needs a token .* and TLS"),
        ({"host": "0.0.0.0", "token": TOKEN}, r"needs TLS"),
        ({"host": "example.org", "certificate": Path("c"), "key": Path("k")}, r"needs a token"),
        ({"token": "short"}, r"at least 16 visible"),
        ({"certificate": Path("c")}, r"must be given together"),
        ({"folder": Path("/nowhere")}, r"FOLDER must be a folder"),
        ({"cluster_folders": (Path("/nowhere"),)}, r"`--cluster-folder` must be a folder that exists"),
    ],
)
def test_a_server_open_to_others_needs_token_and_tls(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Options(**{"folder": tmp_path} | given)
    assert Options(folder=tmp_path, host="::1").hosts >= {"::1", "localhost"}


def test_unusable_server_options_are_named(tmp_path: Path) -> None:
    from photogap.sweeps.cli.main import app

    (tmp_path / "file").write_text("no PEM")
    pem = ("--tls-certificate", str(tmp_path / "file"), "--tls-key", str(tmp_path / "file"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for args, message in (
            ((str(tmp_path / "file"),), "FOLDER must be a folder, existing or new"),
            ((str(tmp_path), *pem), "must be a matching pair of PEM files"),
            ((str(tmp_path), "--port", str(taken.getsockname()[1])), "`--port 0` picks a free port"),
            ((str(tmp_path), "--token-file", str(tmp_path / "none")), "must be a readable file"),
        ):
            said = CliRunner().invoke(app, ["serve", *args])
            assert said.exit_code == 2
            assert message in said.output


def test_server_beyond_loopback_uses_tls(tmp_path: Path, start_server: Any) -> None:
    key, certificate, token = tmp_path / "key.pem", tmp_path / "cert.pem", tmp_path / "token"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(
        [*made, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=PATIENCE
    )
    token.write_text(TOKEN + "\n")
    served = tmp_path / "served"
    args = ["--host", "0.0.0.0", "--token-file", token, "--tls-certificate", certificate, "--tls-key", key]
    refused = subprocess.run(
        [sys.executable, "-m", "photogap.sweeps.cli", "serve", served, "--port", "0", *args[:4]],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert refused.returncode == 2
    assert "needs TLS" in refused.stderr
    _, client = start_server(served, "--workers", 0, *args, certificate=certificate, token=TOKEN)
    assert client.url.startswith("https://")
    assert client.sweeps() == []
    with pytest.raises(RefusedError, match="a token is required"):
        Client(client.url, token="x" * 20, certificate=str(certificate)).sweeps()
    with pytest.raises(Exception, match=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed"):
        Client(client.url, token=TOKEN).sweeps()


def test_each_answer_says_what_a_browser_may_do_with_it(small: Client) -> None:
    kept = {"/": "no-cache", "/static/app.js": "no-cache", "/api/server": "no-store", "/api/nowhere": "no-store"}
    for path, keep in kept.items():
        try:
            answer = urllib.request.urlopen(small.url + path, timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            assert answer.headers["Cache-Control"] == keep, path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            policy = answer.headers["Content-Security-Policy"]
            for rule in ("default-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"):
                assert rule in policy
    tag = urllib.request.urlopen(small.url + "/static/app.js", timeout=PATIENCE).headers["ETag"]
    again = urllib.request.Request(small.url + "/static/app.js", headers={"If-None-Match": tag})
    with pytest.raises(urllib.error.HTTPError, match="304"):
        urllib.request.urlopen(again, timeout=PATIENCE)


@pytest.mark.parametrize("others", [[], [ValueError("a fault")]])
def test_clients_that_leave_a_stream_are_no_error_of_the_server(others: list[Exception]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ExceptionGroup("a stream", [ExceptionGroup("its sender", [anyio.BrokenResourceError(), *others])])

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"127.0.0.1")]}
    guard: Any = Guard(app, Options(folder=Path()))
    with pytest.raises(ExceptionGroup, match="a stream") if others else nullcontext():
        asyncio.run(guard(scope, None, None))


def test_the_guard_is_the_outermost_layer(small: Any) -> None:
    assert small.app.user_middleware[0].cls is Guard


def test_small_submits_whose_union_is_large_are_refused(small: Client) -> None:
    base = {"F0": [0.1]}
    for axes in (base | {"F0": {"linspace": [0.1, 1, 10]}}, base | {"T": {"linspace": [30, 40, 10]}}):
        small.submit(tree(axes, name="union"))
        assert small.wait("union", PATIENCE)["state"] == "done"
    refused = refusal(small, tree(base | {"tau_esc": {"linspace": [0.02, 0.1, 10]}}, name="union"))
    assert refused.status == 422
    assert "would grow to 1000 points" in refused.detail
    assert small.status("union")["points"] == 100
    assert refusal(small, tree({"F0": {"linspace": [1, 2, 101]}}, name="x", limits={"points": 10**9})).status == 422


def test_text_that_utf8_cannot_write_is_refused(small: Client) -> None:
    for config in (
        '{"config": {"name": "\\ud800"}}',
        '{"\\ud800": 1}',
        '{"config": "\\ud800"}',
        '{"config": {"a": {"\\udcff": 1}}}',
    ):
        request = urllib.request.Request(
            f"{small.url}/api/sweeps", config.encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=PATIENCE)
        with refused.value as answer:
            assert answer.code == 422, config
            assert json.load(answer)["detail"]
