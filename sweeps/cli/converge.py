"""Command `converge`: numerical errors of a point."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ..ask.lookup import find
from ..ask.plan import Plan
from ..drive.numerical_error import Accuracy, converge
from ..drive.sweep import plan_of
from ..numbers import left, margin
from .base import ERR, OUT, JsonFlag, TrustFlag, fail_clearly, print_json

_CONFIGS = (".yaml", ".yml")


@fail_clearly
def command(
    target: Annotated[str, typer.Argument(metavar="STORE|CONFIG", help="Cube, or the YAML file of a sweep.")],
    point: Annotated[str, typer.Argument(help="First digits of a point's id, or labels such as T=30,F0=1.")],
    trust: TrustFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Compute a point again with finer numerics and show the error of each number.

    Errors of a cube's point are kept next to the cube; `plot` draws them as bars, or as a band around a series.
    """
    plan = _plan(target, trust)
    labels = plan.grid.labels(find(plan, point))
    with ERR.status("computing the point") as line:
        found, failed = converge(plan, labels, lambda what: line.update(f"computing the point, {what}"))
    if as_json:
        print_json(
            {
                "labels": labels,
                "variables": {
                    t.name: {"units": t.units, "value": t.value, "error": t.error, "changes": t.changes}
                    for t in found
                },
                "failed": failed,
            }
        )
    else:
        _show(labels, found, failed)
    if not target.endswith(_CONFIGS):
        _keep(target, plan.point_id(labels), found)
    if failed:
        raise typer.Exit(1)


def _keep(target: str, point_id: str, found: list[Accuracy]) -> None:
    """Keep the errors for figures; a cube that only others may write stays as it is."""
    from ..store.kept_errors import keep
    from ..store.place import place

    try:
        keep(place(target), point_id, {t.name: t.error for t in found})
    except OSError as error:
        ERR.print(f"errors not kept for figures: {error}", markup=False, highlight=False, soft_wrap=True)


def _plan(target: str, trust: bool) -> Plan:
    if target.endswith(_CONFIGS):
        from ..ask.config import read
        from ..ask.plan import resolve

        return resolve(read(Path(target)))
    from ..store.cube import Cube
    from ..store.place import place

    return plan_of(Cube(place(target), read_only=True), trust=trust)


def _rule(found: list[Accuracy]) -> str:
    """How errors follow from changes, by the orders in which the variables converge."""
    factors: dict[float, list[str]] = {}
    for t in found:
        factors.setdefault(left([1.0], t.order), []).append(t.name)
    most = max(factors, key=lambda factor: len(factors[factor]))
    rest = [f"{factor:.1f} times for {', '.join(names)}" for factor, names in factors.items() if factor != most]
    return ", ".join([f"{most:g} times the sum of the changes with finer numerics", *rest])


def _show(labels: dict[str, Any], found: list[Accuracy], failed: dict[str, str]) -> None:
    OUT.print(", ".join(f"{k} = {v}" for k, v in labels.items()), highlight=False, markup=False)
    table = Table("variable", "value (largest of a series)", "± mostly from")
    for t in found:
        value = margin(t.value, t.error, negligible=1e-9)
        table.add_row(t.name, value if t.units == "1" else f"{value} {t.units}", t.source)
    OUT.print(table)
    OUT.print(f"±: {_rule(found)}; --json lists each change", style="dim")
    for what, reason in failed.items():
        ERR.print(f"{what}: {reason}", style="red", markup=False, highlight=False)
