"""One slab of a film, or a film that is one slab: its right-hand side and its state in an integration.

Within a step Delta is extrapolated to the step's middle; after it the gap equation is solved again. Absorbed and
escaped energy are integrated along with f and n at the same weights, so within a step the ledger closes to
round-off. The remainder is due to the gap: at fixed f a changing density of states changes U_qp by 4 N0 Int E f
d(rho), integrated separately by the trapezoidal rule. The lattice is as wide as the pulse requires and narrows as
quasiparticles relax (`windows`).
"""

import math
from dataclasses import dataclass

import numba as nb
import numpy as np

from .equations import Equations
from .kinetics import ENTRIES, Entry, State, Weights
from .lattice import Array
from .pairing.coherence import spectral_weights
from .pairing.gap import LEAST_Z, GapSolution, SelfEnergy
from .pairing.tracking import GapError, GapTracker
from .terms.absorption import AbsorptionRates
from .windows import MOST_BLOCKED, MOST_OVERRUN, NEGLIGIBLE, blocked_above, cut, energy_above

BOUNDS = 0.1
"""f and n may leave [0, 1] and [0, inf) by this share of a step's own absolute tolerance."""
MISSED = 1e-4
"""Largest error of the absorbed energy in a step, relative to that of the pulse, or for continuous light to the
total so far: it limits the step when f hardly changes."""
MOST_PHOTONS = 1e4
"""Photons per quasiparticle and pulse, Gamma tau_pump, beyond which absorption has saturated."""


@dataclass
class Ledger:
    """Energy densities, meV/nm^3, relative to the start."""

    U_gap: float = 0.0
    U_overrun: float = 0.0

    def move_gap(self, old: State, new: State) -> None:
        """Add the energy that a changing density of states gave to the quasiparticles."""
        self.U_gap += new.film.quasiparticle_energy(new.weights.energy - old.weights.energy, 0.5 * (old.f + new.f))


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
        U_overrun: Energy that quasiparticles would have absorbed beyond the end of the lattice, meV/nm^3.
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
    U_overrun: float
    Gamma: float


@nb.njit(cache=True, error_model="numpy")
def _largest_error(error: Array, before: Array, after: Array, rtol: float, atol: float) -> float:
    """Largest |error| relative to atol + rtol max(|before|, |after|); NaN if there is one."""
    largest = 0.0
    for i in range(error.size):
        size = abs(error[i] / (atol + rtol * max(abs(before[i]), abs(after[i]))))
        if math.isnan(size):
            return math.nan
        largest = max(largest, size)
    return largest


class SaturatedError(ArithmeticError):
    """The pulse's power cannot be absorbed: too few quasiparticles are left to absorb it."""


class Slab:
    """State of a slab at one time, and the present trial step.

    Args:
        equations: Right-hand side.
        tracker: Solver of the gap equation, carrying its warm start.
        f, n: Occupations, shapes (N,) and (M + 1,).
        gap: Solution of the gap equation for them.
        t: Time, ps.
    """

    def __init__(
        self, equations: Equations, tracker: GapTracker, f: Array, n: Array, gap: GapSolution, t: float
    ) -> None:
        self.tracker = tracker
        self.wide, self.equations = equations, equations
        self.pump = equations.absorption.pump
        self.waiting = self.pump.total > 0 and t < self.pump.begins
        if self.waiting and equations.ladder is not None:
            self.equations = equations.on(equations.ladder.last)
            f = f[: self.equations.film.lattice.N]
        self.y = equations.pack(f, n)
        self.ledger = Ledger()
        self.gap_cells = tracker.coupling.lattice.N
        self.gap = gap
        self.slope: SelfEnergy | None = None
        self.blocked_above = 0.0
        self.weights = self._weights(gap.rho, gap.p, gap.self_energy)
        self._next = gap
        self._missed = 0.0
        self._present: State | None = None
        self._light: tuple[float, AbsorptionRates] | None = None

    def sample(self, t: float) -> Sample:
        """The state, at time t.

        Raises:
            GapError: if Re Z(0) is too small for Delta0 to be defined.
        """
        if math.isnan(self.gap.Delta0):
            raise GapError(
                f"Delta0 = Re phi(0) / Re Z(0) needs Re Z(0) of at least {LEAST_Z:g}. Got "
                f"{self.gap.Z[0].real:.2g}, with a gap edge of {self.gap.edge:.4g} meV; lower `T` or `F0`, or "
                "weaken or broaden the spectrum's strongest mode"
            )
        state, film = self._state(), self.equations.film
        return Sample(
            t=t, E=film.lattice.E, f=state.f, n=state.n, gap=self.gap,
            n_qp=film.quasiparticle_number(state.weights.energy, state.f),
            U_qp=state.U_qp, U_absorbed=self.booked(Entry.ABSORBED),
            U_escaped=self.booked(Entry.ESCAPED), U_gap=self.ledger.U_gap, U_overrun=self.ledger.U_overrun,
            Gamma=self._absorption(t).gamma,
        )  # fmt: skip

    def open_wide(self) -> None:
        """Use the wide lattice for the pulse."""
        self._widen(self.wide)
        self.waiting = False

    def booked(self, entry: Entry) -> float:
        """Energy density recorded since the start, meV/nm^3."""
        return float(self.y[entry - ENTRIES])

    def _state(self) -> State:
        """The slab's state, kept until it moves or changes its lattice."""
        if self._present is None:
            self._present = self._state_of(self.gap, self.y)
        return self._present

    def _state_of(self, gap: GapSolution, y: Array) -> State:
        """The state of a gap and a state vector."""
        return self.equations.state(y, *self._weights(gap.rho, gap.p, gap.self_energy))

    def _absorption(self, t: float) -> AbsorptionRates:
        """Absorption by the slab's state at time t, kept as long as both are the same."""
        if self._light is None or self._light[0] != t:
            self._light = t, self.equations.absorption.at(t, self._state())
        return self._light[1]

    def _move(self, y: Array, gap: GapSolution, state: State | None = None) -> None:
        """Continue with another y and gap, and their state if that is known."""
        self.y, self.gap, self._present, self._light = y, gap, state, None

    def _weights(self, rho: Array, p: Array, dressed: SelfEnergy) -> Weights:
        """Spectral weights on the slab's lattice.

        Raises:
            GapError: if rates are to be divided by a Re Z that is not positive.
        """
        found = self.equations.weights(rho, p, dressed.omegaZ)
        if found.Z is not None and not found.Z.min() > 0.0:
            E = float(self.equations.film.lattice.E[found.Z.argmin()])
            raise GapError(
                f"`renormalised_rates: true` needs Re Z > 0. Got {found.Z.min():.2g} at {E:.4g} meV; set "
                "`renormalised_rates: false`"
            )
        return found

    def _change_lattice(self, equations: Equations, f: Array) -> None:
        """Continue with f on another lattice."""
        self._move(np.concatenate([f, self.y[self.equations.film.lattice.N :]]), self.gap)
        self.equations = equations

    def _widen(self, equations: Equations) -> None:
        """Continue on a wider lattice, empty above the old one."""
        f = self.equations.split(self.y)[0]
        self._change_lattice(equations, np.concatenate([f, np.zeros(equations.film.lattice.N - f.size)]))

    def aim(self, t: float, dt: float) -> None:
        """Widen the lattice for the pump, and set the weights rho, p of a step of dt from t to those of its middle.

        Raises:
            SaturatedError: The pulse's power requires a rate that no longer describes absorption.
        """
        self._make_room(t)
        middle = self._extrapolate(0.5 * dt)
        found = (self.gap.rho, self.gap.p) if self.slope is None else spectral_weights(middle.omegaZ, middle.phi)
        self.weights = self._weights(*found, middle)
        self._check_absorption(t)

    def error(self, y: Array, error: Array, *, rtol: float, atol: float) -> float:
        """Largest error of a trial y: occupations relative to atol + rtol |y|, absorbed energy to `MISSED`."""
        K, U = y.size - ENTRIES, self._reference
        absorbed = abs(error[K + Entry.ABSORBED]) / (MISSED * U) if U > 0.0 else 0.0
        # not Python's max, which may pass over a NaN
        return float(np.max([_largest_error(error[:K], self.y, y, rtol, atol), absorbed]))

    def scale(self, rtol: float, atol: float) -> Array:
        """Error allowed in each component of y in a step, shape of y; one for absorbed and escaped energy."""
        energy = self._reference or float(np.abs(self.equations.invariant(self.weights)) @ np.abs(self.y))
        return np.concatenate([self._occupation_scale(self.y, rtol, atol), np.full(ENTRIES, MISSED * energy)])

    @property
    def _reference(self) -> float:
        """Reference energy density for errors of the absorbed energy, meV/nm^3."""
        if self.pump.continuous:
            return max(self.pump.total, self.booked(Entry.ABSORBED))
        return self.pump.total

    def _occupation_scale(self, y: Array, rtol: float, atol: float) -> Array:
        """Error allowed in each occupation of a step to y, shape (N + M + 1,)."""
        K = y.size - ENTRIES
        return np.asarray(atol + rtol * np.maximum(np.abs(self.y[:K]), np.abs(y[:K])))

    def within_bounds(self, y: Array, atol: float) -> bool:
        """Return whether the occupations of a trial y are physical."""
        f, n = self.equations.split(y)
        eps = BOUNDS * atol
        return bool(f.min() > -eps and f.max() < 1 + eps and n.min() > -eps)

    def solve(self, y: Array, dt: float, rtol: float) -> float:
        """Solve for the gap of a trial y; return its distance from the assumed gap, relative to the tolerance.

        Raises:
            GapError: if the gap equation does not converge.
        """
        f, n = self.equations.split(y)
        self._next = self.tracker.solve(f[: self.gap_cells], n, start=self._extrapolate(dt))
        slope = 0.0
        if self.slope is not None:
            slope = float(self.slope.phi[0].real / max(self.gap.Z[0].real, LEAST_Z))
        assumed = self.gap.amplitude + dt * slope
        allowed = 50 * rtol * max(self.gap.amplitude, self._next.amplitude) + 0.2 * self.equations.film.lattice.h
        return abs(self._next.amplitude - assumed) / allowed

    def defect(self, y: Array) -> float:
        """Defect of the energy ledger of a trial y whose gap is solved, relative to the energy absorbed.

        The step kept its energy at the weights extrapolated to its middle; `U_gap` takes the mean of those at its
        ends. The defect is the difference times the motion of f, of third order in the step.
        """
        old, new = self._state(), self._state_of(self._next, y)
        mean = 0.5 * (old.weights.energy + new.weights.energy)
        energy = new.film.quasiparticle_energy(mean - self.weights.energy, new.f - old.f)
        absorbed = max(self._reference, float(y[Entry.ABSORBED - ENTRIES]))
        return abs(energy) / absorbed if absorbed > 0.0 else 0.0

    def accept(self, t: float, y: Array, dt: float) -> None:
        """Move from t to a trial y whose gap is solved."""
        gap = self._next
        new = self._state_of(gap, y)
        self.ledger.move_gap(self._state(), new)
        opened = gap.is_normal or self.gap.is_normal
        self.slope = None if opened else (1 / dt) * (gap.self_energy - self.gap.self_energy)
        self._move(y, gap, new)
        missed = self._absorption(t + dt).gamma * self.equations.absorption.unit_overrun(new)
        self.ledger.U_overrun += 0.5 * dt * (self._missed + missed)

    def narrow(self, t: float) -> None:
        """Refuse too many quasiparticles above the window of the gap equation, and narrow the lattice if there are
        none.

        Raises:
            GapError: if quasiparticles above the window block too many pairs.
        """
        equations = self.equations
        if equations.below is None:
            return
        f = equations.split(self.y)[0]
        blocked = blocked_above(equations.film, f, self.gap_cells)
        self.blocked_above = max(self.blocked_above, blocked)
        if blocked > MOST_BLOCKED:
            raise GapError(
                f"quasiparticles above the window of the gap equation block {blocked:.1%} of the pairs (more than "
                f"{MOST_BLOCKED:.0%}): raise `window` ({self.gap_cells * equations.film.lattice.h:g} meV)"
            )
        if t < self.pump.ends:
            return
        while (below := equations.below) is not None and abs(
            energy_above(equations.film, f, below.lattice.N)
        ) < NEGLIGIBLE * self.booked(Entry.ABSORBED):
            f = cut(equations.film, f, self._state().weights.energy[: f.size], below)
            equations = equations.on(equations.rung + 1)
        if equations is not self.equations:
            self._change_lattice(equations, f)

    def _make_room(self, t: float) -> None:
        """Widen the lattice until quasiparticles near its end miss a negligible share of the power."""
        while True:
            equations = self.equations
            gamma, _, given = self._absorption(t)
            missed = equations.absorption.unit_overrun(self._state()) if gamma else 0.0
            self._missed = gamma * missed
            # emission can exceed absorption near the top of the lattice
            if missed <= max(0.0, MOST_OVERRUN * given) or equations.ladder is None or equations.rung == 0:
                return
            self._widen(equations.on(equations.rung - 1))

    def _check_absorption(self, t: float) -> None:
        """Refuse a rate at which as many quasiparticles fall as rise, since it no longer describes absorption."""
        pump = self.pump
        gamma = self.equations.absorption.at(t, self.equations.state(self.y, *self.weights)).gamma
        if not 0.0 <= gamma * pump.tau_pump < MOST_PHOTONS:
            share = self.booked(Entry.ABSORBED) / pump.total
            raise SaturatedError(
                f"absorption saturates: at t = {t:.6g} ps, with {share:.1e} of the energy in, "
                f"depositing the pulse's power requires Gamma = {gamma:.1e} / ps. There are too few "
                "quasiparticles; raise `T`, or let photons break pairs (`pump_channels: scattering+pair-breaking`)"
            )

    def _extrapolate(self, dt: float) -> SelfEnergy:
        """W and phi after dt, extrapolated from the last step."""
        now = self.gap.self_energy
        return now if self.slope is None else now + dt * self.slope
