"""Lookup of a point, or of a label of an axis, from user input."""

from ..errors import ConfigError
from ..text import suggest
from .axes import Grid, Index
from .plan import Plan
from .selector import pairs, position, some


def find(plan: Plan, point: str) -> Index:
    """Index of a point of a plan, given by the first digits of its id or by labels such as `T=30,F0=1`.

    Raises:
        ConfigError: No point matches, or several do.
    """
    grid = plan.grid
    if "=" in point:
        return at_labels(grid, point)
    found = [index for index in grid.indices() if plan.point_id(grid.labels(index)).startswith(point)]
    if len(found) != 1:
        raise ConfigError(
            "POINT must be the id of one point, or labels such as T=30,F0=1. "
            f"Got {point!r}, which matches {len(found)} points."
        )
    return found[0]


def at_labels(grid: Grid, point: str) -> Index:
    """Index of a point of a grid, given by labels such as `T=30,F0=1`.

    Raises:
        ConfigError: The grid has no such axis or label, or a needed one is not given.
    """
    given = pairs([point], "POINT")
    for name, text in given.items():
        if name not in grid.dims:
            raise ConfigError(f"POINT must give axes of the cube.{suggest(name, list(grid.dims))} Got {name!r}.")
        pick(grid, name, text)
    return tuple(pick(grid, axis.name, given.get(axis.name)) for axis in grid.axes)


def pick(grid: Grid, name: str, text: str | None, option: str = "") -> int:
    """Position of a label along a dim; the only label if none is given.

    Raises:
        ConfigError: The label does not exist, or none is given and the axis has several.
    """
    axis = next(a for a in grid.axes if a.name == name)
    if text is not None:
        return position(axis.values, text, name, option)
    if len(axis.values) == 1:
        return 0
    raise ConfigError(f"`{name}` has several values; add {name}=VALUE with one of {some(axis.values)}.")
