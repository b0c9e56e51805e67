"""A point, or a label of an axis, that a user names in words."""

from ..errors import ConfigError
from ..text import suggest
from .axes import Grid, Index
from .labels import pairs, position, some
from .plan import Plan


def find(plan: Plan, point: str) -> Index:
    """Index of the point of a plan that a user names by the first digits of its id, or by `T=30,F0=1` labels.

    Raises:
        ConfigError: No point has that name, or several have it.
    """
    grid = plan.grid
    if "=" in point:
        given = pairs([point], "POINT")
        for name, text in given.items():
            if name not in grid.dims:
                raise ConfigError(
                    f"POINT must give axes of the cube.{suggest(name, list(grid.dims))} Got {name!r}."
                )
            pick(grid, name, text)
        return tuple(pick(grid, axis.name, given.get(axis.name)) for axis in grid.axes)
    found = [index for index in grid.indices() if plan.point_id(grid.labels(index)).startswith(point)]
    if len(found) != 1:
        raise ConfigError(
            "POINT must be the id of one point, or labels such as T=30,F0=1. "
            f"Got {point!r}, which {len(found)} have."
        )
    return found[0]


def pick(grid: Grid, name: str, text: str | None, option: str = "") -> int:
    """Position of a label along a dim; the only one if none is given.

    Raises:
        ConfigError: No such label, or several and none given.
    """
    axis = next(a for a in grid.axes if a.name == name)
    if text is not None:
        return position(axis.values, text, name, option)
    if len(axis.values) == 1:
        return 0
    raise ConfigError(f"`{name}` has several values; add {name}=VALUE, one of {some(axis.values)}.")
