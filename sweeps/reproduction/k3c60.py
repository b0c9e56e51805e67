"""K3C60, Figs. 3a, 4, 8-10: the gap above Tc0, its fluences, and the behaviour of f and n. The rows on CaC6 use the
same questions."""

import numpy as np
import xarray as xr

from ..analysis import Found, peak_gap, saturation_fluence, threshold_fluence, time_above
from ..figures.spectrum import alpha2F_of
from ..materials.library import load
from .paper import value
from .rows import ALL, BOTH, OPEN, Ask, Cell, Row, judged, listed, maxima, one, told

_ORDER = 3.0
"""Factor within which two numbers have the same order of magnitude."""
_LIKE = 0.25
"""Relative difference within which `about` holds, and an additional term has `no significant impact`."""


def exists(labels: dict[str, object], *, everywhere: bool = False, compared: bool = True) -> Ask:
    """Question: where along the remaining axis a gap opens, and for how long; `everywhere`: at each label."""

    def ask(ds: xr.Dataset) -> Cell:
        part = one(ds, **labels)
        peak, last = peak_gap(part), time_above(part, OPEN)
        along = str(peak.dims[0])
        held = listed(last["duration"], along, "ps", 2, at_least=last["outlasts"])
        text = f"peak {listed(peak, along, 'meV')}; open for {held}"
        opens = peak > OPEN
        return judged(bool(opens.all() if everywhere else opens.any()), text) if compared else told(text)

    return ask


def _closes(Delta0: xr.DataArray) -> tuple[float, bool]:
    """Last recorded time with a gap, ps, and whether it is the record's last."""
    above = Delta0["time"].values[Delta0.values > OPEN]
    return (float(above[-1]), bool(Delta0[-1] > OPEN)) if above.size else (np.nan, False)


def sooner(ds: xr.Dataset) -> Cell:
    """Whether the gap closes sooner at 5 than at 1 mJ/cm2."""
    Delta0 = one(ds, T=30)["Delta0"]
    (late, open_end), (early, open_too) = (_closes(Delta0.sel(F0=F0)) for F0 in (1, 5))
    if np.isnan([late, early]).any():
        return judged(False, "no gap opens")
    ends = [f"{'≥ ' * more}{t:+.2f}" for t, more in ((late, open_end), (early, open_too))]
    return judged(
        early < late and not open_too, f"closed {ends[0]} ps after the pulse's maximum at 1, {ends[1]} at 5"
    )


def persists(ds: xr.Dataset) -> Cell:
    """Whether the gap exists at half maximum after the peak of the pulse and vanishes later."""
    Delta0 = one(ds, T=30, F0=1)["Delta0"]
    end, more = _closes(Delta0)
    half = float(Delta0.sel(time=0.15, method="nearest"))
    closed = "no gap opens" if np.isnan(end) else f"open until {'≥ ' * more}{end:+.2f} ps"
    return judged(half > OPEN and not more, f"{half:.2g} meV at 0.15 ps, at half of the pulse's power; {closed}")


def threshold(ds: xr.Dataset) -> Cell:
    """Threshold in F0 of each (omega_pump, T), against the paper's order."""
    found = threshold_fluence(ds, OPEN).squeeze()
    paper = value("threshold", "F0")
    main = found.sel(omega_pump=value("K3C60_gap", "omega_pump"))
    low, high = float(main["F0_low"]), float(main["F0_high"])
    return judged(high >= paper / _ORDER and low <= paper * _ORDER, _fluences(found, "F0_threshold"))


def saturates(ds: xr.Dataset) -> Cell:
    """Saturation at 170 meV: its fluence, and the gap there."""
    found = saturation_fluence(ds).squeeze().sel(omega_pump=value("K3C60_saturation", "omega_pump"))
    F0, gap = value("K3C60_saturation", "F0"), value("K3C60_saturation", "2 Delta0")
    twice = 2 * float(found["largest"])
    seen = int(found["outcome"]) == int(Found.FOUND)
    holds = seen and float(found["F0_low"]) <= F0 <= float(found["F0_high"]) and abs(twice / gap - 1) < _LIKE
    return judged(holds, f"2 Delta0 = {twice:.2g} meV; {_fluence(found, 'F0_saturation')}")


def lower_sooner(ds: xr.Dataset) -> Cell:
    """Whether pumps at 50 and 79 meV saturate at smaller fluences than that at 170 meV."""
    found = saturation_fluence(ds).squeeze()
    text = _fluences(found, "F0_saturation")
    high = found.sel(omega_pump=value("K3C60_saturation", "omega_pump"))
    low = found.sel(omega_pump=[value("K3C60_lower_frequency", k) for k in ("omega_pump", "also")])
    seen = bool((low["outcome"] == int(Found.FOUND)).all())
    above = float(high["F0_saturation"]) if int(high["outcome"]) == int(Found.FOUND) else float(high["F0_low"])
    return judged(seen and bool((low["F0_saturation"] < above).all()), text)


def criterion(ds: xr.Dataset) -> Cell:
    """f(Delta0) over f(omega_pump + Delta0) when the gap is largest, at the largest fluence with a gap."""
    texts, holds = [], True
    part = one(ds)
    for w in part["omega_pump"].values:
        line = part.sel(omega_pump=w)
        peak = line["Delta0"].max("time")
        driven = peak["F0"].values[(peak > OPEN).values]
        if not driven.size:
            texts.append(f"{w:g} meV: no gap")
            holds = False
            continue
        top = line.sel(F0=driven[-1])
        at = top.isel(time=int(top["Delta0"].values.argmax()))
        ratio = float(at["f_gap"] / at["f_pump"])
        holds &= ratio < 1
        texts.append(f"{w:g} meV, F0 = {driven[-1]:.3g}: {ratio:.2g}")
    return judged(holds, "f(Delta0) / f(omega_pump + Delta0) when the gap is largest, " + "; ".join(texts))


def _fluences(found: xr.Dataset, name: str) -> str:
    each = (found.sel(omega_pump=w) for w in found["omega_pump"].values)
    return "; ".join(f"{float(part['omega_pump']):g} meV: {_fluence(part, name)}" for part in each)


def _fluence(part: xr.Dataset, name: str) -> str:
    outcome = Found(int(part["outcome"]))
    low, high, best = (float(part[n]) for n in ("F0_low", "F0_high", name))
    if outcome is Found.FOUND:
        return f"{best:.2g} ({low:.2g} to {high:.2g}) mJ/cm2"
    words = {Found.ABOVE_RANGE: f"above {low:.2g} mJ/cm2", Found.BELOW_RANGE: f"below {high:.2g} mJ/cm2"}
    return words.get(outcome, "no gap")


def steps(material: str) -> Ask:
    """Question: f just above multiples of omega_pump compared with just below, at the pulse's maximum."""

    def ask(ds: xr.Dataset) -> Cell:
        part = one(ds, material=material)
        f, omega = part["f"].sel(time=0, method="nearest"), float(part["omega_pump"])
        ratios = []
        for m in (1, 2):
            above = float(f.sel(energy=slice(m * omega, m * omega + 4)).max())
            below = float(f.sel(energy=slice(m * omega - 6, m * omega - 1)).min())
            ratios.append(above / max(below, 1e-300))
        text = ", ".join(f"{r:.2g} at {m}" for m, r in zip((1, 2), ratios, strict=True))
        return judged(min(ratios) > 1.5, f"f rises by a factor of {text} x {omega:g} meV")

    return ask


def shifted(ds: xr.Dataset) -> Cell:
    """Position of the peak of f near omega_pump when the gap is largest."""
    part = one(ds, material="K3C60")
    at = part.isel(time=int(part["Delta0"].values.argmax()))
    gap, omega = float(at["Delta0"]), float(part["omega_pump"])
    if not gap > OPEN:
        return judged(False, "no gap opens")
    f = one(at)["f"].sel(energy=slice(omega - 5, omega + 10))
    found = float(f["energy"][int(f.values.argmax())])
    h = max(load("K3C60").spacing, float(f["energy"][1] - f["energy"][0]))
    text = f"f peaks at {found:.2f} meV, omega_pump + Delta0 = {omega + gap:.2f} meV (± {h:g})"
    if gap < h:
        return told(f"{text}: the record does not resolve such a small gap")
    return judged(abs(found - omega - gap) <= h, text)


def resonant(material: str, base: str) -> Ask:
    """Question: the rise of n at the peaks of alpha2F against that between them."""

    def ask(ds: xr.Dataset) -> Cell:
        n = one(ds, material=material)["n"]
        rise = (n - n.isel(time=0)).max("time")
        spectrum = alpha2F_of(base)
        high = rise.interp(frequency=maxima(spectrum)).dropna("frequency")
        low = rise.interp(frequency=maxima(-spectrum)).dropna("frequency")
        # Each peak is compared with the mean of the adjacent valleys, since n falls with frequency anyway.
        between = np.interp(high["frequency"], low["frequency"], low)
        ratio = high.values / np.maximum(between, 1e-300)
        best = float(high["frequency"][int(np.argmax(high.values))])
        text = f"n rises at the peaks of alpha2F {np.median(ratio):.2g} times as much as between them (median)"
        return judged(bool(np.median(ratio) > 1.5), f"{text}, most at {best:.0f} meV")

    return ask


def turning(ds: xr.Dataset) -> Cell:
    """Time at which Re Delta(0) is largest, relative to the pulse, which is at 1 ps in the paper."""
    Delta0 = one(ds, F0=1)["Delta0"]
    if not float(Delta0.max()) > OPEN:
        return judged(False, "no gap opens")
    top = float(Delta0["time"][int(Delta0.values.argmax())])
    end, more = _closes(Delta0)
    gone = end + value("K3C60_depth_change", "pulse at")
    text = f"largest at {top + 1:.2f} ps, there until {'≥ ' * more}{gone:.2f} ps, with the pulse at 1 ps"
    return judged(abs(top) <= 0.3, text)


def phonon_pump(ds: xr.Dataset) -> Cell:
    """Largest gap and its lifetime with additional energy pumped into phonons."""
    part = one(ds)
    peak, held = peak_gap(part), time_above(part, OPEN)
    extra = (part["phonon_share"] / (1 - part["phonon_share"])).values
    along = str(peak.dims[0])
    texts = [
        f"{100 * e:.0f} %: {float(p):.3g} meV for {'≥ ' * bool(more)}{float(t):.2g} ps"
        for e, p, t, more in zip(extra, peak, held["duration"], held["outlasts"], strict=True)
    ]
    change = abs(peak / peak.isel({along: 0}) - 1)
    text = "with this much additional energy in phonons: " + ", ".join(texts)
    return judged(bool(peak[0] > OPEN) and bool((change < _LIKE).all()), text)


_HERE = "tau_esc 1 ps, pulse 0.3 ps"
ROWS = (
    Row(
        "A gap opens above Tc0 = 15 K under a pulse of 170 meV",
        ("K3C60_gap",),
        exists({"F0": 1}),
        "fig3_k3c60",
        ALL,
        "damping and pair breaking by the photon, see below",
        f"30, 60, 120 K, 1 mJ/cm2, {_HERE}",
    ),
    Row(
        "It persists at temperatures much larger than Tc0",
        ("K3C60_gap",),
        exists({"F0": 5}, everywhere=True),
        "fig3_k3c60",
        ALL,
        "as above",
        f"30, 60, 120 K, 5 mJ/cm2, {_HERE}",
    ),
    Row(
        "It persists for a short time after the pump is turned off, and vanishes as the distribution thermalises",
        ("K3C60_gap", "K3C60_short_lived"),
        persists,
        "fig3_k3c60",
        ALL,
        "hot phonons and quasiparticles at the gap edge end it: tau_esc",
        f"30 K, 1 mJ/cm2, {_HERE}",
    ),
    Row(
        "The saturated gap, from 5 mJ/cm2, relaxes faster than that at 1 mJ/cm2",
        ("K3C60_relaxation",),
        sooner,
        "fig3_k3c60",
        ALL,
        "heating",
        f"30 K, {_HERE}",
    ),
    Row(
        "About 1 mJ/cm2 or more is required for an appreciable gap",
        ("threshold",),
        threshold,
        "fig8_fluence",
        ALL,
        f"T, and the number of phonons that remain: tau_esc. A gap counts from {OPEN} meV",
        _HERE,
    ),
    Row(
        "Upon reaching 5 mJ/cm2 the gap saturates to 2 Delta0 of about 7 meV (170 meV, 30 K)",
        ("K3C60_saturation",),
        saturates,
        "fig8_fluence",
        ALL,
        "the strength of pairing, which Tc0 fixes. Saturated: 95 % of the "
        "largest peak gap; the bracket is the grid's",
        _HERE,
    ),
    Row(
        "Pumps of 50 and 79 meV saturate at smaller F0 than one of 170 meV",
        ("K3C60_lower_frequency",),
        lower_sooner,
        "fig8_fluence",
        ALL,
        "the absorbed energy per fluence, the photon energy, and T, which differs between the three",
        _HERE,
    ),
    Row(
        "It saturates when f(Delta0) falls below f(omega_pump + Delta0)",
        ("saturation_criterion",),
        criterion,
        "fig8_fluence",
        ALL,
        "emission and scattering refill the gap edge from above",
        _HERE,
    ),
    Row(
        "The peak of f moves to omega_pump + Delta0",
        ("blue_shift",),
        shifted,
        "fig4_populations",
        ALL,
        "a photon lifts quasiparticles from the edge, where most states are",
        f"30 K, 1 mJ/cm2, {_HERE}",
    ),
    Row(
        "f is discontinuous at omega_pump, 170 meV, and its multiples",
        ("steps",),
        steps("K3C60"),
        "fig4_populations",
        ALL,
        "the photon moves quasiparticles by omega_pump",
        f"30 K, 1 mJ/cm2, {_HERE}",
    ),
    Row(
        "n(omega) has peaks that follow alpha2F",
        ("phonon_structure",),
        resonant("K3C60", "K3C60"),
        "fig4_populations",
        BOTH,
        "F: proportional to alpha2F here, so that all modes are heated equally",
        f"30 K, 1 mJ/cm2, {_HERE}",
    ),
    Row(
        "The same with 189 modes of which 40 couple",
        (),
        resonant("K3C60-all-modes", "K3C60"),
        "fig4_populations",
        BOTH,
        "F: alpha2F / F peaks where alpha2F does",
        f"30 K, 1 mJ/cm2, {_HERE}",
    ),
    Row(
        "The gap with 189 modes",
        (),
        exists({}, compared=False),
        "fig4_populations",
        BOTH,
        "the modes that couple are fewer and get hotter",
        f"30 K, 1 mJ/cm2, {_HERE}",
    ),
    Row(
        "Re Delta(omega, t) from 0 to 1 and from 1 to 2 ps, the pulse at 1 ps: it grows, then falls (our reading)",
        ("K3C60_gap_function", "K3C60_depth_change"),
        turning,
        "fig9_gap_function",
        ALL,
        "the first part of the pulse empties the gap edge, the rest heats",
        f"30 K, 1 mJ/cm2, {_HERE}",
    ),
    Row(
        "An additional phonon pump has no significant impact",
        ("phonon_pump",),
        phonon_pump,
        "phonon_pump",
        ("paper",),
        "phonons at omega_pump break pairs like any others",
        f"30 K, 1 mJ/cm2 for quasiparticles, phonons get this in addition, {_HERE}",
    ),
)
