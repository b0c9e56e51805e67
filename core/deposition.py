"""A film under its pulse: one trajectory, or several until a constant rate deposits the absorbed energy."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from .dynamics import Trajectory, integrate
from .equations import Equations
from .integrators import METHODS
from .kinetics import JointTerm, Setup
from .lattice import Array
from .pairing.eliashberg import Coupling
from .pairing.gap import GapSolution
from .pairing.tracking import GapTracker
from .processes import slab_terms
from .result import Outcome, coordinates
from .roots import secant
from .settings import Point, Settings
from .slab import MOST_PHOTONS
from .terms.pump import Pump
from .thermal import bose, fermi
from .windows import Ladder

DEPOSITED: Final = 2e-4
"""Relative tolerance between the energy that a constant rate deposits and the absorbed energy."""
NOISE: Final = 2e-3
"""The same if the deposited energy does not follow the rate any closer: a film with few quasiparticles that light
multiplies, such as LaH10 at 77 K with `scattering` alone, amplifies the errors of the time steps."""
ROUGH: Final = 10.0
"""Factor on the tolerances of trajectories that only search for that rate, at constant gap."""
SLOPE: Final = 1.2
"""Slope of the logarithm of the deposited energy against that of the rate, before it is measured: above one, since
quasiparticles excited by the pulse absorb more."""
_FINE: Final = 65
"""Times of a pulse at which the largest energy of quasiparticles is sought."""

Gamma = Callable[[Pump, float, float], float]
"""Absorption rate, 1/ps, from (pulse, t, absorbed power density at unit rate)."""


class Deposited(NamedTuple):
    """A trajectory and the iterations of the gap equation that it took."""

    trajectory: Trajectory
    gap_iterations: int


class Deposition:
    """A slab, or slabs that exchange phonons, ready to run once, or until a constant rate deposits the energy.

    Args:
        ladder: Lattices of the kinetic equations, with spectrum and densities on each.
        coupling: Spectrum with mu_star.
        gap: Solution of the gap equation before the pulse.
        pumps: Absorption of each slab.
        joint: Processes between the slabs, which then share their steps.
        point: Temperature of the bath and escape time.
        settings: Model and numerics.
    """

    def __init__(
        self, ladder: Ladder, coupling: Coupling, gap: GapSolution, pumps: list[Pump],
        joint: Sequence[JointTerm], point: Point, settings: Settings,
    ) -> None:  # fmt: skip
        self.ladder, self.coupling, self.gap, self.pumps = ladder, coupling, gap, pumps
        self.joint, self.point, self.settings = joint, point, settings
        self.times = coordinates(settings)["time"]

    def with_envelope(self) -> Deposited:
        """Run with the Gamma that deposits the pulse's power at each time."""
        return self._run(_envelope, self.times)

    def with_constant_rate(self) -> Deposited:
        """Run with one Gamma_0, chosen so that the pulse deposits its energy in the one slab."""
        (pump,) = self.pumps
        begins, ends = max(self.times[0], pump.begins), min(self.times[-1], -pump.begins)
        if pump.U == 0.0 or not begins < ends:
            return self.with_envelope()
        retained = self.settings.energy_match == "retained"
        times = np.linspace(begins, ends, _FINE if retained else 16)
        rough = self._run(_envelope, times, rough=True)
        if rough.trajectory.outcome is not Outcome.OK:
            rough = self._run(_envelope, times)
            if rough.trajectory.outcome is not Outcome.OK:
                return rough
        log_rate, slope = self._rough_rate(rough.trajectory, times)
        # The first trial at full accuracy is hardly ever the last, so it need not continue after the pulse.
        pulse = times if retained else self.times[: 1 + int(np.searchsorted(self.times, -pump.begins))]
        best: dict[float, Deposited] = {}
        least = math.inf
        stopped = ""

        def missing(log_rate: float) -> float:
            nonlocal least, stopped
            run = self._run(_constant(log_rate), pulse if retained or least == math.inf else self.times)
            defect = self._missing(run.trajectory)
            stopped = run.trajectory.message or stopped
            if abs(defect) <= least or not best:
                least = min(least, abs(defect))
                best.clear()
                best[log_rate] = run
            return defect

        try:
            log_rate, _ = secant(missing, log_rate, slope=slope, tol=DEPOSITED, noise=NOISE)
        except ArithmeticError as error:
            why = f"trials of a larger Gamma ended with: {stopped}" if stopped else "the film saturates before"
            message = f"no constant Gamma deposits the absorbed energy: {error}; {why}"
            (run,) = best.values()
            return Deposited(Trajectory(outcome=Outcome.NOT_CONVERGED, message=message), run.gap_iterations)
        if retained or log_rate not in best or len(best[log_rate].trajectory.slabs[0]) < self.times.size:
            return self._run(_constant(log_rate), self.times)
        return best[log_rate]

    def _rough_rate(self, envelope: Trajectory, times: Array) -> tuple[float, float]:
        """Logarithm of Gamma_0 and the slope of `_missing` there, from rough trajectories.

        The exposure Int Gamma dt of `envelope`, which is Int dU / (power at unit Gamma), is close to that of a
        constant rate, and equal if that power depends only on the deposited energy. Two trials then measure the
        slope, unless the first hits the root.
        """
        (pump,) = self.pumps
        exposure = np.trapezoid([s.Gamma for s in envelope.slabs[0]], times)
        x = math.log(exposure / np.trapezoid([pump.envelope(t) for t in times], times))
        y = self._missing(self._run(_constant(x), times, rough=True).trajectory)
        if not 1e-3 < abs(y) < math.inf:
            return x, SLOPE
        step = -math.copysign(max(abs(y) / SLOPE, 0.03), y)
        slope = (self._missing(self._run(_constant(x + step), times, rough=True).trajectory) - y) / step
        return (x - y / slope, slope) if 0.1 < slope < 10.0 else (x, SLOPE)

    def _missing(self, trajectory: Trajectory) -> float:
        """Logarithm of the matched energy divided by the energy of the pulse; inf if the trajectory stopped early.

        The matched energy is that absorbed by quasiparticles (`absorbed`), or the largest energy that they have at
        any time, the rest being in phonons (`retained`).
        """
        (pump,) = self.pumps
        if trajectory.outcome is not Outcome.OK:
            return math.inf
        samples = trajectory.slabs[0]
        first, last = samples[0], samples[-1]
        arrived = pump.arrived(last.t) - pump.arrived(first.t)
        if self.settings.energy_match == "retained":
            found = max(s.U_qp for s in samples) - first.U_qp
        else:
            found = last.U_absorbed - pump.U_ph * arrived
        return math.log(max(found, 1e-300) / (pump.U * arrived))

    def _run(self, gamma: Gamma, times: Array, *, rough: bool = False) -> Deposited:
        """Trajectory through `times` (ps).

        A rough trajectory has looser tolerances and a fixed gap, whose solution costs most: the deposited energy
        hardly depends on the gap as long as photons are far above it.
        """
        ladder, T, settings = self.ladder, self.point.T, self.settings
        lattice = ladder.film(ladder.begin).lattice
        n_eq = bose(lattice.Omega, T)
        setups = [
            Setup(
                point=self.point, settings=settings, film=ladder.film(ladder.last), pump=pump,
                gamma=partial(gamma, pump), n_eq=n_eq,
            )
            for pump in self.pumps
        ]  # fmt: skip
        held, loosen = (self.gap, ROUGH) if rough else (None, 1.0)
        trackers = [GapTracker(self.coupling, settings.damping, settings.gap_tol, held) for _ in setups]
        trajectory = integrate(
            [self._equations(setup) for setup in setups], trackers, METHODS[settings.integrator], times,
            fermi(lattice.E, T), n_eq, self.gap,
            rtol=loosen * settings.rtol, atol=loosen * settings.atol, max_steps=settings.max_steps, dt_max=math.inf,
            joint=self.joint,
        )  # fmt: skip
        return Deposited(trajectory, sum(tracker.iterations for tracker in trackers))

    def _equations(self, setup: Setup) -> Equations:
        """Equations of motion of a slab."""
        # without a pulse there are no quasiparticles at high energy
        rung = self.ladder.begin if setup.pump.U > 0 else self.ladder.last
        return Equations(
            film=self.ladder.film(rung), terms=slab_terms(setup), ladder=self.ladder, rung=rung,
            renormalised=self.settings.renormalised_rates,
        )  # fmt: skip


def _envelope(pump: Pump, t: float, unit_power: float) -> float:
    # a film that absorbs no power at all is beyond saturation
    return pump.U * pump.rate(t) / unit_power if unit_power != 0.0 else MOST_PHOTONS / pump.tau_pump


def _constant(log_rate: float) -> Gamma:
    return lambda pump, t, unit_power: math.exp(log_rate) * pump.envelope(t)
