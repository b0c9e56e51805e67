"""Cubes in other packages: pint, UDUNITS, hvplot, and the writers of xarray."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr

import photogap
from photogap.core.declaration import declarations
from photogap.core.material import Material
from photogap.core.quantities import AXES, DIMS
from photogap.core.result import OUTPUTS
from photogap.core.settings import Settings
from photogap.core.units import powered
from photogap.sweeps.store.cube import BOOK
from support.fake_config import tree
from support.packages import needed

UNITS = {
    *(v.units for row in OUTPUTS for v in row.variables),
    *(d.unit for table in (AXES, DIMS, declarations(Settings), declarations(Material)) for d in table.values()),
    *(row[2] for row in BOOK.values()),
} - {None, "", "1"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: Any) -> Path:
    path = tmp_path_factory.mktemp("ecosystem") / "a.zarr"
    photogap.run(tree(), path, workers=0, progress=False)
    return path


def test_every_unit_has_its_powers_marked() -> None:
    assert {"mJ cm^-2", "meV nm^-3", "ps^-1", "ohm^-1 nm^-1"} <= UNITS
    assert {unit for unit in UNITS if powered(unit) != unit} == set()


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_pint_and_udunits_read_every_unit(unit: str) -> None:
    pint = needed("pint")
    cf_units = needed("cf_units")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        registry = pint.UnitRegistry()
    base = registry.parse_units(unit)
    factor = float((1.0 * base).to_base_units().magnitude)
    si = format((1.0 * base).to_base_units().units, "C").replace("**", "^").replace("*", " ")
    assert cf_units.Unit(unit).convert(1.0, cf_units.Unit(si)) == pytest.approx(factor, rel=1e-6)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mJ cm-2", "mJ cm^-2"),
        ("ohm-1 nm-1", "ohm^-1 nm^-1"),
        ("meV (mJ cm-2)-1", "meV (mJ cm^-2)^-1"),
        ("mJ cm^-2", "mJ cm^-2"),
        ("K", "K"),
        ("1", "1"),
    ],
)
def test_units_of_older_cubes(old: str, new: str) -> None:
    assert powered(old) == new


def test_cube_of_an_older_version_grows_and_opens_with_new_units(tmp_path: Path) -> None:
    store, old = tmp_path / "a.zarr", tree()
    first = photogap.run(old, store, workers=0, progress=False)
    group = zarr.open_group(store, use_consolidated=False)
    group["F0"].attrs["units"] = "mJ cm-2"
    group["Gamma"].attrs["units"] = "ps-1"
    more = tree(axes=tree()["axes"] | {"F0": [*tree()["axes"]["F0"], 77.0]})
    grown = photogap.run(more, store, workers=0, progress=False)
    assert zarr.open_group(store)["F0"].attrs["units"] == "mJ cm-2"
    assert (grown["F0"].attrs["units"], grown["Gamma"].attrs["units"]) == ("mJ cm^-2", "ps^-1")
    assert grown.sizes["F0"] == first.sizes["F0"] + 1
    known = grown["point_id"].sel(F0=first["F0"])
    assert (known.values == first["point_id"].values).all()


def test_conventions_and_units_are_in_the_store(store: Path) -> None:
    raw = xr.open_zarr(store)
    assert raw.attrs["Conventions"] == "CF-1.11"
    assert raw["F0"].attrs["units"] == "mJ cm^-2"


def test_quantify(store: Path) -> None:
    needed("pint_xarray")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantified = photogap.open(store).load().pint.quantify()
    assert f"{quantified['Gamma'].data.units}" == "1 / picosecond"
    assert f"{quantified['F0'].pint.units}" == "millijoule / centimeter ** 2"
    per_ns = quantified["Gamma"].pint.to("1/ns").pint.magnitude
    np.testing.assert_allclose(per_ns, 1000 * photogap.open(store)["Gamma"].values)


@pytest.mark.parametrize("chunks", [None, "stored"])
def test_slice_goes_to_zarr_and_back(store: Path, chunks: Any, tmp_path: Path) -> None:
    part = photogap.open(store, chunks=chunks).isel(F0=slice(1, 2), time=slice(1, None))
    part.to_zarr(tmp_path / "part.zarr", consolidated=False)
    xr.testing.assert_equal(xr.open_zarr(tmp_path / "part.zarr", consolidated=False).load(), part.load())


def test_hvplot_labels_an_opened_cube(store: Path) -> None:
    """Curves over time and over an axis, and a map; long names and units of the cube are on them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        needed("hvplot.xarray")
        ds = photogap.open(store).load()
        curves = ds.Delta0.squeeze().hvplot.line(x="time", by="F0")
        line = ds.Delta0_peak.squeeze().hvplot.line(x="F0", logx=True)
        colours = ds.Delta0.squeeze().hvplot.quadmesh(x="time", y="F0")
        drawn = needed("holoviews").renderer("bokeh").get_plot(colours).state
    assert len(curves) == ds.sizes["F0"]
    np.testing.assert_array_equal(line["Delta0_peak"], ds.Delta0_peak.values.ravel())
    assert (line.kdims[0].label, line.kdims[0].unit) == ("incident fluence of the pump", "mJ cm^-2")
    assert colours.vdims[0].unit == "meV"
    assert drawn.yaxis[0].axis_label == "incident fluence of the pump (mJ cm^-2)"
