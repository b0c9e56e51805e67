"""Figs. 1c, 2a, 2b and 5: the Eliashberg spectral function and the phonon density of states of a material."""

import xarray as xr
from matplotlib.figure import Figure

from ...core.material import Material
from ..materials.library import load
from .style import COLOURS, COLUMN, line_style, new, printed
from .words import formula, title

_FREQUENCY = {"units": "meV", "long_name": "phonon energy"}


@printed
def spectra(ds: xr.Dataset, material: Material | None = None) -> Figure:
    """alpha2F and F over phonon energy.

    Args:
        ds: A cube, or part of one, of one material.
        material: The material itself; None takes the packaged material of the cube's label.

    Raises:
        ValueError: The cube has several materials, or an unknown one.
    """
    labels = ds["material"].values.ravel().tolist()
    if len(labels) != 1:
        raise ValueError(f"the figure shows one material: select it with `at`. Got material = {labels}.")
    film = load(str(labels[0])) if material is None else material
    Omega, alpha2F, F = film.spectrum.on_lattice(film.spacing)
    frequency = xr.DataArray(Omega, dims="frequency", name="frequency", attrs=_FREQUENCY)
    figure = new(COLUMN, 2.6)
    left = figure.subplots()
    right = left.twinx()
    left.fill_between(Omega, 0, alpha2F, color=COLOURS[0], alpha=0.25, linewidth=0)
    left.plot(Omega, alpha2F, **line_style(0))
    right.plot(Omega, F, **line_style(1))
    left.set(xlabel=title(frequency), ylabel=r"$\alpha^2F(\omega)$")
    figure.suptitle(_heading(str(labels[0]), film))
    right.set_ylabel(r"$F(\omega)$ (1/meV per atom)", color=COLOURS[1])
    left.yaxis.label.set_color(COLOURS[0])
    for ax in (left, right):
        ax.margins(x=0)
        ax.set_ylim(bottom=0)
    return figure


def _heading(label: str, film: Material) -> str:
    return f"{formula(label)}, $\\lambda$ = {film.spectrum.coupling_lambda:.3g}"
