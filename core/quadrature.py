"""Integrals of functions that are linear between the points of a grid."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)


def gauss_points(edges: Array) -> tuple[Array, Array]:
    """Gauss-Legendre points and weights, six for each interval of a grid.

    Args:
        edges: Increasing grid, any unit, shape (K,).

    Returns:
        Points and weights, same unit, each of shape (6 (K - 1),).
    """
    half = np.diff(edges) / 2.0
    points = edges[:-1, None] + half[:, None] * (1.0 + _NODES)
    return points.ravel(), (half[:, None] * _WEIGHTS).ravel()


def hat_integrals(points: Array, values: Array, h: float, M: int) -> Array:
    """Integrals of a function against the hat functions of the lattice j h, with the hat at zero assigned to j = 1.

    Args:
        points: Quadrature points, shape (P,), between 0 and M h.
        values: Function times quadrature weight there, shape (P,).
        h: Lattice spacing, unit of `points`.
        M: Last lattice index, >= 1.

    Returns:
        Shape (M + 1,); the first is zero and the sum is that of `values`.
    """
    j = np.minimum((points / h).astype(np.intp), M - 1)
    upper = points / h - j
    out = np.zeros(M + 1)
    np.add.at(out, j, values * (1.0 - upper))
    np.add.at(out, j + 1, values * upper)
    out[1] += out[0]
    out[0] = 0.0
    return out
