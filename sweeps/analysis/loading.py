"""Opening a cube: axes sorted, failed points masked and counted."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ...core.declaration import not_among
from ...core.units import powered
from ..errors import StoreError
from ..status import Status
from ..store.archive import WEB
from ..store.faults import reading_faults
from ..store.place import ROOT, SCHEMES, Place, place
from ..store.seal import opened
from .labels import in_order

OK: str = Status.OK.value


def open_cube(store: str | Path | Place, *, chunks: Mapping[str, int] | str | None = "stored") -> xr.Dataset:
    """Open a cube as a lazy dataset: axes sorted, points that are not `ok` masked and counted.

    A point marked for recomputation still has its old numbers; they are masked too.

    Args:
        store: Local path or URL as the command line takes it (s3://, gs://, az://, memory://, https://), or an
            archive `x.zarr.zip` at any of them, any other URL that Zarr opens by itself, or a place.
        chunks: Of the Dask arrays: `stored`, as the store's largest variable is cut into files; a mapping of dims
            to lengths; None for arrays that are read when first used.

    Returns:
        The dataset; its attrs gain `points`, `points_ok` and `points_not_ok`, a JSON object of counts by status.

    Raises:
        StoreError: No cube exists, or it is damaged or cannot be read.
    """
    with reading_faults(store.url if isinstance(store, Place) else str(store)):
        target = _target(store)
        # Dask cannot size strings, so chunks are set once the variables are known.
        ds = xr.open_zarr(target, chunks=None)
        if "status" not in ds:
            raise StoreError(f"`store` must be a cube. Got {str(store)!r}, which has no `status` of its points.")
        lost = [str(d) for d in ds.indexes if _has_lost(ds, str(d))]
        if lost:
            where = store.url if isinstance(store, Place) else store
            raise StoreError(
                f"the cube {where} is damaged (labels of {', '.join(lost)} are missing). "
                f"`photogap verify {where} --repair` restores what it can."
            )
        if chunks is not None:
            ds = ds.chunk(_stored_chunks(ds) if isinstance(chunks, str) else dict(chunks))
        return prepared(ds)


def _has_lost(ds: xr.Dataset, dim: str) -> bool:
    """Whether labels of a dim are lost: Zarr reads NaN or an empty text, which the record may have as a label."""
    if not (ds[dim].isnull() | (ds[dim] == "")).any():
        return False
    axes = json.loads(str(ds.attrs.get("photogap", "{}"))).get("axes", [])
    return not any("" in axis["values"] for axis in axes if axis["name"] == dim)


def _target(store: str | Path | Place) -> Any:
    scheme, sign, _ = str(store).partition("://")
    if not isinstance(store, Place) and sign and scheme not in (*SCHEMES, *WEB):
        return str(store)
    where = store if isinstance(store, Place) else place(store)
    if not where.exists():
        raise StoreError(f"No cube at {where.url}.")
    opened(where.objects.get(ROOT) or b"", where.url)
    return where.zarr(read_only=True)


def _stored_chunks(ds: xr.Dataset) -> dict[Any, int]:
    largest = max((v for v in ds.data_vars.values() if v.dtype.kind == "f"), key=lambda v: v.nbytes)
    cut = largest.encoding.get("shards") or largest.encoding["chunks"]
    return {dim: min(n, ds.sizes[dim]) for dim, n in zip(largest.dims, cut, strict=True)}


def prepared(ds: xr.Dataset) -> xr.Dataset:
    """Any dataset with the layout of a cube, sorted, masked and counted as by `open_cube`.

    Units are in the form that pint reads. A slice has other chunks than the store, so the store's encoding is
    dropped: `to_zarr` and `to_netcdf` choose their own.
    """
    ds = in_order(ds.drop_encoding(), ds.dims)
    for variable in ds.variables.values():
        if "units" in variable.attrs:
            variable.attrs = variable.attrs | {"units": powered(str(variable.attrs["units"]))}
    if "time" in ds.coords:
        ds["time"].attrs |= {"axis": "T", "standard_name": "time"}
    if "status" not in ds:
        return ds
    ds["status"] = ds["status"].load()
    ok = ds["status"] == OK
    masked = {
        name: v.where(ok).assign_attrs(v.attrs)
        for name, v in ds.data_vars.items()
        if v.dtype.kind == "f" and set(ok.dims) <= set(v.dims)
    }
    counts = failures(ds)
    by_status = {str(s): int(n) for s, n in zip(counts["status"].values, counts.values, strict=True)}
    return ds.assign(masked).assign_attrs(
        points=int(ok.size), points_ok=by_status.pop(OK, 0), points_not_ok=json.dumps(by_status)
    )


def failures(ds: xr.Dataset, dim: str | None = None) -> xr.DataArray:
    """Number of points by status, dim `status`; with `dim`, for each label of that axis too.

    >>> import xarray as xr
    >>> failures(xr.Dataset({"status": ("T", ["ok", "ok", "not_converged"])})).to_series().to_dict()
    {'not_converged': 1, 'ok': 2}
    """
    status = ds["status"]
    if dim is not None and dim not in status.dims:
        raise ValueError(f"`dim` {not_among(dim, status.dims)}")
    kinds = sorted({str(s) for s in status.values.ravel()})
    others = [d for d in status.dims if d != dim]
    counts = xr.concat([(status == kind).sum(others) for kind in kinds], "status").rename("points")
    counts = counts.assign_coords(status=np.array(kinds, dtype=object))
    return counts.assign_attrs(units="1", long_name="number of points")
