"""The slow end: a microsecond by the implicit method, its energy, and the same answer as the explicit one."""

import numpy as np
import pytest

from photogap.core.equations import Equations, joint_problem
from photogap.core.integrators import METHODS, Problem
from photogap.core.result import Outcome
from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_film, simulate
from photogap.core.terms.collisions import Collisions
from photogap.core.terms.escape import Escape
from photogap.core.thermal import bose, fermi

TIMES = (-6.0, -2.0, 0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 400.0, 800.0)
LONG = (*TIMES, 2e3, 5e3, 1e4, 1e5, 1e6)
COARSE = {"spacing": 0.1, "atol": 1e-7, "gap_tol": 1e-7, "rtol": 3e-3, "thickness": 10.0}


def run(material, **settings):
    point = Point(material=material, F0=5e-7, omega_pump=300.0, T=5.0, tau_esc=500.0)
    result = simulate(point, Settings(**COARSE | settings))
    assert result.outcome is Outcome.OK, result.message
    return result


@pytest.fixture(scope="module")
def microsecond(pb):
    return run(pb, integrator="rosenbrock", times=LONG)


def test_a_microsecond_takes_few_steps_and_keeps_the_energy(microsecond):
    """1e-6 of the absorbed energy, the trapezoidal rule's error of the gap's motion; then equilibrium."""
    assert microsecond.data["ledger_error"] < 1e-6
    assert microsecond.diagnostics["steps"] < 500
    absorbed = microsecond.data["absorbed_energy_density"]
    assert microsecond.data["U_absorbed"][-1] == pytest.approx(absorbed, rel=1e-3)
    assert microsecond.data["U_escaped"][-1] == pytest.approx(microsecond.data["U_absorbed"][-1], rel=1e-3)
    change = microsecond.data["Delta0"] - microsecond.data["Delta0"][0]
    # the gap equation is solved to 1e-7 of 1.5 meV, and steps move occupations by their tolerance
    assert np.abs(change[-2:]).max() < 1e-3 * np.abs(change).max()


@pytest.mark.parametrize("tolerances", [{}, {"atol": 1e-4, "gap_tol": 1e-5}])
def test_default_tolerances_keep_the_energy(pb, tolerances):
    """Steps are held to 1e-7 of the absorbed energy each, and those of 1e5 ps do not multiply round-off."""
    found = run(pb, integrator="rosenbrock", times=LONG, rtol=Settings().rtol, **tolerances)
    assert found.data["ledger_error"] < 1e-6
    assert found.diagnostics["steps"] < 500


@pytest.mark.parametrize(("leak", "kept"), [(1e-13, 0.0), (1e-6, 1e-6)])
def test_only_round_off_is_taken_out_of_the_energy(leak, kept):
    """Two components exchange energy; one that is lost at a rate beyond round-off stays lost."""

    def rate(t, y):
        return np.array([y[1] - y[0] + leak, y[0] - y[1]])

    problem = Problem(rate=rate, scale=np.full(2, 1e-3), relaxation=lambda t, y: np.ones(2), invariant=np.ones(2))
    start = np.array([1.0, 0.5])
    end = METHODS["rosenbrock"].step(problem, 0.0, start, 10.0, 2.0).y
    assert (end - start).sum() == pytest.approx(10.0 * kept, rel=1e-6, abs=1e-15)


def test_both_methods_agree(pb, microsecond):
    """To some ten times the tolerance of a step, 3e-3, over the cascade and most of a nanosecond."""
    explicit = run(pb, integrator="rkc", times=TIMES)
    changes = [r.data["Delta0"][: len(TIMES)] - r.data["Delta0"][0] for r in (explicit, microsecond)]
    assert np.abs(changes[1] - changes[0]).max() < 2e-2 * np.abs(changes[0]).max()


def test_order_on_the_kinetic_equations(k3c60):
    """Hot quasiparticles that cool by fast and slow phonons over 2 ps; steps of up to 40 fastest lifetimes."""
    film = build_film(k3c60, 4.0, 600.0)
    lattice = film.lattice
    equations = Equations(film=film, terms=(Collisions(), Escape(bose(lattice.Omega, 30.0), 0.5)))
    weights = [(np.ones(lattice.N), np.zeros(lattice.N))]
    start = equations.pack(fermi(lattice.E, 400.0), bose(lattice.Omega, 300.0))
    problem = joint_problem([equations], (), weights, np.full(start.size, 1e-9))

    def end(method, steps):
        y, dt = start, 2.0 / steps
        radius = equations.spectral_radius(0.0, y, *weights[0])
        for _ in range(steps):
            y = method.step(problem, 0.0, y, dt, radius).y
        return y

    exact = end(METHODS["rkc"], 2560)
    errors = [np.abs(end(METHODS["rosenbrock"], steps) - exact)[: lattice.N].max() for steps in (20, 40, 80)]
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.3)
    assert errors[2] < 1e-3


def test_phonons_at_the_bath_stay_there_exactly(k3c60):
    """The defect of energy is taken out where something moves."""
    point = Point(material=k3c60, F0=0.1, omega_pump=170.0, T=30.0, tau_esc=0.0)
    settings = Settings(spacing=2.0, n_times=6, integrator="rosenbrock", frequencies=(50.0,))
    data = simulate(point, settings).data
    assert data["n"] == pytest.approx(np.full((6, 1), data["n"][0, 0]), rel=1e-13)
    assert data["ledger_error"] < 1e-3
