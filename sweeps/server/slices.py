"""Slices of a cube for requests, as JSON, CSV or NetCDF; large ones are refused."""

import csv
import io
import math
import threading
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xarray as xr

from ...core.units import printed
from ..analysis.loading import prepared
from ..ask.axes import Index
from ..ask.lookup import pick
from ..ask.selector import pairs, positions
from ..drive.sweep import LOG
from ..errors import ConfigError
from ..figures import pictures
from ..numbers import plain
from ..store.cube import MISSING, Cube
from ..store.log import Log
from ..store.place import Place
from .intake import TooLargeError

_RECENT_S = 90.0
# matplotlib's parser of mathematical text is shared by all figures of a process.
_DRAWING = threading.Lock()


def cut(place: Place, variables: list[str], at: list[str], limit: int) -> xr.Dataset:
    """Variables of a cube at labels; dims of length one are kept, dims of a fixed label are dropped.

    Raises:
        ConfigError: The variable, axis or label does not exist.
        TooLargeError: The slice has more numbers than the limit; none has been read.
    """
    ds = _open(place)
    for name in variables:
        if name not in ds.data_vars:
            known = ", ".join(map(str, ds.data_vars))
            raise ConfigError(f"`variable` must be a variable of the cube: {known}. Got {name!r}.")
    found = ds[[*dict.fromkeys([*variables, "status"])]]
    for name, text in pairs(at, "at").items():
        found = chosen(found, name, text)
    size = sum(int(v.size) for n, v in found.data_vars.items() if n in variables)
    if size > limit:
        shape = ", ".join(f"{d} {n}" for d, n in found.sizes.items())
        raise TooLargeError(
            f"the slice has {size} values ({shape}), over the limit of {limit}. "
            "Fix axes with `at`, such as at=T=30, or open the cube directly with xarray."
        )
    # Masked after slicing; masking the whole cube would read all of it.
    found = prepared(found.load())
    found.attrs = {k: v for k, v in ds.attrs.items() if k != "photogap"}
    return found


def _open(place: Place) -> xr.Dataset:
    ds: xr.Dataset = xr.open_zarr(place.zarr(read_only=True), chunks=None)
    return ds


def chosen(ds: xr.Dataset, name: str, text: str) -> xr.Dataset:
    """Dataset at a label, or at several, which keep the axis."""
    if name not in ds.coords or ds[name].ndim != 1:
        known = ", ".join(str(d) for d in ds.dims)
        raise ConfigError(f"`at` must name an axis that is not fixed yet: {known}. Got {name!r}.")
    out: xr.Dataset = ds.isel({ds[name].dims[0]: positions(ds[name].values.tolist(), text, name, "")})
    return out


def as_json(ds: xr.Dataset) -> dict[str, Any]:
    """Dims, coordinates and variables with their attributes; NaN is null."""
    return {
        "dims": {str(d): int(n) for d, n in ds.sizes.items()},
        "coords": {str(n): _json(c) for n, c in ds.coords.items()},
        "variables": {str(n): _json(v) for n, v in ds.data_vars.items()},
    }


def _json(array: xr.DataArray) -> dict[str, Any]:
    values = array.values
    return {
        "dims": [str(d) for d in array.dims],
        "units": str(array.attrs.get("units", "")),
        "printed": printed(str(array.attrs.get("units", ""))),
        "long_name": str(array.attrs.get("long_name", "")),
        "values": plain((values if values.dtype.kind in "fiub" else values.astype(object)).tolist()),
    }


def as_csv(ds: xr.Dataset) -> str:
    """CSV with one row per point: labels, then variables; units in the header."""
    names = [str(n) for n in ds.data_vars]
    dims = [str(d) for d in ds.dims]
    scalars = [str(n) for n, c in ds.coords.items() if c.ndim == 0]
    followers = [str(n) for n, c in ds.coords.items() if c.ndim == 1 and n not in dims]
    full = {n: ds[n].broadcast_like(ds).transpose(*dims).values for n in names + followers}
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([_head(ds, n) for n in (*scalars, *dims, *followers, *names)])
    fixed = [_cell(ds[n].values.item()) for n in scalars]
    labels = {d: [_cell(v) for v in ds[d].values] for d in dims}
    for index in np.ndindex(*(ds.sizes[d] for d in dims)):
        row = [labels[d][i] for d, i in zip(dims, index, strict=True)]
        table.writerow([*fixed, *row, *(_cell(full[n][index]) for n in (*followers, *names))])
    return out.getvalue()


def _head(ds: xr.Dataset, name: str) -> str:
    units = ds[name].attrs.get("units")
    return f"{name} ({units})" if units and units != "1" else name


def _cell(value: Any) -> Any:
    text = repr(float(value)) if isinstance(value, float | np.floating) else str(value)
    # A spreadsheet would read such a word as a formula.
    return f"'{text}" if text[:1] in "=@" else text


def as_netcdf(ds: xr.Dataset) -> bytes:
    """NetCDF 3 file, which needs no further package to write or read."""
    plain_ones = {n: v.copy(data=_netcdf3(v.values)) for n, v in ds.variables.items() if v.dtype.kind not in "fiu"}
    ds = ds.assign_coords({n: v for n, v in plain_ones.items() if n in ds.coords})
    ds = ds.assign({n: v for n, v in plain_ones.items() if n in ds.data_vars})
    for variable in ds.variables.values():
        variable.encoding = {}
    return bytes(ds.to_netcdf(engine="scipy", format="NETCDF3_64BIT"))


def _netcdf3(values: Any) -> Any:
    """Flags as small integers, words as Python strings: NetCDF 3 has neither booleans nor variable-length
    strings."""
    if values.dtype.kind == "b":
        return values.astype("int8")
    out = np.empty(values.shape, object)
    for index in np.ndindex(values.shape):
        out[index] = str(values[index])
    return out


def picture(place: Place, kind: str, limit: int, *, x: str, y: str, hue: str | None, at: list[str]) -> bytes:
    """The picture that `photogap plot` draws, as a file of a kind such as png."""
    if y not in _open(place).data_vars:
        pictures.reduced(_open(place), y)
    ds = cut(place, [y], at, limit)
    with _DRAWING, TemporaryDirectory() as folder:
        # What a picture's file says of its cube.
        ds.attrs |= {"photogap": _open(place).attrs.get("photogap", "{}")}
        elsewhere = pictures.first_elsewhere(ds, x, hue, {})
        path = pictures.plot(ds, Path(folder) / f"picture.{kind}", x=x, hue=hue, y=y, at=elsewhere)
        return path.read_bytes()


def status_map(
    cube: Cube, running: set[Index], x: str | None, y: str | None, at: Mapping[str, str], limit: int
) -> dict[str, Any]:
    """Status of the points over two axes, including running and unpacked ones.

    Raises:
        ConfigError: The axis or label does not exist.
        TooLargeError: The axes are longer than the limit.
    """
    dims, sizes = cube.grid.dims, cube.grid.shape
    for name in (x, y, *at):
        if name is not None and name not in dims:
            raise ConfigError(f"`x`, `y` and `at` must name axes: {', '.join(dims)}. Got {name!r}.")
    long = [d for d, n in zip(dims, sizes, strict=True) if n > 1 and d not in at] or [dims[1]]
    x = x or ("F0" if "F0" in long else long[0])
    y = y or next((d for d in long if d != x), None)
    if x == y:
        raise ConfigError(f"`y` must differ from `x`. Got {y!r}.")
    chosen = {d: 0 if d not in at else pick(cube.grid, d, at[d]) for d in dims}
    across = range(sizes[dims.index(x)])
    down = range(sizes[dims.index(y)]) if y else range(1)
    if len(across) * len(down) > limit:
        raise TooLargeError(f"the map has {len(across) * len(down)} points, over the limit of {limit}.")
    found = cube.array("status")[tuple(slice(None) if d in (x, y) else chosen[d] for d in dims)]
    rows = np.asarray(found).astype(object)
    rows = rows.reshape(1, -1) if y is None else rows if dims.index(y) < dims.index(x) else rows.T
    rows = rows.copy()
    overlay = _unpacked(cube) | dict.fromkeys(running, "running")
    for index, status in overlay.items():
        if all(i == chosen[d] for d, i in zip(dims, index, strict=True) if d not in (x, y)):
            j, i = (index[dims.index(y)] if y else 0), index[dims.index(x)]
            if rows[j, i] == MISSING:
                rows[j, i] = status
    columns, lines = _order(cube, x), _order(cube, y)
    return {
        "x": x,
        "y": y,
        "at": plain({d: cube.grid.axes[dims.index(d)].values[i] for d, i in chosen.items() if d not in (x, y)}),
        "x_values": plain([cube.grid.axes[dims.index(x)].values[i] for i in columns]),
        "y_values": plain([cube.grid.axes[dims.index(y)].values[j] for j in lines]) if y else [],
        "status": [[str(rows[j][i]) for i in columns] for j in lines],
    }


def _order(cube: Cube, name: str | None) -> list[int]:
    """Positions along an axis in the order of its labels; an extended cube has them in the order in which they were
    added."""
    if name is None:
        return [0]
    values = cube.grid.axes[cube.grid.dims.index(name)].values
    if any(isinstance(v, str | bool) for v in values):
        return [*range(len(values))]
    return sorted(range(len(values)), key=lambda i: float(values[i]))


def _unpacked(cube: Cube) -> dict[Index, str]:
    """Points that have just ended, which are in the driver's log before they are in the cube."""
    import contextlib
    import sqlite3
    import time

    path = cube.place.state / LOG
    out: dict[Index, str] = {}
    with contextlib.suppress(sqlite3.Error), contextlib.closing(Log(path, read_only=True)) as log:
        for row in log.points(f"ended > {time.time() - _RECENT_S}"):
            where = cube.grid.position(row["labels"])
            if where is not None:
                out[where] = row["status"]
    return out


def axes_of(place: Place) -> dict[str, Any]:
    """Data for a page's selectors: axes of the sweep and of the outputs, and variables with their dims."""
    raw = _open(place)
    points = raw["status"]
    ds = prepared(raw.drop_vars("status"))
    own = [str(d) for d in ds.dims if d not in points.dims]
    return {
        "dims": [str(d) for d in points.dims],
        "own_dims": own,
        "coords": {
            str(n): {k: v for k, v in _json(c).items() if k != "dims"} | {"dim": str(c.dims[0])}
            for n, c in ds.coords.items()
            if c.ndim == 1
        },
        "variables": {
            str(n): {
                "dims": [str(d) for d in v.dims],
                "units": str(v.attrs.get("units", "")),
                "printed": printed(str(v.attrs.get("units", ""))),
                "long_name": str(v.attrs.get("long_name", "")),
                "numeric": v.dtype.kind in "fiu",
            }
            for n, v in raw.data_vars.items()
        },
        "points": math.prod(points.shape),
    }
