"""The cube of a config for notebooks: the older name of `photogap.run`."""

from collections.abc import Iterable
from pathlib import Path

import xarray as xr

from .front import run


def cube(
    config: str | Path,
    store: str | Path | None = None,
    *,
    change: Iterable[str] = (),
    full: bool = False,
    workers: int | None = 0,
) -> xr.Dataset:
    """Cube of a config as `photogap.run` returns it, by default computed in this process without a progress bar."""
    return run(config, store, set=change, full=full, workers=workers, progress=False)
