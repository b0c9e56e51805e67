"""Driven points to a requested accuracy, computed on finer lattices until their series agree.

Near a threshold of the drive, the lattice decides when a gap opens, and so how long it lasts. Series are therefore
compared by the mean of their difference over the times of the result, which changes little if a gap opens a little
later. The duration of the gap is not held to the accuracy: without lifetimes it grows with every halving of the
spacing (`DURATION_ORDER`), by times of ever smaller gaps. Its error is an output.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from .accuracy import AccuracyError, Numbers, choose_lattice
from .constants import KB
from .lattice import Array
from .result import DURATION_ORDER, Outcome, Result, coordinates
from .settings import Point, Settings

COMPARED: Final = ("Delta0", "gap_edge", "U_qp", "U_ph")
"""Series that must agree; all other outputs of a point derive from the same quantities."""

_FINER: Final = 16
"""Cells of the finest lattice, relative to the material's."""


def simulate_to_accuracy(
    point: Point,
    settings: Settings,
    run: Callable[[Point, Settings], Result],
    check: Callable[[Point, Settings], None],
) -> Result:
    """The point on a lattice that gives the series of `COMPARED` to `settings.accuracy`.

    Differences are means over the times of the result: for gaps, relative to the largest one (or kB Tc0 / 10, if
        larger), for energies, to the absorbed energy (or N0 (kB Tc0)^2).

    Args:
        point, settings: The point; the search starts from `spacing` and `window`, or the material's.
        run: Result on the lattice of its settings.
        check: Refuses settings that contradict the point.
    Returns:
        The result on the chosen lattice, which is recorded in its diagnostics; `NOT_CONVERGED` if the accuracy is
        out of reach.
    """
    assert settings.accuracy is not None
    results: list[Result] = []

    def estimate(h: float, top: float) -> Numbers:
        results.append(run(point, replace(settings, spacing=h, window=top, accuracy=None)))
        return _estimate(results[-1], point)

    spacing, window = settings.spacing or point.material.spacing, settings.window or point.material.window
    coarse = (spacing, window)
    for h, top in ((2 * spacing, window / 2), (2 * spacing, window)):
        if _stands(point, replace(settings, spacing=h, window=top, accuracy=None), check):
            coarse = (h, top)
            break
    try:
        choice = choose_lattice(
            estimate,
            spacing=coarse[0],
            window=coarse[1],
            rtol=settings.accuracy,
            orders=(1.0, 1.0),
            most_cells=round(_FINER * window / spacing),
        )
    except AccuracyError as error:
        failed = next((r for r in reversed(results) if r.outcome is not Outcome.OK), None)
        if failed is not None:
            return failed
        message = str(error).replace("`rtol`", "`accuracy`").replace(", move T away from Tc,", ", tighten `rtol`,")
        return Result(outcome=Outcome.NOT_CONVERGED, message=message, diagnostics=results[-1].diagnostics)
    best: Result = choice.best.state
    doubt = float(choice.error[-1]) / (2**DURATION_ORDER - 1) + _sampled(best.data["Delta0"], settings)
    lattice = {"spacing": choice.spacing, "window": choice.window, "lattices": float(choice.tried)}
    data = best.data | {"gap_duration_error": np.array(doubt)}
    return replace(best, data=data, diagnostics=best.diagnostics | lattice)


def lattice_for_accuracy(point: Point, settings: Settings, run: Callable[[Point, Settings], Result]) -> Settings:
    """The settings with the lattice that an accuracy chooses; unchanged without an accuracy or if it fails.

    Args:
        point, settings: The point.
        run: Result at the accuracy of its settings.
    """
    if settings.accuracy is None:
        return settings
    chosen = run(point, settings).diagnostics
    if "lattices" not in chosen:
        return settings
    return replace(settings, spacing=chosen["spacing"], window=chosen["window"], accuracy=None)


def _stands(point: Point, settings: Settings, check: Callable[[Point, Settings], None]) -> bool:
    """Return whether the point can be computed on a coarser lattice."""
    try:
        check(point, settings)
        point.material.spectrum.on_lattice(settings.spacing or point.material.spacing)
    except ValueError:
        return False
    return bool((settings.window or point.material.window) > 2 * point.material.spectrum.omega[-1])


def _sampled(Delta0: Array, settings: Settings) -> float:
    """Error (ps) of the gap's duration from its samples: half of each step in which a gap appears or vanishes."""
    steps, gapped = np.diff(coordinates(settings)["time"]), Delta0 > 0.0
    return 0.5 * float(steps[gapped[1:] != gapped[:-1]].sum())


def _estimate(result: Result, point: Point) -> Numbers:
    thermal, names = KB * point.material.Tc0, (*COMPARED, "gap_duration")
    if result.outcome is not Outcome.OK:
        return Numbers(np.full(len(names), np.nan), np.full(len(names), thermal), names, result)
    series = np.stack([result.data[name] for name in COMPARED])
    gap = max(float(series[:2].max()), 0.1 * thermal)
    energy = max(float(result.data["absorbed_energy_density"]), point.material.N0 * thermal**2)
    values = np.vstack([series, np.full(series.shape[1], float(result.data["gap_duration"]))])
    return Numbers(values, np.array([gap, gap, energy, energy, np.inf]), names, result)
