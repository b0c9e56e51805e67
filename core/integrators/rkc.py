"""Runge-Kutta-Chebyshev of order 2, Sommeijer, Shampine & Verwer, J. Comput. Appl. Math. 88, 315 (1998).

Explicit with s stages and stable on the real axis to 2/3 (s^2 - 1): the step grows with the square of the work.
Scattering has a real negative spectrum (fs to ns), so a step follows the pulse, not the fastest lifetime.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..lattice import Array
from .protocol import RightHandSide, Step

_DAMPING = 2 / 13
_MAX_STAGES = 250


@lru_cache(maxsize=_MAX_STAGES)
def _coefficients(s: int) -> tuple[list[float], list[float], list[float], list[float], list[float]]:
    """c, mu, nu, mu~ and gamma~ of the s-stage method; entry j belongs to stage j."""
    w0 = 1 + _DAMPING / s**2
    T, dT, d2T = np.zeros((3, s + 1))
    T[:2], dT[1] = (1.0, w0), 1.0
    for j in range(2, s + 1):
        T[j] = 2 * w0 * T[j - 1] - T[j - 2]
        dT[j] = 2 * T[j - 1] + 2 * w0 * dT[j - 1] - dT[j - 2]
        d2T[j] = 4 * dT[j - 1] + 2 * w0 * d2T[j - 1] - d2T[j - 2]
    w1 = dT[s] / d2T[s]
    b = np.empty(s + 1)
    b[2:] = d2T[2:] / dT[2:] ** 2
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


@dataclass(frozen=True)
class RungeKuttaChebyshev:
    """The stabilised explicit method; as many stages as the step needs for stability."""

    order: int = 2
    error_order: int = 3

    def stages(self, dt: float, spectral_radius: float) -> int:
        """Stages for a stable step, at least 2."""
        return max(2, math.ceil(math.sqrt(1 + 1.54 * dt * spectral_radius)))

    def step(self, F: RightHandSide, t: float, y: Array, dt: float, spectral_radius: float) -> Step:
        """See `Method.step`."""
        s = self.stages(dt, spectral_radius)
        c, mu, nu, mu_t, gamma_t = _coefficients(s)
        F0 = F(t, y)
        before, now = y, y + mu_t[1] * dt * F0
        for j in range(2, s + 1):
            Fj = F(t + c[j - 1] * dt, now)
            step = (mu_t[j] * dt) * Fj + (gamma_t[j] * dt) * F0
            before, now = now, (1 - mu[j] - nu[j]) * y + mu[j] * now + nu[j] * before + step
        error = 0.8 * (y - now) + 0.4 * dt * (F0 + F(t + dt, now))
        return Step(now, error, s + 1)

    def largest_step(self, spectral_radius: float) -> float:
        """See `Method.largest_step`."""
        return (_MAX_STAGES**2 - 1) / (1.54 * spectral_radius)
