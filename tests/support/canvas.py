"""Artists that leave a figure's canvas, and texts that overlap; a cube of every output, to draw any figure of."""

import itertools
import json

import numpy as np
import xarray as xr
from matplotlib.text import Text

from photogap.core.quantities import AXES, DIMS
from photogap.core.result import OUTPUTS
from photogap.sweeps.figures.canvas import shown_ticks

_SLACK = 1.0
"""Pixels of 150 an inch by which hinting and line widths may differ from the measured extent."""


def faults(figure):
    """Sentences on artists that leave the canvas and on texts that overlap; empty for a sound figure."""
    figure.draw_without_rendering()
    texts = _texts(figure)
    found = [f"{name!r} leaves the canvas: {_told(box, figure)}" for name, box in texts if _out(box, figure)]
    for ax in _axes(figure):
        box = ax.get_tightbbox()
        if box is not None and _out(box, figure):
            found.append(f"axes {ax.get_xlabel()!r} leave the canvas: {_told(box, figure)}")
    found += [f"a legend leaves the canvas: {_told(b, figure)}" for b in _legends(figure) if _out(b, figure)]
    for (one, a), (two, b) in itertools.combinations(texts, 2):
        if min(a.x1, b.x1) - max(a.x0, b.x0) > _SLACK and min(a.y1, b.y1) - max(a.y0, b.y0) > _SLACK:
            found.append(f"{one!r} overlaps {two!r}")
    found += [
        f"{name!r} lies over another axes" for name, box, home in _titles(figure) if _covers(box, home, figure)
    ]
    return found


def _titles(figure):
    """Titles of axes, which stand outside of them, with extent and owner."""
    for ax in _axes(figure):
        for text in (ax.title, ax.xaxis.label, ax.yaxis.label):
            if text.get_visible() and text.get_text().strip():
                yield text.get_text(), text.get_window_extent(), ax


def _covers(box, home, figure):
    others = [ax.get_window_extent() for ax in _axes(figure) if ax is not home]
    twins = home.get_window_extent()
    return any(
        min(box.x1, b.x1) - max(box.x0, b.x0) > _SLACK and min(box.y1, b.y1) - max(box.y0, b.y0) > _SLACK
        for b in others
        if not np.allclose(b.extents, twins.extents)
    )


def _axes(figure):
    return [ax for ax in figure.axes if ax.get_visible()]


def _texts(figure):
    """Every text that is drawn, with its extent in pixels."""
    found = list(figure.texts)
    if figure._suptitle is not None and figure._suptitle not in found:
        found.append(figure._suptitle)
    for legend in [*figure.legends, *(ax.get_legend() for ax in _axes(figure))]:
        if legend is not None:
            found += [*legend.get_texts(), legend.get_title()]
    for ax in _axes(figure):
        found += [ax.title, ax.xaxis.label, ax.yaxis.label, ax.xaxis.offsetText, ax.yaxis.offsetText, *ax.texts]
        found += [*shown_ticks(ax.xaxis), *shown_ticks(ax.yaxis)]
    drawn = [t for t in found if isinstance(t, Text) and t.get_visible() and t.get_text().strip()]
    return [(t.get_text(), t.get_window_extent()) for t in dict.fromkeys(drawn)]


def _legends(figure):
    every = [*figure.legends, *(ax.get_legend() for ax in _axes(figure))]
    return [legend.get_window_extent() for legend in every if legend is not None]


def _out(box, figure):
    canvas = figure.bbox
    return box.x0 < -_SLACK or box.y0 < -_SLACK or box.x1 > canvas.x1 + _SLACK or box.y1 > canvas.y1 + _SLACK


def _told(box, figure):
    return f"{box.extents.round().tolist()} of {figure.bbox.extents.round().tolist()}"


SMALL = {
    "time": np.linspace(-0.6, 1.0, 17),
    "energy": np.linspace(0.5, 420, 24),
    "frequency": np.linspace(1, 200, 20),
    "depth": np.array([5.0, 15.0, 25.0]),
}


def complete(axes, followers=None):
    """A cube with every output that is declared, smooth in all labels, with the record of a real one.

    Args:
        axes: Labels by axis; the five axes have one label where none is given.
        followers: Name -> (axis, labels) of quantities that are zipped with an axis.
    """
    labels = {"material": ["K3C60"], "F0": [1.0], "omega_pump": [170.0], "T": [30.0], "tau_esc": [0.1]} | axes
    labels = {name: values for name, values in labels.items() if name not in (followers or {})}
    coords = {name: _labelled(name, name, values) for name, values in labels.items()}
    coords |= {name: _labelled(name, axis, values) for name, (axis, values) in (followers or {}).items()}
    coords |= {name: (name, values, _attrs(DIMS[name])) for name, values in SMALL.items()}
    ds = xr.Dataset(coords=coords)
    shape = tuple(len(values) for values in labels.values())
    grow = np.linspace(0.2, 1.0, int(np.prod(shape))).reshape(shape)
    for variable in dict.fromkeys(v for outputs in OUTPUTS for v in outputs.variables):
        values = grow
        for dim in variable.dims:
            values = values[..., None] * _shape_of(dim)
        ds[variable.name] = (
            (*labels, *variable.dims),
            1.234e-3 * values if variable.relative else values,
            {"units": variable.units, "long_name": variable.long_name},
        )
    ds["status"] = tuple(labels), np.full(shape, "ok", dtype=object)
    ds.attrs = {
        "title": "stand-in",
        "source": "photogap 0",
        "photogap": json.dumps({"config": {"name": "stand-in"}, "resolved": {"settings": {"tau_pump": "0.3"}}}),
    }
    return ds


def _labelled(name, dim, values):
    kind = object if isinstance(values[0], str) else None
    known = AXES.get(name)
    return dim, np.array(values, kind), _attrs(known) if known is not None and kind is None else {}


def _attrs(declared):
    return {"units": declared.unit, "long_name": declared.long_name}


def _shape_of(dim):
    x = SMALL[dim]
    return np.exp(-(((x - x[len(x) // 2]) / (x[-1] - x[0])) ** 2)) if dim == "time" else 1 / (1 + x / x[-1])
