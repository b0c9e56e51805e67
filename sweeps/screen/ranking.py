"""Ranking of a screened cube: photo-induced gaps above Tc0, and how far each rank depends on the choices."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr
from scipy.stats import kendalltau

from ...core.pairing.allen_dynes import weak_coupling_gap
from ..status import Status
from ..store.cube import MISSING
from .cases import VARIATIONS, Case

_UNRESOLVED: Final = 1.0
"""A gap smaller than this many cells of the lattice does not count."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One material of the ranked table.

    Args:
        rank: 1 for the largest relative gap; materials without a gap share the last rank.
        material: Its name.
        lambda_, lambda_stated: Coupling, as read and as its file states it (NaN for none).
        omega_log: meV.
        Tc0: K.
        T: Temperature of the film, K.
        gap: Largest photo-induced Delta0 over fluences and photon energies, meV.
        relative: The same, in units of the weak-coupling gap at Tc0.
        F0, omega_pump: Where it is reached, mJ/cm^2 and meV.
        F0_least: Least fluence with a gap at any photon energy, mJ/cm^2.
        duration: How long it exists, ps.
        lowest, highest: Ranks among the varied materials over all variations; 0 if it was not varied.
        failed: Points that did not end.
    """

    rank: int
    material: str
    lambda_: float
    lambda_stated: float
    omega_log: float
    Tc0: float
    T: float
    gap: float
    relative: float
    F0: float
    omega_pump: float
    F0_least: float
    duration: float
    highest: int = 0
    lowest: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The table and, for each variation, its agreement with the order of the screening.

    Args:
        rows: One per material, best first.
        tau: Kendall's tau of each variation's order with that of the screening; 1 for the same order.
        varied: Number of materials that were varied.
    """

    rows: tuple[Row, ...]
    tau: dict[str, float]
    varied: int


def gaps(ds: xr.Dataset, case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Peak gap (meV, 0 if the lattice does not resolve it), duration (ps) and failure of one case, over F0."""
    at = ds.sel(material=case.label).squeeze(drop=True)
    peak = np.atleast_1d(at["Delta0_peak"].values).astype(float)
    status = np.atleast_1d(at["status"].values).astype(object)
    peak = np.where(peak > _UNRESOLVED * case.spacing, peak, np.where(np.isnan(peak), np.nan, 0.0))
    failed = (status != Status.OK) & (status != MISSING)
    return peak, np.atleast_1d(at["gap_duration"].values).astype(float), failed


def rank(ds: xr.Dataset, base: Sequence[Case], varied: Sequence[Case] = ()) -> Ranking:
    """Ranked table of a cube.

    Args:
        ds: The cube, as `open_cube` gives it.
        base: Cases without variation.
        varied: Variations of the best.
    """
    F0 = np.atleast_1d(ds["F0"].values)
    found = [
        _row(ds, F0, [c for c in base if c.candidate.name == name])
        for name in dict.fromkeys(c.candidate.name for c in base)
    ]
    found.sort(key=lambda row: (-np.nan_to_num(row.relative), row.material))
    some = sum(row.relative > 0 for row in found)
    ranked = [_at(row, rank=min(i + 1, some + 1)) for i, row in enumerate(found)]
    orders, tau = _orders(ds, ranked, varied)
    rows = []
    for row in ranked:
        places = [order[row.material] for order in orders if row.material in order]
        rows.append(_at(row, highest=min(places), lowest=max(places)) if places else row)
    return Ranking(rows=tuple(rows), tau=tau, varied=len(orders[0]) if varied else 0)


def _at(row: Row, **changes: int) -> Row:
    return Row(**{f.name: getattr(row, f.name) for f in fields(Row)} | changes)


def _row(ds: xr.Dataset, F0: np.ndarray, cases: Sequence[Case]) -> Row:
    """The best of one material's cases."""
    every = [(case, *gaps(ds, case)) for case in cases]
    case, peak, duration, _ = max(every, key=lambda e: np.nanmax(e[1], initial=0.0))
    best = int(np.nanargmax(np.nan_to_num(peak)))
    gap = float(np.nan_to_num(peak[best]))
    least = [F0[p > 0].min() for _, p, _, _ in every if (p > 0).any()]
    spectrum = case.candidate.spectrum
    return Row(
        rank=0, material=case.candidate.name, lambda_=spectrum.coupling_lambda,
        lambda_stated=np.nan if case.candidate.stated is None else case.candidate.stated,
        omega_log=spectrum.omega_log, Tc0=case.Tc0, T=float(ds["T"].sel(material=case.label)), gap=gap,
        relative=gap / weak_coupling_gap(case.Tc0), F0=float(F0[best]) if gap else np.nan,
        omega_pump=case.pump if gap else np.nan, F0_least=float(min(least)) if least else np.nan,
        duration=float(duration[best]) if gap else 0.0, failed=sum(int(f.sum()) for *_, f in every),
    )  # fmt: skip


def _orders(
    ds: xr.Dataset, ranked: Sequence[Row], varied: Sequence[Case]
) -> tuple[list[dict[str, int]], dict[str, float]]:
    """Order of the varied materials in the screening and in each variation, and their agreement."""
    names = {c.candidate.name for c in varied}
    first = [row for row in ranked if row.material in names]
    orders, tau = [{row.material: i + 1 for i, row in enumerate(first)}], {}
    for variation in VARIATIONS:
        score = {row.material: 0.0 for row in first}
        for case in (c for c in varied if c.variation.name == variation.name):
            score[case.candidate.name] = float(np.nanmax(gaps(ds, case)[0], initial=0.0)) / weak_coupling_gap(
                case.Tc0
            )
        # Equal scores keep the order of the screening.
        order = sorted(first, key=lambda row: -score[row.material])
        orders.append({row.material: i + 1 for i, row in enumerate(order)})
        if len(first) > 1:
            tau[variation.name] = float(
                kendalltau([r.relative for r in first], [score[r.material] for r in first]).statistic
            )
    return orders, tau


def write_csv(ranking: Ranking, path: Path) -> None:
    """The table as CSV, with units in the names of the columns."""
    units = {
        "omega_log": "meV",
        "Tc0": "K",
        "T": "K",
        "gap": "meV",
        "F0": "mJ_cm2",
        "omega_pump": "meV",
        "F0_least": "mJ_cm2",
        "duration": "ps",
    }
    names = [f.name for f in fields(Row)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([f"{n.rstrip('_')}_{units[n]}" if n in units else n.rstrip("_") for n in names])
        for row in ranking.rows:
            writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in (getattr(row, n) for n in names)])
