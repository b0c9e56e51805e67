"""Time steps for y' = F(t, y): one method a file, each stating its order; every one keeps linear invariants.

Explicit Runge-Kutta methods keep a linear invariant of F (here the energy) to round-off. No step is repaired
afterwards: one that leaves the physical range is rejected by the caller, never clipped.
"""

from .dopri5 import DormandPrince
from .protocol import Method, Step
from .rkc import RungeKuttaChebyshev

METHODS: dict[str, Method] = {"rkc": RungeKuttaChebyshev(), "dopri5": DormandPrince()}

__all__ = ["METHODS", "DormandPrince", "Method", "RungeKuttaChebyshev", "Step"]
