"""Other users of the machine: a local run and a server on loopback are closed to them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil
import pytest

from photogap.sweeps.ask.config import parse
from photogap.sweeps.client import Client, RefusedError
from photogap.sweeps.clusters.open import open_pool
from photogap.sweeps.server.guard import cookie_of
from support.batch import lacking
from support.fake_config import tree
from support.patience import PATIENCE

ROOT = os.geteuid() == 0
"""Without it the attacker is the same user, for whom only ports are closed."""
ATTACKS = (Path(__file__).parents[1] / "support" / "attacks.py").read_text(encoding="utf-8")


def as_stranger(given: dict[str, Any]) -> dict[str, list[int]]:
    """Table of the attacks, run by `nobody` where this is root."""
    done = subprocess.run(
        [sys.executable, "-c", ATTACKS],
        input=json.dumps(given),
        env={"PATH": os.environ["PATH"], "HOME": "/"},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def listening(pids: list[int]) -> list[int]:
    """Ports that processes listen on."""
    found = {
        c.laddr.port for pid in pids for c in psutil.Process(pid).net_connections("inet") if c.status == "LISTEN"
    }
    return sorted(found)


def speaks_tls(port: int) -> bool:
    """Whether a Dask node listens on a port of this machine; its pages are plain HTTP."""
    line = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        line.request("GET", "/")
        line.getresponse()
    except (OSError, HTTPException):
        return True
    finally:
        line.close()
    return False


def imports(pool: Any) -> list[str]:
    """Scratch folders that the driver and a worker import from."""
    there = next(iter(pool._client.run(lambda: sys.path).values()))
    return sorted({path for path in [*sys.path, *there] if "dask-scratch-space" in path})


@pytest.fixture(scope="module")
def pool() -> Iterator[Any]:
    with open_pool(parse(tree()), 1, dashboard=True) as found:
        yield found


@pytest.fixture(autouse=True)
def _in_ci_as_root() -> None:
    if not ROOT and os.environ.get("CI") == "true":
        lacking("root, to become another user,")


def test_other_users_cannot_reach_a_run_or_a_server(pool: Any, tmp_path: Path, start_server: Any) -> None:
    secret = "a-token-from-the-environment"
    server, client = start_server(tmp_path, "--workers", 1, env={"PHOTOGAP_TOKEN": secret}, token=secret)
    client.submit(tree({"F0": [1, 2]}, name="two"))
    assert client.wait("two", PATIENCE)["state"] == "done"
    info = pool._client.scheduler_info(n_workers=-1)
    inner = [server.pid, *(child.pid for child in psutil.Process(server.pid).children(recursive=True))]
    pids = [*pool._client.run(os.getpid).values(), *inner]
    served = [port for port in listening(inner) if str(port) not in client.url]
    mine = [port for port in listening([os.getpid()]) if port not in served]
    nodes = [info["address"], *info["workers"], *(w["nanny"] for w in info["workers"].values())]
    scratch = next(iter(pool._client.run(lambda dask_worker: dask_worker.local_directory).values()))
    private = Path(scratch).parents[1]
    assert private.name.startswith("photogap-")
    found = as_stranger(
        {
            "nodes": [*nodes, *(f"tls://127.0.0.1:{port}" for port in served if speaks_tls(port))],
            "ports": [*mine, *served],
            "pids": pids if ROOT else [],
            "paths": [str(private), str(tmp_path / ".photogap" / "queue.sqlite")] if ROOT else [],
            "imports": imports(pool) if ROOT else [],
            "server": client.url,
            "cookie": cookie_of(secret),
        }
    )
    assert all(tried for tried, _ in found.values()), found
    assert {name: through for name, (_, through) in found.items() if through} == {}, found
    print(json.dumps(found, indent=1))


def test_attacks_succeed_without_protection(tmp_path: Path) -> None:
    """Without this the table's zeros would say nothing."""
    from distributed import LocalCluster

    from support.serving import serving

    folder = Path(tempfile.mkdtemp(prefix="photogap-open-"))  # that of pytest is closed again by any other pytest
    folder.chmod(0o755)
    (folder / "open").write_text("all may read this")
    (folder / "open").chmod(0o644)
    (folder / "dask-scratch-space").mkdir()
    (folder / "dask-scratch-space").chmod(0o777)
    with (
        LocalCluster(n_workers=1, processes=False, protocol="tcp://", dashboard_address="127.0.0.1:0") as cluster,
        serving(tmp_path) as client,
    ):
        found = as_stranger(
            {
                "nodes": [cluster.scheduler_address],
                "ports": [cluster.scheduler.http_server.port],
                "pids": [],
                "paths": [str(folder / "open")],
                "imports": [str(folder / "dask-scratch-space")],
                "server": client.url,
                "cookie": "photogap",
            }
        )
    shutil.rmtree(folder)
    through = {name for name, (_, through) in found.items() if through}
    assert through >= {
        "dask Client, plain, runs code",
        "plain tcp to scheduler, nannies, workers",
        "pages of Dask on every port",
        "read private files and folders",
        "replace what a run imports",
        "API without a token",
    }


def test_a_run_imports_from_no_folder_that_others_can_replace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask would use a folder in /tmp that any user may have made before, and import from there."""
    theirs = tmp_path / "dask-scratch-space"
    theirs.mkdir()
    theirs.chmod(0o777)
    tmp_path.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(sys.path)
    with open_pool(parse(tree()), 1) as found:
        here = set(sys.path) - before
        there = next(iter(found._client.run(lambda: sys.path).values()))
        added = {Path(path) for path in [*here, *there] if str(tmp_path) in path}
        assert added
        for path in added:
            for folder in (path, *path.parents[: path.parts.index(tmp_path.name) + 1]):
                mode = folder.stat().st_mode
                assert not mode & 0o022 or mode & 0o1000, folder
        assert not list(theirs.iterdir())
    assert [path.name for path in tmp_path.iterdir()] == [theirs.name], "nothing is left"


def test_dashboard_answers_only_at_its_own_address(pool: Any) -> None:
    with urllib.request.urlopen(pool.dashboard, timeout=PATIENCE) as page:
        assert "bokeh.min.js" in page.read().decode(), "without bokeh it only says what to install"
    assert "dashboard" not in pool.describe(), "it would be kept in the cube"


def test_without_a_dashboard_only_tls_listens() -> None:
    with open_pool(parse(tree()), 0) as inline:
        assert inline.dashboard is None
    before = set(listening([os.getpid()]))
    with open_pool(parse(tree()), 1) as found:
        mine = set(listening([os.getpid()])) - before
        worker = next(iter(found._client.run(os.getpid).values()))
        # the scheduler and a nanny here; there the worker
        assert (len(mine), len(listening([worker]))) == (2, 1)
        scratch = Path(next(iter(found._client.run(lambda dask_worker: dask_worker.local_directory).values())))
        assert scratch.parents[1].stat().st_mode & 0o777 == 0o700
    assert not scratch.parents[1].exists()


def test_server_generates_a_token_that_its_users_clients_find(
    tmp_path: Path, start_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    served = tmp_path / "served"
    server, client = start_server(served, "--workers", 0, env={"XDG_STATE_HOME": str(state)})
    assert len(client._token) >= 32
    (note,) = (state / "photogap" / "servers").iterdir()
    assert {path.stat().st_mode & 0o777 for path in (note, served / ".photogap" / "token")} == {0o600}
    with pytest.raises(RefusedError, match="a token is required"):
        Client(client.url).sweeps()
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    assert Client(client.url).sweeps() == []
    assert client._token not in repr(client)
    server.kill()
    server.wait(PATIENCE)
    from photogap.sweeps.private import noted_token

    port = int(client.url.rpartition(":")[2])
    assert note.exists()
    assert noted_token(port) is None, "another user may listen there by now"
    _, again = start_server(served, "--workers", 0)
    assert again._token == client._token, "pages and clients stay signed in"


def test_token_readable_by_others_is_replaced(tmp_path: Path) -> None:
    from photogap.sweeps.server.access import made
    from photogap.sweeps.server.options import Options

    options = Options(folder=tmp_path)
    first = made(options)
    assert made(options) == first
    (options.state / "token").chmod(0o640)
    assert made(options) != first
    (options.state / "token").unlink()
    (options.state / "token").symlink_to(tmp_path / "theirs")
    (tmp_path / "theirs").write_text(first)
    assert made(options) != first
    assert not (options.state / "token").is_symlink()


def test_workers_of_a_server_do_not_inherit_its_token(tmp_path: Path, start_server: Any) -> None:
    secret = "a-token-from-the-environment"
    server, client = start_server(tmp_path, "--workers", 1, env={"PHOTOGAP_TOKEN": secret}, token=secret)
    client.submit(tree({"F0": [1, 2]}, name="two"))
    assert client.wait("two", PATIENCE)["state"] == "done"
    children = psutil.Process(server.pid).children(recursive=True)
    assert len(children) >= 2
    for child in children:
        assert secret not in "".join(child.environ().values())
