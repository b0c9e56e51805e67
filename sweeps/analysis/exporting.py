"""Files of other formats from a cube or a part of it: NetCDF, CSV, Zarr, Parquet."""

import importlib.util
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from ..ask.axes import OWN
from ..errors import ConfigError
from ..text import suggest


def export(ds: xr.Dataset, out: Path, kind: str, variables: Sequence[str] = ()) -> Path:
    """Write a dataset to a file.

    Args:
        ds: A cube or a part of it.
        out: The file, or the folder of a Zarr store; it must not exist.
        kind: `nc`, `zarr`, `csv` or `parquet`. A table has a row for each point, or for each point and time if a
            series is among the variables.
        variables: Their names; all if empty, but in a table those without dims of their own.

    Returns:
        `out`.

    Raises:
        ConfigError: The kind or a variable does not exist, the file does, or a package is missing.
    """
    if kind not in KINDS:
        raise ConfigError(f"`--to` must be one of {', '.join(KINDS)}.{suggest(kind, list(KINDS))} Got {kind!r}.")
    if out.exists():
        raise ConfigError(f"`export` does not overwrite files; use another --out. Got {str(out)!r}.")
    known = [str(v) for v in ds.data_vars]
    for name in variables:
        if name not in known:
            raise ConfigError(f"`--variable` must be a variable of the cube.{suggest(name, known)} Got {name!r}.")
    write, needs = KINDS[kind]
    if needs and not any(importlib.util.find_spec(name) for name in needs):
        raise ConfigError(f"`--to {kind}` needs {' or '.join(needs)}; pip install 'photogap[export]'. Got none.")
    try:
        with warnings.catch_warnings():
            # Zarr 3 has no specification of strings and of consolidated metadata yet; xarray reads both.
            warnings.filterwarnings(
                "ignore", message=".*(not have a Zarr V3 specification|Consolidated metadata).*"
            )
            write(ds[list(variables)] if variables else ds, out)
    except BaseException:
        shutil.rmtree(out, ignore_errors=True) if out.is_dir() else out.unlink(missing_ok=True)
        raise
    return out


def _netcdf(ds: xr.Dataset, out: Path) -> None:
    ds.load().to_netcdf(out)


def _zarr(ds: xr.Dataset, out: Path) -> None:
    ds.to_zarr(out)


def _table(ds: xr.Dataset) -> Any:
    """Table with a row for each point: its variables, and an index column for each axis and its zipped ones."""
    own = [d for d in ds.dims if d in OWN]
    series = [name for name, v in ds.data_vars.items() if set(v.dims) & set(own)]
    if len(series) < len(ds.data_vars):
        ds = ds.drop_vars(series).drop_dims(own, errors="ignore")
    return ds.to_dataframe().reset_index()


def _csv(ds: xr.Dataset, out: Path) -> None:
    table = _table(ds)
    units = {str(name): str(v.attrs.get("units", "1")) for name, v in ds.variables.items()}
    titles = {name: f"{name} ({units[name]})" for name in table.columns if units.get(name, "1") != "1"}
    table.rename(columns=titles).to_csv(out, index=False)


def _parquet(ds: xr.Dataset, out: Path) -> None:
    table = _table(ds)
    table.attrs = {
        "units": {str(name): str(v.attrs["units"]) for name, v in ds.variables.items() if "units" in v.attrs}
    }
    table.to_parquet(out, index=False)


KINDS: dict[str, tuple[Callable[[xr.Dataset, Path], None], tuple[str, ...]]] = {
    "nc": (_netcdf, ("netCDF4", "h5netcdf", "scipy")),
    "csv": (_csv, ()),
    "zarr": (_zarr, ()),
    "parquet": (_parquet, ("pyarrow", "fastparquet")),
}
"""Writer of each format, and the packages of which one is needed."""
