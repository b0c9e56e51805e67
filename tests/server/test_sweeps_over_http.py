"""Sweeps through the API and the client: the same cubes, errors and numbers as the command line's."""

import contextlib
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
import yaml

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.client import Client, RefusedError, UnreachableError
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.store.place import place
from support.fake_config import tree
from support.patience import PATIENCE
from support.serving import serving
from support.tallies import Tally

TWO = {"F0": [0.1, 1.0, 10.0], "T": [30, 60], "fault": ["no", "raise"]}


def until(client: Client, name: str, *states: str) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE
    while (found := client.sweep(name))["state"] not in states:
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def done(served: Any) -> Any:
    served.submit(tree(TWO, name="two"))
    events = list(served.watch("two"))
    assert events[-1]["state"] == "done", events[-1]
    return served


def test_a_sweep_ends_with_the_numbers_of_the_engine(done: Client) -> None:
    found = done.sweep("two")
    assert (found["total"], found["done"], found["failed"], found["running"]) == (12, 6, 6, 0)
    status = done.status("two")
    assert status["counts"] == {"error": 6, "ok": 6}
    (reason,) = status["reasons"]
    assert reason["count"] == 6
    assert reason["replay"].startswith(f"photogap replay {found['store']} {reason['point_id'][:16]}")
    assert done.record("two")["runs"][-1]["outcome"] == "complete"


def test_the_cube_is_the_command_lines_to_the_bit(done: Client, tmp_path: Path) -> None:
    run(resolve(parse(tree(TWO, name="two"))), place(tmp_path / "b.zarr"), workers=0)
    outputs = ["Delta0", "Gamma", "Delta0_peak", "status", "message", "point_id"]
    there, here = (xr.open_zarr(path)[outputs].load() for path in (done.sweep("two")["store"], tmp_path / "b.zarr"))
    xr.testing.assert_identical(there.drop_attrs(deep=False), here.drop_attrs(deep=False))


def test_slices_carry_labels_and_units_in_every_format(done: Client) -> None:
    cube = xr.open_zarr(done.sweep("two")["store"]).load()
    part = done.slice("two", "Delta0", "status", T=30, fault="no")
    expected = cube[["Delta0", "status"]].sel(T=30, fault="no")
    assert part.Delta0.dims == expected.Delta0.dims
    assert (part.Delta0.values == expected.Delta0.values).all()
    assert part.status.values.ravel().astype(str).tolist() == ["ok"] * 3
    assert part.Delta0.units == "meV"
    assert part.F0.units == "mJ cm^-2"
    assert float(part.T) == 30
    loaded = json.loads(done.download("two", "Delta0_peak", format="json", T=30, fault="raise"))
    assert set(json.dumps(loaded["variables"]["Delta0_peak"]["values"])) == set("[]nul, "), "NaN is null"
    assert loaded["coords"]["F0"]["values"] == [0.1, 1.0, 10.0]
    rows = done.download("two", "Delta0_peak", "status", T=30).decode().splitlines()
    head = rows[0].split(",")
    assert "F0 (mJ cm^-2)" in head
    assert "Delta0_peak (meV)" in head
    assert len(rows) == 1 + 6
    first = dict(zip(head, rows[1].split(","), strict=True))
    assert float(first["Delta0_peak (meV)"]) == cube.Delta0_peak.sel(T=30, F0=0.1, fault="no").item()


def test_bool_axis_and_infinite_escape_time_in_netcdf(done: Client) -> None:
    done.submit(tree({"stimulated_emission": [True, False], "tau_esc": [0.02, float("inf")]}, name="flags"))
    assert done.wait("flags", PATIENCE)["state"] == "done"
    ds = done.slice("flags", "Delta0_peak")
    assert ds.stimulated_emission.values.astype(bool).tolist() == [True, False]
    assert ds.sizes["tau_esc"] == 2


def test_pictures_are_png_or_svg(done: Client) -> None:
    assert done.picture("two", fault="no", T=30).startswith(b"\x89PNG")
    assert b"<svg" in done.picture("two", fault="no", format="svg")
    with pytest.raises(RefusedError, match="`--y` must be a variable of the cube"):
        done.picture("two", y="gap")


def test_a_point_is_found_by_labels_and_by_id(done: Client) -> None:
    found = done.point("two", F0=1, T=60, fault="raise")
    assert found["status"] == "error"
    assert "no solution at F0=1.0" in found["message"]
    assert "misbehave" in found["traceback"]
    assert done.point("two", found["point_id"][:12]) == found
    with pytest.raises(RefusedError, match="`F0` must be one of") as refused:
        done.point("two", F0=3, T=60, fault="no")
    assert refused.value.status == 404


def test_at_selects_over_http_as_on_the_command_line(served: Client) -> None:
    """`at=T=30,F0=1&at=tau_esc=.inf` is one point, in slices, points and the engine's own lookup."""
    axes = {"F0": [0.1, 1.0], "T": [30, 60], "tau_esc": [1.0, float("inf")]}
    served.submit(tree(axes, name="endless"))
    assert served.wait("endless")["state"] == "done"
    cube = xr.open_zarr(served.sweep("endless")["store"]).load()
    expected = cube.Delta0_peak.sel(T=30, F0=1.0, tau_esc=float("inf"))
    wanted = "variable=Delta0_peak&at=T=30,F0=1&at=tau_esc=.inf&format=json"
    found = served._json("GET", f"sweeps/endless/slice?{wanted}")["variables"]["Delta0_peak"]
    assert found["values"] == expected.values.tolist()
    point = served.point("endless", "material=A,omega_pump=170,T=30,F0=1,tau_esc=.inf")
    assert point["point_id"] == cube.point_id.sel(T=30, F0=1.0, tau_esc=float("inf")).item()
    with pytest.raises(RefusedError, match=r"`tau_esc` must be one of 1, inf\. Got '2'"):
        served._json("GET", f"sweeps/endless/slice?{wanted.replace('.inf', '2')}")


def test_the_map_shows_each_state(done: Client) -> None:
    found = done._json("GET", "sweeps/two/map?x=F0&y=fault&at=T=30")
    assert found["x_values"] == [0.1, 1.0, 10.0]
    assert found["status"] == [["ok"] * 3, ["error"] * 3]
    turned = done._json("GET", "sweeps/two/map?x=fault&y=F0&at=T=30")
    assert turned["status"] == [["ok", "error"]] * 3


def test_configs_are_refused_with_the_command_lines_messages(done: Client) -> None:
    for bad in (
        tree(colour="red"),
        {"name": "a"},
        tree({"T": [-1]}),
        tree({"F0": {"geomspace": [0, 1, 3]}}),
        tree(settings={"damping": "none"}),
    ):
        with pytest.raises(ConfigError) as expected:
            resolve(parse(bad))
        with pytest.raises(RefusedError) as refused:
            done.submit(bad)
        assert refused.value.detail == str(expected.value)
        assert refused.value.status == 422
    with pytest.raises(RefusedError, match=r"CONFIG must be YAML\."):
        done.submit("axes: [1")


def test_existing_name_extends_its_cube_or_is_refused(done: Client) -> None:
    done.submit(tree(name="grows"))
    assert done.wait("grows", PATIENCE)["computed"] == 3
    done.submit(tree(name="grows"), "axes.F0=[1.0,2.0]")
    found = done.wait("grows", PATIENCE)
    assert (found["total"], found["computed"]) == (2, 1)
    assert found["config"].startswith("name: grows")
    with pytest.raises(
        RefusedError, match=r"'0.001' in the store and '0.01' now. Use another `name`\.$"
    ) as refused:
        done.submit(tree(name="grows", settings={"rtol": 0.01}))
    assert refused.value.status == 409


def test_cancel_resume_and_retry(done: Client, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    from support import fake_model

    tally.admit(8)
    axes = {"F0": {"linspace": [1, 10, 40]}, "seconds": [0.05], "fault": ["raise"]}
    done.submit(tree(axes, name="long"))
    with pytest.raises(RefusedError, match="is running") as refused:
        done.submit(tree(axes, name="long"))
    assert refused.value.status == 409
    for event in done.watch("long"):
        if event["failed"] > 3:
            break
    done.cancel("long")
    tally.open()
    found = until(done, "long", "cancelled")
    assert 3 < found["failed"] < 40
    with pytest.raises(RefusedError, match="nothing to stop"):
        done.cancel("long")
    before = found["failed"]
    done.resume("long")
    found = done.wait("long", PATIENCE)
    assert (found["state"], found["failed"]) == ("done", 40)
    assert found["computed"] <= 40 - before
    monkeypatch.setattr(fake_model, "misbehave", lambda settings, point: None)
    done.retry("long")
    found = done.wait("long", PATIENCE)
    assert (found["state"], found["done"], found["failed"]) == ("done", 40, 0)


def test_the_list_is_searched_and_filtered(done: Client) -> None:
    assert "two" in {s["name"] for s in done.sweeps()}
    assert {s["name"] for s in done.sweeps("tw")} == {"two"}
    assert done.sweeps("100%_") == []
    assert "two" not in {s["name"] for s in done.sweeps(state="running")}


@pytest.mark.slow
def test_dry_run_equals_the_command_line(done: Client) -> None:
    found = done.dry_run(yaml.safe_dump(tree(TWO, name="dry")))
    assert found["points"] == 12
    assert found["sampled_points"] == 3
    assert "dry" not in {s["name"] for s in done.sweeps()}
    assert not list(Path(done.sweep("two")["store"]).parent.glob(".dry-run*"))


def test_cubes_of_the_command_line_are_listed(tmp_path: Path) -> None:
    run(resolve(parse(tree(name="mine"))), place(tmp_path / "mine.zarr"), workers=0)
    with serving(tmp_path) as client:
        (found,) = client.sweeps()
        assert (found["name"], found["state"], found["done"]) == ("mine", "done", 3)
        assert client.slice("mine", "Delta0_peak").sizes["F0"] == 3
        assert yaml.safe_load(client.sweep("mine")["config"]) == tree(name="mine"), "as it was written"


def test_absent_server_is_reported() -> None:
    with pytest.raises(UnreachableError, match=r"must be the address of a running .* Got 'http://127.0.0.1:9'"):
        Client("http://127.0.0.1:9").sweeps()


def test_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"`url` must begin with http:// .* Got '127.0.0.1:8765'"):
        Client("127.0.0.1:8765")


def test_a_client_shows_its_address_and_never_its_token(done: Client) -> None:
    assert repr(Client(done.url, token="a-token-of-sixteen-or-more")) == f"Client({done.url!r})"


def test_proxy_is_not_used_for_loopback(done: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert "two" in {s["name"] for s in Client(done.url).sweeps()}


def test_a_config_may_be_a_path(done: Client, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(tree(name="of-a-path")))
    assert done.submit(path)["name"] == "of-a-path"
    assert done.wait("of-a-path", PATIENCE)["done"] == 3
    assert done.axes("of-a-path")["coords"]["F0"]["units"] == "mJ cm^-2"


@contextlib.contextmanager
def answering(*answers: bytes | None) -> Iterator[str]:
    """A server that gives each connection its bytes and hangs up; None says nothing for a while."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            for body in answers:
                with listener.accept()[0] as connection:
                    connection.recv(65536)
                    connection.sendall(body) if body is not None else time.sleep(1)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(PATIENCE)


def event(state: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\n\r\ndata: " + json.dumps({"state": state}).encode() + b"\n\n"


def test_waiting_client_reconnects() -> None:
    answers = [b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps({"state": s}).encode() for s in ("running", "done")]
    with answering(answers[0], b"", answers[1]) as url:
        assert Client(url, timeout=PATIENCE).wait("a")["state"] == "done"


def test_broken_stream_is_resumed() -> None:
    with answering(event("running") + b'data: {"st', b"", event("done")) as url:
        assert [e["state"] for e in Client(url, timeout=PATIENCE).watch("a")] == ["running", "done"]


def test_slow_server_is_reported() -> None:
    with (
        answering(None) as url,
        pytest.raises(UnreachableError, match=r"did not answer in time. Raise the client's `timeout`. Got 0.1 s"),
    ):
        Client(url, timeout=0.1).sweeps()


def test_the_client_reads_netcdf_as_bytes(done: Client) -> None:
    raw = done.download("two", "Delta0_peak", format="netcdf")
    assert xr.load_dataset(io.BytesIO(raw)).Delta0_peak.size == 12


@pytest.mark.slow
def test_a_sweep_names_its_cluster_file(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("kind: local\nworkers: 1\n")
    with serving(tmp_path) as client:
        client.submit(tree(name="there", cluster="one.yaml"))
        found = client.wait("there", PATIENCE)
        assert (found["state"], found["done"], found["cluster"]) == ("done", 3, "one.yaml"), found
        pool = client.record("there")["runs"][-1]["pool"]
        assert pool["shared"] is True
        assert pool["workers"] == 1
        assert "dashboard" not in pool, "its address would let every reader of the cube in"


def test_verification_and_repair(done: Client) -> None:
    assert done.verify("two")["problems"] == []
    store = Path(done.sweep("two")["store"])
    for path in (p for p in (store / "Delta0").rglob("*") if p.is_file() and p.name != "zarr.json"):
        path.write_bytes(b"damage")
    assert done.verify("two")["bad_points"] == 6
    assert done.verify("two", repair=True)["repaired"]
    done.resume("two")
    assert done.wait("two", PATIENCE)["done"] == 6
    assert done.verify("two")["problems"] == []
