"""Limits on a plan, each checked before the large object is built."""

import math
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError
from ..text import short
from .axes import Grid
from .config import LONGEST, Refine


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Limits on a plan.

    Args:
        number: A whole number among the settings.
        axis: Values of an axis, or of a setting that is a list.
        point_bytes: Bytes of a point's outputs.
        points: Points; the config's own `limits.points` holds too.
    """

    number: int = 10_000_000
    axis: int = LONGEST
    point_bytes: int = 1024**3
    points: int = 2**62


def check_size(place: str, value: Any, bounds: Bounds) -> None:
    """Refuse a long list, and a whole number that may be used as a length and is too large.

    Raises:
        ConfigError: The list is too long or the number too large.
    """
    if isinstance(value, list | tuple):
        if len(value) > bounds.axis:
            raise ConfigError(f"`{place}` must have at most {bounds.axis} values. Got {len(value)}.")
    elif isinstance(value, int) and abs(value) > bounds.number:
        raise ConfigError(
            f"`{place}` must be at most {bounds.number}, like every whole number. Got {short(value)}."
        )


def check_bytes(each: int, bounds: Bounds) -> None:
    """Refuse points whose outputs are too large.

    Raises:
        ConfigError: The outputs of a point exceed the limit.
    """
    if each > bounds.point_bytes:
        raise ConfigError(
            f"a point's outputs must take at most {bounds.point_bytes} bytes. Got {each}; "
            "make `n_times` or the energies shorter."
        )


def largest(grid: Grid, refine: Refine | None) -> int:
    """Points of a grid, including those that refinement may add."""
    if refine is None:
        return grid.size
    grows = {refine.axis, refine.across}
    return math.prod(n + refine.budget * (dim in grows) for dim, n in zip(grid.dims, grid.shape, strict=True))


def check_points(points: int, limit: int) -> None:
    """Refuse a sweep with too many points.

    Raises:
        ConfigError: It has more than `limit`.
    """
    if points > limit:
        raise ConfigError(
            f"a sweep must have at most {limit} points, including those that `refine` may add. Got {points}. "
            f"Shorten its axes, or, if you want so many, set `limits.points`: --set limits.points={points}."
        )


def check_union(old: Grid, grid: Grid, limit: int, remedy: str) -> None:
    """Refuse a cube that would grow too large: its axes are the union of those of all its configs.

    Raises:
        ConfigError: It would have more points than `limit`.
    """
    if grid.size > max(limit, old.size):
        shape = ", ".join(f"{d} {n}" for d, n in zip(grid.dims, grid.shape, strict=True))
        raise ConfigError(
            f"the cube would grow to {grid.size} points ({shape}), over the limit of {limit}: it contains every "
            f"combination of the values of this config and of earlier ones. {remedy}"
        )
