"""Commands for clusters: check one, submit a driver, read the logs."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from ..ask.config import read
from ..ask.plan import resolve
from ..examples import located
from ..store.place import Place, place
from .base import CLUSTERS, OUT, ConfigArgument, JsonFlag, OverridesOption, StoreArgument, fail_clearly, print_json
from .drivers import DryRunFlag, FullFlag, RecomputeFlag, run_words, send, show_estimate, store_of
from .interrupt import Interrupt

clusters = typer.Typer(help="Check a cluster before you submit a sweep to it.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(clusters, name="cluster", rich_help_panel=CLUSTERS)
    app.command(rich_help_panel=CLUSTERS)(submit)
    app.command(rich_help_panel=CLUSTERS)(logs)


@clusters.command()
@fail_clearly
def check(
    cluster: Annotated[str, typer.Argument(help="Cluster: a name, a file or an address.", show_default=False)],
    store: Annotated[str | None, typer.Option(help="Cube of the sweep; the worker tests writing to it.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Start one small job, describe its worker, and list what to change."""
    with Interrupt() as interrupt:
        found = look_at(cluster, place(store) if store else None, interrupt.reason)
    if as_json:
        print_json(found)
        return
    for key, value in found.items():
        if key != "change":
            OUT.print(f"{key.replace('_', ' ')}: {_words(value)}", highlight=False, markup=False, soft_wrap=True)
    for text in found["change"] or ["nothing to change"]:
        OUT.print(f"-> {text}", highlight=False, markup=False, soft_wrap=True)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items()) or "none"
    return f"{value:.1f} s" if isinstance(value, float) else str(value)


def look_at(cluster: str, target: Place | None, stopped: Callable[[], str | None] = lambda: None) -> dict[str, Any]:
    """Report of `cluster check`; `change` holds the advice."""
    from ..clusters.cluster_file import find

    spec, where = find(cluster)
    if spec.here:
        return {"cluster": where, "kind": spec.kind_name(), "change": []}
    from ..clusters.survey import differences
    from ..clusters.visit import Visit
    from ..private import own_state

    # Not the store's own folder: a driver may be at work there.
    visit = Visit(place=target, folder=own_state() / "check", only_look=True, stopped=stopped)
    with spec.one_job().open(visit) as pool:
        seen = pool.seen | pool.memory_report()
    change, wrong = spec.advice(seen), differences(seen)
    if seen["write"] not in (None, "ok"):
        change.append(f"use a --store that driver and nodes share: {seen['write']}")
    if wrong and seen["container"]:
        change.append(f"build {seen['container']} with the driver's versions: {'; '.join(wrong)}")
    elif wrong:
        change.append(f"give the workers the driver's environment: {'; '.join(wrong)}")
    return {"cluster": where, "kind": spec.kind_name()} | seen | {"change": change}


@fail_clearly
def submit(
    config: ConfigArgument,
    cluster: Annotated[str, typer.Option(help="Name or file of a slurm or pbs cluster.")] = "slurm",
    store: Annotated[
        str | None,
        typer.Option(help="Cube: a URL, or a path that the nodes can reach.", show_default="results/NAME.zarr"),
    ] = None,
    overrides: OverridesOption = None,
    full: FullFlag = False,
    recompute: RecomputeFlag = False,
    dry_run: DryRunFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Submit a sweep to SLURM or PBS: a driver job requests the workers. Then use status, logs and cancel."""
    from ..clusters.submit import check as check_submission

    config = located(config)
    tree = read(config, tuple(overrides or ()), full=full)
    plan = resolve(tree)
    target = store_of(tree.name, store, full=full)
    check_submission(cluster, target, tree.folder)
    if dry_run:
        show_estimate(plan, cluster, None if recompute else target, as_json=as_json)
        return
    words = run_words(config, target, overrides=overrides, full=full, recompute=recompute)
    send(cluster, target, words, name=config.stem, folder=tree.folder, as_json=as_json)


@fail_clearly
def logs(
    store: StoreArgument,
    lines: Annotated[int, typer.Option(help="Lines of each log.", min=1)] = 20,
) -> None:
    """Show the last lines of the logs of a sweep's SLURM or PBS jobs."""
    from ..clusters.submit import logs as ends

    OUT.print(ends(place(store), lines), highlight=False, markup=False, soft_wrap=True)
