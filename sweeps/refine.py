"""Adaptive refinement: new values on one axis, where an output changes most, to a tolerance or a budget.

The cube stays a product of axes: a new value is computed for every label of the others, and a change counts
where it is largest among them. Each round halves every interval that is worth it, to keep workers busy.
"""

import dataclasses
import math
from typing import Any

import numpy as np

from .axes import Axis, Grid, embed
from .config import Refine
from .cube import Cube
from .errors import ConfigError
from .plan import Plan, at_grid
from .service import Report, Watch, run
from .store import Place

_DIGITS = 6


def complete(
    plan: Plan,
    place: Place,
    *,
    workers: int | None = None,
    recompute: bool = False,
    watch: Watch | None = None,
) -> Report:
    """Compute what is missing of a plan, then refine it where its config asks for that."""
    watch = watch or Watch()
    report = run(plan, place, workers=workers, recompute=recompute, watch=watch)
    if plan.config.refine and report.reason is None:
        report = refine(plan, place, report, workers=workers, watch=watch)
    return report


def refine(plan: Plan, place: Place, report: Report, *, workers: int | None, watch: Watch) -> Report:
    """Compute new values of the axis that the config names, round after round."""
    rule = plan.config.refine
    if rule is None:
        return report
    where = plan.grid.dims.index(rule.axis)
    axis = plan.grid.axes[where]
    if axis.followers or not isinstance(axis.values[0], float):
        raise ConfigError(f"`refine.axis` must be numbers without a zip. Got {rule.axis!r}.")
    spent = 0
    while spent < rule.budget and report.reason is None:
        axis = plan.grid.axes[where]
        new = propose(
            axis.values, _changes(Cube(place, read_only=True), plan.grid, rule), rule, rule.budget - spent
        )
        if not new:
            break
        spent += len(new)
        plan = at_grid(plan, _replaced(plan.grid, where, Axis(axis.name, (*axis.values, *new))))
        before = report
        report = run(plan, place, workers=workers, watch=watch)
        report.counts.computed += before.counts.computed
        report = dataclasses.replace(report, seconds=report.seconds + before.seconds)
    return report


def propose(values: tuple[Any, ...], outputs: Any, rule: Refine, budget: int) -> tuple[float, ...]:
    """Middles of those intervals over which an output changes by more than the tolerance, the largest first.

    Args:
        values: Values of the axis, in any order.
        outputs: The variable, shape (len(values), number of other labels); NaN where a point failed.
        rule: What counts as a change.
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
