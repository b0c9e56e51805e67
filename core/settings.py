"""How a point is solved: every choice of model and numerics, each of them a possible axis of a sweep."""

import itertools
import math
from dataclasses import dataclass
from typing import Literal, get_args

from .material import Material
from .optics.indices import Index, check_index

Damping = Literal["full", "real"]
PumpChannels = Literal["scattering", "scattering+pair-breaking"]
PumpRate = Literal["constant", "envelope"]
Integrator = Literal["rkc", "dopri5", "rosenbrock"]


@dataclass(frozen=True, kw_only=True)
class Point:
    """One point of a sweep: the five axes that every cube has.

    Args:
        material: The film.
        F0: Incident fluence of the pump, mJ/cm^2, >= 0.
        omega_pump: Photon energy of the pump, meV.
        T: Temperature of the bath and of the film before the pulse, K.
        tau_esc: Time for phonons to escape into the substrate, ps; 0 holds them at the bath's temperature,
            `math.inf` keeps them in the film.
    """

    material: Material
    F0: float
    omega_pump: float
    T: float
    tau_esc: float

    def __post_init__(self) -> None:
        """Refuse what has no physical meaning."""
        if not (self.F0 >= 0 and math.isfinite(self.F0)):
            raise ValueError(f"`F0` must be zero or positive, in mJ/cm^2. Got {self.F0!r}.")
        if not (self.omega_pump > 0 and math.isfinite(self.omega_pump)):
            raise ValueError(f"`omega_pump` must be positive, in meV. Got {self.omega_pump!r}.")
        if not (self.T > 0 and math.isfinite(self.T)):
            raise ValueError(f"`T` must be positive, in K. Got {self.T!r}.")
        if not self.tau_esc >= 0:
            raise ValueError(
                "`tau_esc` must be zero or positive, in ps; 0 holds phonons at the bath's temperature, .inf keeps "
                f"them in the film. Got {self.tau_esc!r}."
            )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Model and numerics of a point.

    Args:
        damping: `full` keeps real and imaginary parts of the self-energies in the gap equation, `real` their
            real parts only (lifetimes neglected).
        pump_channels: `scattering` (the paper) moves quasiparticles E -> E + omega_pump;
            `scattering+pair-breaking` also lets a photon break a pair.
        stimulated_emission: Whether photons are also emitted, E -> E - omega_pump.
        pump_rate: `constant` (the paper) finds one Gamma whose deposited energy is the absorbed energy;
            `envelope` takes the instantaneous Gamma that deposits the pulse's own power.
        phonon_share: Share of the absorbed energy that goes into phonons of the photon's own energy, 0 to 1.
        tau_pump: Duration (FWHM) of the pump, ps; None takes the material's.
        spacing: Lattice spacing h, meV; None takes the material's.
        window: Upper edge of the quasiparticle lattice, meV; None takes the material's.
        t_start: First time of the result, ps, relative to the pulse's maximum.
        t_stop: Last time, ps.
        n_times: Number of equidistant times in the result, both ends included.
        t_linear_stop: Where the equidistant times end and a tail of `n_tail` times in geometric progression, up
            to `t_stop`, begins, ps, > 0; None has no tail.
        n_tail: Number of times after `t_linear_stop`.
        times: The times themselves, ps, increasing; overrides all five above.
        rtol: Relative tolerance of a time step; the gap's motion in a step is held to it as well.
        atol: Absolute tolerance of a time step, in occupation.
        gap_tol: Relative residual at which the gap equation counts as solved.
        integrator: `rkc`, stabilised and right for almost everything; `rosenbrock`, implicit, for microseconds and
            steady states; `dopri5`, of high order, for reference.
        max_steps: Largest number of time steps, rejected ones included.
        energies: Quasiparticle energies (meV) at which f and Delta are recorded; empty records none.
        frequencies: Phonon energies (meV) at which n is recorded; empty records none.
        thickness: Film thickness, nm, `math.inf` for a half space; None takes the material's. Transmission is
            recorded where it is given and finite.
        substrate: Refractive index of what lies below the film, a number or a medium (`optics.indices.Medium`).
        cover: Index of the transparent medium the light comes from, likewise.
        slabs: Slabs that the film is cut into, each with its own f, n and Delta; the pump's energy falls to each
            by a transfer matrix. Series are then means over the depth.
        phonon_velocity: Velocity of phonons, nm/ps, with which they pass from slab to slab (`transport`); 0 keeps
            them in theirs.
        depth_profile: Whether gap, quasiparticles and phonons of each slab are recorded beside the means.
        omega_probe: Photon energy of the probe, meV; None records no optics.
        scattering_rate: hbar / tau of elastic scattering, meV, for the probe; None is the dirty limit.
        tau_probe: Duration (FWHM) of the probe, ps, over which what is seen is smeared; 0 is an instant.
        smear_gap: Whether hbar / Delta0 widens the probe.
        tail_amplitude: What the reheated substrate adds, relative to the trace's extreme value; 0 adds nothing.
        tail_decay: Its decay time, ps.
    """

    damping: Damping = "full"
    pump_channels: PumpChannels = "scattering"
    stimulated_emission: bool = True
    pump_rate: PumpRate = "envelope"
    phonon_share: float = 0.0
    tau_pump: float | None = None
    spacing: float | None = None
    window: float | None = None
    t_start: float = -0.6
    t_stop: float = 0.7
    n_times: int = 53
    t_linear_stop: float | None = None
    n_tail: int = 0
    times: tuple[float, ...] = ()
    rtol: float = 1e-2
    atol: float = 1e-4
    gap_tol: float = 1e-5
    integrator: Integrator = "rkc"
    max_steps: int = 100_000
    energies: tuple[float, ...] = ()
    frequencies: tuple[float, ...] = ()
    thickness: float | None = None
    substrate: Index = 1.0
    cover: Index = 1.0
    slabs: int = 1
    phonon_velocity: float = 0.0
    depth_profile: bool = False
    omega_probe: float | None = None
    scattering_rate: float | None = None
    tau_probe: float = 0.0
    smear_gap: bool = False
    tail_amplitude: float = 0.0
    tail_decay: float = 3000.0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        for key, kind in (
            ("damping", Damping),
            ("pump_channels", PumpChannels),
            ("pump_rate", PumpRate),
            ("integrator", Integrator),
        ):
            if getattr(self, key) not in get_args(kind):
                raise ValueError(f"`{key}` must be one of {', '.join(get_args(kind))}. Got {getattr(self, key)!r}.")
        positive = ("tau_pump", "spacing", "window", "rtol", "atol", "gap_tol", "max_steps")
        for key in (*positive, "slabs", "omega_probe", "scattering_rate", "tail_decay"):
            value = getattr(self, key)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise ValueError(f"`{key}` must be positive. Got {value!r}.")
        if not 0.0 <= self.phonon_share <= 1.0:
            raise ValueError(f"`phonon_share` must lie between 0 and 1. Got {self.phonon_share!r}.")
        if not (math.isfinite(self.t_start) and math.isfinite(self.t_stop) and self.t_stop > self.t_start):
            raise ValueError(f"`t_stop` must be later than `t_start` ({self.t_start!r} ps). Got {self.t_stop!r}.")
        if self.n_times < 2:
            raise ValueError(f"`n_times` must be at least 2. Got {self.n_times!r}.")
        self._check_times()
        self._check_optics()
        for key in ("energies", "frequencies"):
            values = getattr(self, key)
            if any(not x >= 0 for x in values) or any(b <= a for a, b in itertools.pairwise(values)):
                raise ValueError(f"`{key}` must be >= 0 and increasing, in meV. Got {values!r}.")

    def _check_times(self) -> None:
        stop = self.t_linear_stop
        if stop is not None and not max(self.t_start, 0.0) < stop < self.t_stop:
            raise ValueError(
                f"`t_linear_stop` must be positive, after `t_start` and before `t_stop` ({self.t_stop!r} ps). "
                f"Got {stop!r}."
            )
        if (self.n_tail > 0) != (stop is not None) or self.n_tail < 0:
            raise ValueError(
                f"`n_tail` must be positive with `t_linear_stop` and zero without it. Got {self.n_tail!r}."
            )
        increasing = all(b > a for a, b in itertools.pairwise(self.times)) and all(map(math.isfinite, self.times))
        if not increasing or len(self.times) == 1:
            raise ValueError(f"`times` must be two or more increasing times, in ps. Got {self.times!r}.")

    def _check_optics(self) -> None:
        if self.thickness is not None and not self.thickness > 0:
            raise ValueError(
                f"`thickness` must be positive, in nm; use .inf for a half space. Got {self.thickness!r}."
            )
        check_index("substrate", self.substrate)
        check_index("cover", self.cover)
        for key in ("phonon_velocity", "tau_probe", "tail_amplitude"):
            value = getattr(self, key)
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"`{key}` must be zero or positive. Got {value!r}.")
        if self.slabs != int(self.slabs):
            raise ValueError(f"`slabs` must be a whole number. Got {self.slabs!r}.")
        if self.depth_profile and not (self.slabs > 1 and math.isfinite(self.thickness or math.inf)):
            raise ValueError(
                "`depth_profile` needs `slabs` above 1 and a finite `thickness`, in nm, both in `settings` and no "
                f"axes: they label the depth. Got slabs = {self.slabs!r} and thickness = {self.thickness!r}."
            )
