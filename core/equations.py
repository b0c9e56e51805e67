r"""The equations of motion of a slab, and of several slabs: sums of terms on state vectors.

A slab's state vector is f (N,), n (M + 1,), and the energies absorbed and escaped since the start, meV/nm^3.

**Z on the left-hand side** (`renormalised`). The kinetic equation of an interacting metal reads

    Re Z(E) df/dt = I[f, n] + Gamma g,

Prange & Kadanoff, Phys. Rev. 134, A566 (1964), here with Z of the gap equation for 1 - dSigma/dE, as Kaplan et al.,
PRB 14, 4854 (1976) do with Z(0); the paper neglects it, its approximation (i). The phonons' equation does not
change: phonons lose the energy that I takes up, however slowly the quasiparticles follow. The energy

    U_qp = 4 N0 Int_0 dE E Z rho f,
    dU_qp/dt = 4 N0 Int_0 dE E Z rho (I + Gamma g) / Z = 4 N0 Int_0 dE E rho (I + Gamma g),

changes as the one without Z does with I undivided: at fixed Z and rho the ledger stays exact. It is also the right
energy: in the normal state Z(0) = 1 + lambda is the enhancement of the specific heat. The number of quasiparticles
has the same weight, since scattering conserves Int Z rho f. Changes of Z enter `U_gap` together with those of rho.
Fermi and Bose functions of one temperature remain stationary. Re Z <= 0 is unphysical and refused.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from .integrators import Problem
from .kinetics import ENTRIES, Change, Entry, Film, JointTerm, State, Term, Weights
from .lattice import Array, Complex
from .terms.absorption import Absorption
from .windows import Ladder, fill_above


@dataclass(frozen=True, kw_only=True)
class Equations:
    """Constants of a slab's right-hand side.

    Args:
        film: Spectrum and densities.
        terms: Processes whose rates are summed, in this order.
        ladder: Films on wider and narrower lattices of the same spacing; None for this one only.
        rung: Position of `film` on the ladder.
        renormalised: Whether Re Z(E) divides the rates of f and weights their energy.
    """

    film: Film
    terms: tuple[Term, ...]
    ladder: Ladder | None = None
    rung: int = 0
    renormalised: bool = False

    @cached_property
    def absorption(self) -> Absorption:
        """The term of absorption by quasiparticles, which needs a lattice that extends above their energies."""
        return next(term for term in self.terms if isinstance(term, Absorption))

    def on(self, rung: int) -> "Equations":
        """The equations on another lattice of their ladder."""
        assert self.ladder is not None
        return replace(self, film=self.ladder.film(rung), rung=rung)

    @property
    def below(self) -> Film | None:
        """The film on the next narrower lattice; None if this lattice is already that of the gap equation."""
        if self.ladder is None or self.rung == self.ladder.last:
            return None
        return self.ladder.film(self.rung + 1)

    def weights(self, rho: Array, p: Array, omegaZ: Complex) -> Weights:
        """The gap equation's rho, p and E Z on this lattice; above its window rho = Z = 1 and p = 0."""
        N, E = self.film.lattice.N, self.film.lattice.E[: rho.size]
        if not self.renormalised:
            return Weights(*fill_above(rho, p, N))
        return Weights(*fill_above(rho, p, N), fill_above(omegaZ.real / E, p, N)[0])

    @cached_property
    def size(self) -> int:
        """Length of a state vector, N + M + 3."""
        return self.film.lattice.N + self.film.lattice.M + 1 + ENTRIES

    def split(self, y: Array) -> tuple[Array, Array]:
        """f (N,) and n (M + 1,) of a state vector."""
        N, M = self.film.lattice.N, self.film.lattice.M
        return y[:N], y[N : N + M + 1]

    def pack(self, f: Array, n: Array) -> Array:
        """State vector of f, n, U_absorbed and U_escaped, shape (N + M + 3,)."""
        return np.concatenate([f, n, np.zeros(ENTRIES)])

    def state(self, y: Array, rho: Array, p: Array, Z: Array | None = None) -> State:
        """The state of a vector y with spectral weights rho, p and Z, all (N,)."""
        return State(self.film, Weights(rho, p, Z), *self.split(y))

    def change(self, rate: Array) -> Change:
        """Views of the parts of a time derivative of a state vector."""
        return Change(*self.split(rate), rate[-ENTRIES:])

    def derivative(self, t: float, y: Array, rho: Array, p: Array, Z: Array | None = None) -> Array:
        """dy/dt at fixed spectral weights rho, p and Z, all (N,)."""
        return joint_derivative([self], (), t, y, [Weights(rho, p, Z)])

    def spectral_radius(self, t: float, y: Array, rho: Array, p: Array, Z: Array | None = None) -> float:
        """Upper bound of the fastest rate, 1/ps: the sum of those of the terms."""
        state = self.state(y, rho, p, Z)
        rate = sum(term.fastest_rate(t, state) for term in self.terms)
        return rate if Z is None else rate / min(1.0, float(Z.min()))

    def invariant(self, weights: Weights) -> Array:
        """Weights w of the energy balance U_qp + U_ph - U_absorbed + U_escaped = w . y, shape of y."""
        film, lattice = self.film, self.film.lattice
        balance = np.zeros(ENTRIES)
        balance[Entry.ABSORBED], balance[Entry.ESCAPED] = -1.0, 1.0
        f, n = 4 * film.N0 * lattice.h * lattice.E * weights.energy, film.N_ion * lattice.h * lattice.Omega * film.F
        return np.concatenate([f, n, balance])


def parts(slabs: Sequence[Equations], y: Array) -> list[Array]:
    """State vectors of the slabs as views of the common one."""
    if len(slabs) == 1:
        return [y]
    ends = list(itertools.accumulate(equations.size for equations in slabs))
    return [y[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def joint_derivative(
    slabs: Sequence[Equations],
    joint: Iterable[JointTerm],
    t: float,
    y: Array,
    weights: Sequence[tuple[Array, ...] | Weights],
) -> Array:
    """dy/dt of several slabs.

    Args:
        slabs: Equations of each slab.
        joint: Processes between them.
        t: Time, ps.
        y: State vectors of the slabs, one after another.
        weights: Spectral weights of each slab: rho, p and, where rates are renormalised, Z, each (N,).
    Returns:
        dy/dt, shape of y.
    """
    vectors = parts(slabs, y)
    rates = [np.zeros(v.size) for v in vectors]
    states = [equations.state(v, *w) for equations, v, w in zip(slabs, vectors, weights, strict=True)]
    changes = [equations.change(rate) for equations, rate in zip(slabs, rates, strict=True)]
    for equations, state, change in zip(slabs, states, changes, strict=True):
        for term in equations.terms:
            term.add(t, state, change)
    for between in joint:
        between.add(t, states, changes)
    _renormalise(states, changes)
    return np.concatenate(rates) if len(rates) > 1 else rates[0]


def _renormalise(states: Sequence[State], changes: Sequence[Change]) -> None:
    """Divide the rates of f by Z."""
    for state, change in zip(states, changes, strict=True):
        if state.weights.Z is not None:
            change.f /= state.weights.Z


def joint_spectral_radius(
    slabs: Sequence[Equations], joint: Iterable[JointTerm], t: float, vectors: Sequence[Array],
    weights: Sequence[tuple[Array, ...] | Weights],
) -> float:  # fmt: skip
    """Upper bound of the fastest rate of several slabs, 1/ps: that of the fastest slab plus those of the joint
    terms."""
    found = list(zip(slabs, vectors, weights, strict=True))
    radius = max(equations.spectral_radius(t, v, *w) for equations, v, w in found)
    for term in joint:
        radius += term.fastest_rate(t, [equations.state(v, *w) for equations, v, w in found])
    return radius


def joint_problem(
    slabs: Sequence[Equations],
    joint: Sequence[JointTerm],
    weights: Sequence[tuple[Array, ...] | Weights],
    scale: Array,
) -> Problem:
    """The right-hand side of several slabs at fixed spectral weights, with the inputs of an implicit method.

    Args:
        slabs, joint, weights: As for `joint_derivative`.
        scale: Error allowed in each component, shape of y.
    """

    def relaxation(t: float, y: Array) -> Array:
        found = list(zip(slabs, parts(slabs, y), weights, strict=True))
        states = [equations.state(v, *w) for equations, v, w in found]
        out = [np.zeros(v.size) for _, v, _ in found]
        rates = [equations.change(rate) for equations, rate in zip(slabs, out, strict=True)]
        for equations, state, change in zip(slabs, states, rates, strict=True):
            for term in equations.terms:
                term.relaxation(t, state, change)
        for between in joint:
            between.relaxation(t, states, rates)
        _renormalise(states, rates)
        # stimulated emission makes some occupations grow, which is no use for preconditioning
        return np.maximum(np.concatenate(out), 0.0)

    balances = [equations.invariant(Weights(*w)) for equations, w in zip(slabs, weights, strict=True)]
    entries = [np.arange(equations.size) >= equations.size - ENTRIES for equations in slabs]
    return Problem(
        rate=partial(joint_derivative, slabs, joint, weights=weights), scale=scale, relaxation=relaxation,
        invariant=np.concatenate(balances), integrals=np.concatenate(entries),
    )  # fmt: skip
