"""Every process in the list: the energy it carries over the border, its bound of the fastest rate, its absence."""

import dataclasses
import math

import numpy as np
import pytest

from photogap.core import processes
from photogap.core.equations import Equations, joint_derivative
from photogap.core.kinetics import Change, Entry, Setup
from photogap.core.pairing.coherence import spectral_weights
from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_film
from photogap.core.terms.escape import Pinning
from photogap.core.terms.pump import Pump
from photogap.core.thermal import bose, fermi

SETTINGS = Settings(phonon_share=0.3, tau_ee=0.05, phonon_velocity=3e3, slabs=3, thickness=60.0)
"""With these every process is present; a new one adds its setting."""
MOVING = tuple(process for process in processes.IN_A_SLAB if process is not Pinning)
"""Processes that have rates of their own."""
POINT = {"F0": 1.0, "omega_pump": 79.0, "T": 30.0, "tau_esc": 0.02}


@pytest.fixture(scope="module")
def film(k3c60):
    return build_film(k3c60, 1.0, 600.0)


@pytest.fixture(scope="module")
def setup(k3c60, film):
    """A slab in which every process is present, at the pulse's maximum."""
    both = "scattering+pair-breaking"
    pump = Pump(omega_pump=79.0, tau_pump=0.3, U=3.0, U_ph=1.0, channels=both, stimulated_emission=True)
    return Setup(
        point=Point(material=k3c60, **POINT), settings=SETTINGS, film=film, pump=pump,
        gamma=lambda t, unit_power: pump.U * pump.rate(t) / unit_power, n_eq=bose(film.lattice.Omega, 30.0),
    )  # fmt: skip


def hot(equations, T=200.0, shift=0.1, gap=3.0):
    lattice = equations.film.lattice
    rho, p = spectral_weights(lattice.E + 0j, np.full(lattice.N, gap + 0j))
    return equations.pack(fermi(lattice.E, T) * (1 - shift), bose(lattice.Omega, T) * (1 + shift)), rho, p


@pytest.mark.parametrize("process", MOVING, ids=lambda process: process.__name__)
def test_term_records_the_energy_that_enters_or_leaves(setup, film, process):
    """To the round-off of its gross rates: 600 cells, 1e-13."""
    term = process.build(setup)
    equations = Equations(film=film, terms=(term,))
    y, rho, p = hot(equations)
    change = equations.change(equations.derivative(0.0, y, rho, p))
    assert max(np.abs(change.f).max(), np.abs(change.n).max()) > 0
    gained = film.quasiparticle_energy(rho, change.f) + film.phonon_energy(change.n)
    booked = change.ledger[Entry.ABSORBED] - change.ledger[Entry.ESCAPED]
    scale = film.quasiparticle_energy(rho, np.abs(change.f)) + film.phonon_energy(np.abs(change.n))
    assert gained == pytest.approx(booked, abs=1e-13 * scale)


@pytest.mark.parametrize("process", MOVING, ids=lambda process: process.__name__)
def test_a_term_bounds_its_fastest_rate(setup, film, process):
    """Against the largest eigenvalue of its Jacobian, by products with differences, without a gap edge."""
    term = process.build(dataclasses.replace(setup, gamma=lambda t, unit_power: 0.2))
    equations = Equations(film=film, terms=(term,))
    y, rho, p = hot(equations, gap=0.0)
    K = y.size - len(Entry)
    base = equations.derivative(0.0, y, rho, p)
    vector, largest = np.random.default_rng(2).uniform(size=K), 0.0
    for _ in range(30):
        step = 1e-7 / np.abs(vector).max()
        moved = y.copy()
        moved[:K] += step * vector
        image = (equations.derivative(0.0, moved, rho, p) - base)[:K] / step
        largest = float(np.linalg.norm(image) / np.linalg.norm(vector))
        if largest < 1e-6:
            break
        vector = image / np.linalg.norm(image)
    # a rate that depends on no state has round-off of 1e-16 / 1e-7
    assert largest <= equations.spectral_radius(0.0, y, rho, p) + 1e-6


def test_the_right_hand_side_is_the_sum_of_its_terms(setup, film):
    terms = processes.slab_terms(setup)
    assert len(terms) == len(MOVING)
    together = Equations(film=film, terms=terms)
    y, rho, p = hot(together)
    one_by_one = [Equations(film=film, terms=(term,)).derivative(0.0, y, rho, p) for term in terms]
    np.testing.assert_array_equal(sum(one_by_one), together.derivative(0.0, y, rho, p))


def test_instantaneous_escape_cancels_all_rates_of_n(setup, film):
    """n stays, and what it would have gained is booked; the energy balance closes to the gross rates' round-off."""
    pinned = dataclasses.replace(setup, point=Point(material=setup.point.material, **POINT | {"tau_esc": 0.0}))
    equations = Equations(film=film, terms=processes.slab_terms(pinned))
    y, rho, p = hot(equations)
    change = equations.change(equations.derivative(0.0, y, rho, p))
    assert not change.n.any()
    booked = change.ledger[Entry.ABSORBED] - change.ledger[Entry.ESCAPED]
    scale = film.quasiparticle_energy(rho, np.abs(change.f))
    assert film.quasiparticle_energy(rho, change.f) == pytest.approx(booked, abs=1e-12 * scale)
    assert change.ledger[Entry.ESCAPED] != 0


def test_joint_terms_conserve_the_films_energy(setup, film):
    joint = processes.joint_terms(SETTINGS, 20.0)
    assert len(joint) == len(processes.BETWEEN_SLABS)
    slabs = [Equations(film=film, terms=())] * 3
    states = [hot(slabs[0], T) for T in (100.0, 200.0, 50.0)]
    y, weights = np.concatenate([s[0] for s in states]), [s[1:] for s in states]
    changes = [slabs[0].change(rate) for rate in np.split(joint_derivative(slabs, joint, 0.0, y, weights), 3)]
    found = zip(weights, changes, strict=True)
    powers = [film.quasiparticle_energy(w[0], c.f) + film.phonon_energy(c.n) for w, c in found]
    assert max(map(abs, powers)) > 0
    assert sum(powers) == pytest.approx(0.0, abs=1e-13 * max(map(abs, powers)))
    assert not any(c.ledger.any() for c in changes)


def test_absent_process_has_no_term(setup):
    dark = dataclasses.replace(setup, pump=dataclasses.replace(setup.pump, U_ph=0.0))
    assert len(processes.slab_terms(dark)) == len(MOVING) - 1
    assert processes.joint_terms(Settings(), math.inf) == ()


@pytest.mark.parametrize("process", MOVING, ids=lambda process: process.__name__)
def test_Z_divides_the_rates_of_f_and_keeps_the_energy(setup, film, process):
    """At any fixed Z: energy weighted by Z rho against what is booked, to the gross rates' round-off."""
    equations = Equations(film=film, terms=(process.build(setup),))
    y, rho, p = hot(equations)
    Z = 1.0 + 2.0 / (1.0 + (film.lattice.E / 80.0) ** 2)
    plain = equations.change(equations.derivative(0.0, y, rho, p))
    change = equations.change(equations.derivative(0.0, y, rho, p, Z))
    np.testing.assert_array_equal(change.f, plain.f / Z)
    np.testing.assert_array_equal(change.n, plain.n)
    gained = film.quasiparticle_energy(Z * rho, change.f) + film.phonon_energy(change.n)
    booked = change.ledger[Entry.ABSORBED] - change.ledger[Entry.ESCAPED]
    scale = film.quasiparticle_energy(Z * rho, np.abs(change.f)) + film.phonon_energy(np.abs(change.n))
    assert gained == pytest.approx(booked, abs=1e-13 * scale)


def test_custom_process_is_one_more_term(setup, film):
    """Recombination by radiation, say: quasiparticles lost at a rate, their energy booked as escaped."""

    class Loss:
        def add(self, t, state, change: Change):
            lost = 2.0 * state.f
            change.f -= lost
            change.ledger[Entry.ESCAPED] += state.film.quasiparticle_energy(state.rho, lost)

        def fastest_rate(self, t, state):
            return 2.0

    without = Equations(film=film, terms=processes.slab_terms(setup))
    extended = dataclasses.replace(without, terms=(*without.terms, Loss()))
    y, rho, p = hot(extended)
    added = extended.derivative(0.0, y, rho, p) - without.derivative(0.0, y, rho, p)
    assert extended.change(added).f == pytest.approx(-2.0 * extended.split(y)[0], abs=1e-10)
    assert extended.spectral_radius(0.0, y, rho, p) == without.spectral_radius(0.0, y, rho, p) + 2.0
