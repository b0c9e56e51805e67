"""A group's notes on sweeps, who did what, whole cubes, and a token that may only read."""

import contextlib
import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
import zarr

from photogap.sweeps.client import Client, RefusedError
from photogap.sweeps.drive.sweep import LOG
from photogap.sweeps.server import history
from photogap.sweeps.server.guard import read_token_of
from photogap.sweeps.server.journal import ACTIONS, Journal, Note
from photogap.sweeps.server.options import RequestLimits
from photogap.sweeps.store.log import Log
from photogap.sweeps.store.place import place
from support.cubes import physics
from support.fake_config import tree
from support.patience import PATIENCE
from support.serving import serving

TOKEN = "a-token-of-sixteen-or-more"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serving(tmp_path_factory.mktemp("history"), token=TOKEN) as client:
        client.submit(tree({"fault": ["no", "raise", "diverge"]}, name="s"))
        client.wait("s", PATIENCE)
        yield client


def test_history_has_runs_resources_and_names(client: Any) -> None:
    ada = Client(client.url, token=TOKEN, name="Ada\n Łukasiewicz <b>")
    ada.retry("s")
    ada.wait("s", PATIENCE)
    found = client.history("s")
    assert found["actions"][0]["what"] == "retry"
    assert found["actions"][0]["who"] == "Ada Łukasiewicz <b>", "printable, and shown as text"
    newest = found["runs"][0]
    assert newest["outcome"] == "complete"
    assert newest["versions"]["photogap"]
    assert newest["end"] >= newest["start"]
    cpu = client.slice("s", "cpu_time").cpu_time
    assert found["core_hours"] >= float(cpu.sum()) / 3600
    assert found["bytes"] > 1000


def test_a_point_of_an_older_version_is_shown(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cube whose config no longer matches the model has no plan; its points are in the cube."""
    monkeypatch.setattr(client.app.state.runner.intake, "plan_of", lambda cube: pytest.fail("planned"))
    found = client.point("s", F0=1, fault="no")
    assert (found["status"], found["labels"]["F0"]) == ("ok", 1)
    assert client.point("s", F0=1, fault="raise")["message"] == "RuntimeError: no solution at F0=1.0"
    with pytest.raises(RefusedError, match="F0"):
        client.point("s", F0=2, fault="no")


def test_notes_tags_and_archive_of_two_people(client: Any) -> None:
    client.note("s", "first look", tags=["paper", "fig3"])
    (row,) = client.sweeps()
    assert (row["tags"], row["archived"]) == (["paper", "fig3"], False)
    found = client.note("s", archived=True)["note"]
    assert (found["text"], found["tags"], found["archived"]) == ("first look", ["paper", "fig3"], True)
    with pytest.raises(RefusedError, match="somebody has changed the notes of 's' meanwhile"):
        client._json("POST", "sweeps/s/note", {"text": "older", "version": found["version"] - 1})
    with pytest.raises(RefusedError, match="tags"):
        client.note("s", tags=["two words"])
    client.note("s", archived=False)


def test_notes_outlive_the_server_and_actions_are_bounded(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    assert journal.write("a", Note("text", ("x",), True))
    for number in range(ACTIONS + 20):
        journal.did("a", f"action {number}", "who")
    journal.did("b", "submit", "who")
    assert len(journal.actions("a")) <= ACTIONS + 1
    assert journal.actions("a")[0]["what"] == f"action {ACTIONS + 19}"
    journal.close()
    journal = Journal(tmp_path / "j.sqlite")
    assert journal.note("a") == Note("text", ("x",), True, 1)
    assert not journal.write("a", Note("other"))
    assert len(journal.actions("b")) == 1
    journal.close()


def test_a_whole_cube_is_one_file(client: Any, tmp_path: Path) -> None:
    target = tmp_path / "s.zip"
    target.write_bytes(client._bytes("GET", "sweeps/s/cube"))
    with zarr.storage.ZipStore(target, mode="r") as store:
        copy = physics(store)
    xr.testing.assert_identical(copy, physics(client.sweep("s")["store"]))


def test_a_cube_over_the_limit_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path, limits=RequestLimits(cube_bytes=1000)) as client:
        client.submit(tree(name="s"))
        client.wait("s", PATIENCE)
        monkeypatch.setattr(history, "_zip", lambda *args: pytest.fail("read"))
        with pytest.raises(RefusedError, match="bytes, over the limit of 1000 for a download"):
            client._bytes("GET", "sweeps/s/cube")


def computed(client: Any) -> Counter[str]:
    """How often points were computed, by their fault."""
    found: Counter[str] = Counter()
    with contextlib.closing(Log(place(client.sweep("s")["store"]).state / LOG, read_only=True)) as log:
        for point in log.points():
            found[point["labels"]["fault"]] += point["computed"]
    return found


def test_failures_of_one_reason_are_retried(client: Any) -> None:
    reasons = {r["status"]: r for r in client.status("s")["reasons"]}
    assert {s: r["count"] for s, r in reasons.items()} == {"error": 3, "not_converged": 3}
    before = computed(client)
    client.retry("s", like=reasons["error"]["point_id"])
    found = client.wait("s", PATIENCE)
    assert (found["state"], found["computed"], found["action"]) == ("done", 3, "retry")
    assert computed(client) - before == Counter({"raise": 3}), "those of the other reason are left alone"
    with pytest.raises(RefusedError, match="like"):
        client.retry("s", like="x")


def test_a_token_that_may_only_read(client: Any) -> None:
    token = client._json("GET", "server")["read_token"]
    assert token == read_token_of(TOKEN)
    reader = Client(client.url, token=token)
    assert reader.sweeps()[0]["name"] == "s"
    assert reader.slice("s", "Delta0_peak").sizes["F0"] == 3
    server = reader._json("GET", "server")
    assert (server["may_write"], server["read_token"]) == (False, None)
    tried = 0
    for path, methods in client._json("GET", "openapi.json")["paths"].items():
        if "post" in methods and not path.endswith("login"):
            with pytest.raises(RefusedError, match="this token may only read"):
                reader._json("POST", path.removeprefix("/api/").replace("{name}", "s"), {})
            tried += 1
    assert tried >= 6
    with pytest.raises(RefusedError, match="a token is required"):
        Client(client.url, token=token[:-1] + "_").sweeps()


def test_a_browser_that_signs_in_to_read_may_only_read(client: Any) -> None:
    def ask(path: str, body: Any = None, **headers: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{client.url}/api/{path}", data, headers)
        request.add_header("Content-Type", "application/json")
        return urllib.request.urlopen(request, timeout=PATIENCE)

    with ask("login", {"token": read_token_of(TOKEN)}) as answer:
        cookie = answer.headers["Set-Cookie"].split(";")[0]
    assert TOKEN not in cookie
    assert read_token_of(TOKEN) not in cookie
    with ask("sweeps", Cookie=cookie) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask("sweeps/s/cancel", {}, Cookie=cookie)
    with refused.value:
        assert refused.value.code == 403
