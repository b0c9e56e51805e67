"""Spectra from files."""

from pathlib import Path

import numpy as np

from ..core.spectra import Spectrum


def read(
    path: Path,
    *,
    format: str | None = None,
    units: str | None = None,
    column: int | None = None,
    F_path: Path | None = None,
    F_format: str | None = None,
    F_units: str | None = None,
) -> Spectrum:
    """Spectrum from a file of plain columns."""
    table = np.loadtxt(path, ndmin=2)
    if units is None:
        raise ValueError(f"`units` of {path} must be declared. Got None.")
    return Spectrum.from_columns(table[:, 0], table[:, 1], units=units)
