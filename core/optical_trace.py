r"""Optical response along a trajectory: conductivity, index, and the change of reflection and transmission.

At each sampled time the gap function and the occupation give sigma at the probe's photon energy (`optics.nam`,
or `optics.kubo` with a finite elastic rate), the slabs' indices, and R and T of the whole stack
(`optics.stack`; of one slab, Eqs. (10-13) of arXiv:2603.18182). Changes are relative to the first sample,
before the pulse. `_seen` is the same with the substrate's reheating added and then smeared over the probe's
duration, since the detector smears the signal of film and substrate together.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from .declaration import Joint
from .lattice import Array, Complex
from .material import Material
from .optics.film import penetration_depth, refractive_index
from .optics.indices import index_at, transparent_index_at
from .optics.instrument import add_substrate_tail, convolve_probe, probe_width
from .optics.response import optical_response
from .optics.stack import stack_amplitude, stack_powers
from .settings import Point, Settings
from .slab import Sample


def film_thickness(material: Material, settings: Settings) -> float:
    """Thickness of the film, nm; `math.inf` for a half space."""
    return material.thickness if settings.thickness is None else settings.thickness


def surroundings(settings: Settings, omega: float) -> tuple[complex, float]:
    """Refractive indices of substrate and cover at a photon energy, meV."""
    return complex(index_at(settings.substrate, omega)), float(transparent_index_at(settings.cover, omega))


def _refuse_unknown_index(point: Point, settings: Settings) -> None:
    """Refuse a substrate or a cover whose index is unknown at the photon energy of the pump or the probe."""
    for key, at in (("substrate", index_at), ("cover", transparent_index_at)):
        for name, omega in (("omega_pump", point.omega_pump), ("omega_probe", settings.omega_probe)):
            if omega is not None:
                try:
                    at(getattr(settings, key), omega)
                except ValueError as error:
                    raise ValueError(f"`{key}` at `{name}`: {error}") from None


def _refuse_probe_outside(point: Point, settings: Settings) -> None:
    """Refuse a probe energy outside the lattice."""
    material, probe = point.material, settings.omega_probe
    spacing, window = settings.spacing or material.spacing, settings.window or material.window
    if probe is not None and not spacing <= probe <= window - spacing:
        raise ValueError(
            f"`omega_probe` must lie in the window of {material.name}, {spacing:g} to {window - spacing:g} meV; "
            f"raise `window` for a higher one. Got {probe!r}."
        )


def _refuse_slabs_of_a_half_space(point: Point, settings: Settings) -> None:
    if settings.slabs > 1 and not np.isfinite(film_thickness(point.material, settings)):
        raise ValueError(
            f"`slabs` above 1 need a film of finite `thickness`, in nm; {point.material.name} has none. "
            f"Got {settings.slabs!r}."
        )


RULES: Final = (
    Joint(("omega_pump", "omega_probe", "substrate", "cover"), _refuse_unknown_index),
    Joint(("material", "spacing", "window", "omega_probe"), _refuse_probe_outside),
    Joint(("material", "thickness", "slabs"), _refuse_slabs_of_a_half_space),
)
"""Rules of the light."""


def probe_conductivity(samples: Sequence[Sample], material: Material, settings: Settings) -> Complex:
    """sigma1 + i sigma2 at the probe's photon energy, 1/(ohm nm), shape (n_times,)."""
    assert settings.omega_probe is not None
    out = np.empty(len(samples), dtype=complex)
    for i, s in enumerate(samples):
        response = optical_response(
            material, s.gap.Delta, s.f[: s.gap.rho.size], s.gap.h, settings.omega_probe,
            scattering_rate=settings.scattering_rate, Z=s.gap.Z if settings.scattering_rate else 1.0,
        )  # fmt: skip
        out[i] = complex(response.superconducting.sigma)
    return out


def observe_probe(
    slabs: Sequence[Sequence[Sample]], thickness: Array, material: Material, settings: Settings
) -> dict[str, Array]:
    """The probe's variables of a film of slabs.

    Args:
        slabs: Samples of each slab, the first one next to the cover.
        thickness: Of each slab, nm, shape (slabs,).
        material: The film.
        settings: Probe and instrument.
    Returns:
        Series at the samples' times; sigma, n and depth are means over the slabs. Transmission of a film whose
        finite thickness is in the settings.
    """
    omega = settings.omega_probe
    assert omega is not None
    times = np.array([s.t for s in slabs[0]])
    sigma = np.stack([probe_conductivity(samples, material, settings) for samples in slabs])
    n = refractive_index(sigma, omega, material.eps_infinity)
    R, T, _ = stack_powers(n, omega, thickness, *surroundings(settings, omega))
    mean_n = n.mean(axis=0)
    out = {
        "sigma1": sigma.real.mean(axis=0),
        "sigma2": sigma.imag.mean(axis=0),
        "n_real": mean_n.real,
        "n_imag": mean_n.imag,
        "penetration_depth": penetration_depth(mean_n, omega),
        "R": R,
    }
    if settings.probe_amplitude:
        r = stack_amplitude(n, omega, thickness, *surroundings(settings, omega))
        parts = zip(("r_real", "r_imag", "sigma1_top", "sigma2_top"), _parts(r, sigma[0]), strict=True)
        out.update(parts)
    gap = np.mean([samples[0].gap.Delta0 for samples in slabs]) if settings.smear_gap else None
    width = probe_width(settings.tau_probe, None if gap is None else float(gap))
    powers = {"dR_R0": R}
    if settings.thickness is not None and math.isfinite(settings.thickness):
        out["T_film"], powers["dT_T0"] = T, T
    for name, power in powers.items():
        out[name] = power / power[0] - 1.0
        out[f"{name}_seen"] = seen(times, out[name], width, settings)
    return out


def _parts(*series: Complex) -> list[Array]:
    return [part for x in series for part in (x.real, x.imag)]


def seen(times: Array, change: Array, width: float, settings: Settings) -> Array:
    """A trace with the substrate's tail, smeared over `width` (ps)."""
    if settings.tail_amplitude:
        change = add_substrate_tail(times, change, settings.tail_amplitude, settings.tail_decay)
    return convolve_probe(times, change, width)
