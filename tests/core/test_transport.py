"""Phonons that pass between slabs: the chain's own rates, energy, and the limits of none, equal and infinite."""

import math

import numpy as np
import pytest

from photogap.core.dynamics import integrate
from photogap.core.equations import Equations, joint_derivative, joint_spectral_radius, parts
from photogap.core.integrators import METHODS
from photogap.core.pairing.coherence import spectral_weights
from photogap.core.pairing.tracking import GapTracker
from photogap.core.result import Outcome
from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_coupling, build_equilibrium, build_film, check, simulate
from photogap.core.terms.absorption import Absorption
from photogap.core.terms.collisions import Collisions
from photogap.core.terms.pump import Pump
from photogap.core.terms.transport import Exchange
from photogap.core.thermal import bose, fermi

EXCHANGE = Exchange(velocity=3.0, thickness=20.0)


def mode(K, k):
    """Cosine mode k of K slabs and its analytic rate, 1/ps."""
    shape = np.cos(np.pi * k * (np.arange(K) + 0.5) / K)
    return shape, -3.0 / 20.0 * math.sin(np.pi * k / (2 * K)) ** 2


@pytest.mark.parametrize("K", [2, 3, 8])
def test_cosines_are_the_modes_of_the_chain(K):
    """To round-off, with the rates of the docstring; the outer faces let nothing pass."""
    for k in range(K):
        shape, rate = mode(K, k)
        n = np.outer(shape, [1.0, 2.0])
        assert EXCHANGE(n) == pytest.approx(rate * n, abs=1e-15)


def test_the_bound_of_the_rates_is_tight_for_a_long_chain():
    rates = np.linalg.eigvalsh(EXCHANGE(np.eye(40)))
    assert -rates[0] < EXCHANGE.fastest_rate(0.0, [])
    assert -rates[0] == pytest.approx(EXCHANGE.fastest_rate(0.0, []), rel=0.01)


def test_equal_slabs_exchange_nothing_and_energy_is_conserved():
    """Exactly nothing; and a sum of three terms of order one over the slabs is zero to their round-off."""
    rng = np.random.default_rng(3)
    assert not EXCHANGE(np.tile(rng.uniform(size=50), (4, 1))).any()
    assert np.abs(EXCHANGE(rng.uniform(size=(5, 50))).sum(axis=0)).max() < 1e-15
    assert not EXCHANGE(rng.uniform(size=(1, 50))).any()


@pytest.mark.parametrize("name", METHODS)
def test_the_slowest_mode_decays_at_its_rate_to_the_method_s_order(name):
    """Steps short enough for all of the chain's modes, long enough that the error stands far above round-off."""
    shape, rate = mode(6, 1)
    end, errors = 2.0 / abs(rate), []
    for steps in (16, 32, 64):
        n, dt = shape.copy(), end / steps
        for _ in range(steps):
            n = (
                METHODS[name]
                .step(lambda t, y: EXCHANGE(y[:, None])[:, 0], 0.0, n, dt, EXCHANGE.fastest_rate(0.0, []))
                .y
            )
        errors.append(np.abs(n - math.exp(rate * end) * shape).max())
    slopes = np.diff(np.log2(errors))
    assert -slopes[-1] == pytest.approx(METHODS[name].order, abs=0.35)


def equations(film, U=0.0):
    pump = Pump(omega_pump=170.0, tau_pump=0.3, U=U, channels="scattering", stimulated_emission=True)
    absorption = Absorption(pump=pump, gamma=lambda t, unit_power: U * pump.rate(t) / unit_power)
    return Equations(film=film, terms=(Collisions(), absorption))


def test_energy_over_the_slabs_is_kept_while_it_flows(k3c60):
    """Delta fixed, no pump, no escape, 300 steps: 1e-12, as for one slab."""
    film = build_film(k3c60, 2.0, 600.0)
    E, Omega = film.lattice.E, film.lattice.Omega
    slab, exchange = equations(film), Exchange(velocity=3e3, thickness=20.0)
    weights = [spectral_weights(E + 0j, np.full(E.size, gap, dtype=complex)) for gap in (0.0, 2.0, 2.0)]
    hot = [0.3 * np.exp(-(((E - 150.0) / 20.0) ** 2)), 0.0, 0.0]
    slabs = [slab] * 3
    y = np.concatenate([slab.pack(f + fermi(E, 100.0), bose(Omega, 100.0)) for f in hot])

    def energies(y):
        found = [(w[0], *slab.split(part)) for part, w in zip(parts(slabs, y), weights, strict=True)]
        return np.array([film.quasiparticle_energy(rho, f) + film.phonon_energy(n) for rho, f, n in found])

    start = energies(y)
    radius = joint_spectral_radius(slabs, [exchange], 0.0, parts(slabs, y), weights)
    for _ in range(300):
        y = (
            METHODS["rkc"]
            .step(lambda t, y: joint_derivative(slabs, [exchange], t, y, weights), 0.0, y, 1.0 / radius, radius)
            .y
        )
    end = energies(y)
    assert end.sum() == pytest.approx(start.sum(), rel=1e-12)
    assert end[0] < 0.9 * start[0]
    assert end[1] - start[1] > end[2] - start[2] > 0


def trajectory(film, material, count, joint=()):
    trackers = [GapTracker(build_coupling(material, 2.0, 600.0, "full"), "full", 1e-5) for _ in range(count)]
    gap = build_equilibrium(material, 2.0, 600.0, "full", 30.0, 1e-5)
    lattice = film.lattice
    out = integrate(
        [equations(film, 4.0)] * count, trackers, METHODS["rkc"], np.linspace(-0.6, 0.4, 6), fermi(lattice.E, 30.0),
        bose(lattice.Omega, 30.0), gap, rtol=1e-2, atol=1e-4, max_steps=2000, dt_max=math.inf, joint=joint,
    )  # fmt: skip
    assert out.outcome is Outcome.OK, out.message
    return [np.concatenate([s.f for s in samples] + [s.n for s in samples]) for samples in out.slabs]


def test_equal_slabs_are_as_one(k3c60):
    """Without exchange bit by bit; with it the stages of a step are more, so within the steps' tolerance."""
    film = build_film(k3c60, 2.0, 600.0)
    (one,) = trajectory(film, k3c60, 1)
    two = trajectory(film, k3c60, 2)
    np.testing.assert_array_equal(two[0], one)
    np.testing.assert_array_equal(two[1], one)
    joined = trajectory(film, k3c60, 2, [Exchange(velocity=1e4, thickness=20.0)])
    np.testing.assert_array_equal(joined[0], joined[1])
    np.testing.assert_allclose(joined[0], one, rtol=1e-2, atol=1e-3)


FILM = {"thickness": 200.0, "t_stop": 0.3, "n_times": 7, "spacing": 1.0, "slabs": 3, "depth_profile": True}


def run(material, **settings):
    point = Point(material=material, F0=0.03, omega_pump=170.0, T=8.0, tau_esc=1.0)
    result = simulate(point, Settings(**FILM | settings))
    assert result.outcome is Outcome.OK, result.message
    return result


def test_fast_phonons_are_the_same_in_all_slabs(k3c60):
    """What differs between the slabs falls as 1 / v; steps stay as long as without transport, though v / dz is
    fifteen times the fastest rate of scattering."""
    without = run(k3c60)
    results = [run(k3c60, phonon_velocity=v) for v in (1e5, 4e5)]
    spreads = [np.ptp(r.data["U_ph_slab"][-1]) for r in (without, *results)]
    assert spreads[1] < 1e-2 * spreads[0]
    assert spreads[1] / spreads[2] == pytest.approx(4.0, rel=0.1)
    assert results[1].diagnostics["steps"] < without.diagnostics["steps"] / FILM["slabs"]
    for r in results:
        assert r.data["ledger_error"] < 1e-4
        # what the pulse left with the quasiparticles follows the phonons
        assert np.ptp(r.data["U_qp_slab"][-1]) < np.ptp(without.data["U_qp_slab"][-1])


def test_slabs_narrow_their_windows_independently(pb):
    """Lead after 300 meV, two slabs on lattices of their own and phonons on one: the ledger closes as without."""
    settings = {"spacing": 0.1, "times": (-6.0, 0.0, 5.0, 20.0, 60.0), "atol": 1e-7, "thickness": 40.0, "slabs": 2}
    point = Point(material=pb, F0=5e-7, omega_pump=300.0, T=5.0, tau_esc=500.0)
    none, passing = (
        simulate(point, Settings(**settings, depth_profile=True, phonon_velocity=v)).data for v in (0.0, 1.0)
    )
    for data in (none, passing):
        assert data["ledger_error"] < 1e-4
        assert data["U_absorbed"][-1] == pytest.approx(float(data["absorbed_energy_density"]), rel=1e-3)
    # g = v / (4 dz) = 1 / (80 ps) from each side: over 60 ps much of the difference is gone
    ratio = np.diff(passing["U_ph_slab"][-1]) / np.diff(none["U_ph_slab"][-1])
    assert 0.1 < ratio[0] < 0.6
    assert passing["Delta0_slab"][-1, 1] < none["Delta0_slab"][-1, 1]


def test_slow_phonons_exchange_nothing(k3c60):
    """Slabs that share their steps differ by less than the steps' tolerance from slabs on their own."""
    none, slow = run(k3c60).data, run(k3c60, phonon_velocity=1e-3).data
    for name in ("Delta0_slab", "U_ph_slab", "n_qp_slab"):
        np.testing.assert_allclose(slow[name], none[name], rtol=5e-3, atol=5e-3 * none[name].max())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"slabs": 1, "depth_profile": False}, "`phonon_velocity` above 0 needs `slabs` above 1.* Got 3.0"),
        ({"pump_rate": "constant"}, "`phonon_velocity` above 0 needs `pump_rate: envelope`.* Got 3.0 with"),
    ],
)
def test_transport_without_a_meaning_is_refused(k3c60, settings, message):
    point = Point(material=k3c60, F0=0.03, omega_pump=170.0, T=8.0, tau_esc=1.0)
    with pytest.raises(ValueError, match=message):
        check(point, Settings(**FILM | {"phonon_velocity": 3.0} | settings))
    with pytest.raises(ValueError, match=r"`phonon_velocity` must be zero or positive, in nm/ps. Got -1.0"):
        Settings(phonon_velocity=-1.0)
