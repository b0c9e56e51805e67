"""The page's abstract: the number of statements that hold, and the decisive numbers, all from cubes."""

from collections.abc import Callable, Iterable

import numpy as np
import xarray as xr

from ...core.result import DURATION_ORDER
from ..analysis import peak_gap, time_above
from ..numbers import left, margin
from . import deciding as sweeps
from .paper import value
from .rows import ALL, OPEN, Row, Verdict, one

NONE = "no gap"
Ask = Callable[[Row, str], Verdict | None]
"""Verdict of a row under a preset; None without a cube."""


def counted(rows: Iterable[Row], ask: Ask) -> str:
    """Number of statements of the paper that hold, by preset."""
    texts: list[str] = []
    for preset in ALL:
        found = [ask(row, preset) for row in rows if row.paper]
        agree, differ = (found.count(v) for v in (Verdict.AGREES, Verdict.DIFFERS))
        if agree + differ:
            texts.append(f"{agree} of {agree + differ}{' hold' * (not texts)} under `{preset}`")
    return f"Of the paper's statements that can be decided here, {', '.join(texts)}." if texts else ""


def gap(ds: xr.Dataset) -> str:
    """Largest gap of the headline's point and its lifetime, with the error of the lattice."""
    part = one(ds).sortby("spacing", ascending=False)
    peak, held = peak_gap(part), time_above(part, OPEN)["duration"]
    if not bool((peak > OPEN).any()):
        return NONE
    texts = [
        f"{margin(float(x[-1]), left([float(x[-1] - x[0])], order))} {unit}"
        for x, unit, order in ((peak, "meV", 1.0), (held, "ps", DURATION_ORDER))
    ]
    return " for ".join(texts)


def headline(cubes: dict[str, xr.Dataset | str]) -> str:
    """The gap under each preset with a cube."""
    found = {preset: gap(ds) for preset, ds in cubes.items() if not isinstance(ds, str)}
    if not found:
        return ""
    tc = f"{value('Tc0', 'K3C60'):g}"
    said = ", ".join(f"{words} under `{preset}`" for preset, words in found.items())
    text = (
        f"K3C60 at 30 K (Tc0 = {tc} K) after 1 mJ/cm2 at 170 meV, escape time 1 ps (chosen here): {said} "
        "(± lattice error)."
    )
    if found.get("complete") == NONE and NONE not in (found.get("paper"), found.get("undamped")):
        text += (
            " Whether photons may break pairs, which the paper leaves out, decides between a gap and none; "
            "lifetimes and escape decide its size and duration."
        )
    return text


DECIDING = ("pair_breaking", "electron_scattering", "soft_spectra", "resonance", "seven_mev")
"""Cubes of the sweeps that decide."""


def deciding(cubes: dict[str, xr.Dataset | str]) -> str:
    """Limits of the gap of the model `paper`, and failed ways to enlarge it, from the cubes at hand."""
    asked = dict(zip(DECIDING, (_shares, _electrons, _soft, _tuned, _choices), strict=True))
    texts = [ask(ds) for name, ask in asked.items() if not isinstance(ds := cubes[name], str)]
    return " ".join(texts)


def _shares(ds: xr.Dataset) -> str:
    found = sweeps.shares(ds)
    low, high = (100 * float(x) for x in (found["high"].min(), found["high"].max()))
    return f"Photons that break pairs with {low:.2g} to {high:.2g} % of the golden rule's weight end it,"


def _electrons(ds: xr.Dataset) -> str:
    found = sweeps.times(ds)
    low, high = (float(x) for x in (found["low"].min(), found["low"].max()))
    return f"as does electron-electron scattering within {low:.2g} to {high:.2g} ps."


def _soft(ds: xr.Dataset) -> str:
    peak = peak_gap(ds).squeeze()
    slowest = peak.sel(tau_esc=float(peak["tau_esc"].max())).isel(material=slice(1, None))
    ended = int((slowest.max("F0") <= OPEN).sum())
    return f"With soft modes {ended} of {slowest.sizes['material']} spectra show none."


def _tuned(ds: xr.Dataset) -> str:
    correlation, _ = sweeps.departures(ds)
    word = "no resonance" if correlation <= 0 else "a resonance"
    return f"There is {word} with alpha2F (correlation {correlation:.2f})."


def _choices(ds: xr.Dataset) -> str:
    largest = 2 * peak_gap(ds).squeeze().max("F0")
    return (
        f"The paper's 2 Delta0 of about {value('K3C60_saturation', '2 Delta0'):g} meV is not reached: "
        f"{float(largest.sel(material='paper')):.2g} meV here, {float(largest.max()):.2g} meV at most by any one "
        f"choice ({largest['material'].values[int(np.argmax(largest.values))]})."
    )
