"""Arguments of the routes' functions: runner, name of a sweep, labels of a slice, name of the person."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Depends, Path, Query, Request

from ...core.quantities import AXES, DIMS
from ...core.units import typed
from . import answers
from .intake import NAME
from .runner import Runner

_QUANTITIES = {name: typed(found.unit) for name, found in (AXES | DIMS).items() if found.unit != "1"}
_UNITS = f"in the axis's own unit ({', '.join(f'{name} {unit}' for name, unit in _QUANTITIES.items())})"
Name = Annotated[str, Path(pattern=NAME, description="Name of a sweep.", examples=["quickstart"])]
At = Annotated[
    list[str],
    Query(
        description=f"Fix an axis at a label, {_UNITS}; may be repeated. Numbers match to five digits.",
        max_length=20,
        examples=[["T=30"]],
    ),
]


def axis(what: str) -> Any:
    """Query parameter that names an axis."""
    return Query(max_length=100, description=f"{what}, such as F0 or time.")


def _runner(request: Request) -> Runner:
    found: Runner = request.app.state.runner
    return found


def _board(request: Request) -> answers.Board:
    found: answers.Board = request.app.state.board
    return found


def _closing(request: Request) -> Callable[[], bool]:
    found: Callable[[], bool] = request.app.state.closing
    return found


def _who(request: Request) -> str:
    """Name that a person gave with the request: it is noted, not verified."""
    given = unquote(request.headers.get("x-photogap-name", ""), errors="replace")
    return "".join(c for c in given if c.isprintable())[:60].strip()


Running = Annotated[Runner, Depends(_runner)]
Who = Annotated[str, Depends(_who)]
Closing = Annotated[Callable[[], bool], Depends(_closing)]
Told = Annotated[answers.Board, Depends(_board)]
