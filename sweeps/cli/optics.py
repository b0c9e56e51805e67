"""Commands of optics: a film's conductivity, index, depth, R, T and chi, normal and superconducting."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ..errors import ConfigError
from ..numbers import left, margin, short
from .base import OUT, PHYSICS, ErrorsOption, JsonFlag, check_file, fail_clearly, print_json

if TYPE_CHECKING:
    from ...core.optics.indices import Index
    from ...core.optics.response import FilmResponse

_UNITS = {
    "sigma1": "1/(ohm nm)",
    "sigma2": "1/(ohm nm)",
    "n_real": "",
    "n_imag": "",
    "penetration_depth": "nm",
    "R": "",
    "T": "",
    "chi": "",
}


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(rich_help_panel=PHYSICS)(optics)
    app.command(rich_help_panel=PHYSICS)(media)


@fail_clearly
def optics(
    material: Annotated[str, typer.Argument(help="A material's name or YAML.")],
    omega: Annotated[float, typer.Option("--omega", help="Photon energy, meV.")],
    T: Annotated[float, typer.Option("--T", help="Temperature, K.")],
    thickness: Annotated[
        float | None,
        typer.Option(help="Film thickness, nm; inf is a half space.", show_default="the material's"),
    ] = None,
    substrate: Annotated[
        str, typer.Option(help="What lies below: an index, a medium's name (`photogap media`), or a .csv file.")
    ] = "1",
    cover: Annotated[str, typer.Option(help="What the light comes from, likewise.")] = "1",
    scattering_rate: Annotated[
        float | None, typer.Option(help="hbar / tau of elastic scattering, meV.", show_default="dirty limit")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--plot", help="Draw sigma1, sigma2 and R against frequency.")
    ] = None,
    errors: ErrorsOption = True,
    as_json: JsonFlag = False,
) -> None:
    """Print sigma, n, penetration depth, R, T and chi of a film, normal and in equilibrium at T."""
    from ...core.tracking import GapError
    from ..figures.optics import Film, draw
    from ..materials import library

    if not (omega > 0 and math.isfinite(omega)):
        raise ConfigError(f"`--omega` must be positive, in meV. Got {omega!r}.")
    if thickness is not None and not thickness > 0:
        raise ConfigError(f"`--thickness` must be positive, in nm; inf is a half space. Got {thickness!r}.")
    check_file("--plot", picture)
    try:
        build = partial(
            Film, T=T, thickness=thickness, substrate=_index("substrate", substrate),
            cover=_index("cover", cover), scattering_rate=scattering_rate,
        )  # fmt: skip
        given = library.load(material)
        film = build(given)
        normal = _numbers(film.normal(omega))
        superconducting, off = None, {}
        if film.holds(omega):
            superconducting = _numbers(film.superconducting(omega))
            if errors:
                finer = (replace(given, spacing=given.spacing / 2), replace(given, window=2 * given.window))
                others = [_numbers(build(better).superconducting(omega)) for better in finer]
                off = {key: left([o[key] - value for o in others]) for key, value in superconducting.items()}
        if picture is not None:
            draw(film, omega, picture)
    except (ValueError, OSError, GapError) as error:
        raise ConfigError(str(error)) from error
    reason = None
    if superconducting is None:
        reason = (
            f"`--omega` lies outside the lattice of {film.material.name}, {film.h:g} to {film.top:g} meV: "
            "normal state only"
        )
    record: dict[str, Any] = {
        "material": film.material.name, "omega_meV": omega, "T_K": T, "Tc_K": film.Tc, "gap_edge_meV": film.edge,
        "thickness_nm": film.thickness, "substrate": substrate, "cover": cover, "normal": normal,
        "superconducting": superconducting,
    }  # fmt: skip
    record |= {"error": off} if off else {}
    record |= {"reason": reason} if reason else {}
    record |= {"picture": str(picture)} if picture else {}
    if as_json:
        print_json(record)
        return
    _show(record)


def _index(option: str, given: str) -> "Index":
    """Index that an option names."""
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
    """List the media that come with the package, each with its ranges and where they come from."""
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
    """One photon energy's response as plain numbers."""
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
    state = "superconducting" if record["gap_edge_meV"] > 0 else "normal"
    OUT.print(
        f"{record['material']}, {record['thickness_nm']:g} nm, {record['omega_meV']:g} meV, {record['T_K']:g} K "
        f"({state}: Tc {record['Tc_K']:.4g} K, gap edge {record['gap_edge_meV']:.4g} meV)",
        highlight=False,
    )
    table = Table("quantity", "unit", "normal state", f"at {record['T_K']:g} K")
    for key, unit in _UNITS.items():
        there = record["superconducting"]
        found = margin(there[key], record.get("error", {}).get(key, 0.0)) if there else "-"
        table.add_row(key, unit, short(record["normal"][key]), found)
    OUT.print(table)
    if "error" in record:
        OUT.print("±: twice what half the spacing and twice the window change", style="dim")
    for key in ("reason", "picture"):
        if key in record:
            OUT.print(record[key], highlight=False, soft_wrap=True)
