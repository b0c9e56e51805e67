"""Roots of a function that is dear: few evaluations, and the last of them at the root."""

import math
from collections.abc import Callable


def secant(
    g: Callable[[float], float], x: float, *, slope: float, tol: float, max_iterations: int = 20
) -> tuple[float, float]:
    """Root of an increasing g and its slope there by secants from x; the last evaluation of g is at the root.

    Args:
        g: Function of one number; inf where it has no value, from which a smaller argument leads away.
        x: Where to begin.
        slope: A first guess of dg/dx, > 0.
        tol: Largest |g| at the root.
        max_iterations: Evaluations after the first.
    Raises:
        ArithmeticError: if it is not found.
    """
    y = g(x)
    for _ in range(max_iterations):
        if abs(y) < tol:
            return x, slope
        new = x - (max(-2.0, min(2.0, y / slope)) if math.isfinite(y) else 0.2)
        before, y = y, g(new)
        measured = (y - before) / (new - x)
        slope = measured if math.isfinite(measured) and measured > 0 else slope
        x = new
    if abs(y) < tol:
        return x, slope
    raise ArithmeticError(f"defect {y:.2g} after {max_iterations} trials")
