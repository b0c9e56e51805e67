"""Density of states rho and pair amplitude p of a gap function, as weights on the lattice.

rho(E) = Re[E / sqrt(E^2 - Delta^2)], Eq. (8) of arXiv:2603.18182, and p(E) = Re[Delta / sqrt(E^2 - Delta^2)].
Both diverge at the gap edge, which lies anywhere between two lattice points. Cell averages would put the states of
the edge's cell at its centre and err by h^1.5 (4 % of Delta at 0.9 Tc for Delta = 4 h). Instead each state is shared
between the lattice points around it: with hat_i(x) the linear interpolation's hats,

    rho_i = (1/h) Int rho(x) hat_i(x) dx,      p_i = (1/h) Int p(x) hat_i(x) dx,

so that Sum_i rho_i g(E_i) h is the integral of rho times the piecewise linear g. Between two points Delta^2 and Delta
are taken linear; then R^2 = x^2 - Delta^2 is a quadratic and Int x^k / R is elementary. The weights are continuous
in Delta as the edge moves across the lattice, without which the gap equation need not have a discrete solution.
Hats are positive, so |p| <= rho survives and rates stay positive. The coherence factors of quasiparticle-phonon
scattering are rho rho' M1 = rho rho' - p p' and rho rho' M2 = rho rho' + p p' (Chang & Scalapino, PRB 15, 2651
(1977)): the paper's u, v taken real.
"""

import numba as nb
import numpy as np

from .lattice import Array, Complex

_FAR, _FEW = 30.0, 20
"""Beyond _FAR |Delta| and _FEW points the integrands are smooth and two Gauss points serve, to 1e-9."""
_NODES = (0.5 - 0.5 / np.sqrt(3.0), 0.5 + 0.5 / np.sqrt(3.0))


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc]
def _near(x: float, D: complex, D_next: complex, R: complex, R_next: complex) -> tuple[float, float, float, float]:
    """Int rho, Int y rho, Int p, Int y p over y in [0, 1], E = x + y: all lengths in units of h."""
    slope = D_next - D
    half = x - 0.5 * (D_next * D_next - D * D)
    J0 = np.log((1.0 + half + R_next) / (half + R))
    J1 = R_next - R - half * J0
    J2 = 0.5 * R_next - 1.5 * half * (R_next - R) + (1.5 * half * half - 0.5 * R * R) * J0
    return (x * J0 + J1).real, (x * J1 + J2).real, (D * J0 + slope * J1).real, (D * J1 + slope * J2).real


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc]
def _far(x: float, D: complex, D_next: complex) -> tuple[float, float, float, float]:
    """The same where Delta / E is small."""
    r0, r1, p0, p1 = 0.0, 0.0, 0.0, 0.0
    for y in _NODES:
        q = (D + y * (D_next - D)) * (1.0 / (x + y))
        d = q * q
        root = 1.0 + d * (0.5 + d * (0.375 + 0.3125 * d))
        rho, p = root.real, (q * root).real
        r0, r1, p0, p1 = r0 + 0.5 * rho, r1 + 0.5 * y * rho, p0 + 0.5 * p, p1 + 0.5 * y * p
    return r0, r1, p0, p1


@nb.njit(cache=True, error_model="numpy")  # type: ignore[misc]
def _deposit(Delta: Complex, h: float, rho: Array, p: Array) -> None:
    """Share the states between lattice points among them; lengths in units of h."""
    N = Delta.size
    D = Delta[0] / h
    R = np.sqrt(0.25 - D * D)
    # from 0 to E_0: rho is even and p odd, so the mirror image's share is p's with weight E / E_0
    if D == 0.0:
        rho[0] = 0.5
    elif D.imag != 0.0 or abs(D.real) < 0.5:
        edge = np.sqrt(-D * D)
        rho[0] = (R - edge).real
        p[0] = 2.0 * (D * (R - edge)).real
    for i in range(N):
        x = i + 0.5
        D_next = Delta[i + 1] / h if i + 1 < N else D
        R_next = np.sqrt((x + 1.0) ** 2 - D_next * D_next)
        inside = D.imag == 0.0 and D_next.imag == 0.0 and abs(D.real) >= x and abs(D_next.real) >= x + 1.0
        if not inside:
            if abs(D) > 0.0 and (x < _FAR * abs(D) or i < _FEW):
                r0, r1, p0, p1 = _near(x, D, D_next, R, R_next)
            else:
                r0, r1, p0, p1 = _far(x, D, D_next)
            rho[i] += r0 - r1
            p[i] += p0 - p1
            if i + 1 < N:
                rho[i + 1] += r1
                p[i + 1] += p1
            else:  # half a cell is left up to the window's end
                rho[i] += r1 - 0.5 * r0
                p[i] += p1 - 0.5 * p0
        D, R = D_next, R_next


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
    # round-off, and Delta's own change of branch inside the gap
    np.maximum(rho, 0.0, out=rho)
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
    """Gap edge, the highest E at which Re Delta(E) falls through E, meV; 0 where it does so nowhere.

    With damping Re Delta vanishes at E = 0, so that Re Delta(E) = E has a second root near zero: not an edge.

    Args:
        Delta: Gap function at the cell centres, meV, complex, shape (N,).
        h: Lattice spacing, meV.
    """
    E = (np.arange(Delta.size) + 0.5) * h
    excess = Delta.real - E
    (falls,) = np.nonzero((excess[:-1] > 0.0) & (excess[1:] <= 0.0))
    if falls.size == 0:
        return 0.0
    i = int(falls[-1])
    return float(E[i] + h * excess[i] / (excess[i] - excess[i + 1]))
