"""Shared parts of the analysis: outcomes, units and names, and a lazy map over series."""

import enum
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ...core.declaration import not_among

Array = NDArray[np.float64]
Labelled = TypeVar("Labelled", xr.DataArray, xr.Dataset)


class Found(enum.IntEnum):
    """Values of `outcome`, in CF's `flag_values` and `flag_meanings`."""

    FOUND = 0
    BELOW_RANGE = 1
    ABOVE_RANGE = 2
    NO_DATA = 3
    UNDETERMINED = 4


_FLAGS: dict[str, Any] = {
    "units": "1",
    "long_name": "outcome of the search",
    "flag_values": [int(f) for f in Found],
    "flag_meanings": " ".join(f.name.lower() for f in Found),
}


def tabled(function: Callable[..., Array], *values: xr.DataArray, dims: Sequence[str], count: int) -> xr.DataArray:
    """Apply a function to each series of a cube; its numbers become a new last dim `number`.

    Args:
        function: Takes one plain array per entry of `values`, of the dims that it has out of `dims`, sorted by
            their labels, and returns `count` numbers.
        values: Labelled arrays; Dask arrays stay lazy, each series in one chunk along `dims`.
        dims: Axes of a series; they are reduced.
        count: How many numbers.
    """
    arranged = [in_order(v, dims) for v in values]
    whole = [v.chunk({d: -1 for d in dims if d in v.dims}) if v.chunks else v for v in arranged]
    out: xr.DataArray = xr.apply_ufunc(
        function,
        *whole,
        input_core_dims=[[d for d in dims if d in v.dims] for v in whole],
        output_core_dims=[["number"]],
        vectorize=True,
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"number": count}},
        keep_attrs=False,
    )
    return labelled(out, *values)


def in_order(data: Labelled, dims: Iterable[Hashable]) -> Labelled:
    """Data sorted along dims with numeric labels: an extended cube has them in the order of arrival."""
    for dim in dims:
        labels = data[dim].values if dim in data.coords else np.empty(0)
        if labels.dtype.kind in "fiu" and (np.diff(labels) < 0).any():
            data = data.sortby(dim)
    return data


def labelled(out: xr.DataArray, *like: xr.DataArray) -> xr.DataArray:
    """A result with the units and names of the source axes, which `apply_ufunc` drops."""
    for name in out.coords:
        out[name].attrs = next((dict(v[name].attrs) for v in like if name in v.coords), {})
    return out


def along(
    function: Callable[..., Array], *values: xr.DataArray, dims: Sequence[str], numbers: Sequence[str]
) -> xr.Dataset:
    """As `tabled`, one variable per name."""
    return unpacked(tabled(function, *values, dims=dims, count=len(numbers)), numbers)


def unpacked(table: xr.DataArray, numbers: Sequence[str]) -> xr.Dataset:
    """One variable per name from a table along `number`."""
    return xr.Dataset({name: table.isel(number=i) for i, name in enumerate(numbers)})


def described(ds: xr.Dataset, names: Mapping[str, tuple[str, str]]) -> xr.Dataset:
    """The dataset with units and long_name on each variable, and `outcome` as flags."""
    for name, (units, long_name) in names.items():
        ds[name].attrs = {"units": units, "long_name": long_name}
    if "outcome" in ds:
        ds["outcome"] = ds["outcome"].astype(np.int8).assign_attrs(_FLAGS)
    return ds


def units_of(values: xr.DataArray) -> str:
    """CF units; "1" if none are stated."""
    return str(values.attrs.get("units", "1"))


def name_of(values: xr.DataArray) -> str:
    """The variable's long name, or its name."""
    return str(values.attrs.get("long_name", values.name))


def pick(ds: xr.Dataset, variable: str, *dims: str) -> xr.DataArray:
    """A numeric variable of the cube that has the dims.

    Raises:
        ValueError: The cube has no such variable, or it lacks a dim.
    """
    if variable not in ds.data_vars:
        raise ValueError(f"`variable` {not_among(variable, ds.data_vars)}")
    values = ds[variable]
    if values.dtype.kind not in "fiu":
        raise ValueError(f"`variable` must be a numeric variable. Got {variable!r}, of {values.dtype}.")
    need(values, "variable", *dims)
    return values


def need(values: xr.DataArray, argument: str, *dims: str) -> None:
    """Check that values have the dims.

    Raises:
        ValueError: A dim is missing.
    """
    missing = [d for d in dims if d not in values.dims]
    if missing:
        raise ValueError(
            f"`{argument}` must have the dims {', '.join(dims)}; select with a list to keep an axis of one value. "
            f"Got {values.name!r} of {tuple(map(str, values.dims))}."
        )


def numbered(values: xr.DataArray, argument: str, dim: str) -> xr.DataArray:
    """Labels of an axis as numbers.

    Raises:
        ValueError: It holds words.
    """
    if values[dim].dtype.kind not in "fiu":
        labels = ", ".join(map(str, values[dim].values[:12]))
        raise ValueError(f"`{argument}` must be an axis of numbers. Got {dim!r}, which holds {labels}.")
    return values[dim].astype(float)


def one_of(argument: str, value: str, allowed: Sequence[str]) -> None:
    """Check that a word is allowed.

    Raises:
        ValueError: The word is not allowed.
    """
    if value not in allowed:
        raise ValueError(f"`{argument}` {not_among(value, allowed)}")


def geometric(x: Array) -> bool:
    """True if positive values span a decade with a nearly constant ratio rather than a constant step."""
    x = np.unique(x[np.isfinite(x)])
    if x.size < 3 or not x[0] > 0 or x[-1] < 10 * x[0]:
        return False
    factors, steps = np.diff(np.log(x)), np.diff(x)
    return bool(factors.std() / factors.mean() < steps.std() / steps.mean())
