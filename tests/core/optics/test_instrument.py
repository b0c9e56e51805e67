"""What the detector sees: closed forms of Gaussian convolutions, the tail, relative changes."""

import math

import numpy as np
import pytest
from scipy.special import erfc, erfcx

from photogap.core.constants import HBAR
from photogap.core.optics.instrument import (
    FWHM_PER_SIGMA,
    add_substrate_tail,
    convolve_probe,
    differential_reflectance,
    differential_transmittance,
    probe_width,
)


def test_relative_changes():
    assert differential_reflectance([0.5, 0.45], 0.5) == pytest.approx([0.0, -0.1])
    assert differential_transmittance([0.2, 0.15], 0.2) == pytest.approx([0.0, 0.25])


def test_a_step_becomes_an_error_function():
    """A step over 1e-6 ps against erf: 1e-5 of its height, the step's width in those of the pulse."""
    t = np.concatenate([np.linspace(-1, -1e-6, 40), np.linspace(0, 2, 61)])
    seen = convolve_probe(t, (t >= 0).astype(float), 0.25)
    s = 0.25 / FWHM_PER_SIGMA
    assert seen == pytest.approx(0.5 * erfc(-t / (s * math.sqrt(2))), abs=1e-5)


@pytest.mark.parametrize("uniform", [True, False])
def test_an_exponential_recovery_has_its_closed_form(uniform):
    """theta(t) exp(-t / tau) * Gaussian; 1e-4, the error of linear pieces: (step / tau)^2 / 8 at worst."""
    tau, fwhm = 400.0, 200.0
    after = np.linspace(0, 6000, 1201) if uniform else 6000 * np.linspace(0, 1, 900) ** 2
    t = np.concatenate([[-1000.0, -500.0, -1e-4], after])
    signal = np.where(t >= 0, np.exp(-np.maximum(t, 0) / tau), 0.0)
    s = fwhm / FWHM_PER_SIGMA
    x = (s / tau - t / s) / math.sqrt(2)
    # erfcx overflows far after the pulse, where what is left is a plain exponential.
    near = 0.5 * np.exp(-(t**2) / (2 * s**2)) * erfcx(np.maximum(x, -20))
    exact = np.where(x > -20, near, np.exp(s**2 / (2 * tau**2) - t / tau))
    inside = t < 3000
    assert convolve_probe(t, signal, fwhm)[inside] == pytest.approx(exact[inside], abs=1e-4)


def test_straight_lines_and_constants_pass_unchanged():
    """Away from the ends of a line a symmetric pulse changes nothing, to round-off."""
    t = np.sort(np.random.default_rng(0).uniform(-5, 5, 80))
    assert convolve_probe(t, np.full(80, 3.0), 1.0) == pytest.approx(3.0, rel=1e-13)
    middle = np.abs(t) < 1
    assert convolve_probe(t, 2 * t, 0.3)[middle] == pytest.approx(2 * t[middle], abs=1e-12)
    assert np.array_equal(convolve_probe(t, 2 * t, 0.0), 2 * t)


def test_several_traces_at_once():
    t = np.linspace(-1, 1, 21)
    traces = np.stack([np.sin(t), np.cos(t)], axis=1)
    seen = convolve_probe(t, traces, 0.2)
    assert seen[:, 1] == pytest.approx(convolve_probe(t, np.cos(t), 0.2), rel=1e-14)


def test_gap_limits_the_time_resolution():
    assert probe_width(0.25) == 0.25
    assert probe_width(0.25, 0.0) == 0.25
    assert probe_width(0.3, HBAR / 0.4) == pytest.approx(0.5)


def test_substrate_tail_outlives_the_film():
    t = np.array([-10.0, 0.0, 100.0, 3000.0])
    seen = add_substrate_tail(t, [0.0, -1.0, -0.5, 0.0])
    assert seen == pytest.approx([0.0, -1.2, -0.5 - 0.2 * math.exp(-1 / 30), -0.2 * math.exp(-1)])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: convolve_probe([0.0, 0.0], [1.0, 1.0], 0.1), "`time` must be increasing"),
        (lambda: convolve_probe([0.0], [1.0], 0.1), "`time` and `signal` must have equal lengths"),
        (lambda: convolve_probe([0.0, 1.0], [1.0, 1.0], -0.1), "`fwhm` must be zero or positive"),
        (lambda: add_substrate_tail([0.0, 1.0], [1.0, 1.0], decay=0.0), "`decay` must be positive"),
        (lambda: differential_transmittance([0.1], 0.0), "`T0` must be positive"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
