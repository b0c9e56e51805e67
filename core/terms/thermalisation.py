r"""Electron-electron scattering in the relaxation-time approximation.

    df/dt(E) = -(f(E) - f_T(E)) / tau_ee,        Int_0 dE E rho f_T = Int_0 dE E rho f,

with f_T the Fermi function that has the same quasiparticle energy as f at the present gap: electrons scatter off
one another, keep their energy and reach equilibrium among themselves, without phonons. Their number is not kept, as
in pair breaking and recombination by electrons. All energies share one time; the rates of a Fermi liquid grow with
the square of the energy, so `tau_ee` is the time of the states that carry most of the energy. The paper has no such
term, since it expects electrons to matter only for the first few fs (main text after the pump term). `math.inf`
leaves it out.

The energy is conserved to round-off, a Fermi function of any temperature is a fixed point, and the entropy
-Int_0 dE rho [f ln f + (1 - f) ln(1 - f)] never falls, since f_T has the most of it at its energy.
"""

import math
from dataclasses import dataclass

import numba as nb
import numpy as np

from ..kinetics import Change, Process, Setup, State
from ..lattice import Array

_STEPS = 60
"""Steps of the search for the temperature: Newton's method takes about five, and bisection bounds the rest."""
_CLOSE = 1e-13
"""Relative residual of the energy at which the search ends; what is left is taken out of f_T to first order."""


@nb.njit(cache=True, error_model="numpy")
def _energy(weight: Array, E: Array, beta: float, f: Array, slope: Array) -> tuple[float, float]:
    """Sums of weight f and weight df/dbeta; f and df/dbeta are written into the last two arguments."""
    total, derivative = 0.0, 0.0
    for i in range(E.size):
        x = beta * E[i]
        small = math.exp(-abs(x))
        f[i] = small / (1.0 + small) if x > 0 else 1.0 / (1.0 + small)
        slope[i] = -E[i] * small / (1.0 + small) ** 2
        total += weight[i] * f[i]
        derivative += weight[i] * slope[i]
    return total, derivative


def thermal_of_same_energy(E: Array, rho: Array, f: Array) -> Array:
    """Fermi function with the energy of f.

    Args:
        E: Energies, meV, shape (N,), positive.
        rho: Density of states, dimensionless, same shape.
        f: Occupation, same shape; where it holds more energy than one half everywhere does, the temperature is
            negative.
    Returns:
        f_T, same shape; zero where f holds no energy.
    """
    weight = E * rho
    energy = float(np.dot(weight, f))
    out, slope = np.zeros(E.size), np.zeros(E.size)
    if energy <= 0.0:
        return out
    h = float(E[1] - E[0])
    # a normal metal without edge has Int E f = (pi / beta)^2 / 12; the window's edge bounds beta from below
    beta = math.pi / math.sqrt(12.0 * h * energy)
    low, high = -math.inf, math.inf
    for _ in range(_STEPS):
        found, derivative = _energy(weight, E, beta, out, slope)
        if abs(found - energy) <= _CLOSE * energy:
            break
        if found > energy:
            low = beta
        else:
            high = beta
        # Newton on ln U(beta), which is nearly linear below a gap
        step = found * math.log(energy / found) / derivative if found > 0.0 and derivative < 0.0 else math.nan
        beta = _inside(beta + step, low, high, 1.0 / float(E[-1]))
    found, derivative = _energy(weight, E, beta, out, slope)
    return np.asarray(out + slope * ((energy - found) / derivative) if derivative < 0.0 else out)


def _inside(beta: float, low: float, high: float, unit: float) -> float:
    """The proposal if it lies within its bracket, else a value that halves or doubles the bracket."""
    if low < beta < high:
        return beta
    if math.isfinite(low) and math.isfinite(high):
        return 0.5 * (low + high)
    return low + max(abs(low), unit) if math.isfinite(low) else high - max(abs(high), unit)


@dataclass(frozen=True)
class Thermalisation(Process):
    """The term of electron-electron scattering; no energy enters or leaves the film.

    Args:
        tau_ee: Relaxation time, ps.
    """

    tau_ee: float

    @classmethod
    def build(cls, setup: Setup) -> "Thermalisation | None":
        """The term of a slab; None where electrons do not scatter off one another."""
        return cls(setup.settings.tau_ee) if math.isfinite(setup.settings.tau_ee) else None

    def add(self, t: float, state: State, change: Change) -> None:
        """See `Term.add`."""
        target = thermal_of_same_energy(state.film.lattice.E, state.rho, state.f)
        change.f += (target - state.f) / self.tau_ee

    def fastest_rate(self, t: float, state: State) -> float:
        """1 / tau_ee: every change of f changes f_T by a multiple of one function."""
        return 1.0 / self.tau_ee

    def relaxation(self, t: float, state: State, rates: Change) -> None:
        """See `Term.relaxation`."""
        rates.f += 1.0 / self.tau_ee
