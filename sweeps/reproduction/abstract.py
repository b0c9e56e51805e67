"""The page's abstract: the number of statements that hold, and the decisive numbers, all from cubes."""

from collections.abc import Callable, Iterable

import xarray as xr

from ..analysis import peak_gap, time_above
from ..numbers import left, margin
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
