"""A driven point to an accuracy: the lattice is refined until gaps and energies agree."""

import dataclasses

import numpy as np
import pytest

from photogap.core import driven_accuracy
from photogap.core.driven_accuracy import simulate_to_accuracy
from photogap.core.finer import finer
from photogap.core.result import Outcome, Result, coordinates
from photogap.core.settings import Point, Settings
from photogap.core.simulate import check, simulate
from photogap.sweeps.materials import library as materials

K3C60 = materials.load("K3C60")


@pytest.fixture
def point():
    return Point(material=K3C60, F0=1.0, omega_pump=170.0, T=120.0, tau_esc=0.1)


def test_a_gap_near_its_threshold_is_refined(point):
    """Driven far above Tc for a fraction of a picosecond: half of the spacing moves its duration by 0.1 ps.

    The duration grows with each halving; its stated error covers two more of them (0.465 ps at 0.0625 meV, 0.515 at
    half of that).
    """
    settings = Settings(damping="real", t_start=-0.4, t_stop=0.4, n_times=81)
    found = simulate(point, dataclasses.replace(settings, accuracy=0.03))
    assert found.outcome is Outcome.OK
    spacing, window = found.diagnostics["spacing"], found.diagnostics["window"]
    assert spacing < K3C60.spacing
    longer = simulate(point, dataclasses.replace(settings, spacing=spacing / 2, window=window)).data
    duration, doubt = found.data["gap_duration"], found.data["gap_duration_error"]
    assert 0.515 - duration < doubt < 0.2
    assert 0.03 < longer["gap_duration"] - duration < doubt / 2
    finer = longer["Delta0"]
    error = np.abs(finer - found.data["Delta0"]).mean() / finer.max()
    assert error < 0.03
    coarse = simulate(point, settings).data["Delta0"]
    assert error < np.abs(finer - coarse).mean() / finer.max()


def of_order(spacing_error: float, duration_error: float = 0.0):
    """A solver whose gap errs as the square of the spacing, and the gap's duration (ps) as its root."""

    def run(point: Point, settings: Settings) -> Result:
        assert settings.accuracy is None
        one = np.ones(coordinates(settings)["time"].size)
        data = dict.fromkeys(driven_accuracy.COMPARED, one)
        data |= {
            "Delta0": one * (1.0 + spacing_error * settings.spacing**2),
            "absorbed_energy_density": np.array(1.0),
            "gap_duration": np.array(1.0 - duration_error * settings.spacing**0.5),
        }
        return Result(outcome=Outcome.OK, data=data)

    return run


def test_chosen_lattice_is_recorded(point):
    found = simulate_to_accuracy(point, Settings(accuracy=1e-2), of_order(0.5), check)
    assert found.outcome is Outcome.OK
    # twice the spacing changes it by 1.5 spacing^2
    assert 1.5 * found.diagnostics["spacing"] ** 2 < 1e-2
    assert found.diagnostics["lattices"] >= 3


def test_error_of_a_duration_that_converges_slowly(point):
    """The accuracy holds the series; the duration errs by 0.3 sqrt(spacing) and its stated error is that."""
    found = simulate_to_accuracy(point, Settings(accuracy=1e-2), of_order(0.5, 0.3), check)
    assert found.outcome is Outcome.OK
    error = 1.0 - found.data["gap_duration"]
    assert error > 0.03
    assert found.data["gap_duration_error"] == pytest.approx(error, rel=1e-12)


def test_error_of_a_duration_has_its_samples(point):
    """A gap from one sample to another is known no better than half a step at each end."""

    def run(point: Point, settings: Settings) -> Result:
        result = of_order(0.0)(point, settings)
        return dataclasses.replace(result, data=result.data | {"Delta0": np.array([0.0, 1.0, 1.0, 0.0])})

    settings = Settings(accuracy=1e-2, times=(-1.0, 0.0, 0.5, 1.5))
    found = simulate_to_accuracy(point, settings, run, check)
    assert found.data["gap_duration_error"] == pytest.approx(0.5 * (1.0 + 1.0), rel=1e-12)


def test_error_of_a_point_with_an_accuracy_is_that_of_its_lattice(point, monkeypatch):
    """`photogap converge` refines the lattice that the accuracy chose, not the start of the search."""

    def run(point: Point, settings: Settings) -> Result:
        return simulate_to_accuracy(point, settings, of_order(0.5), check)

    monkeypatch.setattr("photogap.core.finer.simulate", run)
    chosen = run(point, Settings(accuracy=1e-2)).diagnostics
    refined = finer(point, Settings(accuracy=1e-2))
    assert all(settings.accuracy is None for settings in refined.values())
    assert refined["spacing / 2"].spacing == chosen["spacing"] / 2 < K3C60.spacing / 2
    assert refined["window x 2"].window == 2 * chosen["window"]
    assert refined["gap_tol / 10"].spacing == chosen["spacing"]


def test_an_accuracy_out_of_reach_is_not_converged(point):
    found = simulate_to_accuracy(point, Settings(accuracy=1e-6), of_order(100.0), check)
    assert found.outcome is Outcome.NOT_CONVERGED
    assert "`accuracy` must be within reach of" in found.message
    assert "leave Delta0 known to" in found.message


def test_failed_point_gives_its_own_reason(point):
    def run(point: Point, settings: Settings) -> Result:
        return Result(outcome=Outcome.SATURATED, message="nothing is absorbed")

    found = simulate_to_accuracy(point, Settings(accuracy=1e-2), run, check)
    assert (found.outcome, found.message) == (Outcome.SATURATED, "nothing is absorbed")


def test_a_bad_accuracy_is_refused():
    with pytest.raises(ValueError, match=r"`accuracy` must be positive.* Got -1"):
        Settings(accuracy=-1)
