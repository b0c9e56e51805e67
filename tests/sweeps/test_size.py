"""Limits on the command line: checked before anything large is made, each with the way to allow it."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from photogap.core.declaration import Joint
from photogap.sweeps.ask import plan
from photogap.sweeps.ask.bounds import Bounds
from photogap.sweeps.ask.config import parse, read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive.estimate import estimate
from photogap.sweeps.drive.sweep import prepare, run
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.materials import library, media
from photogap.sweeps.store.cube import Cube
from photogap.sweeps.store.place import place
from support import fake_model
from support.driving import plan_of
from support.fake_config import tree

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
)


@pytest.mark.parametrize("text", [BOMB, BOMB.replace("x,x", "1,2"), "axes: " + "[" * 5000, "a: &a [*a]"])
def test_every_yaml_reader_refuses_a_bomb(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bomb.yaml"
    path.write_text(text)
    rule = r"must (contain at most|not nest deeper|not contain itself)"
    for reader in (read, library.load, media.load):
        with pytest.raises(ValueError, match=rule):
            reader(path if reader is not media.load else str(path))
    with pytest.raises(ConfigError, match=rule):
        parse(tree(), (f"axes.T={{{text}}}".replace("\n", ", ") if "[x" in text else "axes.T=" + "[" * 5000,))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"settings": {"n_times": 1.5e8}}, "`settings.n_times` must be at most 10000000, like every whole number"),
        ({"settings": {"n_times": "150000000"}}, "`settings.n_times` must be at most 10000000"),
        ({"settings": {"energies": [1.0] * 20_000}}, "`settings.energies` must have at most 10000 values"),
        ({"settings": {"energies": {"linspace": [0, 1, 1e9]}}}, "`settings.energies` must have at most 100000"),
        ({"axes": {"F0": {"geomspace": [1, 2, 1e12]}}}, "`axes.F0` must have at most 100000 values"),
        (
            {"refine": {"variable": "Delta0_peak", "axis": "F0", "tolerance": 1, "budget": 10**12}},
            "`refine.budget`",
        ),
        ({"limits": {"points": 2}}, "at most 2 points.*Got 3.*--set limits.points=3"),
        ({"settings": {"n_times": 9_000_000}}, "a point's outputs must take at most"),
        ({"settings": {"damping": {"a": 1}}}, "`settings.damping.a`: unknown key"),
        ({"settings": {"damping": "\ud800"}}, "must be text that UTF-8 can encode"),
    ],
)
def test_limits_are_checked_before_allocation(change: dict[str, Any], message: str) -> None:
    given = tree(change.pop("axes", None), **change)
    bounds = Bounds(axis=10_000, point_bytes=10_000_000)
    with pytest.raises(ConfigError, match=message):
        resolve(parse(given), bounds=bounds)


def test_refinement_counts_with_its_budget() -> None:
    refine = {"variable": "Delta0_peak", "axis": "F0", "tolerance": 1, "budget": 100}
    axes = {"T": {"linspace": [1, 9, 10]}}
    resolve(parse(tree(axes, refine=refine, limits={"points": 1030})))
    with pytest.raises(ConfigError, match=r"at most 1029 points, including those that `refine` may add. Got 1030"):
        resolve(parse(tree(axes, refine=refine, limits={"points": 1029})))


def test_large_union_of_small_sweeps_is_refused_unless_allowed(tmp_path: Path) -> None:
    target = place(tmp_path / "cube.zarr")
    limits = {"points": 50}
    prepare(resolve(parse(tree(limits=limits))), target)
    prepare(resolve(parse(tree({"F0": [0.1], "T": {"linspace": [30, 60, 10]}}, limits=limits))), target)
    wide = {"F0": [0.1], "tau_esc": {"linspace": [0.02, 1, 10]}}
    plan = resolve(parse(tree(wide, limits=limits)))
    with pytest.raises(
        ConfigError, match=r"would grow to 300 points \(material 1, F0 3, .*limit of 50.*--set limits.points=300"
    ):
        run(plan, target, workers=0)
    assert Cube(target, read_only=True).grid.size == 30
    prepare(resolve(parse(tree(wide, limits=limits), ("limits.points=300",))), target)
    assert Cube(target, read_only=True).grid.size == 300
    # What is there already needs no leave.
    prepare(plan, target)


def test_a_rule_that_very_many_combinations_may_break_fails_its_points_and_the_plan_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of such combinations only some are checked before the run."""

    def refuse(point: Any, settings: Any) -> None:
        if (point.F0, point.T) == (3.0, 4.0):
            raise ValueError("`F0` must not be 3 at 4 K. Got 3.0.")

    model = dataclasses.replace(fake_model.MODEL, rules=(Joint(("F0", "T"), refuse),))
    monkeypatch.setattr(fake_model, "RULED", model, raising=False)
    axes = {name: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] for name in ("F0", "T")}
    with pytest.raises(ConfigError, match="`F0` must not be 3 at 4 K"):
        plan_of(axes, model="support.fake_model:RULED")
    monkeypatch.setattr(plan, "_TRIED", 9)
    made = plan_of(axes, model="support.fake_model:RULED")
    assert plan.unchecked(made) == 36 - 9
    assert estimate(made)["rules_checked_as_points_run"] == "27 combinations; one that breaks a rule fails"
    report = run(made, place(tmp_path / "a.zarr"), workers=0)
    assert (report.counts.done, report.counts.failed) == (35, 1)
    bad = xr.open_zarr(tmp_path / "a.zarr").sel(F0=3.0, T=4.0).squeeze()
    assert (str(bad.status.values), str(bad.message.values)) == (
        "error",
        "ValueError: `F0` must not be 3 at 4 K. Got 3.0.",
    )
