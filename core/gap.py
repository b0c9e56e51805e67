"""The gap equation Delta = phi / Z, a fixed point solved with Anderson acceleration.

`full` damping takes S and phi complex: scattering of driven quasiparticles broadens the states at the gap edge and
breaks pairs. `real` damping keeps their real parts only, as when lifetimes are neglected.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from .coherence import gap_edge, spectral_weights
from .eliashberg import Kernel
from .lattice import Array, Complex
from .settings import Damping

NO_GAP = 1e-6
"""A solution whose largest |Delta| is below this times the lattice spacing is the normal state."""


@dataclass(frozen=True, eq=False)
class GapSolution:
    """A solution of the gap equation.

    Args:
        Delta: Gap function at E_i, meV, complex, shape (N,).
        Z: Renormalisation function at E_i, complex, shape (N,).
        rho, p: Spectral weights, dimensionless, shape (N,).
        iterations: Evaluations of the self-energies.
        residual: Largest |phi / Z - Delta| relative to the largest |Delta|.
        converged: Whether the residual met the tolerance.
    """

    Delta: Complex
    Z: Complex
    rho: Array
    p: Array
    iterations: int
    residual: float
    converged: bool

    @property
    def is_normal(self) -> bool:
        """Whether there is no gap."""
        return not self.Delta.any()

    @property
    def Delta0(self) -> float:
        """Gap parameter at zero energy, Re phi(0) / Re Z(0), meV.

        Where quasiparticles at zero energy live long this is Re Delta(0). With damping omega Z(0) = i Gamma, so
        Re Delta(omega -> 0) vanishes and its value in the first cell measures the lattice, not the material; this
        ratio stays, and moves as h^2.
        """
        return float((self.Delta[0] * self.Z[0]).real / self.Z[0].real)

    def edge(self, h: float) -> float:
        """Gap edge, meV, on a lattice of spacing h."""
        return gap_edge(self.Delta, h)


def gap_map(kernel: Kernel, f: Array, damping: Damping, Delta: Complex) -> tuple[Complex, Complex, Array, Array]:
    """One evaluation of phi / Z: returns (phi / Z, Z, rho, p) for the gap function Delta (meV, (N,))."""
    rho, p = spectral_weights(Delta, kernel.coupling.lattice.h)
    S, phi = kernel.self_energies(rho, p, f)
    if damping == "real":
        S, phi = S.real + 0j, phi.real + 0j
    Z = 1.0 - S / kernel.coupling.lattice.E
    return phi / Z, Z, rho, p


def normal_state(kernel: Kernel, f: Array, damping: Damping) -> GapSolution:
    """The solution Delta = 0, with its Z."""
    zero = np.zeros(f.size, dtype=complex)
    _, Z, rho, p = gap_map(kernel, f, damping, zero)
    return GapSolution(Delta=zero, Z=Z, rho=rho, p=p, iterations=1, residual=0.0, converged=True)


class _Anderson:
    """Anderson acceleration (type II) of x <- g(x), the history's least squares by its Gram matrix."""

    def __init__(self, depth: int, mixing: float = 1.0) -> None:
        self.steps: deque[tuple[Array, Array]] = deque(maxlen=depth)
        self.last: tuple[Array, Array] | None = None
        self.mixing = mixing

    def next(self, x: Array, r: Array) -> Array:
        """Next iterate from x and its residual r = g(x) - x."""
        if self.last is not None:
            self.steps.append((x - self.last[0], r - self.last[1]))
        self.last = (x, r)
        new = x + self.mixing * r
        if self.steps:
            dX, dR = (np.stack(v) for v in zip(*self.steps, strict=True))
            gram = dR @ dR.T
            gram[np.diag_indices_from(gram)] *= 1 + 1e-12
            gamma = np.linalg.lstsq(gram, dR @ r, rcond=1e-14)[0]
            new = new - gamma @ (dX + self.mixing * dR)
        return np.asarray(new)


def solve_gap(
    kernel: Kernel,
    f: Array,
    start: Complex,
    *,
    damping: Damping = "full",
    tol: float = 1e-6,
    max_iterations: int = 500,
    depth: int = 5,
) -> GapSolution:
    """Solve the gap equation from a start.

    Args:
        kernel: Kernels of the phonon occupation.
        f: Quasiparticle occupation at E_i, shape (N,).
        start: Gap function to start from, meV, complex, shape (N,); zero gives the normal state.
        damping: `full` or `real`.
        tol: Largest |phi / Z - Delta| relative to the largest |Delta|.
        max_iterations: Evaluations of the self-energies before giving up.
        depth: History of the Anderson acceleration.
    Returns:
        The solution; `converged` is False where the iterations did not suffice. Delta and -Delta are one
        solution: Re Delta(0) >= 0 is returned.
    """
    h, N = kernel.coupling.lattice.h, f.size
    if not start.any():
        return normal_state(kernel, f, damping)
    accelerate = _Anderson(depth)
    x = np.asarray(start, dtype=complex)
    for iteration in range(1, max_iterations + 1):
        image, Z, rho, p = gap_map(kernel, f, damping, x)
        scale = float(np.abs(image).max())
        if scale < NO_GAP * h:
            return normal_state(kernel, f, damping)
        residual = float(np.abs(image - x).max()) / scale
        if residual < tol:
            sign = 1.0 if image[0].real >= 0 else -1.0
            rho, p = spectral_weights(image, h)
            return GapSolution(sign * image, Z, rho, sign * p, iteration, residual, True)
        new = accelerate.next(x.view(float), (image - x).view(float))
        x = new.view(complex)[:N].copy()
    return GapSolution(x, Z, rho, p, max_iterations, residual, False)
