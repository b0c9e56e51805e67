"""Right-hand side of rows as in `terms`: collisions, absorption and escape, with three transforms each way.

A state vector contains the ledger (2), n (M + 1) and f (N), in this order; a wider lattice only lengthens it.
"""

from typing import NamedTuple

from ..kinetics import ENTRIES
from .device import Device, jnp
from .device_tables import Size, Tables
from .weights import pair_ratio

LEDGER = ENTRIES


class Rows(NamedTuple):
    """Quantities of rows that are not part of their state; all have shape (B,) except `n_eq`.

    Args:
        power: Power density that the pump deposits now, meV/(nm^3 ps); zero without light.
        saturated: Gamma of a film that cannot absorb any power, 1/ps.
        pairs: Weight of pair breaking by photons, 0 to 1.
        emission: Whether photons are also emitted, 1 or 0.
        escape: 1 / tau_esc, 1/ps; zero where phonons stay, or leave at once.
        free: Whether phonons move, 1 or 0: 0 where they leave at once.
        n_eq: Bose occupation of the bath, (B, M + 1).
    """

    power: Device
    saturated: Device
    pairs: Device
    emission: Device
    escape: Device
    free: Device
    n_eq: Device


class Light(NamedTuple):
    """Absorption of rows: Gamma (1/ps) and power at unit Gamma, (B,); df/dt at unit Gamma, (B, N)."""

    gamma: Device
    unit_power: Device
    g: Device


def split(size: Size, y: Device) -> tuple[Device, Device, Device]:
    """Ledger, n and f of state vectors."""
    start = LEDGER + size.M + 1
    return y[:, :LEDGER], y[:, LEDGER:start], y[:, start : start + size.N]


def occupations(L: int, rho: Device, p: Device, f: Device) -> tuple[Device, Device]:
    """a = rho f and c = p f on the ring, (B, L), less the filled band; see `lattice.Ring.occupations`."""
    a, c = rho * f, p * f
    between = jnp.zeros((rho.shape[0], L - 2 * rho.shape[1]))
    return (
        jnp.concatenate([a, between, jnp.flip(rho - a - 1.0, -1)], -1),
        jnp.concatenate([c, between, jnp.flip(c - p, -1)], -1),
    )


def emission(L: int, alpha2F: Device, n: Device) -> Device:
    """alpha2F (n + 1) on the ring, (B, L); see `lattice.Ring.emission`."""
    absorbed = alpha2F * n
    between = jnp.zeros((n.shape[0], L - 2 * n.shape[1] + 1))
    return jnp.concatenate([absorbed + alpha2F, between, jnp.flip(absorbed[:, 1:], -1)], -1)


def fill_above(rho: Device, p: Device, N: int) -> tuple[Device, Device]:
    """Weights continued to N cells: rho = 1, p = 0."""
    above = (rho.shape[0], N - rho.shape[1])
    return jnp.concatenate([rho, jnp.ones(above)], -1), jnp.concatenate([p, jnp.zeros(above)], -1)


def running(x: Device) -> Device:
    """Sums of the first 0, 1, ... elements of rows (..., n), shape (..., n + 1).

    As products with triangular matrices of ones, first within blocks, then of the blocks' totals: a GPU's
    matrix units take a tenth of the time of its prefix sums.
    """
    n = x.shape[-1]
    blocks = -(-n // _BLOCK)
    x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, blocks * _BLOCK - n)])
    inside = x.reshape(*x.shape[:-1], blocks, _BLOCK) @ jnp.triu(jnp.ones((_BLOCK, _BLOCK)))
    before = inside[..., -1] @ jnp.triu(jnp.ones((blocks, blocks)), 1)
    sums = (inside + before[..., None]).reshape(*x.shape)[..., :n]
    return jnp.concatenate([jnp.zeros((*x.shape[:-1], 1)), sums], -1)


_BLOCK = 32


def _into_empty_band(size: Size, h: Device, b: Device) -> tuple[Device, Device]:
    """See `terms.collisions._into_empty_band`, for b (B, L): at E_i and at -E_i, both (B, N)."""
    N, M, L = size.N, size.M, size.L
    below = running(jnp.concatenate([b[:, L - M :], b[:, : M + 1]], -1))
    none, rest = jnp.zeros((b.shape[0], N - M)), jnp.broadcast_to(below[:, -1:], (b.shape[0], N - M - 1))
    up = jnp.concatenate([below[:, M + 1 :], rest], -1)
    up = up - jnp.concatenate([none[:, 1:], below[:, : M + 1]], -1)
    return h * up, h * jnp.concatenate([jnp.flip(below[:, 1 : M + 1], -1), none], -1)


def _with_filled_band(size: Size, k: Tables, a: Device) -> tuple[Device, Device]:
    """See `terms.collisions._with_filled_band`, for a (B, L): X(Omega_j) and X(-Omega_j), both (B, M + 1)."""
    N, M, L = size.N, size.M, size.L
    h, total = k["h"], jnp.sum(a[:, :N], -1, keepdims=True)
    ends = jnp.flip(a[:, L - M :], -1) - jnp.flip(a[:, N - M : N], -1)
    lost, more = running(jnp.stack([a[:, :M], ends]))
    return 2.0 * h * (total - lost), 2.0 * h * (total + more) + h * k["j"]


def collisions(
    size: Size, k: Tables, rho: Device, p: Device, f: Device, n: Device
) -> tuple[Device, Device, Device, Device]:
    """Gains and losses of f and of n, 1/ps; see `terms.collisions.collision_rates`."""
    N, M, L, h = size.N, size.M, size.L, k["h"]
    a, c = occupations(L, rho, p, f)
    b = emission(L, k["alpha2F"], n)
    A, C, G = jnp.fft.rfft(jnp.stack([a, c, b]))
    G = G * k["mirror"]
    C1r, C1p, X = h * jnp.fft.irfft(jnp.stack([G * jnp.conj(A), -G * jnp.conj(C), A * A + C * C]), L)
    up, down = _into_empty_band(size, h, b)
    created, absorbed = _with_filled_band(size, k, a)
    zero = jnp.zeros((f.shape[0], 1))
    created = jnp.concatenate([zero, created[:, 1:] + X[:, :M]], -1)
    absorbed = jnp.concatenate([zero, absorbed[:, 1:] + jnp.flip(X[:, L - M - 1 : L - 1], -1)], -1)
    ratio = pair_ratio(rho, p)
    C1 = C1r[:, :N] + up - ratio * C1p[:, :N]
    C2 = jnp.flip(C1r[:, L - N :], -1) + down + ratio * jnp.flip(C1p[:, L - N :], -1)
    rate = k["phonon_rate"]
    return k["golden"] * (1.0 - f) * C2, k["golden"] * f * C1, rate * (n + 1.0) * created, rate * n * absorbed


def light(size: Size, k: Tables, rows: Rows, rho: Device, p: Device, f: Device) -> Light:
    """Absorption now; see `terms.absorption.Absorption.at` and `terms.pump.Pump.unit_rate`."""
    N = size.N
    ratio, pairs, emits = pair_ratio(rho, p), rows.pairs[:, None], rows.emission[:, None]
    g = none = jnp.zeros_like(f)
    # the whole axis, with as much again of no states at either end
    whole_f = jnp.concatenate([none, jnp.flip(1.0 - f, -1), f, none], -1)
    whole_rho = jnp.concatenate([none, pairs * jnp.flip(rho, -1), rho, none], -1)
    whole_p = jnp.concatenate([none, -pairs * jnp.flip(p, -1), p, none], -1)
    for cells, share in ((size.shift, k["share"][0]), (size.shift + 1, k["share"][1])):
        for up in (True, False):
            # further than the axis is long there are no states either
            first = min(max(2 * N + (cells if up else -cells), 0), 3 * N)
            partner = whole_f[:, first : first + N]
            weight = share * (whole_rho[:, first : first + N] + ratio * whole_p[:, first : first + N])
            gain, loss = (1.0 - f) * partner * weight, f * (1.0 - partner) * weight
            g = g + (gain * emits - loss if up else gain - loss * emits)
    unit_power = jnp.sum(k["energy"] * rho * g, -1)
    on = rows.power > 0.0
    gamma = jnp.where(unit_power != 0.0, rows.power / jnp.where(unit_power == 0.0, 1.0, unit_power), rows.saturated)
    return Light(jnp.where(on, gamma, 0.0), jnp.where(on, unit_power, 0.0), jnp.where(on[:, None], g, 0.0))


def derivative(size: Size, k: Tables, rows: Rows, y: Device, rho: Device, p: Device) -> tuple[Device, Device]:
    """dy/dt at fixed weights rho, p of the kinetic lattice, both (B, N), and Gamma (B,)."""
    _, n, f = split(size, y)
    f_gain, f_loss, n_gain, n_loss = collisions(size, k, rho, p, f, n)
    gamma, unit_power, g = light(size, k, rows, rho, p, f)
    leaving = rows.escape[:, None] * (rows.n_eq - n)
    dn = n_gain - n_loss + leaving
    held = rows.free[:, None]
    escaped = jnp.sum(k["phonon_energy"] * ((1.0 - held) * dn - leaving), -1)
    ledger = jnp.stack([gamma * unit_power, escaped], -1)
    return jnp.concatenate([ledger, held * dn, f_gain - f_loss + gamma[:, None] * g], -1), gamma


def fastest_rate(k: Tables, rows: Rows, n: Device, gamma: Device) -> Device:
    """Upper bound of the fastest rate, 1/ps, (B,); see `Term.fastest_rate` of each term."""
    emitted = k["h"] * jnp.sum(k["alpha2F"] * (2.0 * jnp.abs(n) + 1.0), -1)
    return 1.3 * k["golden"] * emitted + k["fastest_phonon"] + 4.0 * jnp.abs(gamma) + rows.escape
