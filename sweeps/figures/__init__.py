"""The paper's figures, phase diagrams and movies of a cube: pure functions from a dataset to a Matplotlib figure.

A figure shows all of its dataset: select first (`draw` does, with `at`), and the remaining axes become lines or
panels. Nothing here needs a display. `registry` lists the figures; each is imported when it is first used.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.declaration import not_among
from .registry import FIGURES as FIGURES

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from ..store.place import Place
    from .curves import equilibrium_gap as equilibrium_gap
    from .curves import gap_fluence as gap_fluence
    from .curves import gap_traces as gap_traces
    from .depth import depth_difference as depth_difference
    from .lives import gap_and_life as gap_and_life
    from .lives import resonance as resonance
    from .maps import gap_evolution as gap_evolution
    from .maps import gap_function as gap_function
    from .maps import populations as populations
    from .movies import movie as movie
    from .phase import phase_diagram as phase_diagram
    from .probe import probe_traces as probe_traces
    from .saturation import optical_saturation as optical_saturation
    from .selection import select as select
    from .spectrum import alpha2F_of as alpha2F_of
    from .spectrum_lines import spectra as spectra
    from .style import STYLES as STYLES

_OTHERS = {"alpha2F_of": "spectrum", "movie": "movies", "select": "selection", "STYLES": "style"}
_HOMES = _OTHERS | {row.draws.partition(":")[2]: row.draws.partition(":")[0] for row in FIGURES.values()}
__all__ = ["FIGURES", "draw", "draw_cube", "save"]
__all__ += list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a function of a figure when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Names of this package, imported or not."""
    return sorted({*globals(), *_HOMES})


def draw(
    ds: "xr.Dataset",
    name: str,
    at: Mapping[str, Any] | None = None,
    *,
    style: str = "screen",
    columns: int = 0,
    **options: Any,
) -> "Figure":
    """A figure by its name.

    Args:
        ds: A cube.
        name: One of `FIGURES`.
        at: Labels to select first, axis -> value or list of values.
        style: `screen`, `paper` (a journal's columns, 3.37 and 6.9 inches) or `slides`.
        columns: 1 or 2, which the figure fills; 0 leaves it to the figure.
        options: Further keywords of the figure's function.

    Raises:
        ValueError: The name or style is not known, or the cube lacks what the figure shows.
    """
    from .selection import select
    from .style import styled

    if name not in FIGURES:
        raise ValueError(f"`figure` {not_among(name, FIGURES)}")
    at, row = dict(at or {}), FIGURES[name]
    if row.material is not None and "material" not in at and row.material in ds["material"].values:
        at["material"] = row.material
    with styled(style, columns):
        figure = row(select(ds, at), **options)
    if isinstance(getattr(figure, "origin", None), dict):
        figure.origin |= {"figure": name}  # type: ignore[attr-defined]
    return figure


def draw_cube(
    cube: "Place", ds: "xr.Dataset", name: str, at: Mapping[str, Any] | None = None, **options: Any
) -> "Figure":
    """A figure of a cube, with the materials of its config.

    Args:
        cube: Place of the cube.
        ds: The cube, opened.
        name, at, options: See `draw`, whose `style` and `columns` are among the options.
    """
    from .spectrum import material_in, spectrum_array

    row = FIGURES.get(name)
    if row is not None and row.needs:
        wanted = (at or {}).get("material", row.material)
        labels = [str(label) for label in ds["material"].values] if "material" in ds.coords else []
        chosen = [label for label in labels if label.lower() == str(wanted).lower()] or labels
        material = material_in(cube, chosen[0]) if len(chosen) == 1 else None
        if material is not None:
            options[row.needs] = material if row.needs == "material" else spectrum_array(material)
    return draw(ds, name, at, **options)


def save(figure: "Figure", out: str | Path, dpi: int | None = None) -> Path:
    """Write a figure as PNG (of `dpi` dots an inch, by default its style's), PDF or SVG, by the file's ending.

    The file's metadata carry the hash of the cube's config, as `photogap status` prints it.
    """
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=dpi or getattr(figure, "print_dpi", 300))
    return path
