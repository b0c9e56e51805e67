"""Collision integrals and self-energies by direct O(N^2) sums: slow, and independent of any transform.

Written from the expanded equations (4, 5) with explicit scattering, recombination and pair breaking, positive
energies only: not from the whole-axis form of `photogap.core.terms.collisions`. Likewise the self-energies:
phonons of positive energy, emitted or absorbed, and no split of the filled band.
"""

import numba as nb
import numpy as np

from photogap.core.constants import HBAR
from photogap.core.kinetics import Film
from photogap.core.pairing.coherence import pair_ratio
from photogap.core.terms.collisions import Rates


@nb.njit(cache=True)
def _sums(h, alpha2F, rho, p, q, ratio, ratio_q, f, n):
    """Scattering with rho rho' M1 = rho rho' - p p' + q q', pairs with rho rho' + p p' - q q'."""
    N, M = f.size, n.size - 1
    f_gain, f_loss = np.zeros(N), np.zeros(N)
    created, absorbed = np.zeros(M + 1), np.zeros(M + 1)
    for i in range(N):
        for j in range(1, M + 1):
            B = alpha2F[j] * h
            if i - j >= 0:  # a quasiparticle at i goes down to i - j and emits, or comes from there and absorbs
                k = i - j
                c = rho[k] - (ratio[i] * p[k] - ratio_q[i] * q[k])
                f_loss[i] += B * c * f[i] * (1 - f[k]) * (n[j] + 1)
                f_gain[i] += B * c * (1 - f[i]) * f[k] * n[j]
                pair = rho[i] * rho[k] - p[i] * p[k] + q[i] * q[k]
                created[j] += 2 * h * pair * f[i] * (1 - f[k])
                absorbed[j] += 2 * h * pair * f[k] * (1 - f[i])
            if i + j < N:  # it goes up to i + j and absorbs, or comes from there and emits
                k = i + j
                c = rho[k] - (ratio[i] * p[k] - ratio_q[i] * q[k])
                f_loss[i] += B * c * f[i] * (1 - f[k]) * n[j]
                f_gain[i] += B * c * (1 - f[i]) * f[k] * (n[j] + 1)
            k = j - 1 - i  # E_i + E_k = Omega_j: two recombine, or a phonon breaks a pair
            if 0 <= k < N:
                c = rho[k] + (ratio[i] * p[k] - ratio_q[i] * q[k])
                f_loss[i] += B * c * f[i] * f[k] * (n[j] + 1)
                f_gain[i] += B * c * (1 - f[i]) * (1 - f[k]) * n[j]
                pair = rho[i] * rho[k] + p[i] * p[k] - q[i] * q[k]
                created[j] += h * pair * f[i] * f[k]
                absorbed[j] += h * pair * (1 - f[i]) * (1 - f[k])
    return f_gain, f_loss, created, absorbed


def collision_rates(film: Film, rho, p, f, n, coherence="averaged") -> Rates:
    """The same rates as `photogap.core.terms.collisions.collision_rates`."""
    ratio = pair_ratio(rho, p)
    # u^2 - v^2 = q / rho of a quasiparticle on one branch of energies; zero on the average of both
    q = np.sqrt(np.maximum(rho**2 - p**2, 0)) if coherence == "printed" else np.zeros_like(rho)
    ratio_q = np.where(rho > 1e-14, q / np.maximum(rho, 1e-14), 0.0)
    f_gain, f_loss, created, absorbed = _sums(film.lattice.h, film.alpha2F, rho, p, q, ratio, ratio_q, f, n)
    rate = 2 * np.pi / HBAR
    return Rates(
        f_gain=rate * f_gain,
        f_loss=rate * f_loss,
        n_gain=film.phonon_rate * (n + 1) * created,
        n_loss=film.phonon_rate * n * absorbed,
    )


def self_energies(coupling, n, rho, p, f, E, windows=2, points=10):
    """Re S and Re phi (without mu_star) at some cell centres E, meV; alpha2F (n + 1) linear between lattice points.

    Above the window rho = 1, p = 0 and f = 0: summed up to `windows` of them, integrated beyond.
    """
    lattice = coupling.lattice
    h, top = lattice.h, windows * lattice.N
    above = np.zeros(top - lattice.N)
    rho, p, f = np.concatenate([rho, above + 1]), np.concatenate([p, above]), np.concatenate([f, above])
    partner = (np.arange(-top, top) + 0.5) * h
    rho, p, f = (np.concatenate([left[::-1], right]) for left, right in ((rho, rho), (-p, p), (1 - f, f)))
    # midpoints, symmetric about each lattice point: principal values come out by themselves
    Omega = (np.arange(lattice.M * points) + 0.5) * h / points
    emitted, absorbed = (np.interp(Omega, lattice.Omega, coupling.alpha2F * x) * h / points for x in (n + 1, n))
    S, phi = np.empty(len(E)), np.empty(len(E))
    for k, energy in enumerate(E):
        x = (energy - partner)[:, None]
        down, up = 1 / (x - Omega), 1 / (x + Omega)
        kernel = down @ emitted + up @ absorbed + f * ((up - down) @ (emitted - absorbed))
        end = [top * h + Omega, top * h - Omega]
        beyond = [np.log((x + energy) / (x - energy)) for x in end]
        S[k] = h * rho @ kernel - emitted @ beyond[0] - absorbed @ beyond[1]
        phi[k] = -h * p @ kernel
    return S, phi
