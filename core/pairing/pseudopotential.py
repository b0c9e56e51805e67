r"""The Coulomb pseudopotential mu_star under the conventions of other codes.

mu_star depends on the cut-off of its sum and absorbs the pairs that a lower cut-off leaves out. With their weight
1 / w between two cut-offs w1 < w2 above the phonons,

    1 / mu_star(w1) - 1 / mu_star(w2) = ln(w2 / w1),                                                        (A)

P. Morel and P. W. Anderson, Phys. Rev. 125, 1263 (1962). Codes on the imaginary axis cut off the sum over Matsubara
frequencies (the mu_star part of the pairing self-energy exists at all of them), this one the integral over real
energies. With a_m = Delta_m / sqrt(w_m^2 + Delta_m^2) = (2 / pi) Int_0 dE p(E) E / (w_m^2 + E^2), the frequencies
beyond a cut-off wc >> T contribute (2 / pi) p arctan(E / wc), and

    pi T sum_(|w_m| < wc) a_m = Int_0^inf dE p [1 - 2 f - (2 / pi) arctan(E / wc)]                          (B)

replaces Int_0^wc dE p (1 - 2 f) of this code. Both cut-offs give the same Delta_inf, and so the same Tc, if

    mu_star(real) Int_0^wc dE p (1 - 2 f) = mu_star(Matsubara) pi T sum_(|w_m| < wc) a_m                    (C)

for the p that opens at Tc.
"""

import math
from typing import Final, get_args

import numpy as np

from ..material import MuStarAt
from ..spectra import Spectrum
from ..thermal import bose, fermi
from .eliashberg import Coupling
from .tc import LinearGap, critical_temperature

_CLOSE: Final = 1e-8
_MOST: Final = 30


def reference_energy(spectrum: Spectrum, at: MuStarAt, cutoff: float) -> float:
    """Energy (meV) to which a convention refers mu_star; the cut-off itself for `cutoff` and `matsubara`."""
    if at in ("cutoff", "matsubara"):
        return cutoff
    return float(getattr(spectrum, at))


def rescaled(mu_star: float, start: float, end: float) -> float:
    """mu_star of the cut-off `end` from that of the cut-off `start` (meV), equation (A).

    Raises:
        ValueError: if mu_star is too large to be converted to a cut-off as high as `end`.
    """
    inverse = 1.0 - mu_star * math.log(end / start)
    if inverse <= 0:
        raise ValueError(
            f"`mu_star` at {start:.4g} meV must be below 1 / ln(`cutoff` / {start:.4g} meV) = "
            f"{1 / math.log(end / start):.4g}; take a `cutoff` below {end:.4g} meV. Got {mu_star!r}."
        )
    return mu_star / inverse


def pair_sums(coupling: Coupling, Tc: float) -> tuple[float, float]:
    """Sums that mu_star multiplies at Tc (K): over real energies and over Matsubara frequencies, both up to wc.

    Both in the units of the same p, so that only their ratio is meaningful.
    """
    lattice, wc = coupling.lattice, coupling.cutoff
    kernel, f = coupling.kernel(bose(lattice.Omega, Tc)), fermi(lattice.E, Tc)
    p = LinearGap.around(kernel, f, "full").largest_eigenvalue()[1]
    Delta_inf, c2 = kernel.asymptote(p, f)
    log, cube = coupling.beyond_window
    real = float(np.dot(coupling.pseudopotential_weights, p * (1.0 - 2.0 * f)) + log * Delta_inf + cube * c2)
    below = lattice.h * float(np.dot(p, 1.0 - 2.0 * f - 2.0 / np.pi * np.arctan(lattice.E / wc)))
    # beyond the window p = Delta_inf / E + c2 / E^3, weighted with (2 / pi) arctan(wc / E)
    x = wc / lattice.window
    # 2 % of a worker's first point, which few materials need
    from scipy.integrate import quad

    first = quad(lambda y: math.atan(y) / y, 0.0, x)[0]
    third = ((1.0 + x * x) * math.atan(x) - x) / (2.0 * wc * wc)
    return real, float(below + 2.0 / np.pi * (first * Delta_inf + third * c2))


def from_matsubara(coupling: Coupling, mu_star: float, *, guess: float, step: float = 0.25) -> Coupling:
    """The coupling with the mu_star that gives the Tc of a Matsubara cut-off at the same energy, equation (C).

    Args:
        coupling: Spectrum on its lattice, with the cut-off.
        mu_star: Pseudopotential of the sum over Matsubara frequencies up to that cut-off.
        guess, step: Tc of the right order, K, and the first step of the search for it, in ln T.
    Raises:
        ValueError: if there is no Tc with this mu_star.
    """
    found, Tc = coupling.with_mu_star(mu_star), guess
    if mu_star == 0.0:
        return found
    for _ in range(_MOST):
        # the ratio of the two sums hardly depends on mu_star
        Tc = critical_temperature(found, "full", guess=Tc, step=step)
        real, matsubara = pair_sums(found, Tc)
        before, step = found.mu_star, 0.01
        found = found.with_mu_star(mu_star * matsubara / real)
        if abs(found.mu_star - before) < _CLOSE:
            return found
    raise ValueError(
        f"`mu_star` of this Matsubara cut-off has no equivalent on the real axis; lower it. Got {mu_star!r}."
    )


def from_convention(
    coupling: Coupling, spectrum: Spectrum, mu_star: float, at: MuStarAt, *, guess: float, step: float = 0.25
) -> Coupling:
    """The coupling with a stated mu_star converted to its own cut-off.

    Args:
        coupling: Spectrum on its lattice, with the cut-off.
        spectrum: The spectrum, for conventions that refer to its moments.
        mu_star: Pseudopotential as stated.
        at: Its convention.
        guess, step: Tc of the right order, K, and the first step of the search for it, in ln T.
    Raises:
        ValueError: as `rescaled` and `from_matsubara`.
    """
    if at == "cutoff":
        return coupling.with_mu_star(mu_star)
    scaled = rescaled(mu_star, reference_energy(spectrum, at, coupling.cutoff), coupling.cutoff)
    return from_matsubara(coupling, scaled, guess=guess, step=step)


def conventions(coupling: Coupling, spectrum: Spectrum, Tc: float) -> dict[str, float]:
    """A coupling's mu_star under every convention.

    Args:
        coupling: Spectrum on its lattice, with mu_star and its cut-off.
        spectrum: The spectrum.
        Tc: Its Tc with `full` damping, K.
    """
    if coupling.mu_star == 0.0:
        return dict.fromkeys(get_args(MuStarAt), 0.0)
    real, matsubara = pair_sums(coupling, Tc)
    imaginary = coupling.mu_star * real / matsubara
    out = {"cutoff": coupling.mu_star, "matsubara": imaginary}
    for at in get_args(MuStarAt)[2:]:
        energy = reference_energy(spectrum, at, coupling.cutoff)
        out[at] = imaginary / (1.0 + imaginary * math.log(coupling.cutoff / energy))
    return out
