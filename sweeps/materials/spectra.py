"""Spectra from files of Quantum ESPRESSO, EPW, ABINIT, Elk, IsoME, and from plain columns."""

import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...core.pairing.allen_dynes import coupling_lambda
from ...core.spectra import Spectrum
from ..files import ANYWHERE, Files
from .formats import FORMATS, Format, Quantity, Table, detect, parse, refuse_transport, units_of

Array = NDArray[np.float64]

NOISE: Final = 0.05
"""Largest share of lambda (for F, of the area) in negative values. Methfessel-Paxton smearing or Fourier
interpolation with few q leaves 4 % in Quantum ESPRESSO's own example of Al."""
UNSTABLE: Final = 0.01
"""Largest share of a spectrum's area at negative frequency: Elk's own example of Al has 0.14 %."""
SAME: Final = 0.05
"""Two values of the same lambda by different quadratures agree within this share."""


def read(
    path: str | Path,
    *,
    format: str | None = None,
    units: str | None = None,
    column: int | None = None,
    F_path: str | Path | None = None,
    F_format: str | None = None,
    F_units: str | None = None,
    files: Files = ANYWHERE,
) -> Spectrum:
    """Spectrum from a file of alpha2F and, if there is one, another of the phonon density of states F.

    Without F (no `F_path`, no third column of plain columns) F is taken proportional to alpha2F.

    Small negative values are set to zero and the rest of alpha2F is scaled down, so that lambda
    keeps the value that the code reports.

    Args:
        path: File of alpha2F.
        format: A name in `FORMATS`; None detects it from the header or name, else plain columns.
        units: Unit of frequency, if the format does not fix it.
        column: Column of alpha2F, that is, the smearing to use; 1 is the first after the frequency.
        F_path: File of F; any unit of density, since it is normalised to 3 per atom.
        F_format: As `format`, for F.
        F_units: As `units`, for F.
        files: Folders in which the files may be.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file breaks a rule; the message names the file, the line, the rule and the value.
    """
    path = Path(path)
    table, spec = _open(files, path, "alpha2F", format)
    unit = units_of(path, table, spec, units)
    omega, alpha2F = _columns(path, table, spec, column)
    F = omega_F = unit_F = None
    if F_path is not None:
        F_path = Path(F_path)
        table_F, spec_F = _open(files, F_path, "F", F_format)
        unit_F = units_of(F_path, table_F, spec_F, F_units)
        omega_F, F = _columns(F_path, table_F, spec_F, None if spec_F.column else 1)
    elif F_format is not None or F_units is not None:
        raise ValueError(f"{path}: `F_format` and `F_units` need an `F_file`. Got none.")
    elif spec.name == "columns" and column is None and len(table.rows[0]) == 3:
        F = np.array([row[2] for row in table.rows])
    try:
        return Spectrum.from_columns(omega, alpha2F, F, units=unit, omega_F=omega_F, units_F=unit_F)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _open(files: Files, path: Path, quantity: Quantity, name: str | None) -> tuple[Table, Format]:
    """Numbers of a file and its format."""
    text = files.text(path, what="spectrum's file", encoding="utf-8-sig", errors="replace")
    if quantity == "alpha2F":
        refuse_transport(path, text)
    if name is None:
        spec = detect(path, text, quantity)
    else:
        fit = [k for k, f in FORMATS.items() if f.quantity == quantity or k == "columns"]
        if name not in fit:
            raise ValueError(f"{path}: the format of {quantity} must be one of {', '.join(fit)}. Got {name!r}.")
        spec = FORMATS[name]
    table = parse(path, text, spec)
    _check_rows(path, table, spec)
    return table, spec


def _check_rows(path: Path, table: Table, spec: Format) -> None:
    """Raise, with the line, for non-finite numbers and frequencies that do not increase."""
    above = -np.inf
    for row, line in zip(table.rows, table.lines, strict=True):
        if not np.isfinite(row).all():
            raise ValueError(f"{path}, line {line}: numbers must be finite. Got {row}.")
        if row[0] < 0 and not spec.tolerant:
            raise ValueError(f"{path}, line {line}: the frequency must not be negative. Got {row[0]:.6g}.")
        if row[0] <= above:
            raise ValueError(f"{path}, line {line}: frequencies must increase. Got {row[0]:.6g} after {above:.6g}.")
        above = row[0]


def _columns(path: Path, table: Table, spec: Format, column: int | None) -> tuple[Array, Array]:
    """Frequencies, in the file's unit, and the requested column."""
    numbers = np.array(table.rows)
    count = numbers.shape[1] - 1
    if spec.doubled is not None and re.search(spec.doubled, table.header):
        count //= 2
    if column is None:
        column = 1 if count == 1 else spec.column
        if spec.name == "columns" and count > 2:
            column = None
    if column is None:
        raise ValueError(
            f"{path}: `column` must select one of the {count} columns after the frequency (perhaps one per "
            f"smearing). Got None."
        )
    if not 1 <= column <= count:
        raise ValueError(f"{path}: `column` must be 1 to {count}. Got {column}.")
    omega, values = numbers[:, 0], numbers[:, column]
    if not spec.tolerant:
        return omega, values
    omega, values = _quiet(path, omega, values, spec.quantity)
    if spec.paired is not None and re.search(spec.paired, table.header) and column < count:
        values = _held(path, omega, values, float(numbers[-1, column + 1]))
    return omega, values


def _quiet(path: Path, omega: Array, values: Array, quantity: Quantity) -> tuple[Array, Array]:
    """A spectrum without numerical noise: negative frequencies and values removed at constant lambda."""
    if not values[omega != 0].any():
        return omega[omega >= 0], values[omega >= 0]
    below = np.abs(values[omega < 0]).sum() / np.abs(values).sum()
    if below > UNSTABLE:
        raise ValueError(
            f"{path}: no more than {UNSTABLE:.0%} of the spectrum may be at negative frequency (the crystal is "
            f"unstable, or its phonons need denser grids). Got {below:.2%}."
        )
    omega, values = omega[omega >= 0], values[omega >= 0]
    positive = np.maximum(values, 0.0)
    weight = np.divide(1.0, omega, out=np.zeros_like(omega), where=omega > 0) if quantity == "alpha2F" else 1.0
    negative = np.sum((positive - values) * weight) / np.sum(np.abs(values) * weight)
    if negative > NOISE:
        raise ValueError(
            f"{path}: no more than {NOISE:.0%} of {'lambda' if quantity == 'alpha2F' else 'F'} may be negative "
            f"(a denser grid of q, or Gaussian smearing, helps). Got {negative:.2%}."
        )
    return omega, positive * float(np.sum(values * weight) / np.sum(positive * weight))


def _held(path: Path, omega: Array, values: Array, reported: float) -> Array:
    """A column of alpha2F, halved if the lambda reported in the file shows that it is twice alpha2F."""
    found = coupling_lambda(omega, values)
    for factor in (1.0, 0.5):
        if abs(factor * found - reported) < SAME * abs(reported):
            return factor * values
    raise ValueError(
        f"{path}: alpha2F, or half of its column, must have the lambda of the next column, {reported:.4g}. "
        f"Got {found:.4g}."
    )
