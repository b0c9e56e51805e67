"""The gap equation, a fixed point of the self-energies solved with Anderson acceleration.

The unknowns are W = E Z = E - S and phi, which are smooth, while Delta = phi / Z has poles near the zeros of Z.
`full` damping takes S and phi complex: scattering of driven quasiparticles broadens the states at the gap edge and
breaks pairs. `real` damping keeps their real parts only, which neglects lifetimes.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..lattice import Array, Complex
from ..settings import Damping
from .anderson import Anderson
from .coherence import gap_edge, spectral_weights
from .eliashberg import Kernel

NO_GAP = 1e-6
"""A solution whose largest |phi| is below this times the lattice spacing is the normal state."""
_GROWING = 1.05
LEAST_Z = 0.1
"""Re Z(0) below which Re phi(0) / Re Z(0) is undefined; a metal has 1 + lambda at low temperature. Thermal phonons
of strong, narrow modes take it through zero."""


@dataclass(frozen=True, eq=False)
class SelfEnergy:
    """A superconductor's dressed energies, the unknowns of the gap equation.

    Args:
        omegaZ: W = E Z at E_i, meV, complex, shape (N,).
        phi: Delta Z at E_i, meV, complex, shape (N,).
    """

    omegaZ: Complex
    phi: Complex

    def __add__(self, change: "SelfEnergy") -> "SelfEnergy":
        """Sum, component by component."""
        return SelfEnergy(self.omegaZ + change.omegaZ, self.phi + change.phi)

    def __sub__(self, other: "SelfEnergy") -> "SelfEnergy":
        """Difference, component by component."""
        return SelfEnergy(self.omegaZ - other.omegaZ, self.phi - other.phi)

    def __rmul__(self, factor: float) -> "SelfEnergy":
        """Scaled by a number."""
        return SelfEnergy(factor * self.omegaZ, factor * self.phi)

    def vector(self, damping: Damping) -> Array:
        """W and phi as one real vector, shape (2 N,) for `real` damping and (4 N,) for `full`."""
        both = np.concatenate([self.omegaZ, self.phi])
        return both.real.copy() if damping == "real" else both.view(float)

    @classmethod
    def from_vector(cls, x: Array, damping: Damping) -> "SelfEnergy":
        """Inverse of `vector`."""
        both: Complex = np.asarray(x + 0j if damping == "real" else x.view(complex), dtype=complex)
        N = both.size // 2
        return cls(both[:N], both[N:])


@dataclass(frozen=True, eq=False)
class GapSolution:
    """A solution of the gap equation.

    Args:
        self_energy: W = E Z and phi.
        rho, p: Spectral weights, dimensionless, shape (N,).
        h: Lattice spacing, meV.
        iterations: Evaluations of the self-energies.
        residual: Largest change of W or phi in a last iteration, relative to the largest |phi|.
        converged: Whether the residual met the tolerance.
    """

    self_energy: SelfEnergy
    rho: Array
    p: Array
    h: float
    iterations: int
    residual: float
    converged: bool

    @property
    def is_normal(self) -> bool:
        """Return whether there is no gap."""
        return not self.self_energy.phi.any()

    @cached_property
    def Z(self) -> Complex:
        """Renormalisation function at E_i, complex, shape (N,)."""
        return np.asarray(self.self_energy.omegaZ / ((np.arange(self.rho.size) + 0.5) * self.h))

    @cached_property
    def Delta(self) -> Complex:
        """Gap function phi / Z at E_i, meV, complex, shape (N,)."""
        return np.asarray(self.self_energy.phi / self.Z)

    @property
    def Delta0(self) -> float:
        """Gap parameter at zero energy, Re phi(0) / Re Z(0), meV.

        Where quasiparticles at zero energy live long this is Re Delta(0). With damping omega Z(0) = i Gamma, so
        Re Delta(omega -> 0) vanishes and its value in the first cell depends on the lattice, not the material; this
        ratio converges as h^2. It diverges where Re Z(0) passes through zero: NaN for a gap with Re Z(0) below
        `LEAST_Z`, zero for the normal state.
        """
        if self.is_normal:
            return 0.0
        return self.amplitude if self.Z[0].real >= LEAST_Z else math.nan

    @property
    def amplitude(self) -> float:
        """Delta0 for the choice of a time step, meV: finite, with Re Z(0) no smaller than `LEAST_Z`."""
        return float(self.self_energy.phi[0].real / max(self.Z[0].real, LEAST_Z))

    @property
    def edge(self) -> float:
        """Gap edge, meV."""
        return gap_edge(self.Delta, self.h)


def gap_map(kernel: Kernel, f: Array, damping: Damping, rho: Array, p: Array) -> SelfEnergy:
    """W and phi from spectral weights rho, p and the occupation f, all of shape (N,)."""
    S, phi = kernel.self_energies(rho, p, f)
    if damping == "real":
        S, phi = S.real.astype(complex), phi.real.astype(complex)
    return SelfEnergy(kernel.coupling.lattice.E - S, phi)


def normal_state(kernel: Kernel, f: Array, damping: Damping) -> GapSolution:
    """The solution Delta = 0, with its Z."""
    rho, p = np.ones(f.size), np.zeros(f.size)
    dressed = gap_map(kernel, f, damping, rho, p)
    state = SelfEnergy(dressed.omegaZ, np.zeros(f.size, dtype=complex))
    return GapSolution(state, rho, p, kernel.coupling.lattice.h, iterations=1, residual=0.0, converged=True)


def solve_gap(
    kernel: Kernel,
    f: Array,
    start: SelfEnergy,
    *,
    damping: Damping = "full",
    tol: float = 1e-6,
    max_iterations: int = 300,
    depth: int = 5,
    history: Anderson | None = None,
) -> GapSolution:
    """Solve the gap equation from a start.

    Args:
        kernel: Kernels of the phonon occupation.
        f: Quasiparticle occupation at E_i, shape (N,).
        start: W and phi to start from.
        damping: `full` or `real`.
        tol: Largest change of W and phi in an iteration, relative to the largest |phi|.
        max_iterations: Evaluations of the self-energies before giving up.
        depth: Length of the history of the Anderson acceleration.
        history: History of a similar equation, to continue from; None starts a new one.
    Returns:
        The solution; `converged` is False if the iterations did not suffice. Delta and -Delta are one
        solution: Re phi(0) >= 0 is returned.
    """
    lattice = kernel.coupling.lattice
    x = start.vector(damping)
    accelerate = Anderson(depth, x.size) if history is None else history
    accelerate.restart()
    state, residual = start, np.inf
    for iteration in range(1, max_iterations + 1):
        rho, p = spectral_weights(state.omegaZ, state.phi)
        image = gap_map(kernel, f, damping, rho, p)
        scale = float(np.abs(image.phi).max())
        if scale < NO_GAP * lattice.h:
            return normal_state(kernel, f, damping)
        r = image.vector(damping) - x
        residual = float(np.abs(r).max()) / scale
        if residual < tol:
            sign = 1.0 if image.phi[0].real >= 0 else -1.0
            solution = SelfEnergy(image.omegaZ, sign * image.phi)
            return GapSolution(solution, rho, sign * p, lattice.h, iteration, residual, True)
        growth = abs(image.phi[0]) / max(abs(state.phi[0]), 1e-300)
        if growth > _GROWING:
            # acceleration would extrapolate a growing gap back to the other solution, zero
            state = SelfEnergy(image.omegaZ, min(growth, 2.0) * image.phi)
            x = state.vector(damping)
            accelerate.forget()
            continue
        x = accelerate.next(x, r)
        state = SelfEnergy.from_vector(x, damping)
    return GapSolution(state, rho, p, lattice.h, max_iterations, residual, False)
