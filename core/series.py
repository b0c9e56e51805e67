"""Record of a trajectory: series of the film, fields at requested energies, profiles over the depth."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .kinetics import Film
from .lattice import Array
from .settings import Point, Settings
from .slab import Sample

STEADY_GAP = 1e-3
"""Relative distance from the last gap that counts as steady."""
STEADY_ENERGY = 1e-2
"""Relative distance from the last energy, and of the powers in and out, that counts as steady."""
_PROFILES = ("Delta0", "f_gap", "U_qp", "U_ph")


def film_series(
    slabs: Sequence[Sequence[Sample]], film: Film, point: Point, settings: Settings
) -> dict[str, Array]:
    """Variables of a film of equal slabs: means over the slabs and, if requested, profiles over the depth.

    Args:
        slabs: Samples of each slab, the first one next to the light.
        film: Spectrum and densities on the gap equation's lattice.
        point, settings: The simulated point, and the outputs to record.
    Returns:
        An array for each variable's name, of the shape given by `result.variables`.
    """
    layers = [_slab_series(samples, film, point, settings) for samples in slabs]
    data = {name: np.mean([layer[name] for layer in layers], axis=0) for name in layers[0]}
    if settings.depth_profile:
        data |= {f"{name}_slab": np.stack([layer[name] for layer in layers], axis=1) for name in _PROFILES}
        data["n_qp_slab"] = np.array([[s.n_qp for s in samples] for samples in slabs]).T
    return data


def ledger_error(data: dict[str, Array], U: float) -> float:
    """Largest defect of the energy ledger, relative to the absorbed energy (if none, to the change of U_qp)."""
    kept = data["U_qp"] + data["U_ph"] + data["U_escaped"]
    scale = U if U > 0 else max(float(np.abs(data["U_qp"]).max()), 1e-300)
    return float(np.abs(kept - data["U_absorbed"] - data["U_gap"]).max()) / scale


def overrun(samples: Sequence[Sequence[Any]]) -> float:
    """Share of the absorption of all slabs that was missed at the end of the lattice."""
    missed, absorbed = (sum(getattr(slab[-1], name) for slab in samples) for name in ("U_overrun", "U_absorbed"))
    return float(missed / (missed + absorbed)) if missed > 0.0 else 0.0


def steady_time(data: dict[str, Array], times: Array) -> float:
    """Time (ps) from which a continuously pumped film is steady; infinite if it is not steady by the last sample.

    Delta0 then stays within `STEADY_GAP` of its last value, the stored energy (U_qp + U_ph, minus that from a
    changing gap) within `STEADY_ENERGY`, and in the last interval the film keeps less than this share of the energy
    that it absorbs.

    Args:
        data: Series of `film_series`.
        times: Their times, ps, shape (n_times,).
    """
    held, absorbed = data["U_qp"] + data["U_ph"] - data["U_gap"], data["U_absorbed"]
    if abs(held[-1] - held[-2]) > STEADY_ENERGY * (absorbed[-1] - absorbed[-2]):
        return float("inf")
    away = np.zeros(times.size, dtype=bool)
    for series, tolerance in ((data["Delta0"], STEADY_GAP), (held, STEADY_ENERGY)):
        away |= np.abs(series - series[-1]) > tolerance * abs(series[-1])
    first = int(np.flatnonzero(away)[-1]) + 1 if away.any() else 0
    return float(times[first]) if first < times.size - 1 else float("inf")


def derived(Delta0: Array, times: Array, h: float) -> dict[str, Array]:
    """Scalar outputs of a series of gaps (meV) at times (ps) on a lattice of spacing h (meV)."""
    return {
        "Delta0_peak": np.array(Delta0.max()),
        "gap_duration": np.array(np.trapezoid((Delta0 > 0).astype(float), times)),
        "gap_unresolved": np.array(np.trapezoid(((Delta0 > 0) & (Delta0 < h)).astype(float), times)),
    }


def _slab_series(samples: Sequence[Sample], film: Film, point: Point, settings: Settings) -> dict[str, Array]:
    """Time series and recorded fields of one slab."""
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
    } | derived(Delta0, times, lattice.h)
    if settings.energies:
        E = np.array(settings.energies)
        data["f"] = np.array([np.interp(E, s.E, s.f) for s in samples])
        for name, values in (
            ("Delta_real", [s.gap.Delta.real for s in samples]),
            ("Delta_imag", [s.gap.Delta.imag for s in samples]),
        ):
            data[name] = np.array([np.interp(E, lattice.E, v) for v in values])
    if settings.frequencies:
        Omega = np.array(settings.frequencies)
        data["n"] = np.array([np.interp(Omega, lattice.Omega, s.n) for s in samples])
    return data
