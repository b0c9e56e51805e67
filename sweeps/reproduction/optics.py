"""Penetration depths: in equilibrium, without a sweep, and of a probe during and after the pulse."""

import xarray as xr

from ..figures.depth import pump_depth
from ..materials.library import load
from .paper import value
from .rows import ANY, Ask, Cell, Row, judged, one

NANOMETRE_TENS = (20.0, 100.0)
"""`Several tens of nm`, nm."""
FEW_ANGSTROM = 0.5
"""`A few angstroms`, nm."""
HUNDRED = (50.0, 200.0)
"""`Of the order of 100 nm`, nm."""


def depth(material: str, omega: float, paper: float, tolerance: float) -> Ask:
    """Question: the depth in the normal state, against the paper's within a relative tolerance."""

    def ask(_: xr.Dataset) -> Cell:
        found = pump_depth(load(material), omega)
        return judged(abs(found / paper - 1) <= tolerance, f"{found:.1f} nm")

    return ask


def apart(_: xr.Dataset) -> Cell:
    """The depths of LaH10 at 1.5 and 2 eV."""
    found = pump_depth(load("LaH10"), 1500.0) - pump_depth(load("LaH10"), 2000.0)
    return judged(abs(found - value("LaH10_depths", "apart")) < 0.5, f"{found:.1f} nm")


def moves_little(ds: xr.Dataset) -> Cell:
    """Largest change of the probe's penetration depth in LaH10."""
    found = float(_moves(one(ds)))
    return judged(found <= FEW_ANGSTROM, f"{10 * found:.2g} angstrom")


def far_apart(ds: xr.Dataset) -> Cell:
    """Depth of the 10 meV probe in K3C60, against the pump's and over time."""
    part = one(ds)
    probe, moved = part["penetration_depth"], float(_moves(part))
    away = float(probe[0]) - pump_depth(load("K3C60"), float(part["omega_pump"]))
    first, second = HUNDRED[0] <= abs(away) <= HUNDRED[1], NANOMETRE_TENS[0] <= moved <= NANOMETRE_TENS[1]
    text = f"the probe reaches {float(probe[0]):.0f} nm, {away:.0f} nm deeper than the pump"
    return judged(first and second, f"{text}; that moves by {moved:.2g} nm")


def _moves(part: xr.Dataset) -> xr.DataArray:
    depths = part["penetration_depth"]
    return abs(depths - depths[0]).max()


_WHY = "rho_N of Table 1 alone"
ROWS = (
    # "Approximately" 20, 3 and 200: numbers of one digit.
    Row(
        "LaH10: the pump at 2 eV reaches approximately 20 nm",
        ("LaH10_depths",),
        depth("LaH10", 2000.0, value("LaH10_depths", "depth at 2 eV"), 0.25),
        "",
        ANY,
        _WHY,
    ),
    Row("LaH10: pump and probe reach approximately 3 nm apart", ("LaH10_depths",), apart, "", ANY, _WHY),
    Row(
        "LaH10: that changes by at most a few angstroms at 6.2 mJ/cm2",
        ("LaH10_depth_change",),
        moves_little,
        "fig7a_lah10",
        ("paper",),
        "the probe's 1.5 eV, far above the gap: the film conducts as in the normal state",
    ),
    Row(
        "K3C60: the pump at 170 meV reaches approximately 200 nm",
        ("K3C60_depth",),
        depth("K3C60", 170.0, value("K3C60_depth", "depth"), 0.25),
        "",
        ANY,
        _WHY,
    ),
    Row(
        "K3C60: a probe of 10 meV reaches a depth of the order of 100 nm from the pump's, which changes by several "
        "tens of nm after the pulse",
        ("K3C60_depth_change",),
        far_apart,
        "fig7b_k3c60",
        ("paper", "undamped"),
        "rho_N of Table 1 at the probe, and the size of the gap",
        "30 K, 1 mJ/cm2, tau_esc 1 ps",
    ),
)
