"""Tracing: the points that locate a border or a peak along one axis, in each column of the other axes.

A border lies between two computed labels, so their distance is its error. A peak lies between the neighbours of the
largest value, if there is only one at the resolution of the first labels.
"""

import bisect
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..ask.config import Refine

_DIGITS = 6
_WIDER = 2.0


@dataclass(frozen=True)
class Table:
    """Results in the plane of an axis and columns.

    Args:
        x: Labels of the axis, ascending, shape (n,).
        across: Labels of the axis across the columns, ascending, shape (m,).
        y: The variable, NaN where a point failed or was not computed, shape (n, m).
        ended: Computed points, failed ones included, shape (n, m).
    """

    x: NDArray[np.float64]
    across: NDArray[np.float64]
    y: NDArray[np.float64]
    ended: NDArray[np.bool_]


def propose(table: Table, rule: Refine, each: int = 1) -> list[tuple[float, float]]:
    """Points (label on the axis, label of the column) to compute next, to locate the border or peak more closely.

    New columns are proposed once every present one is settled.

    Args:
        table: Results.
        rule: The search.
        each: Halvings of an interval at once: 2**each - 1 points in each.
    """
    x = list(map(float, table.x))
    out = []
    for j, label in enumerate(table.across):
        found = column(x, table.y[:, j], table.ended[:, j], rule, each)
        out += [(value, float(label)) for value in found]
    if out or rule.across is None or rule.find != "border":
        return out
    return list(_between(table, rule))


def width(a: float, b: float, scale: str) -> float:
    """Distance of two labels: b / a - 1 on a logarithmic axis, b - a on a linear one or from zero."""
    return b / a - 1 if scale == "log" and a > 0 else b - a


def bracket(
    x: list[float], y: NDArray[np.float64], ended: NDArray[np.bool_], level: float
) -> list[tuple[float, float]]:
    """Neighbouring computed labels between which a column crosses the level, failed points aside."""
    known = np.flatnonzero(np.isfinite(y))
    above = y[known] > level
    return [
        (x[known[k]], x[known[k + 1]])
        for k in np.flatnonzero(above[1:] != above[:-1])
        if not ended[known[k] + 1 : known[k + 1]].any()
    ]


def column(
    x: list[float], y: NDArray[np.float64], ended: NDArray[np.bool_], rule: Refine, each: int
) -> list[float]:
    """Labels to compute next in one column; none if it is settled, or without any computed point."""
    if rule.find == "peak":
        intervals = _around_peak(x, y)
    else:
        intervals = bracket(x, y, ended, rule.level)
        if not intervals:
            return _further(x, ended)
    found = [middle for a, b in intervals for middle in _middles(a, b, x, rule, each)]
    computed = {x[i] for i in np.flatnonzero(ended)}
    return sorted(set(found) - computed)


def _around_peak(x: list[float], y: NDArray[np.float64]) -> list[tuple[float, float]]:
    known = np.flatnonzero(np.isfinite(y))
    if not known.size:
        return []
    k = int(np.argmax(y[known]))
    near = [x[i] for i in known[max(0, k - 1) : k + 2]]
    return list(itertools.pairwise(near))


def _further(x: list[float], ended: NDArray[np.bool_]) -> list[float]:
    """Labels beyond the computed range by twice its width, to be tried after a predicted border was missed."""
    at = np.flatnonzero(ended)
    if not at.size:
        return []
    first, last = int(at[0]), int(at[-1])
    step = int(_WIDER * max(1, last - first))
    return [x[i] for i in {max(0, first - step), min(len(x) - 1, last + step)} if not ended[i]]


def _middles(a: float, b: float, x: list[float], rule: Refine, each: int) -> Iterator[float]:
    """Labels that halve an interval `each` times; an existing label near a middle is taken instead of it."""
    if each < 1 or width(a, b, rule.scale) <= rule.tolerance:
        return
    log = rule.scale == "log" and a > 0
    middle = float(f"{math.sqrt(a * b) if log else (a + b) / 2:.{_DIGITS}g}")
    low, high = ((a**3 * b) ** 0.25, (a * b**3) ** 0.25) if log else ((3 * a + b) / 4, (a + 3 * b) / 4)
    near = [v for v in x[bisect.bisect_left(x, low) : bisect.bisect_right(x, high)] if a < v < b]
    if near:
        middle = min(near, key=lambda v: abs(v - middle))
    if a < middle < b:
        yield middle
        yield from _middles(a, middle, x, rule, each - 1)
        yield from _middles(middle, b, x, rule, each - 1)


def _between(table: Table, rule: Refine) -> Iterator[tuple[float, float]]:
    """First points of new columns, where the border is not straight between its neighbours or where it ends."""
    x = list(map(float, table.x))
    log = rule.scale == "log" and x[0] > 0
    # A column without points was added for another plane.
    begun = np.flatnonzero(table.ended.any(axis=0))
    across = table.across[begun]
    borders = [_border(x, table.y[:, j], table.ended[:, j], rule, log) for j in begun]
    for j, (a, b) in enumerate(itertools.pairwise(across)):
        left, right = borders[j], borders[j + 1]
        middle = float(f"{(a + b) / 2:.{_DIGITS}g}")
        if not a < middle < b or (b - a) <= rule.tolerance * (across[-1] - across[0]):
            continue
        if math.isinf(left) or math.isinf(right):
            continue
        if math.isnan(left) != math.isnan(right):
            inside = right if math.isnan(left) else left
            yield from ((value, middle) for value in _around(x, inside, 4 * rule.tolerance, log))
        elif not math.isnan(left) and (bend := _bend(across, borders, j, rule)) > rule.tolerance:
            yield from ((value, middle) for value in _around(x, (left + right) / 2, 2 * bend, log))


def _border(x: list[float], y: NDArray[np.float64], ended: NDArray[np.bool_], rule: Refine, log: bool) -> float:
    """A column's border, its logarithm on a logarithmic axis; NaN for none, infinity for several."""
    found = bracket(x, y, ended, rule.level)
    if len(found) != 1:
        return math.inf if found else math.nan
    a, b = found[0]
    return (math.log(a) + math.log(b)) / 2 if log and a > 0 else (a + b) / 2


def _bend(across: NDArray[np.float64], borders: list[float], j: int, rule: Refine) -> float:
    """Least error of a straight line between columns j and j + 1.

    It is h^2 / 8 times the second derivative; each border is known within half the tolerance, which, for unequal
    distances h0 and h1, changes the second difference by up to 2 tolerance / (h0 h1).
    """
    changes = []
    for i in (j, j + 1):
        if 0 < i < len(across) - 1:
            h0, h1 = across[i] - across[i - 1], across[i + 1] - across[i]
            second = 2 * ((borders[i + 1] - borders[i]) / h1 - (borders[i] - borders[i - 1]) / h0) / (h0 + h1)
            known = abs(second) - 2 * rule.tolerance / (h0 * h1)
            changes.append(known * (across[j + 1] - across[j]) ** 2 / 8)
    return max((c for c in changes if not math.isnan(c)), default=0.0)


def _around(x: list[float], position: float, margin: float, log: bool) -> set[float]:
    """Existing labels on both sides of a position, at least a margin away if there are such labels."""
    low, high = position - margin, position + margin
    if log:
        low, high = math.exp(low), math.exp(high)
    below, above = bisect.bisect_right(x, low) - 1, bisect.bisect_left(x, high)
    return {x[max(0, below)], x[min(len(x) - 1, above)]}
