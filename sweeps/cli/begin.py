"""Commands for the start: list the examples, copy one."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from .. import examples as packaged
from .base import OUT, SWEEPS, JsonFlag, fail_clearly, print_json

_LONG = 100


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (init, examples):
        app.command(rich_help_panel=SWEEPS)(command)


@fail_clearly
def init(
    name: Annotated[str, typer.Argument(help="Example, as `photogap examples` lists them.")] = "quickstart",
    folder: Annotated[Path, typer.Option(help="Folder of the new files.")] = Path(),
    cluster: Annotated[str, typer.Option(help="Kind of the cluster file.")] = "slurm",
    as_json: JsonFlag = False,
) -> None:
    """Write an example to edit: a config, a cluster file and a notebook."""
    written = packaged.write(name, cluster, folder)
    if as_json:
        print_json({"files": [str(path) for path in written]})
        return
    for path in written:
        OUT.print(str(path), highlight=False, markup=False, soft_wrap=True)
    config = folder / f"{name}.yaml"
    for words in (f"run {config}", f"run {config} --dry-run", f"cluster check {folder / cluster}.yaml"):
        OUT.print(f"-> photogap {words}", highlight=False, markup=False, soft_wrap=True)


@fail_clearly
def examples(as_json: JsonFlag = False) -> None:
    """List the examples: each runs by its name, `photogap run quickstart`."""
    found = {name: packaged.about(name) for name in packaged.names()}
    if as_json:
        print_json({"examples": found, "clusters": packaged.clusters()})
        return
    table = Table("example", "content", show_edge=False)
    for name, text in found.items():
        table.add_row(name, text if len(text) <= _LONG else f"{text[:_LONG].rsplit(' ', 1)[0]} ...")
    OUT.print(table)
    OUT.print(f"cluster files: {', '.join(packaged.clusters())} (photogap init --cluster NAME)", highlight=False)
