"""The equilibrium superconductor: Tc, gap function, renormalisation and density of states at a temperature."""

from dataclasses import dataclass

import numpy as np

from .eliashberg import Coupling
from .gap import GapSolution
from .lattice import Array
from .material import Material
from .settings import Damping
from .simulate import build_coupling, build_film
from .tc import critical_temperature
from .tracking import GapTracker


@dataclass(frozen=True, kw_only=True, eq=False)
class Equilibrium:
    """A material in thermal equilibrium.

    Args:
        coupling: Spectrum on its lattice, with mu_star.
        T: Temperature, K.
        Tc: Transition temperature, K.
        gap: Solution of the gap equation: Delta (meV), Z, rho at E_i, shape (N,).
    """

    coupling: Coupling
    T: float
    Tc: float
    gap: GapSolution

    @property
    def E(self) -> Array:
        """Quasiparticle energies, meV, shape (N,)."""
        return self.coupling.lattice.E


def solve_equilibrium(
    material: Material,
    T: float,
    *,
    mu_star: float | None = None,
    spacing: float | None = None,
    window: float | None = None,
    damping: Damping = "full",
    tol: float = 1e-6,
) -> Equilibrium:
    """Gap equation in equilibrium.

    Args:
        material: The material; its Tc0 calibrates mu_star unless it is given.
        T: Temperature, K, > 0.
        mu_star: Coulomb pseudopotential; None takes the material's, or calibrates it.
        spacing, window: Lattice, meV; None takes the material's.
        damping: `full` or `real`.
        tol: Relative residual.
    Raises:
        ValueError: for a temperature that is not positive, or a Tc0 that no mu_star gives.
        GapError: if the gap equation does not converge.
    """
    if not (T > 0 and np.isfinite(T)):
        raise ValueError(f"`T` must be positive, in K. Got {T!r}.")
    spacing, window = spacing or material.spacing, window or material.window
    if mu_star is None:
        coupling = build_coupling(material, spacing, window, damping)
    else:
        film = build_film(material, spacing, window)
        coupling = Coupling(film.lattice, film.alpha2F, mu_star, material.cutoff)
    Tc = critical_temperature(coupling, damping, guess=material.Tc0)
    gap = GapTracker(coupling, damping, tol).solve_equilibrium(T)
    return Equilibrium(coupling=coupling, T=T, Tc=Tc, gap=gap)
