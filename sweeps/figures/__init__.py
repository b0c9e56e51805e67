"""The paper's figures, phase diagrams and movies of a cube: pure functions from a dataset to a Matplotlib figure.

A figure shows all of its dataset: select first (`draw` does, with `at`), and the remaining axes become lines or
panels. Nothing here needs a display.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import xarray as xr
from matplotlib.figure import Figure

from ..store.place import Place
from .curves import equilibrium_gap, gap_fluence, gap_traces
from .depth import depth_difference
from .maps import gap_evolution, gap_function, populations
from .movie import movie
from .phase import phase_diagram
from .probe import probe_traces
from .select import select
from .spectrum import alpha2F_of, material_in, spectrum_array
from .spectrum_lines import spectra
from .style import RC

FIGURES: dict[str, Callable[..., Figure]] = {
    "fig1c": spectra,
    "fig2a": spectra,
    "fig2b": spectra,
    "fig2c": probe_traces,
    "fig2d": probe_traces,
    "fig3": gap_traces,
    "fig4": populations,
    "fig5": spectra,
    "fig6": equilibrium_gap,
    "fig7a": depth_difference,
    "fig7b": depth_difference,
    "fig8": gap_fluence,
    "fig9": gap_evolution,
    "fig10": populations,
    "fig11": populations,
    "gap_function": gap_function,
    "phase_diagram": phase_diagram,
}
"""Figures by name, as in `photogap plot STORE --figure NAME`."""
_MATERIALS = {"fig1c": "K3C60", "fig2a": "Pb", "fig2b": "LaH10", "fig5": "CaC6", "fig7a": "LaH10", "fig7b": "K3C60"}
"""Material of the paper's figure, selected if the cube has it and no other is requested."""

__all__ = [
    "FIGURES",
    "alpha2F_of",
    "depth_difference",
    "draw",
    "draw_cube",
    "equilibrium_gap",
    "gap_evolution",
    "gap_fluence",
    "gap_function",
    "gap_traces",
    "movie",
    "phase_diagram",
    "populations",
    "probe_traces",
    "save",
    "select",
    "spectra",
]


def draw(ds: xr.Dataset, name: str, at: Mapping[str, Any] | None = None, **options: Any) -> Figure:
    """A figure by its name.

    Args:
        ds: A cube.
        name: One of `FIGURES`.
        at: Labels to select first, axis -> value or list of values.
        options: Further keywords of the figure's function.

    Raises:
        ValueError: The name is unknown, or the cube lacks data for the figure.
    """
    if name not in FIGURES:
        raise ValueError(f"`figure` must be one of {', '.join(FIGURES)}. Got {name!r}.")
    at = dict(at or {})
    usual = _MATERIALS.get(name)
    if usual is not None and "material" not in at and usual in ds["material"].values:
        at["material"] = usual
    return FIGURES[name](select(ds, at), **options)


def draw_cube(
    cube: Place, ds: xr.Dataset, name: str, at: Mapping[str, Any] | None = None, **options: Any
) -> Figure:
    """A figure of a cube, with the materials of its config.

    Args:
        cube: Place of the cube.
        ds: The cube, opened.
        name, at, options: See `draw`.
    """
    wanted = (at or {}).get("material", _MATERIALS.get(name))
    labels = [str(label) for label in ds["material"].values] if "material" in ds.coords else []
    chosen = [label for label in labels if label.lower() == str(wanted).lower()] or labels
    material = material_in(cube, chosen[0]) if len(chosen) == 1 else None
    if material is not None and FIGURES.get(name) is populations:
        options["alpha2F"] = spectrum_array(material)
    if material is not None and FIGURES.get(name) in (spectra, depth_difference):
        options["material"] = material
    return draw(ds, name, at, **options)


def save(figure: Figure, out: str | Path, dpi: int = 300) -> Path:
    """Write a figure as PNG (of `dpi` dots an inch), PDF or SVG, by the file's ending."""
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(RC):
        figure.savefig(path, dpi=dpi)
    return path
