"""The f-sum rule on solutions of the gap equation: solver and optics agree on what Delta(E) means."""

import math

import numpy as np
import pytest

from photogap.core.equilibrium import solve_equilibrium
from photogap.core.material import Material
from photogap.core.optics.nam import condensate_weight, conductivity
from photogap.core.spectra import Spectrum
from photogap.core.thermal import fermi


def fulleride():
    """Peaks between 30 and 165 meV, lambda near 0.75; Delta is nine lattice spacings."""
    omega = np.linspace(0, 180, 721)
    alpha2F = np.zeros_like(omega)
    for centre, width, coupling in ((30, 6, 0.25), (60, 8, 0.2), (130, 8, 0.15), (165, 5, 0.15)):
        peak = np.exp(-((omega - centre) ** 2) / (2 * width**2)) / (width * math.sqrt(2 * math.pi))
        alpha2F += coupling * omega / 2 * peak
    alpha2F[-1] = 0.0
    return Material(
        name="fulleride",
        spectrum=Spectrum(omega=omega, alpha2F=alpha2F, F=3 * alpha2F / np.trapezoid(alpha2F, omega)),
        N_ion=87.0,
        N0=5.2e-3,
        rho_N=20000.0,
        Tc0=15.0,
        cutoff=600.0,
        window=600.0,
        spacing=0.25,
        tau_pump=0.3,
        omega_pump=170.0,
    )


@pytest.mark.slow
def test_missing_area_is_the_condensate_of_the_gap_equation():
    """0.5 %: 1 - sigma1 changes sign above the phonons, its tail above 600 meV is left out (0.25 % measured)."""
    equilibrium = solve_equilibrium(fulleride(), 4.0)
    f, h = fermi(equilibrium.E, 4.0), 0.25
    sigma1 = conductivity(equilibrium.gap.Delta, f, h).real[1:]
    assert sigma1.min() > 0
    missing = h * (np.sum(1 - sigma1) + 0.5 * (1 - sigma1[0]))
    weight = condensate_weight(equilibrium.gap.Delta, f, h)
    assert missing == pytest.approx(math.pi / 2 * weight, rel=5e-3)
    assert weight < math.pi * equilibrium.gap.edge  # the phonons' structure takes 6 % from the BCS value
