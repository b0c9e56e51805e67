"""Options `--style` and `--columns` of commands that draw."""

import re
from typing import Annotated, Any

import typer

from ..errors import ConfigError

StyleOption = Annotated[
    str,
    typer.Option(
        "--style", help="screen, paper (a journal's columns: 3.37 and 6.9 inches, 600 dots an inch), or slides."
    ),
]
ColumnsOption = Annotated[
    int, typer.Option("--columns", help="Columns that the figure fills, 1 or 2.", show_default="the figure's own")
]


def look_of(style: str, columns: int) -> dict[str, Any]:
    """Style and columns of a picture.

    Raises:
        ConfigError: There is no such style or number of columns.
    """
    from ..figures.style import styled

    try:
        with styled(style, columns):
            return {"style": style, "columns": columns}
    except ValueError as error:
        raise as_options(error) from error


def as_options(error: ValueError) -> ConfigError:
    """Error of a figure with its arguments renamed to command-line options."""
    return ConfigError(re.sub(r"`(at|figure|out|x|y|style|columns)( \w+)?`", r"`--\1\2`", str(error)))
