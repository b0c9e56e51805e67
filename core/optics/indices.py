r"""Refractive indices of substrates and covers: a number, or a medium with the ranges in which its index is known.

A medium is tables of n + i k against the photon energy, linear between the rows, and dispersion formulas
n^2 = A + sum_j B_j lambda^2 / (lambda^2 - C_j^2) (Sellmeier) for where it is transparent. Neither is extrapolated
beyond the range of its source: the index at the pump says nothing about the probe.
"""

import itertools
import math
import numbers
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..constants import C_LIGHT, HBAR
from ..declaration import not_among
from ..units import ENERGY
from .fresnel import Array, ComplexArray

LARGEST_RATIO = 2.0
"""Ratio of neighbouring photon energies above which a table has a gap."""
_ROUNDING = 1e-6
"""Relative distance from a range's end within which a photon energy counts as inside, for rounding of units."""


_WAVELENGTHS = {"um": 1.0, "nm": 1e-3}


def photon_energy(value: float, units: str = "um") -> float:
    """Photon energy, meV, of a wavelength in vacuum, a frequency or an energy.

    Args:
        value: The wavelength, frequency or energy.
        units: `um` or `nm` for a wavelength, else a unit of `core.spectra`, such as `THz` or `eV`.
    Raises:
        ValueError: For another unit.
    """
    if units in _WAVELENGTHS:
        return 2e-3 * math.pi * HBAR * C_LIGHT / (value * _WAVELENGTHS[units]) if value else math.inf
    if units not in ENERGY:
        raise ValueError(f"`units` {not_among(units, (*_WAVELENGTHS, *ENERGY))}")
    return value * ENERGY[units]


@dataclass(frozen=True, kw_only=True)
class TabulatedIndex:
    """Complex refractive index at listed photon energies, linear between them.

    Args:
        omega: Photon energies, meV, increasing.
        n: Real part there, dimensionless, > 0.
        k: Imaginary part there, >= 0.
    """

    omega: tuple[float, ...]
    n: tuple[float, ...]
    k: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse tables that cannot be interpolated."""
        rows = list(zip(self.omega, self.n, self.k, strict=False))
        if not rows or {len(self.omega), len(self.n), len(self.k)} != {len(rows)}:
            raise ValueError(
                "an index table needs one `n` and one `k` for each `omega`. "
                f"Got {len(self.omega)}, {len(self.n)} and {len(self.k)} values."
            )
        for i, (omega, n, k) in enumerate(rows, 1):
            if not (math.isfinite(omega) and math.isfinite(n) and math.isfinite(k)):
                raise ValueError(
                    f"row {i} of the index table has no number; fill it or drop the row. Got {rows[i - 1]}."
                )
            if not (omega > 0 and n > 0 and k >= 0):
                raise ValueError(
                    f"row {i} of the index table must have photon energy > 0, n > 0 and k >= 0. Got {rows[i - 1]}."
                )
        for i, (low, high) in enumerate(itertools.pairwise(self.omega), 2):
            if not high > low:
                raise ValueError(
                    f"photon energies of the index table must increase; sort its rows. Got {high:.6g} meV "
                    f"in row {i}, after {low:.6g}."
                )
            if high > LARGEST_RATIO * low:
                raise ValueError(
                    f"the index table has a gap between {low:.6g} and {high:.6g} meV: neighbours must lie within a "
                    f"factor of {LARGEST_RATIO:g}. Add rows between them."
                )

    @property
    def low(self) -> float:
        """Lowest photon energy, meV."""
        return self.omega[0]

    @property
    def high(self) -> float:
        """Highest photon energy, meV."""
        return self.omega[-1]

    def __call__(self, omega: Array) -> ComplexArray:
        """Index at photon energies within the table, meV."""
        return np.interp(omega, self.omega, self.n) + 1j * np.interp(omega, self.omega, self.k)


@dataclass(frozen=True, kw_only=True)
class SellmeierIndex:
    """Index of a transparent medium, n^2 = A + sum_j B_j lambda^2 / (lambda^2 - C_j^2).

    Args:
        low, high: Range of photon energies in which the formula is valid, meV.
        A: Constant term, dimensionless; without other terms the index is sqrt(A) throughout.
        B: Strengths, dimensionless.
        C_um: Resonances, micrometres, one for each strength.
    """

    low: float
    high: float
    A: float = 1.0
    B: tuple[float, ...] = ()
    C_um: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a formula without a range, or one that gives no index within it."""
        if not 0 < self.low < self.high < math.inf:
            raise ValueError(
                f"a formula's range must be two photon energies, in meV, the lower first. "
                f"Got {self.low!r} to {self.high!r}."
            )
        if len(self.B) != len(self.C_um):
            raise ValueError(f"a formula needs one `C_um` for each `B`. Got {len(self.C_um)} and {len(self.B)}.")
        resonances = [C for C in self.C_um if C > 0 and self.low <= photon_energy(C) <= self.high]
        if resonances:
            raise ValueError(
                f"a formula's range must not contain resonances. Got one at {photon_energy(resonances[0]):.6g} meV "
                f"in {self.low:.6g} to {self.high:.6g} meV."
            )
        # each term falls or rises throughout a range without a resonance, but their sum need not
        squares = self._square(np.geomspace(self.low, self.high, 200))
        if not np.all(squares > 0):
            raise ValueError(f"a formula must give n^2 > 0 in its range. Got {squares.min():.6g}.")

    def _square(self, omega: Array) -> Array:
        terms = (B / (1 - (omega / photon_energy(1.0) * C) ** 2) for B, C in zip(self.B, self.C_um, strict=True))
        return self.A + sum(terms, np.zeros(omega.shape))

    def __call__(self, omega: Array) -> ComplexArray:
        """Index at photon energies within the range, meV."""
        return np.sqrt(self._square(omega)) + 0j


@dataclass(frozen=True, kw_only=True)
class Medium:
    """A medium whose index is known in one or more ranges of photon energy.

    Args:
        name: For messages.
        parts: Tables and formulas, by increasing photon energy and without overlap.
    """

    name: str
    parts: tuple[TabulatedIndex | SellmeierIndex, ...]

    def __post_init__(self) -> None:
        """Refuse a medium without data, or with overlapping data."""
        if not self.parts:
            raise ValueError(f"medium {self.name!r} needs at least one table or formula. Got none.")
        for below, above in itertools.pairwise(self.parts):
            if not above.low >= below.high:
                raise ValueError(
                    f"parts of medium {self.name!r} must follow one another in photon energy. Got one from "
                    f"{above.low:.6g} meV after one up to {below.high:.6g} meV."
                )

    @property
    def known(self) -> str:
        """Ranges in which the index is known, in words."""
        return " and ".join(f"{part.low:.6g} to {part.high:.6g} meV" for part in self.parts)

    def holds(self, omega: ArrayLike) -> NDArray[np.bool_]:
        """Return whether the index is known at photon energies in meV, any shape."""
        at = np.asarray(omega, dtype=float)
        return np.asarray(np.any([_inside(part, at) for part in self.parts], axis=0))

    def __call__(self, omega: ArrayLike) -> ComplexArray:
        """Complex index at photon energies in meV, any shape.

        Raises:
            ValueError: For a photon energy at which the index is not known.
        """
        at = np.asarray(omega, dtype=float)
        known = self.holds(at)
        if not known.all():
            outside = at[~known]
            got = f"{outside.min():.6g}" + (f" to {outside.max():.6g}" if np.ptp(outside) else "")
            raise ValueError(
                f"the index of {self.name!r} is known from {self.known}. Got {got} meV; give a number, or a "
                "table that covers it."
            )
        out = np.empty(at.shape, dtype=complex)
        for part in self.parts:
            inside = _inside(part, at)
            out[inside] = part(at[inside])
        return out


def _inside(part: TabulatedIndex | SellmeierIndex, omega: Array) -> NDArray[np.bool_]:
    return (omega >= part.low * (1 - _ROUNDING)) & (omega <= part.high * (1 + _ROUNDING))


Index = float | complex | Medium
"""Index of a substrate or a cover: one number for all photon energies, or a medium."""


def index_at(index: Index, omega: ArrayLike) -> ComplexArray:
    """Complex index at photon energies in meV, any shape.

    Raises:
        ValueError: For a photon energy at which the index is not known.
    """
    return index(omega) if isinstance(index, Medium) else np.full(np.shape(omega), index, dtype=complex)


def transparent_index_at(index: Index, omega: ArrayLike) -> Array:
    """Real index of the medium from which the light comes.

    Raises:
        ValueError: As `index_at`, and where the medium absorbs.
    """
    n = index_at(index, omega)
    if n.imag.any():
        raise ValueError(
            f"the light comes through it, so its index must be real. Got {complex(n[n.imag != 0][0]):.6g}."
        )
    return n.real


def is_index(index: object) -> bool:
    """Return whether this is a refractive index: a medium (checked when created) or a number, Re > 0, Im >= 0."""
    if isinstance(index, Medium):
        return True
    n = complex(index) if isinstance(index, numbers.Complex) else complex("nan")
    return 0 < n.real < math.inf and 0 <= n.imag < math.inf
