"""Material of a simulation: its spectrum and the numbers of the paper's Table 1."""

import math
from dataclasses import dataclass, field
from typing import Literal

from .declaration import POSITIVE, POSITIVE_OR_INFINITE, check_fields, declare, described
from .spectra import Spectrum

MuStarAt = Literal["cutoff", "matsubara", "omega_max", "omega_log", "omega_2"]
"""Conventions of mu_star (`pseudopotential`): of the integral over real energies up to `cutoff`, of the sum over
Matsubara frequencies up to `cutoff`, or of such a sum up to a moment of the spectrum, as other codes state it."""


@described
@dataclass(frozen=True, kw_only=True)
class Material:
    """A superconducting film, Table 1 of arXiv:2603.18182.

    `name` is its label on the cube's axis `material`; `spectrum` contains the Eliashberg function alpha2F and the
    phonon density of states F. Files, descriptions and checks of materials derive from the declaration of each
    quantity.
    """

    name: str
    spectrum: Spectrum
    N_ion: float = field(
        metadata=declare(
            "Atoms per volume.",
            long_name="atoms per volume",
            unit="nm^-3",
            rule=POSITIVE,
        ),
    )
    N0: float = field(
        metadata=declare(
            "Electron density of states at the Fermi level per spin.",
            long_name="electron density of states per spin",
            unit="meV^-1 nm^-3",
            symbol=r"$N_0$",
            rule=POSITIVE,
        ),
    )
    rho_N: float = field(
        metadata=declare(
            "Normal-state resistivity.",
            long_name="normal-state resistivity",
            unit="ohm nm",
            symbol=r"$\rho_\mathrm{N}$",
            rule=POSITIVE,
        ),
    )
    Tc0: float = field(
        metadata=declare(
            "Equilibrium transition temperature to which mu_star is calibrated.",
            long_name="transition temperature",
            unit="K",
            symbol=r"$T_{c0}$",
            rule=POSITIVE,
        ),
    )
    cutoff: float = field(
        metadata=declare(
            "Cut-off of the Coulomb pseudopotential mu_star.",
            long_name="cut-off of mu_star",
            unit="meV",
            rule=POSITIVE,
        ),
    )
    window: float = field(
        metadata=declare(
            "Default upper edge of the quasiparticle lattice.",
            long_name="upper edge of the quasiparticle lattice",
            unit="meV",
            rule=POSITIVE,
        ),
    )
    spacing: float = field(
        metadata=declare(
            "Default lattice spacing h.",
            long_name="lattice spacing",
            unit="meV",
            symbol=r"$h$",
            rule=POSITIVE,
        ),
    )
    tau_pump: float = field(
        metadata=declare(
            "Default duration (full width at half maximum) of the pump pulse.",
            long_name="duration of the pump (FWHM)",
            unit="ps",
            symbol=r"$\tau_\mathrm{pump}$",
            rule=POSITIVE,
        ),
    )
    omega_pump: float = field(
        metadata=declare(
            "Default photon energy of the pump.",
            long_name="photon energy of the pump",
            unit="meV",
            symbol=r"$\hbar\omega_\mathrm{pump}$",
            rule=POSITIVE,
        ),
    )
    eps_infinity: float = field(
        default=1.0,
        metadata=declare(
            "Dielectric constant without the conduction electrons; the paper uses 1, the vacuum.",
            long_name="dielectric constant without the conduction electrons",
            symbol=r"$\varepsilon_\infty$",
            rule=POSITIVE,
        ),
    )
    thickness: float = field(
        default=math.inf,
        metadata=declare(
            "Film thickness; `.inf` for a film much thicker than the penetration depth.",
            long_name="film thickness",
            unit="nm",
            symbol=r"$d$",
            rule=POSITIVE_OR_INFINITE,
        ),
    )
    mu_star: float | None = field(
        default=None,
        metadata=declare(
            "Coulomb pseudopotential; None calibrates it to `Tc0`.",
            long_name="Coulomb pseudopotential",
            symbol=r"$\mu^*$",
        ),
    )
    mu_star_at: MuStarAt = field(
        default="cutoff",
        metadata=declare(
            "Convention of a stated `mu_star`.",
            long_name="convention of mu_star",
            later=True,
        ),
    )

    def __post_init__(self) -> None:
        """Refuse quantities without physical meaning."""
        check_fields(self, f" of material {self.name!r}")
        if self.mu_star is None and self.mu_star_at != "cutoff":
            raise ValueError(
                f"`mu_star_at` of material {self.name!r} needs a stated `mu_star`: a value calibrated to Tc0 is "
                f"that of `cutoff`. Got {self.mu_star_at!r}."
            )
        if self.window <= self.spectrum.omega[-1]:
            raise ValueError(
                f"`window` of material {self.name!r} must exceed its highest phonon energy, "
                f"{self.spectrum.omega[-1]:.6g} meV. Got {self.window!r}."
            )
