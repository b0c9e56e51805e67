r"""Wide windows while quasiparticles are high, narrow ones once they have come down.

A pump of 1.5 eV lifts quasiparticles a thousand gaps high; they come down by some 5 meV a phonon. The gap equation
keeps the material's own window throughout: above it rho = 1 and p = 0, and quasiparticles there weigh on the gap by
less than Int 2 f dE / E (the pairs that they block, were the attraction as strong up there as at the gap), which is
measured and refused where it matters. The kinetic equations run on a ladder of lattices of one spacing. A rung is
left for the next when the pulse is over and the energy above the next window is negligible; that energy is then
given to the quasiparticles in the upper half of the new window, in proportion to their number: no energy is lost.
"""

import math
from collections.abc import Callable

import numpy as np

from .collisions import Film
from .lattice import Array

NEGLIGIBLE = 1e-5
"""Share of the absorbed energy above a window at which the lattice is cut there."""
MOST_BLOCKED = 1e-2
"""Largest Int 2 f dE / E above the window of the gap equation."""
_STEP = 1.5


def window_ladder(window: float, omega_pump: float) -> tuple[float, ...]:
    """Windows of the kinetic equations, meV, widest first; the material's alone where it holds the pump.

    Args:
        window: Window of the gap equation, meV.
        omega_pump: Photon energy of the pump, meV.
    Returns:
        The widest is omega_pump + window, where quasiparticles that have absorbed one photon find room; each
        following one is shorter by a factor of at most 1.5; the last is `window`.
    """
    if omega_pump < window:
        return (window,)
    widest = omega_pump + window
    rungs = math.ceil(math.log(widest / window) / math.log(_STEP))
    return (*(window * (widest / window) ** (1 - k / rungs) for k in range(rungs)), window)


def build_ladder(build: Callable[[float], Film], window: float, omega_pump: float) -> tuple[Film, ...]:
    """A film for each window of `window_ladder`, widest first."""
    return tuple(build(w) for w in window_ladder(window, omega_pump))


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
    """Occupation on a narrower lattice, what lies above given to the upper half of the new window.

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
