"""Command `equilibrium`: gap, renormalisation and Tc of a material or a spectrum file."""

import math
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from rich.table import Table

from ...core.declaration import nearest, not_among
from ..errors import ConfigError
from ..numbers import left, margin, short
from ..work.limits import one_thread
from .base import OUT, ErrorsOption, JsonFlag, RtolOption, check_file, fail_clearly, print_json
from .looks import ColumnsOption, StyleOption, look_of
from .ranges import temperatures

if TYPE_CHECKING:
    from ...core.equilibrium import Equilibrium
    from ...core.material import Material
    from ...core.settings import Damping
    from ..materials import spectra as spectrum_files

_OF_THE_MATERIAL = ("mu_star", "Tc_K")


@dataclass(frozen=True)
class _Solved:
    """States at the given temperatures, error bounds of the numbers, and the lattice.

    Args:
        states: One per temperature.
        errors: Bounds by name, one mapping per state; empty if not requested.
        spacing, window: Lattice, meV.
        how: Origin of the errors, in words.
    """

    states: "tuple[Equilibrium, ...]"
    errors: list[dict[str, float]]
    spacing: float
    window: float
    how: str


@fail_clearly
@one_thread()
def equilibrium(
    material: Annotated[str, typer.Argument(help="Name or YAML file of a material, or a spectrum file.")],
    T: Annotated[str, typer.Option("--T", help="Temperature, K; several as 2,4,6 or START:STOP:STEP.")],
    mu_star: Annotated[
        float | None,
        typer.Option(help="Coulomb pseudopotential.", show_default="calibrated to Tc0; 0.1 for a spectrum file"),
    ] = None,
    mu_star_at: Annotated[
        str | None,
        typer.Option(
            help="Convention of mu_star: cutoff, matsubara, omega_max, omega_log or omega_2.",
            show_default="the material's, or cutoff",
        ),
    ] = None,
    cutoff: Annotated[
        float | None,
        typer.Option(
            help="Cut-off of mu_star, meV.",
            show_default="the material's; for a file, 4 times the highest phonon energy",
        ),
    ] = None,
    rtol: RtolOption = None,
    spacing: Annotated[
        float | None, typer.Option(help="Lattice spacing, meV.", show_default="chosen for --rtol")
    ] = None,
    window: Annotated[
        float | None, typer.Option(help="Highest energy of the lattice, meV.", show_default="chosen for --rtol")
    ] = None,
    damping: Annotated[str, typer.Option(help="Gap equation with (full) or without (real) lifetimes.")] = "full",
    units: Annotated[
        str | None,
        typer.Option(
            help="Frequency unit, for a spectrum file that does not state it: meV, THz, cm-1, Ry, Ha, eV, K."
        ),
    ] = None,
    column: Annotated[
        int | None,
        typer.Option(help="Column of alpha2F if the file has several; 1 is the first after the frequency."),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(help="Format of a spectrum file, such as columns.", show_default="from the header or name"),
    ] = None,
    errors: ErrorsOption = True,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--plot", help="Draw Delta, Z and the density of states, or Delta(T) for several temperatures."
        ),
    ] = None,
    style: StyleOption = "screen",
    columns: ColumnsOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Compute gap, renormalisation and Tc in thermal equilibrium, to a given accuracy or on a given lattice."""
    from ...core.pairing.tracking import GapError

    if damping not in ("full", "real"):
        raise ConfigError(f"`--damping` must be full or real. Got {damping!r}.")
    for option, value in (("spacing", spacing), ("window", window), ("cutoff", cutoff)):
        if value is not None and not 0 < value < math.inf:
            raise ConfigError(f"`--{option}` must be positive, in meV. Got {value!r}.")
    if mu_star is not None and not math.isfinite(mu_star):
        raise ConfigError(f"`--mu-star` must be a number, such as 0.1. Got {mu_star!r}.")
    if rtol is not None and None not in (spacing, window):
        raise ConfigError(f"`--rtol` chooses the lattice; leave out `--spacing` and `--window`. Got {rtol!r}.")
    if mu_star_at is not None:
        _check_convention(mu_star_at, mu_star)
    several = temperatures(T)
    check_file("--plot", picture)
    look = look_of(style, columns) if picture else {}
    try:
        film, reading = _material(material, {"units": units, "column": column, "format": format}, mu_star)
        given: dict[str, Any] = {"cutoff": cutoff, "mu_star": mu_star, "mu_star_at": mu_star_at}
        film = replace(film, **{key: value for key, value in given.items() if value is not None})
        start = time.perf_counter()
        solved = _solve(
            film, several, "real" if damping == "real" else "full", rtol=rtol, spacing=spacing, window=window,
            errors=errors,
        )  # fmt: skip
        seconds = time.perf_counter() - start
    except (ValueError, OSError, GapError) as error:
        raise ConfigError(re.sub("`(rtol|cutoff)`", r"`--\1`", str(error))) from error
    record = _record(film, solved, damping, seconds)
    if reading is not None:
        record["file"] = {k: v for k, v in vars(reading).items() if k != "spectrum"}
    if picture is not None:
        from ..figures.equilibrium import draw, draw_temperatures

        if len(several) == 1:
            draw(film.name, solved.states[0], picture, **look)
        else:
            draw_temperatures(film.name, solved.states, picture, **look)
        record["picture"] = str(picture)
    if as_json:
        print_json(record)
    else:
        _show(record, solved)


def _check_convention(at: str, mu_star: float | None) -> None:
    from ...core.material import MuStarAt

    if at not in get_args(MuStarAt):
        raise ConfigError(f"`--mu-star-at` {not_among(at, get_args(MuStarAt))}")
    if mu_star is None:
        raise ConfigError(f"`--mu-star-at` needs `--mu-star`: a material states its own convention. Got {at!r}.")


def _solve(
    film: "Material", several: tuple[float, ...], damping: "Damping", *, rtol: float | None, spacing: float | None,
    window: float | None, errors: bool,
) -> _Solved:  # fmt: skip
    """States on a lattice chosen for `rtol`, or on the given lattice."""
    from ...core.accuracy import RTOL
    from ...core.equilibrium import observables, solve_equilibrium, solve_to_accuracy

    if spacing is None or window is None:
        found = solve_to_accuracy(film, several, rtol=rtol or RTOL, spacing=spacing, window=window, damping=damping)
        choice = found.choice
        bounds = [found.errors(i) for i in range(len(several))] if errors else []
        left_out = "".join(
            f"; the {what} is fixed: its error is included but not reduced"
            for what, given in (("spacing", spacing), ("window", window))
            if given
        )
        return _Solved(found.states, bounds, choice.spacing, choice.window, "bound on the error" + left_out)

    def solve(T: float, h: float, top: float) -> "Equilibrium":
        return solve_equilibrium(film, T, spacing=h, window=top, damping=damping)

    states, bounds = [], []
    for T in several:
        states.append(solve(T, spacing, window))
        numbers = observables(states[-1])
        if errors:
            finer = [observables(solve(T, h, top)) for h, top in ((spacing / 2, window), (spacing, 2 * window))]
            bounds.append({k: _bound(value, [other[k] for other in finer]) for k, value in numbers.items()})
    return _Solved(
        tuple(states), bounds, spacing, window, "twice the change with half the spacing and twice the window"
    )


def _bound(value: float, finer: list[float]) -> float:
    """Error of a number from the same number on finer lattices; infinite if one of them has none."""
    missing = not math.isnan(value) and any(math.isnan(other) for other in finer)
    return math.inf if missing else left([other - value for other in finer])


def _record(film: "Material", solved: _Solved, damping: str, seconds: float) -> dict[str, Any]:
    """Results of the command; numbers that depend on temperature become lists for several temperatures."""
    from ...core.equilibrium import observables

    states, several = solved.states, len(solved.states) > 1
    rows = [
        {
            "T_K": state.T,
            **observables(state),
            "gapless": state.gapless,
            "iterations": state.gap.iterations,
            "residual": state.gap.residual,
        }
        for state in states
    ]

    def gathered(rows: list[dict[str, Any]]) -> dict[str, Any]:
        one = (*_OF_THE_MATERIAL,) if several else tuple(rows[0])
        return {key: rows[0][key] if key in one else [row[key] for row in rows] for key in rows[0]}

    lattice = states[0].coupling.lattice
    record = {
        "material": film.name,
        "lambda": film.spectrum.coupling_lambda,
        "omega_log_meV": film.spectrum.omega_log,
        "cutoff_meV": film.cutoff,
        **gathered(rows),
        "mu_star_at": _conventions(film, states[0], damping),
        "spacing_meV": lattice.h,
        "window_meV": lattice.window,
        "seconds": seconds,
    }
    return record | ({"error": gathered(solved.errors)} if solved.errors else {})


def _conventions(film: "Material", state: "Equilibrium", damping: str) -> dict[str, float]:
    """The pseudopotential in every convention."""
    from ...core.pairing.pseudopotential import conventions
    from ...core.pairing.tc import critical_temperature

    # the imaginary-axis gap equation always includes lifetimes
    other = damping != "full" and state.coupling.mu_star != 0.0
    Tc = critical_temperature(state.coupling, "full", guess=state.Tc, step=0.01) if other else state.Tc
    return conventions(state.coupling, film.spectrum, Tc)


def _show(record: dict[str, Any], solved: _Solved) -> None:
    if "file" in record:
        OUT.print(_how_read(record["file"]), style="dim", highlight=False)
    several = isinstance(record["T_K"], list)
    bounds = record.get("error", {})
    table = Table("quantity", "value")
    for key, number in record.items():
        if isinstance(number, list | dict) or key == "gapless":
            continue
        if key == "gap_edge_meV" and record["gapless"]:
            table.add_row(key, "0, gapless: lifetimes fill the gap")
        elif key == "Delta0_meV" and math.isnan(number):
            table.add_row(key, f"undefined: Re Z(0) = {short(record['Z0'])}")
        else:
            table.add_row(key, margin(number, bounds[key]) if key in bounds else short(number))
        if key == "mu_star":
            for at, other in record["mu_star_at"].items():
                if at != "cutoff":
                    table.add_row(f"  as {at}", short(other))
    OUT.print(table)
    if several:
        _show_temperatures(record, bounds)
    if bounds:
        OUT.print(f"±: {solved.how}", style="dim")


def _how_read(file: dict[str, Any]) -> str:
    """Format, unit and column of a spectrum's file, and what was changed, in words."""
    stated = "" if file["stated"] is None else f", lambda as the file states it ({file['stated']:.4g})"
    words = f"spectrum: {file['format']}, {file['units']}, column {file['column']}{stated}"
    return "; ".join([words, *file["notes"]])


def _show_temperatures(record: dict[str, Any], bounds: dict[str, Any]) -> None:
    keys = ("Delta0_meV", "gap_edge_meV", "Z0")
    table = Table("T (K)", "Delta0 (meV)", "gap edge (meV)", "Z0")
    for i, T in enumerate(record["T_K"]):
        cells = [margin(record[key][i], bounds[key][i] if bounds else 0.0) for key in keys]
        if math.isnan(record["Delta0_meV"][i]):
            cells[0] = f"undefined: Re Z(0) = {short(record['Z0'][i])}"
        if record["gapless"][i]:
            cells[1] = "gapless"
        table.add_row(f"{T:g}", *cells)
    OUT.print(table)


def _material(
    given: str, reading: dict[str, Any], mu_star: float | None
) -> "tuple[Material, spectrum_files.Reading | None]":
    """The material, or one built from alpha2F and mu_star alone, with the reading of its spectrum file."""
    from ...core.material import Material
    from ..materials import library
    from ..materials import spectra as spectrum_files

    path = Path(given)
    if given not in library.names() and (path.suffix or path.parent != Path()) and not path.exists():
        raise ConfigError(
            f"MATERIAL must be one of {', '.join(library.names())}, a .yaml file or a spectrum file."
            f"{nearest(given, library.names())} Got {given!r}, which does not exist."
        )
    if given in library.names() or path.suffix in (".yaml", ".yml") or not path.exists():
        for option in (k for k, v in reading.items() if v is not None):
            raise ConfigError(f"`--{option}` is for spectrum files; {given!r} states its own. Leave it out.")
        return library.load(given), None
    try:
        read = spectrum_files.examine(path, **reading)
    except ValueError as error:
        raise ConfigError(re.sub(r"`(units|column|format)`", r"`--\1`", str(error))) from error
    spectrum = read.spectrum
    top = float(spectrum.omega[-1])
    mu_star = 0.1 if mu_star is None else mu_star
    Tc = max(spectrum.allen_dynes_Tc(mu_star), 1e-3 * spectrum.omega_log)
    film = Material(
        name=path.stem, spectrum=spectrum, N_ion=1.0, N0=1e-3, rho_N=1.0, Tc0=Tc,
        cutoff=4 * top, window=4 * top, spacing=top / 600, tau_pump=1.0, omega_pump=top, mu_star=mu_star,
    )  # fmt: skip
    return film, read
