"""Density of states rho and pair amplitude p, as weights on the lattice.

With W(E) = E Z(E) and phi(E) = Delta(E) Z(E), on the retarded branch Im R >= 0 of R = sqrt(W^2 - phi^2),

    rho(E) = Re[W / R] = Re[E / sqrt(E^2 - Delta^2)]  (Eq. (8) of arXiv:2603.18182),      p(E) = Re[phi / R].

Both diverge at the gap edge, which lies anywhere between two lattice points. Cell averages would put the states
of the edge's cell at its centre and err by h^1.5 (4 % of Delta at 0.9 Tc for Delta = 4 h). Instead each state is
shared between the lattice points around it: with hat_i the hats of linear interpolation,

    rho_i = (1/h) Int rho(x) hat_i(x) dx,      p_i = (1/h) Int p(x) hat_i(x) dx,

so that Sum_i rho_i g(E_i) h is the integral of rho times the piecewise linear g. Between two points W and phi are
linear (Delta is not: with damping it vanishes at E = 0 within Gamma, which h need not resolve); then R^2 is a
quadratic and Int x^k / R is elementary. The weights are continuous as the edge moves across the lattice; otherwise
the gap equation need not have a discrete solution. Hats are positive, so |p| <= rho survives and rates stay
positive. The coherence factors of quasiparticle-phonon scattering are rho rho' M1 = rho rho' - p p' and rho rho' M2
= rho rho' + p p' (Chang & Scalapino, PRB 15, 2651 (1977)): the paper's u, v taken real.
"""

import numba as nb
import numpy as np

from ..lattice import Array, Complex

_FAR, _FEW = 30.0, 20
"""Beyond |W| = _FAR |phi| and _FEW points R is expanded in phi / W and two Gauss points serve, to 1e-9."""
_NODES = (0.5 - 0.5 / np.sqrt(3.0), 0.5 + 0.5 / np.sqrt(3.0))
_SMOOTH = 0.2
"""Where R^2 changes by less than this between two points, three Gauss points serve, to 1e-8."""
_NODES_3 = (0.5 - 0.5 * np.sqrt(0.6), 0.5, 0.5 + 0.5 * np.sqrt(0.6))
_WEIGHTS_3 = (5 / 18, 8 / 18, 5 / 18)


@nb.njit(cache=True, error_model="numpy", inline="always")
def _root(W: complex, phi: complex) -> complex:
    """R = sqrt(W^2 - phi^2): outside the gap Re R has the sign of Re W, inside it Im R > 0."""
    Q = W * W - phi * phi
    if Q.real <= 0.0:
        return complex(1j * np.sqrt(-Q))
    return complex(np.sqrt(Q) if W.real >= 0.0 else -np.sqrt(Q))


@nb.njit(cache=True, error_model="numpy")
def _between(W: complex, W1: complex, phi: complex, phi1: complex) -> tuple[float, float, float, float]:
    """Int rho, Int y rho, Int p, Int y p over the interval between two points, y in [0, 1], where R is smooth.

    There the closed form can suffer cancellation (a vanishes for dW = dphi).
    """
    r0, r1, p0, p1 = 0.0, 0.0, 0.0, 0.0
    for y, weight in zip(_NODES_3, _WEIGHTS_3):  # noqa: B905
        Wy, Fy = W + y * (W1 - W), phi + y * (phi1 - phi)
        inverse = weight / _root(Wy, Fy)
        rho, p = (Wy * inverse).real, (Fy * inverse).real
        r0, r1, p0, p1 = r0 + rho, r1 + y * rho, p0 + p, p1 + y * p
    return r0, r1, p0, p1


@nb.njit(cache=True, error_model="numpy")
def _near(
    W: complex, W1: complex, phi: complex, phi1: complex, R: complex, R1: complex
) -> tuple[float, float, float, float]:
    """The same in closed form."""
    dW, dphi = W1 - W, phi1 - phi
    # R^2 = a y^2 + 2 b y + R(0)^2
    a, b = dW * dW - dphi * dphi, W * dW - phi * dphi
    s = np.sqrt(a)
    below = s * R + b
    if a == 0.0 or below == 0.0:
        # the closed form has no value if the slopes are equal or if a trial's W crosses E = 0
        return _between(W, W1, phi, phi1)
    J0 = np.log((s * R1 + a + b) / below) / s
    t = b / a
    J1 = (R1 - R) / a - t * J0
    J2 = 0.5 * (R1 / a - 3.0 * t * J1 - R * R / a * J0)
    return (
        (W * J0 + dW * J1).real,
        (W * J1 + dW * J2).real,
        (phi * J0 + dphi * J1).real,
        (phi * J1 + dphi * J2).real,
    )


@nb.njit(cache=True, error_model="numpy")
def _far(W: complex, W1: complex, phi: complex, phi1: complex) -> tuple[float, float, float, float]:
    """The same where phi / W is small."""
    r0, r1, p0, p1 = 0.0, 0.0, 0.0, 0.0
    for y in _NODES:
        q = (phi + y * (phi1 - phi)) / (W + y * (W1 - W))
        d = q * q
        root = 1.0 + d * (0.5 + d * (0.375 + 0.3125 * d))
        rho, p = root.real, (q * root).real
        r0, r1, p0, p1 = r0 + 0.5 * rho, r1 + 0.5 * y * rho, p0 + 0.5 * p, p1 + 0.5 * y * p
    return r0, r1, p0, p1


@nb.njit(cache=True, error_model="numpy")
def _deposit(omegaZ: Complex, phi: Complex, rho: Array, p: Array) -> None:
    """Share the states between lattice points among them, from the mirror image of the first point on."""
    N = phi.size
    W, F = -np.conj(omegaZ[0]), np.conj(phi[0])
    R = -np.conj(_root(omegaZ[0], phi[0]))
    for i in range(-1, N):
        j = min(i + 1, N - 1)
        W1, F1 = omegaZ[j], phi[j]
        R1 = _root(W1, F1)
        undamped = W.imag == 0.0 and W1.imag == 0.0 and F.imag == 0.0 and F1.imag == 0.0
        if j == i:  # the last half cell up to the window's end is taken as constant
            weight = (W / R).real, 0.0, (F / R).real, 0.0
            rho[i] += 0.5 * weight[0]
            p[i] += 0.5 * weight[2]
            break
        if F == 0.0 and F1 == 0.0:
            r0, r1, p0, p1 = 1.0, 0.5, 0.0, 0.0
        elif undamped and abs(W) <= abs(F) and abs(W1) <= abs(F1):
            r0, r1, p0, p1 = 0.0, 0.0, 0.0, 0.0
        elif i >= _FEW and abs(W) > _FAR * abs(F):
            r0, r1, p0, p1 = _far(W, W1, F, F1)
        elif i >= 0 and abs(R1 * R1 - R * R) < _SMOOTH * min(abs(R * R), abs(R1 * R1)):
            r0, r1, p0, p1 = _between(W, W1, F, F1)
        else:
            r0, r1, p0, p1 = _near(W, W1, F, F1, R, R1)
        if i >= 0:
            rho[i] += r0 - r1
            p[i] += p0 - p1
        rho[j] += r1
        p[j] += p1
        W, F, R = W1, F1, R1


def spectral_weights(omegaZ: Complex, phi: Complex) -> tuple[Array, Array]:
    """Weights of rho and p on the lattice.

    Args:
        omegaZ: E Z(E) at the cell centres, meV, complex, shape (N,); E itself for an undressed superconductor.
        phi: Pairing self-energy Delta Z at the cell centres, meV, complex, shape (N,).
    Returns:
        rho >= 0 and p with |p| <= rho, dimensionless, both shape (N,).
    """
    rho, p = np.zeros(phi.size), np.zeros(phi.size)
    _deposit(omegaZ, phi, rho, p)
    # values below zero are round-off
    np.maximum(rho, 0.0, out=rho)
    np.clip(p, -rho, rho, out=p)
    return rho, p


def between_points(E: Array, omegaZ: Complex, phi: Complex, h: float) -> tuple[Complex, Complex, Array]:
    """Delta, Z and the density of states N(E)/N(0) at any energies, with E Z and Delta Z linear between points.

    Below the first point both are continued by W(-E) = -W(E)*, phi(-E) = phi(E)*.

    Args:
        E: Energies, meV, positive, up to the last cell centre, any shape.
        omegaZ: E Z(E) at the cell centres, meV, complex, shape (N,).
        phi: Delta Z at the cell centres, meV, complex, shape (N,).
        h: Lattice spacing, meV.
    Returns:
        Delta (meV), Z and rho = Re[E / sqrt(E^2 - Delta^2)], each of E's shape; undamped, rho is infinite at the
        edge itself.
    """
    points = (np.arange(-1, phi.size) + 0.5) * h
    W = np.interp(E, points, np.concatenate([-np.conj(omegaZ[:1]), omegaZ]))
    F = np.interp(E, points, np.concatenate([np.conj(phi[:1]), phi]))
    Q = W * W - F * F
    below = Q.real <= 0.0
    root = np.where(below, 1j * np.sqrt(-Q), np.where(W.real >= 0.0, 1.0, -1.0) * np.sqrt(Q))
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = np.where(F == 0, 1.0, (W / root).real)
        return F * E / W, W / E, np.maximum(rho, 0.0)


@nb.njit(cache=True, error_model="numpy")
def _linear(omegaZ: Complex, phi: Complex, p: Array) -> None:
    N = phi.size
    W, F = -np.conj(omegaZ[0]), np.conj(phi[0])
    for i in range(-1, N - 1):
        W1, F1 = omegaZ[i + 1], phi[i + 1]
        d = W1 - W
        if i < _FEW:
            # Int y^k / (W + d y); undamped, the first interval's pole counts by its principal value
            K0 = np.log(np.abs(W1 / W)) / d if W.imag == 0.0 and W1.imag == 0.0 else np.log(W1 / W) / d
            K1 = (1.0 - W * K0) / d
            K2 = (0.5 - W * K1) / d
            p1 = (F * (K1 - K2) + F1 * K2).real
            p0 = (F * (K0 - 2.0 * K1 + K2) + F1 * (K1 - K2)).real
        else:
            p0, p1 = 0.0, 0.0
            for y in _NODES:
                q = 0.5 * ((F + y * (F1 - F)) / (W + y * d)).real
                p0, p1 = p0 + (1.0 - y) * q, p1 + y * q
        if i >= 0:
            p[i] += p0
        p[i + 1] += p1
        W, F = W1, F1
    p[N - 1] += 0.5 * (F / W).real


def linear_pair_amplitude(omegaZ: Complex, phi: Complex) -> Array:
    """p to first order in phi, Re[phi / W] shared as in `spectral_weights`, shape (N,).

    Args:
        omegaZ: E Z(E) of the normal state at the cell centres, meV, complex, shape (N,).
        phi: Pairing self-energy at the cell centres, meV, complex, shape (N,).
    """
    p = np.zeros(phi.size)
    _linear(omegaZ, phi, p)
    return p


def pair_ratio(rho: Array, p: Array) -> Array:
    """p / rho, shape (N,); one (its limit at the edge) inside the gap, zero without one.

    There are no states inside the gap, yet f is kept there: with the ratio's limit it relaxes like f at the edge
    and is meaningful when the gap closes and states reappear.
    """
    inside = rho < 1e-14
    return np.where(inside, 1.0, p / np.where(inside, 1.0, rho))


def gap_edge(Delta: Complex, h: float) -> float:
    """Gap edge, the highest E at which Re Delta(E) falls through E, meV; 0 if there is none.

    With damping Re Delta vanishes at E = 0, so that Re Delta(E) = E has a second root near zero, which is not an
    edge.

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
