"""Command `materials`; `equilibrium` has its own module."""

from typing import Annotated

import typer
from rich.table import Table

from ..errors import ConfigError
from .base import OUT, PHYSICS, JsonFlag, fail_clearly, print_json
from .equilibrium import equilibrium


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(rich_help_panel=PHYSICS)(materials)
    app.command(rich_help_panel=PHYSICS)(equilibrium)


@fail_clearly
def materials(
    name: Annotated[
        str | None, typer.Argument(help="Material to describe, with the source of every number.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the built-in materials, or describe one."""
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
    OUT.print("source of every number: photogap materials NAME", style="dim", highlight=False)


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
