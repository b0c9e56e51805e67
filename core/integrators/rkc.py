"""Runge-Kutta-Chebyshev of order 2, Sommeijer, Shampine & Verwer, J. Comput. Appl. Math. 88, 315 (1998).

Explicit with s stages and stable on the real axis to about 2/3 s^2: the step grows as the square of the work, so
the pulse, not the fastest lifetime, limits it. The spectrum of scattering is negative but not quite real: chains of
phonon emission give its fast half imaginary parts (13 % of the spectral radius in lead). The usual damping, epsilon
= 2/13, leaves a strip so narrow that dt radius would have to stay below 9 for any number of stages. Here the
damping grows with dt radius, so that the ellipse through -dt radius and 0 with imaginary half axis 0.15 dt radius
stays inside the region of stability. For many stages the polynomial tends to 1 - b g(epsilon) + b g(epsilon + kappa
z), g(u) = cosh sqrt(2 u), which gives the damping needed; the real interval is then 2 s^2 / kappa + epsilon. Short
steps have the usual damping and cost.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numba as nb
import numpy as np

from ..lattice import Array
from .protocol import RightHandSide, Step

_DAMPINGS = (
    (8.5, 2 / 13), (13.0, 0.5), (18.8, 1.0), (29.0, 2.0), (45.0, 4.0), (70.0, 8.0), (106.0, 16.0), (157.0, 32.0),
    (231.0, 64.0), (334.0, 128.0), (483.0, 256.0), (693.0, 512.0), (988.0, 1024.0), (1406.0, 2048.0),
    (1988.0, 4096.0),
)  # fmt: skip
"""Largest dt radius whose ellipse is stable, and the damping epsilon that it takes."""


def _interval(damping: float) -> float:
    """kappa: the real interval of stability is (2 s^2 + epsilon) / kappa for many stages."""
    a = math.sqrt(2 * damping)
    return a * a * math.tanh(a) / (a - math.tanh(a))


@lru_cache(maxsize=1024)
def _coefficients(s: int, damping: float) -> tuple[list[float], list[float], list[float], list[float], list[float]]:
    """c, mu, nu, mu~ and gamma~ of the s-stage method; entry j belongs to stage j."""
    w0 = 1 + damping / s**2
    T, dT, d2T = np.zeros((3, s + 1))
    T[:2], dT[1] = (1.0, w0), 1.0
    for j in range(2, s + 1):
        T[j] = 2 * w0 * T[j - 1] - T[j - 2]
        dT[j] = 2 * T[j - 1] + 2 * w0 * dT[j - 1] - dT[j - 2]
        d2T[j] = 4 * dT[j - 1] + 2 * w0 * d2T[j - 1] - d2T[j - 2]
    w1 = dT[s] / d2T[s]
    b = np.empty(s + 1)
    b[2:] = d2T[2:] / dT[2:] / dT[2:]
    b[0], b[1] = b[2], 1 / w0
    c, mu, nu, mu_t, gamma_t = np.zeros((5, s + 1))
    mu_t[1] = b[1] * w1
    a = 1 - b * T
    for j in range(2, s + 1):
        mu[j], nu[j], mu_t[j] = 2 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2], 2 * b[j] * w1 / b[j - 1]
        gamma_t[j] = -a[j - 1] * mu_t[j]
    c[1] = mu_t[1]
    for j in range(2, s + 1):
        c[j] = mu[j] * c[j - 1] + nu[j] * c[j - 2] + mu_t[j] + gamma_t[j]
    return c.tolist(), mu.tolist(), nu.tolist(), mu_t.tolist(), gamma_t.tolist()


@nb.njit(cache=True, error_model="numpy")
def _stage(
    y: Array, now: Array, before: Array, F0: Array, Fj: Array, a: float, mu: float, nu: float, gamma: float,
    mu_t: float, new: Array,
) -> None:  # fmt: skip
    """a y + mu now + nu before + gamma F0 + mu_t Fj, into `new`, which may be `before`."""
    for i in range(y.size):
        new[i] = a * y[i] + mu * now[i] + nu * before[i] + (mu_t * Fj[i] + gamma * F0[i])


@nb.njit(cache=True, error_model="numpy")
def _error(y: Array, now: Array, F0: Array, F1: Array, dt: float) -> Array:
    """Estimate of the local error of a step of dt from y to `now`, with F at both ends."""
    error = np.empty_like(y)
    for i in range(y.size):
        error[i] = 0.8 * (y[i] - now[i]) + 0.4 * dt * (F0[i] + F1[i])
    return error


@dataclass(frozen=True)
class RungeKuttaChebyshev:
    """The stabilised explicit method, with as many stages as stability requires."""

    order: int = 2
    error_order: int = 3
    defect: float = math.inf
    implicit: bool = False

    def stages(self, dt: float, spectral_radius: float) -> tuple[int, float]:
        """Stages for a stable step, at least 2, and the damping."""
        reach = dt * spectral_radius
        longest, most = _DAMPINGS[-1]
        damping = next((eps for limit, eps in _DAMPINGS if reach <= limit), most * (reach / longest) ** 2)
        interval = _interval(damping) * reach
        # a few stages have a shorter interval than the limit of many
        interval *= 1.03 if reach > 19.0 else 1.4
        return max(2, math.ceil(math.sqrt(1 + max(0.0, interval - damping) / 2))), damping

    def step(self, F: RightHandSide, t: float, y: Array, dt: float, spectral_radius: float) -> Step:
        """See `Method.step`."""
        s, damping = self.stages(dt, spectral_radius)
        c, mu, nu, mu_t, gamma_t = _coefficients(s, damping)
        F0 = F(t, y)
        before, now = y, y + mu_t[1] * dt * F0
        spare = np.empty_like(now), np.empty_like(now)
        for j in range(2, s + 1):
            Fj = F(t + c[j - 1] * dt, now)
            # of three successive stages the first is free for the next one; y stays
            new = spare[j % 2] if j < 4 else before
            _stage(y, now, before, F0, Fj, 1 - mu[j] - nu[j], mu[j], nu[j], gamma_t[j] * dt, mu_t[j] * dt, new)
            before, now = now, new
        return Step(now, _error(y, now, F0, F(t + dt, now), dt), s + 1)

    def largest_step(self, spectral_radius: float) -> float:
        """See `Method.largest_step`."""
        return _DAMPINGS[-1][0] / spectral_radius
