"""Checks of a spectrum against its own grid and against the statements in its file."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...core.pairing.allen_dynes import coupling_lambda, omega_log
from .contents import quoted

Array = NDArray[np.float64]

SAME: Final = 0.05
"""Two values of the same lambda by different quadratures agree within this share."""
SAME_LOG: Final = 0.2
"""Two values of the same omega_log agree within this share: the nearest two units (K and cm-1) differ by 1.44."""
SMALL: Final = 1e-4
"""Largest value at either end of a spectrum, relative to its maximum, unless the file states its lambda or rows. A
gap between two modes in which a file may be cut seldom falls below it."""
LOWEST, HIGHEST = 0.2, 1000.0
"""Range of the highest phonon energy, meV: hydrogen's stretching mode has 545."""
_ALONE: Final = 6.0
"""Factor by which a lone value departs more from the line between its neighbours than those around it."""
_WEIGHT: Final = 0.02
"""Share of lambda from which a value that stands alone is refused."""


def check_grid(path: Path, omega: Array, values: Array, lines: tuple[int, ...]) -> None:
    """Raise if rows are missing inside the grid."""
    step = np.diff(omega)
    if step.size < 6:
        return
    usual = float(np.median(step))
    if np.mean(np.abs(step / usual - 1.0) < 0.25) > 0.9:
        wide = step > 1.6 * usual
    else:
        around = np.maximum(np.append(step[1:], np.inf), np.insert(step[:-1], 0, np.inf))
        wide = step > 4.0 * around
    # A first or last row that only closes the spectrum may stand apart.
    small = np.abs(values) <= SMALL * np.abs(values).max()
    wide[0] &= not (small[0] and small[1])
    wide[-1] &= not (values[-1] == 0 and values[-2] == 0)
    if wide.any():
        i = int(np.argmax(wide))
        raise ValueError(
            f"{path}, line {lines[i + 1]}: no row must be missing; restore the file, or resample it. Got "
            f"{omega[i + 1]:.6g} "
            f"after {omega[i]:.6g}, with steps of {usual:.3g} elsewhere."
        )


def check_peaks(path: Path, omega: Array, values: Array, lines: tuple[int, ...]) -> None:
    """Raise for a single value far from its neighbours: a damaged digit, or a peak that no rows resolve."""
    if omega.size < 9:
        return
    # Beyond its last row the spectrum is zero, so that an abrupt end is a step, not a peak; before the first it
    # falls to zero, unless rows start late, which `check_ends` reports.
    step = float(omega[1] - omega[0])
    late = omega[0] > 2 * step
    w = np.concatenate([[omega[0] - step], omega, [2 * omega[-1] - omega[-2]]])
    v = np.concatenate([[values[0] if late else 0.0], values, [0.0]])
    share = (w[1:-1] - w[:-2]) / (w[2:] - w[:-2])
    apart = np.abs(values - v[:-2] * (1 - share) - v[2:] * share)
    width = w[2:] - w[:-2]
    weight = np.divide(apart * width, omega, out=np.zeros_like(apart), where=omega > 0)
    total = np.sum(np.divide(np.abs(values) * width, omega, out=np.zeros_like(apart), where=omega > 0))
    padded = np.pad(apart, 3)
    around = np.maximum.reduce([padded[k : k + apart.size] for k in (0, 1, 5, 6)])
    # A step departs at two rows alike, a single value by twice as much as at the next rows.
    next_to = np.maximum(padded[2 : 2 + apart.size], padded[4 : 4 + apart.size])
    alone = (weight > _WEIGHT * total) & (apart > _ALONE * around) & (apart > 1.5 * next_to)
    if alone.any():
        i = int(np.argmax(np.where(alone, weight, 0.0)))
        raise ValueError(
            f"{path}, line {lines[i]}: a peak must be resolved by its rows; correct the number if it is "
            f"damaged, or "
            f"take a finer grid or more smearing. Got {values[i]:.6g} between {v[i]:.6g} and {v[i + 2]:.6g}."
        )


def check_ends(path: Path, omega: Array, values: Array) -> None:
    """Raise if alpha2F is large at the first or the last frequency."""
    largest = float(np.abs(values).max())
    if values[-1] > SMALL * largest:
        raise ValueError(
            f"{path}: alpha2F must vanish at the highest frequency (is the file cut off, or its range too "
            f"short?); if the "
            f"spectrum ends there, append a row with 0. Got {values[-1]:.3g} at {omega[-1]:.6g}, "
            f"{values[-1] / largest:.2%} of the maximum."
        )
    if omega[0] > 2 * (omega[1] - omega[0]) and values[0] > SMALL * largest:
        raise ValueError(
            f"{path}: `alpha2F` must be zero at zero frequency, or at the first one if rows start later (are rows "
            f"missing at the start?); if it vanishes at lower frequencies, insert a row with 0 at the start. "
            f"Got {values[0]:.3g} at {omega[0]:.6g}."
        )


def check_lambda(path: Path, found: float, stated: float, where: str) -> None:
    """Raise if lambda differs from that stated in the file."""
    if abs(found - stated) > SAME * abs(stated):
        ratio = found / stated if stated else np.inf
        hint = next(
            (
                f"; it is {r} lambda: which convention has alpha2F"
                for x, r in ((2, "twice"), (0.5, "half"))
                if abs(ratio / x - 1) < SAME
            ),
            "",
        )
        raise ValueError(
            f"{path}: lambda of alpha2F must agree with {where} within {SAME:.0%}; is this the right column, "
            f"and is the file whole{hint}? Got {found:.4g} and {stated:.4g}."
        )


def check_log(
    path: Path, omega: Array, values: Array, scale: float, stated: float, unit: str, unit_meV: float
) -> None:
    """Raise if omega_log differs from that stated in the file; `scale` and `unit_meV` are the units in meV."""
    found = omega_log(omega, values) * scale / unit_meV
    if abs(found / stated - 1.0) > SAME_LOG:
        raise ValueError(
            f"{path}: omega_log must agree with the file's own within {SAME_LOG:.0%}; is the unit of frequency "
            f"right? "
            f"Got {found:.4g} and {stated:.4g} {unit}."
        )


def check_scale(path: Path, omega: Array, values: Array, scale: float, unit: str) -> None:
    """Raise for frequencies that no phonon has."""
    top = scale * float(omega[np.abs(values) > 0.01 * np.abs(values).max()][-1])
    if not LOWEST <= top <= HIGHEST:
        raise ValueError(
            f"{path}: the highest phonon energy must be {LOWEST:g} to {HIGHEST:g} meV; is {unit} the unit of "
            f"frequency? "
            f"Got {top:.4g} meV."
        )


def is_running(omega: Array, alpha2F: Array, column: Array) -> bool:
    """Whether a column is the running integral lambda(omega) of alpha2F, within 5 % of its last value."""
    if not (column[-1] > 0 and (np.diff(column) >= -1e-6 * column[-1]).all()):
        return False
    running = running_lambda(omega, alpha2F)
    return bool(np.abs(running - column).max() < SAME * column[-1])


def running_lambda(omega: Array, alpha2F: Array) -> Array:
    """lambda(omega) = 2 Int alpha2F / omega, integrated up to each frequency."""
    g = np.divide(alpha2F, omega, out=np.zeros_like(alpha2F), where=omega > 0)
    step = np.diff(omega, prepend=0.0)
    middle = (g + np.insert(g[:-1], 0, 0.0)) / 2
    out: Array = 2.0 * np.cumsum(middle * step)
    return out


def check_not_integral(path: Path, column: Array, name: str) -> None:
    """Raise for a third column that rises up to its end, as an integral does and F does not."""
    if column[-1] > 0 and column[-1] >= column.max() and (np.diff(column) >= 0).all():
        raise ValueError(
            f"{path}: the third column, {quoted(name)}, must be F, which vanishes above the phonons, or "
            f"lambda(omega), which "
            f"ends at lambda; set `column: 1` to leave it out. Got {column[-1]:.4g} at its end."
        )


def lambda_of(omega: Array, values: Array) -> float:
    """Coupling lambda of alpha2F in any unit of frequency."""
    return coupling_lambda(omega, values)
