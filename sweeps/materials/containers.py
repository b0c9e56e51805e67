"""Spectra in JSON and in netCDF, as tables of columns."""

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from .columns import Table
from .contents import quoted
from .headers import role

JARVIS: Final = {"a2F_original_x": "frequency", "a2F_original_y": "a2F"}
"""Keys of a JARVIS record and the columns that they hold."""
_SCALARS: Final = {
    "lamb": "lambda = {}",
    "lambda": "lambda = {}",
    "wlog": "omega_log = {} K",
    "omega_log_meV": "omega_log = {} meV",
}
"""Keys of numbers that describe a spectrum, and the words by which a header states them."""
NETCDF: Final = (b"CDF\x01", b"CDF\x02", b"CDF\x05", b"\x89HDF\r\n\x1a\n")


def json_value(path: Path, text: str) -> Any:
    """Content of a JSON text.

    Raises:
        ValueError: It is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: the file must be complete JSON, or columns of numbers. {quoted(error)}"
        ) from None


def json_table(path: Path, text: str) -> Table:
    """Spectrum of a JSON object whose lists are named like columns.

    Raises:
        ValueError: It is not JSON, or has no two lists of equal length with such names.
    """
    tree = json_value(path, text)
    if isinstance(tree, list) and tree and all(isinstance(row, dict) for row in tree):
        if any(isinstance(v, list) for row in tree for v in row.values()):
            raise ValueError(
                f"{path}: the file must hold one spectrum; use `photogap screen` for a database. Got "
                f"{len(tree)} records."
            )
        tree = {key: [row.get(key) for row in tree] for key in tree[0]}
    if isinstance(tree, list):
        tree = {"frequency": [row[0] for row in tree], "a2F": [row[1] for row in tree]} if _pairs(tree) else {}
    return record_table(path, tree if isinstance(tree, dict) else {})


def record_table(path: Path, record: dict[str, Any]) -> Table:
    """Spectrum of one mapping, such as a JARVIS record.

    Raises:
        ValueError: It has no two lists of equal length, named as frequency and alpha2F, or numbers are missing.
    """
    if set(JARVIS) <= record.keys():
        record = {k: v for k, v in record.items() if k in _SCALARS} | {JARVIS[k]: record[k] for k in JARVIS}
    lists = {
        k: v
        for k, v in record.items()
        if isinstance(v, list) and role(k) in ("frequency", "alpha2F", "F", "lambda")
    }
    names = sorted(lists, key=lambda k: role(k) != "frequency")
    roles = [role(n) for n in names]
    if roles.count("frequency") != 1 or roles.count("alpha2F") != 1 or len({len(lists[n]) for n in names}) != 1:
        raise ValueError(
            f"{path}: JSON must have one list of frequencies and one of alpha2F, of equal length, such as "
            f'{{"omega_meV": [...], "a2F": [...]}}. Got {quoted(sorted(map(str, record)))}.'
        )
    numbers = np.array(list(zip(*([_float(v) for v in lists[n]] for n in names), strict=True)), dtype=np.float64)
    numbers = numbers.reshape(-1, len(names))
    return Table(
        header="\n".join(_statements(record)),
        footer="",
        numbers=numbers,
        lines=tuple(range(1, len(numbers) + 1)),
        names=tuple(names),
    )


def _statements(record: dict[str, Any]) -> Iterator[str]:
    for key, words in _SCALARS.items():
        value = _float(record.get(key))
        if math.isfinite(value) and value > 0:
            yield words.format(value)
    for key in ("units", "unit", "frequency_unit"):
        if isinstance(record.get(key), str):
            yield f"units: {record[key]}"


def _float(value: Any) -> float:
    """A number, or NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def _pairs(tree: list[Any]) -> bool:
    return bool(tree) and all(isinstance(row, list) and len(row) == 2 for row in tree)


def netcdf_table(path: Path, data: bytes) -> Table:
    """Spectrum of ABINIT's _A2F.nc, interpolated in q if the file has that, else on the q-grid.

    Its a2f_values are those of `_A2FW`, once or twice alpha2F: the file's lambda at each q decides.

    Raises:
        ValueError: The file is another netCDF or HDF5 file, or the library for HDF5 is missing.
    """
    import xarray as xr

    kind = "HDF5 (or netCDF-4)" if data.startswith(NETCDF[-1]) else "netCDF"
    remedy = "write frequency and alpha2F as two columns of text"
    try:
        ds = xr.open_dataset(io.BytesIO(data), decode_cf=False)
    except Exception as error:
        need = (
            "" if kind == "netCDF" else "; ABINIT's _A2F.nc is read if h5netcdf is installed (pip install h5netcdf)"
        )
        raise ValueError(
            f"{path}: a spectrum must be a text file; {remedy}{need}. Got {kind}: {quoted(error)}"
        ) from None
    for grid in ("qintp", "qcoarse"):
        if {f"a2f_mesh_{grid}", f"a2f_values_{grid}"} <= set(ds.variables):
            return _abinit(path, ds, grid)
    raise ValueError(
        f"{path}: {kind} must be ABINIT's _A2F.nc; {remedy}. Got the variables "
        f"{quoted(sorted(map(str, ds.variables)))}."
    )


def _abinit(path: Path, ds: Any, grid: str) -> Table:
    values = np.asarray(ds[f"a2f_values_{grid}"].values, dtype=np.float64)
    # spin, (total, modes), frequency
    total = values.reshape(-1, *values.shape[-2:])[:, 0].sum(axis=0)
    mesh = np.asarray(ds[f"a2f_mesh_{grid}"].values, dtype=np.float64)
    if not {"phlambda_qibz", "wtq"} <= set(ds.variables):
        raise ValueError(
            f"{path}: the variables `phlambda_qibz` and `wtq` must be there, since some versions write twice "
            f"alpha2F; use the text file _A2FW instead. Got {quoted(sorted(map(str, ds.variables)))}."
        )
    by_q = np.asarray(ds["phlambda_qibz"].values, dtype=np.float64)
    coupling = float((by_q.reshape(-1, *by_q.shape[-2:]).sum(axis=(0, 2)) * ds["wtq"].values).sum())
    numbers = np.column_stack([mesh, total, np.full_like(mesh, coupling)])
    return Table(
        header="Frequency, a2F_tot(w), lambda", footer="", numbers=numbers, lines=tuple(range(1, len(mesh) + 1))
    )
