"""Driven points to a requested accuracy, computed on finer lattices until their series agree.

Near a threshold of the drive, the lattice decides when a gap opens, and so how long it lasts. Series are therefore
compared by the mean of their difference over the times of the result, which changes little if a gap opens a little
later.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from .accuracy import AccuracyError, Numbers, choose_lattice
from .constants import KB
from .result import Outcome, Result
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
    lattice = {"spacing": choice.spacing, "window": choice.window, "lattices": float(choice.tried)}
    return replace(best, diagnostics=best.diagnostics | lattice)


def _stands(point: Point, settings: Settings, check: Callable[[Point, Settings], None]) -> bool:
    """Return whether the point can be computed on a coarser lattice."""
    try:
        check(point, settings)
        point.material.spectrum.on_lattice(settings.spacing or point.material.spacing)
    except ValueError:
        return False
    return bool((settings.window or point.material.window) > 2 * point.material.spectrum.omega[-1])


def _estimate(result: Result, point: Point) -> Numbers:
    thermal = KB * point.material.Tc0
    if result.outcome is not Outcome.OK:
        nothing = np.full(len(COMPARED), np.nan)
        return Numbers(nothing, np.full(len(COMPARED), thermal), COMPARED, result)
    values = np.stack([result.data[name] for name in COMPARED])
    gap = max(float(values[:2].max()), 0.1 * thermal)
    energy = max(float(result.data["absorbed_energy_density"]), point.material.N0 * thermal**2)
    return Numbers(values, np.array([gap, gap, energy, energy]), COMPARED, result)
