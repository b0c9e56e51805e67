"""Style of figures: sizes for each medium, colours for all kinds of colour vision, marks of the pulse."""

import contextlib
import functools
import json
import math
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Final, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from ...core.declaration import not_among
from .canvas import Canvas, origin
from .words import number as number
from .words import quantity as quantity
from .words import symbol as symbol
from .words import title as title
from .words import unit as unit

# Okabe and Ito's colours without yellow, which prints poorly; lines differ in dashes and markers too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
MAP = "cividis"
SIGNED_MAP = "PuOr"
"""Diverging and safe for all kinds of colour vision, for signed quantities."""
ORDERED: Final = ListedColormap(mpl.colormaps["plasma"](np.linspace(0.0, 0.86, 256)), "ordered")
"""Sequential and dark enough for lines on white, for labels that have an order."""
FAILED = "#BBBBBB"

COLUMN, PAGE = 3.4, 7.0
"""Natural widths of a figure: a journal's column and page, inches."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """Sizes for a medium.

    Args:
        column: Width of a figure that is one column wide, inches.
        page: Width of a figure that is two columns wide, inches.
        scale: Size of text and lines relative to print with 8 points.
        exact: Whether a figure is as wide as one column or two; otherwise it has its own width, `scale` times.
        columns: 1 or 2, which all figures fill; 0 leaves it to the figure.
        dpi: Dots an inch of a PNG file.
    """

    column: float = COLUMN
    page: float = PAGE
    scale: float = 1.0
    exact: bool = False
    columns: int = 0
    dpi: int = 300

    def width(self, natural: float) -> float:
        """Width of a figure, inches, from its natural width."""
        if self.columns or self.exact:
            wide = self.columns == 2 or (self.columns == 0 and natural > COLUMN)
            return self.page if wide else self.column
        return natural * self.scale

    def room(self, natural: float) -> float:
        """Width of the figure in inches at a text size of 8 points."""
        return self.width(natural) / self.scale

    def size(self, natural: float, height: float) -> tuple[float, float]:
        """Width and height, inches; a figure wider than its natural width grows in height, by less."""
        return self.width(natural), height * self.scale * max(1.0, self.room(natural) / natural) ** 0.4

    @property
    def rc(self) -> Any:
        """Settings of Matplotlib."""
        sized = {key: value * self.scale for key, value in _POINTS.items()}
        return {**sized, **_RC}


_POINTS: Final = {
    "font.size": 8.0,
    "axes.labelsize": 8.5,
    "axes.titlesize": 8.0,
    "figure.titlesize": 8.0,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.0,
    "legend.title_fontsize": 7.0,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.minor.width": 0.5,
    "ytick.minor.width": 0.5,
    "xtick.major.pad": 4.0,
    "ytick.major.pad": 4.0,
    "axes.titlepad": 5.0,
    "axes.labelpad": 3.0,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "xtick.minor.size": 1.7,
    "ytick.minor.size": 1.7,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.5,
    "patch.linewidth": 0.7,
}
_RC: Final[dict[str, Any]] = {
    "legend.frameon": False,
    "xtick.direction": "in",
    "ytick.direction": "in",
    # A power at an axis's corner is easily overlooked: `Canvas.settle` moves it into the title.
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-3, 5),
    # Fonts are embedded whole, as journals ask, and SVG files hold the shapes of letters.
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "photogap",
    "figure.dpi": 150,
}

STYLES: Final = {
    "screen": Style(),
    "paper": Style(column=3.37, page=6.9, exact=True, dpi=600),
    "slides": Style(column=6.0, page=12.4, scale=1.8, exact=True, dpi=200),
}
"""Styles by the name that `photogap plot --style NAME` takes."""
RC: Final[Any] = STYLES["screen"].rc

_CURRENT: ContextVar[Style] = ContextVar("style", default=STYLES["screen"])


def current() -> Style:
    """Style of the figure that is being drawn."""
    return _CURRENT.get()


@contextlib.contextmanager
def styled(name: str = "screen", columns: int = 0) -> Iterator[Style]:
    """Draw in a style.

    Args:
        name: One of `STYLES`.
        columns: 1 or 2, which the figure fills; 0 leaves it to the style.

    Raises:
        ValueError: There is no such style or number of columns.
    """
    if name not in STYLES:
        raise ValueError(f"`style` {not_among(name, STYLES)}")
    if columns not in (0, 1, 2):
        raise ValueError(f"`columns` must be 1 or 2. Got {columns!r}.")
    token = _CURRENT.set(replace(STYLES[name], columns=columns))
    try:
        with mpl.rc_context(current().rc):
            yield current()
    finally:
        _CURRENT.reset(token)


P = ParamSpec("P")
R = TypeVar("R")


def printed(function: Callable[P, R]) -> Callable[P, R]:
    """Draw a figure of a dataset with the sizes of its style, fit its texts, and note the cube that it shows."""

    @functools.wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context(current().rc):
            figure = function(*args, **kwargs)
            if isinstance(figure, Canvas):
                shown = next(
                    (a for a in (*args, *kwargs.values()) if isinstance(a, xr.Dataset | xr.DataArray)), None
                )
                if shown is not None:
                    figure.origin |= origin(shown)
                figure.settle()
            return figure

    return inside


def new(width: float, height: float) -> Canvas:
    """An empty figure with automatic layout; width and height are inches at a text size of 8 points."""
    canvas = Canvas(figsize=current().size(width, height), layout="constrained", dpi=150)
    canvas.print_dpi = current().dpi
    return canvas


def room(width: float) -> float:
    """Width in the current style, in inches at a text size of 8 points, from the natural width."""
    return current().room(width)


def points(size: float) -> float:
    """A size (points) given for a text size of 8 points, scaled to the current style."""
    return size * current().scale


def line_style(i: int) -> dict[str, Any]:
    """Colour and dashes of the i-th line: 28 of them differ."""
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": DASHES[(i + 2 * (i // len(COLOURS))) % len(DASHES)]}


def pulse_over_map(ax: Axes, ds: xr.Dataset, colour: str) -> None:
    """Mark t = 0 on a map, and draw the pulse's intensity down from its upper edge."""
    pulse(ax, colour=colour)
    shape = _intensity(ds)
    if shape is not None:
        t, height = shape
        top = ax.get_xaxis_transform()
        # White fades on a dark map; black would hide a light one.
        alpha = 0.75 if colour == "#FFFFFF" else 0.35
        ax.fill_between(t, 1 - 0.09 * height, 1, transform=top, color=colour, alpha=alpha, linewidth=0)


def plain_decade(ax: Axes) -> None:
    """Plain numbers on a logarithmic y axis of less than two decades, where few powers of ten would stand."""
    low, high = ax.get_ylim()
    if high / low < 100:
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(ScalarFormatter())
        ax.yaxis.set_minor_formatter(NullFormatter())


def pulse(ax: Axes, ds: xr.Dataset | xr.DataArray | None = None, colour: str = "#888888") -> None:
    """Mark t = 0, the maximum of the pump pulse, and shade the pulse's intensity if the cube has its duration.

    Args:
        ax: Axes over time.
        ds: The cube or a part of it; None draws t = 0 alone, as over a map.
        colour: Of the line, one that the map does not have.
    """
    ax.axvline(0, color=colour, linewidth=points(0.7), linestyle=":", zorder=1)
    shape = None if ds is None else _intensity(ds)
    if shape is not None:
        t, height = shape
        ax.fill_between(
            t,
            0,
            0.97 * height,
            transform=ax.get_xaxis_transform(),
            color="#000000",
            alpha=0.09,
            linewidth=0,
            zorder=0,
        )


def _intensity(ds: xr.Dataset | xr.DataArray) -> tuple[Any, Any] | None:
    """Times of the cube around the pulse, ps, and its intensity there, at most 1; None where it is unknown."""
    width = duration(ds)
    if width is None or "time" not in ds.coords:
        return None
    t = np.union1d(np.linspace(-1.5 * width, 1.5 * width, 101), ds["time"].values)
    t = t[(t >= float(ds["time"].min())) & (t <= float(ds["time"].max()))]
    height = np.exp(-4 * math.log(2) * (t / width) ** 2)
    if _setting(ds, "pump_shape") == "continuous":
        height[t > 0] = 1.0
    return t, height


def duration(ds: xr.Dataset | xr.DataArray) -> float | None:
    """Duration (FWHM) of the pump in a cube or a part of it, ps; None if it is unknown or not unique."""
    if "tau_pump" in ds.coords:
        return float(ds["tau_pump"].item()) if ds["tau_pump"].size == 1 else None
    set_by_config = _setting(ds, "tau_pump")
    if set_by_config is not None:
        return float(set_by_config)
    materials = _record(ds).get("resolved", {}).get("materials", {})
    labels = ds["material"].values.ravel().tolist() if "material" in ds.coords else list(materials)
    found = {materials.get(label, {}).get("tau_pump") for label in labels}
    only = found.pop() if len(found) == 1 else None
    return None if only is None else float(only)


def _record(ds: xr.Dataset | xr.DataArray) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ds.attrs.get("photogap", "{}"))
    return found


def _setting(ds: xr.Dataset | xr.DataArray, name: str) -> Any:
    return _record(ds).get("resolved", {}).get("settings", {}).get(name)
