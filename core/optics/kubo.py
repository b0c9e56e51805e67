r"""Conductivity of a film with a finite elastic scattering rate, any occupation and gap function.

Nam, Phys. Rev. 156, 470 (1967); Lee, Rainer and Zimmermann, Physica C 159, 535 (1989); for a constant gap
Zimmermann et al., Physica C 183, 99 (1991). With eps(E) = Z sqrt(E^2 - Delta^2) + i gamma, gamma = hbar / (2
tau), primed quantities at E + omega and h = 1 - 2 f,

    sigma / sigma_n = (i gamma / 2 omega) Int dE { h (RR - RA) + h' (RA - AA) },
    RR = (1 - g g' - q q') / (eps + eps'),   RA = (1 + g' g* + q' q*) / (eps' - eps*),   AA = -RR*.

sigma_n = 1 / rho_N is the normal film's conductivity at omega = 0. Elastic scattering leaves g and q unchanged
(Anderson); inelastic scattering is in Z and Delta. For gamma -> infinity all denominators are 2 i gamma and Nam's
dirty limit returns. At the gap edges this holds for any gamma, since eps = i gamma there: hence only the difference
from the dirty limit, which is regular at the edges, is summed over products of cell averages.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from .cells import below_edge, retarded_sqrt
from .fresnel import Array, ComplexArray
from .nam import conductivity, extended_averages


def kubo_conductivity(
    Delta: ArrayLike,
    f: ArrayLike,
    h: float,
    scattering_rate: float,
    Z: ArrayLike = 1.0,
    k: ArrayLike | None = None,
) -> ComplexArray:
    """Nonequilibrium conductivity sigma / sigma_n for a finite elastic scattering rate.

    Args:
        Delta: Gap function at E_i = (i + 1/2) h, meV, shape (N,).
        f: Occupation of quasiparticles at E_i, dimensionless, same shape.
        h: Lattice spacing, meV.
        scattering_rate: hbar / tau of elastic scattering, meV; `math.inf` for the dirty limit.
        Z: Renormalisation function at E_i without impurities, dimensionless, same shape; 1 neglects phonons. k:
            Photon energies wanted, in units of h, integers in 0..N-1; None for all.
    Returns:
        sigma1 + i sigma2 in units of sigma_n, at omega = k h, shape of k; NaN at k = 0.
    Raises:
        ValueError: For a scattering rate that is not positive or a frequency outside the window.
    """
    if not scattering_rate > 0:
        raise ValueError(
            f"`scattering_rate` must be positive, in meV; .inf is the dirty limit. Got {scattering_rate!r}."
        )
    dirty = conductivity(Delta, f, h)
    N = len(dirty)
    wanted = np.arange(N) if k is None else np.asarray(k, dtype=int)
    if wanted.size and not (wanted.min() >= 0 and wanted.max() < N):
        raise ValueError(f"`k` must lie in 0..{N - 1}, the lattice's frequencies. Got {wanted.max()!r}.")
    if math.isinf(scattering_rate):
        return np.asarray(dirty[wanted])
    g, q, h_f, extended = extended_averages(Delta, f, h)
    E = (np.arange(2 * N) + 0.5) * h
    inside = np.broadcast_to(np.asarray(Z, dtype=complex), (N,))
    Z_extended = np.concatenate([inside, np.full(N, inside[-1].real)])
    eps = Z_extended * retarded_sqrt(E**2 - extended**2, below_edge(extended, E)) + 0.5j * scattering_rate
    eps, g = (np.concatenate([s * x[::-1].conj(), x]) for s, x in ((-1, eps), (1, g)))
    q = np.concatenate([-q[::-1].conj(), q])
    h_f = np.concatenate([-h_f[::-1], h_f])
    gamma = scattering_rate / 2
    change = np.array([_beyond_dirty(int(m), eps, g, q, h_f, gamma) if m else 0.0 for m in wanted.flat])
    # Above the window, h = 1 and 1 - g g' - q q' = -2 Delta^2 / E^2: a tail in 1 / gamma, up to E of
    # its order.
    top = Z_extended[-1].real * (2 * N - wanted / 2) * h
    omega = np.maximum(wanted, 1) * h  # at zero the dirty limit is already NaN
    tail = -1j * extended[-1].real ** 2 * Z_extended[-1].real / (omega * gamma) * np.log1p((gamma / top) ** 2)
    return np.asarray(dirty[wanted] + change.reshape(wanted.shape) + tail)


def _beyond_dirty(k: int, eps: ComplexArray, g: ComplexArray, q: ComplexArray, h_f: Array, gamma: float) -> complex:
    """Difference of sigma / sigma_n from the dirty limit at omega = k h; arrays on the whole axis."""
    low, high = slice(None, -k), slice(k, None)
    plain = g[low] * g[high] + q[low] * q[high]
    mixed = g[low].conj() * g[high] + q[low].conj() * q[high]
    total, crossed = eps[low] + eps[high], eps[high] - eps[low].conj()
    RR = 1j * gamma * (1 - plain) / total + plain / 2
    RA = 1j * gamma * (1 + mixed) / crossed - mixed / 2
    AA = (1j * gamma * (1 - plain) / total).conj() + plain.conj() / 2
    return complex(np.sum(h_f[low] * (RR - RA) + h_f[high] * (RA - AA)) / (2 * k))
