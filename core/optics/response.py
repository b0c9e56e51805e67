"""Linear optical response of a film, normal and superconducting: sigma, n, depth, R, T, chi."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..material import Material
from .film import penetration_depth, refractive_index
from .fresnel import Array, ComplexArray, three_layers
from .kubo import kubo_conductivity
from .nam import at_frequencies, conductivity


@dataclass(frozen=True, kw_only=True, eq=False)
class FilmResponse:
    """Response of a film in one state; every array has the shape of the photon energies.

    Args:
        sigma: Conductivity sigma1 + i sigma2, 1/(ohm nm).
        n: Complex refractive index.
        penetration_depth: Depth over which the intensity falls by e, nm.
        R: Reflectance.
        T: Transmittance into the substrate.
        chi: Absorbed fraction, 1 - R - T.
    """

    sigma: ComplexArray
    n: ComplexArray
    penetration_depth: Array
    R: Array
    T: Array
    chi: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class OpticalResponse:
    """Response in the normal state and in the given state, at photon energies omega, meV."""

    omega: Array
    normal: FilmResponse
    superconducting: FilmResponse


def film_response(
    sigma: ArrayLike,
    omega: ArrayLike,
    thickness: float,
    n_substrate: ArrayLike = 1.0,
    n_cover: ArrayLike = 1.0,
    eps_infinity: float = 1.0,
) -> FilmResponse:
    """Response of a uniform film from its conductivity, Eqs. (10-14) of arXiv:2603.18182.

    Args:
        sigma: Complex conductivity, 1/(ohm nm), any shape.
        omega: Photon energy, meV, broadcasts with sigma.
        thickness: Film thickness, nm; `math.inf` for bulk.
        n_substrate: Index of the substrate, broadcasts with sigma.
        n_cover: Index of the medium the light comes from, real, broadcasts likewise.
        eps_infinity: See `refractive_index`.
    """
    n = refractive_index(sigma, omega, eps_infinity)
    R, T, chi = three_layers(n, omega, thickness, n_substrate, n_cover)
    depth = penetration_depth(n, omega)
    return FilmResponse(sigma=np.asarray(sigma, dtype=complex), n=n, penetration_depth=depth, R=R, T=T, chi=chi)


def optical_response(
    material: Material,
    Delta: ArrayLike,
    f: ArrayLike,
    h: float,
    omega: ArrayLike,
    *,
    thickness: float | None = None,
    n_substrate: ArrayLike = 1.0,
    n_cover: ArrayLike = 1.0,
    eps_infinity: float = 1.0,
    scattering_rate: float | None = None,
    Z: ArrayLike = 1.0,
) -> OpticalResponse:
    """Response of a material's film for any occupation and gap function, and that of its normal state.

    Args:
        material: The film; sigma_n = 1 / rho_N.
        Delta: Gap function at E_i = (i + 1/2) h, meV, shape (N,).
        f: Occupation of quasiparticles at E_i, same shape.
        h: Lattice spacing, meV.
        omega: Photon energies, meV, shape (...), from h to (N - 1) h.
        thickness: Film thickness, nm; None takes the material's.
        n_substrate: Index of the substrate, broadcasts with omega.
        n_cover: Index of the medium the light comes from, real, broadcasts likewise.
        eps_infinity: See `refractive_index`.
        scattering_rate: hbar / tau of elastic scattering, meV; None for the dirty limit.
        Z: Renormalisation function at E_i; matters with a scattering rate only. The normal film's Z is one.
    Raises:
        ValueError: For a photon energy outside the window, a thickness that is not positive.
    """
    photon = np.asarray(omega, dtype=float)
    depth = material.thickness if thickness is None else thickness
    if scattering_rate is None:
        drude = np.ones(photon.shape, dtype=complex)
        relative = at_frequencies(conductivity(Delta, f, h), h, photon)
    else:
        drude = 1 / (1 - 1j * photon / scattering_rate)
        relative = at_frequencies(_kubo_around(photon, Delta, f, h, scattering_rate, Z), h, photon)

    def film(sigma: ComplexArray) -> FilmResponse:
        return film_response(sigma / material.rho_N, photon, depth, n_substrate, n_cover, eps_infinity)

    return OpticalResponse(omega=photon, normal=film(drude), superconducting=film(relative))


def _kubo_around(
    omega: Array, Delta: ArrayLike, f: ArrayLike, h: float, scattering_rate: float, Z: ArrayLike
) -> ComplexArray:
    """Conductivity on the lattice, evaluated only at the neighbours of the photon energies."""
    N = len(np.asarray(f))
    k = np.floor(omega / h * (1 + 1e-12)).astype(int)
    wanted = np.unique(np.clip([k, k + 1], 1, N - 1))
    sigma = np.zeros(N, dtype=complex)
    sigma[wanted] = kubo_conductivity(Delta, f, h, scattering_rate, Z, wanted)
    return sigma
