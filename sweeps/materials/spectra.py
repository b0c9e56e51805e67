"""Spectra from files of Quantum ESPRESSO, EPW, ABINIT, Elk, IsoME, and from plain columns, CSV and JSON."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...core.pairing.allen_dynes import coupling_lambda
from ...core.spectra import Spectrum
from ...core.units import ENERGY
from ..files import ANYWHERE, Files
from . import checks
from .checks import SAME
from .columns import Table, arranged, ordered, parse
from .containers import NETCDF, json_table, netcdf_table
from .contents import as_text, contents, quoted
from .formats import FORMATS, Format, Quantity, check_footer, check_quantity, detect, refuse_transport, units_of
from .headers import lambdas_stated, omega_log_stated, role, rows_stated

Array = NDArray[np.float64]

NOISE: Final = 0.05
"""Largest share of lambda (for F, of the area) in negative values. Methfessel-Paxton smearing or Fourier
interpolation with few q leaves 4 % in Quantum ESPRESSO's own example of Al."""
FAINT: Final = 0.005
"""The same for plain columns, whose origin is unknown."""
UNSTABLE: Final = 0.01
"""Largest share of a spectrum's area at negative frequency: Elk's own example of Al has 0.14 %."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A spectrum and how its file was read.

    Args:
        spectrum: The spectrum.
        format: Name in `FORMATS`.
        units: Unit of frequency.
        column: Column of alpha2F, counted from 1 after the frequency.
        stated: lambda that the file states; None if it states none.
        notes: Changes made to the numbers, and columns left out, in words.
    """

    spectrum: Spectrum
    format: str
    units: str
    column: int
    stated: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Source:
    """One opened file: its table, format, and whether it is known to be whole."""

    path: Path
    table: Table
    format: Format
    whole: bool

    @property
    def count(self) -> int:
        """Number of columns, the frequency's aside, that may hold the quantity."""
        count: int = self.table.numbers.shape[1] - 1
        doubled = self.format.doubled is not None and re.search(self.format.doubled, self.table.header)
        return count // 2 if doubled else count


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
    """Spectrum from a file; arguments as in `examine`."""
    return examine(
        path,
        format=format,
        units=units,
        column=column,
        F_path=F_path,
        F_format=F_format,
        F_units=F_units,
        files=files,
    ).spectrum


def examine(
    path: str | Path,
    *,
    format: str | None = None,
    units: str | None = None,
    column: int | None = None,
    F_path: str | Path | None = None,
    F_format: str | None = None,
    F_units: str | None = None,
    files: Files = ANYWHERE,
) -> Reading:
    """Spectrum from a file of alpha2F and, if there is one, another of the phonon density of states F.

    Without F (no `F_path`, no column of that name, no third of plain columns) F is taken proportional to alpha2F.

    Small negative values are set to zero and the rest of alpha2F is scaled down, so that lambda
    keeps the value that the code reports.

    Args:
        path: File of alpha2F.
        format: A name in `FORMATS`; None detects it from the header or name, else plain columns.
        units: Unit of frequency, if neither the format nor the header states it.
        column: Column of alpha2F, that is, the smearing to use; 1 is the first after the frequency.
        F_path: File of F; any unit of density, since it is normalised to 3 per atom.
        F_format: As `format`, for F.
        F_units: As `units`, for F.
        files: Folders in which the files may be.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file breaks a rule, or contradicts itself; the message names the file, the line, the rule
            and the value.
    """
    path = Path(path)
    source = _open(files, path, "alpha2F", format)
    if F_path is None and (F_format is not None or F_units is not None):
        raise ValueError(f"{path}: `F_format` and `F_units` need an `F_file`. Got none.")
    return _examined(
        source, units, column, None if F_path is None else _open(files, Path(F_path), "F", F_format), F_units
    )


def examine_table(path: Path, table: Table, units: str | None = None) -> Reading:
    """Spectrum of a table in memory, such as a record of a database; `path` names it in messages."""
    spec = FORMATS["columns"]
    return _examined(
        _Source(path=path, table=_checked(path, table, spec), format=spec, whole=False), units, None, None, None
    )


def _examined(
    source: _Source, units: str | None, column: int | None, other: _Source | None, F_units: str | None
) -> Reading:
    path, table, spec = source.path, source.table, source.format
    unit = units_of(path, table, spec, units)
    chosen = _column(source, column)
    omega, alpha2F = _quantity(source, chosen)
    stated = _held(source, chosen, omega, alpha2F, unit)
    F = omega_F = unit_F = None
    notes = list(table.notes)
    if other is not None:
        unit_F = units_of(other.path, other.table, other.format, F_units)
        omega_F, F = _quantity(other, _column_of_F(source, chosen, other))
    else:
        at = _own_F(source, column, notes)
        if at is not None:
            F, omega_F = table.numbers[:, at], table.numbers[:, 0]
            F, omega_F = F[omega_F >= 0], omega_F[omega_F >= 0]
            if np.array_equal(omega_F, omega):
                omega_F = None  # the identities of points contain what is stated here
    try:
        spectrum = Spectrum.from_columns(omega, alpha2F, F, units=unit, omega_F=omega_F, units_F=unit_F)
    except ValueError as error:
        smeared = other is not None and "positive wherever" in str(error)
        hint = " F of one run must have the smearing of alpha2F." if smeared else ""
        raise ValueError(f"{path}: {error}{hint}") from error
    return Reading(
        spectrum=spectrum, format=spec.name, units=unit, column=chosen, stated=stated, notes=tuple(notes)
    )


def _open(files: Files, path: Path, quantity: Quantity, name: str | None) -> _Source:
    """Numbers of a file and its format."""
    data = contents(files, path)
    fit = [k for k, f in FORMATS.items() if f.quantity == quantity or k == "columns"]
    if name is not None and name not in fit:
        raise ValueError(f"{path}: the format of {quantity} must be one of {', '.join(fit)}. Got {name!r}.")
    if data.startswith(NETCDF):
        spec = FORMATS["abinit"]
        return _Source(path=path, table=_checked(path, netcdf_table(path, data), spec), format=spec, whole=True)
    text = as_text(path, data)
    plain = path.with_suffix("") if path.suffix in (".gz", ".bz2", ".xz") else path
    if quantity == "alpha2F":
        refuse_transport(plain, text)
    if text.lstrip().startswith(("{", "[")) and name in (None, "columns"):
        spec = FORMATS["columns"]
        return _Source(path=path, table=_checked(path, json_table(path, text), spec), format=spec, whole=False)
    if quantity == "alpha2F" and name is None:
        check_quantity(plain, text)
    spec = FORMATS[name] if name is not None else detect(plain, text, quantity)
    table = parse(path, text, footer=spec.footer, header=spec.header)
    check_footer(path, text, spec)
    table = arranged(path, table) if spec.name == "columns" else replace(table, names=())
    table = _checked(path, table, spec)
    return _Source(path=path, table=table, format=spec, whole=table.counted or _rows_fit(path, table))


def _rows_fit(path: Path, table: Table) -> bool:
    """Whether the header states the number of rows; raises if it states another."""
    stated, found = rows_stated(table.header), len(table.numbers)
    if stated is None:
        return False
    if abs(stated - found) > max(1, 0.02 * stated):
        raise ValueError(
            f"{path}: the number of rows must be as stated in the header (is the file cut off?). Got {found}, not "
            f"{stated}."
        )
    return stated == found


def _checked(path: Path, table: Table, spec: Format) -> Table:
    """The table in order; raises, with the line, for numbers that are not finite and for negative frequencies."""
    for row, line in zip(table.numbers, table.lines, strict=True):
        if not np.isfinite(row).all():
            raise ValueError(f"{path}, line {line}: numbers must be finite. Got {quoted([float(x) for x in row])}.")
        if row[0] < 0 and not spec.tolerant:
            raise ValueError(f"{path}, line {line}: the frequency must not be negative. Got {row[0]:.6g}.")
    return ordered(path, table)


def _column(source: _Source, column: int | None) -> int:
    """Column of alpha2F or F, from 1 after the frequency: the given one, that of the name, or the format's."""
    path, spec, count = source.path, source.format, source.count
    roles = [role(n) for n in source.table.names[1:]]
    if column is None:
        wanted = [i for i, r in enumerate(roles, start=1) if r == spec.quantity]
        column = wanted[0] if len(wanted) == 1 else 1 if count == 1 else spec.column
        if not wanted and spec.name == "columns" and count > 2:
            column = None
        if len(wanted) > 1:
            column = None
    if column is None:
        raise ValueError(
            f"{path}: `column` must select one of the {count} columns after the frequency (perhaps one per "
            f"smearing). Got None."
        )
    if not 1 <= column <= count:
        raise ValueError(f"{path}: `column` must be 1 to {count}. Got {column}.")
    if roles and roles[column - 1] not in (spec.quantity, "unknown", "number"):
        raise ValueError(
            f"{path}: the column must be {spec.quantity}; name it so, or set `column`. Got "
            f"{quoted(source.table.names[column])}."
        )
    return column


def _column_of_F(source: _Source, chosen: int, other: _Source) -> int:
    """Column of F, at the smearing of alpha2F."""
    if not other.format.smearings or other.count == 1:
        return _column(other, None if other.format.column or other.table.names else 1)
    run = r"\.(a2f|phdos)(\.\d\d(\.[\d.]+)?)?$"
    first, second = (re.search(run, s.path.name) for s in (source, other))
    if first and second and first[2] != second[2]:
        raise ValueError(
            f"{other.path}: F must have the smearing and temperature of alpha2F, {first[0]!r}. Got {second[0]!r}."
        )
    if source.format.smearings and source.count != other.count and chosen > 1:
        raise ValueError(
            f"{other.path}: F must have a column for each of the {source.count} smearings of alpha2F, of which "
            f"{chosen} is used. Got {other.count}."
        )
    return min(chosen, other.count) if source.format.smearings else 1


def _own_F(source: _Source, column: int | None, notes: list[str]) -> int | None:
    """Column of the table that is F; notes the columns left out."""
    table, spec = source.table, source.format
    if spec.F_column is not None:
        return spec.F_column
    if spec.name != "columns":
        return None
    if table.names:
        roles = [role(n) for n in table.names]
        notes += [
            f"column left out: {n}"
            for n, r in zip(table.names, roles, strict=True)
            if r in ("unknown", "error", "ratio") or (r == "lambda" and not re.search("lam|λ", n.lower()))
        ]
        return roles.index("F") if roles.count("F") == 1 else None
    if table.numbers.shape[1] != 3 or column is not None:
        return None
    omega, alpha2F, third = table.numbers.T
    if checks.is_running(omega, alpha2F, third):
        notes.append("the third column is lambda(omega)")
        return None
    checks.check_not_integral(source.path, third, "without a name")
    return 2


def _quantity(source: _Source, column: int) -> tuple[Array, Array]:
    """Frequencies, in the file's unit, and the values of a column, checked and without noise."""
    path, table, spec = source.path, source.table, source.format
    omega, values = table.numbers[:, 0], table.numbers[:, column]
    omega, values = _quiet(path, omega, values, spec)
    if spec.paired is not None and re.search(spec.paired, table.header) and column < source.count:
        values = _halved(path, omega, values, float(table.numbers[-1, column + 1]))
    if spec.quantity == "alpha2F" and values.any():
        lines = table.lines[-len(omega) :]
        checks.check_grid(path, omega, values, lines)
        checks.check_peaks(path, omega, values, lines)
    return omega, values


def _held(source: _Source, column: int, omega: Array, alpha2F: Array, unit: str) -> float | None:
    """lambda stated in the file; raises if lambda, omega_log or the ends of the spectrum contradict alpha2F."""
    path, table = source.path, source.table
    if not (alpha2F[omega > 0] > 0).any():
        return None
    words = f"{table.header}\n{table.footer}"
    found = coupling_lambda(omega, alpha2F)
    _check_total(source, column, alpha2F)
    stated = _stated(source, column, lambdas_stated(words), found)
    if stated is not None:
        checks.check_lambda(path, found, stated, "the file's own lambda")
    elif not source.whole:
        checks.check_ends(path, omega, alpha2F)
    for name, final in _running(source, column):
        checks.check_lambda(path, found, final, f"the last value of {quoted(name)}")
        stated = final if stated is None else stated
    log = omega_log_stated(words)
    if log is not None and log[1] in ENERGY and source.count == 1:
        checks.check_log(path, omega, alpha2F, ENERGY[unit], *log, ENERGY[log[1]])
    checks.check_scale(path, omega, alpha2F, ENERGY[unit], unit)
    return stated


def _check_total(source: _Source, column: int, alpha2F: Array) -> None:
    """Raise if another column of alpha2F, such as that of a mode, exceeds the total."""
    names = source.table.names
    for i, name in enumerate(names):
        part = role(name) == "unknown" and re.search(r"(a|α|alpha)\^?2|mode", name, re.IGNORECASE)
        total, other = float(alpha2F.sum()), float(source.table.numbers[:, i].sum())
        if part and i != column and other > 1.02 * total:
            raise ValueError(
                f"{source.path}: the column {quoted(names[column])} must be the total, larger than {quoted(name)}; "
                f"are columns exchanged? Got sums of {total:.4g} and {other:.4g}."
            )


def _stated(source: _Source, column: int, values: tuple[float, ...], found: float) -> float | None:
    """The stated lambda that belongs to a column."""
    if source.format.smearings and len(values) > 1:
        return values[column - 1] if column <= len(values) else None
    alone = (
        source.count == 1 or source.table.names or (source.format.name in ("columns", "qe", "elk") and column == 1)
    )
    if not values or not alone or (source.format.name == "columns" and source.count > 3):
        return None
    return min(values, key=lambda v: abs(v - found))


def _running(source: _Source, column: int) -> list[tuple[str, float]]:
    """Last values of the columns that are lambda(omega) of a column of alpha2F, with their names."""
    table, spec = source.table, source.format
    if spec.doubled is not None and source.count < table.numbers.shape[1] - 1:
        return [("the running lambda", float(table.numbers[-1, source.count + column]))]
    roles = [role(n) for n in table.names]
    if roles.count("lambda") != 1 or roles.count("alpha2F") > 1:
        return []
    at = roles.index("lambda")
    # A column named `integrated` may be the area of alpha2F.
    if not re.search(r"lam|λ", table.names[at], re.IGNORECASE):
        return []
    return [(table.names[at], float(table.numbers[-1, at]))]


def _quiet(path: Path, omega: Array, values: Array, spec: Format) -> tuple[Array, Array]:
    """A spectrum without numerical noise: negative frequencies and values removed at constant lambda."""
    noise = NOISE if spec.tolerant else FAINT
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
    alpha2F = spec.quantity == "alpha2F"
    weight = np.divide(1.0, omega, out=np.zeros_like(omega), where=omega > 0) if alpha2F else np.ones_like(omega)
    negative = np.sum((positive - values) * weight) / np.sum(np.abs(values) * weight)
    if negative > noise:
        raise ValueError(
            f"{path}: no more than {100 * noise:g}% of {'lambda' if alpha2F else 'F'} may be negative "
            f"(a denser grid of q, or Gaussian smearing, helps). Got {negative:.2%}."
        )
    return omega, positive * float(np.sum(values * weight) / np.sum(positive * weight))


def _halved(path: Path, omega: Array, values: Array, reported: float) -> Array:
    """A column of alpha2F, halved if the lambda reported in the file shows that it is twice alpha2F."""
    found = coupling_lambda(omega, values)
    for factor in (1.0, 0.5):
        if abs(factor * found - reported) < SAME * abs(reported):
            return factor * values
    raise ValueError(
        f"{path}: alpha2F, or half of its column, must have the lambda of the next column, {reported:.4g}. "
        f"Got {found:.4g}."
    )
