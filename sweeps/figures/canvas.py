"""A figure whose texts fit: headings, titles and legends are broken by their measured width.

Matplotlib's layout makes room for texts and neither breaks nor thins them: a heading wider than the figure leaves
the canvas. `Canvas.settle` lays the figure out, measures, breaks what is too wide, and leaves out colliding ticks.
The files of such a figure name its cube.
"""

import functools
import itertools
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import xarray as xr
from matplotlib import cbook
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FixedLocator, LogLocator, MaxNLocator, ScalarFormatter

from ..store.record import config_hash

_PAD = 0.06
"""Free margin at both sides of a heading or legend, inches."""
_TRIES = 8
_RAISED = str.maketrans("-\N{MINUS SIGN}0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_RECORD = "photogap"
"""Attribute of a cube that holds its record."""


def origin(ds: xr.Dataset | xr.DataArray) -> dict[str, str]:
    """Metadata that name a figure's cube: title, hash of the config, model; empty for data without a record."""
    record = json.loads(ds.attrs.get(_RECORD, "{}"))
    if not record:
        return {}
    found = {"cube": ds.attrs.get("title"), "config": config_hash(record), "model": ds.attrs.get("source")}
    return {key: str(value) for key, value in found.items() if value}


class Canvas(Figure):
    """A figure whose heading, titles and legend fit, and whose files name the cube."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.origin: dict[str, str] = {}
        self.print_dpi = 300

    def suptitle(self, t: str, **kwargs: Any) -> Text:
        """The figure's heading, broken into lines that fit its width."""
        size = kwargs.get("fontsize", mpl.rcParams["figure.titlesize"])
        return super().suptitle(wrapped(t, self.get_figwidth() - 2 * _PAD, size), **kwargs)

    def settle(self) -> None:
        """Break titles that are wider than their axes, and leave out ticks whose labels collide."""
        for ax in self.axes:
            # Matplotlib chooses the number of ticks by the size that is set when the figure is written.
            ax.tick_params(axis="x", labelsize=mpl.rcParams["xtick.labelsize"])
            ax.tick_params(axis="y", labelsize=mpl.rcParams["ytick.labelsize"])
        sound = 0
        for _ in range(_TRIES):
            self.draw_without_rendering()
            changed = [_narrower(ax) for ax in self.axes if ax.get_visible()]
            for axis in (axis for ax in self.axes if ax.get_visible() for axis in (ax.xaxis, ax.yaxis)):
                changed += [_fewer(axis), _powered(axis)]
            # The first layout knows no ticks yet: the second may choose others.
            sound = 0 if any(changed) else sound + 1
            if sound == 2:
                return

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        """Write the figure, with the hash of its cube's config among the file's metadata."""
        kind = kwargs.get("format") or (Path(fname).suffix[1:] if isinstance(fname, str | Path) else "png")
        mine = metadata(self.origin, str(kind).lower())
        with mpl.rc_context({"pdf.fonttype": 42, "ps.fonttype": 42, "svg.hashsalt": "photogap"}):
            super().savefig(fname, **({"metadata": mine} if mine else {}) | kwargs)


def metadata(origin: dict[str, str], kind: str) -> dict[str, Any]:
    """Metadata entries of a picture file: texts in PNG, document information in PDF, Dublin Core in SVG.

    Args:
        origin: From `origin`, and `figure`, its name.
        kind: `png`, `pdf` or `svg`; nothing is written into other files.
    """
    if kind not in ("png", "pdf", "svg") or not origin:
        return {}
    words = [f"{key} {value}" for key, value in origin.items() if key != "cube"]
    heading = ", ".join(origin[key] for key in ("cube", "figure") if key in origin)
    if kind == "svg":
        identifier = {"Identifier": f"photogap:{origin['config']}"} if "config" in origin else {}
        return {"Title": heading, "Keywords": words, "Date": None, **identifier}
    return {"Title": heading, "Keywords": "; ".join(words)}


@functools.cache
def _ruler() -> RendererAgg:
    return RendererAgg(1, 1, 72)  # type: ignore[no-untyped-call]


@functools.lru_cache(4096)
def measured(text: str, size: float) -> float:
    """Width of a text's longest line, inches.

    Args:
        text: Plain or with mathematics.
        size: Points.
    """
    font = FontProperties(size=size)
    lines = text.split("\n")
    measure: Any = _ruler().get_text_width_height_descent
    return float(max(measure(line, font, cbook.is_math_text(line))[0] for line in lines)) / 72


def wrapped(text: str, width: float, size: float | str) -> str:
    """A text in lines of limited width, broken after commas, or between words where a part alone is too wide.

    Args:
        text: Lines that it has already stay apart.
        width: Inches.
        size: Points, or Matplotlib's word.
    """
    points = FontProperties(size=size).get_size_in_points()
    return "\n".join(_wrapped(line, width, points) for line in text.split("\n"))


def _wrapped(line: str, width: float, size: float) -> str:
    if measured(line, size) <= width:
        return line
    rows = [""]
    for part in re.split(r"(?<=,) ", line):
        pieces = [part] if measured(part, size) <= width else _words(part)
        for word in pieces:
            # Settings' words are long, such as scattering+pair-breaking.
            piece = word if measured(word, size) <= width else word.replace("+", "+\n")
            longer = f"{rows[-1]} {piece}".strip()
            if rows[-1] and measured(longer, size) > width:
                rows.append(piece)
            else:
                rows[-1] = longer
    return "\n".join(rows)


def _words(text: str) -> list[str]:
    """Words of a text; mathematics is one word, and so are a number and its unit or sign."""
    return re.findall(r"(?:\$[^$]*\$|[^\s$])+(?: [=<>] \S+(?: [^\s,]+(?=$|,))?)?", text)


def legend(figure: Figure, ax: Axes, heading: str | None = None) -> None:
    """Labels under the axes, where they hide no line, in as many columns as fit; the figure grows by their rows."""
    handles, labels = ax.get_legend_handles_labels()
    if any(labels):
        legend_of(figure, handles, labels, heading)


def legend_of(figure: Figure, handles: Sequence[Any], labels: Sequence[str], heading: str | None = None) -> Legend:
    """As `legend`, of given handles and labels."""
    size = FontProperties(size=mpl.rcParams["legend.fontsize"]).get_size_in_points()
    room = figure.get_figwidth() - 2 * _PAD
    # Lengths of a legend are in units of its text's size.
    em = size / 72
    handle, space = 2.8, 1.6
    own = (handle + mpl.rcParams["legend.handletextpad"]) * em
    edge = 2 * mpl.rcParams["legend.borderpad"] * em
    texts = [wrapped(label, room - own - edge, size) for label in labels]
    widths = [own + measured(text, size) for text in texts]
    columns = _columns(widths, space * em, room - edge)
    drawn = figure.legend(
        handles, texts, loc="outside lower center", ncols=columns, handlelength=handle, columnspacing=space,
        title=wrapped(heading, room, size) if heading else None,
    )  # fmt: skip
    lines = sum(text.count("\n") + 1 for text in texts) / columns
    rows = max(-(-len(texts) // columns), lines) + (drawn.get_title().get_text().count("\n") + 1 if heading else 0)
    figure.set_figheight(figure.get_figheight() + rows * 1.25 * em + edge)
    return drawn


def _columns(widths: Sequence[float], space: float, room: float) -> int:
    """Fewest columns with which a legend of this width has its smallest number of rows."""
    for columns in range(len(widths), 1, -1):
        rows = -(-len(widths) // columns)
        used = [max(widths[i : i + rows]) for i in range(0, len(widths), rows)]
        if sum(used) + space * (len(used) - 1) <= room:
            return len(used)
    return 1


def _narrower(ax: Axes) -> bool:
    """Wrap titles of an axes that are longer than its sides."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    box = ax.get_window_extent()
    canvas = figure.bbox
    wide, high = box.width / figure.dpi, box.height / figure.dpi
    changed = False
    sides: tuple[tuple[Text, float, Callable[[Any], bool]], ...] = (
        (ax.title, wide, lambda b: b.width > 1.02 * box.width or b.x0 < 0 or b.x1 > canvas.x1),
        (ax.xaxis.label, wide, lambda b: b.x0 < 0 or b.x1 > canvas.x1 or b.width > 1.35 * box.width),
        (ax.yaxis.label, high, lambda b: b.y0 < 0 or b.y1 > canvas.y1 or b.height > 1.35 * box.height),
    )
    for text, length, off in sides:
        if text.get_text() and off(text.get_window_extent()):
            broken = wrapped(text.get_text(), length, text.get_fontsize())
            changed |= broken != text.get_text()
            text.set_text(broken)
    return changed


def shown_ticks(axis: Axis) -> list[Text]:
    """Labels of an axis's ticks that are drawn: those inside the view."""
    low, high = sorted(axis.get_view_interval())
    slack = 1e-9 * (high - low)
    found = []
    for minor in (False, True):
        ticks = axis.get_minor_ticks() if minor else axis.get_major_ticks()
        places = axis.get_minorticklocs() if minor else axis.get_majorticklocs()
        for tick, place in zip(ticks, places, strict=False):
            if low - slack <= place <= high + slack:
                found += [t for t in (tick.label1, tick.label2) if t.get_visible() and t.get_text()]
    return found


def _powered(axis: Axis) -> bool:
    """Move the power of ten from an axis's corner into its title; return whether there was one."""
    formatter = axis.get_major_formatter()
    if not isinstance(formatter, ScalarFormatter) or not axis.offsetText.get_visible():
        return False
    found = re.fullmatch(r"1e([-\N{MINUS SIGN}]?\d+)", formatter.get_offset())
    if found is None or not axis.label.get_text():
        return False
    axis.offsetText.set_visible(False)
    axis.label.set_text(_with_power(axis.label.get_text(), found[1].translate(_RAISED)))
    return True


def _with_power(title: str, power: str) -> str:
    """Title of an axis whose numbers are to be multiplied by a power of ten: `$U$ (10³ meV)`."""
    found = re.search(r" \(([^()]+)\)$", title)
    if found is None:
        return f"{title} (10{power})"
    unit = found[1].removeprefix("1") if found[1].startswith("1/") else f" {found[1]}"
    return f"{title[: found.start()]} (10{power}{unit})"


def _fewer(axis: Axis) -> bool:
    """Leave out ticks where labels of an axis collide; return whether any did."""
    if not axis.get_visible():
        return False
    boxes = [text.get_window_extent() for text in shown_ticks(axis)]
    across = isinstance(axis, XAxis)
    ends = sorted((b.x0, b.x1) if across else (b.y0, b.y1) for b in boxes)
    gap = 3.0 if across else 0.0
    if all(a[1] + gap <= b[0] for a, b in itertools.pairwise(ends)):
        return False
    locator: Any = axis.get_major_locator()
    if isinstance(locator, FixedLocator):
        places, texts = list(locator()), [t.get_text() for t in axis.get_ticklabels()]
        if len(places) < 3:
            return False
        axis.set_major_locator(FixedLocator(places[::2]))
        axis.set_major_formatter(FixedFormatter(texts[::2]))
    elif isinstance(locator, LogLocator):
        axis.set_major_locator(LogLocator(numticks=max(3, len(boxes) // 2)))
        axis.set_minor_formatter(mpl.ticker.NullFormatter())
    else:
        axis.set_major_locator(MaxNLocator(nbins=max(2, round(0.6 * (len(boxes) - 1))), steps=[1, 2, 2.5, 5, 10]))
    return True
