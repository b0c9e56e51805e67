"""One slab of a film, or a film that is one slab: its right-hand side and its state in an integration.

Within a step Delta is that of its middle, extrapolated; after it the gap equation is solved again. Energy absorbed
and escaped are integrated beside f and n with the same weights, so within a step the ledger closes to round-off,
and what is left is the gap's: at fixed f a moving density of states changes U_qp by 4 N0 Int E f d(rho), integrated
on its own by the trapezoidal rule. The lattice is as wide as the pulse needs and narrows as quasiparticles come
down (`windows`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .coherence import spectral_weights
from .collisions import Film, collision_rates, escape
from .constants import HBAR
from .gap import GapSolution, SelfEnergy
from .lattice import Array
from .pump import Pump
from .tracking import GapError, GapTracker
from .windows import MOST_BLOCKED, MOST_OVERRUN, NEGLIGIBLE, Ladder, blocked_above, cut, energy_above, fill_above

BOUNDS_TOLERANCE = 1e-7
"""f and n may leave [0, 1] and [0, inf) by a step's own tolerance `atol`, and by this much at most."""
MISSED = 1e-4
"""Largest error of the absorbed energy in a step, relative to the pulse's: it counts where f hardly moves."""
MOST_PHOTONS = 1e4
"""Photons per quasiparticle and pulse, Gamma tau_pump, beyond which absorption has saturated."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """Everything that the right-hand side needs and that does not move.

    Args:
        film: Spectrum and densities.
        pump: The pulse.
        gamma: Absorption rate Gamma of the pump, 1/ps, from (t, absorbed power density at unit Gamma).
        n_eq: Bose occupation of the bath, shape (M + 1,).
        tau_esc: Escape time of phonons, ps.
        drive: dn/dt of phonons that the pulse gives 1 meV/(nm^3 ps), 1/ps, shape (M + 1,); None gives them nothing.
        ladder: Films on wider and narrower lattices of the same spacing; None stays on this one.
        rung: Where on the ladder `film` is.
    """

    film: Film
    pump: Pump
    gamma: Callable[[float, float], float]
    n_eq: Array
    tau_esc: float
    drive: Array | None = None
    ladder: Ladder | None = None
    rung: int = 0

    def on(self, rung: int) -> "Model":
        """The model on another lattice of its ladder."""
        assert self.ladder is not None
        return replace(self, film=self.ladder.film(rung), rung=rung)

    @property
    def below(self) -> Film | None:
        """The film on the next narrower lattice; None on the gap equation's own."""
        if self.ladder is None or self.rung == self.ladder.last:
            return None
        return self.ladder.film(self.rung + 1)

    def weights(self, rho: Array, p: Array) -> tuple[Array, Array]:
        """The gap equation's rho, p on this lattice, both shape (N,)."""
        return fill_above(rho, p, self.film.lattice.N)

    @property
    def size(self) -> int:
        """Length of a state vector, N + M + 3."""
        return self.film.lattice.N + self.film.lattice.M + 3

    def split(self, y: Array) -> tuple[Array, Array]:
        """f (N,) and n (M + 1,) of a state vector."""
        N, M = self.film.lattice.N, self.film.lattice.M
        return y[:N], y[N : N + M + 1]

    def pack(self, f: Array, n: Array) -> Array:
        """State vector of f, n, U_absorbed and U_escaped, shape (N + M + 3,)."""
        return np.concatenate([f, n, [0.0, 0.0]])

    def absorption(self, t: float, rho: Array, p: Array, f: Array) -> tuple[float, Array, float]:
        """Gamma (1/ps) at t; df/dt (1/ps, (N,)) and power density (meV/(nm^3 ps)) at Gamma = 1 / ps."""
        if self.pump.U == 0.0 or self.pump.envelope(t) < 1e-12:
            return 0.0, np.zeros(f.size), 0.0
        g = self.pump.unit_rate(self.film.lattice, rho, p, f)
        unit_power = self.film.quasiparticle_energy(rho, g)
        return self.gamma(t, unit_power), g, unit_power

    def overrun(self, rho: Array, f: Array) -> float:
        """Power density (meV/(nm^3 ps)) that quasiparticles without room would take at Gamma = 1 / ps."""
        return 4 * self.film.N0 * self.pump.omega_pump * self.pump.unit_overrun(self.film.lattice, rho, f)

    def derivative(self, t: float, y: Array, rho: Array, p: Array) -> Array:
        """dy/dt at fixed spectral weights rho, p (N,)."""
        f, n = self.split(y)
        rates = collision_rates(self.film, rho, p, f, n)
        gamma, g, unit_power = self.absorption(t, rho, p, f)
        power = gamma * unit_power
        leaving = escape(n, self.n_eq, self.tau_esc)
        dn = rates.n_gain - rates.n_loss + leaving
        if self.drive is not None:
            driven = self.pump.U_ph * self.pump.rate(t)
            dn += driven * self.drive
            power += driven
        return np.concatenate(
            [rates.f_gain - rates.f_loss + gamma * g, dn, [power, -self.film.phonon_energy(leaving)]]
        )

    def spectral_radius(self, t: float, y: Array, rho: Array, p: Array) -> float:
        """Estimate from above of the fastest rate, 1/ps: scattering far above the gap, pump and escape."""
        f, n = self.split(y)
        emitted = self.film.lattice.h * float(np.dot(self.film.alpha2F, 2.0 * np.abs(n) + 1.0))
        phonons = 2.0 * float((self.film.phonon_rate * self.film.lattice.Omega).max())
        gamma = self.absorption(t, rho, p, f)[0]
        return 1.3 * 2 * math.pi / HBAR * emitted + phonons + 4.0 * abs(gamma) + 1.0 / self.tau_esc


@dataclass
class Ledger:
    """Energy densities, meV/nm^3, relative to the start."""

    U_gap: float = 0.0
    U_overrun: float = 0.0

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
        U_overrun: What quasiparticles would have absorbed above the lattice's end, meV/nm^3.
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


class SaturatedError(ArithmeticError):
    """The pulse's power cannot be absorbed: too few quasiparticles are left to absorb it."""


class Slab:
    """State of a slab at one time, and the step that is being tried.

    Args:
        model: Right-hand side.
        tracker: Solver of the gap equation, carrying its warm start.
        f, n: Occupations, shapes (N,) and (M + 1,).
        gap: Solution of the gap equation for them.
        t: Time, ps.
    """

    def __init__(self, model: Model, tracker: GapTracker, f: Array, n: Array, gap: GapSolution, t: float) -> None:
        self.tracker = tracker
        self.wide, self.model = model, model
        self.waiting = model.pump.total > 0 and t < model.pump.begins
        if self.waiting and model.ladder is not None:
            self.model = model.on(model.ladder.last)
            f = f[: self.model.film.lattice.N]
        self.y = model.pack(f, n)
        self.ledger = Ledger()
        self.gap_cells = tracker.coupling.lattice.N
        self.gap = gap
        self.slope: SelfEnergy | None = None
        self.blocked_above = 0.0
        self.weights = (gap.rho, gap.p)
        self._next = gap
        self._missed = 0.0

    def sample(self, t: float) -> Sample:
        """The state, at time t."""
        f, n = self.model.split(self.y)
        rho, p = self.model.weights(self.gap.rho, self.gap.p)
        gamma = self.model.absorption(t, rho, p, f)[0]
        absorbed, escaped = self.y[-2:]
        return Sample(
            t=t, E=self.model.film.lattice.E, f=f, n=n, gap=self.gap,
            n_qp=self.model.film.quasiparticle_number(rho, f),
            U_qp=self.model.film.quasiparticle_energy(rho, f), U_absorbed=float(absorbed),
            U_escaped=float(escaped), U_gap=self.ledger.U_gap, U_overrun=self.ledger.U_overrun, Gamma=gamma,
        )  # fmt: skip

    def open_wide(self) -> None:
        """Take the wide lattice for the pulse."""
        self._widen(self.wide)
        self.waiting = False

    def _widen(self, model: Model) -> None:
        """Go on with a wider lattice, nothing above the old one yet."""
        f, n = self.model.split(self.y)
        above = np.zeros(model.film.lattice.N - f.size)
        self.y = np.concatenate([f, above, n, self.y[-2:]])
        self.model = model

    def aim(self, t: float, dt: float) -> None:
        """Make room for what the pump lifts, and set the weights rho, p of a step of dt from t to its middle's.

        Raises:
            SaturatedError: The pulse's power takes a rate that no longer describes absorption.
        """
        self._make_room(t)
        middle = self._extrapolate(0.5 * dt)
        found = (self.gap.rho, self.gap.p) if self.slope is None else spectral_weights(middle.omegaZ, middle.phi)
        self.weights = self.model.weights(*found)
        self._check_absorption(t)

    def spectral_radius(self, t: float) -> float:
        """Bound of the fastest rate with the step's weights, 1/ps."""
        return self.model.spectral_radius(t, self.y, *self.weights)

    def error(self, y: Array, error: Array, *, rtol: float, atol: float) -> float:
        """Largest error of a trial y: occupations relative to atol + rtol |y|, absorbed energy to `MISSED`."""
        K, U = y.size - 2, self.model.pump.total
        scale = atol + rtol * np.maximum(np.abs(self.y[:K]), np.abs(y[:K]))
        absorbed = abs(error[-2]) / (MISSED * U) if U > 0.0 else 0.0
        # not Python's max, which may pass over a NaN
        return float(np.max([np.abs(error[:K] / scale).max(), absorbed]))

    def within_bounds(self, y: Array, atol: float) -> bool:
        """Whether the occupations of a trial y have a meaning."""
        f, n = self.model.split(y)
        eps = min(atol, BOUNDS_TOLERANCE)
        return bool(f.min() > -eps and f.max() < 1 + eps and n.min() > -eps)

    def solve(self, y: Array, dt: float, rtol: float) -> float:
        """Solve for the gap of a trial y; how far it lies from where the step assumed it, relative to what may be.

        Raises:
            GapError: if the gap equation does not converge.
        """
        f, n = self.model.split(y)
        self._next = self.tracker.solve(f[: self.gap_cells], n, start=self._extrapolate(dt))
        slope = 0.0
        if self.slope is not None:
            slope = float(self.slope.phi[0].real / self.gap.Z[0].real)
        assumed = self.gap.Delta0 + dt * slope
        allowed = 50 * rtol * max(self.gap.Delta0, self._next.Delta0) + 0.2 * self.model.film.lattice.h
        return abs(self._next.Delta0 - assumed) / allowed

    def accept(self, t: float, y: Array, dt: float) -> None:
        """Move from t to a trial y whose gap is solved."""
        gap = self._next
        (rho_old, _), (rho_new, p_new) = (self.model.weights(g.rho, g.p) for g in (self.gap, gap))
        f_old, f_new = (self.model.split(x)[0] for x in (self.y, y))
        self.ledger.move_gap(self.model.film, f_old, f_new, rho_old, rho_new)
        gamma = self.model.absorption(t + dt, rho_new, p_new, f_new)[0]
        self.ledger.U_overrun += 0.5 * dt * (self._missed + gamma * self.model.overrun(rho_new, f_new))
        opened = gap.is_normal or self.gap.is_normal
        self.slope = None if opened else (1 / dt) * (gap.self_energy - self.gap.self_energy)
        self.y, self.gap = y, gap

    def narrow(self, t: float) -> None:
        """Refuse what the gap equation leaves out above its window, and cut the lattice where that is empty.

        Raises:
            GapError: if quasiparticles above the window block too many pairs.
        """
        model = self.model
        if model.below is None:
            return
        f, n = model.split(self.y)
        blocked = blocked_above(model.film, f, self.gap_cells)
        self.blocked_above = max(self.blocked_above, blocked)
        if blocked > MOST_BLOCKED:
            raise GapError(
                f"quasiparticles above the window of the gap equation block {blocked:.1%} of the pairs (more than "
                f"{MOST_BLOCKED:.0%}): raise `window` ({self.gap_cells * model.film.lattice.h:g} meV)"
            )
        if t < -model.pump.begins:
            return
        while (below := model.below) is not None and abs(
            energy_above(model.film, f, below.lattice.N)
        ) < NEGLIGIBLE * self.y[-2]:
            f = cut(model.film, f, model.weights(self.gap.rho, self.gap.p)[0], below)
            model = model.on(model.rung + 1)
        self.y = np.concatenate([f, n, self.y[-2:]])
        self.model = model

    def _make_room(self, t: float) -> None:
        """Widen the lattice until quasiparticles without room above miss a negligible share of the power."""
        while True:
            f, (rho, p) = self.model.split(self.y)[0], self.model.weights(self.gap.rho, self.gap.p)
            gamma, _, given = self.model.absorption(t, rho, p, f)
            missed = self.model.overrun(rho, f) if gamma else 0.0
            self._missed = gamma * missed
            # without room above, quasiparticles that emit may even outdo those that absorb
            if missed <= max(0.0, MOST_OVERRUN * given) or self.model.ladder is None or self.model.rung == 0:
                return
            self._widen(self.model.on(self.model.rung - 1))

    def _check_absorption(self, t: float) -> None:
        """Refuse a rate that no longer describes absorption: as many quasiparticles fall as rise."""
        pump, f = self.model.pump, self.model.split(self.y)[0]
        gamma = self.model.absorption(t, *self.weights, f)[0]
        if not 0.0 <= gamma * pump.tau_pump < MOST_PHOTONS:
            raise SaturatedError(
                f"absorption saturates: at t = {t:.6g} ps, with {self.y[-2] / pump.total:.1e} of the energy in, "
                f"depositing the pulse's power takes Gamma = {gamma:.1e} / ps. There are too few quasiparticles; "
                "raise `T`, or let photons break pairs (`pump_channels: scattering+pair-breaking`)"
            )

    def _extrapolate(self, dt: float) -> SelfEnergy:
        """W and phi after dt, by their motion in the last step."""
        now = self.gap.self_energy
        return now if self.slope is None else now + dt * self.slope
