"""Collision integrals by direct O(N^2) sums over pairs of energies: slow, and independent of any transform.

Written from the expanded equations (4, 5) with explicit scattering, recombination and pair breaking, positive
energies only: not from the whole-axis form that `photogap.core.collisions` uses.
"""

import numba as nb
import numpy as np

from photogap.core.coherence import pair_ratio
from photogap.core.collisions import Film, Rates
from photogap.core.constants import HBAR


@nb.njit(cache=True)
def _sums(h, alpha2F, rho, p, ratio, f, n):
    N, M = f.size, n.size - 1
    f_gain, f_loss = np.zeros(N), np.zeros(N)
    created, absorbed = np.zeros(M + 1), np.zeros(M + 1)
    for i in range(N):
        for j in range(1, M + 1):
            B = alpha2F[j] * h
            if i - j >= 0:  # a quasiparticle at i goes down to i - j and emits, or comes from there and absorbs
                k = i - j
                c = rho[k] - ratio[i] * p[k]
                f_loss[i] += B * c * f[i] * (1 - f[k]) * (n[j] + 1)
                f_gain[i] += B * c * (1 - f[i]) * f[k] * n[j]
                pair = rho[i] * rho[k] - p[i] * p[k]
                created[j] += 2 * h * pair * f[i] * (1 - f[k])
                absorbed[j] += 2 * h * pair * f[k] * (1 - f[i])
            if i + j < N:  # it goes up to i + j and absorbs, or comes from there and emits
                k = i + j
                c = rho[k] - ratio[i] * p[k]
                f_loss[i] += B * c * f[i] * (1 - f[k]) * n[j]
                f_gain[i] += B * c * (1 - f[i]) * f[k] * (n[j] + 1)
            k = j - 1 - i  # E_i + E_k = Omega_j: two recombine, or a phonon breaks a pair
            if 0 <= k < N:
                c = rho[k] + ratio[i] * p[k]
                f_loss[i] += B * c * f[i] * f[k] * (n[j] + 1)
                f_gain[i] += B * c * (1 - f[i]) * (1 - f[k]) * n[j]
                pair = rho[i] * rho[k] + p[i] * p[k]
                created[j] += h * pair * f[i] * f[k]
                absorbed[j] += h * pair * (1 - f[i]) * (1 - f[k])
    return f_gain, f_loss, created, absorbed


def collision_rates(film: Film, rho, p, f, n) -> Rates:
    """The same rates as `photogap.core.collisions.collision_rates`."""
    ratio = pair_ratio(rho, p)
    f_gain, f_loss, created, absorbed = _sums(film.lattice.h, film.alpha2F, rho, p, ratio, f, n)
    rate = 2 * np.pi / HBAR
    return Rates(
        f_gain=rate * f_gain,
        f_loss=rate * f_loss,
        n_gain=film.phonon_rate * (n + 1) * created,
        n_loss=film.phonon_rate * n * absorbed,
    )
