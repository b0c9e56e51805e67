"""Commands for clusters: check one, submit a driver, read the logs."""

from typing import Annotated, Any

import typer

from ..ask.config import read
from ..ask.plan import resolve
from ..errors import ConfigError
from ..store.place import Place, place
from .base import CLUSTERS, OUT, ConfigArgument, JsonFlag, OverridesOption, StoreArgument, fail_clearly, print_json

clusters = typer.Typer(help="Check a cluster before a sweep is sent there.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(clusters, name="cluster", rich_help_panel=CLUSTERS)
    app.command(rich_help_panel=CLUSTERS)(submit)
    app.command(rich_help_panel=CLUSTERS)(logs)


@clusters.command()
@fail_clearly
def check(
    cluster: Annotated[str, typer.Argument(help="Cluster: a file, a name, or an address.", show_default=False)],
    store: Annotated[str | None, typer.Option(help="Where the sweep will write; the worker tries it.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Start one small job, report what its worker is, and say what to change."""
    found = look_at(cluster, place(store) if store else None)
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


def look_at(cluster: str, target: Place | None) -> dict[str, Any]:
    """What `cluster check` reports; `change` holds its advice."""
    from ..clusters.config import Jobs, Local, find

    spec, where = find(cluster)
    if isinstance(spec, Local):
        return {"cluster": where, "kind": "local", "change": []}
    from ..clusters.batch import oversubscription, processes_of, retirement
    from ..clusters.pools import Visit, open_cluster
    from ..clusters.probe import differences, oversubscribed
    from ..private import own_state

    jobs = isinstance(spec, Jobs)
    one = spec.model_copy(update={"jobs": 1, "adapt": None} if jobs else {})
    # Not the store's own folder: a driver may be at work there.
    visit = Visit(place=target, folder=own_state() / "check", only_look=True, say=lambda text: None)
    with open_cluster(one, visit) as pool:
        seen = pool.seen | pool.memory_report()
    processes = processes_of(spec) if isinstance(spec, Jobs) else 1
    wrong = differences(seen)
    change = [text for text in (oversubscribed(seen, processes),) if text]
    if isinstance(spec, Jobs):
        change += [text for text in (oversubscription(spec),) if text]
        retire = retirement(spec)
        seen["retires_after_s"] = None if retire is None else retire[0]
        if not spec.tls:
            change.append("set `tls: true`: every user of the network can run code as you")
        if seen["cores"] < processes:
            change.append(f"ask for {processes} cores, or set `processes: {seen['cores']}`")
    if seen["write"] not in (None, "ok"):
        change.append(f"use a --store that driver and nodes share: {seen['write']}")
    if wrong:
        change.append(f"give the workers the driver's environment: {'; '.join(wrong)}")
    return {"cluster": where, "kind": spec.kind} | seen | {"change": change}


@fail_clearly
def submit(
    config: ConfigArgument,
    cluster: Annotated[str, typer.Option(help="A slurm or pbs cluster: its name or file.")] = "slurm",
    store: Annotated[
        str | None,
        typer.Option(help="Cube: a path that the nodes see too, or a URL.", show_default="results/NAME.zarr"),
    ] = None,
    overrides: OverridesOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Run a sweep as a job of SLURM or PBS, which asks for the others; then status, logs and cancel."""
    from ..clusters.submit import submit as send

    tree = read(config, tuple(overrides or ()))
    resolve(tree)
    target = place(store or f"results/{tree.name}.zarr")
    if target.is_memory:
        raise ConfigError("`--store` must outlive the job. Got memory://.")
    more = [word for text in overrides or () for word in ("--set", text)]
    job = send(cluster, config, target, more, folder=tree.folder)
    if as_json:
        print_json(job.__dict__ | {"store": target.url})
        return
    OUT.print(f"submitted job {job.job}; its log: {job.log}", highlight=False, soft_wrap=True)
    OUT.print(f"follow it: photogap status {target.url}", highlight=False, soft_wrap=True)


@fail_clearly
def logs(
    store: StoreArgument,
    lines: Annotated[int, typer.Option(help="Lines of each log.", min=1)] = 20,
) -> None:
    """Show the last lines that a sweep's jobs on SLURM or PBS wrote."""
    from ..clusters.submit import logs as ends

    OUT.print(ends(place(store), lines), highlight=False, markup=False, soft_wrap=True)
