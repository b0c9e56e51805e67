"""Interfaces, films and stacks: energy balance, limits, agreement of independent formulas."""

import math

import numpy as np
import pytest

from photogap.core.constants import C_LIGHT, HBAR, MJ_CM2
from photogap.core.optics.film import absorbed_energy_density, penetration_depth, refractive_index
from photogap.core.optics.fresnel import half_space, interface, thin_film, three_layers
from photogap.core.optics.stack import equal_slabs, slab_energy_densities, stack_powers

OMEGA = np.array([5.0, 170.0, 1500.0])
N = np.array([30 + 40j, 3.3 + 3.2j, 2.9 + 2.8j])


def matrix_powers(n, omega, thickness, n_substrate, n_cover):
    """R and T from the product of characteristic matrices, the textbook form, one photon energy."""
    M = np.eye(2, dtype=complex)
    for index, d in zip(n, thickness, strict=True):
        beta = index * d * omega / (HBAR * C_LIGHT)
        M = M @ [[np.cos(beta), -1j * np.sin(beta) / index], [-1j * index * np.sin(beta), np.cos(beta)]]
    B, C = M @ [1, n_substrate]
    return abs((n_cover * B - C) / (n_cover * B + C)) ** 2, 4 * n_cover * np.real(n_substrate) / abs(
        n_cover * B + C
    ) ** 2


def test_interface_conserves_energy():
    """R + T = 1 between transparent media, to round-off; no field jumps, 1 + r = t."""
    r, t = interface(1.3, 2.4)
    assert abs(r) ** 2 + 2.4 / 1.3 * abs(t) ** 2 == pytest.approx(1, rel=1e-14)
    assert 1 + r == pytest.approx(t, rel=1e-14)


@pytest.mark.parametrize("thickness", [1.0, 30.0, 4000.0])
@pytest.mark.parametrize(("n_substrate", "n_cover"), [(1.0, 1.0), (1.76, 1.0), (3.4, 2.4)])
def test_one_layer_equals_the_three_layer_formula(thickness, n_substrate, n_cover):
    """1e-12: two orders of operations on the same numbers."""
    film = three_layers(N, OMEGA, thickness, n_substrate, n_cover)
    stack = stack_powers(N[None], OMEGA, [thickness], n_substrate, n_cover)
    assert pytest.approx(film.R, abs=1e-12) == stack.R
    assert pytest.approx(film.T, abs=1e-12) == stack.T
    assert stack.A[0] == pytest.approx(film.A, abs=1e-12)
    assert film.R + film.T + stack.A.sum(axis=0) == pytest.approx(1, abs=1e-12)


def test_stack_equals_the_product_of_matrices():
    """1e-12 for a stack thin enough for the matrices; the balance holds for any."""
    rng = np.random.default_rng(1)
    n = rng.uniform(0.5, 4, 6) + 1j * rng.uniform(0, 3, 6)
    d = rng.uniform(5, 40, 6)
    stack = stack_powers(n, 400.0, d, 1.5 + 0.2j, 1.3)
    R, T = matrix_powers(n, 400.0, d, 1.5 + 0.2j, 1.3)
    assert pytest.approx(R, abs=1e-12) == stack.R
    assert pytest.approx(T, abs=1e-12) == stack.T
    assert stack.R + stack.T + stack.A.sum() == pytest.approx(1, abs=1e-12)


def test_transparent_slabs_absorb_nothing():
    A = stack_powers([1.5, 2.0 + 1j, 3.0], 300.0, [50.0, 20.0, 80.0], 1.4).A
    assert np.abs(A[[0, 2]]).max() < 1e-14  # round-off of two fluxes of order one
    assert A[1] > 0.05


def test_an_absorbing_half_space_equals_the_single_interface():
    bulk = half_space(N, 1.7)
    for film in (three_layers(N, OMEGA, math.inf, 2.0, 1.7), three_layers(N, OMEGA, 1e6, 2.0, 1.7)):
        assert pytest.approx(bulk.R, abs=1e-14) == film.R
        assert np.all(film.T < 1e-14)
    stack = stack_powers(np.array([N, N]), OMEGA, [30.0, math.inf], 2.0, 1.7)
    assert pytest.approx(bulk.R, abs=1e-14) == stack.R


def test_thick_slabs_do_not_overflow():
    stack = stack_powers(N[None], OMEGA, [1e9], 2.0)
    assert np.all(np.isfinite(stack.A))
    assert np.all(stack.T == 0)


def test_thin_film_limit():
    """First order in d / depth, so quartered with a quarter of the thickness (3.5: the next order)."""
    sigma, omega = 1 / 20000.0, 10.0
    n = refractive_index(sigma, omega)
    errors = []
    for d in (4.0, 1.0):
        exact, limit = three_layers(n, omega, d, 1.8), thin_film(sigma, d, 1.8)
        errors.append(abs(limit.T - exact.T))
        assert pytest.approx(1, abs=1e-14) == limit.R + limit.T + limit.A
    assert errors[1] < errors[0] / 3.5
    assert errors[1] < 0.01  # d / depth = 1 / 700


def test_splitting_a_film_changes_nothing():
    """Slabs of one index are one film, to round-off; their shares of the absorbed energy add up to chi."""
    film = three_layers(N[1], 170.0, 100.0, 1.8)
    for count in (1, 2, 50):
        split = stack_powers(np.full(count, N[1]), 170.0, equal_slabs(100.0, count), 1.8)
        assert pytest.approx(film.R, abs=1e-13) == split.R
        assert split.A.sum() == pytest.approx(film.A, abs=1e-13)


def test_deep_film_absorbs_as_beer_and_lambert():
    """The wave reflected after ten penetration depths leaves e^-10 of interference: 1e-3 in all."""
    depth = float(penetration_depth(N[1], 170.0))
    A = stack_powers(np.full(40, N[1]), 170.0, equal_slabs(10 * depth, 40), 1.8).A
    assert A[:8] / A[0] == pytest.approx(np.exp(-np.arange(8) * 0.25), rel=1e-3)


def test_slabs_share_the_energy_of_the_film():
    """The energy over the slabs equals F0 chi to round-off, and one slab equals the uniform film."""
    n = refractive_index(1 / 20000.0, 170.0)
    whole = absorbed_energy_density(2.0, 170.0, 20000.0, 100.0, 1.8)
    chi, U = slab_energy_densities(2.0, [n], 170.0, [100.0], 1.8)
    assert chi[0] == pytest.approx(whole.chi, rel=1e-12)
    assert U[0] == pytest.approx(whole.U, rel=1e-12)
    d = equal_slabs(100.0, 10)
    chi, U = slab_energy_densities(2.0, np.full(10, n), 170.0, d, 1.8)
    assert chi.sum() == pytest.approx(whole.chi, rel=1e-12)
    assert np.sum(U * d) == pytest.approx(2.0 * MJ_CM2 * whole.chi, rel=1e-12)
    assert U[0] > U[-1]


def test_doubling_the_slabs_of_a_graded_film_converges():
    """n(z) sampled at the slabs' middles: second order, and doubling 16 slabs moves R by under 0.1 %."""
    R = []
    for count in (16, 32, 64):
        z = (np.arange(count) + 0.5) / count
        R.append(stack_powers(3.3 + 3.2j * (1 - 0.3 * np.exp(-z)), 170.0, equal_slabs(200.0, count), 1.8).R)
    assert abs(R[1] - R[0]) < 1e-3 * R[0]
    assert abs(R[2] - R[1]) < abs(R[1] - R[0]) / 3.5  # order two, with room for the next


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stack_powers([], 100.0, []), "A stack needs at least one slab"),
        (lambda: stack_powers([2.0, 3.0], 100.0, [5.0]), "one `thickness` for each slab"),
        (lambda: stack_powers([2.0], 100.0, [-5.0]), "`thickness` must be positive"),
        (lambda: three_layers(2.0, 100.0, 5.0, 1.0, 0.0), "`n_cover` must be real and positive"),
        (lambda: three_layers(2.0, 100.0, 5.0, 1.0, 1 + 1j), "`n_cover` must be real and positive"),
        (lambda: equal_slabs(10.0, 0), "`count` must be at least 1"),
        (lambda: slab_energy_densities(1.0, [2.0], 100.0, [math.inf]), "must be finite"),
        (lambda: slab_energy_densities(-1.0, [2.0], 100.0, [5.0]), "`F0_mJ_cm2` must be zero or positive"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
