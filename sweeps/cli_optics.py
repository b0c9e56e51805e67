"""Command of optics: a film's conductivity, index, depth, R, T and chi, normal and superconducting."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from .cli_base import OUT, JsonFlag, fail_clearly, print_json
from .errors import ConfigError

if TYPE_CHECKING:
    from ..core.optics.response import FilmResponse

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
    """Add the command to the command line."""
    app.command()(optics)


@fail_clearly
def optics(
    material: Annotated[str, typer.Argument(help="A material's name or YAML.")],
    omega: Annotated[float, typer.Option("--omega", help="Photon energy, meV.")],
    T: Annotated[float, typer.Option("--T", help="Temperature, K.")],
    thickness: Annotated[
        float | None, typer.Option(help="Film thickness, nm; inf is a half space. [default: the material's]")
    ] = None,
    n_substrate: Annotated[float, typer.Option(help="Real part of the substrate's index.")] = 1.0,
    k_substrate: Annotated[float, typer.Option(help="Imaginary part of the substrate's index.")] = 0.0,
    n_cover: Annotated[float, typer.Option(help="Index of the medium that the light comes from.")] = 1.0,
    scattering_rate: Annotated[
        float | None, typer.Option(help="hbar / tau of elastic scattering, meV. [default: dirty limit]")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--plot", help="Draw sigma1, sigma2 and R against frequency.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Optics of a film: sigma, n, penetration depth, R, T and chi, normal and in equilibrium at T."""
    from ..core.tracking import GapError
    from . import materials as library
    from .optics_picture import Film, draw

    if not (omega > 0 and math.isfinite(omega)):
        raise ConfigError(f"`--omega` must be positive, in meV. Got {omega!r}.")
    if thickness is not None and not thickness > 0:
        raise ConfigError(f"`--thickness` must be positive, in nm; inf is a half space. Got {thickness!r}.")
    try:
        film = Film(
            library.load(material), T, thickness=thickness, n_substrate=complex(n_substrate, k_substrate),
            n_cover=n_cover, scattering_rate=scattering_rate,
        )  # fmt: skip
        normal = film.normal(omega)
        superconducting = film.superconducting(omega) if film.holds(omega) else None
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
        "thickness_nm": film.thickness, "normal": _numbers(normal),
        "superconducting": _numbers(superconducting) if superconducting else None,
    }  # fmt: skip
    record |= {"reason": reason} if reason else {}
    record |= {"picture": str(picture)} if picture else {}
    if as_json:
        print_json(record)
        return
    _show(record)


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
        table.add_row(key, unit, f"{record['normal'][key]:.5g}", f"{there[key]:.5g}" if there else "-")
    OUT.print(table)
    for key in ("reason", "picture"):
        if key in record:
            OUT.print(record[key], highlight=False, soft_wrap=True)
