"""The gap equation of rows as in `pairing`: kernels, self-energies, Anderson acceleration, linearised equation.

W = E Z and phi of a row are one real array of four rows, Re W, Im W, Re phi and Im phi: (4, N).
"""

import math

from ..pairing.anderson import _RIDGE
from ..pairing.tracking import _HISTORY
from .device import Device, jnp
from .device_tables import Size, Tables
from .pairs import Pair
from .row_kinetics import emission, occupations
from .weights import linear_pair_amplitude

DEPTH = _HISTORY
_STEPS = 4
"""Products of the linearised equation in an estimate of its largest eigenvalue."""
_SQUARINGS = 24

Kernel = tuple[Device, Device, Device]
"""Transform of Re K + Im K, (B, L // 2 + 1); width, (B,); tail, (B, 2, N)."""


def dressed(x: Device) -> tuple[Pair, Pair]:
    """W and phi of rows (B, 4, N)."""
    return Pair(x[:, 0], x[:, 1]), Pair(x[:, 2], x[:, 3])


def joined(W: Pair, phi: Pair) -> Device:
    """Inverse of `dressed`."""
    return jnp.stack([W.re, W.im, phi.re, phi.im], 1)


def _mirrored(ring: Device, N: int) -> tuple[Device, Device]:
    """Values at E_i and at -E_i."""
    return ring[..., :N], jnp.flip(ring[..., ring.shape[-1] - N :], -1)


def kernel(size: Size, c: Tables, n: Device) -> Kernel:
    """Kernels of phonon occupations n (B, M + 1); see `pairing.eliashberg.Coupling.kernel`."""
    emitted = emission(size.L, c["alpha2F"], n)
    G = jnp.fft.rfft(emitted)
    up, down = _mirrored(c["h"] * jnp.fft.irfft(jnp.conj(G)[:, None] * c["tail"], size.L), size.N)
    return G * c["transfer"], math.pi * c["h"] * jnp.sum(emitted, -1), up + down


def _pairing(c: Tables, kernel: Kernel, C: Device) -> Device:
    return c["Q"] * C - kernel[0] * (C - c["mirror"] * jnp.conj(C))


def _phi(c: Tables, kernel: Kernel, mu_star: Device, ring: Device, p: Device, f: Device) -> Pair:
    """phi of the pairing on the ring, with its tail; see `pairing.eliashberg.Kernel.asymptote`."""
    _, width, tail = kernel
    h, up, down = c["h"], *_mirrored(ring, p.shape[-1])
    pairs = p * (1.0 - 2.0 * f)
    emitted, first = 2.0 * width / math.pi, 2.0 * c["first_moment"]
    c2_window = -(emitted * h * jnp.sum(p * c["E"], -1) + first * h * jnp.sum(pairs, -1))
    slope = emitted * c["window"]
    below = jnp.sum(c["cutoff"] * pairs, -1) + c["cube"] * c2_window
    Delta_inf = -mu_star * below / (1.0 + mu_star * (c["log"] + c["cube"] * slope))
    c2 = c2_window + slope * Delta_inf
    beyond = Delta_inf[:, None] * (1.0 + tail[:, 0]) + c2[:, None] * tail[:, 1]
    return Pair(0.5 * (up + down) + beyond, 0.5 * (up - down))


def gap_map(
    size: Size, c: Tables, kernel: Kernel, rows: tuple[Device, Device], rho: Device, p: Device, f: Device
) -> Device:
    """W and phi (B, 4, N) of weights and occupations; see `pairing.gap.gap_map`.

    Args:
        size, c: The lattice.
        kernel: Of the phonons.
        rows: mu_star, and 1 for `full` damping or 0 for `real`, both (B,).
        rho, p, f: All (B, N).
    """
    mu_star, full = rows[0], rows[1][:, None]
    a, odd = occupations(size.L, rho, p, f)
    A, C = jnp.fft.rfft(jnp.stack([a, odd]))
    even = A + c["mirror"] * jnp.conj(A)
    s, pairing = c["h"] * jnp.fft.irfft(jnp.stack([kernel[0] * even - c["Q"] * A, _pairing(c, kernel, C)]), size.L)
    up, down = _mirrored(s, size.N)
    S_re = 0.5 * (up - down) - c["filled_re"]
    S_im = 0.5 * (up + down) - kernel[1][:, None] - c["filled_im"]
    phi = _phi(c, kernel, mu_star, pairing, p, f)
    return joined(Pair(c["E"] - S_re, -full * S_im), Pair(phi.re, full * phi.im))


def pairing(size: Size, c: Tables, kernel: Kernel, rows: tuple[Device, Device], p: Device, f: Device) -> Pair:
    """phi alone of pair amplitudes p; see `pairing.eliashberg.Kernel.pairing`."""
    odd = occupations(size.L, jnp.zeros_like(p), p, f)[1]
    C = jnp.fft.rfft(odd)
    phi = _phi(c, kernel, rows[0], c["h"] * jnp.fft.irfft(_pairing(c, kernel, C), size.L), p, f)
    return Pair(phi.re, rows[1][:, None] * phi.im)


def solve_small(gram: Device, right: Device, m: Device) -> Device:
    """Least-squares coefficients (B, depth) from a Gram matrix (B, depth, depth) of m (B,) differences.

    By Cholesky factors of the scaled matrix; a difference that repeats those before it gets none.
    """
    depth = gram.shape[-1]
    used = jnp.arange(depth)[None] < m[:, None]
    size = jnp.sqrt(jnp.diagonal(gram, axis1=1, axis2=2))
    scale = jnp.where(used & (size > 0.0), 1.0 / jnp.where(size > 0.0, size, 1.0), 0.0)
    gram = jnp.where(used[:, :, None] & used[:, None, :], gram, 0.0)
    A = gram * scale[:, :, None] * scale[:, None, :] + _RIDGE * jnp.eye(depth)
    b = right * scale
    factor: list[list[Device]] = []
    half: list[Device] = []
    inverse: list[Device] = []
    for i in range(depth):
        row: list[Device] = []
        for j in range(i):
            row.append((A[:, i, j] - sum(row[k] * factor[j][k] for k in range(j))) * inverse[j])
        pivot = A[:, i, i] - sum(x * x for x in row)
        good = used[:, i] & (pivot > 0.1 * _RIDGE)
        inverse.append(jnp.where(good, 1.0 / jnp.sqrt(jnp.where(good, pivot, 1.0)), 0.0))
        half.append((b[:, i] - sum(x * y for x, y in zip(row, half, strict=True))) * inverse[i])
        factor.append(row)
    out: list[Device] = [None] * depth
    for i in reversed(range(depth)):
        out[i] = (half[i] - sum(factor[k][i] * out[k] for k in range(i + 1, depth))) * inverse[i]
    return jnp.stack(out, -1) * scale


def growth(
    size: Size, c: Tables, kernel: Kernel, rows: tuple[Device, Device], f: Device, start: Device
) -> tuple[Device, Device, Device, Device]:
    """Normal state (B, 4, N); largest eigenvalue of the linearised equation, its vector (B, N) and its error.

    See `pairing.tc.LinearGap.growth`; the small eigenproblem is solved by repeated squaring, for the largest real
    part, hence shifted.
    """
    normal = gap_map(size, c, kernel, rows, jnp.ones_like(f), jnp.zeros_like(f), f)
    W = dressed(normal)[0]
    norm = jnp.sqrt(jnp.sum(start * start, -1, keepdims=True))
    basis = [start / norm]
    H = [[jnp.zeros(f.shape[0])] * _STEPS for _ in range(_STEPS + 1)]
    for k in range(_STEPS):
        v = linear_pair_amplitude(W, pairing(size, c, kernel, rows, basis[k], f))
        for j, b in enumerate(basis):
            H[j][k] = jnp.sum(b * v, -1)
            v = v - H[j][k][:, None] * b
        H[k + 1][k] = jnp.sqrt(jnp.sum(v * v, -1))
        basis.append(v / jnp.maximum(H[k + 1][k], 1e-300)[:, None])
    small = jnp.stack([jnp.stack(row, -1) for row in H[:_STEPS]], 1)
    shift = jnp.sqrt(jnp.sum(small * small, (1, 2), keepdims=True))
    power = small + shift * jnp.eye(_STEPS)
    for _ in range(_SQUARINGS):
        power = power / jnp.sqrt(jnp.sum(power * power, (1, 2), keepdims=True))
        power = jnp.sum(power[:, :, :, None] * power[:, None, :, :], 2)
    column = jnp.argmax(jnp.sum(power * power, 1), -1)
    v = jnp.take_along_axis(power, column[:, None, None], 2)[:, :, 0]
    v = v / jnp.sqrt(jnp.sum(v * v, -1, keepdims=True))
    eigenvalue = jnp.sum(v * jnp.sum(small * v[:, None, :], -1), -1)
    doubt = jnp.abs(H[_STEPS][_STEPS - 1] * v[:, -1])
    vector = sum(v[:, k, None] * basis[k] for k in range(_STEPS))
    return normal, eigenvalue, vector, doubt
