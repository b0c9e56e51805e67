"""REPRODUCTION.md, written from the cubes alone: every statement with its cells and its cubes."""

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xarray as xr

from ..analysis import open_cube
from ..ask.config import PRESETS
from ..figures.registry import FIGURES
from ..solver import MODEL
from ..status import Status
from ..store.place import place
from . import abstract, assumptions
from .paper import facts, places
from .rows import ALL, ANY, OPEN, Cell, Row, Verdict, told
from .runs import Cubes
from .statements import GROUPS, STATEMENTS

_TITLE = "# Reproduction"
_HEAD = """Written by `make reproduce` from its cubes; do not edit. The paper is Simon et al., arXiv:2603.18182v1,
text and supplement. [paper.yaml](sweeps/reproduction/paper.yaml) lists every number and statement that this page
attributes to the paper, with its place. Nothing was tuned to agree.

The paper's alpha2F files are not public, and the numbers of its figures are not in the text. Few gaps, fluences or
times can therefore be compared as numbers; most rows test whether a statement holds. **agrees** and **differs** are
decided by the code that reads the cube (`sweeps/reproduction`), not by hand. A gap counts as open from Delta0 =
{open} meV; with `full` damping and hot phonons such a state may be gapless (`gap_edge` 0). `≥` marks values cut off
by the end of a record.

The equilibrium engine of the paper is IsoME in its real-axis version 2: Kogler et al., arXiv:2503.03559, and
arXiv:2603.18199 for the method: complex self-energies, the gap as the root of omega - Re Delta(omega), a constant
density of states. This project solves the same equations with its own code.

Model version {version}. Presets:

{presets}
"""


@dataclass(frozen=True)
class Picture:
    """A figure of the page next to the paper's.

    Args:
        paper: Keys of paper.yaml on the paper's panel; empty if there is none.
        cube: Config and preset.
        figure: Name that `photogap plot --figure` takes.
        at: Labels to select.
        heading: The panel in the paper, or the subject if there is none; empty takes the figure's own.
        caption: Contents of the picture; empty takes the figure's own.
    """

    paper: tuple[str, ...]
    cube: tuple[str, str]
    figure: str
    at: dict[str, Any] = field(default_factory=dict)
    heading: str = ""
    caption: str = ""

    def __post_init__(self) -> None:
        """Take the figure's own heading and caption where none is given."""
        row = FIGURES[self.figure]
        object.__setattr__(self, "heading", self.heading or row.pane)
        object.__setattr__(self, "caption", self.caption or row.shows)

    @property
    def stem(self) -> str:
        """Name of the picture's file."""
        return f"{self.figure}_{self.cube[0]}" + (f"_{self.cube[1]}" if self.cube[1] else "")


PICTURES: tuple[Picture, ...] = (
    Picture(("spectra",), ("fig6_equilibrium", ""), "fig1c"),
    Picture(("spectra",), ("fig6_equilibrium", ""), "fig2a"),
    Picture(("spectra",), ("fig6_equilibrium", ""), "fig2b"),
    Picture(("spectra",), ("fig6_equilibrium", ""), "fig5"),
    Picture(
        ("Pb_setup", "Pb_recovery", "normalised"),
        ("fig2c_pb", "paper"),
        "fig2c",
        caption="-dT/T0 as measured (left) and the film's own (right); 10 nm on glass, chosen here",
    ),
    Picture(("LaH10_setup", "LaH10_bottleneck", "normalised"), ("fig2d_lah10", "paper"), "fig2d", {"spacing": 1.6}),
    Picture(
        ("K3C60_gap",), ("fig3_k3c60", "paper"), "fig3", {"F0": 1.0}, heading="Fig. 3a", caption="K3C60 at 1 mJ/cm2"
    ),
    Picture(
        ("K3C60_gap",),
        ("fig3_k3c60", "undamped"),
        "fig3",
        {"F0": 1.0},
        heading="Fig. 3a, undamped",
        caption="K3C60 at 1 mJ/cm2 without lifetimes in the gap equation",
    ),
    Picture(
        ("CaC6_gap",), ("fig3_cac6", "paper"), "fig3", {"F0": 0.1}, heading="Fig. 3b", caption="CaC6 at 0.1 mJ/cm2"
    ),
    Picture(
        ("steps", "blue_shift", "phonon_structure"),
        ("fig4_populations", "paper"),
        "fig4",
        {"material": "K3C60-all-modes"},
        heading="Figs. 4 and 10",
        caption="K3C60 with 189 modes: f(E, t), n(omega, t), alpha2F",
    ),
    Picture(("equilibrium_gaps",), ("fig6_equilibrium", ""), "fig6"),
    Picture(("LaH10_depth_change",), ("fig7a_lah10", "paper"), "fig7a"),
    Picture(("K3C60_depth_change",), ("fig7b_k3c60", "paper"), "fig7b"),
    Picture(
        ("K3C60_depth_change",),
        ("fig7b_k3c60", "undamped"),
        "fig7b",
        heading="Fig. 7b, undamped",
        caption="The same without lifetimes in the gap equation",
    ),
    Picture(("K3C60_fluence", "K3C60_saturation"), ("fig8_fluence", "paper"), "fig8"),
    Picture(
        ("K3C60_fluence", "K3C60_saturation"),
        ("fig8_fluence", "undamped"),
        "fig8",
        heading="Fig. 8, undamped",
        caption="peak gap of K3C60 against fluence without lifetimes in the gap equation",
    ),
    Picture(("K3C60_gap_function",), ("fig9_gap_function", "paper"), "fig9", {"F0": 1.0}),
    Picture(
        ("K3C60_gap_function",),
        ("fig9_gap_function", "undamped"),
        "fig9",
        {"F0": 1.0},
        heading="Fig. 9, undamped",
        caption="The same without lifetimes in the gap equation",
    ),
    Picture(
        ("CaC6_populations",),
        ("fig11_cac6", "paper"),
        "fig11",
        {"material": "CaC6-all-modes"},
        caption="CaC6 with 21 modes: f(E, t), n(omega, t), alpha2F",
    ),
    Picture(
        (),
        ("phase_assumptions", ""),
        "phase_diagram",
        {"stimulated_emission": False},
        heading="The assumption on which the gap depends",
        caption="where a gap exists, by damping and pump channels; line: border of existence, hatched: gapless",
    ),
    Picture(
        (),
        ("phase_diagram", "paper"),
        "phase_diagram",
        heading="Fluence, escape time and temperature",
        caption="where a gap exists in K3C60 under `paper` (rate `envelope`)",
    ),
    Picture(("mechanism",), ("resonance", "paper"), "resonance", {"T": 30}, heading="Resonance"),
    Picture((), ("pair_breaking", "paper"), "pair_breaking", heading="Share of pair breaking"),
    Picture(
        ("no_pair_breaking",),
        ("electron_scattering", "paper"),
        "electron_scattering",
        heading="Electron-electron scattering",
    ),
    Picture(("K3C60_saturation",), ("seven_mev", "paper"), "choices", heading="Ways to 7 meV"),
    Picture(("Pb_recovery",), ("fig2c_pb", "paper"), "recovery", heading="Lead towards Tc"),
)


def write(out: Path, cubes: Cubes, pictures: Path | None) -> Path:
    """Write the page and, if requested, its pictures; pictures of an earlier page are deleted."""
    _cell.cache_clear()
    names = "\n".join(f"- `{k}`: {', '.join(f'{a} {_yaml(b)}' for a, b in v.items())}" for k, v in PRESETS.items())
    parts = [_HEAD.format(open=OPEN, presets=names, version=MODEL.version)]
    parts[:0] = _abstract(cubes)
    parts += ["## Statements", ""]
    for heading, rows in GROUPS.items():
        parts += [f"### {heading}", "", *_table(rows, cubes), ""]
    parts += _carries(cubes)
    _save(out, parts)  # the numbers stand even if a picture cannot be drawn
    if pictures is not None:
        _save(out, [*parts, "## Pictures", "", *_draw(cubes, pictures, out.parent)])
        for stale in set(pictures.glob("*.png")) - {pictures / f"{picture.stem}.png" for picture in PICTURES}:
            stale.unlink()
    return out


def _save(out: Path, parts: list[str]) -> None:
    out.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")


def _abstract(cubes: Cubes) -> list[str]:
    """Title and abstract."""

    def verdict(row: Row, preset: str) -> Verdict | None:
        if row.presets != ANY and preset not in row.presets:
            return None
        return _cell(row, cubes, "" if row.presets == ANY else preset).verdict

    texts = [abstract.counted(STATEMENTS, verdict)]
    texts.append(abstract.headline({preset: _opened(cubes, "headline", preset) for preset in ALL}))
    texts.append(abstract.deciding({name: _opened(cubes, name, "paper") for name in abstract.DECIDING}))
    return [_TITLE, "", *(line for text in texts if text for line in (text, ""))]


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _table(rows: tuple[Row, ...], cubes: Cubes) -> list[str]:
    """The rows, with a column for each preset used by any of them."""
    columns = [preset for preset in ALL if any(preset in row.presets for row in rows)] or [""]
    heads = [f"`{preset}`" if preset else "here" for preset in columns]
    heads = ["The paper", "place", *heads, "cube", "what decides"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        where = f"`{row.config}`" if row.config else "none: a formula"
        statement = row.statement + (f" (chosen here: {row.here})" if row.here else "")
        place = places(row.paper) if row.paper else row.source or "not in the paper: a check by this project"
        cells = [statement, place, *_cells(row, columns, cubes), where, _decides(row, cubes)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def _cells(row: Row, columns: list[str], cubes: Cubes) -> list[str]:
    """A cell for each column; if no preset applies, the first contains the answer."""
    if row.presets == ANY:
        rest = ["no preset applies"] * (len(columns) - 1)
        return [str(_cell(row, cubes, "")), *rest]
    return [str(_cell(row, cubes, preset)) if preset in row.presets else "not run" for preset in columns]


@functools.cache
def _cell(row: Row, cubes: Cubes, preset: str) -> Cell:
    if not row.config:
        return row.ask(xr.Dataset())
    ds = _opened(cubes, row.config, preset)
    if isinstance(ds, str):
        return told(ds)
    try:
        found = row.ask(ds)
    except _UNREADABLE:
        if _complete(ds):
            raise
        return told(_holes(ds))
    # A point that is missing holds no statement and breaks none.
    if found.verdict is Verdict.DIFFERS and not _complete(ds):
        return told(f"{found.text}; {_holes(ds)}")
    return found


def _decides(row: Row, cubes: Cubes) -> str:
    parts = [row.decides]
    for measured in row.measured:
        ds = _opened(cubes, measured.config, measured.preset)
        try:
            text = ds if isinstance(ds, str) else measured.tell(ds)
        except _UNREADABLE:
            if isinstance(ds, str) or _complete(ds):
                raise
            text = _holes(ds)
        parts.append(f"{text} (`{measured.config}`)")
    return ". ".join(parts)


_UNREADABLE = (KeyError, ValueError, IndexError, ArithmeticError)
"""Errors of an answer that needs missing points."""


def _complete(ds: xr.Dataset) -> bool:
    return bool((ds["status"] == Status.OK).all())


def _holes(ds: xr.Dataset) -> str:
    """Number of missing or failed points of a cube, and the reasons."""
    status = ds["status"].values.ravel()
    lost = int((status != Status.OK).sum())
    messages = "; ".join(sorted({str(m) for m in ds["message"].values.ravel()} - {""}))
    return f"{lost} of {status.size} points are missing or failed{f': {messages}' * bool(messages)}"


def _opened(cubes: Cubes, config: str, preset: str = "") -> xr.Dataset | str:
    """A cube with successful points, or the reason why there is none."""
    path = cubes.path(config, preset)
    if not path.exists():
        return f"no cube: `configs/{config}.yaml` has not been run"
    ds = open_cube(path, chunks=None)
    if not ds.attrs["points_ok"]:
        messages = "; ".join(sorted({str(m) for m in ds["message"].values.ravel()} - {""}))
        return f"every point failed: {messages}" if messages else "no point has been computed yet"
    return ds


def _carries(cubes: Cubes) -> list[str]:
    lines = ["## On which assumption does light-induced superconductivity depend?", ""]
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
        "Without pair breaking by the photon and without stimulated emission, a gap exists for:",
        "",
        *assumptions.where(ds),
        "",
    ]


_WHY = (
    "Above Tc0, before a gap opens, there are no pairs to break: this channel is the ordinary absorption of a",
    "metal, which lifts an electron across the Fermi level. At 30 K (kB T = 2.6 meV) and 170 meV there",
    "are few quasiparticles to scatter, so it is nearly all of the absorption. With `scattering` alone the",
    "whole energy goes into those few: it empties the states at the gap edge and fills those just above",
    "omega_pump, and both favour pairing. With both channels quasiparticles appear at all energies up to",
    "omega_pump, and block it.",
)


def _draw(cubes: Cubes, folder: Path, base: Path) -> list[str]:
    from .. import figures

    lines: list[str] = []
    kept: set[Path] = set()
    for picture in PICTURES:
        path = cubes.path(*picture.cube)
        if isinstance(_opened(cubes, *picture.cube), str):
            continue
        ds = open_cube(path)
        try:
            drawn = figures.draw_cube(place(str(path)), ds, picture.figure, picture.at)
        except _UNREADABLE:
            if _complete(ds):
                raise
            lines += [f"### {picture.heading}", "", f"`{path.stem}`: {_holes(ds)}", ""]
            continue
        saved = figures.save(drawn, folder / f"{picture.stem}.png", dpi=_DPI)
        kept.add(saved)
        told = "; ".join(facts()[key].says for key in picture.paper) or "the paper has no such figure"
        lines += [
            f"### {picture.heading}",
            "",
            f"| The paper{f' ({places(picture.paper)})' if picture.paper else ''} | Here (`{path.stem}`) |",
            "|---|---|",
            f"| {told} | ![{picture.caption}]({saved.relative_to(base)}) *{picture.caption}* |",
            "",
        ]
    for stale in set(folder.glob("*.png")) - kept:
        stale.unlink()
    return lines


_DPI = 140
"""Dots per inch of the page's pictures: each stays below 150 kB."""
