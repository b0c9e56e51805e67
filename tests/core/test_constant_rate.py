"""The one Gamma_0 by which the pulse deposits its energy, and what finding it costs."""

import math

import numpy as np
import pytest

from photogap.core import deposition
from photogap.core.deposition import DEPOSITED
from photogap.core.result import Outcome
from photogap.core.roots import secant
from photogap.core.settings import Point, Settings
from photogap.core.simulate import simulate
from photogap.core.terms.pump import Pump


def test_retained_energy_is_met_by_what_quasiparticles_hold(k3c60):
    """They hand most of it to phonons within the pulse: far more is absorbed than the fluence brings."""
    times = tuple(np.linspace(-0.6, 0.6, 97))
    settings = Settings(pump_rate="constant", energy_match="retained", damping="real", times=times)
    data = simulate(Point(material=k3c60, F0=0.03, omega_pump=170.0, T=30.0, tau_esc=0.1), settings).data
    held = data["U_qp"].max()
    assert held == pytest.approx(float(data["absorbed_energy_density"]), rel=5e-3)  # the record misses the top
    assert data["U_absorbed"][-1] > 1.5 * held
    assert data["ledger_error"] < 1e-5


def test_retained_energy_needs_one_rate(k3c60):
    point = Point(material=k3c60, F0=0.03, omega_pump=170.0, T=30.0, tau_esc=0.1)
    with pytest.raises(ValueError, match="`energy_match: retained` needs `pump_rate: constant`"):
        simulate(point, Settings(energy_match="retained"))


def test_secant_ends_at_the_root_within_few_evaluations():
    seen = []

    def g(x):
        seen.append(x)
        return math.expm1(0.7 * x - 1.0)

    x, slope = secant(g, 2.5, slope=1.2, tol=1e-6)
    assert x == seen[-1] == pytest.approx(1 / 0.7, abs=1e-5)
    assert slope == pytest.approx(0.7, rel=0.05)
    assert len(seen) <= 7


def test_secant_ends_where_g_is_noise():
    """g moves in steps and never comes closer to zero than 5e-4: the best trial counts."""
    seen = {}

    def g(x):
        seen[x] = 1e-3 * (math.floor(1e3 * x) + 0.5)
        return seen[x]

    x, _ = secant(g, 0.3, slope=1.0, tol=1e-9, noise=2e-3)
    assert abs(seen[x]) == min(map(abs, seen.values())) == pytest.approx(5e-4)
    assert len(seen) < 12
    with pytest.raises(ArithmeticError, match="after 20 trials"):
        secant(g, 0.3, slope=1.0, tol=1e-9)


def test_secant_leaves_a_region_without_values():
    x, _ = secant(lambda x: math.inf if x > 1 else x, 1.5, slope=1.0, tol=1e-6)
    assert abs(x) < 1e-6
    with pytest.raises(ArithmeticError, match=r"defect -1 after 4 trials"):
        secant(lambda x: -1.0, 0.0, slope=1.0, tol=1e-6, max_iterations=4)


def test_one_rate_deposits_the_energy_in_few_full_trajectories(k3c60, monkeypatch):
    """Above Tc0 the power at unit Gamma rises and falls along the pulse: the rate is not that of `envelope`."""
    full = []
    integrate = deposition.integrate
    settings = Settings(pump_rate="constant", damping="real", t_start=-0.6, t_stop=1.0, n_times=17)

    def counted(*args, **options):
        full.append(options["rtol"] == settings.rtol)
        return integrate(*args, **options)

    monkeypatch.setattr(deposition, "integrate", counted)
    result = simulate(Point(material=k3c60, F0=0.3, omega_pump=170.0, T=30.0, tau_esc=0.1), settings)
    assert result.outcome is Outcome.OK
    data = result.data
    pulse = Pump(
        omega_pump=170.0,
        tau_pump=k3c60.tau_pump,
        U=float(data["absorbed_energy_density"]),
        channels="scattering",
        stimulated_emission=True,
    )
    brought = pulse.U * (pulse.arrived(1.0) - pulse.arrived(-0.6))
    assert data["U_absorbed"][-1] == pytest.approx(brought, rel=1.01 * DEPOSITED)
    t = np.linspace(-0.6, 1.0, 17)
    shape = np.array([pulse.envelope(x) for x in t])
    lit = shape > 1e-12
    np.testing.assert_allclose(data["Gamma"][lit] / shape[lit], data["Gamma"][6] / shape[6], rtol=1e-12)
    # the last two at the settings' tolerance, one more where the short ones misjudge the slope
    assert sum(full) <= 3


def test_no_light_and_a_pulse_outside_the_times(k3c60):
    for changes, times in (({"F0": 0.0}, (-0.1, 0.1)), ({"F0": 0.1}, (2.0, 2.1))):
        point = Point(**({"material": k3c60, "omega_pump": 170.0, "T": 30.0, "tau_esc": 1.0} | changes))
        result = simulate(point, Settings(pump_rate="constant", t_start=times[0], t_stop=times[1], n_times=2))
        assert result.outcome is Outcome.OK
        assert result.data["U_absorbed"][-1] == 0.0


@pytest.mark.parametrize("rate", ["envelope", "constant"])
def test_film_without_quasiparticles_absorbs_nothing(k3c60, rate):
    """At a thousandth of a kelvin f is zero to the last bit; the rate that deposits any power is infinite."""
    point = Point(material=k3c60, F0=0.1, omega_pump=170.0, T=1e-3, tau_esc=1.0)
    result = simulate(point, Settings(pump_rate=rate, damping="real", t_start=-0.6, t_stop=0.0, n_times=2))
    assert result.outcome is Outcome.SATURATED
    assert "raise `T`, or let photons break pairs" in result.message


def test_failed_search_for_a_rate_gives_the_reason(k3c60):
    """Larger rates left the window, which is the remedy; "saturates" alone would hide it."""
    point = Point(material=k3c60, F0=4.0, omega_pump=170.0, T=30.0, tau_esc=0.1)
    settings = Settings(
        stimulated_emission=False, pump_rate="constant", window=215.0, spacing=1.0, t_stop=0.5, n_times=12
    )
    result = simulate(point, settings)
    assert result.outcome is Outcome.NOT_CONVERGED
    assert "no constant Gamma" in result.message
    assert "raise `window` (215 meV)" in result.message
