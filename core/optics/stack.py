r"""Stacks of slabs at normal incidence: R, T, and what each slab absorbs.

The transfer of amplitudes is written as a recursion for the reflection seen from each slab, from the
substrate up, then for the forward wave, from the cover down: with r of the interface above slab j + 1 and its
phase factor P = e^{i beta},

    Gamma_j = (r + Gamma_{j+1} P^2) / (1 + r Gamma_{j+1} P^2).

Only decaying exponentials occur, where the product of 2 x 2 matrices overflows for a thick absorbing slab.
Each slab absorbs the difference of the Poynting flux at its two faces. A depth-dependent index n(z) is a
stack of slabs; so are a pump's energy over the depth and a probe's response to it.
"""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..constants import MJ_CM2
from .fresnel import Array, ComplexArray, check_cover, check_thickness, interface, propagation


class StackPowers(NamedTuple):
    """Fractions of the incident power: reflected R, transmitted T, shape (...); absorbed A, (slabs, ...)."""

    R: Array
    T: Array
    A: Array


def stack_powers(
    n: ArrayLike, omega: ArrayLike, thickness: ArrayLike, n_substrate: ArrayLike = 1.0, n_cover: float = 1.0
) -> StackPowers:
    """Reflected, transmitted and per-slab absorbed fractions of a stack, light coming from the cover.

    Args:
        n: Complex refractive index of each slab, the first one next to the cover, shape (slabs, ...).
        omega: Photon energy, meV, shape (...) or scalar.
        thickness: Thickness of each slab, nm, shape (slabs,); `math.inf` for the last makes it a half space.
        n_substrate: Index of the substrate, scalar or shape (...); where it absorbs, T is what enters it.
        n_cover: Index of the medium the light comes from.
    Returns:
        (R, T, A): R and T of shape (...), A of shape (slabs, ...); R + T + sum A = 1.
    Raises:
        ValueError: For a stack without slabs, or thicknesses that do not match or are not positive.
    """
    media, phase = _media(n, omega, thickness, n_substrate, n_cover)
    flux, r = _fluxes(media, phase)
    return StackPowers(np.abs(r) ** 2, flux[-1] / n_cover, -np.diff(flux, axis=0) / n_cover)


def stack_amplitude(
    n: ArrayLike, omega: ArrayLike, thickness: ArrayLike, n_substrate: ArrayLike = 1.0, n_cover: float = 1.0
) -> ComplexArray:
    """Complex reflection coefficient r of a stack, R = |r|^2; arguments and errors as in `stack_powers`."""
    return _fluxes(*_media(n, omega, thickness, n_substrate, n_cover))[1]


def _media(
    n: ArrayLike, omega: ArrayLike, thickness: ArrayLike, n_substrate: ArrayLike, n_cover: float
) -> tuple[ComplexArray, list[ComplexArray]]:
    """Indices from the cover to the substrate, shape (slabs + 2, ...), and the phase factor of each slab."""
    check_cover(n_cover)
    check_thickness(thickness)
    slabs, depth = np.asarray(n, dtype=complex), np.asarray(thickness, dtype=float)
    if slabs.ndim == 0 or not len(slabs) or depth.shape != slabs.shape[:1]:
        raise ValueError(
            "A stack needs at least one slab, and one `thickness` for each slab of `n`. "
            f"Got shapes {depth.shape} and {slabs.shape}."
        )
    shape = np.broadcast_shapes(slabs.shape[1:], np.shape(omega), np.shape(n_substrate))
    media = np.empty((len(slabs) + 2, *shape), dtype=complex)
    media[0], media[1:-1], media[-1] = n_cover, np.broadcast_to(slabs, (len(slabs), *shape)), n_substrate
    return media, [propagation(m, omega, d) for m, d in zip(media[1:-1], depth, strict=True)]


def _fluxes(media: ComplexArray, phase: list[ComplexArray]) -> tuple[Array, ComplexArray]:
    """Poynting flux at the top of every medium below the cover, in units of |E0|^2, and the reflection r."""
    faces = [interface(above, below) for above, below in itertools.pairwise(media)]
    gamma = [faces[-1][0]]
    for (r, _), P in zip(reversed(faces[:-1]), reversed(phase), strict=True):
        echo = gamma[0] * P**2
        gamma.insert(0, (r + echo) / (1 + r * echo))
    forward = np.ones_like(media[0])
    flux = np.empty((len(faces), *media.shape[1:]))
    for j, (r, t) in enumerate(faces):
        # The wave reflected from below medium j + 1, at its top; none from the substrate.
        echo = gamma[j + 1] * phase[j] ** 2 if j < len(phase) else np.zeros_like(r)
        forward = forward * t / (1 + r * echo)
        flux[j] = np.real(np.conj(media[j + 1]) * (1 + echo) * np.conj(1 - echo)) * np.abs(forward) ** 2
        if j < len(phase):
            forward = forward * phase[j]
    return flux, np.asarray(gamma[0])


def slab_energy_densities(
    F0_mJ_cm2: float,
    n: ArrayLike,
    omega: float,
    thickness: ArrayLike,
    n_substrate: complex = 1.0,
    n_cover: float = 1.0,
) -> tuple[Array, Array]:
    """Absorbed fraction and absorbed energy density of each slab: F0 chi_j / d_j.

    Args:
        F0_mJ_cm2: Incident fluence, mJ/cm^2, >= 0.
        n: Index of each slab at the pump, shape (slabs,).
        omega: Photon energy of the pump, meV.
        thickness: Thickness of each slab, nm, finite, shape (slabs,).
        n_substrate: Index of the substrate at the pump.
        n_cover: Index of the cover at the pump.
    Returns:
        (chi, U) of each slab, dimensionless and meV/nm^3, shape (slabs,); sum chi is the film's 1 - R - T.
    """
    if not 0 <= F0_mJ_cm2 < np.inf:
        raise ValueError(f"`F0_mJ_cm2` must be zero or positive. Got {F0_mJ_cm2!r}.")
    depth = np.asarray(thickness, dtype=float)
    if np.any(np.isinf(depth)):
        raise ValueError(f"`thickness` of each slab must be finite here, in nm. Got {thickness!r}.")
    chi = stack_powers(n, omega, depth, n_substrate, n_cover).A
    return chi, F0_mJ_cm2 * MJ_CM2 * chi / depth


def equal_slabs(thickness: float, count: int) -> Array:
    """Thicknesses of `count` equal slabs of a film, nm, shape (count,)."""
    if count < 1:
        raise ValueError(f"`count` must be at least 1: a stack needs a slab. Got {count!r}.")
    return np.full(count, thickness / count)
