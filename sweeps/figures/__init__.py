"""The paper's figures, phase diagrams and movies of a cube: pure functions from a dataset to a Matplotlib figure.

A figure shows what the dataset holds: select first (`draw` does, with `at`), and what is left over becomes lines or
panels. Nothing here needs a display.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import xarray as xr
from matplotlib.figure import Figure

from .curves import equilibrium_gap, gap_fluence, gap_traces
from .maps import gap_function, populations
from .movie import movie
from .phase import phase_diagram
from .probe import probe_traces
from .select import select
from .spectrum import alpha2F_of
from .style import RC

FIGURES: dict[str, Callable[..., Figure]] = {
    "fig2c": probe_traces,
    "fig2d": probe_traces,
    "fig3": gap_traces,
    "fig4": populations,
    "fig6": equilibrium_gap,
    "fig8": gap_fluence,
    "fig9": gap_function,
    "fig10": populations,
    "fig11": populations,
    "phase_diagram": phase_diagram,
}
"""Figures by the name that `photogap plot STORE --figure NAME` takes."""

__all__ = [
    "FIGURES",
    "alpha2F_of",
    "draw",
    "equilibrium_gap",
    "gap_fluence",
    "gap_function",
    "gap_traces",
    "movie",
    "phase_diagram",
    "populations",
    "probe_traces",
    "save",
    "select",
]


def draw(ds: xr.Dataset, name: str, at: Mapping[str, Any] | None = None, **options: Any) -> Figure:
    """A figure by its name.

    Args:
        ds: A cube.
        name: One of `FIGURES`.
        at: Labels to select first, axis -> value or list of values.
        options: Further keywords of the figure's function.

    Raises:
        ValueError: The name is not known, or the cube lacks what the figure shows.
    """
    if name not in FIGURES:
        raise ValueError(f"`figure` must be one of {', '.join(FIGURES)}. Got {name!r}.")
    return FIGURES[name](select(ds, at or {}), **options)


def save(figure: Figure, out: str | Path, dpi: int = 300) -> Path:
    """Write a figure as PNG (of `dpi` dots an inch), PDF or SVG, by the file's ending."""
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(RC):
        figure.savefig(path, dpi=dpi)
    return path
