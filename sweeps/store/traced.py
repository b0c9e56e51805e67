"""Labels that tracing has added to a cube's axes: only some of their points are asked for."""

import numpy as np
from numpy.typing import NDArray

from ..ask.axes import Grid, key
from .cube import Cube

Traced = dict[str, list[float]]


def traced(cube: Cube) -> Traced:
    """Traced labels by axis."""
    return dict(cube.record.get("traced", {}))


def asked(cube: Cube) -> NDArray[np.bool_]:
    """Points that are to be computed: those without a traced label, in the grid's shape."""
    out = np.ones(cube.grid.shape, bool)
    for dim, axis in enumerate(cube.grid.axes):
        for value in traced(cube).get(axis.name, []):
            if (at := axis.where.get(key(value))) is not None:
                np.moveaxis(out, dim, 0)[at] = False
    return out


def note(cube: Cube, grid: Grid, base: Grid | None) -> None:
    """Record the labels that tracing has added.

    Args:
        cube: The cube.
        grid: Grid of the points to compute.
        base: Grid of the config, which tracing has extended to `grid`; None if all points of `grid` are asked for.
    """
    known = traced(cube)
    out: Traced = {}
    for axis in grid.axes:
        found = {key(value): value for value in known.get(axis.name, [])}
        if base is None:
            found = {k: value for k, value in found.items() if k not in axis.where}
        else:
            own = base.axes[base.dims.index(axis.name)].where
            found |= {k: float(axis.values[i]) for k, i in axis.where.items() if k not in own}
        if found:
            out[axis.name] = list(found.values())
    if out != known:
        cube.note(traced=out)
