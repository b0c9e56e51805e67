r"""The kinetic equations as a sum of terms, one for each process.

    d/dt (f, n, U_absorbed, U_escaped) = sum over processes of their rates

A term adds its rates to df/dt and dn/dt, records the energy that it brings into or out of the film, and bounds its
own fastest rate, from which an integrator sets its step. The ledger then accounts for the change of U_qp + U_ph by
all terms. The list of terms is in `processes`.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, NamedTuple, Protocol

import numba as nb
import numpy as np

from .constants import HBAR
from .declaration import Joint
from .lattice import Array, Lattice, Ring
from .settings import Point, Settings
from .terms.blocks import Blocks
from .terms.pump import Pump


@nb.njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _energy(E: Array, rho: Array, f: Array) -> float:
    """Sum of E rho f."""
    total = 0.0
    for i in range(f.size):
        total += E[i] * rho[i] * f[i]
    return total


@dataclass(frozen=True, eq=False)
class Film:
    """A film's spectrum and densities on a lattice: the material data of the kinetic equations.

    Args:
        lattice: Energies.
        alpha2F: Eliashberg function at Omega_j, dimensionless, shape (M + 1,).
        F: Phonon density of states at Omega_j, 1/meV per atom, shape (M + 1,).
        N0: Electron density of states per spin, 1/(meV nm^3).
        N_ion: Atoms per volume, 1/nm^3.
        gap_cells: Cells of the gap equation's window, above which rho = 1 and p = 0; None if it is the lattice.
    """

    lattice: Lattice
    alpha2F: Array
    F: Array
    N0: float
    N_ion: float
    gap_cells: int | None = None

    @cached_property
    def ring(self) -> Ring:
        """Ring of the collision integrals."""
        return Ring.for_collisions(self.lattice)

    @cached_property
    def blocks(self) -> Blocks | None:
        """Blocks of the cells above the gap equation's window, for collision integrals; None without such cells."""
        return None if self.gap_cells is None else Blocks.above(self.lattice, self.gap_cells)

    @cached_property
    def phonon_rate(self) -> Array:
        """(4 pi / hbar) (N0 / N_ion) (alpha2F / F), 1/(meV ps), shape (M + 1,); zero where F is zero."""
        F = np.where(self.F > 0, self.F, 1.0)
        return np.asarray(np.where(self.F > 0, self.alpha2F / F, 0.0) * 4 * np.pi / HBAR * self.N0 / self.N_ion)

    def quasiparticle_energy(self, rho: Array, f: Array) -> float:
        """U_qp = 4 N0 Int_0 dE E rho f, meV/nm^3."""
        return 4 * self.N0 * self.lattice.h * _energy(self.lattice.E, rho, f)

    def quasiparticle_number(self, rho: Array, f: Array) -> float:
        """Number density of quasiparticles, 4 N0 Int_0 dE rho f, 1/nm^3."""
        return float(4 * self.N0 * self.lattice.h * np.dot(rho, f))

    def phonon_energy(self, n: Array) -> float:
        """U_ph = N_ion Int dOmega F Omega n, meV/nm^3; n may be a rate, giving meV/(nm^3 ps)."""
        return float(self.N_ion * self.lattice.h * np.dot(self.lattice.Omega * self.F, n))


class Entry(enum.IntEnum):
    """Entry for energy that enters or leaves the film: its position after f and n in a state vector."""

    ABSORBED = 0
    ESCAPED = 1


ENTRIES: Final = len(Entry)
"""Number of entries, at the end of a state vector."""


class Weights(NamedTuple):
    """Spectral weights at E_i, dimensionless, shape (N,) each.

    Args:
        rho, p: Density of states and pair amplitude.
        Z: Re Z(E), by which rates of f are divided and U_qp is weighted (`equations`); None neglects it.
    """

    rho: Array
    p: Array
    Z: Array | None = None

    @property
    def energy(self) -> Array:
        """Weight of f in U_qp and in the number of quasiparticles: rho, or Z rho."""
        return self.rho if self.Z is None else self.Z * self.rho


@dataclass(eq=False, slots=True)
class State:
    """State of a slab at one time, as passed to its terms.

    Args:
        film: Spectrum and densities on the slab's lattice.
        weights: Spectral weights.
        f: Quasiparticle occupation at E_i, shape (N,).
        n: Phonon occupation at Omega_j, shape (M + 1,).
    """

    film: Film
    weights: Weights
    f: Array
    n: Array

    @property
    def rho(self) -> Array:
        """Density of states at E_i, dimensionless, shape (N,)."""
        return self.weights.rho

    @property
    def p(self) -> Array:
        """Pair amplitude at E_i, dimensionless, shape (N,)."""
        return self.weights.p

    @property
    def U_qp(self) -> float:
        """Energy of the quasiparticles, meV/nm^3."""
        return self.film.quasiparticle_energy(self.weights.energy, self.f)


@dataclass(eq=False, slots=True)
class Change:
    """Time derivative of a slab's state, to which each term adds.

    Args:
        f: df/dt, 1/ps, shape (N,).
        n: dn/dt, 1/ps, shape (M + 1,).
        ledger: Power density by `Entry`, meV/(nm^3 ps), shape (2,).
    """

    f: Array
    n: Array
    ledger: Array


class Term(Protocol):
    """A process within a slab."""

    def add(self, t: float, state: State, change: Change) -> None:
        """Add the process's rates at time t (ps), and the power that it brings into or out of the film."""
        ...

    def fastest_rate(self, t: float, state: State) -> float:
        """Upper bound of the process's fastest rate, 1/ps; zero for a source independent of the state."""
        ...

    def relaxation(self, t: float, state: State, rates: Change) -> None:
        """Add the rates (1/ps) at which single occupations decay on their own: -d(df/dt)/df of each cell, roughly.

        Implicit methods precondition with them: an estimate is enough.
        """
        ...


class JointTerm(Protocol):
    """A process between slabs, the first one next to the light."""

    def add(self, t: float, states: Sequence[State], changes: Sequence[Change]) -> None:
        """As `Term.add`, for all slabs at once."""
        ...

    def fastest_rate(self, t: float, states: Sequence[State]) -> float:
        """As `Term.fastest_rate`, for all slabs at once."""
        ...

    def relaxation(self, t: float, states: Sequence[State], rates: Sequence[Change]) -> None:
        """As `Term.relaxation`, for all slabs at once."""
        ...


class Process:
    """Base class of the processes in a slab, with the defaults of a source independent of the state.

    Attributes:
        rules: Rules that bind point and settings for this process; most have none.
    """

    rules: ClassVar[tuple[Joint, ...]] = ()

    def fastest_rate(self, t: float, state: State) -> float:
        """See `Term.fastest_rate`."""
        return 0.0

    def relaxation(self, t: float, state: State, rates: Change) -> None:
        """See `Term.relaxation`."""


class JointProcess:
    """Base class of the processes between slabs."""

    rules: ClassVar[tuple[Joint, ...]] = ()


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Inputs of a slab's terms.

    Args:
        point, settings: The simulated point.
        film: Spectrum and densities; terms use what all lattices of a slab share (its phonons).
        pump: Absorption of the slab.
        gamma: Absorption rate Gamma, 1/ps, from (t, absorbed power density at unit Gamma).
        n_eq: Bose occupation of the bath, shape (M + 1,).
    """

    point: Point
    settings: Settings
    film: Film
    pump: Pump
    gamma: Callable[[float, float], float]
    n_eq: Array
