"""Figures of a probe's signal: the change of transmission or reflection after the pulse."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from .families import family
from .selection import caption, present
from .style import PAGE, new, printed, pulse, room
from .words import in_percent, symbol, title

_DECADES = 4
_PANEL = 2.6
"""Least width of a panel, inches of print with 8 points."""


@printed
def probe_traces(ds: xr.Dataset) -> Figure:
    """Figs. 2c and 2d: measured signal against time, and the magnitude of the film's intrinsic signal, in percent.

    Transmission, where the cube has it, is drawn as -dT/T0: pulses close the gap, and less light passes.

    Args:
        ds: A cube with a probe, or part of one; one line per combination of its axes.
    """
    name = "dT_T0" if "dT_T0" in ds else "dR_R0"
    sign = -1.0 if name == "dT_T0" else 1.0
    seen, own = (in_percent(present(ds, full, "time")) for full in (f"{name}_seen", name))
    narrow = room(PAGE) < 2 * _PANEL
    figure = new(PAGE, 4.6 if narrow else 2.8)
    left, right = np.ravel(figure.subplots(*((2, 1) if narrow else (1, 2))))
    pulse(left, ds)
    top, least = 0.0, np.inf
    measured, intrinsic = family(seen, ["time"]), family(own, ["time"])
    for (label, line, style), (_, raw, _) in zip(measured, intrinsic, strict=True):
        left.plot(line["time"], sign * line, label=label, **style)
        after = abs(raw.isel(time=raw["time"] > 0))
        right.semilogy(after["time"], after, **style)
        top, least = max(top, float(after.max())), min(least, float(after[-1]))
    minus = "\N{MINUS SIGN}" if sign < 0 else ""
    left.set(xlabel=title(ds["time"]), ylabel=f"{minus}{title(seen)}")
    right.set(xlabel=title(ds["time"]), ylabel=title(own, f"|{symbol(own.name)}| of the film"))
    if top > 0:
        right.set_ylim(max(0.5 * least, top * 10.0**-_DECADES), 2 * top)
    for ax in (left, right):
        ax.margins(x=0)
    figure.suptitle(caption(seen))
    measured.key(figure, (left, right))
    return figure
