"""The coupled motion of f(E, t), n(Omega, t) and Delta(E, t).

Within a step Delta is that of its middle, extrapolated; after it the gap equation is solved again. Energy absorbed
and escaped are integrated beside f and n with the same weights, so within a step the ledger closes to round-off,
and what is left is the gap's: at fixed f a moving density of states changes U_qp by 4 N0 Int E f d(rho), integrated
on its own by the trapezoidal rule. The lattice starts wide and narrows as quasiparticles come down (`windows`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from .coherence import spectral_weights
from .collisions import Film, collision_rates, escape
from .constants import HBAR
from .gap import GapSolution, SelfEnergy
from .integrators import Method
from .lattice import Array
from .pump import Pump
from .result import Outcome
from .tracking import GapError, GapTracker
from .windows import MOST_BLOCKED, NEGLIGIBLE, blocked_above, cut, energy_above, fill_above

BOUNDS_TOLERANCE = 1e-7
"""f and n may leave [0, 1] and [0, inf) by a step's own tolerance `atol`, and by this much at most."""
MOST_PHOTONS = 1e4
"""Photons per quasiparticle and pulse, Gamma tau_pump, beyond which absorption has saturated."""
_SAFETY, _SHRINK, _GROW = 0.8, 0.2, 3.0


@dataclass(frozen=True, kw_only=True)
class Model:
    """Everything that the right-hand side needs and that does not move.

    Args:
        film: Spectrum and densities.
        pump: The pulse.
        gamma: Absorption rate Gamma of the pump, 1/ps, from (t, absorbed power density at unit Gamma).
        n_eq: Bose occupation of the bath, shape (M + 1,).
        tau_esc: Escape time of phonons, ps.
        narrower: Films on narrower lattices of the same spacing, widest first, to go on with once what lies
            above them is negligible; the last is the gap equation's own.
    """

    film: Film
    pump: Pump
    gamma: Callable[[float, float], float]
    n_eq: Array
    tau_esc: float
    narrower: tuple[Film, ...] = ()

    def narrowed(self) -> "Model":
        """The model on the next lattice."""
        return replace(self, film=self.narrower[0], narrower=self.narrower[1:])

    def weights(self, rho: Array, p: Array) -> tuple[Array, Array]:
        """The gap equation's rho, p on this lattice, both shape (N,)."""
        return fill_above(rho, p, self.film.lattice.N)

    def split(self, y: Array) -> tuple[Array, Array]:
        """f (N,) and n (M + 1,) of a state vector."""
        N, M = self.film.lattice.N, self.film.lattice.M
        return y[:N], y[N : N + M + 1]

    def pack(self, f: Array, n: Array) -> Array:
        """State vector of f, n, U_absorbed and U_escaped, shape (N + M + 3,)."""
        return np.concatenate([f, n, [0.0, 0.0]])

    def pumping(self, t: float, rho: Array, p: Array, f: Array) -> tuple[float, Array, float]:
        """Gamma (1/ps), df/dt (1/ps, (N,)) and the power density (meV/(nm^3 ps)) of the pump at t."""
        if self.pump.U == 0.0 or self.pump.envelope(t) < 1e-12:
            return 0.0, np.zeros(f.size), 0.0
        g = self.pump.unit_rate(self.film.lattice, rho, p, f)
        unit_power = self.film.quasiparticle_energy(rho, g)
        gamma = self.gamma(t, unit_power)
        return gamma, gamma * g, gamma * unit_power

    def derivative(self, t: float, y: Array, rho: Array, p: Array) -> Array:
        """dy/dt at fixed spectral weights rho, p (N,)."""
        f, n = self.split(y)
        rates = collision_rates(self.film, rho, p, f, n)
        _, pumped, power = self.pumping(t, rho, p, f)
        leaving = escape(n, self.n_eq, self.tau_esc)
        return np.concatenate(
            [
                rates.f_gain - rates.f_loss + pumped,
                rates.n_gain - rates.n_loss + leaving,
                [power, -self.film.phonon_energy(leaving)],
            ]
        )

    def spectral_radius(self, t: float, y: Array, rho: Array, p: Array) -> float:
        """Estimate from above of the fastest rate, 1/ps: scattering far above the gap, pump and escape."""
        f, n = self.split(y)
        emitted = self.film.lattice.h * float(np.dot(self.film.alpha2F, 2.0 * np.abs(n) + 1.0))
        phonons = 2.0 * float((self.film.phonon_rate * self.film.lattice.Omega).max())
        gamma = self.pumping(t, rho, p, f)[0]
        return 1.3 * 2 * math.pi / HBAR * emitted + phonons + 4.0 * abs(gamma) + 1.0 / self.tau_esc


@dataclass
class Ledger:
    """Energy densities, meV/nm^3, relative to the start."""

    U_gap: float = 0.0

    def move_gap(self, film: Film, f: Array, f_new: Array, rho: Array, rho_new: Array) -> None:
        """Add what a moving density of states gave to the quasiparticles."""
        self.U_gap += film.quasiparticle_energy(rho_new - rho, 0.5 * (f + f_new))


@dataclass(frozen=True, eq=False)
class Sample:
    """The state at one time.

    Args:
        t: Time, ps.
        E: Quasiparticle energies of the lattice at that time, meV, shape (N,).
        f, n: Occupations, shapes (N,) and (M + 1,).
        gap: Solution of the gap equation.
        n_qp: Number density of the quasiparticles, 1/nm^3.
        U_qp: Energy of the quasiparticles, meV/nm^3.
        U_absorbed, U_escaped, U_gap: Ledger, meV/nm^3.
        Gamma: Absorption rate, 1/ps.
    """

    t: float
    E: Array
    f: Array
    n: Array
    gap: GapSolution
    n_qp: float
    U_qp: float
    U_absorbed: float
    U_escaped: float
    U_gap: float
    Gamma: float


@dataclass
class Statistics:
    """Counts of a trajectory."""

    steps: int = 0
    rejected: int = 0
    evaluations: int = 0
    blocked_above: float = 0.0


@dataclass
class Trajectory:
    """Samples at the asked times and how the integration ended."""

    samples: list[Sample] = field(default_factory=list)
    statistics: Statistics = field(default_factory=Statistics)
    outcome: Outcome = Outcome.OK
    message: str = ""


def integrate(
    model: Model,
    tracker: GapTracker,
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
) -> Trajectory:
    """Integrate from thermal occupations through `times`, with a step ending on each.

    Args:
        model: Right-hand side.
        tracker: Solver of the gap equation, carrying its warm start.
        method: Time stepping method.
        times: Times of the samples, ps, increasing, shape (n_times,).
        f, n: Occupations at times[0], shapes (N,) and (M + 1,).
        gap: Solution of the gap equation for them.
        rtol, atol: Error allowed in an occupation per step: atol + rtol |y|.
        max_steps: Trial steps before giving up.
        dt_max: Longest step, ps.
    Returns:
        The trajectory; what stops it early is an outcome with its message.
    """
    out = Trajectory()
    try:
        run = _Run(model, tracker, method, f, n, gap, float(times[0]), rtol, atol, out)
        out.samples.append(run.sample())
        for target in times[1:]:
            while run.t < target:
                if out.statistics.steps + out.statistics.rejected >= max_steps:
                    out.outcome = Outcome.TOO_MANY_STEPS
                    out.message = f"{max_steps} steps did not reach {times[-1]:g} ps: stopped at {run.t:.6g} ps"
                    return out
                run.advance(float(target), dt_max)
            out.samples.append(run.sample())
    except GapError as error:
        out.outcome, out.message = Outcome.NOT_CONVERGED, f"{error}, at t = {run.t:.6g} ps"
    except _Saturated as error:
        out.outcome, out.message = Outcome.SATURATED, str(error)
    except _StepTooSmall as error:
        out.outcome, out.message = Outcome.STEP_TOO_SMALL, str(error)
    return out


class _StepTooSmall(ArithmeticError):
    pass


class _Saturated(ArithmeticError):
    pass


class _Run:
    """One integration's moving parts."""

    def __init__(
        self, model: Model, tracker: GapTracker, method: Method, f: Array, n: Array, gap: GapSolution, t: float,
        rtol: float, atol: float, out: Trajectory,
    ) -> None:  # fmt: skip
        self.tracker, self.method, self.out = tracker, method, out
        self.rtol, self.atol, self.t = rtol, atol, t
        self.wide, self.model = model, model
        self.waiting = model.pump.U > 0 and t < model.pump.begins
        if self.waiting and model.narrower:
            self.model = replace(model, film=model.narrower[-1], narrower=())
            f = f[: self.model.film.lattice.N]
        self.y = model.pack(f, n)
        self.ledger = Ledger()
        self.gap_cells = tracker.coupling.lattice.N
        self.gap = gap
        self.slope: SelfEnergy | None = None
        self.dt = model.pump.tau_pump / 20

    def sample(self) -> Sample:
        f, n = self.model.split(self.y)
        rho, p = self.model.weights(self.gap.rho, self.gap.p)
        gamma = self.model.pumping(self.t, rho, p, f)[0]
        absorbed, escaped = self.y[-2:]
        return Sample(
            t=self.t, E=self.model.film.lattice.E, f=f, n=n, gap=self.gap,
            n_qp=self.model.film.quasiparticle_number(rho, f),
            U_qp=self.model.film.quasiparticle_energy(rho, f), U_absorbed=float(absorbed),
            U_escaped=float(escaped), U_gap=self.ledger.U_gap, Gamma=gamma,
        )  # fmt: skip

    def advance(self, target: float, dt_max: float) -> None:
        """One trial step towards `target`; accepted or not, the next step's length is chosen."""
        if self.waiting and self.t >= self.model.pump.begins:
            self._open_wide()
        if self.waiting:
            # no step may leap over the pulse
            target = min(target, self.model.pump.begins)
        left = target - self.t
        dt = left / max(1, math.ceil(left / min(self.dt, dt_max) - 1e-9))
        middle = self._extrapolate(0.5 * dt)
        weights = (self.gap.rho, self.gap.p) if self.slope is None else spectral_weights(middle.omegaZ, middle.phi)
        rho, p = self.model.weights(*weights)
        self._check_absorption(rho, p)
        radius = self.model.spectral_radius(self.t, self.y, rho, p)
        dt = min(dt, self.method.largest_step(radius))
        trial = self.method.step(lambda t, y: self.model.derivative(t, y, rho, p), self.t, self.y, dt, radius)
        self.out.statistics.evaluations += trial.evaluations
        error = self._norm(trial.y, trial.error)
        if not (error <= 1.0 and self._within_bounds(trial.y)):
            self._reject(dt, error)
            return
        f_new, n_new = self.model.split(trial.y)
        gap = self.tracker.solve(f_new[: self.gap_cells], n_new, start=self._extrapolate(dt))
        moved = self._gap_error(gap, dt)
        if moved > 1.0 and dt > self._smallest_gap_step:
            self._reject(dt, moved)
            return
        rho_old, rho_new = (self.model.weights(g.rho, g.p)[0] for g in (self.gap, gap))
        self.ledger.move_gap(self.model.film, self.model.split(self.y)[0], f_new, rho_old, rho_new)
        opened = gap.is_normal or self.gap.is_normal
        self.slope = None if opened else (1 / dt) * (gap.self_energy - self.gap.self_energy)
        self.t = target if abs(self.t + dt - target) < 1e-12 * max(abs(target), dt) else self.t + dt
        self.y, self.gap = trial.y, gap
        self.out.statistics.steps += 1
        factor = min(max(error, 1e-8) ** (-1 / self.method.error_order), max(moved, 1e-8) ** (-1 / 2))
        proposal = dt * min(_GROW, max(_SHRINK, _SAFETY * factor))
        # a step cut short by a sample says little against the longer one that was planned
        self.dt = max(self.dt, proposal) if dt < self.dt and factor > 1 else proposal
        self._narrow()

    def _open_wide(self) -> None:
        """The wide lattice, nothing above the narrow one yet, and a step for the pulse."""
        f, n = self.model.split(self.y)
        above = np.zeros(self.wide.film.lattice.N - f.size)
        self.y = np.concatenate([f, above, n, self.y[-2:]])
        self.model, self.waiting = self.wide, False
        self.dt = self.model.pump.tau_pump / 20

    def _narrow(self) -> None:
        """Refuse what the gap equation leaves out above its window, and cut the lattice where that is empty."""
        model = self.model
        if not model.narrower:
            return
        f, n = model.split(self.y)
        blocked = blocked_above(model.film, f, self.gap_cells)
        self.out.statistics.blocked_above = max(self.out.statistics.blocked_above, blocked)
        if blocked > MOST_BLOCKED:
            raise GapError(
                f"quasiparticles above the window of the gap equation block {blocked:.1%} of the pairs (more than "
                f"{MOST_BLOCKED:.0%}): raise `window` above `omega_pump`"
            )
        if self.t < -model.pump.begins:
            return
        while (
            model.narrower
            and abs(energy_above(model.film, f, model.narrower[0].lattice.N)) < NEGLIGIBLE * (self.y[-2])
        ):
            rho = model.weights(self.gap.rho, self.gap.p)[0]
            f = cut(model.film, f, rho, model.narrower[0])
            model = model.narrowed()
        self.y = np.concatenate([f, n, self.y[-2:]])
        self.model = model

    def _check_absorption(self, rho: Array, p: Array) -> None:
        """Refuse a rate that no longer describes absorption: as many quasiparticles fall as rise."""
        pump, f = self.model.pump, self.model.split(self.y)[0]
        gamma = self.model.pumping(self.t, rho, p, f)[0]
        if not 0.0 <= gamma * pump.tau_pump < MOST_PHOTONS:
            raise _Saturated(
                f"absorption saturates: at t = {self.t:.6g} ps, with {self.y[-2] / pump.U:.1e} of the energy in, "
                f"depositing the pulse's power takes Gamma = {gamma:.1e} / ps. There are too few quasiparticles; "
                "raise `T`, or let photons break pairs (`pump_channels: scattering+pair-breaking`)"
            )

    def _extrapolate(self, dt: float) -> SelfEnergy:
        """W and phi after dt, by their motion in the last step."""
        now = self.gap.self_energy
        return now if self.slope is None else now + dt * self.slope

    @property
    def _h(self) -> float:
        return self.model.film.lattice.h

    @property
    def _smallest_gap_step(self) -> float:
        """A gap that opens or closes at once cannot be resolved; below this step it is let jump."""
        return 1e-3 * self.model.pump.tau_pump

    def _norm(self, y: Array, error: Array) -> float:
        """Largest error relative to atol + rtol |y|, occupations only."""
        K = y.size - 2
        scale = self.atol + self.rtol * np.maximum(np.abs(self.y[:K]), np.abs(y[:K]))
        return float(np.abs(error[:K] / scale).max())

    def _within_bounds(self, y: Array) -> bool:
        f, n = self.model.split(y)
        eps = min(self.atol, BOUNDS_TOLERANCE)
        return bool(f.min() > -eps and f.max() < 1 + eps and n.min() > -eps)

    def _gap_error(self, gap: GapSolution, dt: float) -> float:
        """How far the gap came out from where the step assumed it, relative to what is allowed."""
        slope = 0.0
        if self.slope is not None:
            slope = float(self.slope.phi[0].real / self.gap.Z[0].real)
        assumed = self.gap.Delta0 + dt * slope
        allowed = 50 * self.rtol * max(self.gap.Delta0, gap.Delta0) + 0.2 * self._h
        return abs(gap.Delta0 - assumed) / allowed

    def _reject(self, dt: float, error: float) -> None:
        self.out.statistics.rejected += 1
        factor = _SAFETY * error ** (-1 / self.method.error_order) if math.isfinite(error) and error > 1 else 0.5
        self.dt = dt * max(_SHRINK, min(factor, 0.9))
        if self.dt < 1e-9 * self.model.pump.tau_pump:
            raise _StepTooSmall(
                f"the time step fell to {self.dt:.1e} ps at t = {self.t:.6g} ps (error {error:.2g})"
            )
