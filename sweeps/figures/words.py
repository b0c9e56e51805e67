"""Names, units and labels of quantities in print, from where each quantity is declared."""

import re
from typing import Any, Final

import numpy as np
import xarray as xr

from ...core.declaration import declarations
from ...core.quantities import AXES, DIMS
from ...core.result import OUTPUTS
from ...core.settings import Settings
from ...core.units import printed as in_print

_OF_FIGURES = {"peak_Delta0": r"Peak $\Delta_0$", "alpha2F": r"$\alpha^2F$"}
"""Symbols of quantities that are not in a cube."""
_VARIABLES = {v.name: v for outputs in OUTPUTS for v in outputs.variables}
_SYMBOLS = {
    **{name: found.symbol for name, found in {**declarations(Settings), **AXES, **DIMS}.items() if found.symbol},
    **{name: v.symbol for name, v in _VARIABLES.items() if v.symbol},
    **_OF_FIGURES,
}

_ELEMENT: Final = (
    "A[cglmrstu]|B[aeir]?|C[adelorsu]?|Dy|E[ru]|Fe?|G[ade]|H[efgo]?|I[nr]?|Kr?|L[aiu]|M[gno]|N[abdeip]?|Os?|"
    "P[abdmort]?|R[abehnu]|S[bceimnr]?|T[abcehilm]|U|V|W|Xe|Yb?|Z[nr]"
)
_FORMULA = re.compile(rf"((?:(?:{_ELEMENT})\d*)+)(?=$|[-_ ,])")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def symbol(name: object) -> str:
    """Symbol of a quantity, or its name in words."""
    return _SYMBOLS.get(str(name), str(name).replace("_", " "))


_LETTERS: Final = {
    "hbar": "ħ", "infty": "∞", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "varepsilon": "ε", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Omega": "Ω",
}  # fmt: skip


def marked(name: object) -> str:
    """Symbol of a quantity in Unicode, with `_{...}` and `^{...}` around lowered and raised parts: `Δ_{0}`.

    For front ends that write text themselves and read no TeX.

    >>> marked("tau_esc"), marked("Delta0"), marked("R")
    ('τ_{esc}', 'Δ_{0}', 'R')
    """
    if str(name) not in _SYMBOLS:
        return symbol(name)
    text = re.sub(r"\\math[a-z]+(?=\{)", "", symbol(name).replace("$", ""))
    text = re.sub(r"\\([A-Za-z]+) ?", lambda found: _LETTERS.get(found[1], found[0]), text)
    text = re.sub(r"([_^])([^{])", r"\1{\2}", text)
    return re.sub(r"(?<![_^])\{([^{}]*)\}", r"\1", text)


def unit(values: xr.DataArray) -> str:
    """Unit in printed form; empty for a pure number."""
    return in_print(str(values.attrs.get("units", "1")))


def title(values: xr.DataArray, text: str | None = None) -> str:
    """Symbol (or another text) and unit of an axis."""
    return f"{text or symbol(values.name)}{f' ({unit(values)})' if unit(values) else ''}"


def percent(name: object) -> bool:
    """Whether a variable is a share or a relative change, which print gives in percent."""
    found = _VARIABLES.get(str(name).removeprefix("peak_"))
    return found is not None and found.relative


def in_percent(values: xr.DataArray) -> xr.DataArray:
    """A share or a relative change times 100, with the unit `%`; anything else as it is."""
    return (100 * values).assign_attrs(values.attrs | {"units": "%"}) if percent(values.name) else values


def formula(label: str) -> str:
    """A label with the numbers of a leading chemical formula as subscripts: K₃C₆₀, but `film2`."""
    found = _FORMULA.match(label)
    return found[1].translate(_LOWERED) + label[found.end() :] if found else label


def number(value: Any, digits: int = 4) -> str:
    """A label as text."""
    if isinstance(value, bool | np.bool_):
        return "on" if value else "off"
    if isinstance(value, str):
        return value
    if np.isposinf(value):
        return "∞"
    mantissa, e, power = f"{float(value):.{digits}g}".partition("e")
    return f"{mantissa}×10{str(int(power)).translate(_RAISED)}" if e else mantissa


def quantity(value: xr.DataArray) -> str:
    """A scalar coordinate in print: `T = 30 K`, `damping: full`, `stimulated emission: off`, `K₃C₆₀`."""
    label = value.values.item()
    if value.name == "material":
        return formula(str(label))
    if isinstance(label, str | bool):
        return f"{symbol(value.name)}: {number(label)}"
    return f"{symbol(value.name)} = {number(label)} {'' if np.isinf(label) else unit(value)}".rstrip()


def along(labels: xr.DataArray) -> list[xr.DataArray]:
    """The labels of an axis and those that are zipped with it, the leader first.

    Args:
        labels: A coordinate of one dim: the axis itself, or one zipped with it.
    """
    (dim,) = labels.dims
    leader = [labels[dim]] if dim in labels.coords else []
    rest = [c for n, c in labels.coords.items() if c.dims == (dim,) and n != dim]
    return [*leader, *rest]


def tick(labels: xr.DataArray, i: int, digits: int = 3, between: str = "\n") -> str:
    """The i-th label of an axis and those zipped with it, without units."""
    values = [c.values[i] for c in along(labels)]
    names = [formula(v) if isinstance(v, str) else number(v, digits) for v in values]
    return between.join(names)


def axis_title(labels: xr.DataArray, between: str = "\n") -> str:
    """Title of an axis, and of the quantities zipped with it."""
    return between.join(title(c) for c in along(labels))
