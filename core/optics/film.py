r"""Refractive index, penetration depth, and the energy density that a pump leaves in a film.

n = sqrt(eps_infinity + i sigma / (eps0 omega)), and Eq. (14) of arXiv:2603.18182 for the penetration depth of
the intensity, c / (2 omega Im n). The paper has eps_infinity = 1, so that n = 1 without conduction, and sigma =
1 / rho_N at the pump: 20.6 nm in LaH10 at 2 eV (it says approximately 20), 179.6 nm in K3C60 at 170 meV
(approximately 200). A good conductor's depth, without the displacement current, is 2 to 4 % shorter.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..constants import C_LIGHT, EPS0_OHM_NM_PS, HBAR, MJ_CM2
from .fresnel import Array, ComplexArray, three_layers


class Absorbed(NamedTuple):
    """Absorbed fraction chi (dimensionless) of the pump and absorbed energy density U (meV/nm^3)."""

    chi: float
    U: float


def refractive_index(sigma: ArrayLike, omega: ArrayLike, eps_infinity: float = 1.0) -> ComplexArray:
    """Complex refractive index, Im n >= 0.

    Args:
        sigma: Complex conductivity sigma1 + i sigma2, 1/(ohm nm), any shape.
        omega: Photon energy, meV, > 0, broadcasts with sigma.
        eps_infinity: Dielectric constant without the conduction electrons; 0 for a good conductor.
    Raises:
        ValueError: For a photon energy that is not positive or a negative eps_infinity.
    """
    omega = np.asarray(omega, dtype=float)
    if not (np.all(omega > 0) and np.all(np.isfinite(omega))):
        raise ValueError(f"`omega` must be positive, in meV. Got {omega.min()!r} as its lowest value.")
    if not 0 <= eps_infinity < np.inf:
        raise ValueError(f"`eps_infinity` must be zero or positive. Got {eps_infinity!r}.")
    # Adding 0j last turns an imaginary part of -0.0 into +0.0, which keeps the root on the absorbing branch.
    epsilon = eps_infinity + 1j * np.asarray(sigma) * HBAR / (EPS0_OHM_NM_PS * omega) + 0j
    return np.asarray(np.sqrt(epsilon))


def penetration_depth(n: ArrayLike, omega: ArrayLike) -> Array:
    """Depth over which the intensity falls by a factor e, c / (2 omega Im n), Eq. (14) of arXiv:2603.18182, nm.

    Args:
        n: Complex refractive index, any shape; infinite depth where it does not absorb.
        omega: Photon energy, meV, broadcasts with n.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(HBAR * C_LIGHT / (2 * np.asarray(omega) * np.imag(n)))


def effective_depth(thickness: ArrayLike, depth: ArrayLike) -> Array:
    """Depth d_eff over which the absorbed energy is distributed, nm: thickness of a thin film, else penetration
    depth.

    The paper gives these two limits; taking the smaller joins them, and is exact for the energy of a film thinner
    than its penetration depth.
    """
    return np.asarray(np.minimum(np.asarray(thickness, dtype=float), depth))


def absorbed_energy_density(
    F0_mJ_cm2: float,
    omega: float,
    rho_N: float,
    thickness: float,
    n_substrate: complex = 1.0,
    *,
    n_cover: float = 1.0,
    eps_infinity: float = 1.0,
) -> Absorbed:
    """Absorbed fraction chi = 1 - R - T of the pump in the normal state, and energy density F0 chi / d_eff.

    Args:
        F0_mJ_cm2: Incident fluence, mJ/cm^2, >= 0.
        omega: Photon energy of the pump, meV, > 0.
        rho_N: Normal-state resistivity, ohm nm, > 0.
        thickness: Film thickness, nm; `math.inf` for bulk.
        n_substrate: Refractive index of the substrate at the pump.
        n_cover: Index of the medium from which the light comes.
        eps_infinity: See `refractive_index`.
    Returns:
        (chi, U), chi dimensionless, U in meV/nm^3.
    Raises:
        ValueError: For a value outside the ranges above.
    """
    if not 0 <= F0_mJ_cm2 < np.inf:
        raise ValueError(f"`F0_mJ_cm2` must be zero or positive. Got {F0_mJ_cm2!r}.")
    if not 0 < rho_N < np.inf:
        raise ValueError(f"`rho_N` must be positive, in ohm nm. Got {rho_N!r}.")
    n = refractive_index(1 / rho_N, omega, eps_infinity)
    chi = float(three_layers(n, omega, thickness, n_substrate, n_cover).A)
    d_eff = float(effective_depth(thickness, penetration_depth(n, omega)))
    return Absorbed(chi, F0_mJ_cm2 * MJ_CM2 * chi / d_eff)
