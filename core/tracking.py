"""The gap along a trajectory: it follows f and n adiabatically, and opens where the normal state is unstable.

Delta = 0 always solves the gap equation. From the normal state the gap is therefore opened by the linearised
equation (largest eigenvalue above one), never by a nonlinear solve from a small start, which may fall back to zero.
"""

import math
from dataclasses import dataclass

from .coherence import spectral_weights
from .eliashberg import Coupling, Kernel
from .gap import GapSolution, SelfEnergy, gap_map, normal_state, solve_gap
from .lattice import Array
from .settings import Damping
from .tc import LinearGap, pairing_eigenvalue
from .thermal import bose, fermi

_COOLING = 0.8
"""Ratio of temperatures between the solutions that lead to a cold one."""
_SEEDS = (1.0, 1.5, 0.7)
"""Starts for a gap that opens, relative to where two iterations let it neither grow nor fall."""


class GapError(ArithmeticError):
    """The gap equation did not converge: message says at which residual."""


@dataclass
class GapTracker:
    """Solves the gap equation for a sequence of slowly changing occupations.

    Args:
        coupling: Spectrum with mu_star.
        damping: `full` or `real`.
        tol: Relative residual of the gap equation.
        held: A gap that is to stay as it is; None follows the occupations.
    """

    coupling: Coupling
    damping: Damping
    tol: float
    held: GapSolution | None = None
    iterations: int = 0
    eigenvalue: float = 0.0
    _vector: Array | None = None

    def solve(self, f: Array, n: Array, start: SelfEnergy | None = None) -> GapSolution:
        """Gap for occupations f (N,) and n (M + 1,), warm-started from `start`.

        Raises:
            GapError: if the equation does not converge.
        """
        if self.held is not None:
            return self.held
        kernel = self.coupling.kernel(n)
        if start is not None and start.phi.any():
            solution = solve_gap(kernel, f, start, damping=self.damping, tol=self.tol)
            self.iterations += solution.iterations
            if solution.converged and not solution.is_normal:
                return solution
        linear = LinearGap.around(kernel, f, self.damping)
        if self._vector is None:
            self.eigenvalue, self._vector = linear.largest_eigenvalue(tol=1e-6)
        else:
            self.eigenvalue, self._vector = linear.growth(self._vector, steps=4)
        if self.eigenvalue <= 1.0:
            return normal_state(kernel, f, self.damping)
        self.eigenvalue, self._vector = linear.largest_eigenvalue(self._vector, tol=1e-4)
        if self.eigenvalue <= 1.0:
            return normal_state(kernel, f, self.damping)
        return self._open(kernel, f, linear)

    def solve_equilibrium(self, T: float) -> GapSolution:
        """Gap in thermal equilibrium at T (K), cooled down to from where it opens.

        Deep below Tc in a strongly coupled material a start far from the answer can end on a spurious branch, or
        on none; cooling follows the one that opens at Tc.

        Raises:
            GapError: if the equation does not converge.
        """
        lattice = self.coupling.lattice

        def at(temperature: float, start: SelfEnergy | None) -> GapSolution:
            return self.solve(fermi(lattice.E, temperature), bose(lattice.Omega, temperature), start)

        warm = T
        while self._unstable(warm / _COOLING, 1.02):
            warm /= _COOLING
        solution = at(warm, None)
        while warm > T:
            warm = max(T, warm * _COOLING)
            solution = at(warm, solution.self_energy)
        return solution

    def _unstable(self, T: float, eigenvalue: float) -> bool:
        """Whether the normal state's largest eigenvalue at T (K) exceeds `eigenvalue`."""
        return pairing_eigenvalue(self.coupling, T, self.damping) > eigenvalue

    def _open(self, kernel: Kernel, f: Array, linear: LinearGap) -> GapSolution:
        """The gap that grows out of an unstable normal state."""
        assert self._vector is not None
        vector, height = self._vector, self._height(kernel, f, linear)
        for factor in _SEEDS:
            seed = linear.state(vector, factor * height)
            solution = solve_gap(kernel, f, seed, damping=self.damping, tol=self.tol)
            self.iterations += solution.iterations
            if solution.converged and not solution.is_normal:
                return solution
        if solution.is_normal:
            # unstable, but the gap is too small for this lattice to hold
            return solution
        raise GapError(
            f"the gap equation did not converge: residual {solution.residual:.2e} after {solution.iterations} "
            f"iterations, largest eigenvalue of the normal state {self.eigenvalue:.4f}"
        )

    def _height(self, kernel: Kernel, f: Array, linear: LinearGap) -> float:
        """Re phi(0) (meV) of the eigenvector at which two iterations let it neither grow nor fall."""
        assert self._vector is not None
        vector = self._vector

        def growth(height: float) -> float:
            seed = linear.state(vector, height)
            first = gap_map(kernel, f, self.damping, *spectral_weights(seed.omegaZ, seed.phi))
            second = gap_map(kernel, f, self.damping, *spectral_weights(first.omegaZ, first.phi))
            self.iterations += 2
            return float(abs(second.phi[0]) / height)

        low = high = 4.0 * self.coupling.lattice.h
        while growth(high) > 1.0:
            low, high = high, 2.0 * high
        if low == high:
            low *= 0.5
            while growth(low) < 1.0 and low > 1e-3 * self.coupling.lattice.h:
                low, high = 0.5 * low, low
        for _ in range(4):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if growth(middle) > 1.0 else (low, middle)
        return math.sqrt(low * high)
