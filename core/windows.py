r"""Wide windows while quasiparticles are at high energy, narrow ones once they have relaxed.

A pump of 1.5 eV lifts quasiparticles to a thousand times the gap; they relax by some 5 meV per phonon. A strong
pump lifts them repeatedly. The gap equation keeps the material's own window throughout: above it rho = 1, p = 0,
and quasiparticles there reduce the gap by less than Int 2 f dE / E (the pairs that they would block if the
attraction there were as strong as at the gap), which is monitored and refused if too large.

The kinetic equations use a ladder of lattices of the same spacing. Quasiparticles closer to the end than one photon
cannot absorb; if they would take a significant share of the power, the lattice widens by a rung. When the pulse is
over and the energy above the next narrower window is negligible, the lattice narrows; this energy is given to the
quasiparticles in the upper half of the new window, in proportion to their number, so that none is lost.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .kinetics import Film
from .lattice import Array

NEGLIGIBLE = 1e-5
"""Share of the absorbed energy above a window below which the lattice is narrowed to it."""
MOST_BLOCKED = 1e-2
"""Largest Int 2 f dE / E above the window of the gap equation."""
MOST_OVERRUN = 3e-3
"""Share of the pump's power that quasiparticles near the end may miss before the lattice widens."""
_STEP = 1.5
_RESERVE = 4


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """Lattices of the kinetic equations, one for each window.

    Args:
        windows: Upper edges, meV, widest first; the last is the gap equation's own.
        begin: Rung on which a pulse begins.
        build: Film on the lattice of a window (meV), built on demand and cached.
    """

    windows: tuple[float, ...]
    begin: int
    build: Callable[[float], Film]

    @property
    def last(self) -> int:
        """Rung of the gap equation's window."""
        return len(self.windows) - 1

    def film(self, rung: int) -> Film:
        """Spectrum and densities on a rung's lattice."""
        return self.build(self.windows[rung])


def window_ladder(window: float, omega_pump: float) -> tuple[tuple[float, ...], int]:
    """Windows of the kinetic equations, meV, widest first, and the rung on which a pulse begins.

    Args:
        window: Window of the gap equation, meV.
        omega_pump: Photon energy of the pump, meV.
    Returns:
        A pulse begins on `window` if that exceeds the photon energy, else on omega_pump + window, followed by
        windows shorter by a factor of at most 1.5 each, down to `window`. Four wider windows in reserve precede
        these, each wider than the next by half or by a photon, whichever is larger.
    """
    below = [window]
    if omega_pump >= window:
        widest = omega_pump + window
        rungs = math.ceil(math.log(widest / window) / math.log(_STEP))
        below = [*(window * (widest / window) ** (1 - k / rungs) for k in range(rungs)), window]
    above: list[float] = []
    for _ in range(_RESERVE):
        top = above[0] if above else below[0]
        above.insert(0, max(_STEP * top, top + omega_pump))
    return (*above, *below), _RESERVE


def build_ladder(build: Callable[[float], Film], window: float, omega_pump: float) -> Ladder:
    """The ladder of `window_ladder` with its films."""
    windows, begin = window_ladder(window, omega_pump)
    return Ladder(windows=windows, begin=begin, build=build)


def fill_above(rho: Array, p: Array, N: int) -> tuple[Array, Array]:
    """Weights continued from the gap equation's window to N cells: rho = 1, p = 0."""
    above = N - rho.size
    if above == 0:
        return rho, p
    return np.concatenate([rho, np.ones(above)]), np.concatenate([p, np.zeros(above)])


def blocked_above(film: Film, f: Array, cells: int) -> float:
    """Int 2 f dE / E over the lattice's cells from `cells` on, dimensionless."""
    E = film.lattice.E[cells:]
    return float(2.0 * film.lattice.h * np.sum(f[cells:] / E)) if E.size else 0.0


def energy_above(film: Film, f: Array, cells: int) -> float:
    """Energy of quasiparticles in the cells from `cells` on (rho = 1 there), meV/nm^3."""
    lattice = film.lattice
    return float(4.0 * film.N0 * lattice.h * np.dot(lattice.E[cells:], f[cells:]))


def cut(film: Film, f: Array, rho: Array, to: Film) -> Array:
    """Occupation on a narrower lattice, with the energy above it given to the upper half of the new window.

    Args:
        film: The wide lattice.
        f: Occupation there, shape (N,).
        rho: Density of states there, shape (N,).
        to: The narrower lattice.
    Returns:
        Occupation of the same energy, shape (to.lattice.N,).
    """
    N = to.lattice.N
    kept = f[:N].copy()
    half = slice(N // 2, N)
    share = np.maximum(kept[half], 0.0)
    if not share.any():
        share = np.ones_like(share)
    unit = 4.0 * to.N0 * to.lattice.h * float(np.dot(to.lattice.E[half] * rho[half], share))
    kept[half] += energy_above(film, f, N) / unit * share
    return kept
