"""Adaptive refinement: new values on one axis, where an output changes most, to a tolerance or a budget.

The cube stays a product of axes: a new value is computed for every label of the others, and the largest change
among them counts. Each round halves every interval above the tolerance, to keep workers busy.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..ask.axes import Axis, Grid, embed
from ..ask.config import Refine
from ..ask.plan import Plan, at_grid
from ..errors import ConfigError
from ..store.cube import Cube
from ..store.place import Place

_DIGITS = 6


def rounds(plan: Plan, place: Place) -> Iterator[Plan]:
    """Plans with new values of the axis named in the config; none if it names no axis.

    Each is to be computed in the store at `place` before the next is asked for.

    Raises:
        ConfigError: The axis has no numbers, or other quantities are zipped with it.
    """
    rule = plan.config.refine
    if rule is None:
        return
    where = plan.grid.dims.index(rule.axis)
    axis = plan.grid.axes[where]
    if axis.followers or not isinstance(axis.values[0], float):
        raise ConfigError(f"`refine.axis` must be numbers without a zip. Got {rule.axis!r}.")
    left = rule.budget
    while left > 0:
        axis = plan.grid.axes[where]
        new = propose(axis.values, _changes(Cube(place, read_only=True), plan.grid, rule), rule, left)
        if not new:
            return
        left -= len(new)
        plan = at_grid(plan, _replaced(plan.grid, where, Axis(axis.name, (*axis.values, *new))))
        yield plan


def propose(values: tuple[Any, ...], outputs: Any, rule: Refine, budget: int) -> tuple[float, ...]:
    """Middles of those intervals over which an output changes by more than the tolerance, the largest first.

    Args:
        values: Values of the axis, in any order.
        outputs: The variable, shape (len(values), number of other labels); NaN where a point failed.
        rule: Definition of a change.
        budget: Largest number of middles.
    """
    order = np.argsort(values)
    x = np.asarray(values, float)[order]
    y = np.asarray(outputs, float)[order]
    change = np.abs(np.diff(y, axis=0))
    largest = np.where(np.isnan(change), 0.0, change).max(axis=1, initial=0.0)
    found = []
    for i in np.argsort(-largest, kind="stable"):
        if largest[i] > rule.tolerance:
            middle = _middle(float(x[i]), float(x[i + 1]), rule.scale)
            if x[i] < middle < x[i + 1]:
                found.append(middle)
    return tuple(found[:budget])


def _middle(a: float, b: float, scale: str) -> float:
    middle = math.sqrt(a * b) if scale == "log" and a > 0 else (a + b) / 2
    return float(f"{middle:.{_DIGITS}g}")


def _changes(cube: Cube, grid: Grid, rule: Refine) -> Any:
    """The variable at the grid's labels, the refined axis first."""
    positions = embed(grid, cube.grid)
    values = np.asarray(cube.array(rule.variable)[tuple(slice(0, n) for n in cube.grid.shape)])[np.ix_(*positions)]
    where = grid.dims.index(rule.axis)
    return np.moveaxis(values, where, 0).reshape(grid.shape[where], -1)


def _replaced(grid: Grid, where: int, axis: Axis) -> Grid:
    return Grid((*grid.axes[:where], axis, *grid.axes[where + 1 :]))
