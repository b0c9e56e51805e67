"""Slices of a cube for requests, as JSON, CSV or NetCDF; large ones are refused."""

import csv
import io
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xarray as xr

from ...core.units import printed
from ..analysis.loading import prepared
from ..analysis.uncertain import SUFFIX, with_errors
from ..ask.axes import OWN
from ..ask.selector import pairs, positions
from ..errors import ConfigError
from ..figures import pictures, words
from ..numbers import plain
from ..store.place import Place
from .intake import TooLargeError
from .planes import READ

# matplotlib's parser of mathematical text is shared by all figures of a process.
_DRAWING = threading.Lock()


def cut(place: Place, variables: list[str], at: list[str], limit: int, largest: Sequence[str] = ()) -> xr.Dataset:
    """Variables of a cube at labels; dims of length one are kept, dims of a fixed label are dropped.

    Args:
        place: Place of the cube.
        variables: Their names.
        at: Labels, `T=30`.
        limit: Largest number of values; sixteen times as many are read where they are reduced.
        largest: Dims of the outputs over which the largest value is taken.

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
    for dim in largest:
        if dim not in OWN or dim not in found.dims:
            known = ", ".join(str(d) for d in found.dims if d in OWN)
            raise ConfigError(f"`largest` must be a dim of the variable: {known or 'it has none'}. Got {dim!r}.")
    size = sum(
        math.prod(n for d, n in found[v].sizes.items() if d not in largest) for v in dict.fromkeys(variables)
    )
    read = sum(found[v].size for v in dict.fromkeys(variables))
    if size > limit or read > READ * limit:
        shape = ", ".join(f"{d} {n}" for d, n in found.sizes.items())
        raise TooLargeError(
            f"the slice has {max(size, read // READ)} values ({shape}), over the limit of {limit}. "
            "Fix axes with `at`, such as at=T=30, or open the cube directly with xarray."
        )
    # Masked after slicing; masking the whole cube would read all of it.
    found = prepared(found.load())
    for name in variables:
        over = [d for d in largest if d in found[name].dims]
        found[name] = found[name].max(over, keep_attrs=True) if over else found[name]
    found.attrs = {k: v for k, v in ds.attrs.items() if k != "photogap"}
    return found


def _open(place: Place) -> xr.Dataset:
    """A cube, with the errors that `converge` measured."""
    return with_errors(xr.open_zarr(place.zarr(read_only=True), chunks=None), place)


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


def picture(
    place: Place,
    kind: str,
    limit: int,
    *,
    x: str,
    y: str,
    hue: str | None,
    at: list[str],
    style: str = "screen",
    columns: int = 0,
) -> bytes:
    """The picture that `photogap plot` draws, as a file of a kind such as png, in one of its styles."""
    if y not in _open(place).data_vars:
        pictures.reduced(_open(place), y)
    raw = _open(place)
    ds = cut(place, [y, *([f"{y}{SUFFIX}"] if f"{y}{SUFFIX}" in raw else [])], at, limit)
    with _DRAWING, TemporaryDirectory() as folder:
        # What a picture's file says of its cube.
        ds.attrs |= {"photogap": _open(place).attrs.get("photogap", "{}")}
        elsewhere = pictures.first_elsewhere(ds, x, hue, {})
        out = Path(folder) / f"picture.{kind}"
        path = pictures.plot(ds, out, x=x, hue=hue, y=y, at=elsewhere, style=style, columns=columns)
        return path.read_bytes()


def _shown(label: Any) -> str:
    """A label in print."""
    return words.formula(label) if isinstance(label, str) else words.number(label)


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
            str(n): {k: v for k, v in _json(c).items() if k != "dims"}
            | {"dim": str(c.dims[0]), "symbol": words.marked(n), "shown": [_shown(v) for v in c.values.tolist()]}
            for n, c in ds.coords.items()
            if c.ndim == 1
        },
        "variables": {
            str(n): {
                "dims": [str(d) for d in v.dims],
                "units": str(v.attrs.get("units", "")),
                "printed": printed(str(v.attrs.get("units", ""))),
                "long_name": str(v.attrs.get("long_name", "")),
                "symbol": words.marked(n),
                "error": f"{n}{SUFFIX}" in raw,
                "numeric": v.dtype.kind in "fiu",
            }
            for n, v in raw.data_vars.items()
            if not (str(n).endswith(SUFFIX) and str(n).removesuffix(SUFFIX) in raw)
        },
        "points": math.prod(points.shape),
    }
