"""REPRODUCTION.md: every statement, its cells and its cubes; written from the cubes alone."""

from pathlib import Path
from typing import Any

import xarray as xr

from ..analysis import open_cube
from ..ask.config import PRESETS
from ..model import MODEL
from . import assumptions
from .rows import OPEN, Cell, Row, told
from .runs import Cubes
from .statements import STATEMENTS

_HEAD = """# Reproduction

Written by `make reproduce` from the cubes it makes; do not edit. The physics is that of Simon et al.,
arXiv:2603.18182; statements and numbers of the paper are those known to this project. Nothing was tuned to agree.

The paper's alpha2F files are not public, so that no gap, fluence or time can be compared as a number; what can is
whether a statement holds. **agrees** and **differs** are decided by the code that reads the cube
(`sweeps/reproduction`), not by hand. A gap counts as open from Delta0 = {open} meV;
with `full` damping and hot phonons such a state may be gapless (`gap_edge` 0: tau_esc = 1 ps in the map below).

Where the paper states no escape time (K3C60, CaC6), 1 ps was taken; the maps below show what hangs on it.
Model version {version}. Presets:

{presets}
"""
PICTURES: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("fig3_k3c60_paper", "fig3", {"F0": 1.0}, "K3C60 above Tc0 at 1 mJ/cm2, preset `paper`."),
    ("fig3_cac6_paper", "fig3", {"F0": 0.1}, "CaC6 above Tc0 at 0.1 mJ/cm2, preset `paper`."),
    ("fig8_fluence_paper", "fig8", {}, "K3C60: peak gap against fluence, preset `paper`."),
    (
        "fig4_populations_paper",
        "fig4",
        {"material": "K3C60-all-modes"},
        "K3C60 with 189 modes: f(E, t), n(omega, t), alpha2F; preset `paper`.",
    ),
    (
        "phase_assumptions",
        "phase_diagram",
        {"stimulated_emission": True},
        "Where a gap exists, by damping and pump channels; dashed: border of existence.",
    ),
    (
        "phase_diagram_paper",
        "phase_diagram",
        {},
        "The map of preset `paper` (rate `envelope`) at 30, 60 and 120 K.",
    ),
    (
        "fig2c_pb_complete",
        "fig2c",
        {},
        "Pb: -dT/T0 as the instrument sees it (left) and the film's own (right); `complete`.",
    ),
    (
        "fig2d_lah10_complete",
        "fig2d",
        {"spacing": 0.25},
        "LaH10: dR/R0 as the instrument sees it (left) and the film's own, its size (right); `complete`.",
    ),
)


def write(out: Path, cubes: Cubes, pictures: Path | None) -> Path:
    """Write the page, and its pictures if they are wanted."""
    names = "\n".join(f"- `{k}`: {', '.join(f'{a} {b}' for a, b in v.items())}" for k, v in PRESETS.items())
    parts = [_HEAD.format(open=OPEN, presets=names, version=MODEL.version)]
    parts += ["## Statements", "", *_table(cubes), ""]
    parts += _carries(cubes)
    if pictures is not None:
        parts += ["## Pictures", "", *_draw(cubes, pictures, out.parent)]
    out.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")
    return out


def _table(cubes: Cubes) -> list[str]:
    lines = ["| The paper | `paper` | `complete` | cube | what decides |", "|---|---|---|---|---|"]
    for row in STATEMENTS:
        cells = [str(_cell(row, cubes, preset)).replace("|", "\\|") for preset in row.presets]
        if row.presets == ("",):
            cells = [cells[0], "as `paper`: no preset enters"]
        elif len(cells) == 1:
            cells.append("not run")
        where = f"`{row.config}`" if row.config else "none: one formula"
        lines.append(f"| {row.statement} | {' | '.join(cells)} | {where} | {_decides(row, cubes)} |")
    return lines


def _cell(row: Row, cubes: Cubes, preset: str) -> Cell:
    if not row.config:
        return row.ask(xr.Dataset())
    ds = _opened(cubes, row.config, preset)
    return told(ds) if isinstance(ds, str) else row.ask(ds)


def _decides(row: Row, cubes: Cubes) -> str:
    parts = [row.decides]
    for measured in row.measured:
        ds = _opened(cubes, measured.config, measured.preset)
        parts.append(f"{ds if isinstance(ds, str) else measured.tell(ds)} (`{measured.config}`)")
    return ". ".join(parts).replace("|", "\\|")


def _opened(cubes: Cubes, config: str, preset: str = "") -> xr.Dataset | str:
    """A cube with points that succeeded, or why there is none."""
    path = cubes.path(config, preset)
    if not path.exists():
        return f"no cube: `configs/{config}.yaml` has not been run"
    ds = open_cube(path, chunks=None)
    if not ds.attrs["points_ok"]:
        return "every point failed: " + "; ".join(sorted({str(m) for m in ds["message"].values.ravel()}))
    return ds


def _carries(cubes: Cubes) -> list[str]:
    lines = ["## Which assumption carries light-induced superconductivity?", ""]
    path = cubes.path("phase_assumptions")
    if not path.exists():
        return [*lines, "`configs/phase_assumptions.yaml` has not been run.", ""]
    ds = open_cube(path, chunks=None)
    return [
        *lines,
        "K3C60 at 30 K, twice Tc0, pump 170 meV; F0 x tau_esc for every combination (cube `phase_assumptions`).",
        "",
        assumptions.answer(ds),
        "",
        *_WHY,
        "",
        *assumptions.table(ds),
        "",
        "Without pair breaking by the photon, with stimulated emission, a gap exists for:",
        "",
        *assumptions.where(ds),
        "",
    ]


_WHY = (
    "Above Tc0, before a gap opens, there are no pairs to break: this channel is the ordinary absorption of a",
    "metal, an electron lifted from below the Fermi level to above it. At 30 K (kB T = 2.6 meV) and 170 meV there",
    "are few quasiparticles to be scattered, and it is nearly all of the absorption. With `scattering` alone the",
    "whole energy goes into those few: it empties the states at the gap's edge and fills those just above",
    "omega_pump, and both favour pairing. With both channels quasiparticles appear at all energies up to",
    "omega_pump, and block it.",
)


def _draw(cubes: Cubes, folder: Path, base: Path) -> list[str]:
    from .. import figures
    from ..figures.spectrum import alpha2F_in
    from ..store.place import place

    lines = []
    for cube, figure, at, text in PICTURES:
        path = cubes.root / f"{cube}.zarr"
        if not path.exists():
            continue
        options = {}
        if figure == "fig4":
            options["alpha2F"] = alpha2F_in(place(str(path)), str(at["material"]))
        drawn = figures.draw(open_cube(path), figure, at, **options)
        saved = figures.save(drawn, folder / f"{cube}.png", dpi=_DPI)
        lines += [f"![{text}]({saved.relative_to(base)})", "", f"*{text}*", ""]
    return lines


_DPI = 140
"""Dots an inch of the page's pictures: each stays below 150 kB."""
