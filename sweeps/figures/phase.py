"""Phase diagram: region with a gap in the plane of two axes, one panel per label of the others."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..analysis import existence, peak_gap
from ..analysis.labels import geometric
from .selection import caption, lines, present
from .style import FAILED, MAP, PAGE, new, number, printed, symbol, title

_TICKS = 5
_MOST = 3


@printed
def phase_diagram(
    ds: xr.Dataset, x: str = "F0", y: str = "tau_esc", variable: str = "Delta0", threshold: float = 0.0
) -> Figure:
    """Largest gap over time in the plane of two axes, and the border of the region above a threshold.

    One panel per combination of the other axes, one colour scale for all; each cell is one point, failed ones are
    grey. An infinite label has the last place on its axis, one step beyond the others, outside the border.

    Args:
        ds: A cube, or part of one.
        x: Horizontal axis.
        y: Vertical axis.
        variable: A series, or its peak.
        threshold: In the variable's units.
    """
    if x == y:
        raise ValueError(f"`y` must differ from `x`. Got {y!r} for both.")
    present(ds, variable, x, y)
    peak = peak_gap(ds, variable).sortby([x, y]).compute()
    panels = list(lines(peak, [y, x]))
    columns = _columns(peak, len(panels), {x, y})
    rows = -(-len(panels) // columns)
    figure = new(min(PAGE, 2.2 * columns + 1.2), 2.0 * rows + 0.5)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    norm = Normalize(0, float(peak.max()) or 1.0)
    mesh = None
    for i, (ax, (label, panel)) in enumerate(zip(axes.ravel(), panels, strict=False)):
        mesh = _panel(ax, panel, x, y, threshold, norm)
        ax.set_title(label)
        if i + columns >= len(panels):
            ax.set_xlabel(title(peak[x]))
            ax.tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel(title(peak[y]))
    for ax in axes.ravel()[len(panels) :]:
        ax.set_visible(False)
    if mesh is not None:
        label = symbol(peak.name) if variable.startswith("Delta0") else f"Peak {symbol(variable)}"
        figure.colorbar(mesh, ax=list(axes.ravel()), label=title(peak, label), pad=0.02, aspect=20 * rows)
    figure.suptitle(caption(peak), fontsize=8)
    return figure


def _panel(ax: Axes, panel: xr.DataArray, x: str, y: str, threshold: float, norm: Normalize) -> Any:
    places = {name: _places(panel[name].values) for name in (x, y)}
    ax.set_facecolor(FAILED)
    values = np.ma.masked_invalid(panel.values)
    mesh = ax.pcolormesh(_edges(places[x]), _edges(places[y]), values, cmap=MAP, norm=norm, rasterized=True)
    border = existence(panel, x, y, threshold)
    for i in range(border.sizes["line"]):
        u, v = (_scaled(border[name].isel(line=i).values, panel[name].values) for name in (x, y))
        # White under black: visible on every colour of the map.
        ax.plot(u, v, color="white", linewidth=2.4)
        ax.plot(u, v, color="black", linewidth=1.1, linestyle="--")
    for name, axis in ((x, ax.xaxis), (y, ax.yaxis)):
        axis.set_ticks(*_ticks(panel[name].values, places[name]))
    return mesh


def _columns(peak: xr.DataArray, panels: int, plane: set[str]) -> int:
    """Panels per row: the labels of the last axis if they fit, so that a row varies only that axis."""
    last = [peak.sizes[d] for d in peak.dims if d not in plane and peak.sizes[d] > 1][-1:]
    return last[0] if last and last[0] <= _MOST and panels % last[0] == 0 else max(1, min(_MOST, panels))


def _scaled(values: NDArray[Any], labels: NDArray[Any]) -> NDArray[Any]:
    """Positions of values on the axis of these labels: their logarithm, if labels step by factors."""
    return np.asarray(np.log10(values) if geometric(labels.astype(float)) else values, dtype=float)


def _places(labels: NDArray[Any]) -> NDArray[Any]:
    if labels.dtype.kind not in "fiu":
        return np.arange(labels.size, dtype=float)
    finite = np.isfinite(labels)
    out = _scaled(labels[finite], labels)
    step = out[-1] - out[-2] if out.size > 1 else 1.0
    return np.concatenate([out, out[-1:] + step]) if not finite.all() else out


def _edges(places: NDArray[Any]) -> NDArray[Any]:
    if places.size == 1:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    middles = (places[1:] + places[:-1]) / 2
    return np.concatenate([[2 * places[0] - middles[0]], middles, [2 * places[-1] - middles[-1]]])


def _ticks(labels: NDArray[Any], places: NDArray[Any]) -> tuple[list[float], list[str]]:
    """Places and texts of ticks: decades on an axis of factors that spans two, else some of the labels."""
    finite = labels[np.isfinite(labels)].astype(float) if labels.dtype.kind in "fiu" else np.empty(0)
    if not geometric(finite) or finite[-1] < 99 * finite[0]:
        where = np.unique(np.linspace(0, labels.size - 1, min(_TICKS, labels.size)).round().astype(int))
        return [float(places[i]) for i in where], [number(labels[i], digits=3) for i in where]
    low, high = np.log10(finite[[0, -1]])
    decades = np.arange(np.ceil(low - 1e-9), np.floor(high + 1e-9) + 1)
    decades = decades[:: -(-decades.size // _TICKS)]
    beyond = [(float(places[-1]), "∞")] if finite.size < labels.size else []
    both = [*((float(d), f"$10^{{{d:.0f}}}$") for d in decades), *beyond]
    return [place for place, _ in both], [text for _, text in both]
