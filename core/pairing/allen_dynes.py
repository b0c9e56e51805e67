"""Moments of an Eliashberg function and the Allen-Dynes estimate of Tc.

P. B. Allen and R. C. Dynes, Phys. Rev. B 12, 905 (1975).
"""

import math

import numpy as np
from numpy.typing import NDArray

from ..constants import KB
from ..quadrature import gauss_points

Array = NDArray[np.float64]


def _average(omega: Array, alpha2F: Array) -> tuple[Array, Array]:
    """Points (meV) and weights of 2 alpha2F / omega d omega, alpha2F linear between grid points."""
    points, weights = gauss_points(omega)
    keep = points > 0
    points = points[keep]
    return points, 2.0 * weights[keep] * np.interp(points, omega, alpha2F) / points


def coupling_lambda(omega: Array, alpha2F: Array) -> float:
    """Electron-phonon coupling, lambda = 2 Int d omega alpha2F / omega.

    Args:
        omega: Phonon energy, meV, shape (K,), increasing, >= 0.
        alpha2F: Eliashberg function, dimensionless, shape (K,); linear between the points.

    Returns:
        lambda, dimensionless.
    """
    return float(_average(omega, alpha2F)[1].sum())


def omega_log(omega: Array, alpha2F: Array) -> float:
    """Logarithmic mean phonon energy, exp[(2 / lambda) Int d omega ln(omega) alpha2F / omega], meV.

    Args and domain as for `coupling_lambda`.
    """
    points, weights = _average(omega, alpha2F)
    return math.exp(float(weights @ np.log(points) / weights.sum()))


def omega_2(omega: Array, alpha2F: Array) -> float:
    """Second-moment phonon energy, sqrt[(2 / lambda) Int d omega omega alpha2F], meV.

    Args and domain as for `coupling_lambda`.
    """
    points, weights = _average(omega, alpha2F)
    return math.sqrt(float(weights @ points**2 / weights.sum()))


def critical_temperature(
    lambda_: float, omega_log: float, omega_2: float, mu_star: float, *, factors: bool = True
) -> float:
    """Allen-Dynes estimate of Tc, K: their Eqs. (34) to (38).

    Args:
        lambda_: Electron-phonon coupling, dimensionless.
        omega_log: Logarithmic mean phonon energy, meV.
        omega_2: Second-moment phonon energy, meV.
        mu_star: Coulomb pseudopotential, dimensionless.
        factors: Whether to multiply by f1 and f2, which matter when lambda exceeds 1.5.

    Returns:
        Tc in K; zero where mu_star is too strong for a superconductor.
    """
    attraction = lambda_ - mu_star * (1.0 + 0.62 * lambda_)
    if attraction <= 0:
        return 0.0
    Tc: float = omega_log / (1.2 * KB) * math.exp(-1.04 * (1.0 + lambda_) / attraction)
    if not factors:
        return Tc
    ratio = omega_2 / omega_log
    lambda_1 = 2.46 * (1.0 + 3.8 * mu_star)
    lambda_2 = 1.82 * (1.0 + 6.3 * mu_star) * ratio
    f1: float = (1.0 + (lambda_ / lambda_1) ** 1.5) ** (1.0 / 3.0)
    f2 = 1.0 + (ratio - 1.0) * lambda_**2 / (lambda_**2 + lambda_2**2)
    return Tc * f1 * f2


def weak_coupling_gap(Tc: float) -> float:
    """Gap of weak coupling at zero temperature, Delta(0) = 1.764 kB Tc, meV; Tc in K."""
    return 1.764 * KB * Tc
