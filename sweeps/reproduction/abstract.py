"""The page's abstract: the number of statements that hold, and the decisive numbers, all from cubes."""

from collections.abc import Callable, Iterable

import numpy as np
import xarray as xr

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
    texts = []
    for preset in ALL:
        found = [ask(row, preset) for row in rows if row.paper]
        agree, differ = (found.count(v) for v in (Verdict.AGREES, Verdict.DIFFERS))
        if agree + differ:
            texts.append(f"{agree} of {agree + differ} hold under `{preset}`")
    return f"Of the paper's statements that a computation can decide here, {', '.join(texts)}." if texts else ""


def gap(ds: xr.Dataset) -> str:
    """Largest gap of the headline's point and its lifetime, with the error of the lattice."""
    part = one(ds).sortby("spacing", ascending=False)
    peak, held = peak_gap(part), time_above(part, OPEN)["duration"]
    if not bool((peak > OPEN).any()):
        return NONE
    texts = [
        f"{margin(float(x[-1]), left([float(x[-1] - x[0])]))} {unit}" for x, unit in ((peak, "meV"), (held, "ps"))
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
        f"K3C60 at 30 K (Tc0 = {tc} K), after 1 mJ/cm2 at 170 meV and with an escape time of 1 ps, chosen here: "
        f"{said} (±: error of the lattice)."
    )
    if found.get("complete") == NONE and NONE not in (found.get("paper"), found.get("undamped")):
        text += (
            " Whether the photon may break pairs, which the paper leaves out, decides between a gap and none; "
            "lifetimes in the gap equation and the escape time decide how large the gap is and how long it lasts."
        )
    return text


DECIDING = ("pair_breaking", "electron_scattering", "resonance", "seven_mev")
"""Cubes of the sweeps that decide."""


def deciding(cubes: dict[str, xr.Dataset | str]) -> str:
    """Limits of the gap of the model `paper`, and failed ways to enlarge it, from the cubes at hand."""
    texts = []
    shares, electrons, tuned, choices = (cubes[name] for name in DECIDING)
    if not isinstance(shares, str):
        found = sweeps.shares(shares)
        texts.append(
            f"Photons that break pairs with {100 * float(found['high'].min()):.2g} to "
            f"{100 * float(found['high'].max()):.2g} % of the golden rule's weight end it; "
            "the share depends on F0 and tau_esc."
        )
    if not isinstance(electrons, str):
        found = sweeps.times(electrons)
        texts.append(
            f"So does electron-electron scattering within {float(found['low'].min()):.2g} to "
            f"{float(found['low'].max()):.2g} ps."
        )
    if not isinstance(tuned, str):
        correlation, peak = sweeps.departures(tuned)
        word = "no resonance" if correlation <= 0 else "a resonance"
        texts.append(
            f"Over omega_pump it shows {word} with alpha2F (correlation {correlation:.2f}, gaps from "
            f"{float(peak.min()):.2g} to {float(peak.max()):.2g} meV)."
        )
    if not isinstance(choices, str):
        peak = 2 * peak_gap(choices).squeeze()
        largest = peak.max("F0")
        texts.append(
            f"The paper's 2 Delta0 of about {value('K3C60_saturation', '2 Delta0'):g} meV is not reached: "
            f"{float(largest.sel(material='paper')):.2g} meV here, and {float(largest.max()):.2g} meV at most for "
            f"any one choice tried ({largest['material'].values[int(np.argmax(largest.values))]})."
        )
    return " ".join(texts)
