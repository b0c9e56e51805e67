"""Sweeps on the mechanism: pair breaking, electron-electron scattering, resonance, and conditions for 7 meV."""

import numpy as np
import xarray as xr

from ..analysis import Found, peak_gap, time_above, vanishing
from ..figures.spectrum import alpha2F_of
from ..numbers import short
from .paper import value
from .rows import OPEN, Cell, Row, judged, listed, told

_SMOOTH = 2
"""Order of the polynomial in omega_pump that a resonance is measured against."""


def _brackets(found: xr.Dataset, unit: str) -> str:
    """Brackets of a vanishing gap by F0 and tau_esc."""
    texts = []
    for F0 in found["F0"].values:
        for tau_esc in found["tau_esc"].values:
            here = found.sel(F0=F0, tau_esc=tau_esc)
            low, high = float(here["low"]), float(here["high"])
            span = f"{short(low)} to {short(high)}{unit}"
            if int(here["outcome"]) != Found.FOUND:
                span = f"outside the grid ({span})"
            texts.append(f"F0 = {short(float(F0))}, tau_esc = {short(float(tau_esc))}: {span}")
    return "; ".join(texts)


def shares(ds: xr.Dataset) -> xr.Dataset:
    """Share of pair breaking at which the gap vanishes, with its bracket."""
    return vanishing(peak_gap(ds).squeeze(), "pair_breaking_share", OPEN)


def times(ds: xr.Dataset) -> xr.Dataset:
    """The tau_ee below which the gap vanishes, with its bracket: `low` and `high` in ps."""
    peak = peak_gap(ds).squeeze()
    rate = peak.assign_coords(tau_ee=1 / peak["tau_ee"]).sortby("tau_ee")
    rate["tau_ee"].attrs = {"units": "ps^-1", "long_name": "rate of electron-electron scattering"}
    found = vanishing(rate, "tau_ee", OPEN)
    return found.assign(low=1 / found["high"], high=1 / found["low"], vanishing=1 / found["vanishing"])


def share(ds: xr.Dataset) -> Cell:
    """Share of pair breaking at which the gap is gone, in words."""
    return told(f"gone at a share of {_brackets(shares(ds), '')} of the golden rule's weight")


def electrons(ds: xr.Dataset) -> Cell:
    """Whether the gap exists for every tau_ee."""
    peak = peak_gap(ds).squeeze()
    return judged(bool((peak > OPEN).all()), f"gone for a tau_ee shorter than {_brackets(times(ds), ' ps')}")


def departures(ds: xr.Dataset) -> tuple[float, xr.DataArray]:
    """Correlation of the gap's departure from a smooth curve in omega_pump with alpha2F there, and the gap."""
    peak = peak_gap(ds).squeeze()
    peak = peak.sel(T=float(peak["T"].min()))
    omega = peak["omega_pump"].values
    spectrum = alpha2F_of("K3C60").interp(frequency=omega).values
    rests = [
        line - np.polyval(np.polyfit(omega, line, _SMOOTH), omega) for line in peak.transpose("F0", ...).values
    ]
    return float(np.mean([np.corrcoef(rest, spectrum)[0, 1] for rest in rests])), peak


def resonant(ds: xr.Dataset) -> Cell:
    """Whether pumps at the peaks of alpha2F open larger gaps than those between."""
    correlation, peak = departures(ds)
    hottest = peak_gap(ds).squeeze().sel(T=float(ds["T"].max()))
    best = ", ".join(f"{float(w):g}" for w in peak.idxmax("omega_pump").values)
    text = (
        f"the gap's departure from a smooth curve correlates with alpha2F by {correlation:.2f}; largest gap "
        f"{float(peak.max()):.2g} meV, at {best} meV (by F0), least {float(peak.min()):.2g} meV; at "
        f"{float(hottest['T']):g} K {'some' if bool((hottest > OPEN).any()) else 'none'}"
    )
    return judged(correlation > 0, text)


def one_at_a_time(ds: xr.Dataset) -> Cell:
    """2 Delta0 for each choice, the largest over F0."""
    peak = 2 * peak_gap(ds).squeeze().max("F0")
    texts = [f"{name}: {float(peak.sel(material=name)):.2g}" for name in peak["material"].values]
    reached = peak["material"].values[(peak >= 0.75 * value("K3C60_saturation", "2 Delta0")).values]
    near = f"within a quarter of 7 meV: {', '.join(reached) or 'none'}"
    return told(f"2 Delta0, largest over F0: {', '.join(texts)} meV; {near}")


def soft(ds: xr.Dataset) -> Cell:
    """Largest gap and time with a gap for each spectrum, by F0 and tau_esc."""
    part = ds.squeeze()
    peak, times = peak_gap(part), time_above(part, OPEN)
    texts = []
    for tau_esc in part["tau_esc"].values:
        for F0 in part["F0"].values:
            at = {"tau_esc": tau_esc, "F0": F0}
            lives = listed(times["duration"].sel(at), "material", "ps", 2, at_least=times["outlasts"].sel(at))
            gaps = listed(peak.sel(at), "material", "meV", 2)
            texts.append(f"F0 = {short(float(F0))}, tau_esc = {short(float(tau_esc))}: {gaps}, open for {lives}")
    return told("; ".join(texts))


_HERE = "K3C60 at 30 K, 170 meV, pulse 0.3 ps"
ROWS = (
    Row("How many pairs may photons break?", (), share, "pair_breaking", ("paper",),
        "the ordinary absorption of a metal, which fills the states that pairing needs", _HERE),
    Row("Electron-electron interactions matter only for the first few fs and may be left out",
        ("no_pair_breaking",), electrons, "electron_scattering", ("paper",),
        "electrons in equilibrium among themselves are hotter than the bath, and leave no gap above Tc0", _HERE),
    Row("The gap arises from quasiparticles excited to energies resonant with alpha2F", ("mechanism",),
        resonant, "resonance", ("paper",), "quasiparticles lifted to a peak of alpha2F scatter back soonest",
        "K3C60, 20 to 200 meV, tau_esc 0.02 ps"),
    Row("What would give 2 Delta0 of about 7 meV? One choice changed at a time", ("K3C60_saturation",),
        one_at_a_time, "seven_mev", ("paper",), "the strength of pairing alone, not kinetics: an open discrepancy",
        _HERE),
    Row("Soft modes, which the shipped spectrum of K3C60 lacks", (), soft, "soft_spectra", ("paper",),
        "quasiparticles below 27 meV thermalise by soft modes alone; no source that we could read gives a lambda",
        f"{_HERE}; lambda as labelled"),
)  # fmt: skip
