"""The gap along a trajectory: it follows f and n adiabatically, and opens where the normal state is unstable.

Delta = 0 always solves the gap equation, but is accepted only if the largest eigenvalue of the linearised equation
does not exceed one. Otherwise a nonlinear solution that ends at zero is discarded: `opening` finds the gap, or
raises an error with the reason.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..lattice import Array
from ..settings import Damping
from ..thermal import bose, fermi
from .anderson import Anderson
from .eliashberg import Coupling, Kernel
from .gap import GapSolution, SelfEnergy, normal_state, solve_gap
from .opening import open_gap, settle_gap
from .tc import LinearGap, pairing_eigenvalue

_COOLING = 0.8
"""Ratio of temperatures between the solutions that lead to a cold one."""
_SLOWEST = 0.98
"""The same if the gap equation does not converge at larger ratios; the last attempt."""
_EIGENVALUE = 1e-6
"""Tolerance of the largest eigenvalue of the normal state."""


_SHARES = (0.3, 0.15)
"""Shares of a change that damped iterations take; whether one passes a step depends on its path."""
_HISTORY = 8
"""Length of the history of the Anderson acceleration, which is kept from one solution to the next."""

_CLOSER = 0.1
"""Share of the tolerance that is asked for where there is a history, with which it takes few more iterations."""


class GapError(ArithmeticError):
    """The gap equation did not converge; the message gives the residual."""


@dataclass
class GapTracker:
    """Solves the gap equation for a sequence of slowly changing occupations.

    Args:
        coupling: Spectrum with mu_star.
        damping: `full` or `real`.
        tol: Relative residual of the gap equation.
        held: A fixed gap; None follows the occupations.
    """

    coupling: Coupling
    damping: Damping
    tol: float
    held: GapSolution | None = None
    iterations: int = 0
    eigenvalue: float = 0.0
    _vector: Array | None = None
    _history: Anderson | None = None

    def solve(self, f: Array, n: Array, start: SelfEnergy | None = None) -> GapSolution:
        """Gap for occupations f (N,) and n (M + 1,), warm-started from `start`.

        The normal state is accepted only if its largest eigenvalue does not exceed one and a gap to start from has
        vanished.

        Raises:
            GapError: if the equation does not converge.
        """
        if self.held is not None:
            return self.held
        kernel = self.coupling.kernel(n)
        lost = False
        if start is not None and start.phi.any():
            solution = self._follow(kernel, f, start)
            if solution.converged and not solution.is_normal:
                return solution
            lost = not solution.converged
        linear = LinearGap.around(kernel, f, self.damping)
        unstable = self._is_unstable(linear)
        if start is not None and (lost or unstable) and start.phi[0].real > 0.0:
            found = self._open(kernel, f, start)
            if found is not None and found.converged:
                return found
            if found is not None and not unstable:
                raise self._failure(found)
        if not unstable:
            return normal_state(kernel, f, self.damping)
        return self._open_normal(kernel, f, linear, start)

    def solve_equilibrium(self, T: float) -> GapSolution:
        """Gap in thermal equilibrium at T (K), reached by cooling from the temperature at which it opens.

        Deep below Tc in a strongly coupled material a start far from the answer can end on a spurious branch, or
        on none; cooling follows the one that opens at Tc.

        Raises:
            GapError: if the equation does not converge.
        """
        lattice = self.coupling.lattice

        def at(temperature: float, start: SelfEnergy | None) -> GapSolution:
            # another temperature is another equation
            self._history = None
            return self.solve(fermi(lattice.E, temperature), bose(lattice.Omega, temperature), start)

        warm = T
        while self._unstable(warm / _COOLING, 1.02):
            warm /= _COOLING
        solution = at(warm, None)
        ratio = _COOLING
        while warm > T:
            colder = max(T, warm * ratio)
            try:
                solution = at(colder, solution.self_energy)
            except GapError:
                if ratio > _SLOWEST:
                    raise
                ratio = math.sqrt(ratio)
            else:
                warm = colder
        return solution

    def _unstable(self, T: float, eigenvalue: float) -> bool:
        """Return whether the normal state's largest eigenvalue at T (K) exceeds `eigenvalue`."""
        return pairing_eigenvalue(self.coupling, T, self.damping) > eigenvalue

    def _is_unstable(self, linear: LinearGap) -> bool:
        """Return whether the normal state's largest eigenvalue exceeds one; updates `eigenvalue` and its vector."""
        if self._vector is not None:
            self.eigenvalue, self._vector, doubt = linear.growth(self._vector, steps=4)
            if self.eigenvalue + doubt <= 1.0:
                return False
        self.eigenvalue, self._vector = linear.largest_eigenvalue(self._vector, tol=_EIGENVALUE)
        return self.eigenvalue > 1.0 + _EIGENVALUE

    def _follow(self, kernel: Kernel, f: Array, start: SelfEnergy) -> GapSolution:
        if self._history is None:
            self._history = Anderson(_HISTORY, start.vector(self.damping).size)
        tol = _CLOSER * self.tol if self._history.filled else self.tol
        solution = solve_gap(kernel, f, start, damping=self.damping, tol=tol, history=self._history)
        self.iterations += solution.iterations
        return solution

    def _open(self, kernel: Kernel, f: Array, start: SelfEnergy) -> GapSolution | None:
        solution = open_gap(kernel, f, start, damping=self.damping, eigenvalue=self.eigenvalue, tol=self.tol)
        self.iterations += solution.iterations if solution is not None else 0
        return solution

    def _settle(self, kernel: Kernel, f: Array, starts: list[SelfEnergy]) -> GapSolution | None:
        """The first solution of the damped iterations from several starts; None if none converges."""
        for share in _SHARES:
            for start in starts:
                solution = settle_gap(kernel, f, start, damping=self.damping, tol=self.tol, share=share)
                self.iterations += solution.iterations
                if solution.converged:
                    return solution
        return None

    def _open_normal(self, kernel: Kernel, f: Array, linear: LinearGap, start: SelfEnergy | None) -> GapSolution:
        """The gap that grows out of an unstable normal state; as a last resort, one found by a damped iteration.

        Raises:
            GapError: if it is not found.
        """
        assert self._vector is not None
        height = _landau(self.coupling.lattice.h, f, self.eigenvalue) * float(linear.normal.Z[0].real)
        opened = self._open(kernel, f, linear.state(self._vector, height))
        assert opened is not None
        if opened.converged:
            return opened
        solution = self._follow(kernel, f, opened.self_energy)
        if solution.converged and not solution.is_normal:
            return solution
        starts = [linear.state(self._vector, factor * height) for factor in (1.0, 2.0)]
        if start is not None and start.phi.any():
            starts.append(start)
        settled = self._settle(kernel, f, starts)
        if settled is not None:
            return settled
        raise self._failure(opened)

    def _failure(self, last: GapSolution) -> GapError:
        remedy = "take `damping: full`" if self.damping == "real" else "take a smaller `spacing`"
        state = "unstable" if self.eigenvalue > 1.0 else "stable, but there was a gap"
        return GapError(
            f"the gap equation did not converge: the normal state is {state} (largest eigenvalue "
            f"{self.eigenvalue:.4f}) and at Re phi(0) = {last.self_energy.phi[0].real:.4g} meV, where the search "
            f"ended, the residual is {last.residual:.2e} after {last.iterations} iterations; {remedy}"
        )


def _landau(h: float, f: Array, eigenvalue: float) -> float:
    """Estimate of a gap that opens, meV: 3.06 kB T sqrt(1 - T / Tc), with kB T = Int f dE / ln 2."""
    kT = h * float(np.sum(f)) / math.log(2.0)
    return 3.0 * max(kT * math.sqrt(min(1.0, eigenvalue - 1.0)), 1e-2 * h)
