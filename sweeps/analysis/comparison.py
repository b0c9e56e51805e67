"""Differences of two cubes at the labels that both have."""

from typing import Any

import numpy as np
import xarray as xr

from ..ask.axes import OWN, key
from .labels import pick


def matched(a: xr.Dataset, b: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Both cubes at their common labels, in the order of the first.

    Args:
        a, b: Cubes, opened. Axes that one lacks must have one value in the other, and are left out.

    Raises:
        ValueError: They have no common label on an axis, or an axis that the other lacks has several values.
    """
    for ds, other in ((a, b), (b, a)):
        for dim in sorted(set(map(str, ds["status"].dims)) - set(map(str, other["status"].dims))):
            if ds.sizes[dim] > 1:
                raise ValueError(
                    f"`{dim}` is an axis of one cube only; select one of its values with `at`. "
                    f"Got {ds.sizes[dim]} values."
                )
    a, b = (_without(ds, other) for ds, other in ((a, b), (b, a)))
    for dim in (str(d) for d in a.dims if d in b.dims):
        theirs = {key(_scalar(v)): i for i, v in enumerate(b[dim].values)}
        pairs = [(i, theirs[k]) for i, v in enumerate(a[dim].values) if (k := key(_scalar(v))) in theirs]
        if not pairs:
            raise ValueError(f"the cubes must have common labels on `{dim}`. Got none.")
        a, b = a.isel({dim: [i for i, _ in pairs]}), b.isel({dim: [j for _, j in pairs]})
        # Labels that agree to twelve digits are the same: xarray would join them exactly.
        b = b.assign_coords({dim: a[dim]})
    return a, b


def _without(ds: xr.Dataset, other: xr.Dataset) -> xr.Dataset:
    return ds.squeeze([d for d in ds["status"].dims if d not in other["status"].dims], drop=True)


def _scalar(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def compare(a: xr.Dataset, b: xr.Dataset) -> list[dict[str, Any]]:
    """Largest difference of each common variable, sorted by relative size.

    >>> import xarray as xr
    >>> gap = xr.DataArray([1.0, 2.0], dims="F0", coords={"F0": [0.1, 1.0]}, attrs={"units": "meV"})
    >>> ok = xr.DataArray(["ok", "ok"], dims="F0")
    >>> a = xr.Dataset({"Delta0_peak": gap, "status": ok})
    >>> compare(a, a.assign(Delta0_peak=gap + [0, 0.5]))[0]["largest"]
    0.5

    Args:
        a, b: Cubes from `matched`.

    Returns:
        For each variable: `variable`, `units`, `largest` difference b - a, `relative` to the largest size of a,
        `at` (labels of that place), `points` where both have numbers, `only_a` and `only_b` (points that one cube
        lacks).
    """
    rows = [_row(a, b, name) for name in map(str, a.data_vars) if name in b and a[name].dtype.kind == "f"]
    return sorted(rows, key=lambda row: -np.nan_to_num(row["relative"], nan=-1.0))


def _row(a: xr.Dataset, b: xr.Dataset, name: str) -> dict[str, Any]:
    left, right = pick(a, name), pick(b, name)
    difference = (right - left).transpose(*left.dims)
    size, scale = xr.DataArray(abs(difference)), float(abs(left).max())
    known = [left.notnull(), right.notnull()]
    own = [d for d in left.dims if d in OWN]
    has = [bool_.any(own) if own else bool_ for bool_ in known]
    row: dict[str, Any] = {
        "variable": name,
        "units": left.attrs.get("units", "1"),
        "points": int((has[0] & has[1]).sum()),
        "only_a": int((has[0] & ~has[1]).sum()),
        "only_b": int((~has[0] & has[1]).sum()),
        "largest": float("nan"),
        "relative": float("nan"),
        "at": {},
    }
    if bool(size.notnull().any()):
        where = {d: int(i) for d, i in dict(size.argmax(list(size.dims))).items()}
        row["largest"] = float(difference.isel(where))
        row["relative"] = abs(row["largest"]) / scale if scale else (0.0 if row["largest"] == 0 else float("inf"))
        row["at"] = {str(d): _scalar(left[d].values[i]) for d, i in where.items()}
    return row


def together(a: xr.Dataset, b: xr.Dataset, names: tuple[str, str]) -> xr.Dataset:
    """Both cubes along a new axis `cube`, with the variables that both have."""
    common = [str(v) for v in a.data_vars if v in b and a[v].dims == b[v].dims]
    return xr.concat(
        [a[common], b[common]],
        xr.DataArray(list(names), dims="cube", name="cube"),
        combine_attrs="drop_conflicts",
        join="override",
        coords="minimal",
        compat="override",
    )
