"""A cube has every output that any of its points has: nothing that a worker computed is dropped in silence."""

import dataclasses
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from photogap.core.declaration import choices
from photogap.core.result import OUTPUTS, SWITCHES, variables
from photogap.core.settings import Settings
from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.errors import ConfigError, ContradictionError, StoreError
from photogap.sweeps.store.cube import Cube, Done, create
from photogap.sweeps.store.place import place
from photogap.sweeps.store.record import record_of
from photogap.sweeps.work import task
from support.fake_config import tree

BASE: dict[str, Any] = {"slabs": 2, "thickness": 50.0}
"""With these each switch may be on alone."""


def trials(field: Any) -> list[Any]:
    """Values to try a setting with: its default, and some of its type."""
    by_type = {"bool": (False, True), "float": (math.inf, 1.0, 5.0), "int": (1, 2), "tuple": ((), (0.5, 1.0))}
    return [
        field.default,
        *choices(Settings, field.name),
        *(value for kind, values in by_type.items() if kind in str(field.type) for value in values),
    ]


def settings_of(**given: Any) -> Settings | None:
    try:
        return Settings(**given)
    except (ValueError, TypeError):
        return None


def test_the_switches_are_all_settings_that_outputs_depend_on() -> None:
    """Found by trying each setting, with each other one at each of its values too."""
    fields = dataclasses.fields(Settings)
    found = set()
    for field, other in itertools.product(fields, fields):
        for value in trials(other):
            each = [settings_of(**(BASE | {other.name: value, field.name: trial})) for trial in trials(field)]
            if len({variables(s) for s in each if s is not None}) > 1:
                found.add(field.name)
    assert found == set(SWITCHES)


@pytest.mark.parametrize("outputs", [o for o in OUTPUTS if o.by], ids=lambda o: "+".join(o.by))
def test_a_switch_used_only_as_an_axis_has_its_outputs_in_the_cube(tmp_path: Path, outputs: Any) -> None:
    fields = {f.name: f for f in dataclasses.fields(Settings)}
    # A list labels the cube: it is no axis, and on or off for all points.
    lists = {name: [0.5, 1.0] for name in outputs.by if fields[name].default == ()}
    given = {
        name: [v for v in trials(fields[name]) if v is not None and settings_of(**(BASE | {name: v}))]
        for name in outputs.by
        if name not in lists
    }
    axes = {"material": ["Pb"], "F0": [0.001], "T": [4.0], "tau_esc": [100.0]}
    axes |= {name: list(dict.fromkeys(values)) for name, values in given.items()}
    axes["omega_probe"] = [v for v in axes.get("omega_probe", []) if math.isfinite(v)]
    settings = lists | {k: v for k, v in BASE.items() if "depth_profile" in axes}
    axes = {k: v for k, v in axes.items() if v}
    plan = resolve(parse({"name": "a", "axes": axes, "settings": settings}))
    cube = create(place(tmp_path / "a.zarr"), plan, record_of(plan))
    on = {v.name for index in plan.grid.indices() for v in variables(plan.settings_at(plan.grid.labels(index)))}
    assert {v.name for v in outputs.variables} <= on == set(cube.outputs)


def test_plot_of_an_output_switched_on_by_an_axis() -> None:
    axes = {"material": ["Pb"], "F0": [0.001], "T": [4], "tau_esc": [100], "omega_probe": [2, 5]}
    resolve(parse({"name": "a", "axes": axes, "plot": {"y": "dR_R0", "x": "omega_probe"}}))
    with pytest.raises(ConfigError, match=r"`plot.y`: unknown name.*Got 'dT_T0'"):
        resolve(parse({"name": "a", "axes": axes, "plot": {"y": "dT_T0", "x": "omega_probe"}}))


def switched(axes: dict[str, Any], **more: Any) -> Any:
    return resolve(parse(tree({"F0": [1.0], **axes}, model="support.switch_model:MODEL", **more)))


def test_point_without_an_output_is_nan(tmp_path: Path) -> None:
    run(switched({"probe": [0.0, 2.0], "layers": [False, True]}), place(tmp_path / "a.zarr"), workers=0)
    ds = xr.open_zarr(tmp_path / "a.zarr").squeeze().load()
    assert (ds.status == "ok").all()
    assert np.isnan(ds.seen.sel(probe=0.0)).all()
    assert np.array_equal(ds.seen.sel(probe=2.0), 2 * ds.Delta0.sel(probe=2.0))
    assert np.isnan(ds.layered.sel(layers=False)).all()
    assert np.isfinite(ds.layered.sel(layers=True)).all()
    assert list(ds.layer.values) == [0.5, 1.5]


def test_cube_extended_by_an_output_equals_one_computed_at_once(tmp_path: Path) -> None:
    full = {"probe": [0.0, 2.0], "layers": [False, True], "F0": [1.0, 3.0]}
    part = {"probe": [0.0], "layers": [False], "F0": [1.0]}
    once, grown = tmp_path / "once.zarr", tmp_path / "grown.zarr"
    run(switched(full), place(once), workers=0)
    for axes in (part, full):
        run(switched(axes), place(grown), workers=0)
    names = ["Delta0", "seen", "layered", "status", "point_id", "layer"]
    a, b = (xr.open_zarr(url).load()[names] for url in (grown, once))
    xr.testing.assert_identical(a.drop_attrs(deep=False), b.drop_attrs(deep=False))
    assert Cube(place(grown)).outputs == Cube(place(once)).outputs


def test_killed_extension_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = place(tmp_path / "a.zarr")
    run(switched({"probe": [0.0]}), target, workers=0)

    def killed(self: Cube, root: bytes) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Cube, "_put_root", killed)
        with pytest.raises(KeyboardInterrupt):
            run(switched({"probe": [0.0, 2.0]}), target, workers=0)
    assert "seen" not in Cube(target).outputs
    run(switched({"probe": [0.0, 2.0]}), target, workers=0)
    assert np.isfinite(xr.open_zarr(target.url).seen.sel(probe=2.0)).all()


def test_points_of_one_cube_share_the_labels_of_their_outputs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`axes.thickness`: all points of a cube share `layer`"):
        switched({"thickness": [2.0, 3.0], "layers": True})
    target = place(tmp_path / "a.zarr")
    run(switched({"thickness": [2.0], "layers": True}), target, workers=0)
    with pytest.raises(ContradictionError, match=r"the same `layer`, which is \[0.5, 1.5\] in the store and"):
        run(switched({"thickness": [3.0], "layers": True}), target, workers=0)


def test_undeclared_output_fails_its_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOGAP_TEST_WORKER", "extra")
    assert run(switched({}), place(tmp_path / "a.zarr"), workers=0).counts.failed == 1
    message = xr.open_zarr(tmp_path / "a.zarr").load().message.item()
    assert message == "the model returned unheard, not declared among its variables"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"seen": None}, "seen is absent in the result and of shape (7,) in the cube"),
        ({"unheard": np.zeros(3)}, "unheard is of shape (3,) in the result and absent in the cube"),
        ({"Delta0": np.zeros(3)}, "Delta0 is of shape (3,) in the result and of shape (7,) in the cube"),
    ],
)
def test_results_of_a_worker_with_another_version_are_compared_with_the_cube(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrays: dict[str, Any], message: str
) -> None:
    whole = task.encode

    def other(record: dict[str, Any], found: dict[str, Any]) -> bytes:
        changed = found | arrays if found else found
        return whole(record, {k: v for k, v in changed.items() if v is not None})

    monkeypatch.setattr(task, "encode", other)
    report = run(switched({"probe": [2.0]}), place(tmp_path / "a.zarr"), workers=0)
    assert report.counts.failed == 1
    ds = xr.open_zarr(tmp_path / "a.zarr").load()
    assert ds.status.item() == "error"
    assert ds.message.item() == f"{message}. Does the worker have another version of the package, or of the model?"
    assert np.isnan(ds.Delta0).all()


def test_packing_an_unknown_output_raises(tmp_path: Path) -> None:
    plan = switched({})
    cube = create(place(tmp_path / "a.zarr"), plan, record_of(plan))
    with pytest.raises(StoreError, match=r"has no variables unheard; the points' parts are kept"):
        cube.pack((0,) * 5, [Done((0,) * 5, {}, {"unheard": np.zeros(3)})])


def test_infinite_time_is_not_a_failure() -> None:
    """`steady_time` of a film that is not steady by the last sample is infinite."""
    (steady,) = [v for outputs in OUTPUTS for v in outputs.variables if v.name == "steady_time"]
    model: Any = dataclasses.make_dataclass("M", ["variables", "coordinates"])(lambda s: (steady,), lambda s: {})
    assert task.check(model, None, {"steady_time": np.array(math.inf)}) is None
    plain = dataclasses.replace(steady, may_be_infinite=False)
    model = dataclasses.replace(model, variables=lambda s: (plain,))
    found = task.check(model, None, {"steady_time": np.array(math.inf)})
    assert found is not None
    assert found[0] == "nan"
