"""Thermal occupations."""

import numpy as np

from .constants import KB
from .lattice import Array

_LARGEST_EXPONENT = 700.0


def fermi(E: Array, T: float) -> Array:
    """Fermi function of E (meV) at T (K), same shape."""
    return np.asarray(1.0 / (np.exp(np.minimum(E / (KB * T), _LARGEST_EXPONENT)) + 1.0))


def bose(Omega: Array, T: float) -> Array:
    """Bose function of Omega (meV) at T (K), same shape; 0 at Omega = 0, where alpha2F vanishes."""
    x = np.minimum(Omega / (KB * T), _LARGEST_EXPONENT)
    return np.asarray(np.where(Omega > 0, 1.0 / np.expm1(np.where(Omega > 0, x, 1.0)), 0.0))
