"""Opening of a gap: the linearised gap equation, Tc, and the mu_star that gives a stated Tc.

For phi -> 0 the pair amplitude is p = Re[phi / W] with W = E Z of the normal state, so the gap equation becomes
p = Re[phi(p) / W], a real linear map. A gap opens where its largest eigenvalue
reaches one; a nonlinear solution is unreliable near there (it stops short of zero or falls to it).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, eigs

from ..lattice import Array, Complex
from ..settings import Damping
from ..thermal import bose, fermi
from .coherence import linear_pair_amplitude
from .eliashberg import Coupling, Kernel
from .gap import GapSolution, SelfEnergy, normal_state

_FEW_STEPS, _DOUBT = (6, 8, 10), 1e-7
"""Products with a similar map in a row, and the residual that suffices: 1e-7 of Tc."""
_COMPLEX, _PAIRS = 1e-6, 8
"""Imaginary part from which the leading eigenvalue is one of a pair, and the number then sought."""
_NEAR = 2e-3
"""Reach of a search for mu_star around that of another lattice."""


@dataclass(frozen=True, eq=False)
class LinearGap:
    """The linearised gap equation around the normal state, as a real map of pair amplitudes p.

    Args:
        kernel: Kernels of the phonon occupation.
        f: Quasiparticle occupation at E_i, shape (N,).
        normal: The normal state.
        damping: `full` or `real`.
    """

    kernel: Kernel
    f: Array
    normal: GapSolution
    damping: Damping

    @classmethod
    def around(cls, kernel: Kernel, f: Array, damping: Damping) -> "LinearGap":
        """The map for occupations f and n (in `kernel`)."""
        return cls(kernel, f, normal_state(kernel, f, damping), damping)

    def phi(self, p: Array) -> Complex:
        """Pairing self-energy of a pair amplitude p, meV, complex, shape (N,)."""
        phi = self.kernel.pairing(p, self.f)
        return phi.real.astype(complex) if self.damping == "real" else phi

    def __call__(self, p: Array) -> Array:
        """The map applied to a pair amplitude p, shape (N,)."""
        return linear_pair_amplitude(self.normal.self_energy.omegaZ, self.phi(p))

    def state(self, p: Array, height: float) -> SelfEnergy:
        """W of the normal state with the phi of p, scaled to Re phi(0) = height (meV)."""
        phi = self.phi(p)
        return SelfEnergy(self.normal.self_energy.omegaZ, phi * (height / phi[0].real))

    def _first_vector(self) -> Array:
        E = self.kernel.coupling.lattice.E
        return np.asarray(np.exp(-8.0 * E / E[-1]) / E)

    def largest_eigenvalue(self, start: Array | None = None, tol: float = 1e-8) -> tuple[float, Array]:
        """Largest eigenvalue of the map and its pair amplitude, shape (N,).

        With lifetimes it is real. Without, strong couplers have complex pairs of nearly the same real part, and a
        search for one pair may return a smaller one: more are sought then.
        """
        N = self.f.size
        operator = LinearOperator((N, N), matvec=lambda p: self(np.ravel(p)), dtype=float)
        v0 = self._first_vector() if start is None else start
        values, vectors = eigs(operator, k=1, which="LR", v0=v0, tol=tol, ncv=min(20, N - 1))
        if abs(values[0].imag) > _COMPLEX and N > 2 * _PAIRS:
            values, vectors = eigs(operator, k=_PAIRS, which="LR", v0=v0, tol=tol, ncv=min(5 * _PAIRS, N - 1))
        best = int(np.argmax(values.real))
        return float(values[best].real), _real_vector(vectors[:, best])

    def growth(self, start: Array, steps: int = 6) -> tuple[float, Array, float]:
        """Estimate of the largest eigenvalue, its pair amplitude and its residual, from a few products.

        The Ritz value of largest real part in the Krylov space of `start`, for use along a trajectory where
        the vector of the previous time is at hand. The residual is |map(p) - eigenvalue p| / |p|.
        """
        p = start
        basis = [p / np.linalg.norm(p)]
        H = np.zeros((steps + 1, steps))
        for k in range(steps):
            v = self(basis[k])
            for j, b in enumerate(basis):
                H[j, k] = b @ v
                v = v - H[j, k] * b
            H[k + 1, k] = np.linalg.norm(v)
            basis.append(v / max(H[k + 1, k], 1e-300))
        values, vectors = np.linalg.eig(H[:steps])
        best = int(np.argmax(values.real))
        doubt = float(H[steps, steps - 1] * np.abs(vectors[-1, best]) / np.linalg.norm(vectors[:, best]))
        return float(values[best].real), _real_vector(vectors[:, best]) @ np.stack(basis[:steps]), doubt


class _Leading:
    """Largest eigenvalues of similar maps; each search starts from the pair amplitude of the last one.

    Args:
        start: A pair amplitude of a similar state, shape (N,); None knows none, and each search is ARPACK's own.
    """

    def __init__(self, start: Array | None) -> None:
        self.p = start

    def __call__(self, linear: LinearGap) -> float:
        if self.p is None:
            return linear.largest_eigenvalue()[0]
        for steps in _FEW_STEPS:
            value, self.p, doubt = linear.growth(self.p, steps)
            if doubt < _DOUBT:
                return value
        value, self.p = linear.largest_eigenvalue(self.p)
        return value


def _real_vector(v: Complex) -> Array:
    """A real eigenvector from one with an arbitrary phase."""
    return np.asarray((v * np.exp(-1j * np.angle(v[np.argmax(np.abs(v))]))).real)


def pairing_eigenvalue(coupling: Coupling, T: float, damping: Damping) -> float:
    """Largest eigenvalue of the linearised gap equation in thermal equilibrium at T (K)."""
    return _in_equilibrium(coupling, T, damping).largest_eigenvalue()[0]


def _in_equilibrium(coupling: Coupling, T: float, damping: Damping) -> LinearGap:
    lattice = coupling.lattice
    return LinearGap.around(coupling.kernel(bose(lattice.Omega, T)), fermi(lattice.E, T), damping)


def critical_temperature(
    coupling: Coupling, damping: Damping = "full", *, guess: float, xtol: float = 1e-5, step: float = 0.25,
    start: Array | None = None,
) -> float:  # fmt: skip
    """Tc, K: the temperature at which the largest eigenvalue of the linearised gap equation is one.

    Args:
        coupling: Spectrum on its lattice, with mu_star.
        damping: `full` or `real`.
        guess: A temperature of the right order, K.
        xtol: Relative accuracy of the root.
        step: First step of the search for a bracket, in ln T: small around a good guess.
        start: A pair amplitude of a similar state, shape (N,), which saves products.
    Raises:
        ValueError: if no Tc lies between guess / 64 and 64 guess.
    """

    largest = _Leading(start)

    @cache
    def excess(log_T: float) -> float:
        return largest(_in_equilibrium(coupling, math.exp(log_T), damping)) - 1.0

    low, high = _bracket(excess, math.log(guess), step, math.log(64.0))
    return math.exp(brentq(excess, low, high, xtol=xtol))


def calibrate_mu_star(
    coupling: Coupling, Tc: float, damping: Damping = "full", *, near: float | None = None,
    start: Array | None = None,
) -> Coupling:  # fmt: skip
    """The coupling with the mu_star that gives a stated Tc (K).

    Args:
        coupling: Spectrum on its lattice; its mu_star counts for nothing.
        Tc: Transition temperature, K.
        damping: `full` or `real`.
        near: mu_star of the same spectrum on another lattice, next to which the search begins.
        start: As for `critical_temperature`.
    Raises:
        ValueError: if the spectrum alone (mu_star = 0) does not reach Tc, or no mu_star below 1 lowers it so far.
            Without lifetimes (`real` damping) strong couplers fall short of their Tc.
    """

    linear, largest = _in_equilibrium(coupling, Tc, damping), _Leading(start)

    @cache
    def excess(mu_star: float) -> float:
        kernel = replace(linear.kernel, coupling=coupling.with_mu_star(mu_star))
        return largest(replace(linear, kernel=kernel)) - 1.0

    def root(low: float, high: float) -> Coupling:
        return coupling.with_mu_star(float(brentq(excess, low, high, xtol=1e-7)))

    if near is not None and near > 2 * _NEAR and excess(near - _NEAR) >= 0.0 > excess(near + _NEAR):
        return root(near - _NEAR, near + _NEAR)
    if excess(0.0) < 0.0:
        remedy = "take `damping: full`, or " if damping == "real" else ""
        raise ValueError(
            f"`Tc0` must not exceed the Tc of the spectrum at mu_star = 0 ({damping} damping). Got {Tc!r} K: "
            f"{remedy}raise the spectrum's `scale`, or lower `Tc0`."
        )
    for high in (0.25, 1.0):
        if excess(high) < 0.0:
            return root(0.0, high)
    raise ValueError(f"`Tc0` is too low for this spectrum: mu_star would exceed 1. Got {Tc!r} K.")


def _bracket(g: Callable[[float], float], x: float, step: float, reach: float) -> tuple[float, float]:
    """Interval around x with g >= 0 at its lower and g < 0 at its upper end, g decreasing."""
    centre = x
    if g(x) >= 0.0:
        while g(x + step) >= 0.0:
            x, step = x + step, 1.5 * step
            if x - centre > reach:
                raise ValueError(f"no Tc below {math.exp(x):.4g} K: the normal state is unstable up to there.")
        return x, x + step
    while g(x - step) < 0.0:
        x, step = x - step, 1.5 * step
        if centre - x > reach:
            raise ValueError(f"no Tc above {math.exp(x):.4g} K: the coupling does not overcome mu_star.")
    return x - step, x
