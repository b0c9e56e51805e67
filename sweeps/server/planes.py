"""Maps of a cube for the page: status of points, or numbers of any variable, over two axes and panels of a third.

Numbers of up to a million points go out as float32 and one byte of status each: as JSON they would be ten times as
large, and a browser would need seconds to read them.
"""

import contextlib
import json
import math
import sqlite3
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...core.units import printed
from ..ask.axes import Index
from ..ask.lookup import pick
from ..drive.sweep import LOG
from ..errors import ConfigError
from ..numbers import plain
from ..status import Status
from ..store.cube import BOOK, MISSING, Cube
from ..store.log import Log
from .intake import TooLargeError

_RECENT_S = 90.0
READ: Final = 16
"""Numbers that may be read for each number of the largest answer: a series is reduced to its largest value."""


@dataclass(frozen=True)
class Plane:
    """Part of a cube over up to three axes, each in the order of its labels.

    Args:
        cube: The cube.
        dims: Panels, rows, columns; None for an axis that is not used.
        fixed: Position of each other axis.
    """

    cube: Cube
    dims: tuple[str | None, str | None, str]
    fixed: Mapping[str, int]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of panels, rows and columns."""
        panels, rows, columns = (len(self.labels(d)) if d else 1 for d in self.dims)
        return panels, rows, columns

    def labels(self, dim: str) -> tuple[Any, ...]:
        """Labels of an axis in the cube's order."""
        return self.cube.grid.axes[self.cube.grid.dims.index(dim)].values

    def order(self, dim: str | None) -> list[int]:
        """Positions along an axis in the order of its labels; an extended cube has them in the order in which they
        were added."""
        if dim is None:
            return [0]
        values = self.labels(dim)
        if any(isinstance(v, str | bool) for v in values):
            return [*range(len(values))]
        return sorted(range(len(values)), key=lambda i: float(values[i]))

    def read(self, name: str) -> NDArray[Any]:
        """A variable over panels, rows, columns and its own dims, in the cube's order of labels."""
        grid = self.cube.grid.dims
        found = np.asarray(self.cube.array(name)[tuple(self.fixed.get(d, slice(None)) for d in grid)])
        kept = [d for d in grid if d not in self.fixed]
        used = [d for d in self.dims if d]
        own = range(len(kept), found.ndim)
        found = found.transpose([*(kept.index(d) for d in used), *own])
        return found.reshape(self.shape + found.shape[len(kept) :])

    def sorted(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values in the order of the labels."""
        for axis, dim in enumerate(self.dims):
            order = self.order(dim)
            if order != [*range(len(order))]:
                values = np.take(values, order, axis)
        return values

    def status(self, running: set[Index]) -> NDArray[Any]:
        """Status of each point, including running and unpacked ones, in the cube's order of labels."""
        rows = self.read("status").astype(object)
        for index, status in (unpacked(self.cube) | dict.fromkeys(running, "running")).items():
            at = dict(zip(self.cube.grid.dims, index, strict=True))
            if all(at[d] == i for d, i in self.fixed.items()):
                where = tuple(at[d] if d else 0 for d in self.dims)
                if rows[where] == MISSING:
                    rows[where] = status
        return rows

    def described(self) -> dict[str, Any]:
        """Axes and labels, as the answers name them."""
        out: dict[str, Any] = {
            "at": plain({d: self.labels(d)[i] for d, i in self.fixed.items()}),
        }
        for key, dim in zip(("panels", "y", "x"), self.dims, strict=True):
            out[key] = dim
            out[f"{key}_values"] = plain([self.labels(dim)[i] for i in self.order(dim)]) if dim else []
        return out


def plane_of(
    cube: Cube, x: str | None, y: str | None, panels: str | None, at: Mapping[str, str], limit: int
) -> Plane:
    """Part of a cube over two axes, or three.

    Raises:
        ConfigError: The axis or label does not exist, or an axis is used twice.
        TooLargeError: The part has more points than the limit.
    """
    dims, sizes = cube.grid.dims, cube.grid.shape
    for name in (x, y, panels, *at):
        if name is not None and name not in dims:
            raise ConfigError(f"`x`, `y`, `panels` and `at` must name axes: {', '.join(dims)}. Got {name!r}.")
    long = [d for d, n in zip(dims, sizes, strict=True) if n > 1 and d not in at and d != panels] or [dims[1]]
    x = x or ("F0" if "F0" in long else long[0])
    y = y or next((d for d in long if d != x), None)
    if x == y:
        raise ConfigError(f"`y` must differ from `x`. Got {y!r}.")
    if panels is not None and panels in (x, y):
        raise ConfigError(f"`panels` must differ from `x` and `y`. Got {panels!r}.")
    used = (panels, y, x)
    fixed = {d: 0 if d not in at else pick(cube.grid, d, at[d]) for d in dims if d not in used}
    plane = Plane(cube, used, fixed)
    size = math.prod(plane.shape)
    if size > limit:
        raise TooLargeError(f"the map has {size} points, over the limit of {limit}.")
    return plane


def status_map(
    cube: Cube, running: set[Index], x: str | None, y: str | None, at: Mapping[str, str], limit: int
) -> dict[str, Any]:
    """Status of the points over two axes, including running and unpacked ones; raises as `plane_of`."""
    plane = plane_of(cube, x, y, None, at, limit)
    found = plane.described()
    rows = plane.sorted(plane.status(running))[0]
    return {key: found[key] for key in ("x", "y", "at", "x_values", "y_values")} | {
        "status": [[str(s) for s in row] for row in rows]
    }


def packed(
    cube: Cube,
    running: set[Index],
    variable: str | None,
    *,
    x: str | None,
    y: str | None,
    panels: str | None,
    at: Mapping[str, str],
    limit: int,
) -> bytes:
    """Values and status of points over two axes or three.

    Little-endian: the length of a head (uint32), the head (JSON, padded to a multiple of 8 bytes with the length),
    then float32 values (none without a variable) and one byte per point, its place in the head's `kinds`; both are
    in the order of panels, rows, columns. A series is reduced to its largest value; points that are not ok are NaN,
    except for the driver's own numbers such as `wall_time`.

    Raises:
        ConfigError: The variable, axis or label does not exist.
        TooLargeError: The part has more points than the limit, or too many numbers to read.
    """
    own = _own_dims(cube, variable) if variable else ()
    plane = plane_of(cube, x, y, panels, at, limit)
    if variable:
        numbers = math.prod(plane.shape) * math.prod(cube.own_shape(variable))
        if numbers > READ * limit:
            raise TooLargeError(
                f"the largest values of {variable!r} need {numbers} numbers to be read, over the limit of "
                f"{READ * limit}. Fix axes with `at`, or choose a variable with one number per point."
            )
    codes, kinds = _coded(plane.status(running))
    head = plane.described() | {
        "shape": plane.shape,
        "kinds": kinds,
        "variable": variable,
        "over": list(own),
    }
    body = b""
    if variable:
        values = _largest(plane.read(variable), len(own))
        if variable not in BOOK:
            values = np.where(
                codes == (kinds.index(Status.OK) if Status.OK in kinds else len(kinds)), values, np.nan
            )
        attrs = cube.array(variable).attrs
        head["printed"] = printed(str(attrs.get("units", "")))
        body = plane.sorted(values).astype("<f4").tobytes()
    return _framed(head) + body + plane.sorted(codes).tobytes()


def _own_dims(cube: Cube, variable: str) -> tuple[str, ...]:
    numeric = {**cube.outputs, **{name: () for name, (dtype, *_) in BOOK.items() if dtype != "string"}}
    if variable not in numeric:
        raise ConfigError(f"`variable` must be a numeric variable: {', '.join(numeric)}. Got {variable!r}.")
    return tuple(numeric[variable])


def _largest(values: NDArray[Any], own: int) -> NDArray[Any]:
    """Largest value over the last dims, as in `photogap plot`."""
    values = values.astype(float, copy=False)
    for _ in range(own):
        values = np.fmax.reduce(values, axis=-1)
    return values


def _coded(words: NDArray[Any]) -> tuple[NDArray[np.uint8], list[str]]:
    """Words as one byte each, the position in a list of words, and that list."""
    kinds: dict[str, int] = {}
    flat = (kinds.setdefault(str(word), len(kinds)) for word in words.ravel())
    return np.fromiter(flat, np.uint8, words.size).reshape(words.shape), [*kinds]


def _framed(head: dict[str, Any]) -> bytes:
    """A header as JSON with its length, padded so that the numbers after it are aligned."""
    text = json.dumps(head).encode()
    text += b" " * (-(len(text) + 4) % 8)
    return struct.pack("<I", len(text)) + text


def unpacked(cube: Cube) -> dict[Index, str]:
    """Points that have just ended, which are in the driver's log before they are in the cube."""
    path = cube.place.state / LOG
    out: dict[Index, str] = {}
    with contextlib.suppress(sqlite3.Error), contextlib.closing(Log(path, read_only=True)) as log:
        for row in log.points(f"ended > {time.time() - _RECENT_S}"):
            where = cube.grid.position(row["labels"])
            if where is not None:
                out[where] = row["status"]
    return out
