"""Properties of axes: every point once, labels as the task got them, growth equals computing at once."""

import math
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photogap.sweeps.ask.axes import Axis, Grid, boxes, embed, extend, flat_order, same, union
from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.errors import ConfigError, ContradictionError
from photogap.sweeps.store.layout import Layout, choose, inner_chunk
from photogap.sweeps.store.place import place
from support.fake_config import tree
from support.fake_model import FILMS, Point, Settings, simulate

positive = st.floats(1e-6, 1e6).map(lambda x: float(f"{x:.6g}"))


def distinct(values: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=most, unique=True)


@st.composite
def axes(draw: st.DrawFn) -> dict[str, Any]:
    out = {
        "material": draw(distinct(st.sampled_from(["A", "B", "N"]), 3)),
        "F0": draw(distinct(positive, 4)),
        "omega_pump": draw(distinct(positive, 2)),
        "T": draw(distinct(positive, 2)),
        "tau_esc": draw(distinct(st.one_of(positive, st.just(float("inf"))), 2)),
    }
    if draw(st.booleans()):
        out["damping"] = draw(distinct(st.sampled_from(["full", "real"]), 2))
    if draw(st.booleans()):
        out["rtol"] = draw(distinct(positive, 2))
    return out


def compute(given_axes: dict[str, Any], folder: str, name: str) -> xr.Dataset:
    target = place(Path(folder) / name)
    report = run(resolve(parse(tree(given_axes))), target, workers=0)
    assert report.counts.failed == 0
    return xr.open_zarr(target.url).load()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(axes())
def test_every_point_is_computed_once_with_its_own_labels(given_axes: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ds = compute(given_axes, folder, "a.zarr")
    assert (ds.status == "ok").all()
    assert ds.status.dims[:5] == ("material", "F0", "omega_pump", "T", "tau_esc")
    assert ds.status.size == np.prod([len(v) for v in given_axes.values()])
    assert max(Counter(ds.point_id.values.ravel()).values()) == 1
    for index in np.ndindex(ds.status.shape):
        at = dict(zip(ds.status.dims, index, strict=True))
        cell = ds.isel(at)
        point = Point(
            material=FILMS[str(cell.material.item())],
            **{k: float(cell[k]) for k in ("F0", "omega_pump", "T", "tau_esc")},
        )
        more = {k: cell[k].values.item() for k in ("damping", "rtol") if k in ds.dims}
        assert np.array_equal(cell.Delta0, simulate(point, Settings(**more)).data["Delta0"])


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(axes(), st.data())
def test_extension_commutes_with_computing_at_once(full: dict[str, Any], data: st.DataObject) -> None:
    part = {k: data.draw(st.lists(st.sampled_from(v), min_size=1, unique=True)) for k, v in full.items()}
    with tempfile.TemporaryDirectory() as folder:
        compute(part, folder, "grown.zarr")
        grown = compute(full, folder, "grown.zarr")
        once = compute(full, folder, "once.zarr")
    names = ["Delta0", "Gamma", "Delta0_peak", "status", "point_id"]
    again = grown.reindex_like(once)
    xr.testing.assert_identical(again[names].drop_attrs(deep=False), once[names].drop_attrs(deep=False))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
def test_boxes_tile_a_grid_in_any_order(shape: list[int], data: st.DataObject) -> None:
    step = tuple(data.draw(st.integers(1, 6)) for _ in shape)
    order = tuple(data.draw(st.permutations(range(len(shape)))))
    covered: Counter[tuple[int, ...]] = Counter()
    for corner in boxes(tuple(shape), step, order):
        inside = tuple(min(n, m - c) for c, n, m in zip(corner, step, shape, strict=True))
        covered.update(tuple(c + o for c, o in zip(corner, offset, strict=True)) for offset in np.ndindex(inside))
    assert covered == Counter(dict.fromkeys(np.ndindex(*shape), 1))


@given(axes(), st.integers(1, 10_000_000))
def test_shards_are_large_enough_and_divided_by_inner_chunks(given_axes: dict[str, Any], size: int) -> None:
    grid = resolve(parse(tree(given_axes))).grid
    layout = choose(grid, size)
    lengths = dict(zip(grid.dims, layout.shard, strict=True))
    assert np.prod(layout.shard) <= 256
    assert lengths["material"] == lengths["T"] == 1 or np.prod(layout.shard) <= 32
    inner = inner_chunk(layout.shard, size)
    assert all(s % i == 0 for s, i in zip(layout.shard, inner, strict=True))
    assert [grid.dims[i] for i in flat_order(grid)][:2] == ["material", "T"]


def test_labels_that_differ_by_rounding_are_one() -> None:
    assert same(0.1 + 0.2, 0.3)
    assert not same(0.3, 0.300001)
    assert not same(True, 1)
    assert extend(Axis("F0", (0.3,)), Axis("F0", (0.1 + 0.2, 1.0))).values == (0.3, 1.0)


def test_a_follower_may_not_change_with_an_extension() -> None:
    old, new = Axis("F0", (1.0,), {"tau_esc": (0.1,)}), Axis("F0", (1.0, 2.0), {"tau_esc": (0.2, 0.3)})
    with pytest.raises(ContradictionError, match=r"`tau_esc` at F0=1.0 is 0.1 in the store and 0.2 in the config"):
        extend(old, new)


def test_union_keeps_the_old_positions() -> None:
    old, new = Grid((Axis("F0", (2.0, 1.0)),)), Grid((Axis("F0", (0.5, 1.0)),))
    both = union(old, new)
    assert both.axes[0].values == (2.0, 1.0, 0.5)
    assert embed(new, both) == ((2, 1),)
    with pytest.raises(ContradictionError, match="the store has dims F0"):
        union(old, Grid((Axis("T", (1.0,)),)))


def test_zipped_values_are_a_coordinate_of_the_first_axis(tmp_path: Path) -> None:
    given_axes = {"F0": [2.6, 4.5, 6.2], "tau_esc": [0.05, 0.2, 0.5]}
    target = place(tmp_path / "zip.zarr")
    run(resolve(parse(tree(given_axes, zip=[["F0", "tau_esc"]]))), target, workers=0)
    ds = xr.open_zarr(target.url)
    assert ds.Delta0.dims == ("material", "F0", "omega_pump", "T", "time")
    assert ds.tau_esc.dims == ("F0",)
    assert ds.tau_esc.attrs["units"] == "ps"
    assert dict(zip(ds.F0.values, ds.tau_esc.values, strict=True)) == {2.6: 0.05, 4.5: 0.2, 6.2: 0.5}
    with pytest.raises(ConfigError, match=r"`zip` of F0 and tau_esc needs equal lengths. Got 3 and 2"):
        resolve(parse(tree({"F0": [1, 2, 3], "tau_esc": [1, 2]}, zip=[["F0", "tau_esc"]])))


def test_photon_energies_follow_their_materials() -> None:
    both = resolve(
        parse({**tree({"material": ["A", "B"]}), "axes": _without(tree({"material": ["A", "B"]}), "omega_pump")})
    )
    assert both.grid.axes[0].followers == {"omega_pump": (170.0, 50.0)}
    one = resolve(parse({**tree(), "axes": _without(tree(), "omega_pump")}))
    assert one.grid.labels((0, 0, 0, 0, 0))["omega_pump"] == 170.0
    with pytest.raises(ConfigError, match=r"`axes.omega_pump`: required key is missing"):
        resolve(parse({**tree({"material": ["N"]}), "axes": _without(tree({"material": ["N"]}), "omega_pump")}))


@given(st.data())
def test_shards_count_their_points(data: st.DataObject) -> None:
    shape, shard = (data.draw(st.tuples(*[st.integers(1, most)] * 3)) for most in (5, 4))
    points = np.array(data.draw(st.lists(st.booleans(), min_size=math.prod(shape), max_size=math.prod(shape))))
    points = points.reshape(shape)
    layout = Layout(shard, shard)
    each = Counter(layout.corner(tuple(map(int, index))) for index in np.argwhere(points))
    assert layout.counts(points) == each


def _without(given_tree: dict[str, Any], name: str) -> dict[str, Any]:
    return {k: v for k, v in given_tree["axes"].items() if k != name}
