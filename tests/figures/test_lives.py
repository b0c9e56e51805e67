"""Figures of the sweeps that decide: a gap and its life against one axis, and against the pump's photon energy."""

import itertools
import json

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle

from photogap.core.optics.film import refractive_index
from photogap.core.optics.stack import equal_slabs, stack_amplitude
from photogap.sweeps.analysis import peak_gap, time_above
from photogap.sweeps.figures import FIGURES, alpha2F_of, draw
from photogap.sweeps.figures.curves import _end
from photogap.sweeps.figures.depth import pump_depth
from photogap.sweeps.figures.lives import _places, _ticks
from photogap.sweeps.figures.style import plain_decade
from photogap.sweeps.materials.library import load

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
    below = draw(ds, "electron_scattering").axes[1]
    (mark,) = [line for line in below.lines if line.get_linestyle() == "None" and len(line.get_xdata())]
    assert [text.get_text() for text in below.get_legend().get_texts()] == ["outlasts the record"]
    assert mark.get_marker() == MarkerStyle("^").get_marker()
    assert len(mark.get_xdata()) == 2


def test_zero_and_infinity_stand_one_step_beyond():
    places = _places(np.array([0.0, 0.01, 0.1, 1.0, np.inf]))
    np.testing.assert_allclose(places, [-2.5, -2.0, -1.0, 0.0, 0.5])
    np.testing.assert_allclose(_places(np.array([0.0, 0.05, 0.1])), [0.0, 0.05, 0.1])


def test_first_and_last_label_of_a_crowded_axis_are_named():
    labels = np.array([0.0, 0.001, 0.0014, 0.002, 0.005, 0.01, 0.03, 0.045, 0.06, 1.0])
    where, texts = _ticks(labels, _places(labels))
    assert (texts[0], texts[-1]) == ("0", "1")
    assert np.diff(where).min() >= (where[-1] - where[0]) / 6


def test_choices_without_a_gap_say_so(cube):
    ds = cube(F0=[0.1, 1.0], damping=["full", "real", "off"]).squeeze("material", drop=True)
    ds = ds.rename(damping="material")
    ds = ds.assign_coords(material=["paper", "tau_esc 1 fs", "failed"])
    ds["Delta0"] = ds["Delta0"] * xr.DataArray([1.0, 0.0, np.nan], dims="material")
    figure = draw(ds, "choices")
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.texts] == ["no gap", "failed"]
    assert ax.get_yticklabels()[1].get_text().startswith("$\\tau")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["the paper"]


def test_recovery_within_a_decade_has_plain_numbers():
    ax = draw_log(450.0, 1100.0)
    shown = [t.get_text() for t in ax.get_yticklabels() if 450 < t.get_position()[1] < 1100]
    assert shown == ["500", "1000"]
    wide = draw_log(0.1, 1000.0)
    assert all("$" in t.get_text() for t in wide.get_yticklabels())


def draw_log(low, high):
    figure = Figure()
    ax = figure.subplots()
    ax.plot([0, 1], [low, high])
    ax.set_yscale("log")
    plain_decade(ax)
    figure.canvas.draw()
    return ax


def test_a_gap_function_is_drawn_as_far_as_it_has_structure():
    energy = np.linspace(1, 450, 900)
    narrow = np.exp(-(((energy - 10) / 5) ** 2))
    wide = np.sin(energy / 60)
    for values, end in ((narrow, (15, 60)), (wide, (450, 450))):
        panel = xr.DataArray(np.stack([values, values]), dims=("part", "energy"), coords={"energy": energy})
        assert end[0] <= _end(panel) <= end[1]


def test_resonance_has_the_spectrum_behind_it(cube):
    ds = cube(omega_pump=np.linspace(20, 200, 10), F0=[0.1, 1.0])
    with_spectrum = draw(ds, "resonance", alpha2F=alpha2F_of("K3C60"))
    assert [ax.get_ylabel() for ax in with_spectrum.axes] == [r"Peak $\Delta_0$ (meV)", r"$\alpha^2F(\omega)$"]
    assert len(with_spectrum.axes[0].lines) == 2
    assert len(draw(ds, "resonance").axes) == 1


def test_optical_saturation_shows_both_conductivities(cube):
    """r of a film that changed exponentially: the inferred conductivity is that of its surface."""
    omegas, F0 = [5.0, 20.0], [0.1, 1.0]
    base = cube(F0=F0, n_times=2)
    base.attrs["photogap"] = json.dumps({"base": {"settings": {"thickness": 300.0}}, "config": {}})
    sigma_0, depth = 1 / 20000.0, pump_depth(load("K3C60"), 170.0)
    slices = equal_slabs(300.0, 100)
    profile = np.exp(-(np.cumsum(slices) - slices / 2) / depth)
    ds = base.drop_vars("status").expand_dims(omega_probe=omegas).copy()
    for name in ("r_real", "r_imag", "sigma1", "sigma2", "sigma1_top", "sigma2_top"):
        ds[name] = xr.zeros_like(ds["Delta0"])
    ds["sigma1"] += sigma_0
    for i, j, t in itertools.product(range(2), range(2), range(2)):
        change = t * F0[j] * (0.3 - 0.5j) * sigma_0
        n = refractive_index(sigma_0 + change * profile, omegas[i])
        r = complex(stack_amplitude(n, omegas[i], slices))
        here = {"omega_probe": i, "F0": j, "time": t}
        for name, value in (("r_real", r.real), ("r_imag", r.imag), ("sigma1_top", (sigma_0 + change).real)):
            ds[name][here] = value
        ds["sigma2_top"][here] = change.imag
    ds["omega_probe"].attrs = {"units": "meV", "long_name": "photon energy of the probe"}
    figure = draw(ds, "optical_saturation")
    for ax in figure.axes:
        _, *curves = ax.lines
        for solid, dashed in zip(curves[::2], curves[1::2], strict=True):
            np.testing.assert_allclose(solid.get_ydata(), dashed.get_ydata(), rtol=1e-6)
    assert figure.axes[0].get_ylabel() != figure.axes[1].get_ylabel()
