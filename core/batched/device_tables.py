"""Constants of a batch on the device, for the lattices of the gap equation and of the kinetic equations."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..constants import HBAR
from ..kinetics import Film
from ..pairing.coherence import _MIDDLE
from ..pairing.eliashberg import Coupling
from .device import jnp

Tables = dict[str, Any]
"""Arrays on the device by name."""


class Size(NamedTuple):
    """Sizes of a lattice, for which programs are compiled.

    Args:
        N: Cells.
        M: Index of the highest phonon energy.
        L: Length of the ring.
        shift: Whole cells in a photon's energy.
        near: Cells whose spectral weights may need closed forms, see `weights.spectral_weights`.
    """

    N: int
    M: int
    L: int
    shift: int = 0
    near: int = 0


def _on_device(found: dict[str, Any]) -> Tables:
    return {name: jnp.asarray(value) for name, value in found.items()}


def gap_tables(coupling: Coupling, largest: float = math.inf) -> tuple[Size, Tables]:
    """Constants of the gap equation, without mu_star, which each row has for itself.

    Args:
        coupling: The gap equation.
        largest: Gap up to which spectral weights are needed, meV.
    """
    lattice, ring = coupling.lattice, coupling.ring
    log, cube = coupling.beyond_window
    found = {
        "h": lattice.h,
        "E": lattice.E,
        "window": lattice.window,
        "alpha2F": coupling.alpha2F,
        "transfer": coupling._transfer,
        "Q": coupling._Q,
        "filled_re": coupling._filled.real,
        "filled_im": coupling._filled.imag,
        "tail": coupling._tail,
        "mirror": ring.mirror_phase,
        "first_moment": coupling._first_moment,
        "log": log,
        "cube": cube,
        "cutoff": coupling.pseudopotential_weights,
    }
    near = math.ceil(min(lattice.N, _MIDDLE * largest / lattice.h))
    return Size(lattice.N, lattice.M, ring.L, near=near), _on_device(found)


def film_tables(film: Film, omega_pump: float, cells: int) -> tuple[Size, Tables]:
    """Constants of the kinetic equations on one lattice.

    Args:
        film: Spectrum and densities.
        omega_pump: Photon energy of the pump, meV.
        cells: Cells of the gap equation's lattice.
    """
    lattice, ring = film.lattice, film.ring
    N, M, h = lattice.N, lattice.M, lattice.h
    shift = omega_pump / h
    k = math.floor(shift + 1e-9)
    above = max(shift - k, 0.0) if shift - k > 1e-9 else 0.0
    first = max(0, N - round(omega_pump / h))
    E = lattice.E
    found = {
        "h": h,
        "E": E,
        "alpha2F": film.alpha2F,
        "mirror": ring.mirror_phase,
        "j": np.arange(M + 1, dtype=float),
        "phonon_rate": film.phonon_rate,
        "fastest_phonon": 2.0 * float((film.phonon_rate * lattice.Omega).max()),
        "energy": 4 * film.N0 * h * E,
        "number": 4 * film.N0 * h,
        "phonon_energy": film.N_ion * h * lattice.Omega * film.F,
        "golden": 2 * math.pi / HBAR,
        "photon": omega_pump,
        "share": np.array([1.0 - above if k > 0 else 0.0, above]),
        "overrun": np.where(np.arange(N) >= first, 4 * film.N0 * omega_pump * h, 0.0),
        "blocked": np.where(np.arange(N) >= cells, 2.0 * h / E, 0.0),
    }
    return Size(N, M, ring.L, shift=k), _on_device(found)
