"""Quasiparticle lifetimes by channel, Kaplan et al., PRB 14, 4854 (1976).

A small excess of f at one energy decays at the rate (2 pi / hbar) (C1 + C2) of `collisions` (loss, and blocking of
gain; in equilibrium C1 / (1 - f), Kaplan's form). It is split by the partner's energy E - Omega: at positive energy
the quasiparticle scatters, at negative energy it meets a partner and recombines.
"""

import numpy as np
from scipy import fft

from ..constants import HBAR
from ..kinetics import Film
from ..lattice import Array
from .coherence import pair_ratio


def quasiparticle_lifetimes(
    film: Film, rho: Array, p: Array, f: Array, n: Array, Z0: float = 1.0
) -> tuple[Array, Array]:
    """Scattering and recombination rates 1/tau_s and 1/tau_r.

    Args:
        film: Spectrum and densities.
        rho, p: Spectral weights at E_i, shape (N,).
        f: Quasiparticle occupation at E_i, shape (N,).
        n: Phonon occupation at Omega_j, shape (M + 1,).
        Z0: Renormalisation Z(0) by which Kaplan et al. divide; 1 for the rates of the kinetic equation.
    Returns:
        1/tau_s and 1/tau_r at E_i, 1/ps, both shape (N,).
    """
    ring, N = film.ring, film.lattice.N
    emit = ring.emission(film.alpha2F, n)
    absorb = np.roll(emit[::-1], 1)
    ratio = pair_ratio(rho, p)

    def rate(empty: Array, occupied: Array, sign: float) -> Array:
        """Loss into `empty` and blocked gain from `occupied` partners, at positive (1) or negative (-1) energy."""
        partners = np.zeros((4, ring.L))
        where = slice(0, N) if sign > 0 else slice(ring.L - N, ring.L)
        for row, (weight, share) in enumerate(((rho, empty), (p, empty), (rho, occupied), (p, occupied))):
            values = weight * share if sign > 0 else (weight * share)[::-1]
            partners[row, where] = values if row % 2 == 0 else sign * values
        kernels = fft.rfft(np.stack([emit, emit, absorb, absorb]))
        loss, loss_p, gain, gain_p = film.lattice.h * ring.positive(fft.irfft(kernels * fft.rfft(partners), ring.L))
        return np.asarray(2 * np.pi / (HBAR * Z0) * (loss + gain - ratio * (loss_p + gain_p)))

    return rate(1.0 - f, f, 1.0), rate(f, 1.0 - f, -1.0)
