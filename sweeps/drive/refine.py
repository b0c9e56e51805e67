"""Adaptive refinement, to a tolerance or a budget: new values on an axis, or the points of a border or a peak.

With `find: change` a new value is computed for every label of the other axes, and the largest change among them
counts; each round halves every interval above the tolerance, to keep workers busy. With `border` and `peak` labels
are added likewise, but only the points that `trace` proposes are computed; the others of the cube stay missing.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ask.axes import Axis, Grid, Index, Labels, combinations, embed, key
from ..ask.config import Refine
from ..ask.plan import Plan, at_grid
from ..errors import ConfigError
from ..status import Status
from ..store.cube import MISSING, Cube
from ..store.place import Place
from ..store.traced import traced
from .promote import moves, promote
from .trace import Table, propose

_DIGITS = 6
Only = NDArray[np.bool_]
"""Points of a plan that are wanted, in its grid's shape."""


def rounds(
    plan: Plan, place: Place, workers: int = 1, tell: Callable[[str], None] = lambda text: None
) -> Iterator[tuple[Plan, Only | None]]:
    """Plans with new values of the axes named in the config, and their wanted points (None for all).

    Each is to be computed in the store at `place` before the next is asked for.

    Args:
        plan: The sweep.
        place: The store, with the plan's own points computed.
        workers: Points that can be computed at once.
        tell: Called with a line if the budget ends the search.

    Raises:
        ConfigError: An axis has no numbers, or other quantities are zipped with it.
    """
    rule = plan.config.refine
    if rule is None:
        return
    for word, name in (("axis", rule.axis), ("across", rule.across), ("screen", rule.screen)):
        axis = plan.grid.axes[plan.grid.dims.index(name)] if name else None
        if axis and not isinstance(axis.values[0], float):
            raise ConfigError(f"`refine.{word}` must be an axis of numbers. Got {name!r}.")
        if axis and axis.followers and word != "screen":
            raise ConfigError(f"`refine.{word}` must be an axis that is not zipped. Got {name!r}.")
    if rule.find == "change":
        yield from ((wider, None) for wider in _where_it_changes(plan, place, rule, tell))
    else:
        yield from _traced(plan, place, rule, workers, tell)


def _used_up(rule: Refine, left_out: int) -> str:
    return (
        f"`refine.budget` of {rule.budget} new values is used up before the tolerance of {rule.tolerance:g} is "
        f"reached; {left_out} wanted values or points were left out. To continue, raise it: "
        f"--set refine.budget={2 * rule.budget}."
    )


def _traced(
    plan: Plan, place: Place, rule: Refine, workers: int, tell: Callable[[str], None]
) -> Iterator[tuple[Plan, Only]]:
    """Rounds of a border or a peak; labels added by earlier runs are used again."""
    last: set[Index] = set()
    while True:
        cube = Cube(place, read_only=True)
        wide = plan.grid
        for name in filter(None, (rule.axis, rule.across)):
            wide = _extended(wide, name, traced(cube).get(name, []))
        planes = _planes(cube, wide, rule)
        points = _proposals(planes, rule, workers)
        grid = _within_budget(plan.grid, wide, rule, points)
        found = {at for labels in points if (at := grid.position(labels)) is not None}
        if not found or found == last:
            if len(found) < len(points):
                tell(_used_up(rule, len(points) - len(found)))
            for text in _screened(planes, plan, rule):
                tell(text)
            return
        only = np.zeros(grid.shape, bool)
        only[tuple(np.array(sorted(found)).T)] = True
        last = found
        yield at_grid(plan, grid), only


Planes = dict[Any, list[tuple[Labels, Table]]]
"""Labels of the other axes and results of each plane of a search, by the label of the screening axis."""


def _planes(cube: Cube, grid: Grid, rule: Refine) -> Planes:
    """The planes of a grid, in the order of its axes; with one label, None, if nothing is screened."""
    names = [rule.axis, *filter(None, [rule.across])]
    known = [
        [(i, there.where[key(value)]) for i, value in enumerate(axis.values) if key(value) in there.where]
        for axis, there in zip(grid.axes, cube.grid.axes, strict=True)
    ]
    here, at = (np.ix_(*([pair[side] for pair in pairs] for pairs in known)) for side in (0, 1))
    inside = tuple(slice(0, n) for n in cube.grid.shape)
    y, ended = np.full(grid.shape, np.nan), np.zeros(grid.shape, bool)
    ended[here] = (cube.status() != MISSING)[at]
    # A failed point may have kept earlier numbers.
    y[here] = np.where(cube.status() == Status.OK, cube.array(rule.variable)[inside], np.nan)[at]
    dims = [grid.dims.index(name) for name in names]
    # the axis first, then the axis across (of one label without any), then the planes
    moved = [np.moveaxis(array, dims, range(len(dims))) for array in (y, ended)]
    others = [axis for axis in grid.axes if axis.name not in names]
    shape = (grid.shape[dims[0]], grid.shape[dims[1]] if len(dims) > 1 else 1, -1)
    values, done = (array.reshape(shape) for array in moved)
    axes = [np.array(grid.axes[d].values, float) for d in dims] + [np.zeros(1)] * (2 - len(dims))
    first, second = np.argsort(axes[0]), np.argsort(axes[1])
    out: Planes = {}
    for k, labels in enumerate(combinations(others)):
        where = np.ix_(first, second, np.array([k]))
        table = Table(axes[0][first], axes[1][second], values[where][..., 0], done[where][..., 0])
        out.setdefault(labels[rule.screen] if rule.screen else None, []).append((labels, table))
    return out


def _proposals(planes: Planes, rule: Refine, workers: int) -> list[Labels]:
    """Labels of the points to compute next, over all planes."""
    names = [rule.axis, *filter(None, [rule.across])]
    levels = list(planes.values())
    each = 1
    while levels[0][0][1].across.size * sum(map(len, levels)) * (2 ** (each + 1) - 1) <= workers:
        each += 1
    out: list[Labels] = []
    for level, tables in enumerate(levels):
        for k, (labels, table) in enumerate(tables):
            found = promote(levels[level - 1][k][1], table, rule, each) if level else propose(table, rule, each)
            out += [labels | dict(zip(names, point, strict=False)) for point in found]
    return out


def _screened(planes: Planes, plan: Plan, rule: Refine) -> Iterator[str]:
    """A line on the border's motion from each label of the screening axis to the next."""
    for (a, coarse), (b, fine) in itertools.pairwise(planes.items()):
        moved = moves([table for _, table in coarse], [table for _, table in fine], rule)
        unit = " (relative)" if rule.scale == "log" else f" {plan.units(rule.axis)}"
        yield (
            f"`refine.screen`: from {rule.screen} = {a:g} ({moved.points[0]} points) to {b:g} ({moved.points[1]} "
            f"points) the border moves by at most {moved.largest:.2g}{unit}, median {moved.median:.2g}, in "
            f"{moved.columns} columns"
        )


def _within_budget(base: Grid, wide: Grid, rule: Refine, points: list[Labels]) -> Grid:
    """The grid, extended by the points' new labels, as many as the budget allows."""
    for name in filter(None, (rule.axis, rule.across)):
        where = wide.dims.index(name)
        known = wide.axes[where].where
        new = dict.fromkeys(labels[name] for labels in points if key(labels[name]) not in known)
        left = rule.budget - (wide.shape[where] - base.shape[where])
        wide = _extended(wide, name, list(new)[: max(0, left)])
    return wide


def _extended(grid: Grid, name: str, values: Iterable[float]) -> Grid:
    """The grid, extended by those values of an axis that it lacks."""
    where = grid.dims.index(name)
    axis = grid.axes[where]
    new = tuple(value for value in values if key(value) not in axis.where)
    return _replaced(grid, where, Axis(name, (*axis.values, *new))) if new else grid


def _where_it_changes(plan: Plan, place: Place, rule: Refine, tell: Callable[[str], None]) -> Iterator[Plan]:
    where = plan.grid.dims.index(rule.axis)
    left = rule.budget
    while True:
        axis = plan.grid.axes[where]
        wanted = middles(axis.values, _changes(Cube(place, read_only=True), plan.grid, rule), rule)
        new = wanted[:left]
        if not new:
            if wanted:
                tell(_used_up(rule, len(wanted)))
            return
        left -= len(new)
        plan = at_grid(plan, _replaced(plan.grid, where, Axis(axis.name, (*axis.values, *new))))
        yield plan


def middles(values: tuple[Any, ...], outputs: Any, rule: Refine) -> tuple[float, ...]:
    """Middles of those intervals over which an output changes by more than the tolerance, the largest first.

    Args:
        values: Values of the axis, in any order.
        outputs: The variable, shape (len(values), number of other labels); NaN where a point failed.
        rule: Definition of a change.
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
    return tuple(found)


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
