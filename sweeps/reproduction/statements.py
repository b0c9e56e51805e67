"""The paper's statements by what they are about, each with the question to a cube that tests it."""

import xarray as xr

from ..analysis import peak_gap
from . import cac6, equilibrium, k3c60, lah10, optics, pb
from .rows import ANY, OPEN, Cell, Row, judged


def pair_breaking(ds: xr.Dataset) -> Cell:
    """Whether the gap is there with pair breaking by the photon where it is without."""
    peak = peak_gap(ds).squeeze().sel(damping="full", stimulated_emission=False)
    without, both = (peak.sel(pump_channels=c) for c in ("scattering", "scattering+pair-breaking"))
    a, b = int((without > OPEN).sum()), int((both > OPEN).sum())
    known = [int(part.notnull().sum()) for part in (without, both)]
    return judged(2 * b > a, f"a gap at {a} of {known[0]} points without it, at {b} of {known[1]} with")


MODEL_ROWS = (
    Row("Pair breaking by the photon matters only in the first few fs and may be left out", ("no_pair_breaking",),
        pair_breaking, "phase_assumptions", ANY, "it fills the states at the gap's edge, see below"),
)  # fmt: skip

GROUPS: dict[str, tuple[Row, ...]] = {
    "Equilibrium": equilibrium.ROWS,
    "Penetration depths": optics.ROWS,
    "Lead": pb.ROWS,
    "LaH10": lah10.ROWS,
    "K3C60": k3c60.ROWS,
    "CaC6": cac6.ROWS,
    "The model's assumptions": MODEL_ROWS,
}
"""Rows of the table by their headings."""
STATEMENTS: tuple[Row, ...] = tuple(row for rows in GROUPS.values() for row in rows)
"""Every row."""
