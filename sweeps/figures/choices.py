"""Twice the largest gap for each of several choices, and the value that the paper reports."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from ..analysis import peak_gap
from .selection import present
from .style import COLUMN, new, printed


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
    ax.barh(rows, largest.values, height=0.7)
    ax.axvline(paper, color="black", linestyle="--", linewidth=0.8)
    ax.set_yticks(rows, [str(name) for name in largest["material"].values])
    ax.invert_yaxis()
    ax.set(xlabel=r"$2\Delta_0$, largest over fluence (meV); dashed: the paper")
    return figure
