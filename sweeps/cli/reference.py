"""Commands `settings` and `schema`: keys of configs, materials and cluster files, from their declarations."""

import enum
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ..errors import ConfigError
from ..text import dump_yaml, suggest
from .base import OUT, PHYSICS, JsonFlag, fail_clearly, print_json

if TYPE_CHECKING:
    from ..reference.keys import Key

_LISTED = ("axes", "settings")


class _File(enum.StrEnum):
    """Files that have a schema."""

    CONFIG = "config"
    MATERIAL = "material"
    CLUSTER = "cluster"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(rich_help_panel=PHYSICS)(settings)
    app.command(rich_help_panel=PHYSICS)(schema)


@fail_clearly
def settings(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Axis, setting or other key of a config, such as zip or refine.budget.", show_default="all"
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the axes and settings of a config, or describe one key: type, unit, default, rule, meaning, example."""
    from ..reference.keys import sections

    rows = sections()
    listed = [key for section in _LISTED for key in rows[section]]
    if name is None:
        print_json([_row(key) for key in listed]) if as_json else _table(listed)
        return
    found = {f"{section}.{key.name}": key for section in ("refine", "plot", "limits") for key in rows[section]}
    found |= {key.name: key for key in (*rows["config"], *listed)}
    if name not in found:
        raise ConfigError(f"NAME must be a key of a config.{suggest(name, list(found))} Got {name!r}.")
    if as_json:
        print_json([_row(found[name])])
    else:
        _describe(name, found[name])


def _table(keys: list["Key"]) -> None:
    table = Table("name", "unit", "default", "values", "meaning")
    for key in keys:
        outputs = f" Records {', '.join(key.outputs)}." if key.outputs else ""
        cells = (key.name, key.unit, _default(key), _values(key), key.meaning + outputs)
        table.add_row(*map(Text, cells))
    OUT.print(table)


def _describe(name: str, key: "Key") -> None:
    lines = {
        "type": key.kind,
        "unit": key.unit,
        "default": _default(key),
        "values": _values(key),
        "meaning": key.meaning,
        "records": ", ".join(key.outputs),
        "axis": "may be an axis" if key.may_be_an_axis else "",
        "example": "" if key.example is None else f"{key.name}: {in_yaml(key.example)}",
    }
    table = Table(show_header=False, title=name, title_justify="left", box=None)
    for word, text in lines.items():
        if text:
            table.add_row(word, Text(text))
    OUT.print(table, highlight=False)


def in_yaml(value: Any) -> str:
    """A value on one line of YAML."""
    plain = list(value) if isinstance(value, tuple) else value
    return dump_yaml(plain, default_flow_style=True, width=10**6).removesuffix("...\n").strip()


def _default(key: "Key") -> str:
    return "required" if key.required else str(key.default)


def _values(key: "Key") -> str:
    return " | ".join(map(str, key.words)) or key.rule or ("true or false" if key.kind == "true or false" else "")


def _row(key: "Key") -> dict[str, Any]:
    return {
        "name": key.name,
        "type": key.kind,
        "unit": key.unit,
        "required": key.required,
        "default": None if key.required else key.default,
        "values": _values(key),
        "meaning": key.meaning,
        "may_be_an_axis": key.may_be_an_axis,
        "outputs": list(key.outputs),
        "example": key.example,
    }


@fail_clearly
def schema(
    of: Annotated[_File, typer.Argument(help="File to describe.")] = _File.CONFIG,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write.", show_default="standard output")
    ] = None,
) -> None:
    """Print the JSON Schema of a config, a material or a cluster file, for completion and checks in an editor."""
    from ..reference.json_schema import SCHEMAS

    text = json.dumps(SCHEMAS[of.value](), indent=1, allow_nan=False)
    if out is None:
        typer.echo(text)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text + "\n", encoding="utf-8")
    OUT.print(
        f"schema: {out}; first line of a file that uses it: # yaml-language-server: $schema={out}", soft_wrap=True
    )
