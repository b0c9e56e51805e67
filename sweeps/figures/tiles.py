"""Tiles over two axes of a sweep, one per point with edges midway between labels, and borders between tiles."""

from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from ..analysis.labels import geometric
from .style import FAILED, points
from .words import along, axis_title, number, tick

Array = NDArray[Any]
_TICKS: Final = 5
HATCH: Final = "/////"


def tiles(ax: Axes, values: xr.DataArray, **colours: Any) -> Any:
    """Draw values, dims (y, x), as tiles, with titles and ticks of both axes; a point without a value is grey.

    Axes whose labels step by factors are logarithmic; an infinite label has the last place, one step beyond the
    others; words have equal steps. Returns the mesh, for a colour bar.
    """
    y, x = (str(d) for d in values.dims)
    ax.set_facecolor(FAILED)
    shown = np.ma.masked_invalid(values.values.astype(float))
    mesh = ax.pcolormesh(_edges(values[x]), _edges(values[y]), shown, rasterized=True, **colours)
    for name, axis in ((x, ax.xaxis), (y, ax.yaxis)):
        axis.set_ticks(*_ticks(values[name], "\n" if axis is ax.xaxis else ", "))
        axis.set_label_text(axis_title(values[name], "\n" if axis is ax.xaxis else ", "))
    return mesh


def hatch(ax: Axes, where: xr.DataArray) -> None:
    """Hatch the tiles where a mask, dims (y, x), is true."""
    y, x = (str(d) for d in where.dims)
    masked = np.ma.masked_where(~where.values.astype(bool), np.ones(where.shape))
    drawn = ax.pcolor(_edges(where[x]), _edges(where[y]), masked, hatch=HATCH, facecolor="none", linewidth=0)
    drawn.set(facecolor="none", edgecolor="white", linewidth=0.0)


def border(ax: Axes, inside: xr.DataArray) -> int:
    """Draw the outline of a region of tiles; return its number of edges.

    Args:
        ax: Axes with these tiles.
        inside: 1 inside, 0 outside, NaN where it is not known, dims (y, x).
    """
    y, x = (str(d) for d in inside.dims)
    across, up = _edges(inside[x]), _edges(inside[y])
    known = inside.values.astype(float)
    segments = [
        [(across[i + 1], up[j]), (across[i + 1], up[j + 1])]
        for j, i in zip(*np.nonzero(np.abs(np.diff(known, axis=1)) == 1), strict=True)
    ]
    segments += [
        [(across[i], up[j + 1]), (across[i + 1], up[j + 1])]
        for j, i in zip(*np.nonzero(np.abs(np.diff(known, axis=0)) == 1), strict=True)
    ]
    # White under black: visible on every colour of the map.
    for colour, width in (("white", 2.4), ("black", 1.1)):
        ax.add_collection(LineCollection(segments, colors=colour, linewidths=points(width), capstyle="projecting"))
    return len(segments)


def place_of(labels: xr.DataArray, i: int) -> float:
    """Position of the i-th label on its axis."""
    return float(_places(labels.values)[i])


def _scaled(values: Array, labels: Array) -> Array:
    """Positions of values on the axis of these labels: logarithms if the labels step by factors."""
    return np.asarray(np.log10(values) if geometric(labels.astype(float)) else values, dtype=float)


def _places(labels: Array) -> Array:
    if labels.dtype.kind not in "fiu":
        return np.arange(labels.size, dtype=float)
    finite = np.isfinite(labels)
    out = _scaled(labels[finite], labels)
    step = out[-1] - out[-2] if out.size > 1 else 1.0
    return np.concatenate([out, out[-1:] + step]) if not finite.all() else out


def _edges(labels: xr.DataArray) -> Array:
    places = _places(labels.values)
    if places.size == 1:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    middles = (places[1:] + places[:-1]) / 2
    return np.concatenate([[2 * places[0] - middles[0]], middles, [2 * places[-1] - middles[-1]]])


def _ticks(labels: xr.DataArray, between: str) -> tuple[list[float], list[str]]:
    """Positions and texts of ticks: decades if labels step by factors and span two decades, else some labels."""
    values, places = labels.values, _places(labels.values)
    finite = values[np.isfinite(values)].astype(float) if values.dtype.kind in "fiu" else np.empty(0)
    if len(along(labels)) > 1 or not geometric(finite) or finite[-1] < 99 * finite[0]:
        where = np.unique(np.linspace(0, values.size - 1, min(_TICKS, values.size)).round().astype(int))
        return [float(places[i]) for i in where], [tick(labels, int(i), between=between) for i in where]
    low, high = np.log10(finite[[0, -1]])
    decades = np.arange(np.ceil(low - 1e-9), np.floor(high + 1e-9) + 1)
    decades = decades[:: -(-decades.size // _TICKS)]
    beyond = [(float(places[-1]), number(np.inf))] if finite.size < values.size else []
    both = [*((float(d), f"$10^{{{d:.0f}}}$") for d in decades), *beyond]
    return [place for place, _ in both], [text for _, text in both]
