"""CaC6, Figs. 3b and 11: the paper's prediction, and its dependence on the N(0) of Table 1."""

import xarray as xr

from ..analysis import peak_gap
from .k3c60 import exists, resonant, steps
from .rows import ALL, BOTH, Cell, Row, listed, one, told


def spins(ds: xr.Dataset) -> Cell:
    """Peak gap with N(0) as given, halved, and with all modes."""
    peak = peak_gap(one(ds))
    texts = [f"{name}: {listed(peak.sel(material=name), 'F0', 'meV')}" for name in peak["material"].values]
    return told("; ".join(texts) + " (by F0)")


_HERE = "tau_esc 1 ps, pulse 0.3 ps"
ROWS = (
    Row(
        "A gap opens above Tc0 = 11 K under a pulse of 57 meV",
        ("CaC6_gap", "CaC6_prediction"),
        exists({"F0": 0.1}),
        "fig3_cac6",
        ALL,
        "as for K3C60",
        f"15, 20, 30 K, 0.1 mJ/cm2, {_HERE}",
    ),
    Row(
        "The same at a larger fluence",
        (),
        exists({"F0": 1}),
        "fig3_cac6",
        ALL,
        "as for K3C60",
        f"15, 20, 30 K, 1 mJ/cm2, {_HERE}",
    ),
    Row(
        "f has steps at multiples of omega_pump, 58 meV",
        ("CaC6_populations",),
        steps("CaC6"),
        "fig11_cac6",
        BOTH,
        "photons lift quasiparticles by omega_pump",
        f"15 K, 0.1 mJ/cm2, {_HERE}",
    ),
    Row(
        "n(omega) resonant with alpha2F",
        ("CaC6_populations", "phonon_structure"),
        resonant("CaC6-all-modes", "CaC6"),
        "fig11_cac6",
        BOTH,
        "F: 21 modes spread evenly, of which few couple",
        f"15 K, 0.1 mJ/cm2, {_HERE}",
    ),
    Row(
        "N(0) = 20.5 per eV and nm3 is that of a single spin",
        ("N0", "N0_single_spin"),
        spins,
        "cac6_spins",
        ("paper",),
        "band structures have 1.5 states per eV and formula unit for both spins; half of it doubles the effect of "
        "a fluence on each state",
        f"15 K, {_HERE}",
    ),
)
