"""Axes of a sweep and their product: labels, positions, and extension of a grid by another."""

import functools
import itertools
import math
import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.quantities import AXES, DIMS
from ..errors import ConfigError, ContradictionError

Scalar = str | float | int | bool
Labels = dict[str, Any]
Index = tuple[int, ...]

FIRST = tuple(AXES)
"""The five axes of every point, in the cube's order; further axes follow them."""

OWN = tuple(DIMS)
"""Dims of variables that are no axes of the sweep."""


def key(value: Any) -> Any:
    """Key of a label: numbers that agree to twelve digits are the same label."""
    if isinstance(value, bool):
        return str(value)
    return float(f"{value:.12g}") if isinstance(value, int | float) else value


def same(a: Any, b: Any) -> bool:
    """True if two labels are the same."""
    return bool(key(a) == key(b))


@dataclass(frozen=True)
class Axis:
    """One dim of the cube.

    Args:
        name: Name of the dim and of its label.
        values: Labels, distinct.
        followers: Zipped quantities: name -> one value per label; coordinates along this dim, not dims.
    """

    name: str
    values: tuple[Scalar, ...]
    followers: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the labels and the followers."""
        if not self.values:
            raise ConfigError(f"`axes.{self.name}` must have at least one value. Got none.")
        if len(self.where) < len(self.values):
            twice = next(v for i, v in enumerate(self.values) if self.where[key(v)] != i)
            raise ConfigError(
                f"`axes.{self.name}` must have distinct values. Got {twice!r} twice; "
                "in a zip, name the axis with distinct values first."
            )
        for name, values in self.followers.items():
            if len(values) != len(self.values):
                raise ConfigError(
                    f"`zip` of {self.name} and {name} needs equal lengths. "
                    f"Got {len(self.values)} and {len(values)} values."
                )

    @functools.cached_property
    def where(self) -> dict[Any, int]:
        """Position of each label, by its key."""
        return {key(value): i for i, value in enumerate(self.values)}

    def at(self, i: int) -> Labels:
        """Label and followers at position i."""
        return {self.name: self.values[i], **{k: v[i] for k, v in self.followers.items()}}


@dataclass(frozen=True)
class Grid:
    """Product of axes, in the cube's order of dims."""

    axes: tuple[Axis, ...]

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dims."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> Index:
        """Number of values along each dim."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def names(self) -> set[str]:
        """Names of the axes and of all quantities zipped with them."""
        return {name for axis in self.axes for name in (axis.name, *axis.followers)}

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    def labels(self, index: Index) -> Labels:
        """Labels and followers of the point at `index`."""
        out: Labels = {}
        for axis, i in zip(self.axes, index, strict=True):
            out |= axis.at(i)
        return out

    def position(self, labels: Mapping[str, Any]) -> Index | None:
        """Index of the point with these labels; None if the grid has no such point."""
        try:
            return tuple(axis.where[key(labels[axis.name])] for axis in self.axes)
        except KeyError:
            return None

    def indices(self) -> Iterator[Index]:
        """Every index, last dim fastest."""
        return boxes(self.shape, (1,) * len(self.axes))


def boxes(shape: Index, step: Index, order: Index | None = None) -> Iterator[Index]:
    """Corners of the blocks of size `step` that tile `shape`, the dims in `order` slowest first."""
    order = order or tuple(range(len(shape)))
    corner = [0] * len(shape)

    def walk(level: int) -> Iterator[Index]:
        if level == len(order):
            yield tuple(corner)
            return
        dim = order[level]
        for start in range(0, shape[dim], step[dim]):
            corner[dim] = start
            yield from walk(level + 1)

    yield from walk(0)


def extend(old: Axis, new: Axis) -> Axis:
    """The old axis, extended by the new values.

    Raises:
        ContradictionError: A zipped value differs for a label that both have.
    """
    if set(old.followers) != set(new.followers):
        raise ContradictionError(
            f"axis `{old.name}` is zipped with {sorted(old.followers) or 'nothing'} in the store "
            f"and {sorted(new.followers) or 'nothing'} in the config."
        )
    kinds = ["words" if isinstance(axis.values[0], str) else "numbers" for axis in (old, new)]
    if kinds[0] != kinds[1]:
        raise ContradictionError(f"axis `{old.name}` holds {kinds[0]} in the store and {kinds[1]} in the config.")
    added = []
    for i, value in enumerate(new.values):
        j = old.where.get(key(value))
        if j is None:
            added.append(i)
            continue
        for name, values in new.followers.items():
            if not same(values[i], old.followers[name][j]):
                raise ContradictionError(
                    f"`{name}` at {old.name}={value!r} is {old.followers[name][j]!r} in the store "
                    f"and {values[i]!r} in the config."
                )
    return Axis(
        old.name,
        old.values + tuple(new.values[i] for i in added),
        {k: v + tuple(new.followers[k][i] for i in added) for k, v in old.followers.items()},
    )


def union(old: Grid, new: Grid) -> Grid:
    """Grid of a cube that contains both `old` and `new`.

    Raises:
        ContradictionError: The dims differ, or a zipped value does.
    """
    if old.dims != new.dims:
        raise ContradictionError(f"the store has dims {', '.join(old.dims)}; the config has {', '.join(new.dims)}.")
    return Grid(tuple(extend(a, b) for a, b in zip(old.axes, new.axes, strict=True)))


def embed(inner: Grid, outer: Grid) -> tuple[tuple[int, ...], ...]:
    """Positions of the inner grid's labels along each dim of the outer grid."""
    return tuple(
        tuple(b.where[key(value)] for value in a.values) for a, b in zip(inner.axes, outer.axes, strict=True)
    )


def thinned(axes: list[Axis], most: int) -> list[Axis]:
    """The axes; with more than `most` combinations, fewer values of each, evenly spread, both ends included."""
    if math.prod(len(axis.values) for axis in axes) <= most:
        return axes
    each = int(most ** (1 / len(axes)))
    chosen = [sorted({round(i * (len(a.values) - 1) / (each - 1)) for i in range(each)}) for a in axes]
    return [
        Axis(a.name, tuple(a.values[i] for i in at), {k: tuple(v[i] for i in at) for k, v in a.followers.items()})
        for a, at in zip(axes, chosen, strict=True)
    ]


def combinations(axes: Iterable[Axis]) -> Iterator[Labels]:
    """Labels of each combination of the axes' values; one empty combination for no axes."""
    for each in itertools.product(*([axis.at(i) for i in range(len(axis.values))] for axis in axes)):
        yield functools.reduce(operator.or_, each, {})


def flat_order(grid: Grid) -> Index:
    """Order of dims for computation, slowest first: material and T lead, so that equilibria are reused."""
    return tuple(sorted(range(len(grid.axes)), key=lambda i: grid.dims[i] not in ("material", "T")))
