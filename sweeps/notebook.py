"""What a notebook needs of a sweep: its cube, made first if it is missing."""

from collections.abc import Iterable
from pathlib import Path

import xarray as xr

from .analysis import open_cube
from .ask.config import read
from .ask.plan import resolve
from .drive.sweep import run
from .errors import SweepError
from .store.place import place


def cube(
    config: str | Path,
    store: str | Path | None = None,
    *,
    change: Iterable[str] = (),
    full: bool = False,
    workers: int | None = 0,
) -> xr.Dataset:
    """Cube of a config: what is missing is computed, then it is opened, sorted and masked.

    Args:
        config: YAML file of the sweep.
        store: Path or URL; None is `results/NAME.zarr` here.
        change: `KEY.KEY=VALUE` overrides of the config, as `photogap run --set`.
        full: The config's large variant.
        workers: Worker processes; 0 computes in this one, None takes every core.

    Raises:
        SweepError: The config breaks a rule, contradicts the store, or the sweep stopped; points that fail do not
            stop it: the cube's attrs count them.
    """
    plan = resolve(read(config, tuple(change), full=full))
    target = place(str(store or f"results/{plan.config.name}.zarr"))
    report = run(plan, target, workers=workers)
    if report.reason is not None:
        raise SweepError(f"the sweep into {target.url} stopped: {report.reason}. Run the cell again to go on.")
    return open_cube(target, chunks=None)
