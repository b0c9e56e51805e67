"""Style of figures: sizes for print, colour-blind-safe colours, symbols and units of labels."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...core.declaration import choices, declarations
from ...core.quantities import AXES, DIMS
from ...core.result import OUTPUTS
from ...core.settings import Settings
from ...core.units import printed as in_print

# Okabe and Ito's colours without yellow, which prints poorly; lines differ in dashes and markers too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
MAP = "cividis"
SIGNED_MAP = "PuOr"
"""Diverging and safe for all kinds of colour vision, for signed quantities."""
FAILED = "#BBBBBB"

COLUMN, PAGE = 3.4, 7.0
"""Widths of a journal's column and page, inches."""

RC: Any = {
    "font.size": 8,
    "axes.labelsize": 8.5,
    "axes.titlesize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.3,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "pdf.fonttype": 42,
    "figure.dpi": 150,
}

_OF_FIGURES = {"peak_Delta0": r"Peak $\Delta_0$", "alpha2F": r"$\alpha^2F$"}
"""Symbols of quantities that are not in a cube."""
_DECLARED = {**declarations(Settings), **AXES, **DIMS}
_SYMBOLS = {
    **{name: found.symbol for name, found in _DECLARED.items() if found.symbol},
    **{v.name: v.symbol for outputs in OUTPUTS for v in outputs.variables if v.symbol},
    **_OF_FIGURES,
}
_BARE = ("material", *(name for name in _DECLARED if name not in AXES | DIMS and choices(Settings, name)))
"""Quantities whose value is a self-explanatory word."""

P = ParamSpec("P")
R = TypeVar("R")


def printed(function: Callable[P, R]) -> Callable[P, R]:
    """Run a figure's function with the sizes of print."""

    @functools.wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context(RC):
            return function(*args, **kwargs)

    return inside


def new(width: float, height: float) -> Figure:
    """An empty figure with automatic layout; sizes in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def symbol(name: object) -> str:
    """Symbol of a quantity, or its name in words."""
    return _SYMBOLS.get(str(name), str(name).replace("_", " "))


def unit(values: xr.DataArray) -> str:
    """Unit in printed form; empty for a pure number."""
    return in_print(str(values.attrs.get("units", "1")))


def title(values: xr.DataArray, text: str | None = None) -> str:
    """Symbol (or another text) and unit of an axis."""
    return f"{text or symbol(values.name)}{f' ({unit(values)})' if unit(values) else ''}"


def number(value: Any, digits: int = 4) -> str:
    """A label as text."""
    if isinstance(value, str | bool | np.bool_):
        return str(value)
    return "∞" if np.isposinf(value) else f"{float(value):.{digits}g}"


def quantity(value: xr.DataArray, *, plain: bool = False) -> str:
    """A scalar coordinate with its symbol (or name) and unit; a self-explanatory word alone."""
    text = number(value.values.item())
    name = str(value.name) if plain else symbol(value.name)
    return text if value.name in _BARE else f"{name} = {text} {unit(value)}".rstrip()


def line_style(i: int) -> dict[str, Any]:
    """Colour and dashes of the i-th line: 28 of them differ."""
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": DASHES[(i + 2 * (i // len(COLOURS))) % len(DASHES)]}


def pulse(ax: Axes, colour: str = "#888888") -> None:
    """Mark the maximum of the pump pulse; over a map, in a colour that the map does not have."""
    ax.axvline(0, color=colour, linewidth=0.7, linestyle=":")
