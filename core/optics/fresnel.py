r"""Reflection and transmission at normal incidence: one interface, one film, a thin film.

Eqs. (10-13) of arXiv:2603.18182: with the phase beta = n d omega / (hbar c) across the film,

    r = (r01 + r12 e^{2 i beta}) / D,  t = t01 t12 e^{i beta} / D,  D = 1 + r01 r12 e^{2 i beta},
    R = |r|^2,  T = (Re n2 / n0) |t|^2.

The cover is transparent, since in an absorbing one incident and reflected power cannot be separated.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..constants import C_LIGHT, EPS0_OHM_NM_PS, HBAR

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


class Powers(NamedTuple):
    """Fractions of the incident power, dimensionless: reflected R, transmitted T, absorbed A = 1 - R - T."""

    R: Array
    T: Array
    A: Array


def check_cover(n_cover: ArrayLike) -> None:
    """Refuse a cover that absorbs or amplifies."""
    index = np.asarray(n_cover)
    if np.iscomplexobj(index) or not np.all((index > 0) & (index < np.inf)):
        raise ValueError(f"`n_cover` must be real and positive: the light comes through it. Got {n_cover!r}.")


def check_thickness(thickness: ArrayLike) -> None:
    """Refuse a film without thickness; `math.inf` is a half space."""
    if not np.all(np.asarray(thickness, dtype=float) > 0):
        raise ValueError(f"`thickness` must be positive, in nm; use .inf for a half space. Got {thickness!r}.")


def interface(n_1: ArrayLike, n_2: ArrayLike) -> tuple[ComplexArray, ComplexArray]:
    """Amplitudes (r, t) of one interface for light coming from medium 1, indices broadcast."""
    n_1, n_2 = np.asarray(n_1, dtype=complex), np.asarray(n_2, dtype=complex)
    return (n_1 - n_2) / (n_1 + n_2), 2 * n_1 / (n_1 + n_2)


def propagation(n: ArrayLike, omega: ArrayLike, thickness: ArrayLike) -> ComplexArray:
    """Factor e^{i beta} of a wave's amplitude across a layer; zero where the thickness is infinite."""
    n, omega, thickness = np.broadcast_arrays(np.asarray(n, dtype=complex), omega, thickness)
    finite = np.isfinite(thickness)
    beta = n * omega * np.where(finite, thickness, 0.0) / (HBAR * C_LIGHT)
    return np.asarray(np.where(finite, np.exp(1j * beta), 0.0))


def half_space(n: ArrayLike, n_cover: float = 1.0) -> Powers:
    """Powers of a bare half space of index n: everything not reflected counts as absorbed."""
    check_cover(n_cover)
    R = np.abs(interface(n_cover, n)[0]) ** 2
    return Powers(R, np.zeros_like(R), 1 - R)


def three_layers(
    n: ArrayLike, omega: ArrayLike, thickness: ArrayLike, n_substrate: ArrayLike = 1.0, n_cover: ArrayLike = 1.0
) -> Powers:
    """Powers of a film between cover and substrate, both half spaces, Eqs. (10-13) of arXiv:2603.18182.

    Args:
        n: Complex refractive index of the film, any shape.
        omega: Photon energy, meV, broadcasts with n.
        thickness: Film thickness, nm; `math.inf` leaves the first interface alone.
        n_substrate: Index of the substrate; where it absorbs, T is what enters it.
        n_cover: Index of the medium the light comes from, broadcasts with n.
    Raises:
        ValueError: For a thickness that is not positive or a cover that is not transparent.
    """
    check_cover(n_cover)
    check_thickness(thickness)
    r01, t01 = interface(n_cover, n)
    r12, t12 = interface(n, n_substrate)
    phase = propagation(n, omega, thickness)
    bounce = 1 + r01 * r12 * phase**2
    R = np.abs((r01 + r12 * phase**2) / bounce) ** 2
    T = np.real(n_substrate) / np.asarray(n_cover) * np.abs(t01 * t12 * phase / bounce) ** 2
    return Powers(R, T, 1 - R - T)


def thin_film(sigma: ArrayLike, thickness: ArrayLike, n_substrate: ArrayLike = 1.0, n_cover: float = 1.0) -> Powers:
    r"""Powers of a film much thinner than wavelength and penetration depth (Tinkham's formula).

    r = (n0 - n2 - y) / (n0 + n2 + y), t = 2 n0 / (n0 + n2 + y), sheet admittance y = sigma d / (eps0 c).

    Args:
        sigma: Complex conductivity, 1/(ohm nm), any shape.
        thickness: Film thickness, nm.
        n_substrate: Index of the substrate.
        n_cover: Index of the medium the light comes from.
    """
    check_cover(n_cover)
    check_thickness(thickness)
    y = np.asarray(sigma) * np.asarray(thickness) / (EPS0_OHM_NM_PS * C_LIGHT)
    total = n_cover + np.asarray(n_substrate) + y
    R = np.abs((n_cover - np.asarray(n_substrate) - y) / total) ** 2
    T = np.real(n_substrate) / n_cover * np.abs(2 * n_cover / total) ** 2
    return Powers(R, T, 1 - R - T)
