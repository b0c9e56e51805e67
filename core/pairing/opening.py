r"""The gap that grows out of an unstable normal state, found at fixed amplitude.

Delta = 0 always solves the gap equation, and an accelerated iteration may end there though the normal state is
unstable. Here the amplitude a = Re phi(0) is fixed, with phi = a u and Re u(0) = 1. The unknowns are W, u and the
growth g of

    W = E - S[W, a u],      g a u = phi[W, a u],

and the gap is where g(a) = 1. For a -> 0 g is the largest eigenvalue of the linearised equation, so an unstable
normal state brackets the root from below, and zero is not a solution. ln g is linear in a^2 near the transition
(the third order of Landau's expansion), so the root is sought in a^2.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from ..lattice import Array
from ..settings import Damping
from .anderson import Anderson
from .coherence import spectral_weights
from .eliashberg import Kernel
from .gap import NO_GAP, GapSolution, SelfEnergy, gap_map

_SLACK = 0.03
"""Residual of the shape, relative to |g - 1|, at which the growth is accurate enough to change the amplitude."""
_FINEST = 1e-9
"""Smallest |g - 1| requested: the accuracy of the spectral weights."""
_SETTLE, _TRIALS = 80, 40
"""Largest number of iterations at one amplitude, and of amplitudes."""
_STEP, _MARGIN = 2.0, 1.05
"""Largest ratio of an amplitude to the previous one, and the amount added to an extrapolated one, to bracket."""
_VANISHING, _TINY = 0.02, 1e-4
"""Amplitudes, relative to the first, at which a search ends: for a stable normal state, and if no shape settles."""
_PATIENT = 400
"""Largest number of damped iterations."""
_NARROW = 1.01
"""Ratio of two amplitudes at which the search ends if the shape settles only at the smaller one."""


@dataclass(frozen=True, eq=False)
class Held:
    """The gap equation at fixed amplitude.

    Args:
        height: The amplitude a = Re phi(0), meV.
        state: W and phi = a u.
        rho, p: Spectral weights, dimensionless, shape (N,).
        growth: g.
        residual: Largest change of W or phi in the last iteration, relative to the largest |phi|.
        iterations: Evaluations of the self-energies.
        settled: Whether the residual met the tolerance.
    """

    height: float
    state: SelfEnergy
    rho: Array
    p: Array
    growth: float
    residual: float
    iterations: int
    settled: bool

    @property
    def square(self) -> float:
        """a^2, meV^2."""
        return self.height**2

    @property
    def excess(self) -> float:
        """ln g: positive if the gap would grow."""
        return math.log(self.growth)


def at_height(height: float, state: SelfEnergy) -> SelfEnergy:
    """The state with phi scaled to Re phi(0) = height (meV)."""
    return SelfEnergy(state.omegaZ, state.phi * (height / state.phi[0].real))


def hold(kernel: Kernel, f: Array, damping: Damping, start: SelfEnergy, tol: float, depth: int = 5) -> Held:
    """Solve the gap equation for W, the shape of phi and its growth at the amplitude Re phi(0) of `start`.

    Args:
        kernel: Kernels of the phonon occupation.
        f: Quasiparticle occupation at E_i, shape (N,).
        damping: `full` or `real`.
        start: W and phi to start from, Re phi(0) > 0.
        tol: Residual; `_SLACK` |g - 1| suffices if larger.
        depth: History of the Anderson acceleration.
    """
    height, state = float(start.phi[0].real), start
    x = state.vector(damping)
    accelerate = Anderson(depth, x.size)
    for iteration in range(1, _SETTLE + 1):
        rho, p = spectral_weights(state.omegaZ, state.phi)
        image = gap_map(kernel, f, damping, rho, p)
        growth = float(image.phi[0].real) / height
        if not 0.0 < growth < math.inf:
            return Held(height, state, rho, p, 1.0, math.inf, iteration, False)
        scaled = at_height(height, image)
        r = scaled.vector(damping) - x
        residual = float(np.abs(r).max() / np.abs(scaled.phi).max())
        if residual < max(tol, _SLACK * abs(growth - 1.0)):
            return Held(height, scaled, rho, p, growth, residual, iteration, True)
        x = accelerate.next(x, r)
        state = at_height(height, SelfEnergy.from_vector(x, damping))
    return Held(height, scaled, rho, p, growth, residual, _SETTLE, False)


def settle_gap(
    kernel: Kernel, f: Array, start: SelfEnergy, *, damping: Damping, tol: float, share: float
) -> GapSolution:
    """Damped iteration of the gap equation, the last attempt if neither acceleration nor fixed amplitudes converge.

    With several modes and no lifetimes the self-energies have steep steps, across which Anderson acceleration
    extrapolates; a damped iteration passes them.

    Args:
        kernel: Kernels of the phonon occupation.
        f: Quasiparticle occupation at E_i, shape (N,).
        start: W and phi to start from.
        damping: `full` or `real`.
        tol: Largest change of W and phi in an undamped iteration, relative to the largest |phi|.
        share: Share of each change that is taken, below 1.
    Returns:
        The solution with Re phi(0) >= 0; `converged` is False if it was not found.
    """
    state, residual = start, math.inf
    h = kernel.coupling.lattice.h
    for iteration in range(1, _PATIENT + 1):
        rho, p = spectral_weights(state.omegaZ, state.phi)
        image = gap_map(kernel, f, damping, rho, p)
        scale = float(np.abs(image.phi).max())
        if not NO_GAP * h < scale < math.inf:
            break
        change = image - state
        residual = max(float(np.abs(change.omegaZ).max()), float(np.abs(change.phi).max())) / scale
        if residual < tol:
            if not image.omegaZ[0].real > 0.0:
                # without lifetimes there are roots with Z(0) < 0, of another branch
                break
            sign = 1.0 if image.phi[0].real >= 0.0 else -1.0
            solution = SelfEnergy(image.omegaZ, sign * image.phi)
            return GapSolution(solution, rho, sign * p, h, iteration, residual, True)
        state = state + share * change
    return GapSolution(state, rho, p, h, iteration, residual, False)


def open_gap(
    kernel: Kernel, f: Array, start: SelfEnergy, *, damping: Damping, eigenvalue: float, tol: float
) -> GapSolution | None:
    """The gap that grows out of an unstable normal state; for a stable one, a gap close to `start`.

    Args:
        kernel: Kernels of the phonon occupation.
        f: Quasiparticle occupation at E_i, shape (N,).
        start: W and phi of the first amplitude, Re phi(0) > 0.
        damping: `full` or `real`.
        eigenvalue: Largest eigenvalue of the linearised equation, > 0.
        tol: Residual. The tolerance on |g - 1| is this times ln(eigenvalue) (at most one), so that the gap keeps
            its relative accuracy up to the transition.
    Returns:
        The solution; `converged` is False if it was not found. None if the normal state is stable and the gap close
        to `start` vanishes.
    """
    slope = math.log(eigenvalue)
    close = max(tol * min(1.0, abs(slope)), _FINEST)
    search = _Search(slope)
    height, iterations = float(start.phi[0].real), 0
    first = height
    for _ in range(_TRIALS):
        held = hold(kernel, f, damping, search.guess(height, start), close)
        iterations += held.iterations
        found = held.settled and abs(held.growth - 1.0) < close
        search.add(held)
        height = search.next()
        if found or not height > 0.0 or (not search.trail and height < _TINY * first):
            break
        if eigenvalue <= 1.0 and height < _VANISHING * first:
            return None
    residual = max(held.residual, abs(held.growth - 1.0))
    return GapSolution(held.state, held.rho, held.p, kernel.coupling.lattice.h, iterations, residual, found)


@dataclass(eq=False)
class _Search:
    """Amplitudes tried in the search for g = 1.

    Args:
        slope: ln g at zero amplitude.
        trail: Amplitudes at which the shape settled, in order.
        unsettled: Smallest amplitude at which it did not, meV.
    """

    slope: float
    trail: list[Held] = field(default_factory=list)
    unsettled: float = math.inf

    def add(self, held: Held) -> None:
        """Record the result at an amplitude."""
        if held.settled:
            self.trail.append(held)
        else:
            self.unsettled = min(self.unsettled, held.height)

    def guess(self, height: float, start: SelfEnergy) -> SelfEnergy:
        """W and phi to start from at an amplitude (meV): extrapolated in a^2 from the last two shapes."""
        if not self.trail:
            return at_height(height, start)
        now = self.trail[-1]
        state = at_height(height, now.state)
        if len(self.trail) > 1:
            then = self.trail[-2]
            along = (height**2 - now.square) / (now.square - then.square) if now.square != then.square else 0.0
            if abs(along) <= 1.0:
                state = state + along * (state - at_height(height, then.state))
        return at_height(height, state)

    def next(self) -> float:
        """Amplitude to try next, meV; 0 at the end of the search."""
        if not self.trail:
            return 0.5 * self.unsettled
        grows = [held for held in self.trail if held.growth > 1.0]
        falls = [held for held in self.trail if held.growth <= 1.0]
        low = max((held.height for held in grows), default=0.0)
        high = min((held.height for held in falls), default=math.inf)
        if math.isinf(high):
            height = self._up(low)
        elif low == 0.0:
            height = self._down(high)
        else:
            height = self._between(low, high)
        if height < self.unsettled:
            return height
        if low == 0.0:
            return 0.5 * self.unsettled
        return math.sqrt(low * self.unsettled) if self.unsettled > _NARROW * low else 0.0

    def _root(self) -> float:
        """a^2 at which ln g vanishes on the line through the last two amplitudes (or zero), meV^2; inf if there is
        none."""
        now = self.trail[-1]
        then = self.trail[-2] if len(self.trail) > 1 else None
        square, excess = (then.square, then.excess) if then else (0.0, self.slope)
        if not (excess - now.excess) * (now.square - square) > 0.0:
            return math.inf
        return now.square + (now.square - square) * now.excess / (excess - now.excess)

    def _up(self, low: float) -> float:
        return min(_MARGIN * math.sqrt(max(self._root(), (_MARGIN * low) ** 2)), _STEP * low)

    def _down(self, high: float) -> float:
        if self.slope <= 0.0:
            return high / math.sqrt(_STEP)
        now = self.trail[-1]
        return math.sqrt(max(now.square * self.slope / (self.slope - now.excess), (high / _STEP) ** 2))

    def _between(self, low: float, high: float) -> float:
        square = self._root()
        if low**2 < square < high**2:
            return math.sqrt(square)
        return math.sqrt(0.5 * (low**2 + high**2))
