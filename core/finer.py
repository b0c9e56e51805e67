"""Finer numerics: the settings with which a point is computed again to see how far its numbers can be trusted."""

from dataclasses import replace

from .settings import Point, Settings


def finer(point: Point, settings: Settings) -> dict[str, Settings]:
    """Settings of the same physics with one numerical choice made finer, by what was changed.

    Every discretisation that `simulate` has is among them but the times of the result, which are the user's. What
    a change moves a number by is most of the error that the coarser choice leaves in it.

    Args:
        point: The point; its material's lattice is used where the settings give none.
        settings: Settings to refine; `slabs` are no discretisation where phonons pass between them (`transport`)
            or where they label the depth.
    """
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
