"""Figures of the sweeps that decide: a gap and its life against one axis, and against the pump's photon energy."""

import numpy as np
import pytest
from matplotlib.markers import MarkerStyle

from photogap.sweeps.analysis import peak_gap, time_above
from photogap.sweeps.figures import FIGURES, alpha2F_of, draw
from photogap.sweeps.figures.lives import _places

AXES = {"pair_breaking": "pair_breaking_share", "electron_scattering": "tau_ee", "soft_modes": "soft_lambda"}


@pytest.mark.parametrize("name", [*AXES, "pulse_length"])
def test_gap_and_life_against_the_axis_of_the_figure(cube, name):
    axis = AXES.get(name, "tau_pump")
    ds = cube(F0=[0.1, 1.0], tau_esc=[0.01, 0.1, 1.0, np.inf]).rename(tau_esc=axis)
    figure = draw(ds, name)
    above, below = figure.axes
    assert len(above.lines) == 2
    np.testing.assert_allclose(above.lines[0].get_ydata(), peak_gap(ds).isel(F0=0).squeeze())
    held = time_above(ds, 0.01)["duration"]
    np.testing.assert_allclose(below.lines[0].get_ydata(), held.isel(F0=0).squeeze())
    assert FIGURES[name].given == {"x": axis}


def test_a_gap_that_outlasts_the_record_is_marked(cube):
    ds = cube(tau_esc=[0.01, 0.1]).rename(tau_esc="tau_ee")
    ds["Delta0"] = ds["Delta0"] + 0.1
    marks = [line for line in draw(ds, "electron_scattering").axes[1].lines if line.get_linestyle() == "None"]
    (mark,) = marks
    assert mark.get_marker() == MarkerStyle("^").get_marker()
    assert len(mark.get_xdata()) == 2


def test_zero_and_infinity_stand_one_step_beyond():
    places = _places(np.array([0.0, 0.01, 0.1, 1.0, np.inf]))
    np.testing.assert_allclose(places, [-2.5, -2.0, -1.0, 0.0, 0.5])
    np.testing.assert_allclose(_places(np.array([0.0, 0.05, 0.1])), [0.0, 0.05, 0.1])


def test_resonance_has_the_spectrum_behind_it(cube):
    ds = cube(omega_pump=np.linspace(20, 200, 10), F0=[0.1, 1.0])
    with_spectrum = draw(ds, "resonance", alpha2F=alpha2F_of("K3C60"))
    assert [ax.get_ylabel() for ax in with_spectrum.axes] == [r"Peak $\Delta_0$ (meV)", r"$\alpha^2F(\omega)$"]
    assert len(with_spectrum.axes[0].lines) == 2
    assert len(draw(ds, "resonance").axes) == 1
