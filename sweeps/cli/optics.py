"""Commands of optics: a film's conductivity, index, depth, R, T and chi, normal and superconducting."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.table import Table

from ..errors import ConfigError
from ..numbers import margin, short
from ..work.limits import one_thread
from .base import OUT, PHYSICS, ErrorsOption, JsonFlag, RtolOption, check_file, fail_clearly, print_json
from .looks import ColumnsOption, StyleOption, look_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.material import Material
    from ...core.optics.indices import Index
    from ...core.optics.response import FilmResponse
    from ..materials.film_optics import FilmOptics

_OUTPUTS = {"T": "T_film"}
"""Names of the cube's outputs whose units the table prints, if they differ."""
_PAIRS = (("sigma1", "sigma2"), ("n_real", "n_imag"))
"""Components of complex numbers; their errors are relative to the modulus."""


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(rich_help_panel=PHYSICS)(optics)
    app.command(rich_help_panel=PHYSICS)(media)


@fail_clearly
@one_thread()
def optics(
    material: Annotated[str, typer.Argument(help="Name or YAML file of a material.")],
    omega: Annotated[float, typer.Option("--omega", help="Photon energy, meV.")],
    T: Annotated[float, typer.Option("--T", help="Temperature, K.")],
    thickness: Annotated[
        float | None,
        typer.Option(help="Film thickness, nm; inf for a half space.", show_default="the material's"),
    ] = None,
    substrate: Annotated[
        str, typer.Option(help="Medium below the film: an index, a name (`photogap media`) or a .csv file.")
    ] = "1",
    cover: Annotated[
        str, typer.Option(help="Medium above the film, from which the light arrives; same forms as --substrate.")
    ] = "1",
    scattering_rate: Annotated[
        float | None, typer.Option(help="hbar / tau of elastic scattering, meV.", show_default="dirty limit")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--plot", help="Draw sigma1, sigma2 and R against frequency.")
    ] = None,
    rtol: RtolOption = None,
    errors: ErrorsOption = True,
    style: StyleOption = "screen",
    columns: ColumnsOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Print sigma, n, penetration depth, R, T and chi of a film in the normal state and in equilibrium at T."""
    from ...core.pairing.tracking import GapError
    from ..materials import library
    from ..materials.film_optics import FilmOptics

    if not (omega > 0 and math.isfinite(omega)):
        raise ConfigError(f"`--omega` must be positive, in meV. Got {omega!r}.")
    if thickness is not None and not thickness > 0:
        raise ConfigError(f"`--thickness` must be positive, in nm; inf is a half space. Got {thickness!r}.")
    check_file("--plot", picture)
    look = look_of(style, columns) if picture else {}
    try:
        build = partial(
            FilmOptics, T=T, thickness=thickness, substrate=_index("substrate", substrate),
            cover=_index("cover", cover), scattering_rate=scattering_rate,
        )  # fmt: skip
        film, off = _accurate(build, library.load(material), omega, rtol)
        normal = _numbers(film.normal(omega))
        superconducting = _numbers(film.superconducting(omega)) if "sigma1" in off else None
        if picture is not None:
            # Matplotlib takes as long to import as the film to solve
            from ..figures.optics import draw

            draw(film, omega, picture, **look)
    except (ValueError, OSError, GapError) as error:
        raise ConfigError(str(error).replace("`rtol`", "`--rtol`")) from error
    reason = None
    if superconducting is None:
        reason = (
            f"`--omega` is outside the lattice of {film.material.name}, {film.h:g} to {film.top:g} meV: "
            "normal state only"
        )
    record: dict[str, Any] = {
        "material": film.material.name, "omega_meV": omega, "T_K": T, "Tc_K": film.Tc, "gap_edge_meV": film.edge,
        "thickness_nm": film.thickness, "substrate": substrate, "cover": cover, "normal": normal,
        "superconducting": superconducting, "spacing_meV": film.h, "window_meV": film.h + film.top,
    }  # fmt: skip
    record |= {"error": off} if errors and superconducting else {}
    record |= {"reason": reason} if reason else {}
    record |= {"picture": str(picture)} if picture else {}
    if as_json:
        print_json(record)
        return
    _show(record)


def _accurate(
    build: "Callable[..., FilmOptics]", given: "Material", omega: float, rtol: float | None
) -> tuple["FilmOptics", dict[str, float]]:
    """Film on a lattice chosen for `rtol`, and error bounds of the numbers at `omega` (meV).

    For a photon energy far above the phonons the lattice is chosen for the gap alone, and the optics are those of
    the normal state only.
    """
    from ...core.accuracy import MOST_CELLS, RTOL, Numbers, choose_lattice, first_lattice
    from ...core.constants import KB

    films: list[FilmOptics] = []
    spacing, window = first_lattice(given.spectrum, 1.764 * KB * given.Tc0)
    finest, widest = min(spacing, omega / 5), max(window, 2 * omega)
    held = widest <= MOST_CELLS / 8 * finest
    if held:
        spacing, window = finest, widest

    def estimate(h: float, top: float) -> Numbers:
        near = films[-1].state if films else None
        films.append(build(replace(given, spacing=h, window=top), near=near))
        film = films[-1]
        if not held:
            return Numbers(np.array([film.edge]), np.array([film.edge or KB * film.Tc]), ("gap_edge",), film)
        numbers, scale = _numbers(film.superconducting(omega)), _numbers(film.normal(omega))
        for pair in _PAIRS:
            scale |= dict.fromkeys(pair, math.hypot(*(numbers[key] for key in pair)))
        sizes = [max(abs(numbers[key]), abs(scale[key]), 1e-300) for key in numbers]
        return Numbers(np.array(list(numbers.values())), np.array(sizes), tuple(numbers), film)

    # thresholds shift relative to the lattice as it is refined: only first order is guaranteed
    choice = choose_lattice(estimate, spacing=spacing, window=window, rtol=rtol or RTOL, orders=(1.0, 1.0))
    found: FilmOptics = choice.best.state
    bounds = dict(zip(choice.best.names, choice.error.tolist(), strict=True))
    for pair in _PAIRS if held else ():
        # one component may agree by chance, but not both
        bounds |= dict.fromkeys(pair, math.hypot(*(bounds[key] for key in pair)))
    return found, bounds


def _index(option: str, given: str) -> "Index":
    """Refractive index given by an option."""
    from ...core.declaration import declarations
    from ...core.settings import Settings
    from ..materials import media as library

    try:
        index = library.load(given)
    except ValueError as error:
        raise ValueError(f"`--{option}`: {error}") from None
    declarations(Settings)[option].refuse(f"--{option}", index)
    return index


@fail_clearly
def media(as_json: JsonFlag = False) -> None:
    """List the built-in media with their ranges and sources."""
    from ..materials import media as library

    found = {name: library.describe(name) for name in library.names()}
    if as_json:
        print_json({name: spec.model_dump() for name, spec in found.items()})
        return
    table = Table("medium", "known from", "to (meV)", "origin")
    for name, spec in found.items():
        for i, (part, given) in enumerate(zip(spec.build().parts, spec.parts, strict=True)):
            table.add_row("" if i else name, f"{part.low:.4g}", f"{part.high:.4g}", given.source)
    OUT.print(table)


def _numbers(response: "FilmResponse") -> dict[str, float]:
    """Response at one photon energy as plain numbers."""
    return {
        "sigma1": float(response.sigma.real),
        "sigma2": float(response.sigma.imag),
        "n_real": float(response.n.real),
        "n_imag": float(response.n.imag),
        "penetration_depth": float(response.penetration_depth),
        "R": float(response.R),
        "T": float(response.T),
        "chi": float(response.chi),
    }


def _show(record: dict[str, Any]) -> None:
    from ...core.result import OUTPUTS
    from ...core.units import typed

    state = "superconducting" if record["gap_edge_meV"] > 0 else "normal"
    OUT.print(
        f"{record['material']}, {record['thickness_nm']:g} nm, {record['omega_meV']:g} meV, {record['T_K']:g} K "
        f"({state}: Tc {record['Tc_K']:.4g} K, gap edge {record['gap_edge_meV']:.4g} meV)",
        highlight=False,
    )
    table = Table("quantity", "unit", "normal state", f"at {record['T_K']:g} K")
    units = {v.name: typed(v.units) for outputs in OUTPUTS for v in outputs.variables}
    for key in record["normal"]:
        there, unit = record["superconducting"], units[_OUTPUTS.get(key, key)]
        found = margin(there[key], record.get("error", {}).get(key, 0.0)) if there else "-"
        table.add_row(key, unit, short(record["normal"][key]), found)
    OUT.print(table)
    if "error" in record:
        OUT.print(
            f"±: bound on the error, on a lattice of {record['spacing_meV']:.4g} meV up to "
            f"{record['window_meV']:.4g} meV",
            style="dim",
        )
    for key in ("reason", "picture"):
        if key in record:
            OUT.print(record[key], highlight=False, soft_wrap=True)
