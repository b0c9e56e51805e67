"""Settings of a point: all choices of model and numerics, each a possible axis of a sweep.

Each field is declared once, by `declare` (see `core.declaration`): meaning, unit, symbol, rule. A new setting is
a field here, `later=True` once points have been stored, and its use in the solver.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

from .declaration import (
    FINITE,
    LEVELS,
    NOT_NEGATIVE,
    POSITIVE,
    POSITIVE_OR_INFINITE,
    SHARE,
    check_fields,
    declare,
    declared,
    described,
    whole,
)
from .material import Material
from .optics.indices import Index
from .quantities import AXES
from .settings_rules import INDEX, SETTINGS_RULES, TIMES
from .transforms import Transforms

Damping = Literal["full", "real"]
PumpChannels = Literal["scattering", "scattering+pair-breaking"]
PumpRate = Literal["constant", "envelope"]
EnergyMatch = Literal["absorbed", "retained"]
Coherence = Literal["averaged", "printed"]
PumpShape = Literal["pulse", "continuous"]
Integrator = Literal["rkc", "dopri5", "rosenbrock"]


@described
@dataclass(frozen=True, kw_only=True)
class Point:
    """One point of a sweep: the five axes that every cube has."""

    material: Material = field(metadata=declared(AXES["material"]))
    F0: float = field(metadata=declared(AXES["F0"]))
    omega_pump: float = field(metadata=declared(AXES["omega_pump"]))
    T: float = field(metadata=declared(AXES["T"]))
    tau_esc: float = field(metadata=declared(AXES["tau_esc"]))

    def __post_init__(self) -> None:
        """Refuse values without physical meaning."""
        check_fields(self)


@described
@dataclass(frozen=True, kw_only=True)
class Settings:
    """Model and numerics of a point."""

    damping: Damping = field(
        default="full",
        metadata=declare(
            "`full` keeps real and imaginary parts of the self-energies in the gap equation, `real` their real "
            "parts only (lifetimes neglected).",
            long_name="self-energies in the gap equation",
        ),
    )
    pump_channels: PumpChannels = field(
        default="scattering",
        metadata=declare(
            "`scattering` (the paper) moves quasiparticles E -> E + omega_pump; `scattering+pair-breaking` also "
            "lets photons break pairs.",
            long_name="processes by which the pump is absorbed",
        ),
    )
    pair_breaking_share: float | None = field(
        default=None,
        metadata=declare(
            "Weight of pair breaking by photons relative to the golden rule, in place of `pump_channels`: 0 is "
            "`scattering`, 1 `scattering+pair-breaking`; None takes `pump_channels`.",
            long_name="share of pair breaking",
            symbol=r"$s_\mathrm{pair}$",
            rule=SHARE,
            later=True,
            example=0.01,
        ),
    )
    stimulated_emission: bool = field(
        default=True,
        metadata=declare(
            "Whether photons are also emitted, E -> E - omega_pump.", long_name="whether photons are also emitted"
        ),
    )
    pump_rate: PumpRate = field(
        default="envelope",
        metadata=declare(
            "`constant` (the paper) finds the one Gamma that deposits the absorbed energy of the pulse; `envelope` "
            "takes at each time the Gamma that deposits the pulse's power.",
            long_name="absorption rate during the pulse",
        ),
    )
    pump_shape: PumpShape = field(
        default="pulse",
        metadata=declare(
            "`pulse`, Gaussian; `continuous` rises like a pulse and stays on: F0 arrives in each interval of "
            "`tau_pump`, and the time of the steady state is recorded.",
            long_name="whether the pump is a pulse or stays on",
            later=True,
        ),
    )
    renormalised_rates: bool = field(
        default=False,
        metadata=declare(
            "Whether Re Z(E) divides the rates of quasiparticles and weights their energy, which sets the time "
            "scales of strong couplers. The paper neglects it.",
            long_name="whether Z divides the rates",
            later=True,
        ),
    )
    energy_match: EnergyMatch = field(
        default="absorbed",
        metadata=declare(
            "Energy that the constant Gamma matches to the absorbed share of the fluence: `absorbed`, taken up by "
            "quasiparticles, or `retained`, the largest that they hold at any time; the rest is in phonons.",
            long_name="energy that fixes the absorption rate",
            later=True,
        ),
    )
    coherence: Coherence = field(
        default="averaged",
        metadata=declare(
            "Coherence factors of collisions: `averaged` over both branches of normal-state energies, or "
            "`printed`, as in the paper's text with one branch, which is unphysical: it doubles scattering and "
            "removes recombination in a normal metal.",
            long_name="coherence factors of collisions",
            later=True,
        ),
    )
    soft_lambda: float = field(
        default=0.0,
        metadata=declare(
            "Coupling lambda of a soft mode added to the material's peaks at `soft_energy`, with mu_star "
            "recalibrated to Tc0; 0 adds none.",
            long_name="lambda of an added soft mode",
            symbol=r"$\lambda_\mathrm{soft}$",
            rule=NOT_NEGATIVE,
            later=True,
            example=0.05,
        ),
    )
    soft_energy: float = field(
        default=5.0,
        metadata=declare(
            "Energy of the soft mode added by `soft_lambda`; its standard deviation is 0.15 of this energy.",
            long_name="energy of an added soft mode",
            unit="meV",
            symbol=r"$\hbar\omega_\mathrm{soft}$",
            rule=POSITIVE,
            later=True,
        ),
    )
    tau_ee: float = field(
        default=math.inf,
        metadata=declare(
            "Time in which electrons scatter off one another: f relaxes to the Fermi function of the same "
            "energy at the present gap; `.inf`, the paper's model, leaves this out.",
            long_name="relaxation time of electron-electron scattering",
            unit="ps",
            symbol=r"$\tau_\mathrm{ee}$",
            rule=POSITIVE_OR_INFINITE,
            remedy="use .inf for none",
            later=True,
            example=1.0,
        ),
    )
    phonon_share: float = field(
        default=0.0,
        metadata=declare(
            "Share of the absorbed energy that goes into phonons at the photon energy, 0 to 1.",
            long_name="share of the absorbed energy that goes into phonons",
            rule=SHARE,
            example=0.1,
        ),
    )
    tau_pump: float | None = field(
        default=None,
        metadata=declare(
            "Duration (FWHM) of the pump; None takes the material's.",
            long_name="duration of the pump (FWHM)",
            unit="ps",
            symbol=r"$\tau_\mathrm{pump}$",
            rule=POSITIVE,
            example=0.3,
        ),
    )
    accuracy: float | None = field(
        default=None,
        metadata=declare(
            "Accuracy of the series, relative to the largest gap and to the absorbed energy, as the mean over the "
            "result's times; the lattice is refined from `spacing` and `window` until it is reached. The error "
            "of `gap_duration` is recorded. None does not refine.",
            long_name="accuracy to which the lattice is refined",
            rule=POSITIVE,
            later=True,
            example=0.001,
        ),
    )
    spacing: float | None = field(
        default=None,
        metadata=declare(
            "Lattice spacing h; None takes the material's.",
            long_name="lattice spacing",
            unit="meV",
            symbol="$h$",
            rule=POSITIVE,
            example=0.25,
        ),
    )
    window: float | None = field(
        default=None,
        metadata=declare(
            "Upper edge of the quasiparticle lattice; None takes the material's.",
            long_name="upper edge of the quasiparticle lattice",
            unit="meV",
            rule=POSITIVE,
            example=800.0,
        ),
    )
    t_start: float = field(
        default=-0.6,
        metadata=declare(
            "First time of the result, relative to the maximum of the pulse.",
            long_name="first time of the result",
            unit="ps",
            rule=FINITE,
            shapes=True,
        ),
    )
    t_stop: float = field(
        default=0.7,
        metadata=declare(
            "Last time of the result.", long_name="last time of the result", unit="ps", rule=FINITE, shapes=True
        ),
    )
    n_times: int = field(
        default=53,
        metadata=declare(
            "Number of equidistant times in the result, both ends included.",
            long_name="number of equidistant times",
            rule=whole(2),
            shapes=True,
        ),
    )
    t_linear_stop: float | None = field(
        default=None,
        metadata=declare(
            "End of the equidistant times, where a tail of `n_tail` times in geometric progression, up to "
            "`t_stop`, begins; None for no tail.",
            long_name="end of the equidistant times",
            unit="ps",
            rule=POSITIVE,
            shapes=True,
            example=0.3,
        ),
    )
    n_tail: int = field(
        default=0,
        metadata=declare(
            "Number of times after `t_linear_stop`.",
            long_name="number of times in the tail",
            rule=whole(0),
            shapes=True,
            example=20,
        ),
    )
    times: tuple[float, ...] = field(
        default=(),
        metadata=declare(
            "Times of the result, increasing; they replace those set by `t_start`, `t_stop`, `n_times`, "
            "`t_linear_stop` and `n_tail`.",
            long_name="times of the result",
            unit="ps",
            rule=TIMES,
            shapes=True,
            example=(-0.5, 0.0, 0.5, 1.0),
        ),
    )
    rtol: float = field(
        default=1e-2,
        metadata=declare(
            "Relative tolerance of a time step, which also limits the change of the gap in a step.",
            long_name="relative tolerance of a time step",
            rule=POSITIVE,
        ),
    )
    atol: float = field(
        default=1e-4,
        metadata=declare(
            "Absolute tolerance of a time step, in occupation.",
            long_name="absolute tolerance of a time step",
            rule=POSITIVE,
        ),
    )
    gap_tol: float = field(
        default=1e-5,
        metadata=declare(
            "Relative residual below which the gap equation counts as solved.",
            long_name="tolerance of the gap equation",
            rule=POSITIVE,
        ),
    )
    integrator: Integrator = field(
        default="rkc",
        metadata=declare(
            "`rkc`, stabilised explicit, suitable for almost everything; `rosenbrock`, implicit, for "
            "microseconds and steady states; `dopri5`, of high order, as a reference.",
            long_name="method of integration",
        ),
    )
    transforms: Transforms = field(
        default="numpy",
        metadata=declare(
            "Library of a trajectory's Fourier transforms: `numpy`, or `fftw`, which is faster (extra "
            "`photogap[fftw]`); results agree within the tolerances.",
            long_name="library of Fourier transforms",
            later=True,
        ),
    )
    max_steps: int = field(
        default=100_000,
        metadata=declare(
            "Largest number of time steps, rejected ones included.",
            long_name="largest number of time steps",
            rule=whole(1),
        ),
    )
    energies: tuple[float, ...] = field(
        default=(),
        metadata=declare(
            "Quasiparticle energies at which f and Delta are recorded; empty records none.",
            long_name="recorded quasiparticle energies",
            unit="meV",
            rule=LEVELS,
            shapes=True,
            example=(1.0, 5.0, 170.0),
        ),
    )
    frequencies: tuple[float, ...] = field(
        default=(),
        metadata=declare(
            "Phonon energies at which n is recorded; empty records none.",
            long_name="recorded phonon energies",
            unit="meV",
            rule=LEVELS,
            shapes=True,
            example=(5.0, 30.0),
        ),
    )
    thickness: float | None = field(
        default=None,
        metadata=declare(
            "Film thickness, `.inf` for a half space; None takes the material's. Transmission of the "
            "probe is recorded only if a finite `thickness` is given here.",
            long_name="film thickness",
            unit="nm",
            symbol="$d$",
            rule=POSITIVE_OR_INFINITE,
            remedy="use .inf for a half space",
            example=40.0,
        ),
    )
    substrate: Index = field(
        default=1.0,
        metadata=declare(
            "Refractive index of the medium below the film: a number, a medium's name, or the medium's file.",
            long_name="refractive index below the film",
            rule=INDEX,
            example="silicon",
        ),
    )
    cover: Index = field(
        default=1.0,
        metadata=declare(
            "Refractive index of the transparent medium from which the light comes: a number, a medium's name, or "
            "its file.",
            long_name="refractive index above the film",
            rule=INDEX,
            example=1.5,
        ),
    )
    slabs: int = field(
        default=1,
        metadata=declare(
            "Number of slabs of the film, each with its own f, n and Delta; a transfer matrix distributes the "
            "pump energy. Series are then means over the depth.",
            long_name="number of slabs",
            rule=whole(1),
            example=4,
        ),
    )
    phonon_velocity: float = field(
        default=0.0,
        metadata=declare(
            "Velocity at which phonons pass from slab to slab (`transport`); 0 keeps them in their slab.",
            long_name="velocity of phonons across the film",
            unit="nm ps^-1",
            rule=NOT_NEGATIVE,
            example=1.0,
        ),
    )
    depth_profile: bool = field(
        default=False,
        metadata=declare(
            "Whether gap, quasiparticles and phonons of each slab are recorded, in addition to their means.",
            long_name="whether each slab is recorded",
        ),
    )
    omega_probe: float | None = field(
        default=None,
        metadata=declare(
            "Photon energy of the probe; None records no optics.",
            long_name="photon energy of the probe",
            unit="meV",
            symbol=r"$\hbar\omega_\mathrm{probe}$",
            rule=POSITIVE,
            example=5.0,
        ),
    )
    probe_amplitude: bool = field(
        default=False,
        metadata=declare(
            "Whether the complex reflection coefficient of the probe, and the conductivity of the slab next to the "
            "light, are recorded.",
            long_name="whether the probe's complex reflection is recorded",
            later=True,
        ),
    )
    scattering_rate: float | None = field(
        default=None,
        metadata=declare(
            "hbar / tau of elastic scattering, for the probe; None is the dirty limit.",
            long_name="hbar / tau of elastic scattering",
            unit="meV",
            rule=POSITIVE,
            example=10.0,
        ),
    )
    tau_probe: float = field(
        default=0.0,
        metadata=declare(
            "Duration (FWHM) of the probe, over which the measured signal is smeared; 0 for no smearing.",
            long_name="duration of the probe (FWHM)",
            unit="ps",
            symbol=r"$\tau_\mathrm{probe}$",
            rule=NOT_NEGATIVE,
            example=0.1,
        ),
    )
    smear_gap: bool = field(
        default=False,
        metadata=declare(
            "Whether hbar / Delta0 widens the probe.", long_name="whether hbar / Delta0 widens the probe"
        ),
    )
    tail_amplitude: float = field(
        default=0.0,
        metadata=declare(
            "Signal of the reheated substrate relative to the trace's extreme value; 0 adds nothing.",
            long_name="amplitude of the substrate's tail",
            rule=NOT_NEGATIVE,
            example=0.2,
        ),
    )
    tail_decay: float = field(
        default=3000.0,
        metadata=declare(
            "Decay time of the reheated substrate's signal.",
            long_name="decay time of the substrate's tail",
            unit="ps",
            rule=POSITIVE,
        ),
    )

    def __post_init__(self) -> None:
        """Refuse values without meaning."""
        check_fields(self)
        for joint in SETTINGS_RULES:
            joint.refuse(self)
