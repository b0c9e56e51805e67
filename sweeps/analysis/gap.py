"""Size and lifetime of a gap, and the slope of a quantity along an axis."""

import numpy as np
import xarray as xr

from ..ask.axes import OWN
from .labels import Array, along, described, labelled, name_of, need, numbered, one_of, pick, units_of


def peak_gap(ds: xr.Dataset, variable: str = "Delta0") -> xr.DataArray:
    """Largest value over time.

    A cube also stores `Delta0_peak`, which needs no pass over the series: pass it as `variable` for the maximum
        over all times.

    Args:
        ds: A cube.
        variable: Series, or a variable without time, which is returned as it is.
    """
    values = pick(ds, variable)
    own = [d for d in OWN if d in values.dims]
    out = values.max(own, keep_attrs=True) if own else values
    return out.rename(f"peak_{variable}" if own else variable).assign_attrs(
        units=units_of(values), long_name=f"largest {name_of(values)}" if own else name_of(values)
    )


def time_above(ds: xr.Dataset, threshold: float, variable: str = "Delta0") -> xr.Dataset:
    """Time for which a series is above a threshold, interpolated linearly between recorded times.

    Args:
        ds: A cube.
        threshold: In the variable's units.
        variable: A series.

    Returns:
        `duration`, in the unit of time, and `outlasts`, 1 where the series is still above at the last time, so
        that the duration is a lower bound.
    """
    values = pick(ds, variable, "time")

    def measure(y: Array, t: Array) -> Array:
        if np.isnan(y).any():
            return np.array([np.nan, np.nan])
        a, b = y[:-1] - threshold, y[1:] - threshold
        high, spread = np.maximum(a, b), np.abs(a - b)
        share = np.where((a > 0) & (b > 0), 1.0, np.clip(high, 0, None) / np.where(spread > 0, spread, np.inf))
        return np.array([float(share @ np.diff(t)), float(y[-1] > threshold)])

    out = along(measure, values, ds["time"], dims=["time"], numbers=["duration", "outlasts"])
    above = f"{variable} > {threshold:g} {units_of(values)}"
    return described(
        out,
        {
            "duration": (units_of(ds["time"]), f"time for which {above}"),
            "outlasts": ("1", f"1 if still {above} at the last time"),
        },
    )


def slope(values: xr.DataArray, dim: str, *, scale: str = "linear") -> xr.DataArray:
    """Derivative along an axis, second order on uneven steps, one-sided at the ends.

    Points that failed and infinite labels are left out; the derivative at their neighbours spans the hole.

    Args:
        values: Of any dims, `dim` among them.
        dim: Axis.
        scale: `linear`, dy/dx; `log`, dy/d(ln x), for an axis of factors; `loglog`, d(ln y)/d(ln x), the local
            exponent (NaN where y <= 0).

    Returns:
        The derivative, of the same dims; NaN on an axis of one value.
    """
    one_of("scale", scale, ("linear", "log", "loglog"))
    need(values, "values", dim)
    whole = values.chunk({dim: -1}) if values.chunks else values

    def differentiate(y: Array, x: Array) -> Array:
        out = np.full(y.shape, np.nan)
        usable = np.isfinite(x) & np.isfinite(y)
        if scale != "linear":
            usable &= x > 0
        if scale == "loglog":
            usable &= y > 0
        # In the order of the labels, which a cube that grew may not have.
        keep = np.argsort(x, kind="stable")
        keep = keep[usable[keep]]
        if keep.size >= 2:
            u = x[keep] if scale == "linear" else np.log(x[keep])
            v = np.log(y[keep]) if scale == "loglog" else y[keep]
            out[keep] = np.gradient(v, u, edge_order=2 if keep.size > 2 else 1)
        return out

    out: xr.DataArray = xr.apply_ufunc(
        differentiate,
        whole,
        numbered(values, "dim", dim),
        input_core_dims=[[dim], [dim]],
        output_core_dims=[[dim]],
        vectorize=True,
        dask="parallelized",
        output_dtypes=[np.float64],
        keep_attrs=False,
    )
    unit = {"linear": f"{units_of(values)} ({units_of(values[dim])})^-1", "log": units_of(values), "loglog": "1"}
    what = {"linear": f"slope over {dim} of", "log": f"slope over ln {dim} of", "loglog": f"exponent in {dim} of"}
    return (
        labelled(out, values)
        .transpose(*values.dims)
        .rename(f"{values.name}_slope")
        .assign_attrs(units=unit[scale], long_name=f"{what[scale]} {name_of(values)}")
    )
