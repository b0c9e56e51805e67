"""Refractive indices of substrates and covers: a number, a built-in medium, or a user's file.

A table is CSV with three named columns, lines that start with # left out:

    energy_meV,n,k          # or energy_eV, wavelength_um, wavelength_nm, frequency_THz, wavenumber_cm-1
    4.0,3.07,0.002
    5.0,3.08,0.003

A file in YAML may hold several tables and formulas; those in `core/data/media` are examples.
"""

import csv
import dataclasses
import functools
import math
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...core.declaration import nearest, not_among
from ...core.optics.indices import Index, Medium, SellmeierIndex, TabulatedIndex, photon_energy
from ..files import ANYWHERE, Files
from ..text import load_yaml

_COLUMNS = {
    "energy_meV": "meV",
    "energy_eV": "eV",
    "wavelength_um": "um",
    "wavelength_nm": "nm",
    "frequency_THz": "THz",
    "wavenumber_cm-1": "cm-1",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SellmeierSpec(_Strict):
    """Strengths and resonances (micrometres) of n^2 = 1 + sum B w^2 / (w^2 - C^2)."""

    B: tuple[float, ...]
    C: tuple[float, ...]


class PartSpec(_Strict):
    """Data on a medium from one source."""

    source: str
    units: str
    range: tuple[float, float] | None = None
    n: float | None = Field(default=None, gt=0)
    sellmeier: SellmeierSpec | None = None
    rows: list[tuple[float, float, float]] = []

    @model_validator(mode="after")
    def _one_form(self) -> "PartSpec":
        if (self.n is not None) + (self.sellmeier is not None) + bool(self.rows) != 1:
            raise ValueError("give one of `n`, `sellmeier` and `rows`")
        if bool(self.rows) == (self.range is not None):
            raise ValueError("give a `range` with `n` or `sellmeier`, but not with `rows`")
        return self

    def build(self) -> TabulatedIndex | SellmeierIndex:
        """The index itself."""
        if self.range is None:
            return _table(self.rows, self.units)
        low, high = sorted(photon_energy(value, self.units) for value in self.range)
        if self.sellmeier is None:
            assert self.n is not None
            return SellmeierIndex(low=low, high=high, A=self.n**2)
        return SellmeierIndex(low=low, high=high, B=self.sellmeier.B, C_um=self.sellmeier.C)


class MediumSpec(_Strict):
    """A medium's file, checked."""

    name: str = Field(min_length=1)
    description: str = ""
    parts: list[PartSpec] = Field(min_length=1)

    def build(self) -> Medium:
        """The medium in the solver's units."""
        return Medium(name=self.name, parts=tuple(part.build() for part in self.parts))


def names() -> list[str]:
    """Names of the built-in media, sorted."""
    return sorted(_packaged())


def describe(name: str) -> MediumSpec:
    """A built-in medium with the source and range of each part."""
    if name not in _packaged():
        raise ValueError(f"a medium {not_among(name, names())}")
    return _packaged()[name]


def is_file(given: object) -> bool:
    """True if this is a file rather than a medium or a number."""
    return isinstance(given, str) and ("/" in given or Path(given).suffix in (".csv", ".yaml", ".yml"))


def load(given: object, files: Files = ANYWHERE) -> Index:
    """Index from a number, the name of a medium, or a file.

    Raises:
        ValueError: The text is none of these, or the file breaks a rule; the message names it.
        FileNotFoundError: The file does not exist.
    """
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    if is_file(given):
        return _read(files.at(str(given)), files)
    if given in _packaged():
        return _packaged()[str(given)].build()
    try:
        number = complex(str(given).replace(" ", ""))
        return number if number.imag else number.real
    except ValueError:
        raise ValueError(
            f"must be a number such as 1.5 or 3.4+0.1j, one of {', '.join(names())}, or a .csv file."
            f"{nearest(given, names())} Got {given!r}."
        ) from None


def label(given: object) -> str | float:
    """Label in a cube for an argument of `load`: a number, a medium's name, or a file name without its folder."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    return Path(str(given)).stem if is_file(given) else str(given)


def dump(index: Index) -> Any:
    """Index as JSON."""
    if isinstance(index, Medium):
        return dataclasses.asdict(index)
    return [complex(index).real, complex(index).imag]


def restore(tree: Any) -> Index:
    """Index from the output of `dump`."""
    if isinstance(tree, list):
        return complex(*tree) if tree[1] else float(tree[0])
    parts: list[dict[str, Any]] = [
        {k: tuple(v) if isinstance(v, list) else v for k, v in part.items()} for part in tree["parts"]
    ]
    return Medium(
        name=tree["name"],
        parts=tuple(TabulatedIndex(**part) if "omega" in part else SellmeierIndex(**part) for part in parts),
    )


@functools.cache
def _packaged() -> dict[str, MediumSpec]:
    files = (f for f in resources.files("photogap.core.data.media").iterdir() if f.name.endswith(".yaml"))
    specs = [MediumSpec.model_validate(load_yaml(f.read_text(encoding="utf-8"), "a medium")) for f in files]
    return {spec.name: spec for spec in specs}


def _read(path: Path, files: Files) -> Medium:
    text = files.text(path, what="file of a refractive index", encoding="utf-8-sig", errors="replace")
    try:
        if path.suffix == ".csv":
            return Medium(name=path.stem, parts=(_parse(text),))
        return MediumSpec.model_validate(load_yaml(text, "a medium")).build()
    except ValidationError as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _parse(text: str) -> TabulatedIndex:
    """Table in a CSV text."""
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    cells = [[cell.strip() for cell in row] for row in csv.reader(line for _, line in lines)]
    header = cells[0] if cells else []
    first = [name for name in header if name in _COLUMNS]
    if len(first) != 1 or sorted(header) != sorted([*first, "n", "k"]):
        raise ValueError(
            f"columns must be n, k and one of {', '.join(_COLUMNS)}, named in the first line. "
            f"Got {', '.join(header)!r}."
        )
    rows: list[tuple[float, float, float]] = []
    for (number, line), found in zip(lines[1:], cells[1:], strict=True):
        try:
            row = dict(zip(header, map(float, found), strict=True))
        except ValueError:
            raise ValueError(f"line {number}: must contain three numbers. Got {line.strip()!r}.") from None
        if not all(map(math.isfinite, row.values())):
            raise ValueError(
                f"line {number}: numbers must be finite; fill the gap or drop the row. Got {line.strip()!r}."
            )
        if row["k"] < 0:
            raise ValueError(f"line {number}: `k` must be zero or positive: a medium absorbs. Got {row['k']:.6g}.")
        if rows and row[first[0]] <= rows[-1][0]:
            raise ValueError(
                f"line {number}: `{first[0]}` must increase; sort the rows. "
                f"Got {row[first[0]]:.6g} after {rows[-1][0]:.6g}."
            )
        rows.append((row[first[0]], row["n"], row["k"]))
    return _table(rows, _COLUMNS[first[0]])


def _table(rows: list[tuple[float, float, float]], units: str) -> TabulatedIndex:
    """Table of rows (value in `units`, n, k), increasing in that value."""
    found = [(photon_energy(value, units), n, k) for value, n, k in rows]
    if len(found) > 1 and found[0][0] > found[-1][0]:
        found.reverse()
    omega, n, k = zip(*found, strict=True) if found else ((), (), ())
    return TabulatedIndex(omega=omega, n=n, k=k)
