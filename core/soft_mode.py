"""A soft mode added to a material: one Gaussian peak of alpha2F, with mu_star recalibrated to the same Tc0."""

from dataclasses import replace
from functools import lru_cache
from typing import Final

from .declaration import Joint
from .material import Material
from .settings import Point, Settings
from .spectra import Peak, Spectrum

WIDTH: Final = 0.15
"""Standard deviation of the mode, relative to its energy; chosen here."""


def _refuse_soft_mode(point: Point, settings: Settings) -> None:
    """Refuse a soft mode for a material to which it cannot be added."""
    if settings.soft_lambda == 0.0:
        return
    material = point.material
    if not (material.spectrum.peaks and material.spectrum.one_matrix_element):
        raise ValueError(
            f"`soft_lambda` needs a material whose spectrum is given by `peaks` alone; add the mode to the "
            f"spectrum of {material.name!r} instead. Got {settings.soft_lambda!r}."
        )
    if material.mu_star is not None:
        raise ValueError(
            f"`soft_lambda` needs a material whose `mu_star` is calibrated to Tc0 (mu_star: null); "
            f"{material.name!r} states {material.mu_star!r}. Got {settings.soft_lambda!r}."
        )
    top = max(peak.centre for peak in material.spectrum.peaks)
    if settings.soft_energy >= top:
        raise ValueError(
            f"`soft_energy` must be below the highest mode of {material.name!r}, {top:.6g} meV. "
            f"Got {settings.soft_energy!r}."
        )


RULES: Final = (Joint(("material", "soft_lambda", "soft_energy"), _refuse_soft_mode),)


def softened(point: Point, settings: Settings) -> Point:
    """The point, with the soft mode of the settings in its material's spectrum."""
    if settings.soft_lambda == 0.0:
        return point
    material = _with_mode(point.material, settings.soft_lambda, settings.soft_energy)
    return replace(point, material=material)


@lru_cache(maxsize=64)
def _with_mode(material: Material, lambda_: float, energy: float) -> Material:
    mode = Peak(centre=energy, width=WIDTH * energy, lambda_=lambda_)
    return replace(material, spectrum=Spectrum.from_peaks([mode, *material.spectrum.peaks]))
