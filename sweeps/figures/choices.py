"""Twice the largest gap for each of several choices, and the value that the paper reports."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from ..analysis import peak_gap
from .canvas import legend_of
from .selection import caption, present
from .style import COLOURS, COLUMN, new, points, printed
from .words import symbol


@printed
def largest_gaps(ds: xr.Dataset, paper: float) -> Figure:
    """2 Delta0 for each label of `material`, the largest over all other axes and the record.

    Args:
        ds: A cube of `configs/seven_mev.yaml`: a label names one choice that differs from the first.
        paper: The value that the paper reports, meV.
    """
    present(ds, "Delta0", "material", "time")
    peak = peak_gap(ds)
    largest = 2 * peak.max([d for d in peak.dims if d != "material"])
    rows = np.arange(largest.size)
    figure = new(COLUMN, 0.6 + 0.2 * max(largest.size, 8))
    ax = figure.subplots()
    ax.barh(rows, largest.values, height=0.7, color=COLOURS[0])
    for row, value in zip(rows, largest.values, strict=True):
        if not value > 0:
            text = "no gap" if value == 0 else "failed"
            ax.annotate(text, (0, row), (3, 0), textcoords="offset points", va="center")
    line = ax.axvline(paper, color="black", linestyle="--", linewidth=points(0.8), label="the paper")
    ax.set_yticks(rows, [_said(str(name)) for name in largest["material"].values])
    ax.invert_yaxis()
    ax.set(xlabel=r"$2\Delta_0$, largest over fluence (meV)")
    figure.suptitle(caption(peak.drop_vars("material")))
    legend_of(figure, [line], ["the paper"])
    return figure


def _said(label: str) -> str:
    """A label with symbols for the names of quantities in it."""
    return " ".join(symbol(word) if "_" in word else word for word in label.split())
