"""Spectra to screen: the files of a folder, or the records of a database such as JARVIS's."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...core.spectra import Spectrum
from ..errors import ConfigError
from ..materials.containers import json_value, record_table
from ..materials.contents import as_text, contents, quoted
from ..materials.spectra import examine, examine_table

_OTHERS: Final = {".md", ".yaml", ".yml", ".py", ".ipynb", ".pdf", ".png", ".svg", ".log", ".in"}
"""Endings of files that accompany spectra."""
_NAMES: Final = ("jid", "id", "material_id", "name", "formula")
"""Keys of a record that name it, the first that is there."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A material to screen.

    Args:
        name: Its name in the table.
        spectrum: alpha2F and F.
        stated: lambda that the file states; None if it states none.
        N_ion: Atoms per volume, nm^-3, if the record has a crystal; None otherwise.
    """

    name: str
    spectrum: Spectrum
    stated: float | None
    N_ion: float | None = None


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A spectrum that was not screened, and why."""

    name: str
    reason: str


def candidates(source: Path, units: str | None = None) -> tuple[list[Candidate], list[LeftOut]]:
    """Materials of a folder of spectra or a database in JSON, sorted by name, and those left out.

    Args:
        source: Folder, or JSON file with one record per material.
        units: Unit of frequency, for files that state none.

    Raises:
        ConfigError: The source does not exist, holds nothing, or is no database.
    """
    if not source.exists():
        raise ConfigError(f"SOURCE must be a folder of spectra or a JSON file of records. Got {str(source)!r}.")
    found, left = _of_folder(source, units) if source.is_dir() else _of_database(source, units)
    if not found and not left:
        raise ConfigError(f"SOURCE must hold spectra. Got {str(source)!r}, which holds none.")
    return sorted(found, key=lambda c: c.name), sorted(left, key=lambda c: c.name)


def _of_folder(folder: Path, units: str | None) -> tuple[list[Candidate], list[LeftOut]]:
    found: dict[str, Candidate] = {}
    left: list[LeftOut] = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() or path.name.startswith(".") or path.suffix.lower() in _OTHERS:
            continue
        name = path.stem if path.stem not in found else path.name
        try:
            reading = examine(path, units=units)
        except (ValueError, OSError) as error:
            left.append(LeftOut(name=path.name, reason=_reason(error, str(path))))
        else:
            found[name] = Candidate(name=name, spectrum=reading.spectrum, stated=reading.stated)
    return list(found.values()), left


def _of_database(path: Path, units: str | None) -> tuple[list[Candidate], list[LeftOut]]:
    try:
        tree = json_value(path, as_text(path, contents_of(path)))
    except ValueError as error:
        raise ConfigError(str(error)) from error
    found: dict[str, Candidate] = {}
    left: list[LeftOut] = []
    for number, (key, record) in enumerate(_records(path, tree)):
        name = str(next((record[k] for k in _NAMES if record.get(k)), key or f"record {number}"))
        if name in found:
            name = f"{name} ({number})"
        try:
            reading = examine_table(Path(name), record_table(Path(name), record), units)
        except ValueError as error:
            left.append(LeftOut(name=name, reason=_reason(error, str(Path(name)))))
        else:
            found[name] = Candidate(
                name=name, spectrum=reading.spectrum, stated=reading.stated, N_ion=_density(record.get("atoms"))
            )
    return list(found.values()), left


def contents_of(path: Path) -> bytes:
    """Bytes of a file at any path, decompressed."""
    from ..files import ANYWHERE

    return contents(ANYWHERE, path)


def _records(path: Path, tree: Any) -> list[tuple[str, dict[str, Any]]]:
    """Records of a database, each with its key: a list, or a mapping from names to records."""
    if isinstance(tree, dict) and isinstance(tree.get("data"), list):
        tree = tree["data"]
    pairs = (
        list(tree.items()) if isinstance(tree, dict) else [("", r) for r in tree] if isinstance(tree, list) else []
    )
    records = [(str(k), r) for k, r in pairs if isinstance(r, dict)]
    if not records:
        raise ConfigError(
            f"{path}: a database must be a list of records, or a mapping to records. Got {quoted(tree)}."
        )
    return records


def _density(atoms: Any) -> float | None:
    """Atoms per nm^3 of a crystal in JARVIS's form, with a lattice in Angstrom; None if it is incomplete."""
    try:
        volume = abs(float(np.linalg.det(np.array(atoms["lattice_mat"], dtype=np.float64))))
        density = 1000.0 * len(atoms["elements"]) / volume
    except (TypeError, KeyError, ValueError, ZeroDivisionError, np.linalg.LinAlgError):
        return None
    return density if 0 < density < math.inf else None


def _reason(error: Exception, name: str) -> str:
    """Message without the name of the spectrum, which stands next to it."""
    return re.sub(rf"^{re.escape(name)}(, |: )", "", str(error))
