"""Commands of physics: materials and their equilibrium state."""

import math
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ..errors import ConfigError
from ..numbers import left, margin, short
from .base import OUT, PHYSICS, ErrorsOption, JsonFlag, check_file, fail_clearly, print_json

if TYPE_CHECKING:
    from ...core.equilibrium import Equilibrium
    from ...core.material import Material
    from ...core.settings import Damping


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(rich_help_panel=PHYSICS)(materials)
    app.command(rich_help_panel=PHYSICS)(equilibrium)


@fail_clearly
def materials(
    name: Annotated[str | None, typer.Argument(help="One material, with the origin of every number.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the materials that come with the package, or describe one."""
    from ..materials import library

    if name is not None:
        _describe(name, as_json)
        return
    if as_json:
        print_json({name: library.describe(name).as_dict() for name in library.names()})
        return
    table = Table("material", "Tc0 (K)", "lambda", "omega_log (meV)", "pump (meV)", "pulse (ps)")
    for name in library.names():
        film = library.load(name)
        spectrum = film.spectrum
        numbers = (film.Tc0, spectrum.coupling_lambda, spectrum.omega_log, film.omega_pump, film.tau_pump)
        table.add_row(name, *(f"{x:.4g}" for x in numbers))
    OUT.print(table)
    OUT.print("origin of every number: photogap materials NAME", style="dim", highlight=False)


def _describe(name: str, as_json: bool) -> None:
    from ..materials import library

    try:
        record = library.describe(name)
    except (ValueError, OSError) as error:
        raise ConfigError(str(error)) from error
    if as_json:
        print_json(record.as_dict())
        return
    OUT.print(f"{record.name}: {record.description}", highlight=False)
    table = Table("parameter", "value", "unit", "origin")
    above = None
    for entry in (*record.parameters, *record.spectrum, *record.paper):
        value = (
            f"{entry.value:.6g}"
            if isinstance(entry.value, float)
            else str("-" if entry.value is None else entry.value)
        )
        table.add_row(entry.key, value, entry.unit, "as above" if entry.source == above else entry.source)
        above = entry.source
    OUT.print(table)
    peaks = Table("peak (meV)", "width (meV)", "lambda", "mode and origin")
    for peak in record.peaks:
        peaks.add_row(f"{peak.centre:g}", f"{peak.width:g}", f"{peak.lambda_:g}", peak.source)
    if record.peaks:
        OUT.print(peaks)


@fail_clearly
def equilibrium(
    material: Annotated[str, typer.Argument(help="A material's name or YAML, or a spectrum file.")],
    T: Annotated[float, typer.Option("--T", help="Temperature, K.")],
    mu_star: Annotated[
        float | None,
        typer.Option(help="Coulomb pseudopotential.", show_default="what gives Tc0; 0.1 for a spectrum file"),
    ] = None,
    spacing: Annotated[
        float | None, typer.Option(help="Lattice spacing, meV.", show_default="the material's")
    ] = None,
    window: Annotated[
        float | None, typer.Option(help="Upper edge of the lattice, meV.", show_default="the material's")
    ] = None,
    damping: Annotated[str, typer.Option(help="Gap equation with lifetimes (full) or without (real).")] = "full",
    units: Annotated[
        str | None,
        typer.Option(help="Unit of a spectrum file that does not state it: meV, THz, cm-1, Ry, Ha."),
    ] = None,
    column: Annotated[
        int | None,
        typer.Option(help="Column of alpha2F in a spectrum file that has several, from 1 after the frequency."),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(help="Format of a spectrum file, such as columns.", show_default="by its header or name"),
    ] = None,
    errors: ErrorsOption = True,
    picture: Annotated[Path | None, typer.Option("--plot", help="Draw Delta, Z and the density of states.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Solve for gap, renormalisation and Tc in thermal equilibrium."""
    from ...core.equilibrium import solve_equilibrium
    from ...core.tracking import GapError

    if damping not in ("full", "real"):
        raise ConfigError(f"`--damping` must be full or real. Got {damping!r}.")
    for option, value in (("spacing", spacing), ("window", window)):
        if value is not None and not 0 < value < math.inf:
            raise ConfigError(f"`--{option}` must be positive, in meV. Got {value!r}.")
    if mu_star is not None and not math.isfinite(mu_star):
        raise ConfigError(f"`--mu-star` must be a number, such as 0.1. Got {mu_star!r}.")
    check_file("--plot", picture)
    try:
        film, mu_star = _material(material, {"units": units, "column": column, "format": format}, mu_star)
        h, top = spacing or film.spacing, window or film.window

        def solve(h: float, top: float) -> "Equilibrium":
            kept: Damping = "real" if damping == "real" else "full"
            return solve_equilibrium(film, T, mu_star=mu_star, spacing=h, window=top, damping=kept)

        start = time.perf_counter()
        state = solve(h, top)
        seconds = time.perf_counter() - start
        finer = [solve(h / 2, top), solve(h, 2 * top)] if errors else []
    except (ValueError, OSError, GapError) as error:
        raise ConfigError(str(error)) from error
    solved = _solved(state)
    off = {key: left([_solved(other)[key] - value for other in finer]) for key, value in solved.items()}
    numbers = {
        "material": film.name,
        "T_K": T,
        "lambda": film.spectrum.coupling_lambda,
        "omega_log_meV": film.spectrum.omega_log,
        **solved,
        "iterations": state.gap.iterations,
        "residual": state.gap.residual,
        "seconds": seconds,
    }
    if picture is not None:
        from ..figures.equilibrium import draw

        draw(film.name, state, picture)
        numbers["picture"] = str(picture)
    if as_json:
        print_json(numbers | ({"error": off} if errors else {}))
        return
    table = Table("quantity", "value")
    for key, number in numbers.items():
        table.add_row(key, margin(solved[key], off[key]) if errors and key in off else short(number))
    OUT.print(table)
    if errors:
        OUT.print(
            f"±: twice what half the spacing ({h:g} meV) and twice the window ({top:g} meV) change", style="dim"
        )


def _material(given: str, reading: dict[str, Any], mu_star: float | None) -> tuple["Material", float | None]:
    """The material, or one made around a spectrum file: only its alpha2F matters in equilibrium."""
    from ...core.material import Material
    from ..materials import library
    from ..materials import spectra as spectrum_files

    path = Path(given)
    if given not in library.names() and (path.suffix or path.parent != Path()) and not path.exists():
        raise ConfigError(
            f"MATERIAL must be one of {', '.join(library.names())}, a .yaml file or a spectrum file. "
            f"Got {given!r}, which does not exist."
        )
    if given in library.names() or path.suffix in (".yaml", ".yml") or not path.exists():
        for option in (k for k, v in reading.items() if v is not None):
            raise ConfigError(f"`--{option}` belongs to a spectrum file; {given!r} states its own. Leave it out.")
        return library.load(given), mu_star
    try:
        spectrum = spectrum_files.read(path, **reading)
    except ValueError as error:
        raise ConfigError(re.sub(r"`(units|column|format)`", r"`--\1`", str(error))) from error
    top = float(spectrum.omega[-1])
    mu_star = 0.1 if mu_star is None else mu_star
    Tc = max(spectrum.allen_dynes_Tc(mu_star), 1e-3 * spectrum.omega_log)
    film = Material(
        name=path.stem, spectrum=spectrum, N_ion=1.0, N0=1e-3, rho_N=1.0, Tc0=Tc,
        cutoff=4 * top, window=4 * top, spacing=top / 600, tau_pump=1.0, omega_pump=top,
    )  # fmt: skip
    return film, mu_star


def _solved(state: "Equilibrium") -> dict[str, float]:
    """What the gap equation gives, and so what the lattice leaves an error in."""
    return {
        "mu_star": state.coupling.mu_star,
        "Tc_K": state.Tc,
        "Delta0_meV": state.gap.Delta0,
        "gap_edge_meV": state.gap.edge,
        "Z0": float(state.gap.Z[0].real),
    }
