"""Brent's method takes the steps of scipy's, so that no calibrated mu_star moves by a bit."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import next_fast_len
from scipy.optimize import brentq

from photogap.core.lattice import fast_length
from photogap.core.roots import brent

FUNCTIONS = {
    "cubic": lambda x: x**3 - 0.3,
    "steep": lambda x: math.tanh(40 * (x - 0.123)),
    "falling": lambda x: math.exp(-3 * x) - 0.5,
    "step": lambda x: -1.0 if x < 0.7 else 1.0,
    "line": lambda x: x - 0.25,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(low=st.floats(-2.0, 0.1), high=st.floats(0.75, 3.0), xtol=st.sampled_from([1e-3, 1e-7, 1e-12]))
def test_steps_equal_those_of_scipy(name, low, high, xtol):
    function, ours, theirs = FUNCTIONS[name], [], []

    def noted(trials):
        return lambda x: (trials.append(x), function(x))[1]

    assert brent(noted(ours), low, high, xtol=xtol) == brentq(noted(theirs), low, high, xtol=xtol)
    assert ours == theirs


def test_equal_signs_and_too_few_steps_are_refused():
    with pytest.raises(ArithmeticError, match=r"g must change its sign in the interval\. Got 1 and 4"):
        brent(lambda x: x * x, 1.0, 2.0, xtol=1e-6)
    with pytest.raises(ArithmeticError, match="no root to 1e-12 after 3 steps"):
        brent(FUNCTIONS["step"], 0.0, 1.0, xtol=1e-12, max_iterations=3)


@given(st.integers(1, 2_000_000))
def test_ring_lengths_are_those_of_scipy(least):
    assert fast_length(least) == 64 * next_fast_len(-(-least // 64), real=True)
