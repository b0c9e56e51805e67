"""The pure task: one point in, one result out."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np

from .collisions import Film
from .dynamics import MOST_PHOTONS, Model, Sample, Trajectory, integrate
from .eliashberg import Coupling
from .gap import GapSolution
from .integrators import METHODS
from .lattice import Array, Lattice
from .material import Material
from .optics.film import absorbed_energy_density, refractive_index
from .optics.stack import equal_slabs, slab_energy_densities
from .probe import check_probe, film_thickness, observe_probe, substrate_index
from .pump import Pump
from .result import Outcome, Result, coordinates
from .roots import secant
from .settings import Damping, Point, Settings
from .tc import calibrate_mu_star
from .thermal import bose, fermi
from .tracking import GapError, GapTracker
from .windows import build_ladder

MODEL_VERSION: Final = "1"
"""Version of what `simulate` computes: part of a point's identity, raised when any number may change."""

DEPOSITED: Final = 2e-4
"""How far, relatively, the energy that a constant rate deposits may be from the absorbed energy."""
ROUGH: Final = 10.0
"""How much larger the tolerances of the trajectories are that only look for that rate, with the gap held."""
SLOPE: Final = 1.2
"""Rise of the logarithm of the deposited energy with that of the rate, before it is measured: more than one, since
quasiparticles that the pulse brought up absorb more."""


@lru_cache(maxsize=32)
def build_film(material: Material, spacing: float, window: float) -> Film:
    """The material's spectrum and densities on a lattice of `spacing` and `window` (meV)."""
    Omega, alpha2F, F = material.spectrum.on_lattice(spacing)
    lattice = Lattice(h=spacing, N=round(window / spacing), M=Omega.size - 1)
    return Film(lattice, alpha2F, F, material.N0, material.N_ion)


@lru_cache(maxsize=32)
def build_coupling(material: Material, spacing: float, window: float, damping: Damping) -> Coupling:
    """The material's coupling, mu_star stated or calibrated to Tc0."""
    film = build_film(material, spacing, window)
    coupling = Coupling(film.lattice, film.alpha2F, material.mu_star or 0.0, material.cutoff)
    return coupling if material.mu_star is not None else calibrate_mu_star(coupling, material.Tc0, damping)


@lru_cache(maxsize=64)
def build_equilibrium(
    material: Material, spacing: float, window: float, damping: Damping, T: float, tol: float
) -> GapSolution:
    """The gap before the pulse, at T (K): one solution for every point of a material at a temperature.

    Raises:
        GapError: if the gap equation does not converge.
    """
    return GapTracker(build_coupling(material, spacing, window, damping), damping, tol).solve_equilibrium(T)


def simulate(point: Point, settings: Settings) -> Result:
    """Trajectory of a film hit by a pulse.

    Args:
        point: Material, F0 (mJ/cm^2), omega_pump (meV), T (K), tau_esc (ps).
        settings: Model and numerics.
    Returns:
        The result: every variable of `variables(settings)` where the outcome is OK.
    Raises:
        ValueError: if point and settings contradict each other, before any work.
    """
    check(point, settings)
    material = point.material
    spacing, window = settings.spacing or material.spacing, settings.window or material.window
    films = build_ladder(lambda w: build_film(material, spacing, w), window, point.omega_pump)
    coupling = build_coupling(material, spacing, window, settings.damping)
    try:
        gap = build_equilibrium(material, spacing, window, settings.damping, point.T, settings.gap_tol)
    except GapError as error:
        return Result(outcome=Outcome.NOT_CONVERGED, message=f"{error}, in equilibrium")
    thickness, chi, U = _absorbed(point, settings)
    runs = []
    for U_slab in U:
        run = _Simulation(films, coupling, gap, _pump(point, settings, float(U_slab)), point, settings)
        runs.append(run.with_envelope() if settings.pump_rate == "envelope" else run.with_constant_rate())
        if runs[-1][0].outcome is not Outcome.OK:
            break
    diagnostics = _diagnostics(runs) | {"mu_star": coupling.mu_star}
    last = runs[-1][0]
    if last.outcome is not Outcome.OK:
        where = f"slab {len(runs)}: " if len(U) > 1 else ""
        return Result(outcome=last.outcome, message=where + last.message, diagnostics=diagnostics)
    # slabs are equal: the film's densities are their means
    layers = [_observe(trajectory.samples, films[-1], point, settings) for trajectory, _ in runs]
    data = {name: np.mean([layer[name] for layer in layers], axis=0) for name in layers[0]}
    mean_U = float(U.mean())
    data |= {
        "chi": np.array(chi),
        "absorbed_energy_density": np.array(mean_U),
        "mu_star": np.array(coupling.mu_star),
    }
    data["ledger_error"] = np.array(_ledger_error(data, mean_U))
    if settings.omega_probe is not None:
        data |= observe_probe([trajectory.samples for trajectory, _ in runs], thickness, material, settings)
    return Result(outcome=Outcome.OK, data=data, diagnostics=diagnostics)


def check(point: Point, settings: Settings) -> None:
    """Refuse a point and settings that contradict each other, at no cost.

    Raises:
        ValueError: naming the setting, the rule and the value.
    """
    check_probe(point.material, settings)


def _absorbed(point: Point, settings: Settings) -> tuple[Array, float, Array]:
    """Thickness (nm) of each slab, the film's chi, and each slab's absorbed energy density (meV/nm^3)."""
    material, substrate = point.material, substrate_index(settings)
    thickness = film_thickness(material, settings)
    if settings.slabs == 1:
        chi, U = absorbed_energy_density(
            point.F0, point.omega_pump, material.rho_N, thickness, substrate,
            n_cover=settings.n_cover, eps_infinity=material.eps_infinity,
        )  # fmt: skip
        return np.array([thickness]), chi, np.array([U])
    slabs = equal_slabs(thickness, int(settings.slabs))
    n = np.full(slabs.size, refractive_index(1 / material.rho_N, point.omega_pump, material.eps_infinity))
    chis, energies = slab_energy_densities(point.F0, n, point.omega_pump, slabs, substrate, settings.n_cover)
    return slabs, float(chis.sum()), energies


def _pump(point: Point, settings: Settings, U: float) -> Pump:
    return Pump(
        omega_pump=point.omega_pump,
        tau_pump=settings.tau_pump or point.material.tau_pump,
        U=U,
        channels=settings.pump_channels,
        stimulated_emission=settings.stimulated_emission,
    )


def _diagnostics(runs: list[tuple[Trajectory, GapTracker]]) -> dict[str, float]:
    """Sums over the slabs."""
    counts = [trajectory.statistics for trajectory, _ in runs]
    return {
        "steps": float(sum(c.steps for c in counts)),
        "rejected_steps": float(sum(c.rejected for c in counts)),
        "evaluations": float(sum(c.evaluations for c in counts)),
        "gap_iterations": float(sum(tracker.iterations for _, tracker in runs)),
        "blocked_above": max(c.blocked_above for c in counts),
    }


class _Simulation:
    """A point ready to run, once or, for a constant rate, until the pulse deposits its energy."""

    def __init__(
        self, films: tuple[Film, ...], coupling: Coupling, gap: GapSolution, pump: Pump, point: Point,
        settings: Settings,
    ) -> None:  # fmt: skip
        # without a pulse nothing is high
        self.films = films if pump.U > 0 else films[-1:]
        self.coupling, self.gap, self.pump, self.point, self.settings = coupling, gap, pump, point, settings
        self.times = coordinates(settings)["time"]

    def with_envelope(self) -> tuple[Trajectory, GapTracker]:
        """Gamma at each time deposits the pulse's own power."""
        return self._run(self._envelope, self.times)

    def with_constant_rate(self) -> tuple[Trajectory, GapTracker]:
        """One Gamma_0, found so that the pulse deposits its energy."""
        begins, ends = max(self.times[0], self.pump.begins), min(self.times[-1], -self.pump.begins)
        if self.pump.U == 0.0 or not begins < ends:
            return self.with_envelope()
        times = np.linspace(begins, ends, 16)
        rough = self._run(self._envelope, times, rough=True)
        if rough[0].outcome is not Outcome.OK:
            rough = self._run(self._envelope, times)
            if rough[0].outcome is not Outcome.OK:
                return rough
        log_rate, slope = self._rough_rate(rough[0].samples, times)
        # The first trial at full accuracy is hardly ever the last: it need not outlive the pulse.
        pulse = self.times[: 1 + int(np.searchsorted(self.times, -self.pump.begins))]
        best: list[tuple[Trajectory, GapTracker]] = []

        def missing(log_rate: float) -> float:
            best[:] = [self._run(self._constant(log_rate), self.times if best else pulse)]
            return self._missing(best[0][0])

        try:
            log_rate, _ = secant(missing, log_rate, slope=slope, tol=DEPOSITED)
            if len(best[0][0].samples) < self.times.size:
                missing(log_rate)
        except ArithmeticError as error:
            message = f"no constant Gamma deposits the absorbed energy, the film saturates before: {error}"
            best[0] = (Trajectory(outcome=Outcome.NOT_CONVERGED, message=message), best[0][1])
        return best[0]

    def _rough_rate(self, samples: list[Sample], times: Array) -> tuple[float, float]:
        """Logarithm of Gamma_0 and the slope of `_missing` there, from rough trajectories.

        The exposure Int Gamma dt of `envelope` (its `samples`) comes near that of a constant rate: it is
        Int dU / (power at unit Gamma), the same if that power depends on the energy deposited alone. Two trials
        then measure the slope, unless the first lands on it.
        """
        exposure = np.trapezoid([s.Gamma for s in samples], times)
        x = math.log(exposure / np.trapezoid([self.pump.envelope(t) for t in times], times))
        y = self._missing(self._run(self._constant(x), times, rough=True)[0])
        if not 1e-3 < abs(y) < math.inf:
            return x, SLOPE
        step = -math.copysign(max(abs(y) / SLOPE, 0.03), y)
        slope = (self._missing(self._run(self._constant(x + step), times, rough=True)[0]) - y) / step
        return (x - y / slope, slope) if 0.1 < slope < 10.0 else (x, SLOPE)

    def _envelope(self, t: float, unit_power: float) -> float:
        # a film that takes no power at all is past saturation
        return self.pump.power(t) / unit_power if unit_power != 0.0 else MOST_PHOTONS / self.pump.tau_pump

    def _constant(self, log_rate: float) -> Callable[[float, float], float]:
        return lambda t, unit_power: math.exp(log_rate) * self.pump.envelope(t)

    def _missing(self, trajectory: Trajectory) -> float:
        """Logarithm of the energy deposited over what the pulse has brought; inf if it did not get there."""
        if trajectory.outcome is not Outcome.OK:
            return math.inf
        first, last = trajectory.samples[0], trajectory.samples[-1]
        return math.log(last.U_absorbed / (self.pump.deposited(last.t) - self.pump.deposited(first.t)))

    def _run(
        self, gamma: Callable[[float, float], float], times: Array, *, rough: bool = False
    ) -> tuple[Trajectory, GapTracker]:
        """Trajectory through `times` (ps).

        A rough one has looser tolerances and holds the gap, which costs most: what light deposits hardly feels it
        as long as photons are far above it.
        """
        lattice, T, settings = self.films[0].lattice, self.point.T, self.settings
        n_eq = bose(lattice.Omega, T)
        model = Model(
            film=self.films[0], narrower=self.films[1:], pump=self.pump, gamma=gamma, n_eq=n_eq,
            tau_esc=self.point.tau_esc,
        )  # fmt: skip
        held, loosen = (self.gap, ROUGH) if rough else (None, 1.0)
        tracker = GapTracker(self.coupling, settings.damping, settings.gap_tol, held)
        trajectory = integrate(
            model, tracker, METHODS[settings.integrator], times, fermi(lattice.E, T), n_eq, self.gap,
            rtol=loosen * settings.rtol, atol=loosen * settings.atol, max_steps=settings.max_steps, dt_max=math.inf,
        )  # fmt: skip
        return trajectory, tracker


def _ledger_error(data: dict[str, Array], U: float) -> float:
    """Largest defect of the energy ledger relative to the absorbed energy (or to U_qp's motion without one)."""
    kept = data["U_qp"] + data["U_ph"] + data["U_escaped"]
    scale = U if U > 0 else max(float(np.abs(data["U_qp"]).max()), 1e-300)
    return float(np.abs(kept - data["U_absorbed"] - data["U_gap"]).max()) / scale


def _observe(samples: list[Sample], film: Film, point: Point, settings: Settings) -> dict[str, Array]:
    """Time series and recorded fields of a trajectory."""
    lattice = film.lattice
    start = samples[0]
    edge = np.array([s.gap.edge for s in samples])
    Delta0 = np.array([s.gap.Delta0 for s in samples])
    times = np.array([s.t for s in samples])
    data = {
        "Delta0": Delta0,
        "gap_edge": edge,
        "f_gap": np.array([np.interp(e, s.E, s.f) for e, s in zip(edge, samples, strict=True)]),
        "f_pump": np.array(
            [np.interp(point.omega_pump + D, s.E, s.f, right=0.0) for D, s in zip(Delta0, samples, strict=True)]
        ),
        "Gamma": np.array([s.Gamma for s in samples]),
        "U_absorbed": np.array([s.U_absorbed for s in samples]),
        "U_qp": np.array([s.U_qp - start.U_qp for s in samples]),
        "U_ph": np.array([film.phonon_energy(s.n - start.n) for s in samples]),
        "U_escaped": np.array([s.U_escaped for s in samples]),
        "U_gap": np.array([s.U_gap for s in samples]),
        "Delta0_peak": np.array(Delta0.max()),
        "gap_duration": np.array(np.trapezoid((Delta0 > 0).astype(float), times)),
    }
    if settings.energies:
        E = np.array(settings.energies)
        # once the lattice has narrowed, nothing is left above it
        data["f"] = np.array([np.interp(E, s.E, s.f, right=0.0) for s in samples])
        data["f"][:, samples[0].E[-1] < E] = np.nan
        for name, values in (
            ("Delta_real", [s.gap.Delta.real for s in samples]),
            ("Delta_imag", [s.gap.Delta.imag for s in samples]),
        ):
            data[name] = np.array([np.interp(E, lattice.E, v, right=np.nan) for v in values])
    if settings.frequencies:
        Omega = np.array(settings.frequencies)
        data["n"] = np.array([np.interp(Omega, lattice.Omega, s.n, right=np.nan) for s in samples])
    return data
