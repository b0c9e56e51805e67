"""Formats of spectra as written by other codes: the layout of their files and the unit of each.

Units are never guessed: they come from the format, from the file's header, or from the caller.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

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
        # Quantum ESPRESSO, matdyn.x: fldos.
        Format(name="qe-phdos", quantity="F", units="cm-1", header=r"Frequency\[cm\^-1\]"),
        # EPW: prefix.a2f (`eliashberg`), alpha2F for each phonon smearing, then lambda for each; EPW itself uses
        # the first. prefix.a2f.01.0.075 (`a2f`) has neither a header nor lambda.
        Format(
            name="epw",
            units="meV",
            header=r"w\[meV\]\s+a2f",
            footer=r"^\s*(Integrated el-ph|lambda_int)",
            doubled=r"integrated 2\*a2f/w",
        ),
        Format(
            name="epw-phdos",
            quantity="F",
            units="meV",
            header=r"w\[meV\]\s+phdos\[states/meV\]",
            filename=r".+\.phdos\.\d\d(\.[\d.]+)?",
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


@dataclass(frozen=True, kw_only=True)
class Table:
    """Numbers of a file and their positions.

    Args:
        header: Lines before the first number.
        rows: One tuple of numbers per row, all of the same length.
        lines: Line number in the file of each row, from 1.
    """

    header: str
    rows: tuple[tuple[float, ...], ...]
    lines: tuple[int, ...]


def refuse_transport(path: Path, text: str) -> None:
    """Raise for the spectral function of transport, whose file looks like that of alpha2F."""
    if re.search(_TRANSPORT_NAME, path.name, re.IGNORECASE) or re.search(
        _TRANSPORT_HEADER, _head(text), re.IGNORECASE
    ):
        raise ValueError(
            f"{path}: the spectrum must be alpha2F, not that of transport (alpha2F_tr), which weights each "
            f"scattering event by the change of velocity and has a different lambda. Use the code's other file, "
            f"`prefix.a2f` "
            "(EPW) or `_A2F` (ABINIT); a file of alpha2F itself needs another name."
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


def parse(path: Path, text: str, format: Format) -> Table:
    """Numbers of a file.

    Raises:
        ValueError: A line that is neither numbers nor a comment, a row of another length, or no numbers.
    """
    header: list[str] = []
    rows: list[tuple[float, ...]] = []
    lines: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if rows and format.footer is not None and re.search(format.footer, line):
            break
        if not line.strip() or line.lstrip().startswith(("#", "!", "%")):
            header += [line] if not rows else []
            continue
        try:
            row = tuple(_number(word) for word in line.replace(",", " ").split())
        except ValueError as error:
            # Some codes do not mark their header as a comment.
            if not rows and format.name != "columns":
                header.append(line)
                continue
            raise ValueError(
                f"{path}, line {number}: a row must contain numbers only. Got {line.strip()!r}."
            ) from error
        if rows and len(row) != len(rows[0]):
            raise ValueError(
                f"{path}, line {number}: a row must have {len(rows[0])} numbers (as the first). Got {len(row)}."
            )
        rows.append(row)
        lines.append(number)
    if not rows or len(rows[0]) < 2:
        found = len(rows[0]) if rows else 0
        raise ValueError(f"{path}: a spectrum must have at least two columns of numbers. Got {found}.")
    return Table(header="\n".join(header), rows=tuple(rows), lines=tuple(lines))


def units_of(path: Path, table: Table, format: Format, declared: str | None) -> str:
    """Unit of the frequencies: the format's, the header's, or the declared one; raises if they disagree."""
    stated = format.units
    if format.units_in_header is not None:
        found = re.search(format.units_in_header, table.header)
        stated = found.group(1) if found else stated
    if stated is None and declared is None:
        raise ValueError(
            f"{path}: `units` must be one of meV, THz, cm-1, Ry, Ha: files in the format {format.name!r} do "
            "not state them. Got None."
        )
    if stated is not None and declared not in (None, stated):
        raise ValueError(
            f"{path}: `units` must be {stated} in the format {format.name!r}; leave it out, or set `format` to "
            f"columns if the file was converted. Got {declared!r}."
        )
    return stated if stated is not None else str(declared)


def _number(word: str) -> float:
    """A number as printed by Fortran: 1.0D-3, or 0.1-100 if a long exponent has displaced its letter."""
    word = re.sub(r"(?<=[\d.])([+-]\d{3})$", r"E\1", word)
    return float(word.replace("D", "E").replace("d", "e"))
