"""Command line `photogap`: sweeps. Commands that read a store are in `views`, physics in `physics`."""

import dataclasses
import importlib.metadata
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ..ask.config import Config, Plot, read
from ..ask.plan import resolve
from ..drive import sweep as service
from ..drive.progress import Bar
from ..drive.sweep import Report, Watch
from ..errors import ConfigError, StoreError
from ..examples import located
from ..status import Status
from ..store.place import Place, place
from . import begin as cli_begin
from . import cluster as cli_cluster
from . import converge as cli_converge
from . import cubes as cli_cubes
from . import optics as cli_optics
from . import physics as cli_physics
from . import reference as cli_reference
from . import screen as cli_screen
from . import serve as cli_serve
from . import views as cli_views
from .base import (
    ERR,
    OUT,
    SWEEPS,
    Commands,
    ConfigArgument,
    JsonFlag,
    OverridesOption,
    StoreArgument,
    TrustFlag,
    fail_clearly,
    print_json,
    show_log,
)
from .drivers import (
    ClusterOption,
    DryRunFlag,
    FullFlag,
    RecomputeFlag,
    going_on,
    in_words,
    retry_words,
    run_words,
    say_how_to_go_on,
    send,
    show_estimate,
    store_of,
    warn,
)
from .interrupt import Interrupt

app = typer.Typer(
    name="photogap",
    cls=Commands,
    help="Parameter sweeps of light-driven superconductors, into labelled Zarr cubes.",
    epilog="Start with: photogap run quickstart. Every command has --help.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli_begin.register(app)
cli_views.register(app)
cli_cubes.register(app)
cli_physics.register(app)
cli_optics.register(app)
cli_reference.register(app)
cli_cluster.register(app)
cli_screen.register(app)
cli_serve.register(app)

_ROWS = 16
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers", "-n", min=0, help="Worker processes; 0 computes in this process.", show_default="cores"
    ),
]
DashboardFlag = Annotated[
    bool, typer.Option("--dashboard", help="Serve Dask's dashboard at a private address; do not share it.")
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"photogap {importlib.metadata.version('photogap')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
    verbose: Annotated[
        int,
        typer.Option(
            "-v", "--verbose", count=True, help="Log to standard error, after a command too; -vv logs each point."
        ),
    ] = 0,
) -> None:
    """Options of the program itself."""
    show_log(verbose)


@app.command(rich_help_panel=SWEEPS)
@fail_clearly
def run(
    config: ConfigArgument,
    store: Annotated[
        str | None,
        typer.Option(help="Cube: a path, s3://, gs://, az:// or memory://.", show_default="results/NAME.zarr"),
    ] = None,
    workers: WorkersOption = None,
    overrides: OverridesOption = None,
    full: FullFlag = False,
    cluster: ClusterOption = None,
    recompute: RecomputeFlag = False,
    dry_run: DryRunFlag = False,
    dashboard: DashboardFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Compute the missing points of a sweep, then draw its picture."""
    config = located(config)
    tree = read(config, tuple(overrides or ()), full=full)
    if cluster:
        tree = tree.model_copy(update={"cluster": cluster})
    plan = resolve(tree)
    target = store_of(plan.config.name, store, full=full)
    if dry_run:
        show_estimate(plan, tree.cluster, None if recompute else target, workers=workers, as_json=as_json)
        return
    words = run_words(config, target, overrides=overrides, full=full, cluster=cluster, workers=workers)
    with Interrupt() as interrupt, going_on(words), Bar(silent=as_json) as bar:
        watch = Watch(tell=bar.update, opened=bar.opened, stopped=interrupt.reason, told=warn, dashboard=dashboard)
        report = service.run(plan, target, workers=workers, recompute=recompute, watch=watch)
    finish(plan.config, target, report, as_json, words)


@app.command(rich_help_panel=SWEEPS)
@fail_clearly
def retry(
    store: StoreArgument,
    failed: Annotated[bool, typer.Option("--failed", help="The default: every failed point.", hidden=True)] = True,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    submit: Annotated[
        bool, typer.Option("--submit", help="Submit the driver as a job to `--cluster`, like `photogap submit`.")
    ] = False,
    dashboard: DashboardFlag = False,
    trust: TrustFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Compute the failed points of a cube again."""
    target = place(store)
    words = retry_words(target, trust=trust, cluster=None if submit else cluster, workers=workers)
    if submit:
        if not target.exists():
            raise StoreError(f"No cube at {target.url}.")
        send(
            cluster or "slurm",
            target,
            words,
            name=target.path.stem if target.is_local else "retry",
            as_json=as_json,
        )
        return
    with Interrupt() as interrupt, going_on(words), Bar(silent=as_json) as bar:
        watch = Watch(tell=bar.update, opened=bar.opened, stopped=interrupt.reason, told=warn, dashboard=dashboard)
        report = service.retry(target, workers=workers, watch=watch, cluster=cluster, trust=trust)
    finish(None, target, report, as_json, words)


@app.command(rich_help_panel=SWEEPS)
@fail_clearly
def replay(
    store: StoreArgument,
    point: Annotated[str, typer.Argument(help="First digits of a point's id, or labels such as T=30,F0=1.")],
    trust: TrustFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Compute one point in this process with full diagnostics; the cube is not changed."""
    target = place(store)
    record, arrays = service.replay(target, point, trust=trust)
    summary = {name: _brief(array) for name, array in arrays.items()}
    if as_json:
        print_json(record | {"outputs": summary})
    else:
        units = service.units_of(target, summary)
        lines = [f"{key}: {_told(key, value)}" for key, value in record.items() if value != ""]
        lines += [f"{name}{units[name]}: {_in_words(numbers)}" for name, numbers in summary.items()]
        OUT.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    if record["status"] != Status.OK:
        raise typer.Exit(1)


app.command("converge", rich_help_panel=SWEEPS)(cli_converge.command)


@app.command(rich_help_panel=SWEEPS)
@fail_clearly
def cancel(store: StoreArgument) -> None:
    """Stop the run of a cube, on any machine; finished points are kept."""
    from ..clusters.submit import end

    target = place(store)
    done = end(target)
    if target.exists() or not done:
        seen = service.cancel(target)
        done = done or (
            f"asked the run that computes {store} to stop"
            if seen
            else f"no run of {store} is visible from here; a run on another machine will stop"
        )
    OUT.print(done, highlight=False, soft_wrap=True)


def finish(config: Config | None, target: Place, report: Report, as_json: bool, words: Sequence[str]) -> None:
    """Print the cube, the picture and a short table, and set the exit code; `words` is the command to continue."""
    from ..analysis import open_cube
    from ..figures import pictures

    picture, rows = None, None
    if config and report.counts.done:
        ds = open_cube(target, chunks=None)
        spec = config.plot or Plot(**pictures.defaults(ds))
        try:
            at = pictures.first_elsewhere(ds, spec.x, spec.hue, spec.at)
            picture = pictures.plot(ds, pictures.beside(target), x=spec.x, hue=spec.hue, y=spec.y, at=at)
            rows = pictures.table(ds, spec.x, spec.hue, spec.y, at)
        except (ConfigError, OSError) as error:
            ERR.print(f"no picture: {error}", markup=False, highlight=False)
    if as_json:
        print_json(
            dataclasses.asdict(report.counts)
            | {
                "store": target.url,
                "picture": str(picture) if picture else None,
                "outcome": report.reason or "complete",
                "seconds": report.seconds,
                "pool": report.pool,
            }
            | ({"go_on": in_words(words)} if report.reason else {})
        )
    else:
        _tell_end(target, report, picture, rows)
        if report.reason:
            say_how_to_go_on(words)
    if report.reason in ("interrupted", "terminated"):
        raise typer.Exit(130)
    if report.reason or report.counts.failed:
        raise typer.Exit(1)


def _tell_end(target: Place, report: Report, picture: Path | None, rows: Any) -> None:
    counts = report.counts
    if not counts.total:
        OUT.print(f"nothing to do: no point of {target.url} has failed", highlight=False, soft_wrap=True)
        return
    if rows:
        head, body = rows
        step = -(-len(body) // _ROWS)
        table = Table(*head, caption=f"one value in {step} of {len(body)}" if step > 1 else None)
        for row in body[::step]:
            table.add_row(*row)
        OUT.print(table)
    ended = "complete" if report.reason is None else report.reason
    OUT.print(
        f"{ended}: {counts.done} ok, {counts.failed} failed of {counts.total} points; "
        f"{counts.computed} computed now in {report.seconds:.1f} s",
        highlight=False,
    )
    if counts.failed:
        OUT.print(f"reasons: photogap status {target.url}", highlight=False, soft_wrap=True)
    OUT.print(f"cube: {target.url}", highlight=False, soft_wrap=True)
    if picture:
        OUT.print(f"picture: {picture}", highlight=False, soft_wrap=True)


def _brief(array: Any) -> Any:
    if array.ndim == 0:
        return float(array)
    return {
        "shape": list(array.shape),
        "min": float(array.min()),
        "max": float(array.max()),
        "last": float(array.ravel()[-1]),
    }


def _told(key: str, value: Any) -> str:
    """Entry of a point's record with its unit."""
    if isinstance(value, dict):
        return ", ".join(f"{k} = {v:.6g}" if isinstance(v, float) else f"{k} = {v}" for k, v in value.items())
    if key in ("wall_time", "cpu_time"):
        return f"{value:.3g} s"
    if key == "peak_memory":
        return f"{value / 2**20:.0f} MiB"
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value)) if key == "started" else str(value)


def _in_words(numbers: Any) -> str:
    if isinstance(numbers, float):
        return f"{numbers:.6g}"
    shape = " x ".join(map(str, numbers["shape"]))
    return f"{numbers['min']:.4g} to {numbers['max']:.4g}, last {numbers['last']:.4g}, {shape} values"
