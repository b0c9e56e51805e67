"""Screening of a border: each label of an axis of numerics, from coarse to fine, is traced only where the label
before it found the border.

Only points of the finest label decide; the coarse ones choose them. If the border has moved out of their interval,
the search continues outwards from there, as it does after a prediction.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..ask.axes import Axis, Grid
from ..ask.config import Refine
from ..ask.plan import Plan, at_grid
from .trace import Table, bracket, column, width

Array = NDArray[np.float64]


def coarsest(plan: Plan) -> Plan:
    """The plan at the first label of the screening axis; the plan itself without screening."""
    rule = plan.config.refine
    if rule is None or rule.screen is None:
        return plan
    axes = [_first(axis) if axis.name == rule.screen else axis for axis in plan.grid.axes]
    return at_grid(plan, Grid(tuple(axes)))


def _first(axis: Axis) -> Axis:
    return Axis(axis.name, axis.values[:1], {name: values[:1] for name, values in axis.followers.items()})


def promote(coarse: Table, fine: Table, rule: Refine, each: int = 1) -> list[tuple[float, float]]:
    """Points (label on the axis, label of the column) to compute next at the finer label.

    Args:
        coarse, fine: Results at one label of the screening axis and at the next, on the same labels.
        rule: The search.
        each: Halvings of an interval at once.
    """
    x = list(map(float, fine.x))
    out = []
    for j, label in enumerate(fine.across):
        y, ended = coarse.y[:, j], coarse.ended[:, j]
        if not ended.any() or column(x, y, ended, rule, each):
            continue
        if fine.ended[:, j].any():
            found = _towards(column(x, fine.y[:, j], fine.ended[:, j], rule, each), x, y, fine.y[:, j], rule)
        else:
            at = np.flatnonzero(ended)
            found = sorted({v for pair in bracket(x, y, ended, rule.level) for v in pair} or {x[at[0]], x[at[-1]]})
        out += [(value, float(label)) for value in found]
    return out


def _towards(found: list[float], x: list[float], coarse: Array, fine: Array, rule: Refine) -> list[float]:
    """Of labels on both sides of the computed ones, those on the side to which the border must have moved."""
    known = np.flatnonzero(np.isfinite(fine))
    above = fine[known] > rule.level
    crossings = np.flatnonzero(np.diff(coarse[np.isfinite(coarse)] > rule.level))
    if not known.size or above.any() != above.all() or crossings.size != 1:
        return found
    rises = bool(coarse[np.isfinite(coarse)][-1] > rule.level)
    first = x[known[0]]
    return [v for v in found if (v < first) == (rises == above.all())] or found


@dataclass(frozen=True)
class Moves:
    """Distances of the border between two labels of the screening axis, as `refine.tolerance` counts them.

    Args:
        largest, median: Over the columns that have one border at both.
        columns: Number of these columns.
        points: Points computed at the coarse label and at the fine one.
    """

    largest: float
    median: float
    columns: int
    points: tuple[int, int]


def moves(coarse: list[Table], fine: list[Table], rule: Refine) -> Moves:
    """Distances of the border between two labels of the screening axis, over all planes."""
    found = [d for a, b in zip(coarse, fine, strict=True) for d in _distances(a, b, rule)]
    return Moves(
        max(found, default=math.nan), float(np.median(found)) if found else math.nan, len(found),
        (_computed(coarse), _computed(fine)),
    )  # fmt: skip


def _computed(tables: list[Table]) -> int:
    return sum(int(table.ended.sum()) for table in tables)


def _distances(coarse: Table, fine: Table, rule: Refine) -> Iterator[float]:
    x = list(map(float, fine.x))
    for j in range(fine.across.size):
        pairs = [bracket(x, table.y[:, j], table.ended[:, j], rule.level) for table in (coarse, fine)]
        if all(len(pair) == 1 for pair in pairs):
            a, b = sorted(_middle(*pair[0], rule.scale) for pair in pairs)
            yield width(a, b, rule.scale)


def _middle(a: float, b: float, scale: str) -> float:
    return math.sqrt(a * b) if scale == "log" and a > 0 else (a + b) / 2
