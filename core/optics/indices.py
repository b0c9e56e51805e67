"""Refractive indices of substrates and covers as tables, refused outside their range and with gaps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .fresnel import Array, ComplexArray


@dataclass(frozen=True, kw_only=True, eq=False)
class TabulatedIndex:
    """Complex refractive index of a medium.

    Args:
        name: Label of the medium.
        omega: Photon energies, meV, increasing, shape (points,).
        n: Complex index there, Im n >= 0, dimensionless, same shape.
        largest_ratio: Neighbouring photon energies further apart than this factor are a gap.
    """

    name: str
    omega: Array
    n: ComplexArray
    largest_ratio: float = 2.0

    def __post_init__(self) -> None:
        """Refuse tables that cannot be interpolated."""
        omega, n = np.asarray(self.omega, dtype=float), np.asarray(self.n)
        if omega.ndim != 1 or omega.shape != n.shape or len(omega) < 1:
            raise ValueError(
                f"`omega` and `n` of {self.name!r} must be lists of one length. Got {omega.shape} and {n.shape}."
            )
        if not (np.all(np.isfinite(omega)) and np.all(np.isfinite(n))):
            row = int(np.argmin(np.isfinite(omega) & np.isfinite(n)))
            raise ValueError(f"Index table of {self.name!r} has no value in row {row}; fill it or drop the row.")
        if not (omega[0] > 0 and np.all(np.diff(omega) > 0)):
            raise ValueError(f"`omega` of {self.name!r} must be positive and increasing, in meV.")
        if np.any(n.real <= 0) or np.any(n.imag < 0):
            raise ValueError(f"`n` of {self.name!r} must have Re n > 0 and Im n >= 0.")
        gaps = np.flatnonzero(omega[1:] > self.largest_ratio * omega[:-1])
        if gaps.size:
            low, high = omega[gaps[0]], omega[gaps[0] + 1]
            raise ValueError(
                f"Index table of {self.name!r} has a gap between {low:.6g} and {high:.6g} meV: "
                f"neighbours must lie within a factor of {self.largest_ratio:g}."
            )

    def __call__(self, omega: ArrayLike) -> ComplexArray:
        """Index at photon energies in meV, any shape, linear between the table's rows."""
        at = np.asarray(omega, dtype=float)
        if np.any((at < self.omega[0]) | (at > self.omega[-1])):
            raise ValueError(
                f"`omega` must lie in the index table of {self.name!r}, "
                f"{self.omega[0]:.6g} to {self.omega[-1]:.6g} meV. Got {at.min():.6g} to {at.max():.6g}."
            )
        return np.asarray(np.interp(at, self.omega, np.asarray(self.n, dtype=complex)))
