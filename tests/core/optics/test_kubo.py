"""Finite scattering rate: Zimmermann's integrals, the dirty limit, Drude."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from photogap.core.optics.kubo import kubo_conductivity
from photogap.core.optics.nam import condensate_weight, conductivity


def zimmermann(w, rate, T, D=1.0):
    """The integrals of Physica C 183, 99 for a constant gap D; rate = hbar / tau, all in one unit."""
    tanh = lambda x: math.tanh(x / (2 * T)) if T > 0 else math.copysign(1.0, x)  # noqa: E731
    root = lambda x: math.sqrt(max(x * x - D * D, 1e-300))  # noqa: E731

    def kernel(P, P2, c):
        plus, minus = (1 + c / (P * P2)), (1 - c / (P * P2))
        return minus / (P + P2 + 1j * rate) - plus / (P - P2 + 1j * rate)

    def I1(E):
        P4 = 1j * math.sqrt(max(D * D - (E - w) ** 2, 1e-300))
        return tanh(E) * kernel(P4, root(E), D * D + E * (E - w))

    def I2(E):
        P1, P2, c = root(E + w), root(E), D * D + E * (E + w)
        first = (1 + c / (P1 * P2)) / (P1 - P2 + 1j * rate) - (1 - c / (P1 * P2)) / (-P1 - P2 + 1j * rate)
        return tanh(E + w) * first + tanh(E) * kernel(P1, P2, c)

    def I3(E):
        return tanh(E) * kernel(root(E - w), root(E), D * D + E * (E - w))

    def both_edges(g, a, b):
        sine = lambda u: (a + b) / 2 + (b - a) / 2 * math.sin(u)  # noqa: E731
        full = lambda u: g(sine(u)) * (b - a) / 2 * math.cos(u)  # noqa: E731
        return sum(
            unit * quad(lambda u, t=take: t(full(u)), -math.pi / 2, math.pi / 2, epsabs=1e-10, limit=400)[0]
            for unit, take in ((1, lambda x: x.real), (1j, lambda x: x.imag))
        )

    def upwards(g):
        full = lambda u: g(D * math.cosh(u)) * D * math.sinh(u)  # noqa: E731
        return sum(
            unit * quad(lambda u, t=take: t(full(u)), 1e-9, 14.0, epsabs=1e-10, limit=400)[0]
            for unit, take in ((1, lambda x: x.real), (1j, lambda x: x.imag))
        )

    J = both_edges(I1, max(D, w - D), w + D) + (both_edges(I3, D, w - D) if w > 2 * D else 0.0)
    return 1j * rate / (2 * w) * (J + upwards(I2))


@pytest.mark.parametrize("T", [0.0, 0.4])
@pytest.mark.parametrize("rate", [0.5, 3.0, 40.0])
def test_agrees_with_zimmermanns_integrals(rate, T):
    """1 % of |sigma| at Delta = 40 h: 0.1 % for dirty films, 0.7 % at worst for hbar/tau = Delta / 2."""
    h = 1 / 40.3
    E = (np.arange(500) + 0.5) * h
    f = 0.5 * (1 - np.tanh(E / (2 * T))) if T else np.zeros(500)
    for omega in (0.5, 1.0, 2.5, 4.0, 8.0):
        k = round(omega / h)
        exact = zimmermann(k * h, rate, T)
        assert abs(kubo_conductivity(np.ones(500), f, h, rate, k=k) - exact) < 0.01 * abs(exact)


def test_large_rate_is_the_dirty_limit():
    """The difference falls as ln(rate) / rate (states up to the rate count): by 7 or more a decade."""
    h = 0.05
    f = np.zeros(200)
    dirty = conductivity(np.ones(200), f, h)[1:]
    distance = [
        np.abs(kubo_conductivity(np.ones(200), f, h, rate)[1:] / dirty - 1).max() for rate in (1e4, 1e5, 1e6)
    ]
    assert distance[1] < distance[0] / 7
    assert distance[2] < distance[1] / 7
    assert distance[2] < 1e-4
    assert np.array_equal(kubo_conductivity(np.ones(200), f, h, math.inf)[1:], dirty)


@pytest.mark.parametrize("rate", [0.3, 5.0, 200.0])
def test_normal_metal_is_drude(rate):
    """Exactly 1 / (1 - i omega tau), to the round-off of the sums, for any occupation."""
    f = np.random.default_rng(0).uniform(0, 0.5, 300)
    k = np.array([1, 7, 100, 299])
    drude = 1 / (1 - 1j * k * 0.2 / rate)
    assert kubo_conductivity(np.zeros(300), f, 0.2, rate, k=k) == pytest.approx(drude, abs=1e-11)


def test_a_clean_film_has_all_its_weight_in_the_condensate():
    """omega sigma2 tends to the Drude weight rate (1 - pi rate / 8 Delta), not to pi Delta.

    5 %: the lattice (Delta = 80 h) resolves products of two edges less well for a rate this small.
    """
    h = 1 / 80.3
    E = np.arange(800)
    sigma = kubo_conductivity(np.ones(800), np.zeros(800), h, 0.1, k=20)
    assert 20 * h * sigma.imag == pytest.approx(0.1 * (1 - math.pi * 0.1 / 8), rel=0.05)
    assert condensate_weight(np.ones(800), 0.0 * E, h) == pytest.approx(math.pi, rel=1e-9)


def test_mass_renormalisation_slows_the_electrons():
    """A constant real Z is a Drude metal of mass Z: 1 / (1 - i Z omega tau), to round-off."""
    k = np.array([3, 50])
    sigma = kubo_conductivity(np.zeros(200), np.zeros(200), 0.2, 5.0, Z=1.8, k=k)
    assert sigma == pytest.approx(1 / (1 - 1j * 1.8 * k * 0.2 / 5.0), abs=1e-11)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scattering_rate": 0.0}, "`scattering_rate` must be positive"),
        ({"scattering_rate": 1.0, "k": [10]}, "`k` must lie in 0..9"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        kubo_conductivity(np.ones(10), np.zeros(10), 0.1, **options)
