"""Absorption of the pump by quasiparticles, the term Gamma(t) g(E) of `pump`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from ..declaration import Joint
from ..kinetics import Change, Entry, Process, Setup, State
from ..lattice import Array
from ..settings import Point, Settings
from .pump import Pump


class AbsorptionRates(NamedTuple):
    """Absorption at one time.

    Args:
        gamma: Absorption rate Gamma, 1/ps.
        g: df/dt at Gamma = 1 / ps, 1/ps, shape (N,).
        unit_power: Power density at Gamma = 1 / ps, meV/(nm^3 ps).
    """

    gamma: float
    g: Array
    unit_power: float


def _refuse_constant_rate(point: Point, settings: Settings) -> None:
    """Refuse a constant rate, fixed by the energy of a pulse, without a pulse."""
    if settings.pump_shape == "continuous" and settings.pump_rate == "constant":
        raise ValueError(
            "`pump_rate` must be `envelope` with `pump_shape: continuous`: without a pulse no energy fixes a "
            "constant Gamma. Got 'constant'."
        )


def _refuse_retained(point: Point, settings: Settings) -> None:
    """Refuse to match the retained energy with a rate that deposits the pulse's own power."""
    if settings.energy_match == "retained" and settings.pump_rate != "constant":
        raise ValueError(
            "`energy_match: retained` needs `pump_rate: constant`, the rate that it determines. "
            f"Got `pump_rate: {settings.pump_rate}`."
        )


@dataclass(frozen=True, kw_only=True)
class Absorption(Process):
    """Absorption of light by quasiparticles; its energy is recorded as absorbed.

    Args:
        pump: The pulse.
        gamma: Absorption rate Gamma, 1/ps, from (t, absorbed power density at unit Gamma).
    """

    rules: ClassVar[tuple[Joint, ...]] = (
        Joint(("pump_shape", "pump_rate"), _refuse_constant_rate),
        Joint(("energy_match", "pump_rate"), _refuse_retained),
    )

    pump: Pump
    gamma: Callable[[float, float], float]

    @classmethod
    def build(cls, setup: Setup) -> "Absorption":
        """The term of a slab."""
        return cls(pump=setup.pump, gamma=setup.gamma)

    def at(self, t: float, state: State) -> AbsorptionRates:
        """Rate, its distribution and its power at time t (ps); zero without light."""
        if self.pump.U == 0.0 or self.pump.envelope(t) < 1e-12:
            return AbsorptionRates(0.0, np.zeros(state.f.size), 0.0)
        g = self.pump.unit_rate(state.film.lattice, state.rho, state.p, state.f)
        unit_power = state.film.quasiparticle_energy(state.rho, g)
        return AbsorptionRates(self.gamma(t, unit_power), g, unit_power)

    def unit_overrun(self, state: State) -> float:
        """Power density (meV/(nm^3 ps)) that quasiparticles near the end of the lattice miss at Gamma = 1 / ps."""
        film = state.film
        return 4 * film.N0 * self.pump.omega_pump * self.pump.unit_overrun(film.lattice, state.rho, state.f)

    def add(self, t: float, state: State, change: Change) -> None:
        """See `Term.add`."""
        gamma, g, unit_power = self.at(t, state)
        if gamma != 0.0:
            change.f += gamma * g
            change.ledger[Entry.ABSORBED] += gamma * unit_power

    def fastest_rate(self, t: float, state: State) -> float:
        """4 Gamma: moves up and down by one photon, each with its reverse."""
        return 4.0 * abs(self.at(t, state).gamma)

    def relaxation(self, t: float, state: State, rates: Change) -> None:
        """See `Term.relaxation`: moves up and down by one photon."""
        rates.f += 2.0 * abs(self.at(t, state).gamma)
