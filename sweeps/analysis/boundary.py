"""Lines in the plane of two axes: level lines of a quantity, and the border of the region with a gap."""

import itertools
from collections.abc import Hashable, Iterator

import numpy as np
import xarray as xr
from contourpy import LineType, contour_generator

from .labels import Array, geometric, name_of, need, numbered, units_of


def boundary(values: xr.DataArray, x: str, y: str, level: float) -> xr.Dataset:
    """Level lines of a quantity, interpolated linearly between grid points.

    Geometric axes are interpolated in their logarithm. Infinite labels cannot be placed in the
    plane and are left out; around failed points the lines break. The number of lines depends on the data, so
    the map (one number per point) is computed here, once.

    Args:
        values: One number per point, as from `peak_gap`, with the dims x and y; lines are drawn for each label of
            any other dim.
        x: Horizontal axis.
        y: Vertical axis.
        level: In the units of `values`.

    Returns:
        Dims (`line`, `vertex`): variables named like x and y, NaN after a line's last vertex; on `line` the labels
        of every other axis, and `closed`. An empty result means that the level is not crossed.
    """
    return _lines(values, x, y, level, f"{name_of(values)} = {level:g} {units_of(values)}")


def existence(values: xr.DataArray, x: str, y: str, threshold: float = 0.0) -> xr.Dataset:
    """Border between points where a quantity exceeds a threshold and points where it does not.

    A gap opens steeply, so its value does not locate the onset between two points of the grid: the border
    runs midway between them (in the axes' own scale) and is uncertain by half a step.

    Args:
        values: As for `boundary`.
        x: Horizontal axis.
        y: Vertical axis.
        threshold: In the units of `values`; larger values count as present.

    Returns:
        As `boundary`.
    """
    exists = (values > threshold).astype(float).where(values.notnull())
    text = f"border of {name_of(values)} > {threshold:g} {units_of(values)}"
    return _lines(exists.rename(values.name), x, y, 0.5, text)


def _lines(values: xr.DataArray, x: str, y: str, level: float, text: str) -> xr.Dataset:
    need(values, "values", x, y)
    if x == y:
        raise ValueError(f"`y` must differ from `x`. Got {y!r} for both.")
    for argument, name in (("x", x), ("y", y)):
        numbered(values, argument, name)
    others = [d for d in values.dims if d not in (x, y)]
    values = values.transpose(*others, y, x).compute().sortby([x, y])
    found = [(labels, *line) for labels, plane in _planes(values, others) for line in _contours(plane, x, y, level)]
    length = max((len(line) for _, line, _ in found), default=0)
    points = np.full((len(found), length, 2), np.nan)
    for row, (_, line, _) in zip(points, found, strict=True):
        row[: len(line)] = line
    out = xr.Dataset(attrs={"long_name": text})
    for i, name in enumerate((x, y)):
        attrs = {"units": units_of(values[name]), "long_name": name_of(values[name])}
        out[name] = ("line", "vertex"), points[..., i], attrs
    out["closed"] = (
        "line",
        np.array([closed for _, _, closed in found], dtype=bool),
        {
            "units": "1",
            "long_name": "1 if the line is closed",
        },
    )
    for other in others:
        labels = np.array([labels[other] for labels, _, _ in found], dtype=values[other].dtype)
        out = out.assign_coords({other: ("line", labels, dict(values[other].attrs))})
    return out


def _planes(values: xr.DataArray, others: list[Hashable]) -> Iterator[tuple[dict[Hashable, object], xr.DataArray]]:
    for index in itertools.product(*(range(values.sizes[d]) for d in others)):
        plane = values.isel(dict(zip(others, index, strict=True)))
        yield {d: values[d].values[i] for d, i in zip(others, index, strict=True)}, plane


def _contours(plane: xr.DataArray, x: str, y: str, level: float) -> Iterator[tuple[Array, bool]]:
    """Lines of one plane, shape (vertices, 2), and whether each is closed."""
    labels = [plane[name].values.astype(float) for name in (x, y)]
    z = plane.values.astype(float)[np.isfinite(labels[1])][:, np.isfinite(labels[0])]
    labels = [v[np.isfinite(v)] for v in labels]
    if min(z.shape) < 2:
        return
    logs = [geometric(v) for v in labels]
    u, v = (np.log(a) if log else a for a, log in zip(labels, logs, strict=True))
    generator = contour_generator(u, v, np.ma.masked_invalid(z), line_type=LineType.Separate, corner_mask=True)
    for line in generator.lines(level):
        vertices: Array = np.asarray(line, dtype=float)
        points = np.stack([np.exp(c) if log else c for c, log in zip(vertices.T, logs, strict=True)], axis=1)
        yield points, len(points) > 2 and np.array_equal(points[0], points[-1])
