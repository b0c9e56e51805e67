"""Material of a simulation: its spectrum and the numbers of the paper's Table 1."""

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from .spectra import Spectrum

MuStarAt = Literal["cutoff", "matsubara", "omega_max", "omega_log", "omega_2"]
"""Conventions of mu_star (`pseudopotential`): of the integral over real energies up to `cutoff`, of the sum over
Matsubara frequencies up to `cutoff`, or of such a sum up to a moment of the spectrum, as other codes state it."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """A superconducting film, Table 1 of arXiv:2603.18182.

    Args:
        name: Label of the material, as it appears on the cube's `material` axis.
        spectrum: Eliashberg function alpha2F and phonon density of states F.
        N_ion: Atoms per volume, 1/nm^3.
        N0: Electron density of states at the Fermi level per spin, 1/(meV nm^3).
        rho_N: Normal-state resistivity, ohm nm.
        Tc0: Equilibrium transition temperature that mu_star is calibrated to, K.
        cutoff: Cut-off of the Coulomb pseudopotential mu_star, meV.
        window: Default upper edge of the quasiparticle lattice, meV.
        spacing: Default lattice spacing h, meV.
        tau_pump: Default duration (full width at half maximum) of the pump pulse, ps.
        omega_pump: Default photon energy of the pump, meV.
        eps_infinity: Dielectric constant of all but the conduction electrons; 1, the vacuum's, is the paper's.
        thickness: Film thickness, nm; `math.inf` for a film much thicker than the penetration depth.
        mu_star: Coulomb pseudopotential; None calibrates it to `Tc0`.
        mu_star_at: Convention that a stated `mu_star` belongs to.
    """

    name: str
    spectrum: Spectrum
    N_ion: float
    N0: float
    rho_N: float
    Tc0: float
    cutoff: float
    window: float
    spacing: float
    tau_pump: float
    omega_pump: float
    eps_infinity: float = 1.0
    thickness: float = math.inf
    mu_star: float | None = None
    mu_star_at: MuStarAt = field(default="cutoff", metadata={"later": True})

    def __post_init__(self) -> None:
        """Refuse what has no physical meaning."""
        for key in (
            "N_ion",
            "N0",
            "rho_N",
            "Tc0",
            "cutoff",
            "window",
            "spacing",
            "tau_pump",
            "omega_pump",
            "thickness",
        ):
            value = getattr(self, key)
            if not value > 0 or math.isnan(value):
                raise ValueError(f"`{key}` of material {self.name!r} must be positive. Got {value!r}.")
        if self.mu_star_at not in get_args(MuStarAt):
            known = ", ".join(get_args(MuStarAt))
            raise ValueError(
                f"`mu_star_at` of material {self.name!r} must be one of {known}. Got {self.mu_star_at!r}."
            )
        if self.mu_star is None and self.mu_star_at != "cutoff":
            raise ValueError(
                f"`mu_star_at` of material {self.name!r} needs a stated `mu_star`: one that is calibrated to Tc0 "
                f"belongs to `cutoff`. Got {self.mu_star_at!r}."
            )
        if self.window <= self.spectrum.omega[-1]:
            raise ValueError(
                f"`window` of material {self.name!r} must exceed its highest phonon energy, "
                f"{self.spectrum.omega[-1]:.6g} meV. Got {self.window!r}."
            )
