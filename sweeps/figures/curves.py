"""Figures of lines: the gap against time and fluence, and over energy in equilibrium."""

import re

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis import peak_gap
from ..analysis.labels import geometric
from .selection import caption, lines, present
from .style import COLOURS, COLUMN, MARKERS, PAGE, line_style, new, printed, pulse, symbol, title

_CHARACTERS = 44
_EQUILIBRIUM = ("material", "T", "damping")


@printed
def gap_traces(ds: xr.Dataset, variable: str = "Delta0") -> Figure:
    """Fig. 3: a series against time, one line per combination of the other axes (of T, above Tc0).

    Args:
        ds: A cube, or part of one.
        variable: A series.
    """
    values = present(ds, variable, "time")
    figure = new(COLUMN, 2.6)
    ax = figure.subplots()
    pulse(ax)
    for i, (label, line) in enumerate(lines(values, ["time"])):
        ax.plot(line["time"], line, label=label, **line_style(i))
    ax.set(xlabel=title(ds["time"]), ylabel=title(values), title=caption(values, _CHARACTERS))
    ax.margins(x=0)
    legend(figure, ax)
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
    values = peak_gap(ds, variable).sortby("F0")
    figure = new(COLUMN, 2.6)
    ax = figure.subplots()
    for i, (label, line) in enumerate(lines(values, ["F0"])):
        ax.plot(line["F0"], line, label=label, marker=MARKERS[i % len(MARKERS)], markersize=3.5, **line_style(i))
    if geometric(np.asarray(values["F0"].values, float)):
        ax.set_xscale("log")
    label = symbol(values.name) if variable.startswith("Delta0") else f"Peak {symbol(variable)}"
    ax.set(xlabel=title(ds["F0"]), ylabel=title(values, label), title=caption(values, _CHARACTERS))
    ax.set_ylim(bottom=0)
    legend(figure, ax)
    return figure


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
    rows = -(-len(panels) // 2) if len(panels) > 1 else 1
    columns = min(2, max(1, len(panels)))
    figure = new(COLUMN if columns == 1 else PAGE * 0.85, 2.1 * rows + 0.2)
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.ravel()[len(panels) :]:
        ax.set_visible(False)
    for ax, (label, panel) in zip(axes.ravel(), panels, strict=False):
        ax.axhline(0, color="#888888", linewidth=0.6)
        for i, name in enumerate(("Delta_real", "Delta_imag")):
            style = {"color": COLOURS[i], "linestyle": ("-", "--")[i]}
            ax.plot(panel["energy"], panel.isel(part=i), label=symbol(name), **style)
        ax.set(
            xlabel=title(ds["energy"]),
            ylabel=title(real, r"$\Delta(E)$"),
            title=label or caption(real, only=_EQUILIBRIUM),
        )
        ax.margins(x=0)
    axes[0, 0].legend()
    if len(panels) > 1:
        figure.suptitle(caption(real, only=_EQUILIBRIUM), fontsize=8)
    return figure


def legend(figure: Figure, ax: Axes) -> None:
    """Labels under the axes, where they hide no line; the figure grows by their rows."""
    handles, labels = ax.get_legend_handles_labels()
    if not any(labels):
        return
    # The markup of a symbol is longer than its printed form.
    longest = max(len(re.sub(r"\\[a-z]+|[${}_]", "", label)) for label in labels)
    columns = 2 if longest < 26 and len(labels) > 1 else 1
    figure.set_figheight(figure.get_figheight() + 0.16 * -(-len(labels) // columns))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, handlelength=2.8)
