r"""Green functions of a superconductor as averages over lattice cells.

    g(E) = E / sqrt(E^2 - Delta^2),   q(E) = Delta / sqrt(E^2 - Delta^2),   rho = Re g,   p = Re q,

retarded, E > 0. Delta is taken as linear in each cell, continuous from cell to cell: with Delta = c + s E the
radicand is a quadratic in E and both averages have closed forms; for s = 0 they are those of a constant
Delta. Continuity matters at the gap edge: with a constant Delta in each cell the edge E = Delta can fall
between two cells, or into both, and the condensate is then lost or counted twice.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .fresnel import Array, ComplexArray

BoolArray = NDArray[np.bool_]

STEEPEST_SLOPE = 0.5
"""Largest |dDelta/dE| treated as linear: the closed form loses digits where 1 - s^2 vanishes."""

_TINY = 1e-300


def below_edge(Delta: ComplexArray, E: ArrayLike) -> BoolArray:
    """True at energies below the first E >= Re Delta(E), where the film has its gap; increasing E, same shape."""
    return np.asarray(np.cumsum(np.asarray(E) - np.real(Delta) >= 0) == 0)


def retarded_sqrt(z: ComplexArray, gapped: BoolArray) -> ComplexArray:
    """Square root of E^2 - Delta^2 on the retarded branch.

    Above the edge it is the principal one, with Re > 0. In the gap it is cut along the negative imaginary axis
    instead: there it is +i |z|^(1/2), and a rounding error in Im z must not flip the sign of Im g.
    """
    root = np.sqrt(z)
    return np.asarray(np.where(gapped & (root.real < -root.imag), -root, root))


def gap_at_boundaries(Delta: ComplexArray) -> ComplexArray:
    """Delta at the cell boundaries j h, j = 0..N: means of neighbours, Re Delta at zero energy."""
    inner = (Delta[1:] + Delta[:-1]) / 2
    return np.concatenate([Delta[:1].real + 0j, inner, Delta[-1:]])


def cell_averages(Delta: ComplexArray, h: float) -> tuple[ComplexArray, ComplexArray]:
    """Averages of g and q over the cells [i h, (i + 1) h].

    Args:
        Delta: Gap function at the cell centres (i + 1/2) h, meV, shape (N,).
        h: Lattice spacing, meV.
    Returns:
        (g, q), dimensionless, complex, shape (N,).
    """
    a = np.arange(len(Delta)) * h
    b = a + h
    edges = gap_at_boundaries(Delta)
    s = np.diff(edges) / h
    flat = np.abs(s) > STEEPEST_SLOPE
    s[flat] = 0.0
    c = np.where(flat, Delta, edges[:-1] - s * a)
    A = 1 - s**2
    root_A = np.sqrt(A)
    gapped = below_edge(edges, np.append(a, b[-1]))
    root_a = retarded_sqrt(a**2 - (c + s * a) ** 2, gapped[:-1])
    # A cell that holds the edge ends above it; steep cells keep one branch throughout.
    root_b = retarded_sqrt(b**2 - (c + s * b) ** 2, gapped[1:] | (gapped[:-1] & (b < c.real)))
    # int dE / sqrt(A E^2 - 2 c s E - c^2) over the cell.
    log = np.log((A * b - c * s + root_A * root_b) / (A * a - c * s + root_A * root_a + _TINY)) / root_A
    first = (root_b - root_a + c * s * log) / A
    return first / h, (c * log + s * first) / h


def whole_axis(odd: Array, even: Array) -> Array:
    """Rows `odd` and `even`, each (rows, N) at E > 0, continued to E < 0: (2 rows, 2 N)."""
    return np.concatenate(
        [np.concatenate([-odd[:, ::-1], odd], axis=1), np.concatenate([even[:, ::-1], even], axis=1)]
    )
