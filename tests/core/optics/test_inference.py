"""The conductivity inferred with an exponential profile: exact for that profile, too large for a saturated one."""

import math

import numpy as np
import pytest

from photogap.core.optics.film import refractive_index
from photogap.core.optics.inference import inferred_conductivity
from photogap.core.optics.stack import equal_slabs, stack_amplitude, stack_powers

SIGMA, DEPTH, OMEGA = 5e-5, 180.0, 10.0
"""K3C60: 1 / (20000 ohm nm), depth of its pump, a probe near the gap."""
CHANGE = SIGMA * np.array([0.3 - 0.2j, -0.4 + 1.5j, 0.05j])


def reflected(change, profile, thickness):
    """r of a film, or of a half space of ten depths of fine slices, for each change."""
    deep = not math.isfinite(thickness)
    slices = equal_slabs(10 * DEPTH if deep else thickness, 400)
    z = np.cumsum(slices) - slices / 2
    n = refractive_index(SIGMA + np.outer(profile(z), change), OMEGA)
    return stack_amplitude(n, OMEGA, slices, complex(refractive_index(SIGMA, OMEGA)) if deep else 1.5)


def test_the_power_is_the_amplitudes():
    rng = np.random.default_rng(3)
    n = rng.uniform(1, 9, (3, 4)) + 1j * rng.uniform(0, 9, (3, 4))
    r = stack_amplitude(n, 10.0, [20.0, 50.0, 30.0], 1.5)
    np.testing.assert_allclose(np.abs(r) ** 2, stack_powers(n, 10.0, [20.0, 50.0, 30.0], 1.5).R, rtol=1e-13)
    assert np.abs(r.imag).max() > 0.01


@pytest.mark.parametrize("thickness", [90.0, 400.0, math.inf])
def test_an_exponential_profile_is_found_again(thickness):
    """Slices of the inversion are four times coarser: the answer errs by less than 1e-3 of itself."""
    r = reflected(CHANGE, lambda z: np.exp(-z / DEPTH), thickness)
    found = inferred_conductivity(r, OMEGA, SIGMA, DEPTH, thickness, 1.5)
    np.testing.assert_allclose(found, SIGMA + CHANGE, rtol=0, atol=1e-3 * np.abs(CHANGE).max())


def test_no_change_is_found_as_none():
    r = reflected(np.zeros(1), np.ones_like, math.inf)
    np.testing.assert_allclose(inferred_conductivity(r, OMEGA, SIGMA, DEPTH), SIGMA, rtol=1e-9)


def test_a_saturated_profile_is_taken_for_a_larger_change():
    """A change that is the same down to two depths has no larger value anywhere, yet a larger one is inferred."""
    change = SIGMA * np.array([-0.3 + 0j])
    r = reflected(change, lambda z: (z < 2 * DEPTH) * 1.0, math.inf)
    found = inferred_conductivity(r, OMEGA, SIGMA, DEPTH) - SIGMA
    assert abs(found[0]) > 1.2 * abs(change[0])


def test_a_reflection_that_no_profile_has_is_nan():
    assert np.isnan(inferred_conductivity(np.array([50.0 + 0j]), OMEGA, SIGMA, DEPTH)).all()
