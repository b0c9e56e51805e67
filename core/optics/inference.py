r"""Conductivity that an experiment infers from r if the pump's effect decays with depth.

The pump's intensity falls as exp(-z / depth), and the analysis of pump-probe data takes the change of the
conductivity to fall with it,

    sigma(z) = sigma_0 + Delta sigma exp(-z / depth),

with the one complex Delta sigma that gives the measured r. A response that saturates with fluence falls more
slowly: r then asks for a larger Delta sigma than the film has at any depth (Dodge et al., Phys. Rev. Lett. 130,
146002 (2023)).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from .film import refractive_index
from .fresnel import ComplexArray
from .stack import equal_slabs, stack_amplitude

_STEPS = 60
_CLOSE = 1e-10
_SLICES = 100
"""Slices of the film, or of nine depths of a half space: the answer errs by less than 1e-3 of the change."""
_DEEP = 9.0


def inferred_conductivity(
    r: ArrayLike,
    omega: float,
    sigma_0: complex,
    depth: float,
    thickness: float = math.inf,
    n_substrate: complex = 1.0,
    *,
    n_cover: float = 1.0,
    eps_infinity: float = 1.0,
) -> ComplexArray:
    """Conductivity at the surface, sigma_0 + Delta sigma, of the exponential profile that has the reflection r.

    Args:
        r: Complex reflection coefficients, any shape.
        omega: Photon energy of the probe, meV.
        sigma_0: Conductivity before the pulse, 1/(ohm nm).
        depth: Penetration depth of the pump's intensity, nm.
        thickness: Film thickness, nm; `math.inf` for a half space.
        n_substrate: Index of the substrate at the probe.
        n_cover: Index of the medium that the light comes from.
        eps_infinity: See `refractive_index`.
    Returns:
        sigma_0 + Delta sigma, 1/(ohm nm), shape of r; NaN where no Delta sigma is found.
    """
    deep = not math.isfinite(thickness)
    slices = equal_slabs(_DEEP * depth if deep else thickness, _SLICES)
    profile = np.exp(-(np.cumsum(slices) - slices / 2) / depth)
    below = complex(refractive_index(sigma_0, omega, eps_infinity)) if deep else n_substrate

    def reflection(change: complex) -> complex:
        n = refractive_index(sigma_0 + change * profile, omega, eps_infinity)
        return complex(stack_amplitude(n, omega, slices, below, n_cover))

    wanted = np.asarray(r, dtype=complex)
    found = [sigma_0 + _root(reflection, complex(value), abs(sigma_0)) for value in wanted.ravel()]
    return np.asarray(found, dtype=complex).reshape(wanted.shape)


def _root(reflection: Callable[[complex], complex], wanted: complex, scale: float) -> complex:
    """The change that gives the wanted reflection, by the complex secant method; NaN if it does not converge."""
    a, b = 0j, 1e-3 * scale + 0j
    at_a, at_b = reflection(a) - wanted, reflection(b) - wanted
    if abs(at_a) < _CLOSE:
        return 0j
    for _ in range(_STEPS):
        if at_a == at_b:
            break
        step = -at_b * (b - a) / (at_b - at_a)
        # a secant may point far beyond the film's own conductivity
        step *= min(1.0, scale / abs(step)) if step else 1.0
        a, at_a = b, at_b
        b = b + step
        at_b = reflection(b) - wanted
        if abs(at_b) < _CLOSE:
            return b
    return complex(math.nan, math.nan)
