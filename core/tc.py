"""When a gap opens: the linearised gap equation, Tc, and the mu_star that gives a stated Tc.

With Delta -> 0 the pair amplitude is p = Re Delta / E and only Re Delta enters, so the gap equation becomes
u = Re[phi(u / E) / Z], a real linear map with Z that of the normal state. A gap opens where its largest eigenvalue
reaches one; a nonlinear solve is no judge near there (it stops short of zero or falls to it).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, eigs

from .coherence import pair_weights
from .eliashberg import Coupling, Kernel
from .thermal import bose, fermi
from .gap import normal_state
from .lattice import Array, Complex
from .settings import Damping


@dataclass(frozen=True, eq=False)
class LinearGap:
    """The linearised gap equation around the normal state.

    Args:
        kernel: Kernels of the phonon occupation.
        f: Quasiparticle occupation at E_i, shape (N,).
        Z: Normal-state renormalisation function, complex, shape (N,).
    """

    kernel: Kernel
    f: Array
    Z: Complex

    @classmethod
    def around(cls, kernel: Kernel, f: Array, damping: Damping) -> "LinearGap":
        """The map for occupations f and n (in `kernel`)."""
        return cls(kernel, f, normal_state(kernel, f, damping).Z)

    def gap_function(self, u: Array, weights: Array) -> Complex:
        """phi / Z of the pair amplitude `weights` u; in `real` damping Z is real and so is phi's use."""
        phi = self.kernel.pairing(weights * u, self.f)
        return np.asarray((phi.real if not self.Z.imag.any() else phi) / self.Z, dtype=complex)

    def largest_eigenvalue(self, start: Array | None = None, tol: float = 1e-8) -> tuple[float, Array]:
        """Largest eigenvalue of the map and its vector u, shape (N,), normalised to u[0] = 1."""
        weights = pair_weights(self.f.size, self.kernel.coupling.lattice.h)
        N = self.f.size
        operator = LinearOperator(
            (N, N), matvec=lambda u: self.gap_function(np.ravel(u), weights).real, dtype=float
        )
        v0 = np.exp(-np.arange(N) * 8.0 / N) if start is None else start
        values, vectors = eigs(operator, k=1, which="LR", v0=v0, tol=tol, ncv=min(20, N - 1))
        u = vectors[:, 0].real
        return float(values[0].real), u / u[0]

    def growth(self, start: Array | None, steps: int = 6) -> tuple[float, Array]:
        """Estimate of the largest eigenvalue and its vector from a few products, warm-started.

        The Ritz value of largest real part in the Krylov space of `start`, for use along a trajectory where
        the vector of the previous time is at hand.
        """
        weights = pair_weights(self.f.size, self.kernel.coupling.lattice.h)
        u = np.exp(-np.arange(self.f.size) * 8.0 / self.f.size) if start is None else start
        basis = [u / np.linalg.norm(u)]
        H = np.zeros((steps + 1, steps))
        for k in range(steps):
            v = self.gap_function(basis[k], weights).real
            for j, b in enumerate(basis):
                H[j, k] = b @ v
                v = v - H[j, k] * b
            H[k + 1, k] = np.linalg.norm(v)
            basis.append(v / max(H[k + 1, k], 1e-300))
        values, vectors = np.linalg.eig(H[:steps])
        best = int(np.argmax(values.real))
        ritz = vectors[:, best].real @ np.stack(basis[:steps])
        return float(values[best].real), ritz / (ritz[0] if abs(ritz[0]) > 1e-12 else 1.0)


def pairing_eigenvalue(coupling: Coupling, T: float, damping: Damping) -> float:
    """Largest eigenvalue of the linearised gap equation in thermal equilibrium at T (K)."""
    lattice = coupling.lattice
    kernel = coupling.kernel(bose(lattice.Omega, T))
    return LinearGap.around(kernel, fermi(lattice.E, T), damping).largest_eigenvalue()[0]


def critical_temperature(
    coupling: Coupling, damping: Damping = "full", *, guess: float, xtol: float = 1e-5
) -> float:
    """Tc, K: where the largest eigenvalue of the linearised gap equation is one.

    Args:
        coupling: Spectrum on its lattice, with mu_star.
        damping: `full` or `real`.
        guess: A temperature of the right order, K.
        xtol: Relative accuracy of the root.
    Raises:
        ValueError: if no Tc lies between guess / 64 and 64 guess.
    """

    def excess(log_T: float) -> float:
        return pairing_eigenvalue(coupling, math.exp(log_T), damping) - 1.0

    low, high = _bracket(excess, math.log(guess), 0.25, math.log(64.0))
    return math.exp(brentq(excess, low, high, xtol=xtol))


def calibrate_mu_star(coupling: Coupling, Tc: float, damping: Damping = "full") -> Coupling:
    """The coupling with the mu_star whose transition is at Tc (K).

    Raises:
        ValueError: if the spectrum alone (mu_star = 0) does not reach Tc, or no mu_star below 1 lowers it so far.
    """

    def with_mu_star(mu_star: float) -> Coupling:
        return Coupling(coupling.lattice, coupling.alpha2F, mu_star, coupling.cutoff)

    def excess(mu_star: float) -> float:
        return pairing_eigenvalue(with_mu_star(mu_star), Tc, damping) - 1.0

    if excess(0.0) < 0.0:
        raise ValueError(
            f"`Tc0` must not exceed the Tc of the spectrum without Coulomb repulsion. Got {Tc!r} K: "
            f"raise the coupling (`scale`), state `mu_star`, or lower `Tc0`."
        )
    high = 0.25
    while excess(high) > 0.0:
        high *= 2.0
        if high > 1.0:
            raise ValueError(f"`Tc0` is too low for this spectrum: mu_star would exceed 1. Got {Tc!r} K.")
    return with_mu_star(float(brentq(excess, 0.0, high, xtol=1e-7)))


def _bracket(g: Callable[[float], float], x: float, step: float, reach: float) -> tuple[float, float]:
    """Interval around x with g >= 0 at its lower and g < 0 at its upper end, g decreasing."""
    centre = x
    if g(x) >= 0.0:
        while g(x + step) >= 0.0:
            x, step = x + step, 1.5 * step
            if x - centre > reach:
                raise ValueError(f"no Tc below {math.exp(x):.4g} K: the normal state is unstable throughout.")
        return x, x + step
    while g(x - step) < 0.0:
        x, step = x - step, 1.5 * step
        if centre - x > reach:
            raise ValueError(f"no Tc above {math.exp(x):.4g} K: the coupling does not overcome mu_star.")
    return x - step, x
