"""Shared parts of the commands: options, consoles, and errors that end in one message."""

import functools
import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import typer
from rich.console import Console
from rich.segment import Segment
from typer.core import TyperGroup

from ..ask.selector import pairs
from ..errors import ConfigError, StoreError, SweepError
from ..numbers import plain
from ..store.buckets import is_of_bucket, told
from ..store.seal import damaged, is_damage
from ..work.texts import without_control


class Terminal(Console):
    """Console that prints no control characters of a text, which may come from another user's cube."""

    def render(self, renderable: Any, *args: Any, **kwargs: Any) -> Any:
        """Segments of a renderable, without control characters."""
        return map(_harmless, super().render(renderable, *args, **kwargs))


def _harmless(segment: Segment) -> Segment:
    """A segment without the control characters of its text; rich's own control segments are kept."""
    return segment if segment.control else Segment(without_control(segment.text), segment.style)


OUT = Terminal()
ERR = Terminal(stderr=True)

SWEEPS, CUBES, PHYSICS, CLUSTERS = "Sweeps", "Cubes", "Physics", "Clusters and service"
PANELS = {
    SWEEPS: (
        "init",
        "examples",
        "run",
        "screen",
        "status",
        "show",
        "plot",
        "movie",
        "retry",
        "replay",
        "converge",
        "verify",
        "cancel",
    ),
    CUBES: ("info", "list", "compare", "export", "publish"),
    PHYSICS: ("materials", "settings", "schema", "equilibrium", "optics", "media"),
    CLUSTERS: ("cluster", "submit", "logs", "serve"),
}
"""Commands in the order of the help: as a user needs them."""


class Commands(TyperGroup):
    """The commands, ordered by `PANELS`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Accept `-v` after a command too."""
        end = args.index("--") if "--" in args else len(args)
        moved = [word for word in args[:end] if word == "--verbose" or re.fullmatch("-v+", word)]
        rest = [word for word in args[:end] if word not in moved]
        return super().parse_args(ctx, [*moved, *rest, *args[end:]])

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of commands, in the order of the help."""
        return [name for names in PANELS.values() for name in names]


def show_log(level: int) -> None:
    """Show what the package logs: events of a run for 1, each point for 2, Dask too for 3."""
    if not level:
        return
    handler = logging.StreamHandler(Stderr())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in ("photogap", *(("distributed",) if level > 2 else ())):
        logging.getLogger(name).handlers = [handler]
        logging.getLogger(name).setLevel(logging.INFO if level == 1 else logging.DEBUG)


class Stderr:
    """The current standard error, which a progress bar replaces while it is shown."""

    def write(self, text: str) -> int:
        """Write a text."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush."""
        sys.stderr.flush()


ConfigArgument = Annotated[
    Path, typer.Argument(help="YAML file of the sweep, or the name of an example.", show_default=False)
]
OverridesOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override of the config, such as 'axes.T=[20,30]', with quotes; may be repeated."),
]
StoreArgument = Annotated[
    str,
    typer.Argument(
        help="Cube: a path, s3://, gs:// or az://; https:// or x.zarr.zip to read.",
        show_default=False,
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
ErrorsOption = Annotated[
    bool,
    typer.Option(
        help="Print numerical errors; on a given lattice this takes four times as long, since a finer and a "
        "wider lattice are solved too."
    ),
]
RtolOption = Annotated[
    float | None,
    typer.Option(
        help="Relative accuracy; the lattice is refined until this is reached (-v shows the lattices).",
        show_default="0.001",
    ),
]
AtOption = Annotated[
    list[str] | None,
    typer.Option("--at", help="Fix axes, such as T=30,F0=1, or select labels of one, T=30,60; may be repeated."),
]

TrustFlag = Annotated[
    bool,
    typer.Option(
        "--trust", help="Run the model and cluster named in the cube even if other users may have written it."
    ),
]

F = TypeVar("F", bound=Callable[..., Any])


def fail_clearly(command: F) -> F:
    """Command whose known errors, including file errors, end in one message and an exit code, without a
    traceback."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except SweepError as error:
            ERR.print(f"photogap: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(error.exit_code) from None
        except OSError as error:
            what = f"{str(error.filename)!r} cannot be read or written: " if error.filename else ""
            ERR.print(f"photogap: {what}{error.strerror or error}.", style="red", markup=False, soft_wrap=True)
            raise typer.Exit(StoreError.exit_code) from None
        except Exception as error:
            if not is_of_bucket(error) and not is_damage(error):
                raise
            text = f"the store {told(error)}" if is_of_bucket(error) else damaged("STORE", error)
            ERR.print(f"photogap: {text}.", style="red", markup=False, soft_wrap=True)
            raise typer.Exit(StoreError.exit_code) from None
        except KeyboardInterrupt:
            ERR.print("photogap: interrupted; finished points are kept", highlight=False)
            raise typer.Exit(130) from None

    return cast(F, wrapped)


PICTURES, MOVIES = (".png", ".pdf", ".svg"), (".gif", ".mp4")


def check_file(option: str, path: Path | None, endings: tuple[str, ...] = PICTURES) -> None:
    """Check the output file of a picture before anything is computed.

    Raises:
        ConfigError: It is a folder, is in a folder that does not exist, or has another ending.
    """
    if path is not None and (path.suffix.lower() not in endings or path.is_dir()):
        kinds = f"{', '.join(endings[:-1])} or {endings[-1]}"
        raise ConfigError(f"`{option}` must be a file that ends in {kinds}. Got {str(path)!r}.")
    if path is not None and not path.parent.is_dir():
        raise ConfigError(
            f"`{option}` must be in an existing folder; make {str(path.parent)!r} first. Got {str(path)!r}."
        )


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(plain(value), default=str))


def parse_at(at: list[str] | None) -> dict[str, str]:
    """`NAME=VALUE` options.

    Raises:
        SweepError: One has another form.
    """
    return pairs(at or [], "--at")
