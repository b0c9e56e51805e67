r"""Conductivity of a dirty superconducting film for any occupation and gap function.

Nam, Phys. Rev. 156, 487 (1967), in the dirty limit. With g and q the retarded Green functions of `cells`,
continued by g(-E) = g(E)*, q(-E) = -q(E)*, and h(E) = 1 - 2 f(E), odd:

    sigma(omega) / sigma_n = (1 / omega) Int dE h(E + omega) [rho(E + omega) g(E)* + p(E + omega) q(E)*]

over the whole axis. Its real part is (1/omega) Int [f(E) - f(E + omega)] (rho rho' + p p'), its imaginary
part keeps only Im g and Im q, with rho, p and f: for a constant Delta both are the integrals of Mattis and
Bardeen, Phys. Rev. 111, 412 (1958). On the lattice every frequency comes from one correlation. It is summed
over a window symmetric in E + omega / 2, for which the normal metal gives exactly 1, and cells above the
window are added with f = 0 and a real, constant Delta: contributions beyond them cancel exactly.
"""

import math

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike

from .cells import cell_averages, gap_at_boundaries, whole_axis
from .edge import edge_and_far, find_edge, opposite_edges, same_edge
from .fresnel import Array, ComplexArray


def _checked(Delta: ArrayLike, f: ArrayLike, h: float) -> tuple[ComplexArray, Array]:
    """Arrays of equal shape (N,), Delta with Re Delta(0) >= 0: only Delta^2 and Delta Delta' matter."""
    gap, occupation = np.asarray(Delta, dtype=complex), np.asarray(f, dtype=float)
    if gap.ndim != 1 or gap.shape != occupation.shape or gap.size < 2:
        raise ValueError(
            "`Delta` and `f` must be one-dimensional, of equal length >= 2. "
            f"Got {gap.shape} and {occupation.shape}."
        )
    if not 0 < h < math.inf:
        raise ValueError(f"`h` must be positive, in meV. Got {h!r}.")
    return (-gap if gap[0].real < 0 else gap), occupation


def extended_averages(
    Delta: ArrayLike, f: ArrayLike, h: float
) -> tuple[ComplexArray, ComplexArray, Array, ComplexArray]:
    """(g, q, 1 - 2 f, Delta) in the cells of the window and as many above it, each of shape (2 N,)."""
    Delta, f = _checked(Delta, f, h)
    N = len(f)
    extended = np.concatenate([Delta, np.full(N, Delta[-1].real)])
    g, q = cell_averages(extended, h)
    # A negative density of states comes from Im Delta > 0 inside the gap: rounding, not gain.
    noise = g.real < 0
    g[noise], q[noise] = -g[noise].conj(), -q[noise].conj()
    return g, q, np.concatenate([1 - 2 * f, np.ones(N)]), extended


def conductivity(Delta: ArrayLike, f: ArrayLike, h: float) -> ComplexArray:
    """Nonequilibrium conductivity sigma / sigma_n in the dirty limit, at all lattice frequencies.

    Args:
        Delta: Gap function at E_i = (i + 1/2) h, meV, real or complex, shape (N,).
        f: Occupation of quasiparticles at E_i, dimensionless, same shape; taken as zero above the window.
        h: Lattice spacing, meV.
    Returns:
        sigma1 + i sigma2 in units of sigma_n = 1 / rho_N at omega_k = k h, k = 0..N-1, shape (N,). The first is
        NaN, since a condensate's conductivity diverges at omega = 0; see `condensate_weight`.
    Raises:
        ValueError: For arrays of different shape or a spacing that is not positive.
    """
    g, q, h_f, extended = extended_averages(Delta, f, h)
    N = len(g) // 2
    # Odd in E: h rho, Im g, p. Even: h p, rho, Im q.
    rows = whole_axis(np.array([h_f * g.real, g.imag, q.real]), np.array([h_f * q.real, g.real, q.imag]))
    size = scipy.fft.next_fast_len(rows.shape[1] + N, real=True)
    X, g2, p, Y, rho, q2 = scipy.fft.rfft(rows, size)
    spectra = np.array([X * rho.conj() + Y * p.conj(), -X * g2.conj() - Y * q2.conj()])
    real, imag = scipy.fft.irfft(spectra, size)[:, :N]
    total = real + 1j * imag
    edge = find_edge(extended, h)
    if edge is not None:
        total += same_edge(edge, g, q, h_f, h, N) + edge_and_far(edge, g, q, h_f, h, N)
        total += opposite_edges(edge, extended, g, q, h_f, h, N)
    out = np.full(N, complex(math.nan, math.nan))
    out[1:] = total[1:] / np.arange(1, N)
    return out


def at_frequencies(sigma: ArrayLike, h: float, omega: ArrayLike) -> ComplexArray:
    """Conductivity between lattice frequencies: omega sigma, constant for a condensate, is interpolated.

    Args:
        sigma: Conductivity at omega_k = k h, any unit, shape (N,); the first value is not used.
        h: Lattice spacing, meV.
        omega: Photon energies, meV, any shape, from h to (N - 1) h.
    Raises:
        ValueError: For a photon energy outside the lattice's.
    """
    sigma, omega = np.asarray(sigma, dtype=complex), np.asarray(omega, dtype=float)
    lattice = np.arange(1, len(sigma)) * h
    outside = ~((omega >= lattice[0] * (1 - 1e-12)) & (omega <= lattice[-1] * (1 + 1e-12)))
    if np.any(outside):
        raise ValueError(
            f"`omega` must lie in the window, {lattice[0]:.6g} to {lattice[-1]:.6g} meV. "
            f"Got {float(omega[outside].flat[0])!r}."
        )
    return np.asarray(np.interp(omega, lattice, lattice * sigma[1:]) / omega)


def condensate_weight(Delta: ArrayLike, f: ArrayLike, h: float) -> float:
    r"""Weight W of the condensate: sigma2 / sigma_n -> W / omega, with pi W delta(omega) in sigma1.

    W = -Int dE h(E) Im[Delta^2 / (E^2 - Delta^2)] over the whole axis; pi Delta tanh(Delta / 2 kB T) for a
    constant Delta in equilibrium.

    Args:
        Delta: As in `conductivity`.
        f: As in `conductivity`.
        h: Lattice spacing, meV.
    Returns:
        W, meV.
    """
    Delta, f = _checked(Delta, f, h)
    if not np.any(Delta):
        return 0.0
    E = np.arange(len(f) + 1) * h
    boundary = gap_at_boundaries(Delta)
    # Delta^2 / (E^2 - Delta^2) = (Delta / 2) [1 / (E - Delta) - 1 / (E + Delta)], with E -+ Delta
    # linear in a cell.
    pole = _mean_inverse(E - boundary)
    weight = h * (Delta / 2 * (pole - _mean_inverse(E + boundary))).imag
    h_f = 1 - 2 * f
    edge = find_edge(Delta, h)
    if edge is not None:
        # The pole is at E_g, not at the centre of its cell.
        c = edge.cell
        h_f[c] += (h_f[c + 1] - h_f[c]) * (edge.energy.real / h - c - 0.5)
    return float(-2 * np.sum(h_f * weight))


def _mean_inverse(u: ComplexArray) -> ComplexArray:
    """Averages over the cells of 1/u for u linear in each, retarded: E - Delta passes zero with Im u >= 0."""
    u = np.where(u == 0, 1e-300, u)
    log = np.log(np.abs(u)) + 1j * np.where(np.angle(u) < -np.pi / 2, np.angle(u) + 2 * np.pi, np.angle(u))
    du = np.diff(u)
    flat = np.abs(du) < 1e-9 * np.abs(u[1:])
    return np.asarray(np.where(flat, 1 / u[1:], np.diff(log) / np.where(flat, 1.0, du)))
