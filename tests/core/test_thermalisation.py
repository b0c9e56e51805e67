"""Electron-electron scattering as relaxation to the Fermi function of the same energy."""

import dataclasses
import math

import numpy as np
import pytest

from photogap.core.equations import Equations
from photogap.core.kinetics import State, Weights
from photogap.core.pairing.coherence import spectral_weights
from photogap.core.result import Outcome
from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_film, simulate
from photogap.core.terms.thermalisation import Thermalisation, thermal_of_same_energy
from photogap.core.thermal import bose, fermi

GAPS = [0.0, 0.3, 3.0]


@pytest.fixture(scope="module")
def film(k3c60):
    return build_film(k3c60, 0.5, 600.0)


def weights(film, gap):
    E = film.lattice.E
    return spectral_weights(E + 0j, np.full(E.size, gap + 0j))


def driven(E):
    """A thermal film after two photons: nothing that looks like a Fermi function."""
    return 0.8 * fermi(E, 30.0) + 0.02 * ((E > 170.0) & (E < 180.0)) + 0.3 * (E < 1.0)


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("T", [0.5, 4.0, 30.0, 2000.0])
def test_a_fermi_function_is_the_fixed_point(film, gap, T):
    E, rho = film.lattice.E, weights(film, gap)[0]
    f = fermi(E, T)
    # to the search's 1e-13 of the energy, a temperature good to 1e-13 of E / kT, at most 1e3 where f counts
    np.testing.assert_allclose(thermal_of_same_energy(E, rho, f), f, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("gap", GAPS)
def test_energy_is_conserved(film, gap):
    E, (rho, p) = film.lattice.E, weights(film, gap)
    f, n = driven(E), bose(film.lattice.Omega, 30.0)
    equations = Equations(film=film, terms=(Thermalisation(0.01),))
    change = equations.change(equations.derivative(0.0, equations.pack(f, n), rho, p))
    gross = film.quasiparticle_energy(rho, np.abs(change.f))
    assert gross > 0
    assert abs(film.quasiparticle_energy(rho, change.f)) < 1e-12 * gross
    assert not change.n.any()
    assert not change.ledger.any()


def test_energy_is_conserved_with_renormalised_rates(film):
    """U_qp then carries Z rho, and the rates 1 / Z."""
    E, (rho, p) = film.lattice.E, weights(film, 2.0)
    Z = 1.0 + 0.7 / (1.0 + (E / 100.0) ** 2)
    f = driven(E)
    equations = Equations(film=film, terms=(Thermalisation(0.01),), renormalised=True)
    y = equations.pack(f, bose(film.lattice.Omega, 30.0))
    change = equations.change(equations.derivative(0.0, y, rho, p, Z))
    gross = film.quasiparticle_energy(Z * rho, np.abs(change.f))
    assert abs(film.quasiparticle_energy(Z * rho, change.f)) < 1e-12 * gross
    assert State(film, Weights(rho, p, Z), f, y[: E.size]).U_qp > 0


@pytest.mark.parametrize("gap", GAPS)
def test_the_entropy_grows(film, gap):
    E, rho = film.lattice.E, weights(film, gap)[0]
    f = driven(E)
    df = thermal_of_same_energy(E, rho, f) - f
    assert np.dot(rho, np.log((1.0 - f) / f) * df) > 0


def test_zero_and_inverted_occupations_keep_their_energy(film):
    E, rho = film.lattice.E, weights(film, 0.0)[0]
    assert not thermal_of_same_energy(E, rho, np.zeros(E.size)).any()
    inverted = thermal_of_same_energy(E, rho, np.full(E.size, 0.75))
    assert np.dot(E, inverted) == pytest.approx(0.75 * E.sum(), rel=1e-12)
    assert inverted[-1] > inverted[0] > 0.5


def run(material, tau_ee):
    point = Point(material=material, F0=0.1, omega_pump=170.0, T=30.0, tau_esc=0.02)
    settings = Settings(
        spacing=1.0, t_stop=0.3, n_times=10, tau_ee=tau_ee, energies=tuple(np.arange(5.0, 400.0, 5.0))
    )
    return simulate(point, settings)


def test_slow_electrons_change_nothing_and_fast_ones_thermalise_f(k3c60):
    """At 1 fs what is left of the step at 170 meV is tau_ee times the rates that make it: little."""
    none, slow, quick = (run(k3c60, tau) for tau in (math.inf, 1e6, 1e-3))
    np.testing.assert_allclose(slow.data["Delta0"], none.data["Delta0"], atol=1e-5)
    for result in (none, quick):
        assert result.outcome is Outcome.OK
        assert result.data["ledger_error"] < 1e-5
    E = np.arange(5.0, 400.0, 5.0)
    step = [float(np.ptp(_at_top(result)[(E > 160) & (E < 180)])) for result in (none, quick)]
    assert step[1] < 0.2 * step[0]


def _at_top(result):
    f = result.data["f"]
    return f[f.shape[0] * 2 // 3]


def test_it_is_absent_by_default():
    assert math.isinf(dataclasses.asdict(Settings())["tau_ee"])
    with pytest.raises(ValueError, match=r"`tau_ee` must be positive, in ps; use .inf for none. Got 0"):
        Settings(tau_ee=0.0)
