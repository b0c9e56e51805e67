"""The equations of motion of a slab, and of several slabs: sums of terms on state vectors.

A slab's state vector is f (N,), n (M + 1,), and the energies absorbed and escaped since the start, meV/nm^3.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .absorption import Absorption
from .integrators import Problem
from .kinetics import Change, Entry, Film, JointTerm, State, Term
from .lattice import Array
from .windows import Ladder, fill_above


@dataclass(frozen=True, kw_only=True)
class Equations:
    """Constants of a slab's right-hand side.

    Args:
        film: Spectrum and densities.
        terms: Processes whose rates are summed, in this order.
        ladder: Films on wider and narrower lattices of the same spacing; None stays on this one.
        rung: Where on the ladder `film` is.
    """

    film: Film
    terms: tuple[Term, ...]
    ladder: Ladder | None = None
    rung: int = 0

    @cached_property
    def absorption(self) -> Absorption:
        """The term by which quasiparticles take light: it needs room above."""
        return next(term for term in self.terms if isinstance(term, Absorption))

    def on(self, rung: int) -> "Equations":
        """The equations on another lattice of their ladder."""
        assert self.ladder is not None
        return replace(self, film=self.ladder.film(rung), rung=rung)

    @property
    def below(self) -> Film | None:
        """The film on the next narrower lattice; None on the gap equation's own."""
        if self.ladder is None or self.rung == self.ladder.last:
            return None
        return self.ladder.film(self.rung + 1)

    def weights(self, rho: Array, p: Array) -> tuple[Array, Array]:
        """The gap equation's rho, p on this lattice, both shape (N,)."""
        return fill_above(rho, p, self.film.lattice.N)

    @property
    def size(self) -> int:
        """Length of a state vector, N + M + 3."""
        return self.film.lattice.N + self.film.lattice.M + 1 + len(Entry)

    def split(self, y: Array) -> tuple[Array, Array]:
        """f (N,) and n (M + 1,) of a state vector."""
        N, M = self.film.lattice.N, self.film.lattice.M
        return y[:N], y[N : N + M + 1]

    def pack(self, f: Array, n: Array) -> Array:
        """State vector of f, n, U_absorbed and U_escaped, shape (N + M + 3,)."""
        return np.concatenate([f, n, np.zeros(len(Entry))])

    def state(self, y: Array, rho: Array, p: Array) -> State:
        """The state of a vector y with spectral weights rho, p (N,)."""
        return State(self.film, rho, p, *self.split(y))

    def change(self, rate: Array) -> Change:
        """Parts of a time derivative of a state vector, views."""
        return Change(*self.split(rate), rate[-len(Entry) :])

    def derivative(self, t: float, y: Array, rho: Array, p: Array) -> Array:
        """dy/dt at fixed spectral weights rho, p (N,)."""
        out = np.zeros(y.size)
        state, change = self.state(y, rho, p), self.change(out)
        for term in self.terms:
            term.add(t, state, change)
        return out

    def spectral_radius(self, t: float, y: Array, rho: Array, p: Array) -> float:
        """Estimate from above of the fastest rate, 1/ps: the sum of the terms'."""
        state = self.state(y, rho, p)
        return sum(term.fastest_rate(t, state) for term in self.terms)

    def invariant(self, rho: Array) -> Array:
        """Weights w of the energy balance U_qp + U_ph - U_absorbed + U_escaped = w . y, shape of y."""
        film, lattice = self.film, self.film.lattice
        balance = np.zeros(len(Entry))
        balance[Entry.ABSORBED], balance[Entry.ESCAPED] = -1.0, 1.0
        f, n = 4 * film.N0 * lattice.h * lattice.E * rho, film.N_ion * lattice.h * lattice.Omega * film.F
        return np.concatenate([f, n, balance])


def parts(slabs: Sequence[Equations], y: Array) -> list[Array]:
    """State vector of each slab in that of all, views."""
    ends = list(itertools.accumulate(equations.size for equations in slabs))
    return [y[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def joint_derivative(
    slabs: Sequence[Equations],
    joint: Iterable[JointTerm],
    t: float,
    y: Array,
    weights: Sequence[tuple[Array, Array]],
) -> Array:
    """dy/dt of several slabs.

    Args:
        slabs: Equations of each slab.
        joint: Processes between them.
        t: Time, ps.
        y: State vectors of the slabs, one after another.
        weights: Spectral weights rho, p of each slab, each (N,).
    Returns:
        dy/dt, shape of y.
    """
    vectors = parts(slabs, y)
    rates = [equations.derivative(t, v, *w) for equations, v, w in zip(slabs, vectors, weights, strict=True)]
    for term in joint:
        states = [equations.state(v, *w) for equations, v, w in zip(slabs, vectors, weights, strict=True)]
        term.add(t, states, [equations.change(rate) for equations, rate in zip(slabs, rates, strict=True)])
    return np.concatenate(rates) if len(rates) > 1 else rates[0]


def joint_spectral_radius(
    slabs: Sequence[Equations], joint: Iterable[JointTerm], t: float, vectors: Sequence[Array],
    weights: Sequence[tuple[Array, Array]],
) -> float:  # fmt: skip
    """Estimate from above of the fastest rate of several slabs, 1/ps: the fastest slab's and the joint terms'."""
    found = list(zip(slabs, vectors, weights, strict=True))
    radius = max(equations.spectral_radius(t, v, *w) for equations, v, w in found)
    for term in joint:
        radius += term.fastest_rate(t, [equations.state(v, *w) for equations, v, w in found])
    return radius


def joint_problem(
    slabs: Sequence[Equations], joint: Sequence[JointTerm], weights: Sequence[tuple[Array, Array]], scale: Array
) -> Problem:
    """The right-hand side of several slabs at fixed spectral weights, with what an implicit method needs.

    Args:
        slabs, joint, weights: As for `joint_derivative`.
        scale: Error allowed in each component, shape of y.
    """

    def rate(t: float, y: Array) -> Array:
        return joint_derivative(slabs, joint, t, y, weights)

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
        # stimulated emission makes a few grow: nothing to precondition with
        return np.maximum(np.concatenate(out), 0.0)

    entries = [np.arange(equations.size) >= equations.size - len(Entry) for equations in slabs]
    return Problem(
        rate=rate, scale=scale, relaxation=relaxation, integrals=np.concatenate(entries),
        invariant=np.concatenate([equations.invariant(w[0]) for equations, w in zip(slabs, weights, strict=True)]),
    )  # fmt: skip
