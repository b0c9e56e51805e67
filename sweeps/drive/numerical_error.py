"""Numerical errors of a point, from repeating it with finer numerics, one choice at a time."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ask.axes import Labels
from ..ask.libraries import refuse_missing
from ..ask.plan import Plan
from ..errors import ConfigError, SweepError
from ..numbers import left
from ..status import Status
from ..work.task import Batch, compute
from .flow import job_of


@dataclass(frozen=True)
class Accuracy:
    """Accuracy of a variable: its changes with finer numerics.

    Args:
        name: Variable.
        units: CF units.
        value: The value; for a series the one of largest magnitude.
        changes: Largest change of any value, by refined quantity; NaN if that computation failed.
        order: Lowest order in which the error falls with the spacing.
    """

    name: str
    units: str
    value: float
    changes: dict[str, float]
    order: float = 1.0

    @property
    def error(self) -> float:
        """Estimated remaining error."""
        return left(self.changes.values(), self.order)

    @property
    def source(self) -> str:
        """The refinement that changes it most, or an empty text."""
        what = max(self.changes, key=lambda w: np.nan_to_num(self.changes[w]))
        return what if self.changes[what] > 0 else ""


def converge(
    plan: Plan, labels: Labels, tell: Callable[[str], None] = lambda what: None
) -> tuple[list[Accuracy], dict[str, str]]:
    """Changes of every variable of a point with finer numerics, and the reasons for failed computations.

    Args:
        plan: The sweep.
        labels: The point.
        tell: Called with a description before each computation.

    Raises:
        ConfigError: The model does not define finer numerics, or the point needs a library that is missing here.
        SweepError: The point itself fails.
    """
    if plan.model.finer is None:
        raise ConfigError(f"`converge` needs a model that defines finer numerics. Got {plan.model.name!r}.")
    settings = plan.settings_at(labels)
    refuse_missing(plan.model, [settings])
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
            # an output of the search for a lattice is missing where the lattice is stated
            changes[name][what] = float(np.abs(found[name] - values).max()) if name in found else np.nan
    known = {v.name: v for v in plan.model.variables(settings)}
    return [
        Accuracy(name, known[name].units, _largest(given[name]), changes[name], getattr(known[name], "order", 1.0))
        for name in given
    ], failed


def _compute(plan: Plan, labels: Labels, settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    job = dataclasses.replace(job_of(plan, labels, plan.point_id(labels)), settings=settings)
    return compute(plan.model, job, Batch((job,), plan.config.model, "", own_process=False))


def _largest(values: Any) -> float:
    flat = np.ravel(values)
    return float(flat[np.argmax(np.abs(flat))])
