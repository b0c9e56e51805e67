r"""Absorption of light by phonons: modes within the pulse's bandwidth gain occupation equally.

    dn/dt(Omega) = P_ph(t) s(Omega) / (N_ion Int dOmega F Omega s),
    s = exp(-((Omega - w) tau_pump / hbar)^2 / (4 ln 2)),

the intensity spectrum of a bandwidth-limited pulse, for the share `phonon_share` of the absorbed
energy (0 in the paper). They are an incoherent population: lattice displacements in phase with the light are not
described.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..declaration import Joint
from ..kinetics import Change, Entry, Film, Process, Setup, State
from ..lattice import Array
from ..settings import Point, Settings
from .pump import Pump, pulse_spectrum

FEWEST_MODES = 1e-3
"""Smallest number of modes per atom (of 3) within the pulse's bandwidth for which it can drive phonons."""


def phonon_profile(pump: Pump, film: Film) -> Array:
    """dn/dt of phonons that absorb 1 meV/(nm^3 ps), 1/ps, shape (M + 1,)."""
    lattice = film.lattice
    n = np.where(film.F > 0, pulse_spectrum(lattice.Omega, pump.omega_pump, pump.tau_pump, lattice.h), 0.0)
    return np.asarray(n / film.phonon_energy(n))


def _refuse_absent_phonons(point: Point, settings: Settings) -> None:
    """Refuse to drive phonons if there are none at the photon energy."""
    if settings.phonon_share == 0:
        return
    spectrum, tau_pump = point.material.spectrum, settings.tau_pump or point.material.tau_pump
    least = settings.spacing or point.material.spacing
    reached = pulse_spectrum(spectrum.omega, point.omega_pump, tau_pump, least)
    modes = float(np.trapezoid(spectrum.F * reached, spectrum.omega))
    if modes < FEWEST_MODES:
        raise ValueError(
            "`phonon_share` above 0 needs phonons at `omega_pump`: within the pulse's bandwidth around "
            f"{point.omega_pump:g} meV there are {modes:.1e} of the 3 modes per atom (needed: {FEWEST_MODES:g}). "
            f"Got {settings.phonon_share!r}."
        )


@dataclass(frozen=True, eq=False)
class PhononDrive(Process):
    """Phonons driven by light; their energy is recorded as absorbed.

    Args:
        pump: The pulse.
        profile: dn/dt for 1 meV/(nm^3 ps), 1/ps, shape (M + 1,).
    """

    rules: ClassVar[tuple[Joint, ...]] = (
        Joint(("material", "omega_pump", "phonon_share", "tau_pump", "spacing"), _refuse_absent_phonons),
    )

    pump: Pump
    profile: Array

    @classmethod
    def build(cls, setup: Setup) -> "PhononDrive | None":
        """The term of a slab; None if phonons absorb no light."""
        return cls(setup.pump, phonon_profile(setup.pump, setup.film)) if setup.pump.U_ph > 0 else None

    def add(self, t: float, state: State, change: Change) -> None:
        """See `Term.add`."""
        power = self.pump.U_ph * self.pump.rate(t)
        change.n += power * self.profile
        change.ledger[Entry.ABSORBED] += power
