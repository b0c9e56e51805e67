"""The coupled motion of f(E, t), n(Omega, t) and Delta(E, t), of one slab or of several that exchange phonons.

Slabs that exchange phonons are one system of equations and share each step, whose length the most demanding slab
sets. A slab's part of a step is in `slab`, the sum of its processes in `equations`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from .equations import Equations, joint_derivative, joint_problem, joint_spectral_radius, parts
from .integrators import Method
from .integrators.protocol import RightHandSide
from .kinetics import JointTerm, Weights
from .lattice import Array
from .pairing.gap import GapSolution
from .pairing.tracking import GapError, GapTracker
from .result import Outcome
from .slab import Sample, SaturatedError, Slab

_SAFETY, _SHRINK, _GROW = 0.8, 0.2, 3.0
_AT_REST = 0.1
"""Motion until the pulse begins, in units of a step's tolerance, below which a film is not integrated till then."""


@dataclass
class Statistics:
    """Counts of a trajectory."""

    steps: int = 0
    rejected: int = 0
    evaluations: int = 0
    blocked_above: float = 0.0


@dataclass
class Trajectory:
    """Samples of each slab at the requested times, and the outcome of the integration."""

    slabs: list[list[Sample]] = field(default_factory=list)
    statistics: Statistics = field(default_factory=Statistics)
    outcome: Outcome = Outcome.OK
    message: str = ""


def integrate(
    slabs: Sequence[Equations],
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
    joint: Sequence[JointTerm] = (),
) -> Trajectory:
    """Integrate from thermal occupations through `times`, with a step ending on each.

    Args:
        slabs: Equations of each slab, the first one next to the light; pulses of one duration.
        trackers: Solver of the gap equation of each slab, carrying its warm start.
        method: Time stepping method.
        times: Times of the samples, ps, increasing, shape (n_times,).
        f, n: Occupations of every slab at times[0], shapes (N,) and (M + 1,) of the widest lattice.
        gap: Solution of the gap equation for them.
        rtol, atol: Error allowed in an occupation per step: atol + rtol |y|.
        max_steps: Trial steps before giving up.
        dt_max: Longest step, ps.
        joint: Processes between the slabs.
    Returns:
        The trajectory; an early stop is an outcome with its message.
    """
    out = Trajectory(slabs=[[] for _ in slabs])
    start, run = float(times[0]), None
    try:
        states = [
            Slab(equations, tracker, f[: equations.film.lattice.N], n, gap, start)
            for equations, tracker in zip(slabs, trackers, strict=True)
        ]
        run = _Run(states, joint, method, start, rtol, atol, out)
        run.sample()
        for target in times[1:]:
            run.rest(float(target))
            while run.t < target:
                if out.statistics.steps + out.statistics.rejected >= max_steps:
                    out.outcome = Outcome.TOO_MANY_STEPS
                    out.message = f"{max_steps} steps did not reach {times[-1]:g} ps: stopped at {run.t:.6g} ps"
                    return out
                run.advance(float(target), dt_max)
            run.sample()
    except GapError as error:
        out.outcome, out.message = Outcome.NOT_CONVERGED, f"{error}, at t = {run.t if run else start:.6g} ps"
    except SaturatedError as error:
        out.outcome, out.message = Outcome.SATURATED, str(error)
    except _StepTooSmall as error:
        out.outcome, out.message = Outcome.STEP_TOO_SMALL, str(error)
    return out


class _StepTooSmall(ArithmeticError):
    pass


class _Run:
    """State of one integration."""

    def __init__(
        self, slabs: list[Slab], joint: Sequence[JointTerm], method: Method, t: float, rtol: float, atol: float,
        out: Trajectory,
    ) -> None:  # fmt: skip
        self.slabs, self.joint, self.method, self.out = slabs, joint, method, out
        self.rtol, self.atol, self.t = rtol, atol, t
        self.pump = slabs[0].pump
        self.dt = self.pump.tau_pump / 20
        self.at_rest = self._is_at_rest()

    def sample(self) -> None:
        for slab, samples in zip(self.slabs, self.out.slabs, strict=True):
            samples.append(slab.sample(self.t))

    def rest(self, target: float) -> None:
        """Advance towards `target` without a step while nothing changes, until the pulse begins."""
        if self.at_rest and self.t < self.pump.begins:
            self.t = min(target, self.pump.begins)

    def _is_at_rest(self) -> bool:
        """Return whether all slabs are in equilibrium, with negligible rates until the pulse begins."""
        if not all(slab.waiting for slab in self.slabs):
            return False
        equations, weights = [slab.equations for slab in self.slabs], [slab.weights for slab in self.slabs]
        y = np.concatenate([slab.y for slab in self.slabs])
        moved = joint_derivative(equations, self.joint, self.t, y, weights) * (self.pump.begins - self.t)
        return bool(np.abs(moved / self._scale()).max() <= _AT_REST)

    def _scale(self) -> Array:
        """Error allowed in each component of the slabs' state vectors in a step."""
        return np.concatenate([slab.scale(self.rtol, self.atol) for slab in self.slabs])

    def _rates(self, equations: Sequence[Equations], weights: Sequence[Weights]) -> RightHandSide:
        """Right-hand side of a step, with all that an implicit method needs."""
        if self.method.implicit:
            return joint_problem(equations, self.joint, weights, self._scale())
        return partial(joint_derivative, equations, self.joint, weights=weights)

    def advance(self, target: float, dt_max: float) -> None:
        """One trial step towards `target`; accepted or not, the next step's length is chosen."""
        if any(slab.waiting for slab in self.slabs):
            target = self._await_pulse(target)
        left = target - self.t
        dt = left / max(1, math.ceil(left / min(self.dt, dt_max) - 1e-9))
        for slab in self.slabs:
            slab.aim(self.t, dt)
        equations, weights = [slab.equations for slab in self.slabs], [slab.weights for slab in self.slabs]
        vectors = [slab.y for slab in self.slabs]
        radius = joint_spectral_radius(equations, self.joint, self.t, vectors, weights)
        dt = min(dt, self.method.largest_step(radius))
        trial = self.method.step(self._rates(equations, weights), self.t, np.concatenate(vectors), dt, radius)
        self.out.statistics.evaluations += trial.evaluations
        found = list(zip(self.slabs, parts(equations, trial.y), parts(equations, trial.error), strict=True))
        # not Python's max, which may ignore a NaN
        error = float(np.max([slab.error(y, e, rtol=self.rtol, atol=self.atol) for slab, y, e in found]))
        if not (error <= 1.0 and all(slab.within_bounds(y, self.atol) for slab, y, _ in found)):
            self._reject(dt, error)
            return
        moved = max(slab.solve(y, dt, self.rtol) for slab, y, _ in found)
        if moved > 1.0 and dt > self._smallest_gap_step:
            self._reject(dt, moved)
            return
        defect = self._defect([(slab, y) for slab, y, _ in found])
        if defect > 1.0 and dt > self._smallest_gap_step:
            self._reject(dt, defect)
            return
        for slab, y, _ in found:
            slab.accept(self.t, y, dt)
        self.t = target if abs(self.t + dt - target) < 1e-12 * max(abs(target), dt) else self.t + dt
        self.out.statistics.steps += 1
        factor = min(
            max(error, 1e-8) ** (-1 / self.method.error_order), max(moved, 1e-8) ** (-1 / 2),
            max(defect, 1e-8) ** (-1 / 3),
        )  # fmt: skip
        proposal = dt * min(_GROW, max(_SHRINK, _SAFETY * factor))
        # a step shortened to end on a sample is no reason to reduce the planned one
        self.dt = max(self.dt, proposal) if dt < self.dt and factor > 1 else proposal
        for slab in self.slabs:
            slab.narrow(self.t)
            self.out.statistics.blocked_above = max(self.out.statistics.blocked_above, slab.blocked_above)

    def _defect(self, found: Sequence[tuple[Slab, Array]]) -> float:
        """Largest defect of the slabs' ledgers in a trial, relative to what the method allows."""
        if math.isinf(self.method.defect):
            return 0.0
        return max(slab.defect(y) for slab, y in found) / self.method.defect

    def _await_pulse(self, target: float) -> float:
        """Target of the next step, not beyond the start of the pulse; at that start, prepare slabs and step."""
        if self.t < self.pump.begins:
            return min(target, self.pump.begins)
        for slab in self.slabs:
            if slab.waiting:
                slab.open_wide()
        self.dt = self.pump.tau_pump / 20
        return target

    @property
    def _smallest_gap_step(self) -> float:
        """A gap that opens or closes abruptly cannot be resolved; below this step the gap may jump."""
        return 1e-3 * self.pump.tau_pump

    def _reject(self, dt: float, error: float) -> None:
        self.out.statistics.rejected += 1
        factor = _SAFETY * error ** (-1 / self.method.error_order) if math.isfinite(error) and error > 1 else 0.5
        self.dt = dt * max(_SHRINK, min(factor, 0.9))
        if self.dt < 1e-9 * self.pump.tau_pump:
            raise _StepTooSmall(
                f"the time step fell to {self.dt:.1e} ps at t = {self.t:.6g} ps (error {error:.2g})"
            )
