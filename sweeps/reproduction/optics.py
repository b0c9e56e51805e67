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


_WHY = "rho_N of Table 1 alone, a good conductor"
ROWS = (
    Row("LaH10: penetration depth at 2 eV, 19.8 nm", depth("LaH10", 2000.0, 19.8, 0.01), "", ("",), _WHY),
    Row("LaH10: penetration depth at 1.5 eV, 22.9 nm", depth("LaH10", 1500.0, 22.9, 0.01), "", ("",), _WHY),
    Row("LaH10: pump and probe reach 3 nm apart", apart, "", ("",), _WHY),
    # "About 200": a number of one digit.
    Row("K3C60: penetration depth at 170 meV, about 200 nm", depth("K3C60", 170.0, 200.0, 0.25), "", ("",), _WHY),
)
