"""Roots of an expensive function, with few evaluations."""

import math
import sys
from collections.abc import Callable

_RELATIVE = 4 * sys.float_info.epsilon
"""Relative accuracy of `brent`."""
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


def brent(g: Callable[[float], float], low: float, high: float, *, xtol: float, max_iterations: int = 100) -> float:
    """Root of a function between two arguments at which its signs differ, by Brent's method.

    The steps are those of `scipy.optimize.brentq`, to the bit; importing `scipy.optimize` takes 0.1 s of CPU.

    Args:
        g: Function of one number.
        low, high: Ends of the interval.
        xtol: Largest error of the root.
        max_iterations: Evaluations after those at the ends.
    Raises:
        ArithmeticError: if the signs at the ends agree, or the root is not found.
    """
    before, x, other = low, high, 0.0
    g_before, g_x, g_other = g(before), g(x), 0.0
    last = step = 0.0
    if g_before == 0.0:
        return before
    if g_x == 0.0:
        return x
    if (g_before < 0.0) == (g_x < 0.0):
        raise ArithmeticError(f"g must change its sign in the interval. Got {g_before:.3g} and {g_x:.3g}.")
    for _ in range(max_iterations):
        if g_before != 0.0 and g_x != 0.0 and (g_before < 0.0) != (g_x < 0.0):
            other, g_other = before, g_before
            last = step = x - before
        if abs(g_other) < abs(g_x):
            before, x, other = x, other, x
            g_before, g_x, g_other = g_x, g_other, g_x
        reached = (xtol + _RELATIVE * abs(x)) / 2
        half = (other - x) / 2
        if g_x == 0.0 or abs(half) < reached:
            return x
        trial = math.inf
        if abs(last) > reached and abs(g_x) < abs(g_before):
            trial = _interpolated(before, x, other, g_before, g_x, g_other)
        if 2 * abs(trial) < min(abs(last), 3 * abs(half) - reached):
            last, step = step, trial
        else:
            last = step = half
        before, g_before = x, g_x
        x += step if abs(step) > reached else math.copysign(reached, half)
        g_x = g(x)
    raise ArithmeticError(f"no root to {xtol:g} after {max_iterations} steps")


def _interpolated(a: float, b: float, c: float, ga: float, gb: float, gc: float) -> float:
    """Step from b to the root of the line through a and b, or of the inverse quadratic if c is a third point."""
    if a == c:
        return -gb * (b - a) / (gb - ga)
    slope_a, slope_c = (ga - gb) / (a - b), (gc - gb) / (c - b)
    return -gb * (gc * slope_c - ga * slope_a) / (slope_c * slope_a * (gc - ga))
