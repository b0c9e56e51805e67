"""Choice of a lattice for a requested accuracy: window and spacing are refined until two estimates agree.

The candidate is compared with twice its spacing and with half its window. Coarsening by a factor of two changes an
error of order p by 2^p - 1 times itself. The solver's error falls with the spacing at order 1.5 to 2 and with the
window at order 2 to 4; each change, divided by 1.8 and 3 for the lowest orders, bounds the error. The two coarser
lattices take half of the candidate's time each; finer ones would take four times as long.

For narrow modes at low temperature the error falls irregularly: the discrete equation can have two solutions, and a
finer lattice that starts from a coarser one's keeps to its branch. In equilibrium the order is therefore measured
from a third spacing (`_measured`).
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .lattice import Array
from .spectra import Spectrum

_LOG = logging.getLogger("photogap.accuracy")

RTOL: Final = 1e-3
"""Default relative accuracy of equilibrium."""

MOST_CELLS: Final = 120_000
"""Cells of the largest lattice tried: half a minute and 200 MB per gap."""

ORDERS: Final = (1.5, 2.0)
"""Lowest orders at which an error falls with the spacing and with the window."""

WORST_ORDER: Final = 0.5
"""Lowest measured order that is used: of two changes that hardly fall the last one counts 2.4 times."""


class AccuracyError(ValueError):
    """The requested accuracy was not reached; the message gives the accuracy reached and the remedy."""


_GRID: Final = 4096
"""Points on which the modes of a table are sought."""
_FWHM: Final = 2.0 * math.sqrt(2.0 * math.log(2.0))
"""Full width at half maximum of a Gaussian of unit standard deviation."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """Numbers on one lattice.

    Args:
        values: The numbers that must agree, shape (K,), or series, shape (K, n); NaN for a missing number.
        scale: Reference value for the relative error of each, shape (K,), > 0; infinite for a number that need not
            agree.
        names: Name of each number, for messages.
        state: The state from which the numbers were taken.
    """

    values: Array
    scale: Array
    names: tuple[str, ...]
    state: Any = None

    def change(self, other: "Numbers") -> Array:
        """Magnitude of the differences from another lattice's numbers, shape (K,); infinite if one is missing.

        For a series, the mean.
        """
        K = len(self.names)
        difference = np.abs(self.values.reshape(K, -1) - other.values.reshape(K, -1)).mean(axis=1)
        return np.where(np.isnan(difference), np.inf, difference)

    def relative(self, change: Array) -> Array:
        """Changes relative to the scales, shape (K,); zero for a number that need not agree."""
        return np.where(np.isinf(self.scale), 0.0, change) / self.scale


@dataclass(frozen=True, eq=False)
class Choice:
    """The chosen lattice and its numbers.

    Args:
        spacing, window: Lattice, meV.
        best: Estimate on it.
        by_spacing, by_window: Bound on the error of each number from each of the two, shape (K,).
        tried: Number of lattices computed.
    """

    spacing: float
    window: float
    best: Numbers
    by_spacing: Array
    by_window: Array
    tried: int

    @property
    def error(self) -> Array:
        """Bound on the error of each number, shape (K,)."""
        return self.by_spacing + self.by_window

    @property
    def cells(self) -> int:
        """Cells of the lattice."""
        return round(self.window / self.spacing)

    def shares(self) -> tuple[float, float]:
        """Largest relative change on refining the spacing and on refining the window."""
        return float(self.best.relative(self.by_spacing).max()), float(self.best.relative(self.by_window).max())


def narrowest_mode(spectrum: Spectrum) -> float:
    """Standard deviation of the narrowest mode with at least 1 % of lambda, meV; infinite without distinct
    modes."""
    if spectrum.peaks:
        total = sum(peak.lambda_ for peak in spectrum.peaks)
        return float(min(peak.width for peak in spectrum.peaks if peak.lambda_ >= 0.01 * total))
    omega = np.linspace(0.0, float(spectrum.omega[-1]), _GRID + 1)[1:]
    pairing = np.interp(omega, spectrum.omega, spectrum.alpha2F) / omega
    narrowest = min(peak_widths(pairing, 0.05 * float(pairing.max())), default=math.inf)
    return narrowest * float(omega[1] - omega[0]) / _FWHM


def spacing_order(spectrum: Spectrum, spacing: float, rtol: float) -> float:
    """Lowest order of convergence in the spacing: one if peaks reach zero energy and limit the accuracy.

    There alpha2F / omega is finite at zero, and the sum over a lattice of peaks lacks half a cell of it.

    Args:
        spectrum: The spectrum.
        spacing: Largest spacing, meV.
        rtol: Accuracy.
    """
    if not spectrum.peaks:
        return ORDERS[0]
    low = 1e-6 * spacing
    missing = spacing * float(sum(peak.alpha2F(np.array([low])).item() for peak in spectrum.peaks)) / low
    return 1.0 if missing > 0.1 * rtol * spectrum.coupling_lambda else ORDERS[0]


def peak_widths(y: Array, prominence: float) -> list[float]:
    """Widths of a curve's peaks at half of their prominence, in steps of its grid.

    A peak's prominence is its height above the higher one of the two valleys that part it from higher peaks (or
    from the ends). The same as of scipy.signal, whose import takes as long as a solution.

    Args:
        y: The curve, shape (K,).
        prominence: The least that counts.
    """
    widths = []
    for i in np.flatnonzero((y[1:-1] > y[:-2]) & (y[1:-1] >= y[2:])) + 1:
        sides = y[i::-1], y[i:]
        fall = min(float(y[i] - side[: _first(side > y[i])].min()) for side in sides)
        if fall >= prominence:
            widths.append(sum(_reach(side, float(y[i]) - 0.5 * fall) for side in sides))
    return widths


def _first(where: NDArray[np.bool_]) -> int:
    """Index of the first True; the length if there is none."""
    return int(np.argmax(where)) if where.any() else where.size


def _reach(y: Array, height: float) -> float:
    """Steps after which a curve falls below a height; linear between the points."""
    below = _first(y <= height)
    if below == y.size:
        return float(y.size - 1)
    return float(below - (height - y[below]) / (y[below - 1] - y[below]))


def first_lattice(spectrum: Spectrum, gap: float) -> tuple[float, float]:
    """Coarsest spacing and window (meV), at which a search starts, for a gap of about `gap` (meV).

    The spacing does not exceed the width of the narrowest mode, if a tenth of the cells suffices for that: two
        lattices that both miss the shape of a mode agree on a wrong result.

    Raises:
        ValueError: if no lattice of `MOST_CELLS` resolves the spectrum.
    """
    top = float(spectrum.omega[-1])
    spacing = min(top / 100, gap / 5, max(narrowest_mode(spectrum), 40 * top / MOST_CELLS))
    while True:
        try:
            spectrum.on_lattice(spacing)
        except ValueError:
            if 4 * top > spacing * MOST_CELLS:
                raise
            spacing /= 2
        else:
            return spacing, 4 * top


def choose_lattice(
    estimate: Callable[[float, float], Numbers],
    *,
    spacing: float,
    window: float,
    rtol: float,
    fixed: tuple[bool, bool] = (False, False),
    orders: tuple[float, float] = ORDERS,
    measured: bool = False,
    most_cells: int = MOST_CELLS,
) -> Choice:
    """Refine a lattice until its numbers are known to `rtol`.

    Args:
        estimate: The numbers on a lattice of a spacing and a window, meV.
        spacing, window: The coarsest lattice, meV.
        rtol: Accuracy, relative to each number's scale.
        fixed: Whether spacing and window are fixed; a fixed one is refined once to measure its error, which may
            exceed `rtol`.
        orders: Lowest orders at which the error falls with spacing and window.
        measured: Whether three spacings are compared, to measure the order where it is lower.
        most_cells: Largest number of cells.
    Raises:
        AccuracyError: if `rtol` is not positive, or `most_cells` do not suffice.
    """
    if not (rtol > 0 and math.isfinite(rtol)):
        raise AccuracyError(f"`rtol` must be positive, such as 1e-3. Got {rtol!r}.")
    first = window / spacing * math.prod(1 if stays else 2 for stays in fixed)
    if first > most_cells:
        raise AccuracyError(
            f"`spacing` and `window` must leave room to refine within {most_cells} cells; to skip the search, "
            f"state both. Got {first:.0f} cells to start with, {spacing:.4g} meV up to {window:.4g} meV."
        )
    known: dict[tuple[int, int], Numbers] = {}

    def at(i: int, j: int) -> Numbers:
        if (i, j) not in known:
            known[i, j] = estimate(spacing / 2**i, window * 2**j)
        return known[i, j]

    i, j = 0 if fixed[0] else 1 + measured, 0 if fixed[1] else 1
    while True:
        # the coarser ones first: the finest starts from them
        before = at(i - 1, 0).change(at(i - 2, 0)) if measured and not fixed[0] else None
        narrower = None if fixed[1] else at(i, j - 1)
        coarser = None if fixed[0] else at(i - 1, j)
        best = at(i, j)
        by_spacing = _by_spacing(best.change(coarser or best), before, orders[0])
        by_window = best.change(narrower or best) / (2 ** orders[1] - 1)
        choice = Choice(spacing / 2**i, window * 2**j, best, by_spacing, by_window, len(known))
        finer, wider = choice.shares()
        _LOG.info(
            "spacing %.4g meV, window %.4g meV: relative error %.1e from the spacing, %.1e from the window",
            choice.spacing, choice.window, finer, wider,
        )  # fmt: skip
        if finer + wider <= rtol:
            return _with_fixed_errors(choice, at, (i, j), fixed, orders, most_cells)
        i, j = i + (finer >= wider or finer > rtol), j + (wider > finer or wider > rtol)
        if window / spacing * 2 ** (i + j) > most_cells:
            raise AccuracyError(_unreached(choice, rtol, most_cells))


def _by_spacing(change: Array, before: Array | None, order: float) -> Array:
    """Bound on the error, from the changes in the last halving of the spacing and, if known, in the one before.

    Errors of order p make their ratio 2^p. A ratio that belongs to a lower order than `order` lowers it; one above
    `order` + 1/2 may be chance, and the change before counts.

    Args:
        change, before: Changes, shape (K,).
        order: Lowest order expected.
    """
    if before is None:
        return np.asarray(change / (2**order - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(change > 0.0, before / change, math.inf)
    p = np.log2(np.clip(ratio, 2**WORST_ORDER, 2**order))
    return np.asarray(np.fmax(change, np.where(np.isfinite(before), before, 0.0) / 2 ** (order + 0.5)) / (2**p - 1))


def _with_fixed_errors(
    choice: Choice, at: Callable[[int, int], Numbers], where: tuple[int, int], fixed: tuple[bool, bool],
    orders: tuple[float, float], most_cells: int,
) -> Choice:  # fmt: skip
    """Choice of a lattice; the errors of a fixed spacing and window come from one refinement of each."""
    (i, j), unknown = where, np.full(choice.by_spacing.shape, np.inf)
    room = 2 * choice.cells <= most_cells

    def left(a: int, b: int, order: float) -> Array:
        return choice.best.change(at(a, b)) / (1 - 2**-order) if room else unknown

    return replace(
        choice,
        by_spacing=left(i + 1, j, orders[0]) if fixed[0] else choice.by_spacing,
        by_window=left(i, j + 1, orders[1]) if fixed[1] else choice.by_window,
    )


def _unreached(choice: Choice, rtol: float, most_cells: int) -> str:
    relative = choice.best.relative(choice.error)
    worst = int(np.argmax(relative))
    known = f"known to {relative[worst]:.1e}" if math.isfinite(relative[worst]) else "not found"
    return (
        f"`rtol` must be within reach of {most_cells} cells: spacing {choice.spacing:.4g} meV and window "
        f"{choice.window:.4g} meV leave {choice.best.names[worst]} {known}. Raise `rtol`, move T away from Tc, or "
        f"state spacing and window, which skips the search. Got {rtol:g}."
    )
