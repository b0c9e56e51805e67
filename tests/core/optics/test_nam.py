"""Dirty-limit conductivity: Mattis-Bardeen, Kramers-Kronig, the f-sum rule, the normal metal."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from photogap.core.constants import KB
from photogap.core.equilibrium import solve_equilibrium
from photogap.core.optics.cells import cell_averages
from photogap.core.optics.nam import condensate_weight, conductivity
from photogap.sweeps.materials.library import load


def fermi(E, T):
    """Occupation at T (meV here); 0 or 1 at T = 0."""
    return 0.5 * (1 - np.tanh(E / (2 * T))) if T > 0 else np.where(np.asarray(E) > 0, 0.0, 1.0)


def mattis_bardeen(w, D, T):
    """The integrals of Phys. Rev. 111, 412 by quadrature; E = D cosh u or sines take the edges out."""
    numerator = lambda E: E * E + D * D + w * E  # noqa: E731
    kinds = {"epsabs": 1e-12, "epsrel": 1e-9, "limit": 400}

    def thermal(u):
        E = D * math.cosh(u)
        return 2 / w * (fermi(E, T) - fermi(E + w, T)) * numerator(E) / math.sqrt((E + w) ** 2 - D * D)

    def broken(u):
        E = -w / 2 + (w / 2 - D) * math.sin(u)
        return (1 - 2 * fermi(E + w, T)) * abs(numerator(E)) / math.sqrt((D - E) * (E + w + D)) / w

    low = max(D - w, -D)

    def screening(u):
        E = (low + D) / 2 + (D - low) / 2 * math.sin(u)
        rest = (D + E) if w <= 2 * D else (E + w - D)
        return (1 - 2 * fermi(E + w, T)) * numerator(E) / math.sqrt(rest * (E + w + D)) / w

    half = math.pi / 2
    sigma1 = quad(thermal, 0, math.acosh(2 + (40 * T + w) / D), **kinds)[0] if T > 0 else 0.0
    sigma1 += quad(broken, -half, half, **kinds)[0] if w > 2 * D else 0.0
    return sigma1 + 1j * quad(screening, -half, half, **kinds)[0]


def bcs(ratio, T, span=12.0):
    """sigma on a lattice of spacing Delta / ratio, with Delta = 1 meV."""
    h = 1 / ratio
    E = (np.arange(int(span * ratio)) + 0.5) * h
    return conductivity(np.ones_like(E), fermi(E, T), h), h


@pytest.mark.parametrize("T", [0.0, 0.2, 0.6])
def test_agrees_with_mattis_bardeen_integrals(T):
    """Ten frequencies, 0.5 %: dR/R0 and dT/T0 are compared with measurements at the percent level."""
    sigma, h = bcs(40.3, T)
    for omega in (0.25, 0.5, 0.8, 1.0, 1.5, 1.9, 2.3, 3.0, 5.0, 10.0):
        k = round(omega / h)
        exact = mattis_bardeen(k * h, 1.0, T)
        assert sigma[k].imag == pytest.approx(exact.imag, rel=5e-3)
        # 1e-6 of sigma_n: where sigma1 is exactly zero, what the edge's nudge off the lattice leaves.
        assert sigma[k].real == pytest.approx(exact.real, rel=5e-3, abs=1e-6)


def test_known_values_at_zero_temperature():
    """To 1e-4: the lattice error at Delta = 100 h; the integrals above reproduce the same digits."""
    sigma, _ = bcs(100, 0.0)
    assert mattis_bardeen(1.0, 1.0, 0.0) == pytest.approx(2.934924j, abs=1e-6)
    assert sigma[100].imag == pytest.approx(2.934924, rel=1e-4)
    assert sigma[100].real == pytest.approx(0.0, abs=1e-6)
    assert sigma[300] == pytest.approx(0.475790 + 0.372733j, rel=1e-4)


@pytest.mark.parametrize("ratio", [9.3, 9.5, 20.0, 57.8])
def test_edge_anywhere_in_its_cell_at_low_frequencies(ratio):
    """Down to omega = h and Delta = 9 h, 0.5 % of sigma2: products of cell averages alone miss by 4-7 %."""
    sigma, h = bcs(ratio, 0.0)
    for k in (1, 2, 3, 5, 8):
        assert sigma[k].imag == pytest.approx(mattis_bardeen(k * h, 1.0, 0.0).imag, rel=5e-3)


def test_the_threshold_at_twice_the_gap():
    """Absorption starts at 2 Delta; products of cell averages alone start it a cell below, with 3e-3."""
    sigma, h = bcs(20.7, 0.0)
    below = np.arange(1, math.ceil(2 / h))
    assert np.abs(sigma[below].real).max() < 1e-6
    for k in (42, 44):
        # 1e-3 of sigma_n: three cells above the threshold, where sigma1 is still below 0.1.
        assert sigma[k] == pytest.approx(mattis_bardeen(k * h, 1.0, 0.0), abs=1e-3)


def test_error_falls_as_the_spacing():
    """Halving h must at least halve the error of both parts at 3 Delta; edges at one place in their cells."""
    error = [abs(bcs(r, 0.3)[0][3 * r] - mattis_bardeen(3.0, 1.0, 0.3)) for r in (16, 32, 64)]
    assert error[1] < error[0] / 2
    assert error[2] < error[1] / 2


@pytest.mark.parametrize("T", [0.0, 0.3, 0.6])
def test_low_frequencies_see_the_condensate(T):
    """omega sigma2 -> pi Delta tanh(Delta / 2 T): 1e-4 for W, 2e-3 for sigma2 at omega = h = Delta / 100."""
    sigma, h = bcs(100.2, T)
    exact = math.pi * (math.tanh(0.5 / T) if T else 1.0)
    E = (np.arange(1200) + 0.5) * h
    assert condensate_weight(np.ones(1200), fermi(E, T), h) == pytest.approx(exact, rel=1e-4)
    # At finite T, omega sigma2 approaches W like omega ln omega / T: compare with the integral, not the
    # limit.
    assert sigma[1].imag == pytest.approx(mattis_bardeen(h, 1.0, T).imag, rel=2e-3)


def strong_coupling(h, N=4000, damping=0.15, T=0.4):
    """A gap function with one phonon's structure at 30 meV and damped states (meV)."""
    E = (np.arange(N) + 0.5) * h
    return 2.0 * 900 / (900 - E**2 - 12j * E) * E / (E + 1j * damping), fermi(E, T)


def test_f_sum_rule_of_a_strongly_coupled_film():
    """Ferrell-Glover-Tinkham: the area missing from sigma1 is pi W / 2, within 0.5 %: a log at zero.

    The tail above the window (500 meV) holds 1e-4 of it, because 1 - sigma1 falls as omega^-2.
    """
    h = 0.0625
    Delta, f = strong_coupling(h, 8000)
    sigma1 = conductivity(Delta, f, h).real
    sigma1[0] = sigma1[1]
    missing = h * (np.sum(1 - sigma1) - 0.5 * (1 - sigma1[0]))
    assert missing == pytest.approx(math.pi / 2 * condensate_weight(Delta, f, h), rel=5e-3)


def test_gap_function_above_its_energy_keeps_its_branch():
    """A sharp phonon at 12 meV drives |Delta| to 24 meV there: E^2 - Delta^2 turns around zero above the edge.

    A wrong branch there gives |sigma1| of several hundred.
    """
    E = (np.arange(3000) + 0.5) * 0.02
    Delta = 2.0 * 144 / (144 - E**2 - 12j * E) * E / (E + 0.3j)
    sigma1 = conductivity(Delta, fermi(E, 0.4), 0.02).real[1:]
    assert sigma1.min() > 0
    assert sigma1.max() < 3


def test_kramers_kronig_of_a_strongly_coupled_film():
    """sigma2 from sigma1 and the condensate, by the sum over every other frequency that skips the pole.

    2e-3 of sigma2 or of sigma_n: sigma1 has a step at the gap, smooth on two cells only by its damping.
    """
    h = 0.0625
    Delta, f = strong_coupling(h, 8000)
    sigma = conductivity(Delta, f, h)
    omega = np.arange(len(sigma)) * h
    change = sigma.real - 1
    change[0] = 1.5 * change[1] - 0.5 * change[2]
    half = np.where(omega == 0, 0.5, 1.0)
    for k in (5, 16, 33, 80, 241, 640, 1600):
        others = slice((k + 1) % 2, None, 2)
        integral = 2 * h * np.sum((half * change)[others] / (omega[others] ** 2 - omega[k] ** 2))
        sigma2 = condensate_weight(Delta, f, h) / omega[k] - 2 * omega[k] / math.pi * integral
        assert sigma2 == pytest.approx(sigma[k].imag, rel=2e-3, abs=2e-3)


def test_sigma2_of_lead_is_negative_where_its_phonons_bring_back_the_absorption():
    """The condensate's weight is more than the area missing below 2 Delta, and less than that below 18 meV.

    There sigma1 is back at sigma_n and then exceeds it. To leading order omega sigma2 is the weight less 2/pi of
    the area missing below omega, so sigma2 < 0 around 15 meV; the f-sum rule holds to 1 % on this lattice.
    """
    material = load("Pb")
    state = solve_equilibrium(material, 2.0, spacing=0.1, window=60.0)
    f = fermi(state.E, KB * 2.0)
    sigma = conductivity(state.gap.Delta, f, 0.1)
    omega = np.arange(len(sigma)) * 0.1
    weight = math.pi / 2 * condensate_weight(state.gap.Delta, f, 0.1)
    missing = 0.1 * np.cumsum(np.where(omega > 0, 1 - sigma.real, 0.0))
    assert missing[omega < 2 * state.gap.edge][-1] < 0.7 * weight
    assert missing[180] > 1.02 * weight
    assert sigma.real[220] > 1.02
    assert missing[-1] == pytest.approx(weight, rel=1e-2)
    assert sigma.imag[150] == pytest.approx(-0.12, abs=0.02)
    assert (sigma.imag[100:200] < 0).all()


def test_normal_metal_conducts_as_such_whatever_its_occupation():
    """Exactly 1 for any f without a gap, to the round-off of 2400 terms."""
    f = np.random.default_rng(0).uniform(0, 0.5, 2400)
    sigma = conductivity(np.zeros(2400), f, 0.25)
    assert np.isnan(sigma[0])
    assert np.abs(sigma[1:] - 1).max() < 1e-10
    assert condensate_weight(np.zeros(2400), f, 0.25) == 0.0


def test_driven_quasiparticles_take_weight_from_the_condensate():
    """A box of quasiparticles at the edge lowers W by its occupation there: W = pi Delta (1 - 2 f)."""
    h = 0.05
    E = (np.arange(800) + 0.5) * h
    f = np.where(E < 3.0, 0.2, 0.0)
    assert condensate_weight(np.full(800, 2.0), f, h) == pytest.approx(math.pi * 2.0 * 0.6, rel=1e-6)
    assert conductivity(np.full(800, 2.0), f, h)[5].real > 0.1  # and absorbs below the gap


def test_sign_of_the_gap_does_not_matter():
    Delta, f = strong_coupling(0.25, 1000)
    assert np.array_equal(conductivity(-Delta, f, 0.25)[1:], conductivity(Delta, f, 0.25)[1:])


def test_cells_are_exact_for_a_constant_gap():
    """The closed forms of the lattice conventions, to round-off; rho, p real there."""
    h, D = 0.25, 2.1
    g, q = cell_averages(np.full(40, D + 0j), h)
    a = np.arange(40) * h + 0j
    root = lambda x: np.sqrt(x**2 - D**2)  # noqa: E731
    assert g == pytest.approx((root(a + h) - root(a)) / h, rel=1e-12, abs=1e-12)
    assert q == pytest.approx(D * np.log((a + h + root(a + h)) / (a + root(a))) / h, rel=1e-12, abs=1e-12)


def test_cells_are_exact_for_a_linear_gap():
    """Against quadrature (1e-8) in cells above the edge of a sloped, damped gap."""
    h, gap = 0.25, lambda E: 2.0 - 0.05j + 0.1 * E
    E = (np.arange(40) + 0.5) * h
    g, q = cell_averages(gap(E), h)
    for i in (5, 12, 20):
        for average, part in ((g, lambda E: E), (q, gap)):
            value = [
                quad(lambda E, t=take, n=part: t(n(E) / np.sqrt(E**2 - gap(E) ** 2 + 0j)), i * h, i * h + h)[0] / h
                for take in (np.real, np.imag)
            ]
            assert average[i] == pytest.approx(complex(*value), abs=1e-8)


@pytest.mark.parametrize(
    ("Delta", "f", "h", "message"),
    [
        (np.ones(10), np.zeros(9), 0.1, "`Delta` and `f` must be one-dimensional"),
        (np.ones((2, 5)), np.zeros((2, 5)), 0.1, "`Delta` and `f` must be one-dimensional"),
        (np.ones(10), np.zeros(10), 0.0, "`h` must be positive"),
    ],
)
def test_bad_input_is_named(Delta, f, h, message):
    with pytest.raises(ValueError, match=message):
        conductivity(Delta, f, h)
