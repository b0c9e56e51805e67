"""The paper's statements, each with the question to a cube that tests it."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from ...core.constants import KB
from ..analysis import Found, peak_gap, saturation_fluence, threshold_fluence, time_above
from ..figures.spectrum import alpha2F_of
from ..files import ANYWHERE
from ..model import MODEL
from . import lah10, optics, pb
from .rows import OPEN, Cell, Row, judged, listed, one, told
from .runs import BOTH

Ask = Callable[[xr.Dataset], Cell]


def tc(ds: xr.Dataset) -> Cell:
    """Tc0 of the materials: mu_star is calibrated to it."""
    found = one(ds)["mu_star"]
    return judged(bool(found.notnull().all()), f"met by calibration; mu* {listed(found, 'material', '')}")


def gaps(ds: xr.Dataset) -> Cell:
    """Equilibrium gaps and their ratio to Tc0."""
    gap = one(ds.isel(time=0))["gap_edge"]
    Tc0 = [MODEL.load_material(str(name), ANYWHERE).Tc0 for name in gap["material"].values]
    ratio = gap * 2 / (KB * xr.DataArray(Tc0, dims="material"))
    return told(f"edge {listed(gap, 'material', 'meV')}; 2 Delta / kB Tc {listed(ratio, 'material', '')}")


def structure(ds: xr.Dataset) -> Cell:
    """Whether Re Delta peaks at the phonons' energies, shifted up by the gap."""
    texts, holds = [], True
    for name in ("K3C60", "CaC6"):
        part = one(ds.isel(time=0), material=name)
        real = part["Delta_real"].dropna("energy")
        inside = real.where((real > np.roll(real, 1)) & (real > np.roll(real, -1)), drop=True)
        strong = inside.where(inside > float(real[0]), drop=True)["energy"].values
        spectrum = alpha2F_of(name)
        peaks = _maxima(spectrum)
        gap = float(part["gap_edge"])
        near = [float(np.min(np.abs(peaks + gap - e))) for e in strong]
        # A peak of Re Delta lies up to a phonon peak's width beside phonon energy + gap.
        holds &= bool(len(near)) and max(near) < 6.0
        texts.append(f"{name}: Re Delta peaks at {', '.join(f'{e:.0f}' for e in strong)} meV")
    return judged(holds, "; ".join(texts))


def exists(labels: dict[str, object], *, compared: bool = True) -> Ask:
    """Question: does a gap open, and for how long; `compared` if the paper says that it does."""

    def ask(ds: xr.Dataset) -> Cell:
        part = one(ds, **labels)
        peak, last = peak_gap(part), time_above(part, OPEN)
        along = str(peak.dims[0])
        held = listed(last["duration"], along, "ps", 2)
        text = f"peak {listed(peak, along, 'meV')}; open for {held}"
        return judged(bool((peak > OPEN).all()), text) if compared else told(text)

    return ask


def sooner(ds: xr.Dataset) -> Cell:
    """Whether the gap closes sooner at 5 than at 1 mJ/cm2."""
    Delta0 = one(ds, T=30)["Delta0"]
    times = [_closes(Delta0.sel(F0=F0)) for F0 in (1, 5)]
    if np.isnan(times).any():
        return judged(False, "no gap opens")
    return judged(
        times[1] < times[0], f"closed {times[0]:+.2f} ps after the pulse's maximum at 1, {times[1]:+.2f} at 5"
    )


def _closes(Delta0: xr.DataArray) -> float:
    above = Delta0["time"].values[Delta0.values > OPEN]
    return float(above[-1]) if above.size else np.nan


def persists(ds: xr.Dataset) -> Cell:
    """Whether the gap is there at the pulse's half maximum after its top, and gone later."""
    Delta0 = one(ds, T=30, F0=1)["Delta0"]
    half = float(Delta0.sel(time=0.15, method="nearest"))
    end = float(Delta0.isel(time=-1))
    return judged(half > OPEN > end, f"{half:.2g} meV at 0.15 ps, {end:.2g} meV at {float(Delta0.time[-1]):.1f} ps")


def threshold(ds: xr.Dataset) -> Cell:
    """Threshold in F0 of each (omega_pump, T)."""
    return told(_fluences(threshold_fluence(ds, OPEN), "F0_threshold"))


def saturates(ds: xr.Dataset) -> Cell:
    """Whether the gap saturates with F0."""
    found = saturation_fluence(ds).squeeze()
    seen = found["outcome"] == int(Found.FOUND)
    return judged(bool(seen.all()), _fluences(found, "F0_saturation"))


def order(ds: xr.Dataset) -> Cell:
    """Order of the saturation fluences."""
    found = saturation_fluence(ds).squeeze()
    sat = found["F0_saturation"]
    if bool(sat.isnull().any()):
        return told("not every curve saturates: " + _fluences(found, "F0_saturation"))
    names = [f"{w:g}" for w in sat["omega_pump"].values[np.argsort(sat.values)]]
    return told(" < ".join(names) + " meV")


def _fluences(found: xr.Dataset, name: str) -> str:
    found = found.squeeze()
    texts = []
    for w in found["omega_pump"].values:
        part = found.sel(omega_pump=w)
        outcome = Found(int(part["outcome"]))
        low, high, best = (float(part[n]) for n in ("F0_low", "F0_high", name))
        if outcome is Found.FOUND:
            texts.append(f"{w:g} meV: {best:.2g} ({low:.2g} to {high:.2g}) mJ/cm2")
        else:
            texts.append(f"{w:g} meV: {outcome.name.lower().replace('_', ' ')}")
    return "; ".join(texts)


def steps(material: str, omega: float) -> Ask:
    """Question: f just above multiples of omega_pump against just below, at the pulse's maximum."""

    def ask(ds: xr.Dataset) -> Cell:
        f = one(ds, material=material)["f"].sel(time=0, method="nearest")
        ratios = []
        for m in (1, 2):
            above = float(f.sel(energy=slice(m * omega, m * omega + 4)).max())
            below = float(f.sel(energy=slice(m * omega - 6, m * omega - 1)).min())
            ratios.append(above / max(below, 1e-300))
        text = ", ".join(f"{r:.2g} at {m}" for m, r in zip((1, 2), ratios, strict=True))
        return judged(min(ratios) > 1.5, f"f rises by a factor of {text} x {omega:g} meV")

    return ask


def resonant(material: str, base: str) -> Ask:
    """Question: the rise of n at the peaks of alpha2F against that between them."""

    def ask(ds: xr.Dataset) -> Cell:
        n = one(ds, material=material)["n"]
        rise = (n - n.isel(time=0)).max("time")
        spectrum = alpha2F_of(base)
        high = rise.interp(frequency=_maxima(spectrum)).dropna("frequency")
        low = rise.interp(frequency=_maxima(-spectrum)).dropna("frequency")
        # Each peak stands beside the mean of the valleys around it: n falls with frequency by itself.
        between = np.interp(high["frequency"], low["frequency"], low)
        ratio = high.values / np.maximum(between, 1e-300)
        best = float(high["frequency"][int(np.argmax(high.values))])
        text = f"n rises at the peaks of alpha2F {np.median(ratio):.2g} times as much as between them (median)"
        return judged(bool(np.median(ratio) > 1.5), f"{text}, most at {best:.0f} meV")

    return ask


def _maxima(values: xr.DataArray) -> np.ndarray:
    v = values.values
    inner = (v[1:-1] > v[:-2]) & (v[1:-1] >= v[2:])
    return np.asarray(values["frequency"].values[1:-1][inner], dtype=float)


def pair_breaking(ds: xr.Dataset) -> Cell:
    """Whether the gap is there with pair breaking by the photon where it is without."""
    peak = peak_gap(ds).squeeze().sel(damping="real", stimulated_emission=True)
    without, both = (peak.sel(pump_channels=c) for c in ("scattering", "scattering+pair-breaking"))
    a, b = int((without > OPEN).sum()), int((both > OPEN).sum())
    known = [int(part.notnull().sum()) for part in (without, both)]
    return judged(2 * b > a, f"a gap at {a} of {known[0]} points without it, at {b} of {known[1]} with")


def spins(ds: xr.Dataset) -> Cell:
    """Peak gap of CaC6 with N(0) as given, halved, and with all modes."""
    peak = peak_gap(one(ds))
    texts = [f"{name}: {listed(peak.sel(material=name), 'F0', 'meV')}" for name in peak["material"].values]
    return told("; ".join(texts))


ALPHA2F = "the paper's alpha2F is not public; ours has the same named resonances, all else was chosen here"
STATEMENTS: tuple[Row, ...] = (
    Row("Tc0 of Table 1: Pb 8, LaH10 250, K3C60 15, CaC6 11 K", tc, "fig6_equilibrium", ("",),
        "nothing: mu* is calibrated to Tc0 for each damping"),
    Row("Gaps in equilibrium, Fig. 6 (its numbers are not at hand)", gaps, "fig6_equilibrium", ("",), ALPHA2F),
    Row("Delta(E) peaks at phonon energies, shifted by the gap, Fig. 6", structure, "fig6_equilibrium", ("",),
        "the peaks of alpha2F"),
    *optics.ROWS,
    Row("K3C60: a gap opens at 30, 60 and 120 K, above Tc0 = 15 K, at 170 meV and 1 mJ/cm2", exists({"F0": 1}),
        "fig3_k3c60", BOTH, "damping and pair breaking by the photon, see below"),
    Row("K3C60: the same at 5 mJ/cm2", exists({"F0": 5}), "fig3_k3c60", BOTH, "as above"),
    Row("K3C60: the gap outlives the pulse's half maximum and dies as quasiparticles thermalise", persists,
        "fig3_k3c60", BOTH, "hot phonons and quasiparticles at the gap edge end it: tau_esc"),
    Row("K3C60: it dies sooner at 5 than at 1 mJ/cm2", sooner, "fig3_k3c60", BOTH, "heating"),
    Row("CaC6: a gap opens above Tc0 = 11 K (57 meV; here 0.1 mJ/cm2, F0 is not stated)", exists({"F0": 0.1}),
        "fig3_cac6", BOTH, "as for K3C60"),
    Row("CaC6: the same at 1 mJ/cm2", exists({"F0": 1}), "fig3_cac6", BOTH, "as for K3C60"),
    Row("K3C60: a threshold in F0, Fig. 8 (its numbers are not at hand)", threshold, "fig8_fluence", BOTH,
        "T and the distance of omega_pump to resonances"),
    Row("K3C60: the gap saturates with F0 at (170 meV, 30 K), (79 meV, 120 K), (50 meV, 60 K)", saturates,
        "fig8_fluence", BOTH, "where the peak gap reaches 95 % of its largest; the bracket is the grid's"),
    Row("K3C60: order of the saturation fluences (the paper's order is not at hand)", order, "fig8_fluence", BOTH,
        "the absorbed energy per fluence, the photon energy, and T, which differs between the three"),
    Row("K3C60: steps of f(E) at multiples of omega_pump, Figs. 4 and 10", steps("K3C60", 170.0),
        "fig4_populations", BOTH, "the photon moves quasiparticles by omega_pump"),
    Row("CaC6: steps of f(E) at multiples of omega_pump, Fig. 11", steps("CaC6", 57.0), "fig11_cac6", BOTH,
        "as for K3C60"),
    Row("K3C60: n(omega) resonant with alpha2F, Fig. 4", resonant("K3C60", "K3C60"), "fig4_populations", BOTH,
        "F: proportional to alpha2F here, so that every mode is heated alike"),
    Row("K3C60, with 189 modes of which 40 couple: the same", resonant("K3C60-all-modes", "K3C60"),
        "fig4_populations", BOTH, "F: alpha2F / F peaks where alpha2F does"),
    Row("K3C60, with 189 modes: the gap at 30 K and 1 mJ/cm2 for both kinds of F", exists({}, compared=False),
        "fig4_populations", BOTH, "the modes that couple are fewer and get hotter: the gap is smaller and shorter"),
    Row("CaC6, with 21 modes of which few couple: n(omega) resonant with alpha2F, Fig. 11",
        resonant("CaC6-all-modes", "CaC6"), "fig11_cac6", BOTH, "F, as for K3C60"),
    Row("Pair breaking by the photon matters only in the first femtoseconds and may be left out", pair_breaking,
        "phase_assumptions", ("",), "it fills the states at the gap's edge, see below"),
    Row("CaC6: N(0) = 20.5 per eV and nm3 (may count both spins; the equations want one)", spins, "cac6_spins",
        ("paper",), "half the N(0) doubles what a fluence does to each electron state"),
    *pb.ROWS,
    *lah10.ROWS,
)  # fmt: skip
"""Every statement and number of the paper that is known here."""
