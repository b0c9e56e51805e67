"""Z on the left-hand side: the specific heat, slower quasiparticles, the same phonons, the ledger."""

import dataclasses

import numpy as np
import pytest

from photogap.core.pairing.allen_dynes import coupling_lambda
from photogap.core.pairing.gap import SelfEnergy, normal_state
from photogap.core.result import Outcome
from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_coupling, build_equilibrium, build_film, simulate
from photogap.core.thermal import bose, fermi

TIMES = (-6.0, 0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
COARSE = {"spacing": 0.1, "times": TIMES, "atol": 1e-7, "gap_tol": 1e-7, "thickness": 10.0}


@pytest.fixture(scope="module")
def pulses(pb):
    """Lead without and with Z, after a pulse of a hundred gaps."""
    point = Point(material=pb, F0=5e-7, omega_pump=300.0, T=5.0, tau_esc=500.0)
    return [simulate(point, Settings(**COARSE, renormalised_rates=on)) for on in (False, True)]


def test_the_energy_has_the_enhanced_specific_heat(pb):
    """Normal lead far below its phonons: energy at a temperature is 1 + lambda times that of free electrons.

    1 %: (pi k T / omega)^2 of the soft modes, and the lattice.
    """
    film, coupling = build_film(pb, 0.02, 60.0), build_coupling(pb, 0.1, 60.0, "full")
    coupling = dataclasses.replace(coupling, lattice=film.lattice, alpha2F=film.alpha2F)
    f = fermi(film.lattice.E, 0.5)
    normal = normal_state(coupling.kernel(bose(film.lattice.Omega, 0.5)), f, "full")
    ratio = film.quasiparticle_energy(normal.Z.real, f) / film.quasiparticle_energy(np.ones(f.size), f)
    expected = 1.0 + coupling_lambda(film.lattice.Omega, film.alpha2F)
    assert ratio == pytest.approx(expected, rel=1e-2)


def test_the_ledger_closes(pulses):
    for result in pulses:
        assert result.outcome is Outcome.OK, result.message
        assert result.data["ledger_error"] < 1e-4
        assert result.data["U_absorbed"][-1] == pytest.approx(result.data["absorbed_energy_density"], rel=1e-3)


def test_quasiparticles_are_slower_and_phonons_are_not(pulses):
    """At 2 ps the gap has fallen half as far; at 200 ps, while phonons leave, both are on their way back alike."""
    without, with_Z = (r.data["Delta0"] - r.data["Delta0"][0] for r in pulses)
    assert with_Z[2] / without[2] < 0.7
    assert with_Z[-1] / without[-1] == pytest.approx(1.0, abs=0.05)
    heat = [r.data["U_qp"][-1] for r in pulses]
    # states at the gap edge weigh Z(Delta), 2.5 to 3 in lead
    assert 2.2 < heat[1] / heat[0] < 3.3


def test_equilibrium_is_a_fixed_point(pb):
    point = Point(material=pb, F0=0.0, omega_pump=300.0, T=5.0, tau_esc=500.0)
    data = simulate(point, Settings(**COARSE, renormalised_rates=True)).data
    assert np.ptp(data["Delta0"]) < 1e-6 * data["Delta0"][0]


def test_a_Z_that_is_not_positive_is_refused(pb, monkeypatch):
    gap = build_equilibrium(pb, 0.1, 60.0, "full", 5.0, 1e-7)
    upside_down = dataclasses.replace(gap, self_energy=SelfEnergy(-gap.self_energy.omegaZ, gap.self_energy.phi))
    monkeypatch.setattr("photogap.core.simulate.build_equilibrium", lambda *_: upside_down)
    point = Point(material=pb, F0=5e-7, omega_pump=300.0, T=5.0, tau_esc=500.0)
    result = simulate(point, Settings(**COARSE, renormalised_rates=True))
    assert result.outcome is Outcome.NOT_CONVERGED
    assert "`renormalised_rates: true` needs Re Z > 0. Got -" in result.message
    assert "at t = -6 ps" in result.message
