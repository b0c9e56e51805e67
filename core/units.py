"""Units: the form that UDUNITS and pint read, the printed form, and the factors between units of one kind.

Uses the standard library alone, so that every front end can import it.
"""

import re
from collections.abc import Callable
from typing import Final

ENERGY: Final = {
    "meV": 1.0,
    "THz": 4.135667696923859,
    "cm-1": 0.12398419843320026,
    "Ry": 13605.693122994,
    "Ha": 27211.386245988,
    "eV": 1000.0,
    "K": 0.08617333262145179,
    "2piTHz": 0.6582119569509066,
    "GHz": 4.135667696923859e-3,
    "mRy": 13.605693122994,
    "mHa": 27.211386245988,
}
"""Energy in meV of one unit of phonon frequency. THz is an ordinary frequency; 2piTHz is the angular frequency in
rad/ps, as VASP prints it."""

SCALES: Final[dict[str, dict[str, float]]] = {
    "meV": {"meV": 1.0, "eV": 1e3},
    "ps": {"ps": 1.0, "fs": 1e-3, "ns": 1e3},
    "K": {"K": 1.0, "mK": 1e-3},
    "mJ cm^-2": {
        "mJ/cm2": 1.0, "mJ/cm^2": 1.0, "mJ cm^-2": 1.0, "mJ cm-2": 1.0,
        "uJ/cm2": 1e-3, "uJ/cm^2": 1e-3, "uJ cm^-2": 1e-3, "uJ cm-2": 1e-3, "J/m2": 0.1,
    },
    "nm": {"nm": 1.0, "um": 1e3},
    "1": {"1": 1.0, "%": 1e-2},
}  # fmt: skip
"""Units that a user may write for a quantity of a CF unit, and the factor to that unit."""

_SIGNS = {"ohm": "Ω"}
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def powered(unit: str) -> str:
    """A unit with `^` before each power, which UDUNITS (CF) and pint both read: `mJ cm-2` is `mJ cm^-2`.

    Cubes of older versions have `mJ cm-2`, which UDUNITS reads and pint does not.
    """
    return re.sub(r"(?<=[A-Za-z)])(?=-\d)", "^", unit)


def typed(unit: str) -> str:
    """A CF unit in plain text: `mJ cm^-2` or `mJ cm-2` is `mJ/cm^2`; empty for a number."""
    return _fraction(unit, lambda name, power: name + (f"^{power}" if power != "1" else ""))


def printed(unit: str) -> str:
    """A CF unit in printed form: `mJ cm^-2` or `mJ cm-2` is `mJ/cm²`; empty for a number."""
    return _fraction(
        unit, lambda name, power: _SIGNS.get(name, name) + (power.translate(_RAISED) if power != "1" else "")
    )


def _fraction(unit: str, factor: Callable[[str, str], str]) -> str:
    """Factors of positive and of negative powers; a unit that is not a product of powers is unchanged."""
    if unit in ("", "1"):
        return ""
    found = [re.fullmatch(r"([A-Za-z]+)\^?(-?)(\d*)", word) for word in unit.split()]
    above = [factor(m[1], m[3] or "1") for m in found if m and not m[2]]
    below = [factor(m[1], m[3] or "1") for m in found if m and m[2]]
    if len(above) + len(below) < len(found):
        return unit
    under = f"({' '.join(below)})" if len(below) > 1 else "".join(below)
    return (" ".join(above) or "1") + (f"/{under}" if under else "")
