r"""Rosenbrock's method ROS2, Verwer, Spee, Blom & Hundsdorfer, SIAM J. Sci. Comput. 20, 1456 (1999): for long
times.

    (1 - gamma dt J) k1 = F(t, y),    (1 - gamma dt J) k2 = F(t + dt, y + dt k1) - 2 k1,
    y(t + dt) = y + dt (3 k1 + k2) / 2,    gamma = 1 + 1 / sqrt(2).

Order 2 with any J and L-stable with J = dF/dy; of the possible gammas, this one preserves positivity best. Accuracy
alone limits the step, not the fastest rate: a microsecond takes seconds of work.

J is never formed. Each system is solved by GMRES (Saad & Schultz, SIAM J. Sci. Stat. Comput. 7, 856 (1986)) in the
norm of the error allowed, preconditioned by the rates at which each component decays on its own; J times a vector
is a difference of two right-hand sides. F conserves w . y, so w . J = 0 and an exact solution has w . k = w . b.
GMRES leaves a defect of the order of its residual. The smallest change in the same norm removes it, among
components that change and are not integrals of others: the invariant is preserved to round-off, whatever the
residual. F itself has w . F = 0 only to the round-off of its Fourier transforms, 1e-12 of the absorbed energy in a
picosecond; steps of 1e5 ps turn that into 1e-6. It is removed as well. A larger w . F is not round-off, and remains
visible in the ledger.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..lattice import Array
from .protocol import Problem, RightHandSide, Step

_GAMMA = 1.0 + math.sqrt(0.5)
_RESIDUAL = 2e-3
"""Residual accepted for a system, in units of the step's tolerance."""
_REDUCTION = 0.05
"""Largest residual relative to the right-hand side: the stricter criterion near a steady state."""
_ITERATIONS = 80
_ROUND_OFF = 1e-10
"""Largest |w . F| that counts as round-off, relative to the sum of |w| times the rates of gain and loss: ten times
the largest observed."""
_PROBE = 0.1
"""Length of the difference that gives J times a vector, in units of the step's tolerance: far above round-off,
far below the curvature of F."""


class _Solved(NamedTuple):
    x: Array
    converged: bool
    evaluations: int


@dataclass(frozen=True)
class Rosenbrock:
    """The linearly implicit method of order 2."""

    order: int = 2
    error_order: int = 2
    defect: float = 1e-7
    implicit: bool = True

    def step(self, F: RightHandSide, t: float, y: Array, dt: float, spectral_radius: float) -> Step:
        """See `Method.step`; a `Problem` brings preconditioner, tolerance and invariant."""
        problem = F if isinstance(F, Problem) else Problem(rate=F, scale=1e-6 + 1e-3 * np.abs(y))
        system = _System(problem, t, y, dt)
        first = system.solve(system.base)
        if not first.converged:
            return Step(y, np.full(y.size, np.inf), 1 + first.evaluations)
        k1 = first.x
        second = system.solve(F(t + dt, y + dt * k1) - 2.0 * k1)
        evaluations = 2 + first.evaluations + second.evaluations
        if not second.converged:
            return Step(y, np.full(y.size, np.inf), evaluations)
        k2 = second.x
        return Step(y + dt * (1.5 * k1 + 0.5 * k2), 0.5 * dt * (k1 + k2), evaluations)

    def largest_step(self, spectral_radius: float) -> float:
        """See `Method.largest_step`: none."""
        return math.inf


class _System:
    """1 - gamma dt J at (t, y), and its solution for a right-hand side.

    Integrals are left out of the linear algebra: F does not depend on them, so each is b + gamma dt J x.
    """

    def __init__(self, problem: Problem, t: float, y: Array, dt: float) -> None:
        self.problem, self.t, self.y, self.dt = problem, t, y, dt
        self.base = problem(t, y)
        self.moving = np.ones(y.size, dtype=bool) if problem.integrals is None else ~problem.integrals
        decay = np.zeros(y.size) if problem.relaxation is None else problem.relaxation(t, y)
        self.gross = np.abs(self.base) + decay * np.abs(y)
        self.scale = problem.scale[self.moving]
        self.step = self.scale / (1.0 + _GAMMA * dt * decay[self.moving])

    def jacobian(self, x: Array) -> Array:
        """J x, shape (K,), of the components that are not integrals."""
        whole = np.zeros(self.y.size)
        whole[self.moving] = x
        length = float(np.abs(x / self.scale).max())
        if length == 0.0:
            return whole
        probe = _PROBE / length
        return np.asarray((self.problem(self.t, self.y + probe * whole) - self.base) / probe)

    def solve(self, b: Array) -> _Solved:
        """GMRES, preconditioned from the right."""
        found = b.copy()
        start = b[self.moving] / self.scale
        size = float(np.linalg.norm(start))
        if size == 0.0:
            return _Solved(found, True, 0)
        goal = min(_RESIDUAL / self.dt, _REDUCTION * size)
        images: list[Array] = []
        basis, krylov = [start / size], _LeastSquares(size)
        for m in range(_ITERATIONS):
            direction = self.step * basis[m]
            images.append(self.jacobian(direction))
            v = (direction - _GAMMA * self.dt * images[m][self.moving]) / self.scale
            column = np.zeros(m + 2)
            for _ in range(2):
                # twice is enough: orthogonal to round-off
                for j, q in enumerate(basis):
                    overlap = float(q @ v)
                    column[j] += overlap
                    v = v - overlap * q
            column[m + 1] = np.linalg.norm(v)
            basis.append(v / max(column[m + 1], 1e-300))
            if krylov.add(column) <= goal:
                coefficients = krylov.solve()
                found[self.moving] = self.step * (coefficients @ np.stack(basis[:-1]))
                found[~self.moving] += _GAMMA * self.dt * (coefficients @ np.stack(images))[~self.moving]
                return _Solved(self._restore(found, b), True, m + 1)
        return _Solved(b, False, _ITERATIONS)

    def _restore(self, x: Array, b: Array) -> Array:
        """x corrected to the invariant of b; an invariant of b within round-off counts as zero."""
        w = self.problem.invariant
        if w is None:
            return x
        along = np.where((self.base != 0.0) & self.moving, w * self.problem.scale**2, 0.0)
        weight = float(w @ along)
        goal = float(w @ b)
        if abs(goal) < _ROUND_OFF * float(np.abs(w) @ self.gross):
            goal = 0.0
        return np.asarray(x - along * ((float(w @ x) - goal) / weight)) if weight > 0.0 else x


class _LeastSquares:
    """The small problem of GMRES, columns of a Hessenberg matrix turned upper triangular by Givens rotations."""

    def __init__(self, size: float) -> None:
        self.rotations: list[tuple[float, float]] = []
        self.columns: list[Array] = []
        self.right = [size]

    def add(self, column: Array) -> float:
        """Add a column, one entry longer than the last; return the remaining residual."""
        for j, (c, s) in enumerate(self.rotations):
            column[j], column[j + 1] = c * column[j] + s * column[j + 1], c * column[j + 1] - s * column[j]
        norm = math.hypot(column[-2], column[-1])
        c, s = column[-2] / norm, column[-1] / norm
        column[-2:] = norm, 0.0
        self.rotations.append((c, s))
        self.columns.append(column[:-1])
        self.right[-1:] = [c * self.right[-1], -s * self.right[-1]]
        return abs(self.right[-1])

    def solve(self) -> Array:
        """Coefficients of the solution in the basis."""
        R = np.zeros((len(self.columns), len(self.columns)))
        for m, column in enumerate(self.columns):
            R[: m + 1, m] = column
        return np.asarray(np.linalg.solve(R, np.array(self.right[:-1])))
