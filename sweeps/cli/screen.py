"""Command `screen`: a folder or a database of spectra, ranked by their photo-induced gaps."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from ..ask.config import read
from ..ask.plan import Plan, resolve
from ..drive import sweep as service
from ..drive.progress import Bar
from ..drive.sweep import Report, Watch
from ..errors import ConfigError
from ..numbers import short
from ..store.place import Place
from ..work.limits import one_thread
from .base import OUT, SWEEPS, JsonFlag, fail_clearly, print_json
from .drivers import ClusterOption, DryRunFlag, going_on, say_how_to_go_on, show_estimate, store_of, warn
from .interrupt import Interrupt

if TYPE_CHECKING:
    from ..screen.cases import Case
    from ..screen.ranking import Ranking
    from ..screen.sources import LeftOut

_ROWS = 20


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel=SWEEPS)(screen)


@fail_clearly
def screen(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(help="Folder of spectrum files, or a JSON file of records in JARVIS's form.")
    ],
    store: Annotated[
        str | None, typer.Option(help="Cube: a path, s3://, gs:// or az://.", show_default="results/screen.zarr")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder of the config, the table and the picture.", show_default="results/screen"),
    ] = None,
    T_over_Tc: Annotated[float, typer.Option("--T-over-Tc", help="Temperature, in units of each Tc0.")] = 2.0,
    F0: Annotated[
        str | None,
        typer.Option("--F0", help="Fluences, mJ/cm2, such as 0.1,1.", show_default="8 values, 0.01 to 6"),
    ] = None,
    omega_pump: Annotated[
        str, typer.Option(help="Photon energies: meV, strongest (maximum of alpha2F) or highest (its end).")
    ] = "strongest,highest",
    mu_star: Annotated[float, typer.Option(help="Coulomb pseudopotential, which gives each Tc0.")] = 0.1,
    N0: Annotated[float, typer.Option("--N0", help="Density of states per spin, 1/(eV nm3).")] = 10.0,
    rho_N: Annotated[float, typer.Option("--rho-N", help="Normal-state resistivity, ohm nm.")] = 2000.0,
    tau_esc: Annotated[float, typer.Option(help="Escape time of phonons, ps.")] = 0.1,
    tau_pump: Annotated[float, typer.Option(help="Duration of the pump (FWHM), ps.")] = 0.3,
    units: Annotated[str | None, typer.Option(help="Frequency unit, for files that do not state it.")] = None,
    vary: Annotated[
        int, typer.Option(min=0, help="How many of the best to vary, to test the stability of ranks.")
    ] = 10,
    workers: Annotated[
        int | None, typer.Option("--workers", "-n", min=0, help="Worker processes.", show_default="cores")
    ] = None,
    cluster: ClusterOption = None,
    dry_run: DryRunFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Rank spectra by the gap that light induces above Tc0, and show how stable each rank is."""
    from ..screen.cases import FLUENCES, Cases, Choice, with_names_apart, write
    from ..screen.sources import candidates

    choice = Choice(
        T_over_Tc=T_over_Tc, mu_star=mu_star, N0=N0, rho_N=rho_N, tau_esc=tau_esc, tau_pump=tau_pump,
        pumps=tuple(word.strip() for word in omega_pump.split(",")), F0=_numbers("--F0", F0) if F0 else FLUENCES,
    )  # fmt: skip
    found, left = candidates(source, units)
    with one_thread():
        cases = Cases.of(with_names_apart(found), choice)
    if not cases.base:
        _show_left([*left, *cases.left])
        raise ConfigError(f"SOURCE must hold the spectrum of a superconductor. Got {str(source)!r}.")
    target = store_of("screen", store)
    place = folder or Path("results") / "screen"
    path = write(place, cases.base, choice)
    if dry_run:
        _show_left([*left, *cases.left])
        show_estimate(_plan(path, cluster), cluster or "local", target, workers=workers, as_json=as_json)
        return
    varied: list[Case] = []
    words = _same_command(context, target, place)
    with Interrupt() as interrupt, going_on(words), Bar(silent=as_json) as bar:
        watch = Watch(tell=bar.update, opened=bar.opened, stopped=interrupt.reason, told=warn)
        report = service.run(_plan(path, cluster), target, workers=workers, watch=watch)
        if report.reason is None and vary:
            varied = cases.varied(_best(target, cases.base, vary))
            path = write(place, [*cases.base, *varied], choice)
            more = service.run(_plan(path, cluster), target, workers=workers, watch=watch)
            report = report.followed_by(more, apart=False)
    _finish(target, place, cases.base, varied, [*left, *cases.left], report, as_json, words)


def _same_command(context: typer.Context, target: Place, folder: Path) -> list[str]:
    """Command line that continues this screening, valid from any folder."""
    fixed = {"store": target.url, "folder": str(folder.resolve())}
    given = {k: v for k, v in context.params.items() if v is not None} | fixed
    words = ["screen", str(Path(given.pop("source")).resolve())]
    for parameter in context.command.params:
        name = str(parameter.name)
        if name in given and given[name] != parameter.default:
            words += [parameter.opts[0]] if given[name] is True else [parameter.opts[0], str(given[name])]
    return words


def _plan(path: Path, cluster: str | None) -> Plan:
    config = read(path)
    return resolve(config.model_copy(update={"cluster": cluster}) if cluster else config)


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(word) for word in text.split(","))
    except ValueError:
        raise ConfigError(f"`{option}` must be numbers, such as 0.1,1. Got {text!r}.") from None
    if not all(x > 0 for x in found):
        raise ConfigError(f"`{option}` must be positive. Got {text!r}.")
    return found


def _best(target: Place, base: "Sequence[Case]", count: int) -> "list[Case]":
    """Cases of the best materials with a gap, each at the photon energy of its largest gap."""
    from ..analysis import open_cube
    from ..screen.ranking import rank

    rows = [row for row in rank(open_cube(target, chunks=None), base).rows[:count] if row.relative > 0]
    wanted = {(row.material, row.omega_pump) for row in rows}
    return [c for c in base if (c.candidate.name, c.pump) in wanted]


def _finish(
    target: Place, folder: Path, base: "Sequence[Case]", varied: "Sequence[Case]", left: "Sequence[LeftOut]",
    report: Report, as_json: bool, words: Sequence[str],
) -> None:  # fmt: skip
    """Print the table, write it and the picture, and set the exit code."""
    from ..analysis import open_cube
    from ..screen.picture import ranked_gaps
    from ..screen.ranking import rank, write_csv

    ds = open_cube(target, chunks=None)
    ranking = rank(ds, base, varied)
    write_csv(ranking, folder / "ranking.csv")
    ranked_gaps(ds, ranking, base).savefig(folder / "ranking.png")
    lines = ["name,reason", *(f'"{x.name}","{x.reason}"' for x in left)]
    (folder / "left_out.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if as_json:
        print_json(_record(ranking, left, target, folder, report))
    else:
        _show(ranking, left)
        OUT.print(
            f"table: {folder / 'ranking.csv'}; picture: {folder / 'ranking.png'}; cube: {target.url}",
            highlight=False,
            soft_wrap=True,
        )
        if report.reason:
            say_how_to_go_on(words)
    if report.reason:
        raise typer.Exit(1)


def _record(
    ranking: "Ranking", left: "Sequence[LeftOut]", target: Place, folder: Path, report: Report
) -> dict[str, Any]:
    return {
        "ranking": [vars(row) for row in ranking.rows],
        "kendall_tau": ranking.tau,
        "left_out": [vars(x) for x in left],
        "store": target.url,
        "folder": str(folder),
        "outcome": report.reason or "complete",
        "points": report.counts.total,
        "failed": report.counts.failed,
        "seconds": report.seconds,
    }


def _show(ranking: "Ranking", left: "Sequence[LeftOut]") -> None:
    with_gap = [row for row in ranking.rows if row.relative > 0]
    table = Table(
        "rank", Column("material", no_wrap=True), "lambda", "Tc0 (K)", "gap (meV)", "gap / 1.764 kB Tc0", "F0",
        "pump (meV)", "ranks",
        caption=f"{len(with_gap)} of {len(ranking.rows)} materials show a gap above Tc0; ranks: over variations",
    )  # fmt: skip
    for row in with_gap[:_ROWS]:
        ranks = f"{row.highest} to {row.lowest}" if row.lowest else "-"
        numbers = (row.lambda_, row.Tc0, row.gap, row.relative, row.F0, row.omega_pump)
        table.add_row(str(row.rank), row.material, *(short(x) for x in numbers), ranks)
    OUT.print(table)
    for name, tau in ranking.tau.items():
        OUT.print(f"order of the best {ranking.varied} with {name}: Kendall's tau {tau:.2f}", highlight=False)
    failed = sum(row.failed for row in ranking.rows)
    if failed:
        OUT.print(f"{failed} points failed: photogap status", highlight=False)
    _show_left(left)


def _show_left(left: "Sequence[LeftOut]") -> None:
    for x in left[:_ROWS]:
        warn(f"left out: {x.name}: {x.reason}")
    if len(left) > _ROWS:
        warn(f"left out: {len(left) - _ROWS} more, in left_out.csv")
