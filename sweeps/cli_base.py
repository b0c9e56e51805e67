"""What the commands share: options, consoles, and errors that end in one message."""

import functools
import json
import math
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast

import typer
from rich.console import Console

from .errors import SweepError

OUT = Console()
ERR = Console(stderr=True)

StoreArgument = Annotated[str, typer.Argument(help="Cube: a path or a URL.", show_default=False)]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
ErrorsOption = Annotated[
    bool, typer.Option(help="Compute on a finer and on a wider lattice too, which takes four times as long.")
]
AtOption = Annotated[list[str] | None, typer.Option("--at", help="Fix an axis, such as T=30; may be repeated.")]

F = TypeVar("F", bound=Callable[..., Any])


def fail_clearly(command: F) -> F:
    """Command whose known errors end in their message and exit code, without a traceback."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except SweepError as error:
            ERR.print(f"photogap: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            ERR.print("photogap: interrupted; finished points are kept", highlight=False)
            raise typer.Exit(130) from None

    return cast(F, wrapped)


def plain(value: Any) -> Any:
    """JSON has no NaN: null stands for it."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(plain(value), default=str))


def parse_at(at: list[str] | None) -> dict[str, str]:
    """`NAME=VALUE` options.

    Raises:
        SweepError: One has another form.
    """
    from .errors import ConfigError

    out = {}
    for text in at or []:
        name, sign, value = text.partition("=")
        if not sign or not name or not value:
            raise ConfigError(f"`--at` must be NAME=VALUE, such as T=30. Got {text!r}.")
        out[name.strip()] = value.strip()
    return out
