"""Penetration depths: numbers of the paper that need no sweep."""

from collections.abc import Callable

import xarray as xr

from ...core.optics.film import penetration_depth, refractive_index
from ..files import ANYWHERE
from ..model import MODEL
from .rows import Cell, Row, judged


def _depth(material: str, omega: float) -> float:
    film = MODEL.load_material(material, ANYWHERE)
    index = refractive_index(1 / film.rho_N, omega, film.eps_infinity)
    return float(penetration_depth(index, omega))


def depth(material: str, omega: float, paper: float, tolerance: float) -> Callable[[xr.Dataset], Cell]:
    """Question: the depth in the normal state, against the paper's within a relative tolerance."""

    def ask(_: xr.Dataset) -> Cell:
        found = _depth(material, omega)
        return judged(abs(found / paper - 1) <= tolerance, f"{found:.1f} nm")

    return ask


def apart(_: xr.Dataset) -> Cell:
    """The depths of LaH10 at 1.5 and 2 eV."""
    found = _depth("LaH10", 1500.0) - _depth("LaH10", 2000.0)
    return judged(abs(found - 3.0) < 0.5, f"{found:.1f} nm")


_WHY = "rho_N of Table 1 alone"
ROWS = (
    # "Approximately" 20, 3 and 200: numbers of one digit.
    Row(
        "LaH10: penetration depth at 2 eV, approximately 20 nm", depth("LaH10", 2000.0, 20.0, 0.25), "", ("",), _WHY
    ),
    Row("LaH10: pump and probe reach approximately 3 nm apart", apart, "", ("",), _WHY),
    Row(
        "K3C60: penetration depth at 170 meV, approximately 200 nm",
        depth("K3C60", 170.0, 200.0, 0.25),
        "",
        ("",),
        _WHY,
    ),
)
