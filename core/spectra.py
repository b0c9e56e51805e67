"""Eliashberg function alpha2F and phonon density of states F, and their values on the solver's lattice.

It is built from peaks, from columns of numbers (files are read by `photogap.sweeps`), or directly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

from .declaration import not_among
from .pairing import allen_dynes
from .quadrature import gauss_points, hat_integrals
from .tables import MIN_POINTS, check_cover, check_grid, check_values, column, normalise
from .units import ENERGY

Array = NDArray[np.float64]

REACH: Final = 6.0
"""Standard deviations at which a Gaussian peak is cut off; it has fallen to 1.5e-8 of its height there."""

UNCOVERED: Final = 1e-3
"""Largest share of lambda at frequencies where F vanishes; it is dropped as noise of the file."""

COARSE: Final = 0.01
"""Largest relative change of omega_2 by a lattice."""


def to_meV(units: str) -> float:
    """Factor from `units` to meV; raises for an unknown unit."""
    if units not in ENERGY:
        raise ValueError(f"`units` {not_among(units, ENERGY)}")
    return ENERGY[units]


@dataclass(frozen=True, kw_only=True)
class Peak:
    """Gaussian peak of alpha2F(omega) * 2 / omega.

    Args:
        centre: Phonon energy, meV, > 0.
        width: Standard deviation, meV, > 0.
        lambda_: Its share of the coupling lambda, > 0.
    """

    centre: float
    width: float
    lambda_: float

    def __post_init__(self) -> None:
        """Refuse values without physical meaning."""
        for key in ("centre", "width", "lambda_"):
            value = getattr(self, key)
            if not (value > 0 and np.isfinite(value)):
                raise ValueError(f"`{key.rstrip('_')}` of a peak must be positive. Got {value!r}.")

    def alpha2F(self, omega: Array) -> Array:
        """lambda (omega / 2) G(omega), G normalised to one on omega > 0 within `REACH` widths of the centre.

        Args:
            omega: Phonon energy, meV, any shape, >= 0.

        Returns:
            alpha2F, dimensionless, same shape; 2 Int alpha2F / omega is `lambda_` exactly.
        """
        x = (omega - self.centre) / self.width
        low = min(REACH, self.centre / self.width)
        norm = np.sqrt(np.pi / 2) * self.width * (erf(REACH / np.sqrt(2)) + erf(low / np.sqrt(2)))
        inside: Array = np.where(np.abs(x) <= REACH, np.exp(-(x**2) / 2), 0.0)
        alpha2F: Array = self.lambda_ * omega / 2 * inside / norm
        return alpha2F


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectrum:
    """Eliashberg function and phonon density of states of a material.

    Both are linear between the points of the grid, unless `peaks` gives alpha2F in closed form.

    Args:
        omega: Phonon energy, meV, shape (K,), increasing from 0.
        alpha2F: Eliashberg function, dimensionless, shape (K,), >= 0, zero at omega = 0 and where F is zero.
        F: Phonon density of states, 1/meV per atom, shape (K,), >= 0; integral 3.
        peaks: Closed form of alpha2F, from which the grid was made; empty for a table.
        stated: Numbers from which the arrays were computed, which identify the spectrum: the last bit of a computed
            array depends on the processor. Empty if the arrays themselves were given.
    """

    omega: Array
    alpha2F: Array
    F: Array
    peaks: tuple[Peak, ...] = ()
    stated: Mapping[str, Any] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Check the arrays, and make them read-only."""
        for key in ("omega", "alpha2F", "F"):
            array = np.array(getattr(self, key), dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, key, array)
        check_grid(self.omega, "omega")
        for key in ("alpha2F", "F"):
            check_values(self.omega, getattr(self, key), key)
        if self.omega[0] != 0 or self.alpha2F[0] != 0:
            raise ValueError(
                "`omega` and `alpha2F` must start at zero (lambda diverges otherwise). "
                f"Got alpha2F = {self.alpha2F[0]:.3g} at {self.omega[0]:.3g} meV."
            )
        check_cover(self.omega, self.alpha2F, self.F, 0.0)
        norm = float(np.trapezoid(self.F, self.omega))
        if abs(norm - 3.0) > 1e-6:
            raise ValueError(f"`F` must integrate to 3 per atom; `from_columns` normalises. Got {norm:.6g}.")

    @classmethod
    def from_peaks(cls, peaks: Sequence[Peak]) -> Self:
        r"""Spectrum of Gaussian peaks, alpha2F = sum_i lambda_i (omega / 2) Gauss(omega; centre_i, width_i).

        F is taken proportional to alpha2F (a matrix element that does not depend on frequency), 3 per atom.
        """
        if not peaks:
            raise ValueError("`peaks` must contain at least one peak. Got none.")
        top = max(p.centre + REACH * p.width for p in peaks)
        # Twelve points per narrowest width: linear interpolation errs by 1e-3 of a peak, lambda by 1e-5.
        points = max(MIN_POINTS, int(np.ceil(12 * top / min(p.width for p in peaks))) + 1)
        omega = np.linspace(0.0, top, points)
        alpha2F = sum((p.alpha2F(omega) for p in peaks), np.zeros_like(omega))
        out = cls(omega=omega, alpha2F=alpha2F, F=normalise(omega, alpha2F), peaks=tuple(peaks))
        return out._stating(peaks=tuple(peaks))

    @classmethod
    def from_columns(
        cls,
        omega: ArrayLike,
        alpha2F: ArrayLike,
        F: ArrayLike | None = None,
        *,
        units: str,
        omega_F: ArrayLike | None = None,
        units_F: str | None = None,
    ) -> Self:
        """Spectrum from columns of numbers.

        Args:
            omega: Phonon frequency in `units`, shape (K,), increasing, >= 0.
            alpha2F: Eliashberg function, dimensionless, shape (K,), >= 0.
            F: Phonon density of states in any unit (it is normalised to 3 per atom), shape (K,), or that of
                `omega_F`. None takes F proportional to alpha2F, a matrix element independent of frequency.
            units: Unit of `omega`, a key of `ENERGY`.
            omega_F: Frequencies of `F` if it comes from another file, shape (L,); None means `omega`.
            units_F: Unit of `omega_F`; None means `units`.

        Raises:
            ValueError: Frequencies negative, not a number or not increasing; fewer than 8 points; alpha2F
                or F negative; more than 0.1 % of lambda where F is zero; an unknown unit.
        """
        w, a = column(omega, alpha2F, "alpha2F", to_meV(units))
        given = {"omega": omega, "alpha2F": alpha2F, "F": F, "omega_F": omega_F}
        columns = {k: None if v is None else np.array(v, dtype=np.float64) for k, v in given.items()}
        stated = columns | {"units": units, "units_F": units_F}
        if F is None:
            return cls(omega=w, alpha2F=a, F=normalise(w, a))._stating(**stated)
        scale = to_meV(units if units_F is None else units_F)
        w_F, F_in = column(omega if omega_F is None else omega_F, F, "F", scale)
        grid = np.union1d(w, w_F)
        a = np.interp(grid, w, a, right=0.0)
        density = np.interp(grid, w_F, F_in, right=0.0)
        check_cover(grid, a, density, UNCOVERED)
        a = np.where(density > 0, a, 0.0)
        return cls(omega=grid, alpha2F=a, F=normalise(grid, density))._stating(**stated)

    def _stating(self, **stated: Any) -> Self:
        """This spectrum, annotated with the numbers from which its arrays were computed."""
        object.__setattr__(self, "stated", stated)
        return self

    @property
    def _origin(self) -> Mapping[str, Any]:
        return self.stated or {"omega": self.omega, "alpha2F": self.alpha2F, "F": self.F, "peaks": self.peaks}

    def with_phonons(self, omega_F: ArrayLike, F: ArrayLike) -> Self:
        """The same alpha2F with another phonon density of states, for spectra without one.

        If F is taken proportional to alpha2F, all modes couple equally and alpha2F / F, the rate at which electrons
        heat a mode in Eq. (5), is flat. If few of many modes couple, it peaks at those, and they get hot.

        Args:
            omega_F: Phonon energies, meV, shape (L,), increasing, >= 0.
            F: Density of states, any unit (normalised to 3 per atom), shape (L,), >= 0; linear between the points,
                zero outside. It must be positive wherever alpha2F is.
        """
        w_F, given = np.asarray(omega_F, dtype=np.float64), np.asarray(F, dtype=np.float64)
        if w_F.ndim != 1 or w_F.size < 2 or not (np.diff(w_F) > 0).all() or not w_F[0] >= 0:
            raise ValueError(f"`omega_F` must be two or more increasing energies, >= 0. Got {omega_F!r}.")
        check_values(w_F, given, "F")
        grid = np.union1d(self.omega, w_F)
        alpha2F = np.interp(grid, self.omega, self.alpha2F, right=0.0)
        density = np.interp(grid, w_F, given, right=0.0)
        check_cover(grid, alpha2F, density, 0.0)
        out = replace(self, omega=grid, alpha2F=alpha2F, F=normalise(grid, density))
        return out._stating(of=self._origin, omega_F=w_F, F=given)

    @property
    def one_matrix_element(self) -> bool:
        """Return whether F is proportional to alpha2F."""
        area = float(np.trapezoid(self.alpha2F, self.omega))
        return bool(np.allclose(self.F * area, 3.0 * self.alpha2F, rtol=1e-9, atol=1e-12))

    def scaled(self, factor: float) -> Self:
        """The same spectrum with alpha2F, and so lambda, multiplied by a factor > 0; F is unchanged."""
        if not (factor > 0 and np.isfinite(factor)):
            raise ValueError(f"`scale` must be positive. Got {factor!r}.")
        peaks = tuple(replace(p, lambda_=p.lambda_ * factor) for p in self.peaks)
        return replace(self, alpha2F=self.alpha2F * factor, peaks=peaks)._stating(of=self._origin, scale=factor)

    @property
    def coupling_lambda(self) -> float:
        """Electron-phonon coupling lambda, dimensionless; exact for peaks."""
        if self.peaks:
            return sum(p.lambda_ for p in self.peaks)
        return allen_dynes.coupling_lambda(self.omega, self.alpha2F)

    @property
    def omega_log(self) -> float:
        """Logarithmic mean phonon energy, meV."""
        return allen_dynes.omega_log(self.omega, self.alpha2F)

    @property
    def omega_2(self) -> float:
        """Second-moment phonon energy, meV."""
        return allen_dynes.omega_2(self.omega, self.alpha2F)

    @property
    def omega_max(self) -> float:
        """Highest phonon energy, meV: where alpha2F last exceeds a hundredth of its largest value."""
        return float(self.omega[self.alpha2F > 0.01 * self.alpha2F.max()][-1])

    def allen_dynes_Tc(self, mu_star: float, *, factors: bool = True) -> float:
        """Allen-Dynes estimate of Tc, K, with or without the factors f1 and f2."""
        return allen_dynes.critical_temperature(
            self.coupling_lambda, self.omega_log, self.omega_2, mu_star, factors=factors
        )

    def on_lattice(self, h: float) -> tuple[Array, Array, Array]:
        r"""alpha2F and F at Omega_j = j h, j = 0..M, with M h the first lattice point past the spectrum.

        Peaks no narrower than h are evaluated exactly. Otherwise alpha2F / omega and F are projected on hat
        functions, B_j = Omega_j / h Int B / omega hat_j: hats add up to one and reproduce omega, so that
        lambda = 2 sum_j h B_j / Omega_j and Int alpha2F are exact for any h. The weight of the hat at zero is
        assigned to j = 1.

        Args:
            h: Lattice spacing, meV.

        Returns:
            Omega (meV), alpha2F and F (1/meV per atom), each of shape (M + 1,). alpha2F_0 = F_0 = 0,
            lambda as summed above is `coupling_lambda` and sum_j h F_j is 3, to round-off.

        Raises:
            ValueError: h so coarse that omega_2 would change by more than 1 %.
        """
        if not (h > 0 and np.isfinite(h)):
            raise ValueError(f"`h` must be positive, in meV. Got {h!r}.")
        M = int(np.ceil(self.omega[-1] / h * (1 - 1e-12)))
        Omega: Array = h * np.arange(M + 1, dtype=np.float64)
        if self.peaks and h <= min(p.width for p in self.peaks):
            alpha2F: Array = sum((p.alpha2F(Omega) for p in self.peaks), np.zeros_like(Omega))
            F = alpha2F
            if not self.one_matrix_element:
                F = self._projected(Omega, h)[1]
                alpha2F = np.where(F > 0, alpha2F, 0.0)
        else:
            alpha2F, F = self._projected(Omega, h)
        # Both have lambda to 1e-3 at worst (a peak's tail at zero); it is then made exact.
        alpha2F = alpha2F * (self.coupling_lambda / (2.0 * h * float(np.sum(alpha2F[1:] / Omega[1:]))))
        square = 2.0 * h * float(alpha2F @ Omega) / self.coupling_lambda
        if abs(square / self.omega_2**2 - 1.0) > 2 * COARSE or M < MIN_POINTS:
            raise ValueError(
                f"`h` must resolve the spectrum (omega_2 within {COARSE:.0%}, at least {MIN_POINTS} points); "
                f"take a smaller one. Got {h!r} meV, which gives omega_2 = {np.sqrt(square):.4g} meV, not "
                f"{self.omega_2:.4g}, on {M} points."
            )
        return Omega, alpha2F, F * (3.0 / (h * float(F.sum())))

    def _projected(self, Omega: Array, h: float) -> tuple[Array, Array]:
        """alpha2F and F on the lattice from their integrals against hat functions."""
        M = Omega.size - 1
        points, weights = gauss_points(np.union1d(self.omega, Omega))
        B = np.interp(points, self.omega, self.alpha2F)
        alpha2F: Array = Omega / h * hat_integrals(points, weights * B / points, h, M)
        F = hat_integrals(points, weights * np.interp(points, self.omega, self.F), h, M) / h
        # A hat with alpha2F but without F has no phonons to scatter from; only round-off can cause it.
        return np.where(F > 0, alpha2F, 0.0), F
