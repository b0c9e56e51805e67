"""A point may say, raise and do anything: only it fails, with a text that every reader can hold."""

from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from photogap.sweeps.ask.config import parse
from photogap.sweeps.drive import flow
from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import Watch, run
from photogap.sweeps.store.place import place
from photogap.sweeps.work.texts import LONGEST, clean, describe
from support.driving import go, plan_of
from support.fake_config import tree

SAID = {
    "surrogate": ("error", "RuntimeError: bad ? text"),
    "long": ("error", "RuntimeError: xxxx"),
    "bytes": ("error", "RuntimeError: b"),
    "control": ("error", "RuntimeError: a\N{REPLACEMENT CHARACTER}[31m"),
    "mute": ("error", "MuteError, whose text raises SystemExit"),
    "system exit": ("error", "SystemExit"),
    "keyboard": ("error", "KeyboardInterrupt"),
    "base": ("error", "BaseException"),
    "generator exit": ("error", "GeneratorExit"),
    "unpicklable": ("error", "Local: odd"),
    "odd outcome": ("error", "the model returned the outcome"),
    "missing": ("error", "the model returned the outcome 'missing'"),
    "inf": ("nan", "Delta0 is infinite in 1 of 7 values"),
    "nan": ("nan", "Delta0 is NaN in 1 of 7 values"),
    "complex": ("error", "Delta0 has complex128 values; outputs must be real"),
}
GOOD = ["", "fork", "chdir"]
ENDING = ["segfault", "exit"]


def check(folder: Path, faults: list[str], report: Any) -> None:
    ds = xr.open_zarr(folder / "a.zarr").load()
    ok = ds.status == "ok"
    assert {str(f) for f in ds.fault.values if bool(ok.sel(fault=f).all())} == set(GOOD)
    assert not bool(ok.sel(fault=faults).any())
    assert report.counts.done == int(ok.sum())
    for fault, (code, message) in SAID.items():
        point = ds.sel(fault=fault)
        assert set(point.status.values.ravel().astype(object)) == {code}
        assert all(str(text).startswith(message) for text in point.message.values.ravel()), point.message.values
        assert bool(point.Delta0.isnull().all())
    assert max(len(str(text)) for text in ds.message.values.ravel()) < LONGEST + 100
    found = status(place(folder / "a.zarr"))
    assert sum(found["counts"].values()) == ds.status.size


def test_in_the_drivers_own_process_a_point_fails_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    here = Path.cwd()
    faults = list(SAID)
    check(tmp_path, faults, go(tmp_path, "a.zarr", {"fault": [*GOOD, *faults]}))
    assert Path.cwd() == here
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.slow
def test_in_workers_a_point_fails_alone(tmp_path: Path) -> None:
    faults = [*SAID, *ENDING]
    report = go(tmp_path, "a.zarr", {"fault": [*GOOD, *faults]}, workers=2, limits={"losses": 0})
    check(tmp_path, faults, report)
    ends = xr.open_zarr(tmp_path / "a.zarr").sel(fault=ENDING)
    assert set(ends.status.values.ravel().astype(object)) == {"lost"}


def test_failed_batch_blames_one_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from photogap.sweeps.work import task

    monkeypatch.setattr(flow.Flow, "_batch_size", lambda self: 5)
    whole = task.encode

    def encode(record: dict[str, Any], arrays: dict[str, Any]) -> bytes:
        if record["status"] == "ok" and record["point_id"] == bad:
            raise RuntimeError("no bytes of this point")
        return whole(record, arrays)

    plan = plan_of({"F0": [float(i) for i in range(1, 6)]})
    bad = plan.point_id(plan.grid.labels((0, 2, 0, 0, 0)))
    monkeypatch.setattr(task, "encode", encode)
    report = run(plan, place(tmp_path / "a.zarr"), workers=0)
    assert (report.counts.done, report.counts.failed) == (4, 1)
    point = xr.open_zarr(tmp_path / "a.zarr").sel(F0=3.0).squeeze()
    assert (str(point.status.values), str(point.message.values)) == (
        "error",
        "RuntimeError: no bytes of this point",
    )


def test_an_endless_point_ends_by_the_median_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "LEAST_LIMIT_S", 0.5)
    monkeypatch.setattr(flow, "_ENOUGH", 3)
    seen: list[float | None] = []
    plan = plan_of({"F0": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "fault": ["", "spin"]})
    watch = Watch(tell=lambda counts: seen.append(counts.limit), stopped=lambda: None)
    # Points with a median to come first; the first endless one would have hours.
    monkeypatch.setattr(flow, "FIRST_LIMIT_S", 0.5)
    report = run(plan, place(tmp_path / "a.zarr"), workers=0, watch=watch)
    assert (report.counts.done, report.counts.failed) == (6, 6)
    ds = xr.open_zarr(tmp_path / "a.zarr").squeeze()
    assert any("100 times the median" in str(text) for text in ds.message.sel(fault="spin").values)
    assert seen[-1] is not None
    assert seen[-1] >= 0.5


def test_no_limit_is_infinity() -> None:
    assert parse(tree(limits={"time_s": float("inf")})).limits.time_s == float("inf")


@pytest.mark.parametrize("given", ["a", "\udcff\ud800", b"\xff", "\x00\x1b", None, 3, object(), "y" * 10**6])
def test_clean_texts_are_short_and_printable(given: Any) -> None:
    text = clean(given)
    assert text.encode()
    assert len(text) < LONGEST + 100
    assert all(c.isprintable() for c in text)
    assert describe(ValueError(given)).startswith("ValueError: ")
