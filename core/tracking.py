"""The gap along a trajectory: it follows f and n adiabatically, and opens where the normal state is unstable.

Delta = 0 always solves the gap equation. From the normal state the gap is therefore opened by the linearised
equation (largest eigenvalue above one), never by a nonlinear solve from a small start, which may fall back to zero.
"""

from dataclasses import dataclass

from .coherence import pair_weights
from .eliashberg import Coupling, Kernel
from .gap import GapSolution, normal_state, solve_gap
from .lattice import Array, Complex
from .settings import Damping
from .tc import LinearGap, pairing_eigenvalue
from .thermal import bose, fermi


_COOLING = 0.8
"""Ratio of temperatures between the solutions that lead to a cold one."""
_SEEDS = (4.0, 20.0, 1.0)
"""Heights of the starts for a gap that opens, in lattice spacings."""


class GapError(ArithmeticError):
    """The gap equation did not converge: message says at which residual."""


@dataclass
class GapTracker:
    """Solves the gap equation for a sequence of slowly changing occupations.

    Args:
        coupling: Spectrum with mu_star.
        damping: `full` or `real`.
        tol: Relative residual of the gap equation.
    """

    coupling: Coupling
    damping: Damping
    tol: float
    iterations: int = 0
    eigenvalue: float = 0.0
    _vector: Array | None = None

    def solve(self, f: Array, n: Array, start: Complex | None = None) -> GapSolution:
        """Gap for occupations f (N,) and n (M + 1,), warm-started from `start` (meV, (N,)).

        Raises:
            GapError: if the equation does not converge.
        """
        kernel = self.coupling.kernel(n)
        if start is not None and start.any():
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

        def at(temperature: float, start: Complex | None) -> GapSolution:
            return self.solve(fermi(lattice.E, temperature), bose(lattice.Omega, temperature), start)

        warm = T
        while self._unstable(warm / _COOLING, 1.02):
            warm /= _COOLING
        solution = at(warm, None)
        while warm > T:
            warm = max(T, warm * _COOLING)
            solution = at(warm, solution.Delta)
        return solution

    def _unstable(self, T: float, eigenvalue: float) -> bool:
        """Whether the normal state's largest eigenvalue at T (K) exceeds `eigenvalue`."""
        return pairing_eigenvalue(self.coupling, T, self.damping) > eigenvalue

    def _open(self, kernel: Kernel, f: Array, linear: LinearGap) -> GapSolution:
        """The gap that grows out of an unstable normal state."""
        h = self.coupling.lattice.h
        assert self._vector is not None
        seed = linear.gap_function(self._vector, pair_weights(f.size, h))
        for cells in _SEEDS:
            solution = solve_gap(kernel, f, cells * h * seed, damping=self.damping, tol=self.tol)
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
