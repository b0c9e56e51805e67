"""Conductivity of a pumped film as it is inferred from its reflection, against that of its topmost slab."""

import json
import math

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...core.material import Material
from ..analysis import inferred_conductivity
from ..materials.library import load
from .canvas import legend
from .depth import pump_depth
from .selection import caption, lines, present
from .style import COLOURS, PAGE, new, printed
from .words import quantity, title

_PARTS = (("sigma1", r"$\sigma_1/\sigma_1^\mathrm{before}$"), ("sigma2", r"$\sigma_2/\sigma_1^\mathrm{before}$"))


@printed
def optical_saturation(ds: xr.Dataset, material: Material | None = None) -> Figure:
    """sigma1 (above) and sigma2 (below) over the probe's energy at the last time, relative to sigma1 unpumped.

    Solid: of the topmost slab, the most strongly pumped; dashed: inferred from r with a change that falls as the
    pump does. A colour a fluence, a column for each label of the other axes.

    Args:
        ds: A cube with `probe_amplitude`, axes F0 and omega_probe, of one material and one pump.
        material: The material itself; None takes that of the cube's label if it comes with the package.
    """
    present(ds, "r_real", "time", "omega_probe", "F0")
    film = load(str(ds["material"].values.item())) if material is None else material
    depth = pump_depth(film, float(ds["omega_pump"].item()))
    ds = ds.sortby(["F0", "omega_probe"])
    both = xr.merge([ds, inferred_conductivity(ds, depth, _thickness(ds))])
    before = both["sigma1"].isel(time=0, drop=True)
    last = both.isel(time=-1)
    dims = ["F0", "omega_probe"]
    columns = list(lines(last["sigma1_top"], dims))
    figure = new(min(PAGE, 3.0 * len(columns) + 0.4), 4.2)
    axes = figure.subplots(2, len(columns), squeeze=False, sharex=True, sharey="row")
    for row, (name, label) in zip(axes, _PARTS, strict=True):
        shown = [list(lines(last[f"{name}_{kind}"] / before, dims)) for kind in ("top", "inferred")]
        for ax, (text, top), (_, inferred) in zip(row, *shown, strict=True):
            _panel(ax, top, inferred)
            if name == "sigma1":
                ax.set_title(text)
            else:
                ax.set_xlabel(title(ds["omega_probe"]))
        row[0].set_ylabel(label)
    figure.suptitle(caption(last["sigma1_top"]))
    legend(figure, axes[0, 0])
    return figure


def _panel(ax: Axes, top: xr.DataArray, inferred: xr.DataArray) -> None:
    ax.axhline(0, color="#888888", linewidth=0.6)
    for i, F0 in enumerate(top["F0"]):
        colour = COLOURS[i % len(COLOURS)]
        ax.plot(top["omega_probe"], top.isel(F0=i), color=colour, label=quantity(F0))
        ax.plot(inferred["omega_probe"], inferred.isel(F0=i), "--", color=colour)
    for words, style in (("topmost slab", "-"), ("inferred", "--")):
        ax.plot([], [], style, color="#555555", label=words)
    ax.margins(x=0)


def _thickness(ds: xr.Dataset) -> float:
    """Film thickness in the cube's settings, nm; infinite if they state none."""
    record = json.loads(str(ds.attrs.get("photogap", "{}")))
    found = record.get("base", {}).get("settings", {}).get("thickness")
    return float(found) if isinstance(found, int | float) and np.isfinite(found) else math.inf
