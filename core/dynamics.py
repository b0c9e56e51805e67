"""The coupled motion of f(E, t), n(Omega, t) and Delta(E, t), of one slab or of several that exchange phonons.

Slabs that exchange phonons are one system of equations: they share each step, as long as the most demanding of them
allows. What a slab does within a step is in `slab`, how phonons pass between slabs in `transport`.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .gap import GapSolution
from .integrators import Method
from .lattice import Array
from .result import Outcome
from .slab import Model, Sample, SaturatedError, Slab
from .tracking import GapError, GapTracker
from .transport import Exchange

_SAFETY, _SHRINK, _GROW = 0.8, 0.2, 3.0


@dataclass
class Statistics:
    """Counts of a trajectory."""

    steps: int = 0
    rejected: int = 0
    evaluations: int = 0
    blocked_above: float = 0.0


@dataclass
class Trajectory:
    """Samples of each slab at the asked times and how the integration ended."""

    slabs: list[list[Sample]] = field(default_factory=list)
    statistics: Statistics = field(default_factory=Statistics)
    outcome: Outcome = Outcome.OK
    message: str = ""


def integrate(
    models: Sequence[Model],
    trackers: Sequence[GapTracker],
    method: Method,
    times: Array,
    f: Array,
    n: Array,
    gap: GapSolution,
    *,
    rtol: float,
    atol: float,
    max_steps: int,
    dt_max: float,
    exchange: Exchange | None = None,
) -> Trajectory:
    """Integrate from thermal occupations through `times`, with a step ending on each.

    Args:
        models: Right-hand side of each slab, the first one next to the light; pulses of one duration.
        trackers: Solver of the gap equation of each slab, carrying its warm start.
        method: Time stepping method.
        times: Times of the samples, ps, increasing, shape (n_times,).
        f, n: Occupations of every slab at times[0], shapes (N,) and (M + 1,) of the widest lattice.
        gap: Solution of the gap equation for them.
        rtol, atol: Error allowed in an occupation per step: atol + rtol |y|.
        max_steps: Trial steps before giving up.
        dt_max: Longest step, ps.
        exchange: How phonons pass between neighbouring slabs; None lets none pass.
    Returns:
        The trajectory; what stops it early is an outcome with its message.
    """
    out = Trajectory(slabs=[[] for _ in models])
    try:
        start = float(times[0])
        slabs = [
            Slab(model, tracker, f[: model.film.lattice.N], n, gap, start)
            for model, tracker in zip(models, trackers, strict=True)
        ]
        run = _Run(slabs, exchange, method, start, rtol, atol, out)
        run.sample()
        for target in times[1:]:
            while run.t < target:
                if out.statistics.steps + out.statistics.rejected >= max_steps:
                    out.outcome = Outcome.TOO_MANY_STEPS
                    out.message = f"{max_steps} steps did not reach {times[-1]:g} ps: stopped at {run.t:.6g} ps"
                    return out
                run.advance(float(target), dt_max)
            run.sample()
    except GapError as error:
        out.outcome, out.message = Outcome.NOT_CONVERGED, f"{error}, at t = {run.t:.6g} ps"
    except SaturatedError as error:
        out.outcome, out.message = Outcome.SATURATED, str(error)
    except _StepTooSmall as error:
        out.outcome, out.message = Outcome.STEP_TOO_SMALL, str(error)
    return out


def parts(models: Sequence[Model], y: Array) -> list[Array]:
    """State vector of each slab in that of all, views."""
    ends = list(itertools.accumulate(model.size for model in models))
    return [y[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def joint_derivative(
    models: Sequence[Model], exchange: Exchange | None, t: float, y: Array, weights: Sequence[tuple[Array, Array]]
) -> Array:
    """dy/dt of slabs that exchange phonons.

    Args:
        models: Right-hand side of each slab.
        exchange: How phonons pass between them; None lets none pass.
        t: Time, ps.
        y: State vectors of the slabs, one after another.
        weights: Spectral weights rho, p of each slab, each (N,).
    Returns:
        dy/dt, shape of y.
    """
    states = parts(models, y)
    out = [model.derivative(t, s, *w) for model, s, w in zip(models, states, weights, strict=True)]
    if exchange is not None:
        flows = exchange(np.stack([model.split(s)[1] for model, s in zip(models, states, strict=True)]))
        for model, rate, flow in zip(models, out, flows, strict=True):
            model.split(rate)[1][:] += flow
    return np.concatenate(out) if len(out) > 1 else out[0]


class _StepTooSmall(ArithmeticError):
    pass


class _Run:
    """One integration's moving parts."""

    def __init__(
        self, slabs: list[Slab], exchange: Exchange | None, method: Method, t: float, rtol: float, atol: float,
        out: Trajectory,
    ) -> None:  # fmt: skip
        self.slabs, self.exchange, self.method, self.out = slabs, exchange, method, out
        self.rtol, self.atol, self.t = rtol, atol, t
        self.pump = slabs[0].wide.pump
        self.dt = self.pump.tau_pump / 20

    def sample(self) -> None:
        for slab, samples in zip(self.slabs, self.out.slabs, strict=True):
            samples.append(slab.sample(self.t))

    def advance(self, target: float, dt_max: float) -> None:
        """One trial step towards `target`; accepted or not, the next step's length is chosen."""
        if any(slab.waiting for slab in self.slabs):
            target = self._await_pulse(target)
        left = target - self.t
        dt = left / max(1, math.ceil(left / min(self.dt, dt_max) - 1e-9))
        for slab in self.slabs:
            slab.aim(self.t, dt)
        radius = max(slab.spectral_radius(self.t) for slab in self.slabs)
        if self.exchange is not None:
            radius += self.exchange.spectral_radius
        dt = min(dt, self.method.largest_step(radius))
        models, weights = [slab.model for slab in self.slabs], [slab.weights for slab in self.slabs]
        y = np.concatenate([slab.y for slab in self.slabs])
        trial = self.method.step(
            lambda t, y: joint_derivative(models, self.exchange, t, y, weights), self.t, y, dt, radius
        )
        self.out.statistics.evaluations += trial.evaluations
        found = list(zip(self.slabs, parts(models, trial.y), parts(models, trial.error), strict=True))
        # not Python's max, which may pass over a NaN
        error = float(np.max([slab.error(y, e, rtol=self.rtol, atol=self.atol) for slab, y, e in found]))
        if not (error <= 1.0 and all(slab.within_bounds(y, self.atol) for slab, y, _ in found)):
            self._reject(dt, error)
            return
        moved = max(slab.solve(y, dt, self.rtol) for slab, y, _ in found)
        if moved > 1.0 and dt > self._smallest_gap_step:
            self._reject(dt, moved)
            return
        for slab, y, _ in found:
            slab.accept(self.t, y, dt)
        self.t = target if abs(self.t + dt - target) < 1e-12 * max(abs(target), dt) else self.t + dt
        self.out.statistics.steps += 1
        factor = min(max(error, 1e-8) ** (-1 / self.method.error_order), max(moved, 1e-8) ** (-1 / 2))
        proposal = dt * min(_GROW, max(_SHRINK, _SAFETY * factor))
        # a step cut short by a sample says little against the longer one that was planned
        self.dt = max(self.dt, proposal) if dt < self.dt and factor > 1 else proposal
        for slab in self.slabs:
            slab.narrow(self.t)
            self.out.statistics.blocked_above = max(self.out.statistics.blocked_above, slab.blocked_above)

    def _await_pulse(self, target: float) -> float:
        """Target of a step before the pulse: none may leap over it; at its beginning, a step for the pulse."""
        if self.t < self.pump.begins:
            return min(target, self.pump.begins)
        for slab in self.slabs:
            if slab.waiting:
                slab.open_wide()
        self.dt = self.pump.tau_pump / 20
        return target

    @property
    def _smallest_gap_step(self) -> float:
        """A gap that opens or closes at once cannot be resolved; below this step it is let jump."""
        return 1e-3 * self.pump.tau_pump

    def _reject(self, dt: float, error: float) -> None:
        self.out.statistics.rejected += 1
        factor = _SAFETY * error ** (-1 / self.method.error_order) if math.isfinite(error) and error > 1 else 0.5
        self.dt = dt * max(_SHRINK, min(factor, 0.9))
        if self.dt < 1e-9 * self.pump.tau_pump:
            raise _StepTooSmall(
                f"the time step fell to {self.dt:.1e} ps at t = {self.t:.6g} ps (error {error:.2g})"
            )
