"""The pure task: one point in, one result out."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np

from . import optical_trace, processes, soft_mode
from .declaration import Joint
from .deposition import Deposited, Deposition
from .driven_accuracy import simulate_to_accuracy
from .kinetics import Film
from .lattice import Array, Lattice
from .material import Material
from .optical_trace import film_thickness, observe_probe, surroundings
from .optics.film import absorbed_energy_density, refractive_index
from .optics.stack import equal_slabs, slab_energy_densities
from .pairing.eliashberg import Coupling
from .pairing.gap import GapSolution
from .pairing.pseudopotential import from_convention
from .pairing.tc import calibrate_mu_star
from .pairing.tracking import GapError, GapTracker
from .result import Outcome, Result, coordinates
from .series import film_series, ledger_error, overrun, steady_time
from .settings import Damping, Point, Settings
from .terms.pump import Pump
from .transforms import using
from .windows import build_ladder

MODEL_VERSION: Final = "5"
"""Version of the results of `simulate`: part of a point's identity, raised when any number may change."""

MOST_CELLS: Final = 200_000
"""Quasiparticle cells of the finest lattice, whose memory and time are still acceptable for a point."""


@lru_cache(maxsize=64)
def build_film(material: Material, spacing: float, window: float) -> Film:
    """The material's spectrum and densities on a lattice of `spacing` and `window` (meV)."""
    Omega, alpha2F, F = material.spectrum.on_lattice(spacing)
    lattice = Lattice(h=spacing, N=round(window / spacing), M=Omega.size - 1)
    return Film(lattice, alpha2F, F, material.N0, material.N_ion)


@lru_cache(maxsize=64)
def build_rung(material: Material, spacing: float, window: float, gap_window: float) -> Film:
    """The film on a lattice of the kinetic equations up to `window`; rho = 1, p = 0 above `gap_window` (meV)."""
    return replace(build_film(material, spacing, window), gap_cells=round(gap_window / spacing))


# Points share couplings and equilibria, whichever library their trajectories use.
@lru_cache(maxsize=32)
@using("numpy")
def build_coupling(material: Material, spacing: float, window: float, damping: Damping) -> Coupling:
    """The material's coupling, mu_star stated or calibrated to Tc0."""
    coupling = build_bare_coupling(material, spacing, window)
    if material.mu_star is None:
        return calibrate_mu_star(coupling, material.Tc0, damping)
    return from_convention(coupling, material.spectrum, material.mu_star, material.mu_star_at, guess=material.Tc0)


def build_bare_coupling(material: Material, spacing: float, window: float) -> Coupling:
    """The material's coupling without mu_star."""
    film = build_film(material, spacing, window)
    return Coupling(film.lattice, film.alpha2F, 0.0, material.cutoff)


@lru_cache(maxsize=64)
@using("numpy")
def build_equilibrium(
    material: Material, spacing: float, window: float, damping: Damping, T: float, tol: float
) -> GapSolution:
    """The gap before the pulse, at T (K): one solution for every point of a material at a temperature.

    Raises:
        GapError: if the gap equation does not converge.
    """
    return GapTracker(build_coupling(material, spacing, window, damping), damping, tol).solve_equilibrium(T)


def simulate(point: Point, settings: Settings) -> Result:
    """Trajectory of a film under a pulse.

    Args:
        point: Material, F0 (mJ/cm^2), omega_pump (meV), T (K), tau_esc (ps).
        settings: Model and numerics.
    Returns:
        The result: every variable of `variables(settings)` if the outcome is OK.
    Raises:
        ValueError: if point and settings contradict each other, before any work.
        MissingLibraryError: if the library of `transforms` is not installed, before any work.
    """
    check(point, settings)
    point = soft_mode.softened(point, settings)
    with using(settings.transforms):
        if settings.accuracy is not None:
            return simulate_to_accuracy(point, settings, _on_lattice, check)
        return _on_lattice(point, settings)


def _on_lattice(point: Point, settings: Settings) -> Result:
    """Trajectory on the lattice of the settings, or of the material."""
    material = point.material
    spacing, window = settings.spacing or material.spacing, settings.window or material.window
    ladder = build_ladder(lambda w: build_rung(material, spacing, w, window), window, point.omega_pump)
    coupling = build_coupling(material, spacing, window, settings.damping)
    try:
        gap = build_equilibrium(material, spacing, window, settings.damping, point.T, settings.gap_tol)
    except GapError as error:
        return Result(outcome=Outcome.NOT_CONVERGED, message=f"{error}, in equilibrium")
    thickness, chi, U = _absorbed(point, settings)
    pumps = [_pump(point, settings, float(u)) for u in U]
    joint = processes.joint_terms(settings, float(thickness[0]))
    groups = [pumps] if joint else [[pump] for pump in pumps]
    runs = []
    for group in groups:
        run = Deposition(ladder, coupling, gap, group, joint, point, settings)
        runs.append(run.with_envelope() if settings.pump_rate == "envelope" else run.with_constant_rate())
        if runs[-1].trajectory.outcome is not Outcome.OK:
            break
    diagnostics = _diagnostics(runs) | {"mu_star": coupling.mu_star}
    last = runs[-1].trajectory
    if last.outcome is not Outcome.OK:
        where = f"slab {len(runs)}: " if len(groups) > 1 else ""
        return Result(outcome=last.outcome, message=where + last.message, diagnostics=diagnostics)
    slabs = [samples for run in runs for samples in run.trajectory.slabs]
    data = film_series(slabs, ladder.film(ladder.last), point, settings)
    mean_U = float(U.mean())
    data |= {
        "chi": np.array(chi),
        "absorbed_energy_density": np.array(mean_U),
        "mu_star": np.array(coupling.mu_star),
    }
    if settings.depth_profile:
        data["absorbed_energy_density_slab"] = U
    if settings.pump_shape == "continuous":
        data["steady_time"] = np.array(steady_time(data, coordinates(settings)["time"]))
        mean_U = max(mean_U, float(data["U_absorbed"][-1]))
    data["ledger_error"] = np.array(ledger_error(data, mean_U))
    data["overrun"] = np.array(overrun(slabs))
    if settings.omega_probe is not None:
        data |= observe_probe(slabs, thickness, material, settings)
    return Result(outcome=Outcome.OK, data=data, diagnostics=diagnostics)


def check(point: Point, settings: Settings) -> None:
    """Refuse a point and settings that contradict each other, at little cost.

    Raises:
        ValueError: naming the setting, the rule and the value.
    """
    for rule in RULES:
        rule.refuse(point, settings)


def _refuse_photon_below_spacing(point: Point, settings: Settings) -> None:
    spacing = settings.spacing or point.material.spacing
    if point.omega_pump < spacing:
        raise ValueError(
            f"`omega_pump` must be at least the lattice spacing, {spacing:g} meV, to be resolved. "
            f"Is it in meV? Got {point.omega_pump!r}."
        )


def _refuse_lattice(point: Point, settings: Settings) -> None:
    """Refuse a lattice that does not resolve the spectrum, or ends below it."""
    material = soft_mode.softened(point, settings).material
    spacing, window = settings.spacing or material.spacing, settings.window or material.window
    cells, top = round(window / spacing), material.spectrum.omega[-1]
    if cells <= math.ceil(top / spacing):
        raise ValueError(
            f"`window` must exceed the highest phonon energy of {material.name}, {top:.6g} meV, by more than "
            f"`spacing`, {spacing:g} meV. Got {window!r}."
        )
    if cells > MOST_CELLS:
        raise ValueError(
            f"`spacing` must be at least `window` / {MOST_CELLS}, {window / MOST_CELLS:.3g} meV for "
            f"{material.name}. Got {spacing!r}."
        )
    try:
        build_film(material, spacing, window)
    except ValueError as error:
        raise ValueError(str(error).replace("`h`", "`spacing`", 1)) from None


def _refuse_records(point: Point, settings: Settings) -> None:
    """Refuse to record f and Delta above the gap equation's window, or n above the phonons."""
    h, window = settings.spacing or point.material.spacing, settings.window or point.material.window
    top = math.ceil(point.material.spectrum.omega[-1] / h) * h
    for key, values, end, what in (
        ("energies", settings.energies, window - h / 2, "the last of `window`"),
        ("frequencies", settings.frequencies, top, "the highest phonon"),
    ):
        if values and values[-1] > end:
            name = point.material.name
            raise ValueError(f"`{key}` must not exceed {what}, {end:g} meV for {name}. Got {values[-1]!r}.")


RULES: Final = (
    *soft_mode.RULES,
    Joint(("material", "spacing", "window", "soft_lambda", "soft_energy"), _refuse_lattice),
    Joint(("material", "spacing", "omega_pump"), _refuse_photon_below_spacing),
    *optical_trace.RULES,
    *processes.RULES,
    Joint(("material", "spacing", "window", "energies", "frequencies"), _refuse_records),
)
"""Rules that bind a point and its settings; a sweep checks each for all combinations of its axes before it
starts."""


def _absorbed(point: Point, settings: Settings) -> tuple[Array, float, Array]:
    """Thickness (nm) of each slab, the film's chi, and each slab's absorbed energy density (meV/nm^3)."""
    material = point.material
    substrate, cover = surroundings(settings, point.omega_pump)
    thickness = film_thickness(material, settings)
    if settings.slabs == 1:
        chi, U = absorbed_energy_density(
            point.F0, point.omega_pump, material.rho_N, thickness, substrate,
            n_cover=cover, eps_infinity=material.eps_infinity,
        )  # fmt: skip
        return np.array([thickness]), chi, np.array([U])
    slabs = equal_slabs(thickness, int(settings.slabs))
    n = np.full(slabs.size, refractive_index(1 / material.rho_N, point.omega_pump, material.eps_infinity))
    chis, energies = slab_energy_densities(point.F0, n, point.omega_pump, slabs, substrate, cover)
    return slabs, float(chis.sum()), energies


def _pump(point: Point, settings: Settings, U: float) -> Pump:
    return Pump(
        omega_pump=point.omega_pump,
        tau_pump=settings.tau_pump or point.material.tau_pump,
        U=(1 - settings.phonon_share) * U,
        U_ph=settings.phonon_share * U,
        channels=settings.pump_channels,
        pair_breaking_share=settings.pair_breaking_share,
        stimulated_emission=settings.stimulated_emission,
        shape=settings.pump_shape,
    )


def _diagnostics(runs: Sequence[Deposited]) -> dict[str, float]:
    """Totals over the slabs; slabs that exchange phonons share their steps and are counted once."""
    counts = [run.trajectory.statistics for run in runs]
    return {
        "steps": float(sum(c.steps for c in counts)),
        "rejected_steps": float(sum(c.rejected for c in counts)),
        "evaluations": float(sum(c.evaluations for c in counts)),
        "gap_iterations": float(sum(run.gap_iterations for run in runs)),
        "blocked_above": max(c.blocked_above for c in counts),
    }
