"""The paper's statements by subject, each with the question to a cube that tests it."""

import xarray as xr

from ..analysis import peak_gap
from . import cac6, deciding, equilibrium, k3c60, lah10, optics, pb
from .k3c60 import exists
from .rows import ANY, OPEN, Ask, Cell, Row, judged


def pair_breaking(ds: xr.Dataset) -> Cell:
    """Whether the gap that exists without pair breaking by photons also exists with it."""
    peak = peak_gap(ds).squeeze().sel(damping="full", stimulated_emission=False)
    without, both = (peak.sel(pump_channels=c) for c in ("scattering", "scattering+pair-breaking"))
    a, b = int((without > OPEN).sum()), int((both > OPEN).sum())
    known = [int(part.notnull().sum()) for part in (without, both)]
    return judged(2 * b > a, f"a gap at {a} of {known[0]} points without it, at {b} of {known[1]} with")


def reading(coherence: str, energy_match: str) -> Ask:
    """Question: the gap by fluence under one reading of the text."""
    return exists({"coherence": coherence, "energy_match": energy_match}, compared=False)


_HERE = "K3C60 at 30 K, by F0, tau_esc 1 ps, pulse 0.3 ps"
MODEL_ROWS = (
    Row("Pair breaking by the photon matters only in the first few fs and may be left out", ("no_pair_breaking",),
        pair_breaking, "phase_assumptions", ANY, "it fills the states at the gap edge, see below"),
    Row("Coherence factors averaged over branches, the model of this page", ("normal_limit",),
        reading("averaged", "absorbed"), "paper_variants", ANY, "as in the rows on K3C60", _HERE),
    Row("Coherence factors of u and v at E~, as printed (our reading: one branch, the misprint of M2 corrected)",
        ("coherence_factors",), reading("printed", "absorbed"), "paper_variants", ANY,
        "without recombination nothing closes the gap: unphysical, and not the normal-metal limit of the text",
        _HERE),
    Row("Gamma_pump by matching absorbed to deposited energy, deposited: the energy that quasiparticles hold "
        "(our reading)",
        ("pump", "absorbed_energy"), reading("averaged", "retained"), "paper_variants", ANY,
        "phonons take most of it within the pulse: ten times as much must be absorbed. "
        "Points fail where no Gamma does so",
        _HERE),
)  # fmt: skip

GROUPS: dict[str, tuple[Row, ...]] = {
    "Equilibrium": equilibrium.ROWS,
    "Penetration depths": optics.ROWS,
    "Lead": pb.ROWS,
    "LaH10": lah10.ROWS,
    "K3C60": k3c60.ROWS,
    "CaC6": cac6.ROWS,
    "The model's assumptions": MODEL_ROWS,
    "Sweeps that decide": deciding.ROWS,
}
"""Rows of the table by their headings."""
STATEMENTS: tuple[Row, ...] = tuple(row for rows in GROUPS.values() for row in rows)
"""Every row."""
