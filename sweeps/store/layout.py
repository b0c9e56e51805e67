"""Layout of a cube: the sizes of inner chunks and shards.

Both are blocks of neighbouring points, short along material and T, so that points computed one after another, with
a common equilibrium, fill a shard. Lengths are powers of two and may exceed an axis, which may grow.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..ask.axes import Grid, Index

INNER_BYTES = 32 * 1024
SHARD_BYTES = 32 * 1024**2
SHARD_POINTS = 256
FEW_POINTS = 32
SUMMARY_POINTS = 8192
_OUTER = ("material", "T")


@dataclass(frozen=True)
class Layout:
    """Blocks over the sweep's dims.

    Args:
        shard: Points of one shard of a series; the unit that the driver packs.
        summary: Points of one chunk of a scalar.
    """

    shard: Index
    summary: Index

    def corner(self, index: Index) -> Index:
        """First index of the shard that holds `index`."""
        return tuple(i - i % n for i, n in zip(index, self.shard, strict=True))

    def counts(self, points: NDArray[np.bool_]) -> dict[Index, int]:
        """Number of points in each shard that has any, by its corner; `points` in the grid's shape."""
        shards = tuple(-(-n // size) for n, size in zip(points.shape, self.shard, strict=True))
        where = np.nonzero(points)
        blocks = tuple(i // size for i, size in zip(where, self.shard, strict=True))
        counts = np.bincount(np.ravel_multi_index(blocks, shards), minlength=math.prod(shards)).reshape(shards)
        corners = np.argwhere(counts) * self.shard
        return {tuple(corner): n for corner, n in zip(corners.tolist(), counts[counts > 0].tolist(), strict=True)}


def choose(grid: Grid, bytes_per_point: int) -> Layout:
    """Layout of a cube from the bytes per point of its largest output."""
    points = min(SHARD_POINTS, max(1, SHARD_BYTES // max(1, bytes_per_point)))
    return Layout(block(grid, points, outer=False), block(grid, SUMMARY_POINTS, outer=True))


def block(grid: Grid, points: int, *, outer: bool) -> Index:
    """Block of limited size, longest along the last axes.

    Material and T are not combined unless `outer` is set or the other axes have too few points for a file.
    """
    out = [1] * len(grid.axes)
    inner = [i for i, name in enumerate(grid.dims) if name not in _OUTER]
    room = max(1, points)
    for i in reversed(inner):
        room //= _fill(out, grid, i, room)
    if not outer:
        room = min(room, FEW_POINTS // math.prod(out))
    for i in reversed([i for i in range(len(out)) if i not in inner]):
        room //= _fill(out, grid, i, max(1, room))
    return tuple(out)


def _fill(out: list[int], grid: Grid, i: int, room: int) -> int:
    out[i] = _power(min(room, _power(grid.shape[i], up=True)))
    return out[i]


def inner_chunk(shard: Index, bytes_per_point: int) -> Index:
    """Block of about `INNER_BYTES` within a shard: at least one point, the last dims first."""
    out = [1] * len(shard)
    room = max(1, INNER_BYTES // max(1, bytes_per_point))
    for i in reversed(range(len(shard))):
        out[i] = min(shard[i], _power(room))
        room //= out[i]
    return tuple(out)


def _power(n: int, *, up: bool = False) -> int:
    """Power of two at or below n; at or above it if `up`."""
    return 1 << (math.ceil(math.log2(n)) if up else int(math.log2(max(1, n))))
