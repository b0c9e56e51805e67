"""Conditions on a frequency grid and a spectral function on it."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

MIN_POINTS: Final = 8
"""Fewest points of a spectrum."""


def check_grid(omega: Array, key: str) -> None:
    """Raise unless a frequency grid is finite, >= 0, increasing and long enough."""
    if omega.ndim != 1 or omega.size < MIN_POINTS:
        raise ValueError(f"`{key}` must be a column of {MIN_POINTS} points or more. Got shape {omega.shape}.")
    if not np.isfinite(omega).all():
        row = int(np.argmin(np.isfinite(omega)))
        raise ValueError(f"`{key}` must contain finite numbers. Got {omega[row]} in row {row}.")
    if omega.min() < 0:
        row = int(np.argmin(omega))
        raise ValueError(
            f"`{key}` must not be negative (imaginary phonons: relax the crystal, or cut the rows if "
            f"alpha2F is zero there). Got {omega[row]:.6g} in row {row}."
        )
    if not (np.diff(omega) > 0).all():
        row = int(np.argmin(np.diff(omega) > 0)) + 1
        raise ValueError(f"`{key}` must increase from row to row; sort it. Got {omega[row]:.6g} at {row}.")


def check_values(omega: Array, values: Array, key: str) -> None:
    """Raise unless a function on a grid is finite, >= 0, not all zero and of the grid's shape."""
    if values.shape != omega.shape:
        raise ValueError(f"`{key}` must have {omega.size} values, one per frequency. Got {values.shape}.")
    bad = ~(values >= 0) | ~np.isfinite(values)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"`{key}` must be finite and >= 0. Got {values[row]:.6g} at {omega[row]:.6g}.")
    if not values.any():
        raise ValueError(f"`{key}` must be positive somewhere. Got zeros only.")


def check_cover(omega: Array, alpha2F: Array, F: Array, tolerance: float) -> None:
    """Raise if a share of lambda above `tolerance` lies where F is zero: alpha2F / F drives phonons."""
    g = np.divide(alpha2F, omega, out=np.zeros_like(alpha2F), where=omega > 0)
    bare = np.where(F > 0, 0.0, g)
    share = float(np.trapezoid(bare, omega) / np.trapezoid(g, omega))
    if share > tolerance:
        worst = int(np.argmax(bare))
        raise ValueError(
            "`F` must be positive wherever alpha2F is (their ratio enters the phonon equation); are both "
            f"units right? Got {share:.2%} of lambda outside, most at {omega[worst]:.6g} meV."
        )


def column(omega: ArrayLike, values: ArrayLike, key: str, scale: float) -> tuple[Array, Array]:
    """Grid in meV and function on it, checked; a point (0, 0) is prepended if the grid starts later."""
    w = np.asarray(omega, dtype=np.float64)
    v = np.asarray(values, dtype=np.float64)
    check_grid(w, "omega" if key == "alpha2F" else "omega_F")
    check_values(w, v, key)
    # A value at the first point belongs to a rise from zero if that point is near zero; otherwise the file is
    # truncated.
    start = 1e-3 if w[0] == 0 else 1e-2 if w[0] > 2 * (w[1] - w[0]) else np.inf
    if key == "alpha2F" and v[0] > start * v.max():
        raise ValueError(f"`{key}` must be zero at zero frequency. Got {v[0]:.3g} at {w[0]:.6g}.")
    w = w * scale
    if w[0] == 0:
        return w, np.concatenate([[0.0], v[1:]])
    return np.concatenate([[0.0], w]), np.concatenate([[0.0], v])


def normalise(omega: Array, density: Array) -> Array:
    """Density of states scaled to an integral of 3 per atom."""
    return density * (3.0 / float(np.trapezoid(density, omega)))
