"""Picture of a film in equilibrium, for `photogap optics`."""

import math
from pathlib import Path

import numpy as np

from ...core.optics.indices import Index, Medium
from ..materials.film_optics import FilmOptics
from .canvas import Canvas, legend
from .style import COLOURS, PAGE, new, points, printed, room, styled
from .words import formula

_NARROW = 5.0
"""Width below which all panels stand in one column, inches of print with 8 points."""


def draw(film: FilmOptics, omega: float, out: Path, *, style: str = "screen", columns: int = 0) -> Path:
    """Draw sigma1, sigma2, R, T and chi against frequency, up to ten gaps or twice the requested photon energy.

    R, T and chi are left out where the index of the substrate or cover is unknown.
    """
    with styled(style, columns):
        figure = _figure(film, omega)
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, dpi=figure.print_dpi)
    return out


@printed
def _figure(film: FilmOptics, omega: float) -> Canvas:
    top = min(film.top, max(2 * omega, 20 * film.edge, 20 * film.h))
    at = np.linspace(max(film.h, top / 1000), top, 400)
    known = film.surroundings_known(at)
    sigmas = [part.sigma * film.material.rho_N for part in (film.bare.superconducting(at), film.bare.normal(at))]
    light = np.full((3, 2, at.size), np.nan)
    if known.any():
        for j, part in enumerate((film.superconducting(at[known]), film.normal(at[known]))):
            light[:, j, known] = part.R, part.T, part.chi
    rows = (
        (r"$\sigma_1/\sigma_\mathrm{n}$", [s.real for s in sigmas]),
        (r"$\sigma_2/\sigma_\mathrm{n}$", [s.imag for s in sigmas]),
        ("$R$", light[0]),
        (r"$\mathcal{T}$", light[1]),
        (r"$\chi = 1 - R - \mathcal{T}$", light[2]),
    )
    narrow = room(PAGE) < _NARROW
    figure = new(PAGE, 6.6 if narrow else 4.4)
    cells = figure.add_gridspec(5, 1) if narrow else figure.add_gridspec(2, 6)
    places = (
        [cells[i, 0] for i in range(5)]
        if narrow
        else [cells[0, :3], cells[0, 3:], *(cells[1, i : i + 2] for i in (0, 2, 4))]
    )
    for place, (label, (curve, flat)) in zip(places, rows, strict=True):
        ax = figure.add_subplot(place)
        ax.plot(at, curve, color=COLOURS[0], label=f"$T$ = {film.T:g} K")
        ax.plot(at, flat, color=COLOURS[1], linestyle="--", label="normal state")
        if omega <= top:
            ax.axvline(omega, color="0.5", linestyle=":", linewidth=points(1))
        ax.set(xlabel=r"Photon energy $\hbar\omega$ (meV)", ylabel=label)
        ax.margins(x=0)
        ax.grid(alpha=0.3, linewidth=points(0.5))
    for ax, (_, (curve, flat)) in zip(figure.axes[:2], rows, strict=False):
        # sigma2 grows as 1 / omega and would dominate the plot
        high = np.percentile(np.concatenate([flat, curve]), 97)
        ax.set_ylim(min(0.0, float(curve.min())) - 0.05, max(1.3, 1.2 * float(high)))
    if narrow:
        for ax in figure.axes[:-1]:
            ax.set_xlabel("")
    legend(figure, figure.axes[0])
    figure.suptitle(_heading(film, bool(known.all())))
    return figure


def _heading(film: FilmOptics, all_known: bool) -> str:
    """Film, surroundings and state."""
    thickness = "half space" if math.isinf(film.thickness) else f"{film.thickness:g} nm"
    between = f"on {_medium(film.substrate)}" + ("" if film.cover == 1.0 else f" under {_medium(film.cover)}")
    parts = [
        f"{formula(film.material.name)}, {thickness} {between}",
        f"$T$ = {film.T:g} K",
        f"$T_\\mathrm{{c}}$ = {film.Tc:.4g} K",
        f"gap edge {film.edge:.4g} meV",
    ]
    if film.scattering_rate is not None:
        parts.append(rf"$\hbar/\tau$ = {film.scattering_rate:g} meV")
    unknown = (
        "" if all_known else "\n$R$, $\\mathcal{T}$ and $\\chi$ where the indices of substrate and cover are known"
    )
    return ", ".join(parts) + unknown


def _medium(index: Index) -> str:
    if isinstance(index, Medium):
        return index.name
    return "vacuum" if index == 1.0 else f"$n$ = {index:g}"
