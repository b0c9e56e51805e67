"""Rows as small state machines: the numbers of each row, and its next state after each program.

A row's phase is the program that it waits for. Its numbers and flags are arrays on the host; f and Delta stay on
the device. Rows follow the same algorithm as `dynamics`, `slab` and `pairing.tracking`. A row that does not end
well is given up with the reason, and the scalar solver computes it.
"""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..pairing.gap import LEAST_Z, NO_GAP
from ..pairing.opening import _FINEST, _SETTLE, _TINY, _TRIALS, _VANISHING, Held, _Search
from ..pairing.tracking import _CLOSER, _EIGENVALUE
from ..slab import BOUNDS, MISSED, MOST_PHOTONS
from ..windows import MOST_BLOCKED, MOST_OVERRUN, NEGLIGIBLE
from . import control
from .gap import DEPTH
from .phases import STRIDES, Phase
from .programs import CONTINUE, DONE, NORMAL, SEEN

Array = NDArray[Any]
_ITERATIONS: Final = 300
"""Iterations of the gap equation before it is given up, as in `pairing.gap`."""
_RESTARTS: Final = 60
"""Estimates of the largest eigenvalue, each from the last one's vector."""


_FLOATS: Final = (
    "t", "target", "aimed", "plan", "dt", "error", "moved", "tau_pump", "U", "begins", "ends", "rtol",
    "atol", "gap_tol", "mu_star", "full", "pairs", "emission", "escape", "free", "Delta0", "phi0", "W0",
    "slope_phi0",
    "missed", "U_gap", "U_overrun", "booked", "height", "close", "eigenvalue", "first_height", "source", "along",
    "wanted", "keep", "new_phi0", "new_W0", "blocked_above", "radius_next", "gamma_next", "dt_next",
)  # fmt: skip
_WHOLE: Final = (
    "phase", "rung", "s", "damping", "j", "stride", "count", "iterations", "restarts", "trials", "steps",
    "rejected", "evaluations", "gap_iterations", "max_steps", "sample", "point", "purpose",
)  # fmt: skip
_FLAGS: Final = (
    "waiting", "normal", "sloped", "lost", "to_normal", "unstable", "fresh", "ends_step",
    "wants_fields",
)  # fmt: skip

INITIAL, AFTER_STEP, ANEW = 0, 1, 2
"""Purpose of observing a state: the first one, after a step, on another lattice."""


class Machines:
    """Numbers of all rows.

    Args:
        rows: Their number.
        h: Lattice spacing, meV.
        rungs: Number of lattices of the kinetic equations; the last is the gap equation's.
        begin: That on which a pulse begins.
        finish: Called with a row that has reached its last time.
        give_up: Called with a row and the reason why it cannot continue.
        record: Called with rows whose state is to be recorded, and their observed numbers, (n, rows).
    """

    def __init__(
        self,
        rows: int,
        h: float,
        rungs: int,
        begin: int,
        *,
        finish: Callable[[int], None],
        give_up: Callable[[int, str], None],
        record: Callable[[Array, Array], None],
    ) -> None:
        self.h, self.last, self.begin = h, rungs - 1, begin
        self._finish, self._give_up, self._record = finish, give_up, record
        self.times = np.full((rows, 1), math.inf)
        self.numbers = np.zeros((len(_FLOATS), rows))
        for name, line in zip(_FLOATS, self.numbers, strict=True):
            setattr(self, name, line)
        for name in _WHOLE:
            setattr(self, name, np.zeros(rows, dtype=np.int64))
        for name in _FLAGS:
            setattr(self, name, np.zeros(rows, dtype=bool))
        self.searches: dict[int, _Search] = {}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def schedule(self, row: int, times: Array) -> None:
        """Set the times at which a row is sampled, ps."""
        if times.size >= self.times.shape[1]:
            more = np.full((len(self.times), times.size + 1 - self.times.shape[1]), math.inf)
            self.times = np.concatenate([self.times, more], axis=1)
        self.times[row, : times.size], self.times[row, times.size :] = times, math.inf
        self.sample[row], self.target[row] = 0, times[0]

    def _sampled(self, at: Array, sample: Array) -> Array:
        """Times at which rows are sampled; infinite after the last one."""
        return np.asarray(self.times[at, np.minimum(sample, self.times.shape[1] - 1)])

    def rows_numbers(self, at: Array, t: Array) -> list[Array]:
        """The numbers of `row_kinetics.Rows` at a time (ps)."""
        tau = self.tau_pump[at]
        return [
            control.power(t, tau, self.U[at]), MOST_PHOTONS / tau, self.pairs[at], self.emission[at],
            self.escape[at], self.free[at],
        ]  # fmt: skip

    def ahead(self, at: Array, share: float = 1.0) -> Array:
        """Time by which to extrapolate the gap, ps; 0 where its slope is unknown."""
        return np.where(self.sloped[at], share * self.dt[at], 0.0)

    def slots(self, at: Array, size: int) -> Array:
        """Entry of the history that the next iteration of each row overwrites, if any, for a chunk of `size`."""
        found = np.full(size, DEPTH, dtype=np.int32)
        found[: at.size] = np.where(self.fresh[at], DEPTH, self.count[at] % DEPTH)
        return found

    def inputs(self, phase: Phase, at: Array) -> Array:
        """Input numbers of a phase's program, one line for each."""
        mu = [self.mu_star[at], self.full[at]]
        if phase == Phase.FIRST:
            found = [*self.rows_numbers(at, self.t[at]), self.ahead(at, 0.5)]
        elif phase in (Phase.STAGE, Phase.RESUME):
            dt, t = self.dt[at], self.t[at]
            found = [*self.rows_numbers(at, t), dt, self.rtol[at], self.atol[at], self.ahead(at)]
            for i in range(int(self.stride[at[0]])):
                c = control.coefficients(self.s[at], self.damping[at], self.j[at] + i).T
                power = control.power(t + c[5] * dt, self.tau_pump[at], self.U[at])
                found += [power, c[0], c[1], c[2], c[3] * dt, c[4] * dt]
        elif phase == Phase.ITERATE:
            tol = np.where(self.height[at] > 0, self.close[at], self.wanted[at])
            smallest = np.full(at.size, NO_GAP * self.h)
            fresh = self.fresh[at].astype(float)
            found = [*mu, self.height[at], tol, smallest, self.count[at].astype(float), fresh]
        elif phase == Phase.GROW:
            found = mu
        elif phase == Phase.AMPLITUDE:
            found = [*mu, self.height[at], self.ahead(at), self.keep[at], self.source[at], self.along[at]]
        elif phase == Phase.SETTLE:
            opened = self.normal[at] | self.to_normal[at]
            t = self._arrival(at)
            self.dt_next[at] = self._step(at, t)
            half = np.where(opened, 0.0, 0.5 * self.dt_next[at])
            inverse = np.where(opened, 0.0, 1.0 / self.dt[at])
            found = [inverse, self.to_normal[at].astype(float), half, *self.rows_numbers(at, t)]
        else:
            found = [*self.rows_numbers(at, self.t[at]), self.Delta0[at]]
        return np.stack(found)

    def aim(self, at: Array) -> None:
        """Choose the next step of rows, or switch to the wide lattice where a pulse begins."""
        late = self.steps[at] + self.rejected[at] >= self.max_steps[at]
        for row in at[late]:
            self.give_up(row, "too many steps")
        at = at[~late]
        opening = self.waiting[at] & (self.t[at] >= self.begins[at])
        if opening.any():
            wide = at[opening]
            self.waiting[wide], self.plan[wide] = False, self.tau_pump[wide] / 20
            self._move(wide, self.begin)
            self.purpose[wide], self.phase[wide] = ANEW, Phase.OBSERVE
            at = at[~opening]
        self.aimed[at] = self._aim(at)
        dt = control.divided(self.aimed[at] - self.t[at], self.plan[at])
        self.dt[at] = dt
        known = dt == self.dt_next[at]
        self.dt_next[at] = math.nan
        self.phase[at[~known]] = Phase.FIRST
        at = at[known]
        self._begin_step(at, self.gamma_next[at], self.radius_next[at])

    def _move(self, at: Array, rung: Any) -> None:
        """Change the lattice of rows, on which nothing is known of their next steps."""
        self.rung[at], self.dt_next[at] = rung, math.nan

    def _aim(self, at: Array) -> Array:
        """Time that the next steps of rows are to reach."""
        return np.asarray(np.where(self.waiting[at], np.minimum(self.target[at], self.begins[at]), self.target[at]))

    def _arrival(self, at: Array) -> Array:
        """Time at the end of the present steps."""
        t, aimed = self.t[at] + self.dt[at], self.aimed[at]
        return np.asarray(np.where(np.abs(t - aimed) < 1e-12 * np.maximum(np.abs(aimed), self.dt[at]), aimed, t))

    def _step(self, at: Array, t: Array) -> Array:
        """Length of the steps after the present ones, which end at t, if no lattice changes; zero at the end."""
        plan = control.planned(self.dt[at], self.plan[at], self.error[at], self.moved[at])
        aimed = self._aim(at)
        due = t >= self.target[at]
        rows = at[due]
        following = self._sampled(rows, self.sample[rows] + 1)
        following = np.where(self.waiting[rows], np.minimum(following, self.begins[rows]), following)
        aimed[due] = np.where(following < math.inf, following, t[due])
        return control.divided(aimed - t, plan)

    def after_first(self, at: Array, found: Array) -> None:
        """Begin a step, given Gamma and the fastest rate at its start, and whether the weights are right."""
        gamma, radius, fits = found
        at, (gamma, radius) = self._fitting(at, np.stack([gamma, radius]), fits > 0.0)
        self._begin_step(at, gamma, radius)

    def _fitting(self, at: Array, found: Array, fits: Array) -> tuple[Array, Array]:
        """Rows whose spectral weights are right; the others are given up."""
        for row in at[~fits]:
            self.give_up(row, "a gap too large for the weights of rows")
        return at[fits], found[:, fits]

    def _begin_step(self, at: Array, gamma: Array, radius: Array) -> None:
        """Choose the stages of a step from Gamma and the fastest rate at its start."""
        sane = (gamma * self.tau_pump[at] >= 0.0) & (gamma * self.tau_pump[at] < MOST_PHOTONS)
        for row in at[~sane]:
            self.give_up(row, "saturated")
        at, radius = at[sane], radius[sane]
        self.dt[at] = np.minimum(self.dt[at], control.LONGEST / radius)
        self.s[at], self.damping[at] = control.stages(self.dt[at] * radius)
        self.j[at], self.phase[at] = 1, Phase.STAGE
        self._stride(at)

    def _stride(self, at: Array) -> None:
        """Choose the number of stages in the next program of rows."""
        left = self.s[at] - self.j[at] + 1
        resumed = self.phase[at] == Phase.RESUME
        self.ends_step[at] = ~resumed & (left <= STRIDES[-1])
        smallest = np.array(STRIDES)[np.searchsorted(STRIDES, np.minimum(left, STRIDES[-1]))]
        self.stride[at] = np.where(resumed, STRIDES[-1], smallest)

    def after_stages(self, at: Array, found: Array) -> None:
        """Go to the next stages; after the last one, check the step's error and the bounds of its occupations."""
        self.j[at] += self.stride[at]
        last = self.j[at] > self.s[at]
        self.phase[at[~last]] = Phase.RESUME
        self._stride(at[~last])
        at = at[last]
        relative, absorbed, low, high = found[:, last]
        self.evaluations[at] += self.s[at] + 1
        error = np.maximum(relative, absorbed / (MISSED * self.U[at]))
        self.error[at] = error
        eps = BOUNDS * self.atol[at]
        good = (error <= 1.0) & (low > -eps) & (high < 1 + eps)
        self.reject(at[~good], error[~good])
        self._solve(at[good])

    def reject(self, at: Array, error: Array) -> None:
        """Reject a step and try a shorter one."""
        self.rejected[at] += 1
        self.plan[at] = control.shortened(self.dt[at], error)
        small = self.plan[at] < 1e-9 * self.tau_pump[at]
        for row in at[small]:
            self.give_up(row, "step too small")
        self.aim(at[~small])

    def _solve(self, at: Array) -> None:
        """Follow the gap, or test whether one opens."""
        self.iterations[at] = self.restarts[at] = 0
        # the history of the last solution serves this one, and brings it closer for a few iterations more
        self.wanted[at] = np.where(self.count[at] > 0, _CLOSER, 1.0) * self.gap_tol[at]
        self.fresh[at] = True
        self.height[at], self.lost[at], self.unstable[at] = 0.0, False, False
        self.phase[at] = np.where(self.normal[at], Phase.GROW, Phase.ITERATE)

    def after_iterate(self, at: Array, found: Array) -> None:
        """Choose what follows an iteration; `found` are the numbers of `programs.iterate`."""
        # the weights of trials on the way need not be right
        at, found = self._fitting(at, found[:5], (found[0] != DONE) | (found[5] > 0.0))
        code, residual, growth, phi0, W0 = found
        self.iterations[at] += 1
        self.gap_iterations[at] += 1
        self.count[at] = np.where(code == -1, 0, self.count[at] + ~self.fresh[at])
        self.fresh[at] = code == -1
        self.new_phi0[at], self.new_W0[at] = phi0, W0
        held = self.height[at] > 0.0
        done = (code == DONE) & ~held
        self.phase[at] = Phase.ITERATE
        self.judge(at[done], normal=False)
        tired = ~held & ~done & ((code == NORMAL) | (self.iterations[at] >= _ITERATIONS) | ~np.isfinite(residual))
        self.lost[at[tired]] = code[tired] != NORMAL
        # an iteration that led nowhere is no history for the next solution
        self.count[at[tired & (code != NORMAL)]] = 0
        self.phase[at[tired]] = Phase.GROW
        over = held & ((code != CONTINUE) | (self.iterations[at] >= _SETTLE))
        ended: dict[bool, list[int]] = {False: [], True: []}
        for row, *numbers in zip(*(x[over].tolist() for x in (at, code == DONE, growth, residual)), strict=True):
            normal = self._settled(row, *numbers)
            if normal is not None:
                ended[normal].append(row)
        for normal, rows in ended.items():
            self.judge(np.array(rows, dtype=np.int64), normal=normal)

    def after_grow(self, at: Array, found: Array) -> None:
        """Choose what follows an estimate of the largest eigenvalue, from its error, Int f / h and Re W0."""
        eigenvalue, doubt, filled, W0 = found
        self.restarts[at] += 1
        self.eigenvalue[at] = eigenvalue
        stable = eigenvalue + doubt <= 1.0
        known = doubt <= np.maximum(_EIGENVALUE, 1e-3 * np.abs(eigenvalue - 1.0))
        self.unstable[at] = ~stable & (eigenvalue > 1.0 + _EIGENVALUE)
        again = ~stable & ~known
        hopeless = again & ~((self.restarts[at] < _RESTARTS) & np.isfinite(doubt))
        for row in at[hopeless]:
            self.give_up(row, "largest eigenvalue")
        self.phase[at[again & ~hopeless]] = Phase.GROW
        start = self.phi0[at] + self.ahead(at) * self.slope_phi0[at]
        near = ~again & ~self.normal[at] & (self.lost[at] | self.unstable[at]) & (start > 0.0)
        rest = ~again & ~near
        self.judge(at[rest & ~self.unstable[at]], normal=True)
        for i in np.flatnonzero(near):
            self._search(int(at[i]), 1.0, float(start[i]))
        for i in np.flatnonzero(rest & self.unstable[at]):
            # 3.06 kB T sqrt(1 - T / Tc), as `pairing.tracking._landau`
            kT = self.h * float(filled[i]) / math.log(2.0)
            height = 3.0 * max(kT * math.sqrt(min(1.0, float(eigenvalue[i]) - 1.0)), 1e-2 * self.h)
            self._search(int(at[i]), 2.0, height * float(W0[i]) / (0.5 * self.h))

    def _search(self, row: int, source: float, height: float) -> None:
        """Begin the search of `pairing.opening.open_gap`."""
        if not height > 0.0:
            self.give_up(row, "gap equation")
            return
        slope = math.log(self.eigenvalue[row]) if self.eigenvalue[row] > 0.0 else -1.0
        self.searches[row] = _Search(slope)
        self.close[row] = max(self.gap_tol[row] * min(1.0, abs(slope)), _FINEST)
        self.first_height[row] = self.height[row] = height
        self.source[row], self.along[row], self.keep[row], self.trials[row] = source, 0.0, 0.0, 0
        self.phase[row] = Phase.AMPLITUDE

    def after_amplitude(self, at: Array) -> None:
        """Iterate at the amplitude, without a history."""
        self.iterations[at] = self.count[at] = 0
        self.fresh[at] = True
        self.phase[at] = Phase.ITERATE

    def _settled(self, row: int, settled: bool, growth: float, residual: float) -> bool | None:
        """Continue the search after the iterations at one amplitude; say whether it ended in the normal state."""
        none: Any = None
        search, close = self.searches[row], self.close[row]
        self.count[row] = 0
        growth = growth if settled else 1.0
        held = Held(float(self.height[row]), none, none, none, growth, residual, 0, settled)
        self.trials[row] += 1
        search.add(held)
        if settled and abs(growth - 1.0) < close:
            del self.searches[row]
            self.height[row] = 0.0
            return False
        height, first = search.next(), self.first_height[row]
        ended = not height > 0.0 or (not search.trail and height < _TINY * first) or self.trials[row] >= _TRIALS
        if not ended and self.eigenvalue[row] <= 1.0 and height < _VANISHING * first:
            # a stable normal state, and the gap next to the start vanishes
            del self.searches[row]
            self.height[row] = 0.0
            return True
        if ended:
            del self.searches[row]
            self.give_up(row, "gap equation")
            return None
        self.keep[row] = float(settled)
        self.height[row], self.along[row] = height, 0.0
        if search.trail:
            self.source[row] = 3.0
            self.along[row] = _along(search, height)
        self.phase[row] = Phase.AMPLITUDE
        return None

    def judge(self, at: Array, *, normal: bool) -> None:
        """Accept a step whose solved gap is close to the assumed one; reject it otherwise."""
        if not at.size:
            return
        self.to_normal[at] = normal
        half = 0.5 * self.h
        new = np.zeros(at.size) if normal else self.new_phi0[at] / np.maximum(self.new_W0[at] / half, LEAST_Z)
        assumed = self.Delta0[at] + self.ahead(at) * self.slope_phi0[at] / np.maximum(self.W0[at] / half, LEAST_Z)
        allowed = 50 * self.rtol[at] * np.maximum(self.Delta0[at], new) + 0.2 * self.h
        moved = np.abs(new - assumed) / allowed
        self.moved[at] = moved
        far = ~(moved <= 1.0) & (self.dt[at] > 1e-3 * self.tau_pump[at])
        self.phase[at[~far]] = Phase.SETTLE
        self.reject(at[far], moved[far])

    def after_settle(self, at: Array, found: Array) -> None:
        """Complete a step and observe its state; see `programs.settle`."""
        seen = len(SEEN)
        at, found = self._fitting(at, found, found[-1] > 0.0)
        given, W0, phi0, gamma, radius, _ = found[seen:]
        dt = self.dt[at]
        self.U_gap[at] += given
        opened = self.normal[at] | self.to_normal[at]
        self.sloped[at] = ~opened
        self.slope_phi0[at] = np.where(opened, 0.0, (phi0 - self.phi0[at]) / dt)
        self.W0[at], self.phi0[at] = W0, phi0
        self.Delta0[at] = phi0 / np.maximum(W0 / (0.5 * self.h), LEAST_Z)
        self.normal[at] = self.to_normal[at]
        self.t[at] = self._arrival(at)
        self.steps[at] += 1
        self.plan[at] = control.planned(dt, self.plan[at], self.error[at], self.moved[at])
        self.gamma_next[at], self.radius_next[at] = gamma, radius
        self.purpose[at] = AFTER_STEP
        self.after_observe(at, found[:seen])

    def after_observe(self, at: Array, found: Array) -> None:
        """Update ledger, samples and lattice from the quantities of `programs.SEEN`, then choose the next step."""
        gamma, _, overrun, blocked, _, booked = found[:6]
        stepped = self.purpose[at] == AFTER_STEP
        rows = at[stepped]
        missed = self.missed[rows] + gamma[stepped] * overrun[stepped]
        self.U_overrun[rows] += 0.5 * self.dt[rows] * missed
        self.booked[at] = booked
        above_window = self.rung[at] < self.last
        self.blocked_above[at] = np.maximum(self.blocked_above[at], np.where(above_window, blocked, 0.0))
        full = above_window & (blocked > MOST_BLOCKED)
        for row in at[full]:
            self.give_up(row, "quasiparticles above the window")
        at, found = at[~full], found[:, ~full]
        due = self._due(at)
        undefined = due & ~self.normal[at] & (self.W0[at] / (0.5 * self.h) < LEAST_Z)
        for row in at[undefined]:
            self.give_up(row, "Re Z(0)")
        at, found, due = at[~undefined], found[:, ~undefined], due[~undefined]
        if due.any():
            rows = at[due]
            self._record(rows, found[:, due])
            self.phase[rows] = np.where(self.wants_fields[rows], Phase.FETCH, Phase.BUSY)
        ready = ~due | (self.phase[at] == Phase.BUSY)
        self._on(at[ready], found[:, ready], due[ready])

    def _due(self, at: Array) -> Array:
        """Rows whose next sample is due."""
        return np.asarray((self.purpose[at] != ANEW) & (self.t[at] >= self.target[at]))

    def _on(self, at: Array, found: Array, sampled: Array) -> None:
        """Continue observed rows, some of which were sampled."""
        self._next(at[sampled])
        alive = self.phase[at] != Phase.IDLE
        at, found = at[alive], found[:, alive]
        gamma, power, overrun, _, above, _ = found[:6]
        over = (self.t[at] >= self.ends[at]) & (self.rung[at] < self.last)
        narrow = over & (np.abs(above) < NEGLIGIBLE * self.booked[at]) & (self.purpose[at] != INITIAL)
        self.phase[at[narrow]] = Phase.CUT
        missed = np.where(gamma != 0.0, overrun, 0.0)
        wide = ~narrow & (missed > np.maximum(0.0, MOST_OVERRUN * power)) & (self.rung[at] > 0)
        self._move(at[wide], self.rung[at[wide]] - 1)
        self.purpose[at[wide]], self.phase[at[wide]] = ANEW, Phase.OBSERVE
        rest = ~narrow & ~wide
        self.missed[at[rest]] = (gamma * missed)[rest]
        self.aim(at[rest])

    def after_cut(self, at: Array) -> None:
        """Observe the state again on the narrower lattice."""
        self._move(at, self.rung[at] + 1)
        self.purpose[at], self.phase[at] = ANEW, Phase.OBSERVE

    def after_fetch(self, at: Array) -> None:
        """Observe the state again once its fields are recorded, to choose the lattice and the next step."""
        self._next(at)
        at = at[self.phase[at] != Phase.IDLE]
        self.purpose[at], self.phase[at] = ANEW, Phase.OBSERVE

    def _next(self, at: Array) -> None:
        """Set the next times at which rows are sampled; end those that have none."""
        self.sample[at] += 1
        target = self._sampled(at, self.sample[at])
        ended = target == math.inf
        self.target[at[~ended]] = target[~ended]
        self.phase[at[ended]] = Phase.IDLE
        for row in at[ended]:
            self._finish(int(row))

    def give_up(self, row: int, why: str) -> None:
        """Leave a row to the scalar solver."""
        self.searches.pop(int(row), None)
        self.phase[row] = Phase.IDLE
        self._give_up(int(row), why)


def _along(search: _Search, height: float) -> float:
    """Share of the last change of shape by which to extrapolate in a^2, as in `pairing.opening`."""
    if len(search.trail) < 2:
        return 0.0
    now, then = search.trail[-1], search.trail[-2]
    along = (height**2 - now.square) / (now.square - then.square) if now.square != then.square else 0.0
    return along if abs(along) <= 1.0 else 0.0
