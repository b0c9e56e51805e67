"""The reference on the imaginary axis is itself held to known values, before anything is held to it."""

import numpy as np
import pytest

from photogap.core.spectra import Peak, Spectrum
from photogap.sweeps.materials import library as materials
from support import matsubara

KB = matsubara.KB
NAMES = ("Pb", "K3C60", "CaC6", "LaH10")


def einstein(lambda_: float, Omega: float = 20.0) -> Spectrum:
    return Spectrum.from_peaks([Peak(centre=Omega, width=Omega / 100, lambda_=lambda_)])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_gap_edge_is_converged(name, t):
    """Spacing, highest Matsubara frequency and window each move it by less than 0.01 %; 0.3 % is asked."""
    spectrum = materials.load(name).spectrum
    T = t * matsubara.critical_temperature(spectrum)
    h = matsubara.lattice(spectrum, None)[2]
    best = matsubara.real_axis(spectrum, T)
    assert best.residual < 1e-8
    assert matsubara.gap_edge(spectrum, T, h=2 * h) == pytest.approx(best.edge, rel=1e-4)
    assert matsubara.gap_edge(spectrum, T, reach=20) == pytest.approx(best.edge, rel=1e-4)
    wide = matsubara.real_axis(spectrum, T, top=2 * best.E[-1])
    assert wide.edge == pytest.approx(best.edge, rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_Tc_is_converged(name):
    spectrum = materials.load(name).spectrum
    Tc = matsubara.critical_temperature(spectrum)
    assert matsubara.critical_temperature(spectrum, reach=20) == pytest.approx(Tc, rel=2e-5)
    h = matsubara.lattice(spectrum, None)[2]
    assert matsubara.critical_temperature(spectrum, h=2 * h) == pytest.approx(Tc, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_gap_closes_at_the_linearised_Tc(name):
    """Delta_0 ~ sqrt(1 - T/Tc): its square, extrapolated from two temperatures, vanishes at Tc."""
    spectrum = materials.load(name).spectrum
    Tc = matsubara.critical_temperature(spectrum)
    t = np.array([0.98, 0.99])
    square = [matsubara.imaginary_axis(spectrum, x * Tc)[1][0] ** 2 for x in t]
    # The square curves by a few percent over this range, hence 1e-3 in T rather than less.
    zero = t[0] + (t[1] - t[0]) * square[0] / (square[0] - square[1])
    assert zero == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_gap_edge_agrees_with_pade(name):
    """Another continuation of the same data: Thiele's continued fraction through Delta_m, at 0.1 Tc."""
    spectrum = materials.load(name).spectrum
    T = 0.1 * matsubara.critical_temperature(spectrum)
    best = matsubara.real_axis(spectrum, T)
    w, Delta, _ = matsubara.imaginary_axis(spectrum, T, rtol=1e-14)
    coefficients = thiele(1j * w[:24], Delta[:24].astype(complex))
    E = best.E[np.abs(best.E - best.edge) < 0.2 * best.edge]
    difference = np.array([evaluate(coefficients, 1j * w[:24], x).real for x in E]) - E
    edge = np.interp(0.0, -difference, E)
    assert edge == pytest.approx(best.edge, rel=5e-4)


def test_weak_coupling_tends_to_bcs():
    """2 Delta / kTc -> 3.528, from above; what is left falls as (kTc / Omega)^2 ln(Omega / kTc)."""
    excess = []
    for lambda_ in (0.35, 0.25):
        spectrum = einstein(lambda_)
        Tc = matsubara.critical_temperature(spectrum)
        excess.append(2 * matsubara.gap_edge(spectrum, 0.15 * Tc) / (KB * Tc) / 3.528 - 1)
    # kTc / Omega is 0.019 and 0.0045 here: the law above makes the excess fall by about 13.
    assert 0 < excess[1] < excess[0] / 5
    assert excess[0] < 1e-2
    assert excess[1] < 3e-3


def test_weak_coupling_temperature_dependence():
    """Muehlschlegel's table: Delta(T) / Delta(0) = 0.9569 at 0.5 Tc and 0.5263 at 0.9 Tc."""
    spectrum = einstein(0.3)
    Tc = matsubara.critical_temperature(spectrum)
    zero = matsubara.gap_edge(spectrum, 0.15 * Tc)
    assert matsubara.gap_edge(spectrum, 0.5 * Tc) / zero == pytest.approx(0.9569, rel=3e-3)
    assert matsubara.gap_edge(spectrum, 0.9 * Tc) / zero == pytest.approx(0.5263, rel=5e-3)


def test_strong_coupling_asymptote():
    """kTc -> 0.1827 sqrt(lambda) Omega from below, Allen and Dynes, PRB 12, 905 (1975), Eq. (23)."""
    ratios = []
    for lambda_ in (10.0, 100.0, 1000.0):
        Tc = matsubara.critical_temperature(einstein(lambda_), reach=200)
        ratios.append(KB * Tc / (0.1827 * np.sqrt(lambda_) * 20.0))
    assert ratios == sorted(ratios)
    assert ratios[-1] == pytest.approx(1.0, abs=2e-3)


def test_continuation_meets_the_imaginary_axis():
    """Delta and Z at zero energy, where both axes meet: extrapolated from w_m in w^2, both being even."""
    spectrum = einstein(1.0)
    Tc = matsubara.critical_temperature(spectrum)
    low = matsubara.real_axis(spectrum, 0.1 * Tc)
    w, Delta, Z = matsubara.imaginary_axis(spectrum, 0.1 * Tc)
    zero = np.polynomial.Polynomial.fit(w[:6] ** 2, Delta[:6], 4)(0.0)
    assert low.Delta[0].real == pytest.approx(zero, rel=1e-4)
    assert low.Z[0].real == pytest.approx(np.polynomial.Polynomial.fit(w[:6] ** 2, Z[:6], 4)(0.0), rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("t", [0.5, 0.9])
def test_continuation_leads_back(name, t):
    """phi(i w_n) = (2 / pi) Int dE E Im phi(E) / (E^2 + w_n^2): the real axis gives back the imaginary one.

    What lies above the window falls as its cube (1e-4 here); the cells at the gap edge err as much.
    """
    spectrum = materials.load(name).spectrum
    T = t * matsubara.critical_temperature(spectrum)
    real = matsubara.real_axis(spectrum, T, top=16 * spectrum.omega[-1])
    w, Delta, Z = matsubara.imaginary_axis(spectrum, T)
    phi, h = (real.Z * real.Delta).imag, real.E[1] - real.E[0]
    back = [2 / np.pi * h * np.sum(real.E * phi / (real.E**2 + x**2)) for x in w[:4]]
    assert back == pytest.approx(list(Delta[:4] * Z[:4]), rel=2e-4)


def test_mu_star_lowers_Tc_and_the_gap():
    spectrum = materials.load("CaC6").spectrum
    bare, screened = (matsubara.critical_temperature(spectrum, m, 600.0) for m in (0.0, 0.14))
    assert screened < 0.7 * bare
    assert matsubara.gap_edge(spectrum, 2.0, 0.14, 600.0) < 0.7 * matsubara.gap_edge(spectrum, 2.0)


def thiele(z, values):
    """Continued fraction through values(z); Vidberg and Serene, J. Low Temp. Phys. 29, 179 (1977)."""
    g = values.copy()
    out = [g[0]]
    for i in range(1, len(z)):
        g[i:] = (out[-1] - g[i:]) / ((z[i:] - z[i - 1]) * g[i:])
        out.append(g[i])
    return out


def evaluate(coefficients, z, x):
    total = 0j
    for i in range(len(coefficients) - 1, 0, -1):
        total = coefficients[i] * (x - z[i - 1]) / (1 + total)
    return coefficients[0] / (1 + total)
