r"""Pairs of cells at the gap edge, where a product of two cell averages is not the average of the product.

Near its edge, E_g = Delta(E_g), a Green function is a smooth amplitude times s(E) = (E - E_g)^(-1/2). The
cell averages carry one such factor exactly; where both factors of g(E + omega) g(E) are singular (omega below
a few h, and omega near 2 E_g) the product of averages is off by several percent. Products of two inverse
square roots integrate in closed form, so those few pairs are replaced by amplitudes times exact averages of s
s'; the occupation of the edge cells counts as linear in E.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cells import STEEPEST_SLOPE, gap_at_boundaries
from .fresnel import Array, ComplexArray

Index = NDArray[np.int64]

NEAR = 4
"""Cells on either side of the edge that count as near it; beyond, s is smooth on the scale of a cell."""
FAR = 64
"""Largest photon energy, in cells, at which both factors of a pair follow s; above, one of them is linear."""
# Moves the edge off the lattice, where the logarithms diverge (2 E_g = k h, E_g = i h); in units of h.
_NUDGE = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Edge:
    """The gap edge on the lattice.

    Args:
        cell: Cell that contains the edge.
        energy: Edge E_g, meV, complex where the states are damped.
        slope: Re dDelta/dE at the edge.
        root: sqrt(E - E_g) at the cell boundaries, shape (cells + 1,).
        s: Averages of (E - E_g)^(-1/2) over the cells, shape (cells,).
    """

    cell: int
    energy: complex
    slope: float
    root: ComplexArray
    s: ComplexArray


def find_edge(Delta: ComplexArray, h: float) -> Edge | None:
    """First crossing of Re Delta(E) = E; None below two cells, above the window, or for a steep Delta."""
    boundary = gap_at_boundaries(Delta).real
    above = np.arange(len(Delta) + 1) * h - boundary
    crossings = np.flatnonzero((above[:-1] < 0) & (above[1:] >= 0))
    if not crossings.size:
        return None
    c = int(crossings[0])
    if c < 2 or c + NEAR + 1 + min(FAR, c // 2) >= len(Delta):
        return None
    slope = float((boundary[c + 1] - boundary[c]) / h)
    if abs(slope) > STEEPEST_SLOPE:
        return None
    offset = -above[c] / (above[c + 1] - above[c])
    damping = min(Delta[c].imag / (1 - slope), 0.0)
    energy = complex((c + offset - _NUDGE) * h, damping - _NUDGE * h)
    root = np.sqrt(np.arange(len(Delta) + 1) * h - energy)
    return Edge(cell=c, energy=energy, slope=slope, root=root, s=2 * np.diff(root) / h)


def _pair(P: ComplexArray, Q: ComplexArray, up: Array, down: Array) -> ComplexArray:
    """One pair's [(h' - h) P + h' Q* - h Q] / 2 with P = g' g* + q' q*, Q = g' g + q' q."""
    return np.asarray(0.5 * ((up - down) * P + up * Q.conj() - down * Q))


def _gather(k: Index, pair: ComplexArray, N: int) -> ComplexArray:
    """Sum of the pairs into bins k < N."""
    total = np.bincount(k, pair.real, minlength=N) + 1j * np.bincount(k, pair.imag, minlength=N)
    return np.asarray(total[:N])


def _reach(edge: Edge, N: int) -> int:
    """Largest photon energy, in cells, to which `same_edge` applies: half of the gap at most."""
    return min(FAR, edge.cell // 2, N - 1)


def occupation_slope(edge: Edge, h_f: Array) -> Array:
    """Difference of h_f between cells; forward at and below the edge, where the occupation has no meaning."""
    slope = np.gradient(h_f)
    slope[: edge.cell + 1] = np.diff(h_f[: edge.cell + 2])
    return slope


def same_edge(edge: Edge, g: ComplexArray, q: ComplexArray, h_f: Array, h: float, N: int) -> ComplexArray:
    """Correction to sum_i (X' g* + Y' q* - X g' - Y q') from pairs near the edge E_g > 0.

    X = h rho and Y = h p; primed quantities at E + omega.

    Args:
        edge: From `find_edge`.
        g: Cell averages of g, shape (cells,).
        q: Cell averages of q, same shape.
        h_f: 1 - 2 f in the cells, same shape.
        h: Lattice spacing, meV.
        N: Number of photon energies k h, k = 0..N-1.
    Returns:
        Correction for each k, shape (N,).
    """
    near = np.arange(max(edge.cell - NEAR, 0), edge.cell + NEAR + 1)[:, None]
    k = np.arange(1, _reach(edge, N) + 1)
    partner = near - k
    below = (partner >= 0) & (partner < near[0])
    i = np.concatenate([(near + 0 * k).ravel(), partner[below]])
    j = np.concatenate([(near + k).ravel(), (near + 0 * k)[below]])
    ends = edge.root[i], edge.root[i + 1], edge.root[j], edge.root[j + 1]
    conjugate, plain = ends[0].conj(), ends[1].conj()
    G, F = g / edge.s, q / edge.s
    amplitude_P = G[j] * G[i].conj() + F[j] * F[i].conj()
    amplitude_Q = G[j] * G[i] + F[j] * F[i]
    log_P = 2 * np.log((ends[3] + plain) / (ends[2] + conjugate))
    log_Q = 2 * np.log((ends[3] + ends[1]) / (ends[2] + ends[0]))
    P = (log_P / h - edge.s[j] * edge.s[i].conj()) * amplitude_P
    Q = (log_Q / h - edge.s[j] * edge.s[i]) * amplitude_Q
    # First moments about the cell's centre, for the slope of the occupation: f(E) - f(E + omega) at one
    # offset.
    upper, centre = edge.energy - (j - i) * h, (i + 0.5) * h
    moment_P = ends[3] * plain - ends[2] * conjugate + ((upper + np.conj(edge.energy)) / 2 - centre) * log_P
    moment_Q = ends[3] * ends[1] - ends[2] * ends[0] + ((upper + edge.energy) / 2 - centre) * log_Q
    slope = occupation_slope(edge, h_f)
    tilt = _pair(moment_P / h**2 * amplitude_P, moment_Q / h**2 * amplitude_Q, slope[j], slope[i])
    return _gather(j - i, _pair(P, Q, h_f[j], h_f[i]) + tilt, N)


def edge_and_far(edge: Edge, g: ComplexArray, q: ComplexArray, h_f: Array, h: float, N: int) -> ComplexArray:
    """Correction to this sum from a cell at an edge paired with one far from any edge, where g and q are linear.

    The first moment of the singular factor multiplies the slopes of the other factor and of the occupation.
    Arguments and result as in `same_edge`, which covers the smaller photon energies.
    """
    near = np.arange(edge.cell - 2, edge.cell + 3)
    cells = min(len(g), N + near[-1] + 1)
    g, q, h_f = g[:cells], q[:cells], h_f[:cells]
    root = edge.root[near[0] : near[-1] + 2]
    moment = np.diff(root**3) * 2 / 3 + (edge.energy - (near + 0.5) * h) * np.diff(root) * 2
    moment_g, moment_q = (x[near] / edge.s[near] * moment / h**2 for x in (g, q))
    slope = occupation_slope(edge, h_f)
    dg, dq = np.gradient(g), np.gradient(q)
    # Values and changes from cell to cell of the factors of the moments; g* and q* at E < 0 are g and -q
    # at -E.
    far = np.array([dg, dq, g, q, h_f * dg.real + slope * g.real, h_f * dq.real + slope * q.real])
    far[:, max(edge.cell - NEAR, 0) : edge.cell + NEAR + 1] = 0  # pairs of two edges are treated elsewhere
    signs = np.array([-1, 1, 1, -1, 1, -1])[:, None]
    far = np.concatenate([signs * far[:, ::-1].conj(), far], axis=1)
    first = _reach(edge, N) + 1
    out = np.zeros(N, dtype=complex)
    for m_g, m_q, i in zip(moment_g, moment_q, near, strict=True):
        m = np.array([m_g, m_q])
        weights = np.concatenate([h_f[i] * m.real, slope[i] * m.real]) + 0j
        above = far[:, cells + i + first : cells + i + N]
        out[first : first + above.shape[1]] += m.conj() @ above[4:] - weights @ above[:4]
        below = far[:, cells + i - N + 1 : cells + i - first + 1]
        out[first:] += ((weights @ below[:4]).conj() - m @ below[4:])[::-1]
    return out


def opposite_edges(
    edge: Edge, Delta: ComplexArray, g: ComplexArray, q: ComplexArray, h_f: Array, h: float, N: int
) -> ComplexArray:
    """Correction to the same sum from pairs across the gap, E near -E_g and E + omega near E_g.

    There the coherence factor E E' - Delta Delta' vanishes as omega - 2 E_g, which products of cell averages
    violate: a gapped film would absorb just below 2 E_g. At the cells' centres it is exact. Arguments as in
    `same_edge`, with Delta at the cell centres, meV, shape (cells,).
    """
    near = np.arange(max(edge.cell - NEAR, 0), edge.cell + NEAR + 1)
    j, i = (x.ravel() for x in np.meshgrid(near, near))
    k = i + j + 1  # E' = E_j and E = -E_i
    inside = k < N
    i, j, k = i[inside], j[inside], k[inside]
    E = (np.arange(len(Delta)) + 0.5) * h
    norm = np.sqrt((1 - edge.slope) * (E + Delta))
    G, F = E / norm, Delta / norm
    start, stop = 1j * edge.root[j], 1j * edge.root[j + 1]
    first, last = edge.root[i + 1], edge.root[i]
    exact_P = -2j / h * np.log((stop + last) / (start + first))
    exact_Q = -2j / h * np.log((stop + last.conj()) / (start + first.conj()))
    P = exact_P * (G[j] * G[i] - F[j] * F[i]) - (g[j] * g[i] - q[j] * q[i])
    Q = exact_Q * (G[j] * G[i].conj() - F[j] * F[i].conj()) - (g[j] * g[i].conj() - q[j] * q[i].conj())
    # Each of these pairs is its own mirror image, unlike those at one edge, which count twice.
    return _gather(k, _pair(P, Q, h_f[j], -h_f[i]), N) / 2
