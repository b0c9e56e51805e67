"""How far the numbers of a point can be trusted: it is computed again with finer numerics, one choice at a time."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ask.axes import Labels
from ..ask.plan import Plan
from ..errors import ConfigError, SweepError
from ..numbers import left
from ..status import Status
from ..work.task import Batch, compute
from .flow import job_of


@dataclass(frozen=True)
class Trust:
    """A variable and what finer numerics change of it.

    Args:
        name: Variable.
        units: CF units.
        value: The number itself; of a series the one of largest size.
        changes: Largest change of any of its numbers, by what was made finer; NaN where that did not come out.
    """

    name: str
    units: str
    value: float
    changes: dict[str, float]

    @property
    def error(self) -> float:
        """Error that is left in it."""
        return left(self.changes.values())

    @property
    def source(self) -> str:
        """What changes it most; nothing if nothing does."""
        what = max(self.changes, key=lambda w: np.nan_to_num(self.changes[w]))
        return what if self.changes[what] > 0 else ""


def converge(
    plan: Plan, labels: Labels, tell: Callable[[str], None] = lambda what: None
) -> tuple[list[Trust], dict[str, str]]:
    """Every variable of a point with what finer numerics change, and the reasons of what did not come out.

    Args:
        plan: The sweep.
        labels: The point.
        tell: Called with the words for each computation before it begins.

    Raises:
        ConfigError: The model does not say what finer numerics are.
        SweepError: The point itself fails.
    """
    if plan.model.finer is None:
        raise ConfigError(f"`converge` needs a model that says what finer numerics are. Got {plan.model.name!r}.")
    settings = plan.settings_at(labels)
    tell("as it is")
    record, given = _compute(plan, labels, settings)
    if record["status"] != Status.OK:
        raise SweepError(f"the point fails with {record['status']}: {record['message']}")
    changes: dict[str, dict[str, float]] = {name: {} for name in given}
    failed = {}
    for what, better in plan.model.finer(plan.point(labels), settings).items():
        tell(what)
        record, found = _compute(plan, labels, better)
        if record["status"] != Status.OK:
            failed[what] = f"{record['status']}: {record['message']}"
        for name, values in given.items():
            changes[name][what] = float(np.abs(found[name] - values).max()) if found else np.nan
    units = {v.name: v.units for v in plan.model.variables(settings)}
    return [Trust(name, units[name], _largest(given[name]), changes[name]) for name in given], failed


def _compute(plan: Plan, labels: Labels, settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    job = dataclasses.replace(job_of(plan, labels, plan.point_id(labels)), settings=settings)
    return compute(plan.model, job, Batch((job,), plan.config.model, "", own_process=False))


def _largest(values: Any) -> float:
    flat = np.ravel(values)
    return float(flat[np.argmax(np.abs(flat))])
