"""Cubes to compare: all that physics says, without when and where it was computed."""

from pathlib import Path
from typing import Any

import xarray as xr

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"


def physics(store: Any) -> xr.Dataset:
    """Every variable of a cube but the record of host, times and attempts."""
    ds = xr.open_zarr(store, consolidated=True).load()
    return ds.drop_vars(["wall_time", "cpu_time", "host", "attempts"]).drop_attrs(deep=False)
