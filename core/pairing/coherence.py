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

_FAR, _MIDDLE, _FEW = 30.0, 8.0, 20
"""Beyond _FEW points R is expanded in (phi / W)^2: to sixth order at three Gauss points from where |W| > _MIDDLE
|phi| for good, to third order at two from where |W| > _FAR |phi|; to 1e-9."""
NO_STATES = 1e-14
"""A weight rho below this is no state: round-off inside the gap."""
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
    """Int rho, Int y rho, Int p, Int y p over an interval as in `_between`, in closed form."""
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
def _far_from(omegaZ: Complex, phi: Complex, factor: float) -> int:
    """Index of the first point, at least _FEW, from which on |W| > factor |phi|."""
    for i in range(phi.size - 1, _FEW - 1, -1):
        W, F = omegaZ[i], phi[i]
        if not W.real * W.real + W.imag * W.imag > factor * factor * (F.real * F.real + F.imag * F.imag):
            return i + 1
    return _FEW


@nb.njit(cache=True, error_model="numpy")
def _expand(omegaZ: Complex, phi: Complex, first: int, last: int, parts: Array) -> None:
    """Int rho, Int y rho, Int p, Int y p over the intervals after points `first` to `last` - 1, in `parts` (4, N).

    Where phi / W is small: R is expanded to sixth order in (phi / W)^2, at three points.
    """
    # only a loop from zero, whose indices cannot be negative, becomes vector instructions: five times as fast
    below, above = slice(first, last), slice(first + 1, last + 1)
    r0s, r1s, p0s, p1s = parts[0, below], parts[1, below], parts[2, below], parts[3, below]
    Ws, W1s, Fs, F1s = omegaZ[below], omegaZ[above], phi[below], phi[above]
    for i in range(Ws.size):
        W, W1, F, F1 = Ws[i], W1s[i], Fs[i], F1s[i]
        r0, r1, p0, p1 = 0.0, 0.0, 0.0, 0.0
        for k in range(3):
            y, weight = _NODES_3[k], _WEIGHTS_3[k]
            a, b = W.real + y * (W1.real - W.real), W.imag + y * (W1.imag - W.imag)
            c, e = F.real + y * (F1.real - F.real), F.imag + y * (F1.imag - F.imag)
            scale = 1.0 / (a * a + b * b)
            q, s = (c * a + e * b) * scale, (e * a - c * b) * scale
            u, v = q * q - s * s, 2.0 * q * s
            # 1 / sqrt(1 - d) for d = u + i v, by Horner's rule
            x, z = 231.0 / 1024.0, 0.0
            for term in (63.0 / 256.0, 35.0 / 128.0, 5.0 / 16.0, 3.0 / 8.0, 0.5, 1.0):
                x, z = term + x * u - z * v, x * v + z * u
            rho, p = weight * x, weight * (q * x - s * z)
            r0, r1, p0, p1 = r0 + rho, r1 + y * rho, p0 + p, p1 + y * p
        r0s[i], r1s[i], p0s[i], p1s[i] = r0, r1, p0, p1


@nb.njit(cache=True, error_model="numpy")
def _expand_far(omegaZ: Complex, phi: Complex, first: int, last: int, parts: Array) -> None:
    """Integrals as in `_expand`, to third order at two points."""
    below, above = slice(first, last), slice(first + 1, last + 1)
    r0s, r1s, p0s, p1s = parts[0, below], parts[1, below], parts[2, below], parts[3, below]
    Ws, W1s, Fs, F1s = omegaZ[below], omegaZ[above], phi[below], phi[above]
    for i in range(Ws.size):
        W, W1, F, F1 = Ws[i], W1s[i], Fs[i], F1s[i]
        r0, r1, p0, p1 = 0.0, 0.0, 0.0, 0.0
        for k in range(2):
            y = _NODES[k]
            a, b = W.real + y * (W1.real - W.real), W.imag + y * (W1.imag - W.imag)
            c, e = F.real + y * (F1.real - F.real), F.imag + y * (F1.imag - F.imag)
            scale = 1.0 / (a * a + b * b)
            q, s = (c * a + e * b) * scale, (e * a - c * b) * scale
            u, v = q * q - s * s, 2.0 * q * s
            x, z = 0.3125, 0.0
            for term in (0.375, 0.5, 1.0):
                x, z = term + x * u - z * v, x * v + z * u
            rho, p = 0.5 * x, 0.5 * (q * x - s * z)
            r0, r1, p0, p1 = r0 + rho, r1 + y * rho, p0 + p, p1 + y * p
        r0s[i], r1s[i], p0s[i], p1s[i] = r0, r1, p0, p1


@nb.njit(cache=True, error_model="numpy", inline="always")
def _is_smooth(R: complex, R1: complex) -> bool:
    """Return whether R^2 changes little between two points."""
    Q, Q1 = R * R, R1 * R1
    d = Q1 - Q
    least = min(Q.real * Q.real + Q.imag * Q.imag, Q1.real * Q1.real + Q1.imag * Q1.imag)
    return bool(d.real * d.real + d.imag * d.imag < _SMOOTH * _SMOOTH * least)


@nb.njit(cache=True, error_model="numpy")
def _gather(parts: Array, first: tuple[float, float], rho: Array, p: Array) -> None:
    """Weights of the points from the integrals over intervals; `first` is the part of point 0 from below it."""
    N = rho.size
    rho[0] = first[0] + parts[0, 0] - parts[1, 0]
    p[0] = first[1] + parts[2, 0] - parts[3, 0]
    for i in range(1, N - 1):
        rho[i] = parts[1, i - 1] + parts[0, i] - parts[1, i]
        p[i] = parts[3, i - 1] + parts[2, i] - parts[3, i]
    rho[N - 1], p[N - 1] = parts[1, N - 2], parts[3, N - 2]


@nb.njit(cache=True, error_model="numpy")
def _deposit(omegaZ: Complex, phi: Complex, rho: Array, p: Array) -> None:
    """Distribute the states of each interval over its two lattice points, beginning below the first point."""
    N = phi.size
    far = _far_from(omegaZ, phi, _FAR)
    middle, far = min(_far_from(omegaZ[:far], phi[:far], _MIDDLE), N - 1), min(far, N - 1)
    parts = np.empty((4, N))
    _expand(omegaZ, phi, middle, far, parts)
    _expand_far(omegaZ, phi, far, N - 1, parts)
    W, F = -np.conj(omegaZ[0]), np.conj(phi[0])
    R = -np.conj(_root(omegaZ[0], phi[0]))
    first = 0.0, 0.0
    for i in range(-1, middle):
        W1, F1 = omegaZ[i + 1], phi[i + 1]
        R1 = _root(W1, F1)
        undamped = W.imag == 0.0 and W1.imag == 0.0 and F.imag == 0.0 and F1.imag == 0.0
        if F == 0.0 and F1 == 0.0:
            found = 1.0, 0.5, 0.0, 0.0
        elif undamped and abs(W) <= abs(F) and abs(W1) <= abs(F1):
            found = 0.0, 0.0, 0.0, 0.0
        elif i >= 0 and _is_smooth(R, R1):
            found = _between(W, W1, F, F1)
        else:
            found = _near(W, W1, F, F1, R, R1)
        if i >= 0:
            parts[0, i], parts[1, i], parts[2, i], parts[3, i] = found
        else:
            first = found[1], found[3]
        W, F, R = W1, F1, R1
    _gather(parts, first, rho, p)
    # the last half cell up to the window's end is taken as constant
    inverse = 0.5 / _root(omegaZ[N - 1], phi[N - 1])
    rho[N - 1] += (omegaZ[N - 1] * inverse).real
    p[N - 1] += (phi[N - 1] * inverse).real
    for i in range(N):
        # values below zero are round-off
        rho[i] = max(rho[i], 0.0)
        p[i] = min(max(p[i], -rho[i]), rho[i])


def spectral_weights(omegaZ: Complex, phi: Complex) -> tuple[Array, Array]:
    """Weights of rho and p on the lattice.

    Args:
        omegaZ: E Z(E) at the cell centres, meV, complex, shape (N,); E itself for an undressed superconductor.
        phi: Pairing self-energy Delta Z at the cell centres, meV, complex, shape (N,).
    Returns:
        rho >= 0 and p with |p| <= rho, dimensionless, both shape (N,).
    """
    rho, p = np.empty(phi.size), np.empty(phi.size)
    _deposit(omegaZ, phi, rho, p)
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
    few = min(_FEW, N - 1)
    parts = np.empty((2, N))
    W, F = -np.conj(omegaZ[0]), np.conj(phi[0])
    first = 0.0
    for i in range(-1, few):
        W1, F1 = omegaZ[i + 1], phi[i + 1]
        d = W1 - W
        # Int y^k / (W + d y); undamped, the first interval's pole counts by its principal value
        K0 = np.log(np.abs(W1 / W)) / d if W.imag == 0.0 and W1.imag == 0.0 else np.log(W1 / W) / d
        K1 = (1.0 - W * K0) / d
        K2 = (0.5 - W * K1) / d
        p1 = (F * (K1 - K2) + F1 * K2).real
        if i >= 0:
            parts[0, i], parts[1, i] = (F * (K0 - 2.0 * K1 + K2) + F1 * (K1 - K2)).real, p1
        else:
            first = p1
        W, F = W1, F1
    for i in range(few, N - 1):
        W, W1, F, F1 = omegaZ[i], omegaZ[i + 1], phi[i], phi[i + 1]
        p0, p1 = 0.0, 0.0
        for k in range(2):
            y = _NODES[k]
            a, b = W.real + y * (W1.real - W.real), W.imag + y * (W1.imag - W.imag)
            c, e = F.real + y * (F1.real - F.real), F.imag + y * (F1.imag - F.imag)
            q = 0.5 * (c * a + e * b) / (a * a + b * b)
            p0, p1 = p0 + (1.0 - y) * q, p1 + y * q
        parts[0, i], parts[1, i] = p0, p1
    p[0] = first + parts[0, 0]
    for i in range(1, N - 1):
        p[i] = parts[1, i - 1] + parts[0, i]
    p[N - 1] = parts[1, N - 2] + 0.5 * (phi[N - 1] / omegaZ[N - 1]).real


def linear_pair_amplitude(omegaZ: Complex, phi: Complex) -> Array:
    """p to first order in phi, Re[phi / W] distributed as in `spectral_weights`, shape (N,).

    Args:
        omegaZ: E Z(E) of the normal state at the cell centres, meV, complex, shape (N,).
        phi: Pairing self-energy at the cell centres, meV, complex, shape (N,).
    """
    p = np.empty(phi.size)
    _linear(omegaZ, phi, p)
    return p


def pair_ratio(rho: Array, p: Array) -> Array:
    """p / rho, shape (N,); one (its limit at the edge) inside the gap, zero without a gap.

    There are no states inside the gap, yet f is kept there: with the ratio's limit it relaxes like f at the edge
    and is meaningful when the gap closes and states reappear.
    """
    inside = rho < NO_STATES
    return np.where(inside, 1.0, p / np.where(inside, 1.0, rho))


def gap_edge(Delta: Complex, h: float) -> float:
    """Gap edge, the highest E at which Re Delta(E) falls below E, meV; 0 if there is none.

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
