"""Largest value and lifetime of a gap against one axis, and the largest gap against the pump's photon energy."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..analysis import peak_gap, time_above
from .families import family
from .selection import caption, present
from .style import COLUMN, new, printed
from .words import number, symbol, title

_DECADES = 1.0
"""Decades that the positive labels of an axis must span to be spread by their logarithm."""
_TICKS = 6
_LONG = 20.0
"""Life from which on the axis of time is logarithmic, ps."""


@printed
def gap_and_life(ds: xr.Dataset, x: str, threshold: float = 0.01) -> Figure:
    """Largest gap over time (above) and time with a gap (below) against an axis, a line per label of the others.

    Labels 0 and infinity stand one step beyond the others of a logarithmic axis. An open triangle marks a gap
    that is still there when the record ends.

    Args:
        ds: A cube with the axis.
        x: The axis.
        threshold: Gap, meV, that counts as one.
    """
    present(ds, "Delta0", x, "time")
    ds = ds.sortby(x)
    peak, times = peak_gap(ds), time_above(ds, threshold)
    figure = new(COLUMN, 3.8)
    above, below = figure.subplots(2, 1, sharex=True)
    places = _places(ds[x].values)
    found = family(peak, [x])
    held, more = (times[name].where(peak.notnull()) for name in ("duration", "outlasts"))
    for i, (label, line, style) in enumerate(found):
        above.plot(places, line, label=label, marker=found.marker(i), markersize=3, **style)
    for i, ((_, line, style), (_, last, _)) in enumerate(zip(family(held, [x]), family(more, [x]), strict=True)):
        below.plot(places, line, marker=found.marker(i), markersize=3, **style)
        open_ = last.values > 0
        below.plot(places[open_], line.values[open_], "^", color=style["color"], markersize=6, fillstyle="none")
    if bool((more > 0).any()):
        below.plot([], [], "^", color="#555555", markersize=6, fillstyle="none", label="outlasts the record")
        below.legend(loc="best")
    above.set(ylabel=title(peak, symbol("Delta0_peak")))
    above.set_ylim(bottom=0)
    below.set(xlabel=title(ds[x]), ylabel="Time with a gap (ps)")
    if float(held.max()) > _LONG:
        below.set_yscale("symlog", linthresh=1.0)
    below.set_ylim(bottom=0)
    below.set_xticks(*_ticks(ds[x].values, places))
    figure.suptitle(caption(peak))
    found.key(figure, above)
    return figure


@printed
def resonance(ds: xr.Dataset, alpha2F: xr.DataArray | None = None) -> Figure:
    """Largest gap over time against the photon energy of the pump, with alpha2F in the background.

    Args:
        ds: A cube with an axis omega_pump.
        alpha2F: Eliashberg function over `frequency`, meV; None draws none.
    """
    present(ds, "Delta0", "omega_pump")
    peak = peak_gap(ds).sortby("omega_pump")
    figure = new(COLUMN, 2.8)
    ax = figure.subplots()
    found = family(peak.where(peak.max("omega_pump") > 0), ["omega_pump"])
    for i, (label, line, style) in enumerate(found):
        ax.plot(line["omega_pump"], line, label=label, marker=found.marker(i), markersize=3, **style)
    ax.set(xlabel=title(peak["omega_pump"]), ylabel=title(peak, symbol("Delta0_peak")))
    ax.set_ylim(bottom=0)
    if alpha2F is not None:
        _behind(ax, alpha2F, float(peak["omega_pump"].min()), float(peak["omega_pump"].max()))
    figure.suptitle(caption(peak))
    found.key(figure, ax)
    return figure


def _behind(ax: Axes, alpha2F: xr.DataArray, low: float, high: float) -> None:
    """Spectrum as a grey area on an axis of its own."""
    part = alpha2F.sel(frequency=slice(low, high))
    twin = ax.twinx()
    twin.fill_between(part["frequency"], part, color="#CCCCCC", linewidth=0)
    twin.set_ylim(0, 1.6 * float(part.max()))
    twin.set_ylabel(r"$\alpha^2F(\omega)$")
    ax.set_zorder(twin.get_zorder() + 1)
    ax.patch.set_visible(False)


def _places(labels: NDArray[Any]) -> NDArray[np.float64]:
    """Positions of labels: logarithms if they span a decade, 0 and infinity one step beyond the others."""
    values = labels.astype(float)
    inner = values[(values > 0) & np.isfinite(values)]
    if inner.size < 2 or np.log10(inner[-1] / inner[0]) < _DECADES:
        return np.where(np.isfinite(values), values, 1.1 * inner[-1] if inner.size else 1.0)
    logs = np.log10(inner)
    out = np.empty(values.size)
    out[(values > 0) & np.isfinite(values)] = logs
    out[values <= 0] = logs[0] - 0.5
    out[np.isinf(values)] = logs[-1] + 0.5
    return out


def _tick(label: Any) -> str:
    """A label in two digits, or four for numbers from 100 to 10,000."""
    return number(label, digits=4 if 100 <= label < 10_000 else 2)


def _ticks(labels: NDArray[Any], places: NDArray[np.float64]) -> tuple[list[float], list[str]]:
    """Labels far enough from each other, the first and the last among them."""
    apart = (places[-1] - places[0]) / _TICKS
    where = [0]
    for i in range(1, labels.size - 1):
        if min(places[i] - places[where[-1]], places[-1] - places[i]) >= apart:
            where.append(i)
    where += [labels.size - 1] if labels.size > 1 else []
    return [float(places[i]) for i in where], [_tick(labels[i]) for i in where]
