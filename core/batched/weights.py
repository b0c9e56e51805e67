"""Spectral weights of rows as in `pairing.coherence`, with branches replaced by choices between computed values."""

from typing import Final

from ..pairing.coherence import _FEW, _MIDDLE, _NODES, _NODES_3, _SMOOTH, _WEIGHTS_3
from .device import Device, jax, jnp
from .pairs import Pair

Parts = tuple[Device, Device, Device, Device]


def _root(W: Pair, phi: Pair) -> Pair:
    """R = sqrt(W^2 - phi^2): outside the gap Re R has the sign of Re W, inside it Im R > 0."""
    Q = W.times(W).minus(phi.times(phi))
    inside = Q.re <= 0.0
    s = Pair(jnp.where(inside, -Q.re, Q.re), jnp.where(inside, -Q.im, Q.im)).sqrt()
    sign = jnp.where(W.re >= 0.0, 1.0, -1.0)
    return Pair(-s.im, s.re).where(inside, s.by(sign))


def _shifted(x: Pair, sign: float) -> Pair:
    """Value at the next lower point; below the first point its mirror image, sign times conj."""
    return Pair(
        jnp.concatenate([sign * x.re[:, :1], x.re[:, :-1]], -1),
        jnp.concatenate([-sign * x.im[:, :1], x.im[:, :-1]], -1),
    )


def _between(W: Pair, dW: Pair, F: Pair, dF: Pair) -> Parts:
    r0 = r1 = p0 = p1 = 0.0
    for y, weight in zip(_NODES_3, _WEIGHTS_3, strict=True):
        Wy, Fy = W.plus(dW.by(y)), F.plus(dF.by(y))
        R = _root(Wy, Fy)
        rho, p = weight * Wy.over(R).re, weight * Fy.over(R).re
        r0, r1, p0, p1 = r0 + rho, r1 + y * rho, p0 + p, p1 + y * p
    return r0, r1, p0, p1


_SERIES: Final = (231 / 1024, 63 / 256, 35 / 128, 5 / 16, 3 / 8, 1 / 2, 1.0)
"""Coefficients of 1 / sqrt(1 - d), highest power first."""


def _far(W: Pair, dW: Pair, F: Pair, dF: Pair) -> Parts:
    r0 = r1 = p0 = p1 = 0.0
    for y, weight in zip(_NODES_3, _WEIGHTS_3, strict=True):
        q = F.plus(dF.by(y)).over(W.plus(dW.by(y)))
        d = q.times(q)
        root = Pair(_SERIES[0], 0.0)
        for term in _SERIES[1:]:
            root = d.times(root)
            root = Pair(term + root.re, root.im)
        rho, p = weight * root.re, weight * q.times(root).re
        r0, r1, p0, p1 = r0 + rho, r1 + y * rho, p0 + p, p1 + y * p
    return r0, r1, p0, p1


def _near(W: Pair, dW: Pair, F: Pair, dF: Pair, R: Pair, R1: Pair) -> tuple[Parts, Device]:
    """Integrals in closed form, and a mask of intervals for which that form is undefined."""
    a = dW.times(dW).minus(dF.times(dF))
    b = W.times(dW).minus(F.times(dF))
    s = a.sqrt()
    below = s.times(R).plus(b)
    J0 = s.times(R1).plus(a).plus(b).over(below).log().over(s)
    t = b.over(a)
    J1 = R1.minus(R).over(a).minus(t.times(J0))
    J2 = R1.over(a).minus(t.times(J1).by(3.0)).minus(R.times(R).over(a).times(J0)).by(0.5)
    parts = (
        W.times(J0).plus(dW.times(J1)).re,
        W.times(J1).plus(dW.times(J2)).re,
        F.times(J0).plus(dF.times(J1)).re,
        F.times(J1).plus(dF.times(J2)).re,
    )
    return parts, a.is_zero | below.is_zero


def _is_smooth(R: Pair, R1: Pair) -> Device:
    change = R1.times(R1).minus(R.times(R)).square
    return change < _SMOOTH**2 * jnp.minimum(R.square, R1.square) ** 2


def _is_small(W: Pair, F: Pair) -> Device:
    return W.square > _MIDDLE**2 * F.square


def _any_interval(W: Pair, W1: Pair, F: Pair, F1: Pair) -> Parts:
    """Int rho, Int y rho, Int p, Int y p over the intervals below the first points of rows (B, n)."""
    i = jnp.arange(W1.re.shape[-1]) - 1
    R1 = _root(W1, F1)
    R = _shifted(R1, -1.0)
    dW, dF = W1.minus(W), F1.minus(F)
    none = F.is_zero & F1.is_zero
    undamped = (W.im == 0.0) & (W1.im == 0.0) & (F.im == 0.0) & (F1.im == 0.0)
    gapped = undamped & (W.square <= F.square) & (W1.square <= F1.square)
    far, smooth = (i >= _FEW) & _is_small(W, F), (i >= 0) & _is_smooth(R, R1)
    near, absent = _near(W, dW, F, dF, R, R1)
    between, beyond = _between(W, dW, F, dF), _far(W, dW, F, dF)
    r0, r1, p0, p1 = (
        jnp.where(none, empty, jnp.where(gapped, 0.0, jnp.where(far, z, jnp.where(smooth | absent, y, x))))
        for x, y, z, empty in zip(near, between, beyond, (1.0, 0.5, 0.0, 0.0), strict=True)
    )
    return r0, r1, p0, p1


def _smooth_interval(W: Pair, W1: Pair, F: Pair, F1: Pair) -> tuple[Parts, Device]:
    """As `_any_interval` without its closed form; also whether no interval of a row needs that, (B,)."""
    dW, dF = W1.minus(W), F1.minus(F)
    far, smooth = _is_small(W, F), _is_smooth(_root(W, F), _root(W1, F1))
    between, beyond = _between(W, dW, F, dF), _far(W, dW, F, dF)
    r0, r1, p0, p1 = (jnp.where(far, z, y) for y, z in zip(between, beyond, strict=True))
    return (r0, r1, p0, p1), jnp.all(far | smooth, -1)


def spectral_weights(W1: Pair, F1: Pair, near: int | None = None) -> tuple[Device, Device, Device]:
    """Weights of rows; see `pairing.coherence.spectral_weights`.

    Args:
        W1, F1: W = E Z and phi, both (B, N).
        near: Cells for which closed forms are computed, at least _FEW + 1; all if None. Above them a gap's edge is
            not resolved.
    Returns:
        rho and p, both (B, N), and whether there is no edge above, (B,).
    """
    N = W1.re.shape[-1]
    near = N if near is None else min(N, max(near, _FEW + 1))
    W, F = _shifted(W1, -1.0), _shifted(F1, 1.0)
    low, high = ([Pair(x.re[:, at], x.im[:, at]) for x in (W, W1, F, F1)] for at in (slice(near), slice(near, N)))
    parts, fits = _any_interval(*low), jnp.ones(W1.re.shape[0], dtype=bool)
    if near < N:
        beyond, fits = _smooth_interval(*high)
        parts = tuple(jnp.concatenate(both, -1) for both in zip(parts, beyond, strict=True))
    # each is needed at two points: computed once
    r0, r1, p0, p1 = jax.lax.optimization_barrier(parts)
    # half a cell is left up to the window's end, as flat as its last point
    last = Pair(W1.re[:, -1:], W1.im[:, -1:]), Pair(F1.re[:, -1:], F1.im[:, -1:])
    R_last = _root(*last)
    rho = r1 + jnp.concatenate([(r0 - r1)[:, 1:], 0.5 * last[0].over(R_last).re], -1)
    p = p1 + jnp.concatenate([(p0 - p1)[:, 1:], 0.5 * last[1].over(R_last).re], -1)
    rho = jnp.maximum(rho, 0.0)
    return rho, jnp.clip(p, -rho, rho), fits


def linear_pair_amplitude(W1: Pair, F1: Pair) -> Device:
    """p to first order in phi of rows, (B, N); see `pairing.coherence.linear_pair_amplitude`."""
    few = _FEW + 1
    W, F = _shifted(W1, -1.0), _shifted(F1, 1.0)
    d, dF = W1.minus(W), F1.minus(F)
    p0: Device = 0.0
    p1: Device = 0.0
    for y in _NODES:
        q = 0.5 * F.plus(dF.by(y)).over(W.plus(d.by(y))).re
        p0, p1 = p0 + (1.0 - y) * q, p1 + y * q
    # Int y^k / (W + d y); undamped, the first interval's pole counts by its principal value
    Wf, W1f, Ff, F1f, df = (Pair(x.re[:, :few], x.im[:, :few]) for x in (W, W1, F, F1, d))
    log = W1f.over(Wf).log()
    undamped = (Wf.im == 0.0) & (W1f.im == 0.0)
    K0 = Pair(log.re, jnp.where(undamped, 0.0, log.im)).over(df)
    WK0 = Wf.times(K0)
    K1 = Pair(1.0 - WK0.re, -WK0.im).over(df)
    WK1 = Wf.times(K1)
    K2 = Pair(0.5 - WK1.re, -WK1.im).over(df)
    near1 = Ff.times(K1.minus(K2)).plus(F1f.times(K2)).re
    near0 = Ff.times(K0.minus(K1.by(2.0)).plus(K2)).plus(F1f.times(K1.minus(K2))).re
    p0 = jnp.concatenate([near0, p0[:, few:]], -1)
    p1 = jnp.concatenate([near1, p1[:, few:]], -1)
    last = 0.5 * Pair(F1.re[:, -1:], F1.im[:, -1:]).over(Pair(W1.re[:, -1:], W1.im[:, -1:])).re
    return p1 + jnp.concatenate([p0[:, 1:], last], -1)


def pair_ratio(rho: Device, p: Device) -> Device:
    """p / rho of rows, (B, N); see `pairing.coherence.pair_ratio`."""
    inside = rho < 1e-14
    return jnp.where(inside, 1.0, p / jnp.where(inside, 1.0, rho))
