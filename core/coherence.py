"""Density of states rho and pair amplitude p of a gap function, as weights on the lattice.

rho(E) = Re[E / sqrt(E^2 - Delta^2)], Eq. (8) of arXiv:2603.18182, and p(E) = Re[Delta / sqrt(E^2 - Delta^2)].
Both diverge at the gap edge, which lies anywhere within a cell. A sum over cell averages would put the states of
that cell at its centre and err by h^1.5 (4 % of Delta at 0.9 Tc for Delta = 4 h); instead each state is shared
between the two lattice points around it, so that Sum_i rho_i g(E_i) h is the integral of rho times the
piecewise linear g, exactly, for Delta constant within a cell:

    rho_i = (1/h) Int rho(x) hat_i(x) dx,   from   Int x/R = R,   Int x^2/R = (x R + Delta^2 ln(x + R)) / 2,
    p_i   = (1/h) Int p(x) hat_i(x) dx,     from   Int Delta/R = Delta ln(x + R),   Int x Delta/R = Delta R,

with R(x) = sqrt(x^2 - Delta^2) (principal branch). Hats are positive, so |p| <= rho survives and rates stay
positive. The coherence factors of quasiparticle-phonon scattering are rho rho' M1 = rho rho' - p p' and
rho rho' M2 = rho rho' + p p' (Chang & Scalapino, PRB 15, 2651 (1977)): the paper's u, v taken real.
"""

import numba as nb
import numpy as np

from .lattice import Array, Complex

_FAR, _FEW = 30.0, 20
"""Beyond _FAR |Delta| and _FEW cells the integrands are expanded and integrated by quadrature, both to 1e-9."""
_NODES = (0.5 - 0.5 / np.sqrt(3.0), 0.5 + 0.5 / np.sqrt(3.0))


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc]
def _near(D: complex, Rx: complex, Ry: complex, x: float, y: float) -> tuple[float, float, float, float]:
    """Int rho, Int x rho, Int p, Int x p over [x, y] for a constant Delta D, R known at both ends."""
    log = np.log((y + Ry) / (x + Rx))
    return (
        (Ry - Rx).real,
        0.5 * (y * Ry - x * Rx + D * D * log).real,
        (D * log).real,
        (D * (Ry - Rx)).real,
    )


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc]
def _far(D: complex, x: float) -> tuple[float, float, float, float]:
    """The same over [x, x + 1/2] where D / x is small."""
    r0, r1, p0, p1 = 0.0, 0.0, 0.0, 0.0
    for node in _NODES:
        z = x + 0.5 * node
        q = D * (1.0 / z)
        d = q * q
        root = 1.0 + d * (0.5 + d * (0.375 + 0.3125 * d))
        rho, p = root.real, (q * root).real
        r0, r1, p0, p1 = r0 + 0.25 * rho, r1 + 0.25 * z * rho, p0 + 0.25 * p, p1 + 0.25 * z * p
    return r0, r1, p0, p1


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc]
def _deposit(Delta: Complex, h: float, rho: Array, p: Array) -> None:
    """Add every half cell's states to the two lattice points around it; lengths in units of h."""
    N = Delta.size
    for i in range(N):
        D = Delta[i] / h
        size = abs(D)
        c = i + 0.5
        if D.imag == 0.0 and i + 1.0 <= size:
            continue
        near = size > 0.0 and (c < _FAR * size or i < _FEW)
        if near:
            Ra, Rc, Rb = np.sqrt(i * i - D * D), np.sqrt(c * c - D * D), np.sqrt((i + 1.0) ** 2 - D * D)
        for left in (True, False):
            if not near:
                r0, r1, p0, p1 = _far(D, i if left else c)
            elif left:
                r0, r1, p0, p1 = _near(D, Ra, Rc, i, c)
            else:
                r0, r1, p0, p1 = _near(D, Rc, Rb, c, i + 1.0)
            # the share of the neighbour is the distance from c
            sign = -1.0 if left else 1.0
            rn, pn = sign * (r1 - c * r0), sign * (p1 - c * p0)
            rho[i] += r0 - rn
            p[i] += p0 - pn
            j = i - 1 if left else i + 1
            if j < 0:  # the mirror image of the first cell is itself: rho even, p odd
                rho[0] += rn
                p[0] -= pn
            elif j < N:
                rho[j] += rn
                p[j] += pn
            else:  # nothing lies beyond the window: the last cell keeps its own
                rho[i] += rn
                p[i] += pn


def spectral_weights(Delta: Complex, h: float) -> tuple[Array, Array]:
    """Weights of rho and p on the lattice for a gap function.

    Args:
        Delta: Gap function at the cell centres, meV, complex, shape (N,).
        h: Lattice spacing, meV.
    Returns:
        rho >= 0 and p with |p| <= rho, dimensionless, both shape (N,).
    """
    rho, p = np.zeros(Delta.size), np.zeros(Delta.size)
    _deposit(Delta, h, rho, p)
    np.clip(p, -rho, rho, out=p)
    return rho, p


def pair_weights(N: int, h: float) -> Array:
    """p / Delta for Delta -> 0, 1/meV, shape (N,): the hats' integrals of 1 / E."""
    c = np.arange(N) + 0.5

    def xlogx(x: Array) -> Array:
        return x * np.log(x)

    lower = np.where(c > 1, xlogx(np.maximum(c - 1, 0.5)), 0.0)
    weights = xlogx(c + 1) + lower - 2 * xlogx(c)
    weights[0] = 1.5 * np.log(3.0)
    return weights / h


def pair_ratio(rho: Array, p: Array) -> Array:
    """p / rho, shape (N,); one (its limit at the edge) inside the gap, zero without one.

    No state lies inside the gap, yet f is carried there: with the ratio's limit it relaxes like f at the edge and
    is sensible when the gap closes and states reappear.
    """
    inside = rho < 1e-14
    return np.where(inside, 1.0, p / np.where(inside, 1.0, rho))


def gap_edge(Delta: Complex, h: float) -> float:
    """Gap edge, the lowest E with Re Delta(E) = E, meV; 0 where there is none.

    Args:
        Delta: Gap function at the cell centres, meV, complex, shape (N,).
        h: Lattice spacing, meV.
    """
    E = (np.arange(Delta.size) + 0.5) * h
    excess = Delta.real - E
    if excess[0] <= 0.0:  # a gap below half a cell
        return max(float(Delta[0].real), 0.0)
    i = int(np.argmax(excess <= 0.0))
    return float(E[i - 1] + h * excess[i - 1] / (excess[i - 1] - excess[i])) if i else float(E[-1])
