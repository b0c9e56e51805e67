"""Lines of a figure: told apart by colour, dashes and markers, or, along one axis of numbers, by a colour scale."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..analysis.labels import geometric
from .canvas import legend, legend_of
from .selection import lines
from .style import MARKERS, ORDERED, line_style, points
from .words import along, axis_title, percent, quantity, tick

_SCALED: Final = 4
"""Least number of lines along one axis that a colour scale orders; fewer are easier to read from a legend."""
_MOST: Final = 12
_MOST_SCALED: Final = 60
_TICKS: Final = 8


@dataclass(frozen=True)
class Family:
    """Lines over the same dims, one per combination of the other axes.

    Args:
        members: Label and values of each line.
        order: Labels of the axis of numbers that orders the lines; None where they have no order.
    """

    members: tuple[tuple[str, xr.DataArray], ...]
    order: xr.DataArray | None

    def __iter__(self) -> Iterator[tuple[str, xr.DataArray, dict[str, Any]]]:
        """Label, values, and colour and dashes of each line."""
        for i, (label, line) in enumerate(self.members):
            yield label, line, self.style(i)

    def style(self, i: int) -> dict[str, Any]:
        """Colour and dashes of the i-th line."""
        if self.order is None:
            return line_style(i)
        value = float(self.members[i][1][self.order.name])
        if np.isinf(value):
            return {"color": "black", "linestyle": "--"}
        return {"color": ORDERED(self._norm(value)), "linestyle": "-"}

    def marker(self, i: int) -> str:
        """Marker of the i-th line."""
        return MARKERS[0] if self.order is not None else MARKERS[i % len(MARKERS)]

    @property
    def _norm(self) -> Normalize:
        assert self.order is not None
        values = self.order.values.astype(float)
        finite = values[np.isfinite(values)]
        scale = LogNorm if geometric(finite) else Normalize
        return scale(float(finite.min()), float(finite.max()))

    def key(self, figure: Figure, axes: Axes | Sequence[Axes]) -> None:
        """Legend below the axes, or colour bar next to them."""
        each = [axes] if isinstance(axes, Axes) else list(axes)
        if self.order is None:
            legend(figure, each[0])
            return
        bar = figure.colorbar(ScalarMappable(self._norm, ORDERED), ax=each, pad=0.02, aspect=30)
        bar.set_label(axis_title(self.order, ", "))
        values = self.order.values.astype(float)
        finite = np.flatnonzero(np.isfinite(values))
        if len(finite) <= _TICKS or len(along(self.order)) > 1:
            some = finite[:: -(-len(finite) // _TICKS)]
            bar.set_ticks(
                [float(values[i]) for i in some], labels=[tick(self.order, int(i), 4, ", ") for i in some]
            )
            bar.minorticks_off()
        if len(finite) < len(values):
            last = self.order.isel({self.order.dims[0]: int(np.flatnonzero(np.isinf(values))[0])})
            legend_of(figure, [Line2D([], [], color="black", linestyle="--")], [quantity(last)])


def family(values: xr.DataArray, dims: Sequence[str]) -> Family:
    """Lines along the dims, one per combination of the other axes; those that are all NaN are left out.

    Raises:
        ValueError: No line is left, or more than can be distinguished.
    """
    order = _order(values, dims)
    found = tuple(lines(values, dims, _MOST if order is None else _MOST_SCALED))
    if order is not None and len(found) < _SCALED:
        order = None
    return Family(found, order)


def _order(values: xr.DataArray, dims: Sequence[str]) -> xr.DataArray | None:
    """Labels of the only other axis if they are numbers, enough of them, and more than one is finite."""
    several = [d for d in values.dims if d not in dims and values.sizes[d] > 1]
    if len(several) != 1 or several[0] not in values.coords:
        return None
    labels = values[several[0]]
    if labels.dtype.kind not in "fiu" or labels.size < _SCALED:
        return None
    return labels if np.isfinite(labels.values.astype(float)).sum() > 1 else None


def uncertain(
    ax: Axes, line: xr.DataArray, x: Any, y: Any, errors: xr.DataArray | None, look: dict[str, Any]
) -> None:
    """Draw error bars at points whose numerical error is known, or a band around a series.

    Args:
        ax: Axes.
        line: The line's values over one dim.
        x, y: Its drawn places and values.
        errors: From `analysis.uncertain.error_of`, over the line's dim or for all of it; None draws nothing.
        look: Colour of the line.
    """
    if errors is None:
        return
    size = (100 if percent(line.name) else 1) * errors.values
    if errors.ndim == 0:
        ax.fill_between(x, y - size, y + size, color=look["color"], alpha=0.2, linewidth=0)
    else:
        ax.errorbar(x, y, yerr=size, fmt="none", ecolor=look["color"], capsize=points(2), elinewidth=points(1))


def spread(values: xr.DataArray, dim: str, most: int = _MOST) -> xr.DataArray:
    """Values at no more than `most` labels of a dim, with both ends."""
    size = values.sizes[dim]
    some = np.unique(np.linspace(0, size - 1, min(most, size)).round().astype(int))
    return values.isel({dim: some})
