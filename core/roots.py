"""Roots of an expensive function, with few evaluations."""

import math
from collections.abc import Callable

_STRAIGHT = 3.0
"""Factor within which the slope between two trials near the root agrees with the previous one, unless g is
noisy."""


def secant(
    g: Callable[[float], float], x: float, *, slope: float, tol: float, noise: float = 0.0, max_iterations: int = 20
) -> tuple[float, float]:
    """Root of an increasing function g, and the slope there, by the secant method from x.

    Args:
        g: Function of one number; inf where it has no value, which a smaller argument avoids.
        x: Starting point.
        slope: A first guess of dg/dx, > 0.
        tol: Largest |g| at the root.
        noise: Largest |g| at the root once g no longer follows its own slope, which limits its accuracy. The root
            is then the best trial, else the last.
        max_iterations: Evaluations after the first.
    Raises:
        ArithmeticError: if it is not found.
    """
    y = g(x)
    best = (abs(y), x)
    for _ in range(max_iterations):
        if abs(y) < tol:
            return x, slope
        new = x - (max(-2.0, min(2.0, y / slope)) if math.isfinite(y) else 0.2)
        before, y = y, g(new)
        measured = (y - before) / (new - x)
        near = max(abs(before), abs(y)) < 5.0 * noise
        follows = slope / _STRAIGHT < measured < slope * _STRAIGHT
        slope = measured if math.isfinite(measured) and measured > 0 and (follows or not near) else slope
        x = new
        best = min(best, (abs(y), x))
        if near and not follows and best[0] < noise:
            return best[1], slope
    if abs(y) < tol:
        return x, slope
    raise ArithmeticError(f"defect {y:.2g} after {max_iterations} trials")
