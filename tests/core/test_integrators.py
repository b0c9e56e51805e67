"""Each method's declared order, its stability, and the invariants it must keep."""

import math

import numpy as np
import pytest

from photogap.core.integrators import METHODS, RungeKuttaChebyshev


def relaxation(t, y):
    """A nonlinear, forced, two-component problem with a known solution: y0 = cos t, y1 = 1 / (1 + t)."""
    return np.array([-5 * (y[0] - math.cos(t)) - math.sin(t), -(y[1] ** 2)])


def exact(t):
    return np.array([math.cos(t), 1 / (1 + t)])


def error_at(method, steps, end=1.0):
    y, dt = exact(0.0), end / steps
    for k in range(steps):
        y = method.step(relaxation, k * dt, y, dt, 6.0).y
    return np.abs(y - exact(end)).max()


@pytest.mark.parametrize("name", METHODS)
def test_order(name):
    """The slope of the error over three halvings; 0.25 leaves room for the next order's share."""
    method = METHODS[name]
    steps = np.array([40, 80, 160, 320]) if method.order == 2 else np.array([10, 20, 40, 80])
    errors = [error_at(method, int(s)) for s in steps]
    slope = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(method.order, abs=0.25)


@pytest.mark.parametrize("name", METHODS)
def test_order_of_the_error_estimate(name):
    method = METHODS[name]
    dts = np.array([0.1, 0.05, 0.025])
    estimates = [np.abs(method.step(relaxation, 0.3, exact(0.3), dt, 6.0).error).max() for dt in dts]
    slope = np.polyfit(np.log(dts), np.log(estimates), 1)[0]
    assert slope == pytest.approx(method.error_order, abs=0.35)


@pytest.mark.parametrize("stages", [2, 3, 5, 12, 40, 120])
def test_chebyshev_order_at_any_number_of_stages(stages):
    """A stage's time must be right as well: the problem is forced."""
    method = RungeKuttaChebyshev()
    errors = []
    for steps in (40, 80):
        dt = 1.0 / steps
        radius = next(r for r in np.geomspace(0.1, 2000.0, 4000) if method.stages(1.0, r)[0] >= stages) / dt
        assert method.stages(dt, radius)[0] >= stages
        y = exact(0.0)
        for k in range(steps):
            y = method.step(relaxation, k * dt, y, dt, radius).y
        errors.append(np.abs(y - exact(1.0)).max())
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize("radius", [10.0, 1e3, 1e5])
def test_chebyshev_is_stable_where_it_says(radius):
    rates = np.linspace(0.0, radius, 50)
    y = np.ones(50)
    for _ in range(20):
        y = RungeKuttaChebyshev().step(lambda t, y: -rates * y, 0.0, y, 0.1, radius).y
    assert np.abs(y).max() <= 1.0 + 1e-9


@pytest.mark.parametrize("radius", [1.0, 30.0, 300.0, 1900.0])
def test_chebyshev_bears_the_imaginary_parts_of_phonon_emission(radius):
    """Rates on the ellipse of half axes 0.5 and 0.13, lead's. The usual damping, 2/13, fails above 9.

    2 %: few stages on the shortest steps overshoot by that, in one mode, and the next step differs.
    """
    phi = np.linspace(0.0, np.pi, 200)
    rates = -0.5 * radius * (1 + np.cos(phi)) + 0.13j * radius * np.sin(phi)
    y = RungeKuttaChebyshev().step(lambda t, y: rates * y, 0.0, np.ones(200, complex), 1.0, radius).y
    assert np.abs(y).max() <= 1.02


@pytest.mark.parametrize("name", METHODS)
def test_linear_invariants_are_kept(name):
    rng = np.random.default_rng(1)
    A = rng.random((6, 6))
    A -= np.diag(A.sum(axis=0))

    def F(t, y):
        return A @ y

    y = rng.random(6)
    total = y.sum()
    for _ in range(100):
        y = METHODS[name].step(F, 0.0, y, 0.05, 12.0).y
    # 100 steps of some 50 roundings each
    assert y.sum() == pytest.approx(total, rel=1e-13)
