"""Refractive index, penetration depth and absorbed energy of a film."""

import math

import numpy as np
import pytest

from photogap.core.constants import C_LIGHT, EPS0_OHM_NM_PS, HBAR, MJ_CM2
from photogap.core.optics.film import (
    absorbed_energy_density,
    effective_depth,
    penetration_depth,
    refractive_index,
)
from photogap.sweeps.materials.library import load

# rho_N (ohm nm), photon energy (meV), the depth of a good conductor (nm).
FILMS = [(3000.0, 2000.0, 19.8), (3000.0, 1500.0, 22.9), (20000.0, 170.0, 176.0)]


@pytest.mark.parametrize(
    ("name", "omega", "depth"), [("LaH10", 2000.0, 20.6), ("LaH10", 1500.0, 23.6), ("K3C60", 170.0, 179.6)]
)
def test_depths_of_packaged_materials(name, omega, depth):
    """Half a unit of the last digit: n = sqrt(1 + i sigma / (eps0 omega)) of rho_N, the paper's expression."""
    material = load(name)
    n = refractive_index(1 / material.rho_N, omega, material.eps_infinity)
    assert penetration_depth(n, omega) == pytest.approx(depth, abs=0.05)


@pytest.mark.parametrize(("rho_N", "omega", "depth"), FILMS)
def test_depth_of_a_good_conductor(rho_N, omega, depth):
    """1 %: three digits. Without the displacement current."""
    n = refractive_index(1 / rho_N, omega, eps_infinity=0.0)
    assert penetration_depth(n, omega) == pytest.approx(depth, rel=0.01)
    skin = math.sqrt(2 * rho_N * EPS0_OHM_NM_PS * C_LIGHT**2 * HBAR / omega)
    assert penetration_depth(n, omega) == pytest.approx(skin / 2, rel=1e-12)  # closed form, round-off


@pytest.mark.parametrize(("rho_N", "omega", "depth"), FILMS)
def test_displacement_current_lengthens_the_depth_by_a_few_percent(rho_N, omega, depth):
    """Im sqrt(1 + i x) = Im sqrt(i x) (1 - 1 / (2 x)) to first order: x is 12 to 22 for the paper's films."""
    x = HBAR / (rho_N * EPS0_OHM_NM_PS * omega)
    ratio = penetration_depth(refractive_index(1 / rho_N, omega), omega) / penetration_depth(
        refractive_index(1 / rho_N, omega, eps_infinity=0.0), omega
    )
    assert ratio == pytest.approx(1 + 1 / (2 * x), abs=1 / x**2)  # the next order's size


def test_an_insulator_has_the_index_of_the_vacuum_and_no_absorption():
    n = refractive_index(0.0, 100.0)
    assert n == 1.0
    assert penetration_depth(n, 100.0) == math.inf


def test_a_lossless_condensate_reflects():
    """sigma = i sigma2 beyond eps0 omega: n is purely imaginary and positive, on the absorbing branch."""
    n = refractive_index(1j * 1e-3, 10.0)
    assert n.real == 0.0
    assert n.imag > 0


def test_bulk_absorbs_over_the_penetration_depth():
    n = refractive_index(1 / 3000.0, 2000.0)
    chi, U = absorbed_energy_density(2.6, 2000.0, 3000.0, math.inf)
    assert chi == pytest.approx(1 - abs((1 - n) / (1 + n)) ** 2, rel=1e-14)  # closed form, round-off
    assert pytest.approx(2.6 * MJ_CM2 * chi / penetration_depth(n, 2000.0), rel=1e-14) == U


def test_thin_film_keeps_all_absorbed_energy():
    """U d = F0 chi to round-off as long as the film is thinner than the penetration depth."""
    chi, U = absorbed_energy_density(1.0, 170.0, 20000.0, 100.0, 1.8)
    assert pytest.approx(MJ_CM2 * chi, rel=1e-14) == U * 100.0


def test_absorption_depends_on_the_substrate_until_the_film_is_thick():
    thin = [absorbed_energy_density(1.0, 170.0, 20000.0, 50.0, n).chi for n in (1.0, 3.0)]
    thick = [absorbed_energy_density(1.0, 170.0, 20000.0, 5000.0, n).chi for n in (1.0, 3.0)]
    assert abs(thin[0] - thin[1]) > 0.05
    assert thick[0] == pytest.approx(thick[1], abs=1e-12)  # e^(-2 d / depth) = 1e-24


def test_effective_depth_is_the_smaller_one():
    assert np.array_equal(effective_depth([10.0, math.inf], 20.0), [10.0, 20.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0, 170.0, 20000.0, 50.0), "`F0_mJ_cm2` must be zero or positive"),
        ((1.0, 0.0, 20000.0, 50.0), "`omega` must be positive"),
        ((1.0, 170.0, 0.0, 50.0), "`rho_N` must be positive"),
        ((1.0, 170.0, 20000.0, -50.0), "`thickness` must be positive"),
        ((1.0, 170.0, 20000.0, math.nan), "`thickness` must be positive"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        absorbed_energy_density(*arguments)


def test_negative_eps_infinity_is_refused():
    with pytest.raises(ValueError, match="`eps_infinity` must be zero or positive"):
        refractive_index(1e-4, 10.0, -1.0)
