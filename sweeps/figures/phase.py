"""Phase diagram: region with a gap in the plane of two axes, one panel per label of the others."""

from typing import Any, Final

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..analysis import peak_gap
from .canvas import legend_of
from .selection import caption, lines, present
from .style import FAILED, MAP, PAGE, new, printed, room
from .tiles import HATCH, border, hatch, tiles
from .words import in_percent, symbol, title

_MOST = 3
_PANEL: Final = 2.2
"""Width of a panel, inches of print with 8 points."""
_NARROWEST: Final = 1.0
_BAR: Final = 1.2


@printed
def phase_diagram(
    ds: xr.Dataset, x: str = "F0", y: str = "tau_esc", variable: str = "Delta0", threshold: float = 0.0
) -> Figure:
    """Largest gap over time in the plane of two axes, and the border of the region above a threshold.

    One panel per combination of the other axes, one colour scale for all; each tile is one point, with edges midway
    between labels, and failed ones are grey. The border runs along the tiles' edges: no finer than the points.
    Where the cube has `gap_edge`, points with a gap parameter and no gap in the spectrum (damped states down to
    E = 0) are hatched. An infinite label has the last place on its axis, one step beyond the others.

    Args:
        ds: A cube, or part of one.
        x: Horizontal axis.
        y: Vertical axis.
        variable: A series, or its peak.
        threshold: In the variable's units.
    """
    if x == y:
        raise ValueError(f"`y` must differ from `x`. Got {y!r} for both.")
    present(ds, variable, x, y)
    peak = peak_gap(ds, variable).sortby([x, y]).compute()
    inside = (peak > threshold).astype(float).where(peak.notnull())
    gapless = _gapless(ds, variable, inside)
    shown = in_percent(peak)
    panels = list(lines(shown, [y, x]))
    columns = _columns(peak, len(panels), {x, y})
    rows = -(-len(panels) // columns)
    figure = new(min(PAGE, _PANEL * columns + _BAR), (2.0 if room(PAGE) > 2 * _PANEL else 1.6) * rows + 0.5)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    norm = Normalize(0, float(shown.max()) or 1.0)
    seen: set[str] = set()
    for i, (ax, (label, panel)) in enumerate(zip(axes.ravel(), panels, strict=False)):
        here = {d: panel[d] for d in peak.dims if d not in (x, y)}
        mesh = tiles(ax, panel, cmap=MAP, norm=norm)
        seen |= _marks(ax, inside.sel(here).transpose(y, x), gapless.sel(here).transpose(y, x))
        ax.set_title(label)
        if i + columns < len(panels):
            ax.set_xlabel("")
        else:
            ax.tick_params(labelbottom=True)
        if i % columns:
            ax.set_ylabel("")
    for ax in axes.ravel()[len(panels) :]:
        ax.set_visible(False)
    label = symbol(peak.name) if variable.startswith("Delta0") else f"Peak {symbol(variable)}"
    figure.colorbar(mesh, ax=list(axes.ravel()), label=title(shown, label), pad=0.02, aspect=20 * rows)
    figure.suptitle(caption(peak))
    _key(figure, seen)
    return figure


def _gapless(ds: xr.Dataset, variable: str, inside: xr.DataArray) -> xr.DataArray:
    """Points inside the region whose spectrum has no gap at any time; none if the cube does not record it."""
    if not variable.startswith("Delta0") or "gap_edge" not in ds:
        return xr.zeros_like(inside, dtype=bool)
    found: xr.DataArray = (inside == 1) & (peak_gap(ds, "gap_edge") == 0)
    return found.transpose(*inside.dims).compute()


def _marks(ax: Axes, inside: xr.DataArray, gapless: xr.DataArray) -> set[str]:
    """Draw border, hatching and words of a panel; return the marks used."""
    seen = {"failed"} if bool(inside.isnull().any()) else set()
    if bool(gapless.any()):
        hatch(ax, gapless)
        seen.add("gapless")
    if border(ax, inside):
        seen.add("border")
    if not bool((inside == 1).any()):
        ax.text(0.5, 0.5, "no gap", transform=ax.transAxes, ha="center", va="center", color="white")
    return seen


def _key(figure: Figure, seen: set[str]) -> None:
    """Meaning of the marks that the panels use."""
    every: dict[str, tuple[Any, str]] = {
        "border": (Line2D([], [], color="black"), "border of existence"),
        "gapless": (Patch(facecolor="#5A6270", edgecolor="white", hatch=HATCH, linewidth=0), "gapless"),
        "failed": (Patch(facecolor=FAILED, linewidth=0), "failed or not computed"),
    }
    used = [every[name] for name in every if name in seen]
    if used:
        legend_of(figure, [handle for handle, _ in used], [text for _, text in used])


def _columns(peak: xr.DataArray, panels: int, plane: set[str]) -> int:
    """Panels per row: the labels of the last axis if they fit, so that a row varies only that axis."""
    most = max(1, min(_MOST, int((room(PAGE) - _BAR) / _NARROWEST)))
    last = [peak.sizes[d] for d in peak.dims if d not in plane and peak.sizes[d] > 1][-1:]
    return last[0] if last and last[0] <= most and panels % last[0] == 0 else max(1, min(most, panels))
