"""Each method's declared order, its stability, and the invariants it must keep."""

import math

import numpy as np
import pytest

from photogap.core.integrators import METHODS, Problem, Rosenbrock, RungeKuttaChebyshev


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
    # an implicit method comes to its order at steps that resolve the fastest rate, 5, with its systems solved
    F = Problem(rate=relaxation, scale=np.full(2, 1e-9))
    dts = np.array([0.1, 0.05, 0.025]) / (8 if name == "rosenbrock" else 1)
    estimates = [np.abs(method.step(F, 0.3, exact(0.3), dt, 6.0).error).max() for dt in dts]
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
def test_chebyshev_is_stable_in_its_stated_region(radius):
    rates = np.linspace(0.0, radius, 50)
    y = np.ones(50)
    for _ in range(20):
        y = RungeKuttaChebyshev().step(lambda t, y: -rates * y, 0.0, y, 0.1, radius).y
    assert np.abs(y).max() <= 1.0 + 1e-9


@pytest.mark.parametrize("radius", [1.0, 30.0, 300.0, 1900.0])
def test_chebyshev_is_stable_for_the_imaginary_parts_of_phonon_emission(radius):
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

    F = Problem(rate=lambda t, y: A @ y, scale=np.full(6, 1e-4), invariant=np.ones(6))
    y = rng.random(6)
    total = y.sum()
    for _ in range(100):
        y = METHODS[name].step(F, 0.0, y, 0.05, 12.0).y
    # 100 steps of some 50 roundings each
    assert y.sum() == pytest.approx(total, rel=1e-13)


def chain(size, fast):
    """Rates down a ladder over `fast` decades, each rung filled by the one above; the sum is kept."""
    rates = np.geomspace(1e-3, fast, size)
    rates[0] = 0.0
    return rates, lambda t, y: np.append((rates * y)[1:], 0.0) - rates * y


def test_rosenbrock_is_stable_at_any_step_and_keeps_the_sum():
    """Fastest rate times step up to 1e9; the bottom rung holds all in the end, never less than nothing."""
    rates, F = chain(40, 1e6)
    problem = Problem(rate=F, scale=np.full(40, 1e-6), relaxation=lambda t, y: rates, invariant=np.ones(40))
    y = np.full(40, 1 / 40)
    for dt in np.geomspace(1e-6, 1e3, 60):
        trial = Rosenbrock().step(problem, 0.0, y, dt, rates[-1])
        assert np.isfinite(trial.error).all()
        y = trial.y
    for _ in range(30):
        y = Rosenbrock().step(problem, 0.0, y, 1e3, rates[-1]).y
    assert y.sum() == pytest.approx(1.0, rel=1e-13)
    assert y[0] == pytest.approx(1.0, abs=1e-5)


def test_rosenbrock_keeps_its_order_with_a_poor_jacobian():
    """Order 2 with any J: systems solved to a coarse residual lower the accuracy, not the order of the steps."""
    errors = []
    for steps in (40, 80, 160):
        y, dt = exact(0.0), 1.0 / steps
        for k in range(steps):
            F = Problem(rate=relaxation, scale=np.full(2, 1e-2), relaxation=lambda t, y: np.array([3.0, 0.0]))
            y = Rosenbrock().step(F, k * dt, y, dt, 6.0).y
        errors.append(np.abs(y - exact(1.0)).max())
    slopes = -np.diff(np.log2(errors))
    assert slopes[-1] == pytest.approx(2, abs=0.5)


def test_rosenbrock_keeps_constant_components():
    """The defect is taken out where something moves: the third component has no rate, the fourth is an integral."""

    def F(t, y):
        return np.array([y[1] - 2 * y[0], 2 * y[0] - 3 * y[1], 0.0, 2 * y[1]])

    problem = Problem(
        rate=F, scale=np.full(4, 1e-2), invariant=np.ones(4), integrals=np.array([False, False, False, True])
    )
    y = np.array([0.3, 0.2, 0.5, 0.0])
    trial = Rosenbrock().step(problem, 0.0, y, 0.5, 5.0)
    assert trial.y[2] == 0.5
    assert trial.y.sum() == pytest.approx(1.0, rel=1e-14)


def test_unsolved_system_has_an_infinite_error(monkeypatch):
    monkeypatch.setattr("photogap.core.integrators.rosenbrock._ITERATIONS", 2)
    _, F = chain(40, 1e3)
    trial = Rosenbrock().step(F, 0.0, np.full(40, 1 / 40), 10.0, 1e3)
    assert np.isinf(trial.error).all()
