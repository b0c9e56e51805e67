"""Numerical errors of a cube's values, from `photogap converge`."""

import numpy as np
import xarray as xr

from ..store.kept_errors import kept
from ..store.place import Place

SUFFIX = "_error"


def with_errors(ds: xr.Dataset, place: Place) -> xr.Dataset:
    """A cube with `NAME_error` for each variable whose error `converge` measured at any point; else unchanged.

    Args:
        ds: The cube, opened.
        place: Its place.

    Returns:
        The dataset; an error has the dims of the points and its variable's unit, is the largest change of the
        series where the variable is one, and NaN where it was not measured.
    """
    known = kept(place)
    if not known or "point_id" not in ds:
        return ds
    ids = ds["point_id"]
    names = sorted({name for errors in known.values() for name in errors} & {str(v) for v in ds.data_vars})
    found = {}
    for name in names:
        values = [known.get(str(point), {}).get(name, np.nan) for point in ids.values.ravel()]
        if np.isfinite(values).any():
            attrs = {"units": ds[name].attrs.get("units", "1"), "long_name": f"numerical error of {name}"}
            found[f"{name}{SUFFIX}"] = ids.dims, np.reshape(values, ids.shape), attrs
    return ds.assign(found)


def error_of(ds: xr.Dataset, name: str, like: xr.DataArray) -> xr.DataArray | None:
    """Error of a variable at the labels of a slice of it; None if none was measured.

    Args:
        ds: From `with_errors`.
        name: The variable.
        like: The part, over any dims; scalar labels select.

    Returns:
        The error, over those of the part's dims that are axes of the sweep.
    """
    if f"{name}{SUFFIX}" not in ds:
        return None
    errors = ds[f"{name}{SUFFIX}"]
    here = {d: like[d] for d in errors.dims if d in like.coords}
    errors = errors.sel(here).squeeze([d for d in errors.dims if d not in like.dims and d not in here], drop=True)
    return errors if bool(errors.notnull().any()) else None
