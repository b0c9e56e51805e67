"""Finer numerics: settings with which a point is computed again to estimate its numerical errors."""

from dataclasses import replace

from .driven_accuracy import lattice_for_accuracy
from .settings import Point, Settings
from .simulate import simulate


def finer(point: Point, settings: Settings) -> dict[str, Settings]:
    """Settings of the same physics with one numerical choice made finer, by the name of the changed choice.

    They cover every discretisation of `simulate` except the times of the result, which the user chooses. The change
    of a number is most of the error of the coarser choice.

    Where `accuracy` chooses the lattice, the chosen one is refined: a search from a finer start could end on it
    again.

    Args:
        point: The point; its material's lattice is used if the settings give none.
        settings: Settings to refine; `slabs` are not refined if phonons pass between them (`transport`) or if they
            label the depth.
    """
    settings = lattice_for_accuracy(point, settings, simulate)
    spacing, window = settings.spacing or point.material.spacing, settings.window or point.material.window
    out = {
        "spacing / 2": replace(settings, spacing=spacing / 2),
        "window x 2": replace(settings, window=2 * window),
        "rtol, atol / 10": replace(settings, rtol=settings.rtol / 10, atol=settings.atol / 10),
        "gap_tol / 10": replace(settings, gap_tol=settings.gap_tol / 10),
    }
    if settings.slabs > 1 and settings.phonon_velocity == 0 and not settings.depth_profile:
        out["slabs x 2"] = replace(settings, slabs=2 * settings.slabs)
    return out
