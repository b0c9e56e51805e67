"""Synthetic cubes with known answers, and the faults that real cubes have."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr

UNITS = {"F0": "mJ cm^-2", "omega_pump": "meV", "T": "K", "tau_esc": "ps", "time": "ps", "energy": "meV"}
DIMS = ("material", "F0", "omega_pump", "T", "tau_esc")


def build(formula: Callable[..., Any], time: Any, **axes: Any) -> xr.Dataset:
    """A cube whose Delta0 is formula(F0=, omega_pump=, T=, tau_esc=, time=), labelled arrays that broadcast."""
    labels = {"F0": [1.0], "omega_pump": [170.0], "T": [30.0], "tau_esc": [1.0]} | axes
    coords = {d: xr.DataArray(np.asarray(v, float), dims=d) for d, v in (labels | {"time": time}).items()}
    template = xr.DataArray(0.0).expand_dims(material=np.array(["film"], dtype=object))
    for values in coords.values():
        template = template + 0 * values.where(np.isfinite(values), 0.0)
    Delta0 = (template + formula(**coords)).transpose(*DIMS, "time")
    ds = xr.Dataset({"Delta0": Delta0}, coords={**coords, "material": np.array(["film"], dtype=object)})
    for name, unit in UNITS.items():
        if name in ds.coords:
            ds[name].attrs = {"units": unit, "long_name": name}
    ds["Delta0"].attrs = {"units": "meV", "long_name": "gap at zero energy"}
    ds["status"] = DIMS, np.full([ds.sizes[d] for d in DIMS], "ok", dtype=object)
    return ds


def fail(ds: xr.Dataset, **index: int) -> xr.Dataset:
    """The cube with points at an index failed: NaN, and a status that says so."""
    ds = ds.copy(deep=True)
    ds["Delta0"][index] = np.nan
    ds["status"][index] = "not_converged"
    return ds


def shuffled(ds: xr.Dataset, dim: str) -> xr.Dataset:
    """The cube with an axis out of order, as one that has grown."""
    order = np.roll(np.arange(ds.sizes[dim]), 2)[::-1]
    return ds.isel({dim: order})


@pytest.fixture
def cube() -> Callable[..., xr.Dataset]:
    return build


@pytest.fixture
def failed() -> Callable[..., xr.Dataset]:
    return fail


@pytest.fixture
def unsorted() -> Callable[..., xr.Dataset]:
    return shuffled


def assert_labelled(ds: xr.Dataset) -> None:
    """Every variable and every axis of numbers has its unit and its name."""
    for name, values in ds.variables.items():
        if values.dtype.kind in "fiu":
            assert values.attrs.get("units"), f"{name} lacks units"
            assert values.attrs.get("long_name"), f"{name} lacks a long_name"


@pytest.fixture
def labelled() -> Callable[[xr.Dataset], None]:
    return assert_labelled
