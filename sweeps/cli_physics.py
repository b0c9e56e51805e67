"""Commands of physics: materials and equilibrium."""

from typing import Any

import typer
from rich.table import Table

from .cli_base import OUT, JsonFlag, fail_clearly, print_json


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(materials)


@fail_clearly
def materials(as_json: JsonFlag = False) -> None:
    """List the materials that come with the package."""
    from . import materials as library

    found = {name: _plain(library.describe(name)) for name in library.names()}
    if as_json:
        print_json(found)
        return
    table = Table("material", "Tc0 (K)", "pump (meV)", "pulse (ps)", "window (meV)")
    for name in found:
        film = library.load(name)
        table.add_row(name, f"{film.Tc0:g}", f"{film.omega_pump:g}", f"{film.tau_pump:g}", f"{film.window:g}")
    OUT.print(table)


def _plain(description: Any) -> Any:
    if hasattr(description, "as_dict"):
        return description.as_dict()
    return description
