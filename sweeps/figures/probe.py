"""Figures of a probe's signal: the change of transmission or reflection after the pulse."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from .curves import legend
from .selection import caption, lines, present
from .style import PAGE, line_style, new, printed, pulse, symbol, title

_DECADES = 4


@printed
def probe_traces(ds: xr.Dataset) -> Figure:
    """Figs. 2c and 2d: measured signal against time, and the magnitude of the film's intrinsic signal.

    Transmission, where the cube has it, is drawn as -dT/T0: pulses close the gap, and less light passes.

    Args:
        ds: A cube with a probe, or part of one; one line per combination of its axes.
    """
    name = "dT_T0" if "dT_T0" in ds else "dR_R0"
    sign = -1.0 if name == "dT_T0" else 1.0
    seen, own = present(ds, f"{name}_seen", "time"), present(ds, name, "time")
    figure = new(PAGE, 2.8)
    left, right = figure.subplots(1, 2)
    pulse(left)
    top, least = 0.0, np.inf
    for i, ((label, line), (_, raw)) in enumerate(zip(lines(seen, ["time"]), lines(own, ["time"]), strict=True)):
        left.plot(line["time"], sign * line, label=label, **line_style(i))
        after = abs(raw.isel(time=raw["time"] > 0))
        right.semilogy(after["time"], after, **line_style(i))
        top, least = max(top, float(after.max())), min(least, float(after[-1]))
    left.set(xlabel=title(ds["time"]), ylabel=("\N{MINUS SIGN}" if sign < 0 else "") + symbol(seen.name))
    right.set(xlabel=title(ds["time"]), ylabel=f"|{symbol(own.name)}| of the film")
    if top > 0:
        right.set_ylim(max(0.5 * least, top * 10.0**-_DECADES), 2 * top)
    for ax in (left, right):
        ax.margins(x=0)
    left.ticklabel_format(axis="y", scilimits=(-2, 3))
    figure.suptitle(caption(seen), fontsize=8)
    legend(figure, left)
    return figure
