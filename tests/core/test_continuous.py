"""Continuous light: its energy, the steady state, and Eliashberg's effect near Tc.

The film has nine cells to its gap, soft phonons that keep the lattice small, and a Tc of 1.77 K. Light of 0.05 meV
(12 GHz) cannot break its pairs; phonons stay at the bath (`tau_esc: 0`), as Eliashberg assumed.
"""

import math

import numpy as np
import pytest

from photogap.core.material import Material
from photogap.core.result import Outcome, variables
from photogap.core.settings import Point, Settings
from photogap.core.simulate import check, simulate
from photogap.core.spectra import Peak, Spectrum
from photogap.core.terms.pump import Pump

LIGHT = {
    "pump_shape": "continuous", "integrator": "rosenbrock", "rtol": 1e-3, "atol": 1e-8, "gap_tol": 1e-7,
    "times": (-3e3, 0.0, 1e3, 1e4, 1e5, 3e5, 1e6),
}  # fmt: skip


@pytest.fixture(scope="module")
def soft():
    spectrum = Spectrum.from_peaks([Peak(centre=2.5, width=0.6, lambda_=1.0)])
    return Material(
        name="soft", spectrum=spectrum, N_ion=60.0, N0=0.012, rho_N=100.0, Tc0=1.77, cutoff=15.0, window=10.0,
        spacing=0.01, tau_pump=1000.0, omega_pump=0.05, thickness=20.0,
    )  # fmt: skip


def run(material, F0=5e-8, omega_pump=0.05, t=0.97, tau_esc=0.0, **settings):
    point = Point(material=material, F0=F0, omega_pump=omega_pump, T=1.77 * t, tau_esc=tau_esc)
    result = simulate(point, Settings(**LIGHT | settings))
    assert result.outcome is Outcome.OK, result.message
    return result


@pytest.fixture(scope="module")
def enhanced(soft):
    return run(soft)


def test_microwaves_raise_the_gap_near_Tc(enhanced):
    """Eliashberg, JETP Lett. 11, 114 (1970): quasiparticles lifted from the edge block fewer pairs, +15 %."""
    Delta = enhanced.data["Delta0"]
    assert Delta[0] == pytest.approx(0.091, rel=0.02)
    assert 1.1 < Delta[-1] / Delta[0] < 1.25
    # fewer at the gap's edge than in equilibrium, more above
    assert enhanced.data["f_gap"][-1] < enhanced.data["f_gap"][0]


def test_the_steady_state_is_found_and_stays(enhanced):
    """Energy in is energy out, and a microsecond moves the gap no more; the ledger closes to 1e-6."""
    data = enhanced.data
    assert data["steady_time"] <= 1e5
    absorbed, escaped = np.diff(data["U_absorbed"])[-1], np.diff(data["U_escaped"])[-1]
    assert escaped == pytest.approx(absorbed, rel=1e-3)
    assert data["Delta0"][-1] == pytest.approx(data["Delta0"][-3], rel=1e-3)
    assert data["ledger_error"] < 1e-6
    assert enhanced.diagnostics["steps"] < 400


def test_power_arrives_as_stated(enhanced):
    """F0 arrives in each tau_pump, and half a pulse before t = 0: to the step's 1e-4."""
    U = float(enhanced.data["absorbed_energy_density"])
    before = math.sqrt(math.pi / (4 * math.log(2))) / 2
    assert enhanced.data["U_absorbed"][1:] == pytest.approx(
        U * (before + np.array(LIGHT["times"][1:]) / 1e3), rel=2e-3
    )


def test_the_gap_opens_above_Tc(soft):
    """The effect exceeds the distance to Tc0; in equilibrium there is no gap."""
    Delta = run(soft, t=1.005).data["Delta0"]
    assert Delta[0] == 0.0
    assert Delta[-1] > 0.04


def test_photons_that_break_pairs_lower_the_gap(soft):
    """0.3 meV is above twice the gap: with pair breaking it falls, by the paper's channel alone it rises."""
    broken, moved = (
        run(soft, omega_pump=0.3, pump_channels=channels).data["Delta0"]
        for channels in ("scattering+pair-breaking", "scattering")
    )
    assert broken[-1] < 0.999 * broken[0]
    assert moved[-1] > 1.05 * moved[0]


def test_both_methods_follow_the_rise(soft, enhanced):
    """To the steps' tolerance, 1e-3 of the gap's change times some ten steps."""
    explicit = run(soft, integrator="rkc", rtol=1e-2, atol=1e-5, times=LIGHT["times"][:3]).data["Delta0"]
    change = enhanced.data["Delta0"][2] - enhanced.data["Delta0"][0]
    assert explicit[2] == pytest.approx(enhanced.data["Delta0"][2], abs=2e-2 * change)


def test_film_without_escape_is_never_steady(soft):
    data = run(soft, tau_esc=math.inf, times=(-3e3, 0.0, 1e3, 3e3, 1e4)).data
    assert data["steady_time"] == math.inf


def test_light_that_stays_on():
    light, pulse = (
        Pump(omega_pump=1.0, tau_pump=2.0, U=1.0, channels="scattering", stimulated_emission=True, shape=shape)
        for shape in ("continuous", "pulse")
    )
    assert light.envelope(-1.3) == pulse.envelope(-1.3)
    assert (light.envelope(50.0), light.rate(50.0), light.ends) == (1.0, 0.5, math.inf)
    assert pulse.ends == -pulse.begins == -light.begins


def test_outputs_and_refusals(soft, enhanced):
    settings = Settings(**LIGHT)
    assert {v.name for v in variables(settings)} == set(enhanced.data)
    assert "steady_time" not in {v.name for v in variables(Settings())}
    point = Point(material=soft, F0=1e-8, omega_pump=0.05, T=1.7, tau_esc=0.0)
    with pytest.raises(ValueError, match="`pump_rate` must be `envelope` with `pump_shape: continuous`"):
        check(point, Settings(**LIGHT | {"pump_rate": "constant"}))
    with pytest.raises(ValueError, match=r"`pump_shape` must be one of pulse, continuous\. Got 'on'"):
        Settings(pump_shape="on")
