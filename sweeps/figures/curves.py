"""Figures of lines: the gap against time and fluence, and over energy in equilibrium."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from ..analysis import peak_gap
from ..analysis.labels import geometric
from ..analysis.uncertain import error_of
from .canvas import legend as legend
from .canvas import legend_of
from .families import family, uncertain
from .selection import caption, lines, present
from .style import COLOURS, COLUMN, PAGE, new, points, printed, pulse, room
from .words import in_percent, symbol, title

_EQUILIBRIUM = ("material", "T", "damping")
_PANEL = 2.9
_ROUGH = 0.2
"""Change of a gap function over an energy as large as the present one, relative to its range, that is structure."""
"""Least width of a panel, inches of print with 8 points."""


@printed
def gap_traces(ds: xr.Dataset, variable: str = "Delta0") -> Figure:
    """Fig. 3: a series against time, one line per combination of labels of the other axes.

    Args:
        ds: A cube, or part of one.
        variable: A series.
    """
    values = in_percent(present(ds, variable, "time"))
    figure = new(COLUMN, 2.6)
    ax = figure.subplots()
    pulse(ax, ds)
    found = family(values, ["time"])
    for label, line, style in found:
        ax.plot(line["time"], line, label=label, **style)
        uncertain(ax, line, line["time"], line, error_of(ds, variable, line), style)
    ax.set(xlabel=title(ds["time"]), ylabel=title(values))
    figure.suptitle(caption(values))
    ax.margins(x=0)
    found.key(figure, ax)
    return figure


@printed
def gap_fluence(ds: xr.Dataset, variable: str = "Delta0") -> Figure:
    """Fig. 8: the largest gap over time against fluence, one line per combination of the other axes.

    Failed points leave a hole in the line.

    Args:
        ds: A cube with an axis F0.
        variable: A series, or its peak.
    """
    present(ds, variable, "F0")
    values = in_percent(peak_gap(ds, variable).sortby("F0"))
    figure = new(COLUMN, 2.6)
    ax = figure.subplots()
    found = family(values, ["F0"])
    for i, (label, line, style) in enumerate(found):
        ax.plot(line["F0"], line, label=label, marker=found.marker(i), **style)
        uncertain(ax, line, line["F0"], line, error_of(ds, variable, line), style)
    if geometric(np.asarray(values["F0"].values, float)):
        ax.set_xscale("log")
    label = symbol(values.name) if variable.startswith("Delta0") else f"Peak {symbol(variable)}"
    ax.set(xlabel=title(ds["F0"]), ylabel=title(values, label))
    figure.suptitle(caption(values))
    ax.set_ylim(bottom=0)
    found.key(figure, ax)
    return figure


def _end(panel: xr.DataArray) -> float:
    """Energy up to which a gap function has structure, and as much again; Pb's ends at a tenth of LaH10's."""
    energy, values = panel["energy"].values, panel.transpose("energy", ...).values.reshape(panel["energy"].size, -1)
    rough = np.abs(np.gradient(values, energy, axis=0)).max(axis=1) * energy > _ROUGH * np.ptp(values)
    return float(min(energy[-1], 1.5 * energy[rough].max(initial=energy[0])))


@printed
def equilibrium_gap(ds: xr.Dataset) -> Figure:
    """Fig. 6: real and imaginary part of the gap function over energy, one panel per line of the cube.

    Args:
        ds: `Delta_real` and `Delta_imag` over `energy` and any other axes, such as material; of a cube with time,
            the first time is drawn, before the pulse.
    """
    start = ds.isel(time=0) if "time" in ds.dims else ds
    real, imag = (present(start, name, "energy") for name in ("Delta_real", "Delta_imag"))
    both = xr.concat([real, imag], "part", coords="minimal", compat="override", join="exact")
    panels = list(lines(both, ["part", "energy"]))
    natural = COLUMN if len(panels) == 1 else PAGE * 0.85
    columns = max(1, min(2, len(panels), int(room(natural) / _PANEL)))
    rows = -(-len(panels) // columns)
    figure = new(natural, 2.1 * rows + 0.2)
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.ravel()[len(panels) :]:
        ax.set_visible(False)
    for ax, (label, panel) in zip(axes.ravel(), panels, strict=False):
        ax.axhline(0, color="#888888", linewidth=points(0.6))
        for i, name in enumerate(("Delta_real", "Delta_imag")):
            style = {"color": COLOURS[i], "linestyle": ("-", "--")[i]}
            ax.plot(panel["energy"], panel.isel(part=i), label=symbol(name), **style)
        ax.set(xlabel=title(ds["energy"]), ylabel=title(real, r"$\Delta(E)$"), title=label)
        ax.margins(x=0)
        ax.set_xlim(right=_end(panel))
    legend_of(figure, *axes[0, 0].get_legend_handles_labels())
    figure.suptitle(caption(real, only=_EQUILIBRIUM))
    return figure
