"""Libraries that the settings of a plan's points choose."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..model import Model
from .axes import FIRST, Axis

if TYPE_CHECKING:
    from .plan import Plan


def versions(plan: "Plan") -> dict[str, str]:
    """Versions of the libraries that the points of a plan choose; none where only the workers have them."""
    found: dict[str, str] = {}
    for settings in choices(plan, np.ones(plan.grid.shape, bool)):
        found |= _versions(plan.model, settings)
    return found


def _versions(model: Model, settings: Any) -> Mapping[str, str]:
    try:
        return model.libraries(settings)
    except ImportError:
        return {}


def refuse_missing(model: Model, each: Iterable[Any]) -> None:
    """Refuse settings that need a library which this process, and so its workers, lack.

    Raises:
        ConfigError: A library is missing; with the model's remedy.
    """
    try:
        for settings in each:
            model.libraries(settings)
    except ImportError as error:
        raise ConfigError(str(error)) from error


def choices(plan: "Plan", wanted: NDArray[np.bool_]) -> Iterator[Any]:
    """Settings of some of the wanted points, among which is each name on an axis of settings.

    Args:
        plan: The sweep.
        wanted: Points of which one at least is wanted, in the shape of the plan's grid.
    """
    index = np.unravel_index(int(wanted.argmax()), wanted.shape)
    first = plan.grid.labels(tuple(int(i) for i in index))
    yield plan.settings_at(first)
    for d, axis in enumerate(plan.grid.axes):
        among = wanted.any(axis=tuple(k for k in range(wanted.ndim) if k != d))
        for i in _distinct(axis, np.flatnonzero(among)):
            yield plan.settings_at(first | axis.at(i))


def _distinct(axis: Axis, positions: Iterable[int]) -> Iterable[int]:
    """One of the positions for each combination of names of settings; libraries are chosen by name."""
    settings = {k: v for k, v in {axis.name: axis.values, **axis.followers}.items() if k not in FIRST}
    named = [values for values in settings.values() if any(isinstance(value, str) for value in values)]
    return {tuple(values[i] for values in named): int(i) for i in positions}.values() if named else ()
