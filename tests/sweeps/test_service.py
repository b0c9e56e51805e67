"""The service without faults of the machine: cubes, resume, growth, refusal, failing points, commands."""

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml
from typer.testing import CliRunner

from photogap.sweeps.analysis.labels import geometric
from photogap.sweeps.cli.main import app
from photogap.sweeps.drive.sweep import Watch, replay, retry, run
from photogap.sweeps.errors import BusyError, ContradictionError, StoreError
from photogap.sweeps.store.cube import BOOK, Cube
from photogap.sweeps.store.lock import driver_lock
from photogap.sweeps.store.parts import TornError, decode, encode
from photogap.sweeps.store.place import place
from support.cubes import physics
from support.driving import go, plan_of
from support.fake_config import tree
from support.patience import PATIENCE

Tally = Callable[[], list[str]]
WIDE = {"F0": {"geomspace": [0.01, 10, 24]}, "T": [30, 60], "damping": ["full", "real"]}


def cli(*args: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in args])


def write_config(folder: Path, **more: Any) -> Path:
    path = folder / "c.yaml"
    path.write_text(yaml.safe_dump(tree({"F0": [0.1, 1.0, 10.0], "damping": ["full", "real"]}) | more))
    return path


def test_cubes_of_one_and_two_workers_are_the_same_to_the_bit(tmp_path: Path, shared_pool: Any) -> None:
    alone = go(tmp_path, "one.zarr", WIDE, workers=0)
    both = go(tmp_path, "two.zarr", WIDE, workers=2)
    assert (alone.counts.done, both.counts.done) == (96, 96)
    xr.testing.assert_identical(physics(tmp_path / "one.zarr"), physics(tmp_path / "two.zarr"))


def test_a_cube_opens_without_this_package(tmp_path: Path) -> None:
    go(tmp_path, "a.zarr", {"F0": [1.0, 0.1], "T": [30, 60]}, zip=[], settings={"energies": [1, 2]})
    code = f"""
import sys, warnings
warnings.simplefilter("error")
import xarray as xr
ds = xr.open_zarr({str(tmp_path / "a.zarr")!r})
assert not any(name.startswith("photogap") for name in sys.modules)
curve = ds.Delta0.sel(material="A", T=30).max("time")
assert curve.sizes["F0"] == 2 and float(curve.sel(F0=1.0).squeeze()) > 0
for name, variable in ds.variables.items():
    assert variable.attrs.get("long_name"), name
    assert variable.dtype.kind not in "fi" or variable.attrs.get("units"), name
assert ds.f.dims[-2:] == ("time", "energy")
assert ds.attrs["Conventions"].startswith("CF-")
assert str(ds.status.values.ravel()[0]) == "ok"
"""
    subprocess.run([sys.executable, "-S", "-c", _paths() + code], check=True, timeout=PATIENCE, cwd=tmp_path)


def _paths() -> str:
    """Site packages without the editable install of this package."""
    import zarr

    return f"import sys; sys.path.append({str(Path(zarr.__file__).parents[1])!r})\n"


def test_second_run_computes_only_new_points(tmp_path: Path, tally: Tally) -> None:
    go(tmp_path, "a.zarr", {"F0": [1.0, 2.0]})
    assert len(tally()) == 2
    assert go(tmp_path, "a.zarr", {"F0": [1.0, 2.0]}).counts.computed == 0
    assert len(tally()) == 2
    grown = go(tmp_path, "a.zarr", {"F0": [2.0, 3.0, 1.0], "T": [30, 77]})
    assert grown.counts.computed == 4
    assert len(tally()) == len(set(tally())) == 6
    fewer = go(tmp_path, "a.zarr", {"F0": [3.0]})
    assert (fewer.counts.total, fewer.counts.computed) == (1, 0)


def test_a_growing_cube_opens_and_shows_what_is_missing(tmp_path: Path) -> None:
    target = place(tmp_path / "a.zarr")
    seen = []

    def look() -> str | None:
        ds = xr.open_zarr(target.url)
        seen.append(ds.sizes["F0"])
        return "cancelled" if len(seen) == 3 else None

    report = run(plan_of({"F0": list(range(1, 20))}), target, workers=0, watch=Watch(stopped=look))
    assert report.reason == "cancelled"
    ds = xr.open_zarr(target.url)
    assert set(np.unique(ds.status.values.astype(object))) == {"ok", "missing"}
    assert bool((ds.Delta0.notnull().all("time") == (ds.status == "ok")).all())
    assert run(plan_of({"F0": list(range(1, 20))}), target, workers=0).counts.done == 19


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"settings": {"rtol": 1e-4}}, r"`settings.rtol` is '0.001' in the store and '0.0001' now"),
        ({"axes": {"damping": ["full", "real"]}}, r"`damping` is a setting in the store and an axis now"),
    ],
)
def test_a_contradiction_is_refused_and_recomputed_on_demand(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    go(tmp_path, "a.zarr")
    axes = change.pop("axes", None)
    with pytest.raises(ContradictionError, match=message):
        go(tmp_path, "a.zarr", axes, **change)
    report = run(plan_of(axes, **change), place(tmp_path / "a.zarr"), workers=0, recompute=True)
    assert report.counts.done == report.counts.computed == report.counts.total


def test_another_version_of_the_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    from support import fake_model

    go(tmp_path, "a.zarr")
    monkeypatch.setattr(fake_model, "NEXT", dataclasses.replace(fake_model.MODEL, version="2"), raising=False)
    with pytest.raises(ContradictionError, match=r"`model_version` is '1' in the store and '2' now"):
        go(tmp_path, "a.zarr", model="support.fake_model:NEXT")


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        ("raise", "error", "RuntimeError: no solution at F0="),
        ("nan", "nan", "Delta0 is NaN in 1 of 7 values"),
        ("diverge", "not_converged", "residual 0.1 after 100 iterations"),
        ("spin", "timeout", "over the limit of 3 s for a point"),
    ],
)
def test_failed_point_is_recorded_and_the_rest_complete(
    tmp_path: Path, shared_pool: Any, fault: str, status: str, message: str
) -> None:
    limits = {"time_s": 3.0 if fault == "spin" else None}
    report = go(tmp_path, "a.zarr", {"fault": ["", fault]}, workers=2, limits=limits)
    assert (report.counts.done, report.counts.failed) == (3, 3)
    ds = xr.open_zarr(tmp_path / "a.zarr").squeeze()
    assert set(ds.status.sel(fault=fault).values.astype(object)) == {status}
    assert all(message in str(text) for text in ds.message.sel(fault=fault).values)
    assert bool(ds.Delta0.sel(fault=fault).isnull().all())
    assert bool(ds.Delta0.sel(fault="").notnull().all())


def test_retry_computes_failed_points_again_and_replay_one_here(
    tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    from support import fake_model

    target = place(tmp_path / "a.zarr")
    go(tmp_path, "a.zarr", {"fault": ["", "raise"]})
    assert len(tally()) == 6
    record, arrays = replay(target, "F0=10,fault=raise")
    assert record["status"] == "error"
    assert "misbehave" in record["traceback"]
    assert arrays == {}
    monkeypatch.setattr(fake_model, "misbehave", lambda settings, point: None)
    report = retry(target, workers=0)
    assert (report.counts.computed, report.counts.done) == (3, 3)
    assert bool((xr.open_zarr(target.url).status == "ok").all())


def test_interrupted_retry_continues_with_the_same_command(
    tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    from support import fake_model

    target = place(tmp_path / "a.zarr")
    go(tmp_path, "a.zarr", {"fault": ["", "raise"], "F0": [0.1, 1.0, 10.0, 20.0, 30.0]})
    monkeypatch.setattr(fake_model, "misbehave", lambda settings, point: None)
    begun = len(tally())
    stop = Watch(stopped=lambda: "interrupted" if len(tally()) > begun else None)
    first = retry(target, workers=0, watch=stop)
    assert first.reason == "interrupted"
    assert 0 < first.counts.computed < 5
    second = retry(target, workers=0)
    assert first.counts.computed + second.counts.computed == 5
    assert len(tally()) == begun + 5, "no point twice"
    assert bool((xr.open_zarr(target.url).status == "ok").all())
    assert retry(target, workers=0).counts.computed == 0


def test_second_driver_reports_the_first(tmp_path: Path) -> None:
    target = place(tmp_path / "a.zarr")
    with driver_lock(target), pytest.raises(BusyError, match=r"process \d+ on .* already drives .*a.zarr"):
        run(plan_of(), target, workers=0)
    assert run(plan_of(), target, workers=0).counts.done == 3


def test_status_without_a_driver_shows_the_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from photogap.sweeps.drive import report

    target = place(tmp_path / "a.zarr")
    run(plan_of(), target, workers=0, watch=Watch(stopped=lambda: "cancelled"))

    def ends(target: Any) -> bool:
        run(plan_of(), target, workers=0)
        return False

    monkeypatch.setattr(report, "is_driven", ends)
    found = report.status(target)
    assert (found["live"], found["counts"], found["last_run"]["outcome"]) == (False, {"ok": 3}, "complete")


def test_incomplete_part_is_refused() -> None:
    data = encode({"status": "ok"}, {"x": np.arange(6.0).reshape(2, 3), "y": np.array(1.5)})
    record, arrays = decode(data)
    assert record == {"status": "ok"}
    assert np.array_equal(arrays["x"], np.arange(6.0).reshape(2, 3))
    assert arrays["y"].shape == ()
    for cut in (0, 10, len(data) // 2, len(data) - 1):
        with pytest.raises(TornError):
            decode(data[:cut])
    with pytest.raises(TornError):
        decode(data[:-1] + bytes([data[-1] ^ 1]))


def test_a_torn_part_is_computed_again(tmp_path: Path, tally: Tally) -> None:
    target = place(tmp_path / "a.zarr")
    plan = plan_of()
    torn = plan.point_id(plan.grid.labels((0, 0, 0, 0, 0)))
    target.blobs.put(f"parts/{torn}", encode({"status": "ok"}, {})[:-2])
    assert run(plan, target, workers=0).counts.done == 3
    assert len(tally()) == 3


def test_the_record_names_config_versions_host_and_times(tmp_path: Path) -> None:
    go(tmp_path, "a.zarr")
    record = Cube(place(tmp_path / "a.zarr"), read_only=True).record
    assert record["config"]["axes"]["F0"] == [0.1, 1.0, 10.0]
    assert record["resolved"]["settings"]["rtol"] == "0.001"
    (entry,) = record["runs"]
    assert {"zarr", "dask", "python", "photogap"} <= set(entry["versions"])
    assert entry["outcome"] == "complete"
    assert entry["end"] >= entry["start"]
    assert set(BOOK) <= set(xr.open_zarr(tmp_path / "a.zarr").data_vars)


def test_command_line_from_run_to_picture(tmp_path: Path, shared_pool: Any) -> None:
    store = tmp_path / "a.zarr"
    config = write_config(tmp_path, plot={"x": "F0", "hue": "damping"})
    dry = cli("run", config, "--store", store, "--dry-run", "--json")
    assert json.loads(dry.stdout)["points"] == 6
    assert not store.exists()
    done = cli("run", config, "--store", store, "--set", "axes.T=[30,60]", "--json")
    assert done.exit_code == 0, done.output
    numbers = json.loads(done.stdout)
    assert (numbers["done"], numbers["failed"]) == (12, 0)
    assert Path(numbers["picture"]).stat().st_size > 10_000
    told = cli("run", config, "--store", store)
    assert told.exit_code == 0
    assert "6 ok, 0 failed of 6 points; 0 computed now" in told.stdout
    assert f"cube: {store}" in told.stdout
    assert "F0 (mJ cm^-2)" in told.stdout
    status = json.loads(cli("status", store, "--json").stdout)
    assert status["counts"] == {"ok": 12}
    assert status["live"] is False
    assert len(status["slowest"]) == 5
    assert "12 ok" in cli("status", store).stdout
    shown = cli("show", store, "--out", tmp_path / "m.png")
    assert "status: T down, F0 across" in shown.stdout, shown.output
    assert (tmp_path / "m.png").exists()
    drawn = cli("plot", store, "--at", "T=60", "--hue", "damping", "--out", tmp_path / "p.png", "--json")
    assert json.loads(drawn.stdout)["columns"] == [
        "F0 (mJ cm^-2)",
        "Delta0 (meV) at damping = full",
        "Delta0 (meV) at damping = real",
    ]
    missing = cli("plot", store, "--hue", "damping")
    assert missing.exit_code == 2
    assert "`--at T=VALUE` or `--hue T` is needed" in missing.stderr
    wrong = cli("plot", store, "--at", "T=31", "--hue", "damping")
    assert "`--at T` must be one of 30, 60. Got '31'" in wrong.stderr


def test_command_line_fails_with_reasons(tmp_path: Path, shared_pool: Any) -> None:
    store = tmp_path / "a.zarr"
    config = write_config(tmp_path, axes=tree({"fault": ["", "raise"]})["axes"])
    assert cli("run", config, "--store", store).exit_code == 1
    found = json.loads(cli("status", store, "--json").stdout)
    assert found["counts"] == {"error": 3, "ok": 3}
    assert [(r["status"], r["count"]) for r in found["reasons"]] == [("error", 3)]
    assert "no solution at F0=0.1" in cli("status", store).stdout
    point = found["failed"][0]["point_id"]
    again = cli("replay", store, point[:10], "--json")
    assert again.exit_code == 1
    assert json.loads(again.stdout)["status"] == "error"
    wrong = cli("replay", store, "F0=1,fault=loop")
    assert "`fault` must be one of , raise. Got 'loop'" in wrong.stderr
    assert "POINT must give axes of the cube. Did you mean `F0`? Got 'F'" in cli("replay", store, "F=1").stderr
    assert cli("retry", store, "--workers", "0").exit_code == 1
    assert cli("retry", store, "--failed", "--workers", "0").exit_code == 1, "as scripts of earlier versions say"
    assert "no run of" in cli("cancel", store).stdout
    for command in (("status",), ("cancel",), ("retry", "--failed"), ("replay", "T=30"), ("plot",), ("show",)):
        absent = cli(command[0], tmp_path / "no.zarr", *command[1:])
        assert absent.exit_code == 5
        assert "No cube at" in absent.stderr
    assert not (tmp_path / "no.zarr.state").exists()
    bad = cli("run", write_config(tmp_path, colour="red"), "--store", store)
    assert bad.exit_code == 2
    assert "`colour`: unknown key" in bad.stderr
    config = write_config(tmp_path)
    for url in ("ftp://x", "s3:/bucket/x.zarr"):
        assert "`--store` must be a local path or start with s3://" in cli("run", config, "--store", url).stderr
    unknown = cli("run", config, "--cluster", "slurmy", "--dry-run")
    assert "`cluster` must be `local`" in unknown.stderr


@pytest.mark.parametrize("typed", [".inf", "inf"])
def test_an_infinite_escape_time_is_named_as_in_yaml(tmp_path: Path, typed: str) -> None:
    go(tmp_path, "a.zarr", {"tau_esc": [0.02, math.inf]})
    store = tmp_path / "a.zarr"
    assert cli("plot", store, "--at", f"tau_esc={typed}").exit_code == 0
    assert cli("show", store, "--at", f"tau_esc={typed}", "--y", "T").exit_code == 0
    told = cli("replay", store, f"F0=1,tau_esc={typed}", "--json")
    assert json.loads(told.stdout)["labels"]["tau_esc"] == "inf"


def test_a_retry_where_nothing_failed_does_nothing(tmp_path: Path, shared_pool: Any) -> None:
    go(tmp_path, "a.zarr")
    told = cli("retry", tmp_path / "a.zarr", "--failed")
    assert told.exit_code == 0
    assert "nothing to do: no point of" in told.stdout
    assert "computing in this process" in told.stderr


@pytest.mark.parametrize(
    "command", ["", "run", "status", "plot", "show", "retry", "replay", "cancel", "materials", "movie"]
)
def test_every_command_has_help(command: str) -> None:
    shown = cli(*filter(None, [command]), "--help")
    assert shown.exit_code == 0
    assert "Usage" in shown.stdout


def test_pictures_know_which_axis_is_geometric() -> None:
    assert geometric(np.array([0.01, 0.1, 1, 10]))
    assert not geometric(np.linspace(1, 20, 9))
    assert not geometric(np.array([0.0, 1, 10, 100]))


def test_foreign_zarr_group_is_refused(tmp_path: Path) -> None:
    import zarr

    zarr.create_group(tmp_path / "a.zarr").create_array("x", shape=(3,), dtype="f8")
    for recompute in (False, True):
        with pytest.raises(StoreError, match="the Zarr group has no record"):
            run(plan_of(), place(tmp_path / "a.zarr"), workers=0, recompute=recompute)
    assert (tmp_path / "a.zarr" / "x" / "zarr.json").exists()


def test_foreign_folder_or_file_is_refused(tmp_path: Path) -> None:
    go(tmp_path, "mine/a.zarr")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "today.txt").write_text("dear diary")
    (tmp_path / "file").write_text("")
    wrong = {"mine": r"contains 'a.zarr'", "notes": r"contains 'today.txt'", "file": r"a file\."}
    for name, message in wrong.items():
        for recompute in (False, True):
            with pytest.raises(
                StoreError, match=rf"STORE must be a cube, an empty folder or a new path.* {message}"
            ):
                run(plan_of(), place(tmp_path / name), workers=0, recompute=recompute)
        assert not place(tmp_path / name).state.exists()
    (tmp_path / "empty").mkdir()
    assert go(tmp_path, "empty").counts.done == 3


def test_resume_of_a_partly_created_cube(tmp_path: Path) -> None:
    go(tmp_path, "a.zarr")
    shutil.rmtree(tmp_path / "a.zarr" / "Delta0")
    for path in (tmp_path / "a.zarr").rglob("*"):
        if path.is_file() and path.name != "zarr.json":
            path.unlink()
    (tmp_path / "a.zarr" / "zarr.json").unlink()
    (tmp_path / "a.zarr" / "Gamma" / ".zarr.json.partial").write_text("")
    assert go(tmp_path, "a.zarr").counts.done == 3


def test_refinement_goes_where_the_output_changes(tmp_path: Path) -> None:
    rule = {"variable": "Delta0_peak", "axis": "F0", "tolerance": 0.02, "budget": 9}
    plan = plan_of({"F0": {"geomspace": [0.01, 10, 4]}, "damping": ["full", "real"]}, refine=rule)
    target = place(tmp_path / "a.zarr")
    report = run(plan, target, workers=0)
    ds = xr.open_zarr(target.url).sortby("F0")
    assert bool((ds.status == "ok").all())
    assert report.counts.computed == ds.status.size
    steps = abs(ds.Delta0_peak.diff("F0"))
    assert float(steps.max()) <= 0.02 or ds.sizes["F0"] == 4 + 9
    # The output grows linearly: its changes, and so the new points, are at large F0.
    assert int((ds.F0 > 1).sum()) > int((ds.F0 < 0.1).sum())
