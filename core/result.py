"""Result of a simulation: an outcome, labelled series, and the schema that a cube is built from."""

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .settings import Settings

Array = NDArray[np.float64]


class Outcome(enum.Enum):
    """Outcome of a simulation; anything but OK is a result with its reason, not an exception."""

    OK = "ok"
    NOT_CONVERGED = "not_converged"
    STEP_TOO_SMALL = "step_too_small"
    TOO_MANY_STEPS = "too_many_steps"
    SATURATED = "saturated"


@dataclass(frozen=True)
class Variable:
    """One output of a simulation.

    Args:
        name: Name in the cube.
        dims: Axes beyond the sweep's own: () for a scalar, else from `time`, `energy`, `frequency`, `depth`.
        units: CF units; "1" for a dimensionless number.
        long_name: Meaning in a few words.
        symbol: Symbol in print; empty if the name suffices.
        may_be_infinite: Whether infinity is a valid value rather than a failure.
        relative: Whether it is a share or a relative change, which print gives in percent.
        order: Lowest order in which its numerical error falls with the lattice's spacing.
    """

    name: str
    dims: tuple[str, ...]
    units: str
    long_name: str
    symbol: str = ""
    may_be_infinite: bool = False
    relative: bool = False
    order: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Result:
    """Outcome of one point.

    Args:
        outcome: The outcome.
        message: Empty for OK, else the reason in words.
        data: One array per `Variable` of `variables(settings)`, of the shape of its dims; absent if not OK.
        diagnostics: Numbers for `replay`: steps, rejected steps, gap iterations, residuals.
    """

    outcome: Outcome
    message: str = ""
    data: dict[str, Array] = field(default_factory=dict)
    diagnostics: dict[str, float] = field(default_factory=dict)


def coordinates(settings: Settings) -> dict[str, Array]:
    """Labels of the dims beyond the sweep's own: time (ps), energy (meV), frequency (meV), depth (nm)."""
    out = {"time": _times(settings)}
    if settings.energies:
        out["energy"] = np.array(settings.energies)
    if settings.frequencies:
        out["frequency"] = np.array(settings.frequencies)
    if settings.depth_profile:
        assert settings.thickness is not None
        out["depth"] = (np.arange(settings.slabs) + 0.5) * settings.thickness / settings.slabs
    return out


def _times(settings: Settings) -> Array:
    if settings.times:
        return np.array(settings.times)
    if settings.t_linear_stop is None:
        return np.linspace(settings.t_start, settings.t_stop, settings.n_times)
    linear = np.linspace(settings.t_start, settings.t_linear_stop, settings.n_times)
    tail = np.geomspace(settings.t_linear_stop, settings.t_stop, settings.n_tail + 1)
    return np.concatenate([linear, tail[1:]])


DURATION_ORDER: Final = 0.5
"""Lowest order of `gap_duration` in the spacing.

Without lifetimes a driven gap falls exponentially and ends near half the spacing: each halving lengthens it by
nearly the same time (0.095, 0.065, 0.06 and 0.05 ps for K3C60 at 120 K and 1 mJ/cm^2 from 0.5 meV on).
"""
_SERIES = (
    Variable("Delta0", ("time",), "meV", "gap parameter at zero energy, Re phi(0) / Re Z(0)", r"$\Delta_0$"),
    Variable("gap_edge", ("time",), "meV", "gap edge, Re Delta(E) = E", r"$E_\mathrm{g}$"),
    Variable("f_gap", ("time",), "1", "quasiparticle occupation at the gap edge", r"$f(E_\mathrm{g})$"),
    Variable(
        "f_pump",
        ("time",),
        "1",
        "quasiparticle occupation at omega_pump + Delta0",
        r"$f(\hbar\omega_\mathrm{pump}+\Delta_0)$",
    ),
    Variable("Gamma", ("time",), "ps^-1", "absorption rate of the pump", r"$\Gamma$"),
    Variable("U_absorbed", ("time",), "meV nm^-3", "energy absorbed from the pump", r"$U_\mathrm{abs}$"),
    Variable("U_qp", ("time",), "meV nm^-3", "energy of quasiparticles above equilibrium", r"$U_\mathrm{qp}$"),
    Variable("U_ph", ("time",), "meV nm^-3", "energy of phonons above equilibrium", r"$U_\mathrm{ph}$"),
    Variable("U_escaped", ("time",), "meV nm^-3", "energy escaped with phonons", r"$U_\mathrm{esc}$"),
    Variable(
        "U_gap", ("time",), "meV nm^-3", "energy given to quasiparticles by the changing gap", r"$U_\mathrm{gap}$"
    ),
)
_SCALARS = (
    Variable("Delta0_peak", (), "meV", "largest Delta0 at any time", r"Peak $\Delta_0$"),
    Variable("gap_duration", (), "ps", "time for which a gap exists", order=DURATION_ORDER),
    Variable("gap_unresolved", (), "ps", "time for which a gap exists that is smaller than the lattice's spacing"),
    Variable("chi", (), "1", "absorbed fraction of the pump", r"$\chi$", relative=True),
    Variable("absorbed_energy_density", (), "meV nm^-3", "energy density absorbed from the pump"),
    Variable("mu_star", (), "1", "Coulomb pseudopotential", r"$\mu^*$"),
    Variable("ledger_error", (), "1", "energy ledger's defect relative to the absorbed energy", relative=True),
    Variable(
        "overrun",
        (),
        "1",
        "share of the absorption missed at the end of the lattice",
        relative=True,
    ),
)
_DURATION_ERROR = Variable("gap_duration_error", (), "ps", "estimated numerical error of gap_duration")
_STEADY = Variable(
    "steady_time", (), "ps", "time from which the pumped film is steady, infinite for never", may_be_infinite=True
)
_F = Variable("f", ("time", "energy"), "1", "quasiparticle occupation", "$f$")
_DELTA = (
    Variable("Delta_real", ("time", "energy"), "meV", "real part of the gap function", r"Re $\Delta$"),
    Variable("Delta_imag", ("time", "energy"), "meV", "imaginary part of the gap function", r"Im $\Delta$"),
)
_N = Variable("n", ("time", "frequency"), "1", "phonon occupation", "$n$")
_DEPTH = (
    Variable("Delta0_slab", ("time", "depth"), "meV", "gap parameter of each slab", r"$\Delta_0$"),
    Variable("f_gap_slab", ("time", "depth"), "1", "quasiparticle occupation at each slab's gap edge"),
    Variable("n_qp_slab", ("time", "depth"), "nm^-3", "number density of each slab's quasiparticles"),
    Variable("U_qp_slab", ("time", "depth"), "meV nm^-3", "energy of each slab's quasiparticles above equilibrium"),
    Variable("U_ph_slab", ("time", "depth"), "meV nm^-3", "energy of each slab's phonons above equilibrium"),
    Variable("absorbed_energy_density_slab", ("depth",), "meV nm^-3", "energy density absorbed by each slab"),
)
_PROBE = (
    Variable("sigma1", ("time",), "ohm^-1 nm^-1", "real part of the conductivity at the probe", r"$\sigma_1$"),
    Variable("sigma2", ("time",), "ohm^-1 nm^-1", "imaginary part of the conductivity at the probe", r"$\sigma_2$"),
    Variable("n_real", ("time",), "1", "real part of the refractive index at the probe", "Re $n$"),
    Variable("n_imag", ("time",), "1", "imaginary part of the refractive index at the probe", "Im $n$"),
    Variable("penetration_depth", ("time",), "nm", "penetration depth of the probe's intensity", r"$\delta$"),
    Variable("R", ("time",), "1", "reflectance of the film at the probe", "$R$"),
    Variable("dR_R0", ("time",), "1", "relative change of the reflectance", r"$\Delta R/R_0$", relative=True),
    Variable(
        "dR_R0_seen",
        ("time",),
        "1",
        "relative change of the reflectance as measured",
        r"$\Delta R/R_0$, as seen",
        relative=True,
    ),
)
_AMPLITUDE = (
    Variable("r_real", ("time",), "1", "real part of the reflection coefficient at the probe", "Re $r$"),
    Variable("r_imag", ("time",), "1", "imaginary part of the reflection coefficient at the probe", "Im $r$"),
    Variable("sigma1_top", ("time",), "ohm^-1 nm^-1", "real part of the topmost slab's conductivity at the probe"),
    Variable(
        "sigma2_top", ("time",), "ohm^-1 nm^-1", "imaginary part of the topmost slab's conductivity at the probe"
    ),
)
_TRANSMISSION = (
    Variable("T_film", ("time",), "1", "transmittance of the film at the probe", r"$\mathcal{T}$"),
    Variable("dT_T0", ("time",), "1", "relative change of the transmittance", r"$\Delta T/T_0$", relative=True),
    Variable(
        "dT_T0_seen",
        ("time",),
        "1",
        "relative change of the transmittance as measured",
        r"$\Delta T/T_0$, as seen",
        relative=True,
    ),
)


@dataclass(frozen=True)
class Outputs:
    """Outputs that are switched on together.

    Args:
        variables: The outputs.
        by: Settings that switch them on; none for outputs that are always present.
        when: Whether they are on, from the values of those settings.
    """

    variables: tuple[Variable, ...]
    by: tuple[str, ...] = ()
    when: Callable[..., bool] = lambda: True


def _is_continuous(pump_shape: str) -> bool:
    return pump_shape == "continuous"


def _is_given(value: float | None) -> bool:
    return value is not None


def _is_seen_whole(omega_probe: float | None, probe_amplitude: bool) -> bool:
    return omega_probe is not None and probe_amplitude


def _is_transmitted(omega_probe: float | None, thickness: float | None) -> bool:
    """Nothing is transmitted through a half space."""
    return omega_probe is not None and thickness is not None and math.isfinite(thickness)


OUTPUTS = (
    Outputs(_SERIES + _SCALARS),
    Outputs((_DURATION_ERROR,), ("accuracy",), _is_given),
    Outputs((_STEADY,), ("pump_shape",), _is_continuous),
    Outputs((_F, *_DELTA), ("energies",), bool),
    Outputs((_N,), ("frequencies",), bool),
    Outputs(_DEPTH, ("depth_profile",), bool),
    Outputs(_PROBE, ("omega_probe",), _is_given),
    Outputs(_AMPLITUDE, ("omega_probe", "probe_amplitude"), _is_seen_whole),
    Outputs(_TRANSMISSION, ("omega_probe", "thickness"), _is_transmitted),
)
"""Every output, in the cube's order."""

SWITCHES = tuple(dict.fromkeys(name for outputs in OUTPUTS for name in outputs.by))
"""Settings that switch outputs on or off."""


def variables(settings: Settings) -> tuple[Variable, ...]:
    """Every output that `simulate` returns under these settings, in the cube's order."""
    on = (o for o in OUTPUTS if o.when(*(getattr(settings, name) for name in o.by)))
    return tuple(variable for outputs in on for variable in outputs.variables)
