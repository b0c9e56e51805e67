"""Time steps for y' = F(t, y): one method per file, each with its declared order; all preserve linear invariants.

Explicit Runge-Kutta methods preserve a linear invariant of F (here the energy) to round-off, and so does the
implicit method. No step is corrected afterwards: one that leaves the physical range is rejected by the caller,
never clipped.
"""

from .dopri5 import DormandPrince
from .protocol import Method, Problem, Step
from .rkc import RungeKuttaChebyshev
from .rosenbrock import Rosenbrock

METHODS: dict[str, Method] = {
    "rkc": RungeKuttaChebyshev(),
    "dopri5": DormandPrince(),
    "rosenbrock": Rosenbrock(),
}

__all__ = ["METHODS", "DormandPrince", "Method", "Problem", "Rosenbrock", "RungeKuttaChebyshev", "Step"]
