"""Long times and wide windows: lead after a pulse of a hundred gaps, its ledger and recovery; what is refused."""

import math

import numpy as np
import pytest

from photogap.core import windows
from photogap.core.result import Outcome, coordinates, variables
from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_film, check, simulate
from photogap.core.thermal import fermi

PULSE = {"F0": 5e-7, "omega_pump": 300.0, "T": 5.0, "tau_esc": 500.0}
# A lattice twice as coarse as the material's and a fifth of its photon keep each trajectory near a second.
TIMES = (-6.0, -2.0, 0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 400.0, 800.0)
COARSE = {"spacing": 0.1, "times": TIMES, "atol": 1e-7, "thickness": 10.0}


def run(material, settings, **changes):
    result = simulate(Point(material=material, **(PULSE | changes)), settings)
    assert result.outcome is Outcome.OK, result.message
    return result


@pytest.fixture(scope="module")
def long(pb):
    return run(pb, Settings(**COARSE, omega_probe=5.0, tau_probe=200.0))


def test_windows_step_down_to_the_material_s_own():
    ladder, begin = windows.window_ladder(60.0, 1500.0)
    assert ladder[begin] == pytest.approx(1560.0)
    assert ladder[-1] == 60.0
    ratios = np.array(ladder[:-1]) / np.array(ladder[1:])
    assert ratios.min() > 1
    assert ratios[begin:].max() < 1.5 + 1e-12
    assert windows.window_ladder(600.0, 170.0) == ((3037.5, 2025.0, 1350.0, 900.0, 600.0), 4)


@pytest.mark.parametrize("omega_pump", [550.0, 610.0])
def test_a_window_near_the_photon_changes_nothing(k3c60, omega_pump):
    """1 %, of which 0.2 % is seen; on the window's own lattice 20 % are missed, and by 590 meV all absorption."""
    changes = {"F0": 1.0, "omega_pump": omega_pump, "T": 30.0, "tau_esc": 1.0}
    found = [
        run(k3c60, Settings(damping="real", spacing=1.0, window=window, n_times=14), **changes).data
        for window in (600.0, 1800.0)
    ]
    assert found[0]["Delta0_peak"] == pytest.approx(found[1]["Delta0_peak"], rel=1e-2)
    assert found[0]["overrun"] < 2 * windows.MOST_OVERRUN


def test_strong_pulse_widens_the_lattice(k3c60):
    """Photon upon photon leads out of the window; without room a tenth of the power is missed."""
    changes = {"F0": 5.0, "omega_pump": 170.0, "T": 30.0, "tau_esc": 0.02}
    found = [
        run(k3c60, Settings(damping="real", spacing=1.0, window=window, n_times=27), **changes).data
        for window in (600.0, 2400.0)
    ]
    for name in ("Gamma", "U_qp", "U_ph", "Delta0_peak"):
        assert np.max(found[0][name]) == pytest.approx(np.max(found[1][name]), rel=5e-3), name
    assert found[0]["overrun"] < 2 * windows.MOST_OVERRUN
    assert found[0]["ledger_error"] < 1e-3


def test_narrowing_conserves_energy(pb):
    wide, narrow = build_film(pb, 0.1, 90.0), build_film(pb, 0.1, 60.0)
    rho = np.ones(wide.lattice.N)
    f = 1e-6 * np.exp(-wide.lattice.E / 5.0) + fermi(wide.lattice.E, 5.0)
    kept = windows.cut(wide, f, rho, narrow)
    before = wide.quasiparticle_energy(rho, f)
    # round-off of a sum of 900 terms
    assert narrow.quasiparticle_energy(rho[: kept.size], kept) == pytest.approx(before, rel=1e-14)
    assert kept.min() >= 0
    empty = np.zeros_like(f)
    empty[-1] = 1e-9
    kept = windows.cut(wide, empty, rho, narrow)
    assert narrow.quasiparticle_energy(rho[: kept.size], kept) == pytest.approx(
        wide.quasiparticle_energy(rho, empty), rel=1e-12
    )


def test_the_ledger_closes_over_the_cascade_and_nearly_a_nanosecond(long):
    """The issue asks for 1e-3; only the gap's motion, integrated by the trapezoidal rule, is not exact."""
    assert long.data["ledger_error"] < 1e-4
    U = long.data["absorbed_energy_density"]
    assert long.data["U_absorbed"][-1] == pytest.approx(U, rel=1e-3)
    assert long.data["U_escaped"][-1] > 0.5 * U


def test_narrowing_changes_nothing(pb, long, monkeypatch):
    """Kept wide throughout, the gap's change differs by less than the steps' own tolerance, 1e-2."""
    monkeypatch.setattr("photogap.core.slab.NEGLIGIBLE", 0.0)
    wide = run(pb, Settings(**COARSE | {"times": TIMES[:7]}))
    change = long.data["Delta0"] - long.data["Delta0"][0]
    assert np.abs(wide.data["Delta0"] - long.data["Delta0"][:7]).max() < 2e-2 * np.abs(change).max()


def test_waiting_for_the_pulse_changes_nothing(pb, long):
    """Steps grow to many ps before the pulse; none may leap over it."""
    early = run(pb, Settings(**COARSE | {"times": (-500.0, *TIMES[1:])}))
    change = long.data["Delta0"] - long.data["Delta0"][0]
    assert np.abs(early.data["Delta0"] - long.data["Delta0"]).max() < 2e-2 * np.abs(change).max()
    assert early.data["U_absorbed"][-1] == pytest.approx(long.data["U_absorbed"][-1], rel=1e-3)


def test_halving_the_spacing(pb, long):
    """The gap's change at 20 ps moves by under 5 %: at h = 0.1 meV fifteen cells make the gap."""
    fine = run(pb, Settings(**COARSE | {"spacing": 0.05, "times": TIMES[:7]}))
    coarse = long.data["Delta0"][6] - long.data["Delta0"][0]
    assert fine.data["Delta0"][-1] - fine.data["Delta0"][0] == pytest.approx(coarse, rel=0.05)


def test_transmission_falls_and_recovers_with_the_escape_of_phonons(pb, long):
    fast = run(pb, Settings(**COARSE, omega_probe=5.0, tau_probe=200.0), tau_esc=100.0)
    slow_trace, fast_trace = (-r.data["dT_T0"][6:] for r in (long, fast))
    assert slow_trace[0] > 0
    assert (np.diff(slow_trace) < 0).all()
    # from 20 ps to 400 ps: shorter escape, faster recovery
    assert fast_trace[-2] / fast_trace[0] < 0.5 * slow_trace[-2] / slow_trace[0]
    # the probe's 200 ps lift the trace before the pulse and lower its peak
    assert -long.data["dT_T0_seen"][0] > 10 * abs(long.data["dT_T0"][0])
    assert (-long.data["dT_T0_seen"]).max() < (-long.data["dT_T0"]).max()


def test_too_few_quasiparticles_are_an_outcome(pb):
    point = Point(material=pb, **PULSE | {"T": 1.0, "F0": 5e-6})
    result = simulate(point, Settings(**COARSE))
    assert result.outcome is Outcome.SATURATED
    assert "pair-breaking" in result.message


def test_quasiparticles_that_would_block_pairs_above_the_window_are_refused(pb, monkeypatch):
    """As a stronger pulse would; one that strong saturates the absorption of lead first."""
    monkeypatch.setattr("photogap.core.slab.MOST_BLOCKED", 1e-9)
    result = simulate(Point(material=pb, **PULSE), Settings(**COARSE))
    assert result.outcome is Outcome.NOT_CONVERGED
    assert "raise `window`" in result.message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"omega_probe": 70.0}, r"`omega_probe` must lie in the window of Pb, 0.05 to 59.95 meV"),
        ({"slabs": 4}, r"`slabs` above 1 need a film of finite `thickness`"),
    ],
)
def test_contradictions_are_refused_before_any_work(pb, settings, message):
    with pytest.raises(ValueError, match=message):
        check(Point(material=pb, **PULSE), Settings(**settings))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"thickness": -1.0}, "`thickness` must be positive"),
        ({"slabs": 0}, "`slabs` must be a whole number, at least 1"),
        ({"omega_probe": -5.0}, "`omega_probe` must be positive"),
        ({"tau_probe": -1.0}, "`tau_probe` must be zero or positive"),
        ({"t_linear_stop": 9.0}, "`t_linear_stop` must be positive, after"),
        ({"n_tail": 3}, "`n_tail` must be positive with"),
        ({"times": (0.0, 0.0)}, "`times` must be two or more increasing"),
    ],
)
def test_settings_without_meaning_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)


def test_times_have_one_source():
    tail = Settings(t_start=-1.0, t_linear_stop=1.0, t_stop=1000.0, n_times=5, n_tail=3)
    assert coordinates(tail)["time"] == pytest.approx([-1, -0.5, 0, 0.5, 1, 10, 100, 1000])
    assert list(coordinates(Settings(times=(-1.0, 2.0, 7.0)))["time"]) == [-1.0, 2.0, 7.0]


def test_every_variable_is_returned(pb, long):
    settings = Settings(**COARSE, omega_probe=5.0)
    assert {v.name for v in variables(settings)} == set(long.data)
    for v in variables(settings):
        assert long.data[v.name].shape == ((len(TIMES),) if v.dims else ())
        assert np.isfinite(long.data[v.name]).all()


# 20 meV is far enough above 2 Delta, and 200 nm near the pump's depth of 176 nm
FILM = {"thickness": 200.0, "omega_probe": 20.0, "t_stop": 0.3, "n_times": 7, "spacing": 0.5}
WARM = {"F0": 0.3, "omega_pump": 170.0, "T": 8.0, "tau_esc": 1.0}


def test_slabs_share_the_absorbed_energy_and_converge(k3c60):
    runs = {k: run(k3c60, Settings(**FILM, slabs=k), **WARM).data for k in (4, 8)}
    for data in runs.values():
        absorbed = WARM["F0"] * 62415.09074 * data["chi"] / FILM["thickness"]
        assert data["absorbed_energy_density"] == pytest.approx(absorbed, rel=1e-12)
    scale = np.abs(runs[8]["dR_R0"]).max()
    assert np.abs(runs[8]["dR_R0"] - runs[4]["dR_R0"]).max() < 1e-2 * scale


def test_slabs_of_a_thin_film_equal_the_uniform_film(k3c60):
    """A film of 5 nm is heated evenly to (d / depth)^2, 1e-3; R differs by as much."""
    thin = FILM | {"thickness": 5.0}
    one, two = (run(k3c60, Settings(**thin, slabs=k), **WARM | {"F0": 0.01}).data for k in (1, 2))
    assert two["chi"] == pytest.approx(one["chi"], rel=1e-12)
    assert two["absorbed_energy_density"] == pytest.approx(one["absorbed_energy_density"], rel=1e-12)
    assert np.abs(two["dR_R0"] - one["dR_R0"]).max() < 1e-2 * np.abs(one["dR_R0"]).max()
    assert math.isclose(two["R"][0], one["R"][0], rel_tol=1e-12)
