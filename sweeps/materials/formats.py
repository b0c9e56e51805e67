"""Formats of spectra as written by other codes: the layout of their files and the unit of each.

Units are never guessed: they come from the format, from the file's header, from the omega_log that the file states,
or from the caller.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from ...core.pairing.allen_dynes import omega_log
from ...core.units import ENERGY
from .checks import SAME_LOG
from .columns import Table
from .contents import quoted
from .headers import omega_log_stated, unit_in, units_stated

Quantity = Literal["alpha2F", "F"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """File format of one quantity from one code.

    Args:
        name: Its name in a config.
        quantity: alpha2F, or the phonon density of states F.
        units: Unit of frequency; None if the header names it or the caller must.
        header: Pattern unique to this format's header; None for files without a recognisable header.
        filename: Pattern of the file's name, for a format without a header.
        footer: Pattern of the line that ends the numbers, which also identifies a file without a header.
        column: Default column of the quantity, counted from 1 after the frequency; None if there may be
            several (one per smearing), so that the caller must choose.
        units_in_header: Pattern whose first group is the unit.
        doubled: Pattern of a header that announces lambda, not alpha2F, in the second half of the columns.
        paired: Pattern of a header that announces a column of the running lambda after each column of alpha2F, used
            as a check: ABINIT's may be twice alpha2F.
        F_column: Column of the phonon density of states in the same file, counted as `column`.
        smearings: Whether the columns, or their first half, are smearings of one run.
        tolerant: Whether small interpolation noise of the code (negative values, rows below zero frequency) is
            dropped.
    """

    name: str
    quantity: Quantity = "alpha2F"
    units: str | None = None
    header: str | None = None
    filename: str | None = None
    footer: str | None = None
    column: int | None = 1
    units_in_header: str | None = None
    doubled: str | None = None
    paired: str | None = None
    F_column: int | None = None
    smearings: bool = False
    tolerant: bool = True


FORMATS: Final = {
    f.name: f
    for f in (
        # Columns of any program: omega, alpha2F and, in a third column, F.
        Format(name="columns", tolerant=False),
        # Quantum ESPRESSO, matdyn.x: a2F.dos1 ... (total, then modes), with a last line "lambda = ...".
        Format(
            name="qe",
            units="Ry",
            header=r"Eliashberg function a2F",
            footer=r"^\s*lambda\s*=",
            filename=r"a2F\.dos",
        ),
        # Quantum ESPRESSO, lambda.x: alpha2F.dat, one column per electronic smearing.
        Format(name="qe-lambda", units="THz", header=r"^\s*#\s*E\s*\(THz\)", column=None),
        # Quantum ESPRESSO, alpha2f.x: prefix.a2F.dat, alpha2F, F and the share of each atom in F.
        Format(name="qe-alpha2f", units="Ry", header=r"Frequency\[Ry\],\s*a2F", F_column=2),
        # Quantum ESPRESSO, matdyn.x: fldos.
        Format(name="qe-phdos", quantity="F", units="cm-1", header=r"Frequency\[cm\^-1\]\s+DOS"),
        # EPW: prefix.a2f (`eliashberg`), alpha2F for each phonon smearing, then lambda for each; EPW itself uses
        # the first. prefix.a2f.01.0.075 (`a2f`) has neither a header nor lambda.
        Format(
            name="epw",
            units="meV",
            header=r"w\[meV\]\s+a2f",
            footer=r"^\s*(Integrated el-ph|lambda_int)",
            doubled=r"integrated 2\*a2f/w",
            smearings=True,
        ),
        Format(
            name="epw-phdos",
            quantity="F",
            units="meV",
            header=r"w\[meV\]\s+phdos\[states/meV\]",
            filename=r".+\.phdos(\.\d\d(\.[\d.]+)?)?",
            smearings=True,
        ),
        # ABINIT: _A2F (anaddb's elphon) and _A2FW (the eph driver), both in Ha. The second is the sum over modes of
        # lambda omega delta, twice alpha2F, at least in 9.6.
        Format(
            name="abinit",
            units="Ha",
            header=r"ABINIT package\s*:\s*a2F(\(w\))? file",
            paired=r"Frequency, a2F(_tot)?\(w\), lambda",
        ),
        Format(
            name="abinit-phdos",
            quantity="F",
            units="Ha",
            header=r"Phonon density of states and atom type projected",
            units_in_header=r"Energy in\s+(\w+)\s*,",
        ),
        # phonopy: total_dos.dat, in THz unless phonopy was given another factor.
        Format(name="phonopy-dos", quantity="F", units="THz", filename=r"(.+[-_.])?total_dos(\.dat)?"),
        # Elk (and exciting): two columns without any text.
        Format(name="elk", units="Ha", filename=r"ALPHA2F.*\.OUT"),
        Format(name="elk-phdos", quantity="F", units="Ha", filename=r"PHDOS.*\.OUT"),
        # IsoME: one column per smearing, with the unit somewhere in the header. IsoME reads alpha2F from other
        # codes; the layout is that of the files published with it.
        Format(name="isome", units_in_header=r"\b(meV|eV|THz|Ry|Ha)\b", column=None),
    )
}

# EPW: prefix.a2f_tr, prefix.a2f_tr.01.0.075, with the columns and last lines of alpha2F. ABINIT's anaddb: _A2F_TR,
# the difference of _A2F_TRIN and _A2F_TROUT.
_TRANSPORT_NAME: Final = r"[._]a2f_tr(in|out)?(?![a-z])"
_TRANSPORT_HEADER: Final = r"ABINIT package\s*:\s*a2f_tr(in|out)? file"


def refuse_transport(path: Path, text: str) -> None:
    """Raise for the spectral function of transport, whose file looks like that of alpha2F."""
    if re.search(_TRANSPORT_NAME, path.name, re.IGNORECASE) or re.search(
        _TRANSPORT_HEADER, _head(text), re.IGNORECASE
    ):
        raise ValueError(
            f"{path}: the spectrum must be alpha2F, not that of transport (alpha2F_tr), which weights each "
            f"scattering event by the change of velocity and has a different lambda. Use the code's other file, "
            f"`prefix.a2f` (EPW) or `_A2F` (ABINIT); a file of alpha2F itself needs another name."
        )


def _head(text: str) -> str:
    return "\n".join(text.splitlines()[:20])


def detect(path: Path, text: str, quantity: Quantity) -> Format:
    """Format of a file, from its header, its footer or else its name; plain columns if none is recognised."""
    head = _head(text)
    candidates = [f for f in FORMATS.values() if f.quantity == quantity]
    for f in candidates:
        if f.header is not None and re.search(f.header, head, re.IGNORECASE | re.MULTILINE):
            return f
    for f in candidates:
        if f.footer is not None and re.search(f.footer, text, re.MULTILINE):
            return f
    for f in candidates:
        if f.filename is not None and re.fullmatch(f.filename, path.name):
            return f
    return FORMATS["columns"]


def check_quantity(path: Path, text: str) -> None:
    """Raise for a phonon density of states given as alpha2F."""
    named = detect(path, text, "alpha2F").name != "columns"
    found = detect(path, text, "F")
    if not named and found.name != "columns":
        raise ValueError(
            f"{path}: the spectrum must be alpha2F; give this file as `F_file` next to one of alpha2F. Got a "
            f"phonon density of states (format {found.name!r})."
        )


def check_footer(path: Path, text: str, format: Format) -> None:
    """Raise if a file lacks the last lines of its format."""
    if format.footer is not None and not re.search(format.footer, text, re.MULTILINE):
        raise ValueError(
            f"{path}: a file in the format {format.name!r} must end with its lambda (is the file cut off?); set "
            f"`format` to columns if the line was removed. Got no such line."
        )


def units_of(path: Path, table: Table, format: Format, declared: str | None) -> str:
    """Unit of the frequencies: the format's, the header's, or the declared one; raises if they disagree."""
    declared = None if declared is None else _spelled(path, declared)
    stated = units_stated(table.header)
    own = unit_in(f"omega ({unit})") if (unit := unit_in(table.names[0]) if table.names else None) else None
    stated = {own: table.names[0]} if own else stated
    fixed = format.units
    if format.units_in_header is not None:
        found = re.search(format.units_in_header, table.header)
        fixed = found.group(1) if found else fixed
    if fixed is not None:
        if declared not in (None, fixed):
            raise ValueError(
                f"{path}: `units` must be {fixed} in the format {format.name!r}; leave it out, or set `format` to "
                f"columns if the file was converted. Got {declared!r}."
            )
        if stated and fixed not in stated:
            unit, words = next(iter(stated.items()))
            raise ValueError(
                f"{path}: the header must state {fixed}, the unit of the format {format.name!r}; set `format` "
                f"to columns if the file was converted. Got {unit}, in {quoted(words)}."
            )
        return fixed
    if declared is not None:
        if stated and declared not in stated:
            unit, words = next(iter(stated.items()))
            raise ValueError(
                f"{path}: `units` must agree with the header, {quoted(words)}; leave it out, or correct the "
                f"header. Got {declared!r}, and {unit} in the header."
            )
        return declared
    known = [unit for unit in stated if unit in ENERGY]
    if len(known) == 1 == len(stated):
        return known[0]
    if stated and not known:
        raise ValueError(
            f"{path}: the unit of frequency must be one of {', '.join(ENERGY)}; convert the column. Got "
            f"{next(iter(stated))}."
        )
    if known:
        raise ValueError(
            f"{path}: `units` must select one of {', '.join(known)}, which the header states. Got None."
        )
    inferred = _from_omega_log(table)
    if inferred is not None:
        return inferred
    raise ValueError(
        f"{path}: `units` must be one of {', '.join(ENERGY)}: files in the format {format.name!r} do not state "
        f"them. Got None."
    )


def _spelled(path: Path, unit: str) -> str:
    """A declared unit in the spelling of `ENERGY`: `cm^-1` is `cm-1`."""
    known = unit if unit in ENERGY else unit_in(f"units: {unit}")
    if known not in ENERGY:
        raise ValueError(f"{path}: `units` must be one of {', '.join(ENERGY)}. Got {quoted(unit)}.")
    return known


def _from_omega_log(table: Table) -> str | None:
    """The unit with which the frequencies have the omega_log that the file states."""
    stated = omega_log_stated(f"{table.header}\n{table.footer}")
    omega, values = table.numbers[:, 0], table.numbers[:, 1]
    if (
        stated is None
        or stated[1] not in ENERGY
        or not (values[omega > 0] > 0).any()
        or not np.isfinite(values).all()
    ):
        return None
    keep = omega > 0
    found = omega_log(omega[keep], np.maximum(values[keep], 0.0))
    ratios = {u: found * ENERGY[u] / (stated[0] * ENERGY[stated[1]]) for u in ENERGY}
    near = [u for u, ratio in ratios.items() if abs(ratio - 1.0) < SAME_LOG / 2]
    return near[0] if len(near) == 1 else None
