"""Commands that read a store: status, verify, plot, movie, show."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.text import Text

from ..errors import ConfigError
from ..figures.registry import FIGURES
from ..numbers import pace
from ..status import Status
from ..store.place import place
from .base import (
    MOVIES,
    OUT,
    SWEEPS,
    AtOption,
    JsonFlag,
    StoreArgument,
    check_file,
    fail_clearly,
    parse_at,
    print_json,
)
from .looks import ColumnsOption, StyleOption, as_options, look_of

_WIDTH = 9
_LABEL = 12
_PROBLEMS = 20


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (status, plot, movie, show, verify):
        app.command(rich_help_panel=SWEEPS)(command)


@fail_clearly
def status(
    store: StoreArgument,
    as_json: JsonFlag = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Repeat every few seconds until no driver is running.")
    ] = False,
    every: Annotated[float, typer.Option(help="Seconds between updates.", min=0.2)] = 2.0,
) -> None:
    """Count the points of a cube by status, list the slowest, and group failures by reason."""
    from ..clusters.submit import describe
    from ..drive.report import status as look

    target = place(store)
    driver = describe(target)
    if driver and not as_json:
        OUT.print(driver, highlight=False, markup=False, soft_wrap=True)
    if driver and not target.exists():
        if as_json:
            print_json({"store": target.url, "driver": driver, "points": None, "live": False})
        return
    if not watch:
        found = look(target)
        print_json(found) if as_json else OUT.print(_status_text(found), soft_wrap=True)
        return
    with Live(console=OUT, auto_refresh=False) as live:
        while True:
            found = look(target)
            print_json(found) if as_json else live.update(_status_text(found), refresh=True)
            if not found["live"]:
                break
            time.sleep(every)


@fail_clearly
def verify(
    store: StoreArgument,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mark bad points as missing, so that the next run computes them again.")
    ] = False,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Load the model named in the cube even if other users may have written it."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Read every chunk of a cube and check its points; exit code 1 if anything is damaged."""
    from ..drive.verify import verify as look

    found = look(place(store), repair=repair, trust=trust)
    if as_json:
        print_json(found)
    else:
        OUT.print(_verified(found, repair), markup=False, highlight=False, soft_wrap=True)
    if found["problems"]:
        raise typer.Exit(1)


def _verified(found: dict[str, Any], repair: bool) -> str:
    lines = found["problems"][:_PROBLEMS]
    if len(found["problems"]) > _PROBLEMS:
        lines.append(f"and {len(found['problems']) - _PROBLEMS} more")
    lines += [f"note: {note}" for note in found["notes"]]
    bad = "made missing" if repair else "bad"
    bare = f"{found['unchecksummed']} unchecksummed, " if found["unchecksummed"] else ""
    lines.append(f"{found['ok']} of {found['points']} points ok, {bare}{found['bad_points']} {bad}")
    if found["problems"]:
        again = "run the sweep again to compute what is missing"
        lines.append(again if repair else f"repair: photogap verify {found['store']} --repair")
    return "\n".join(lines)


def _status_text(found: dict[str, Any]) -> Text:
    counts = ", ".join(f"{n} {name}" for name, n in found["counts"].items())
    rest = f"; {found['not_asked']} of the cube were not asked for" if found["not_asked"] else ""
    lines = [
        f"{found['name']}: {found['points']} points: {counts}{rest}",
        f"model: {found['model']}, config {found['config']}",
    ]
    if found["live"]:
        lines.append(f"a driver is running: {found.get('running', 0)} batches running")
    elif "last_run" in found:
        run = found["last_run"]
        outcome = "its driver died" if run["outcome"] == "running" else run["outcome"]
        where = f" in point {found['died_in'][:12]}, which the next run tries last" if "died_in" in found else ""
        lines.append(f"last run on {run['host']}: {outcome}{where}")
    if "points_per_s" in found:
        lines.append(f"throughput: {pace(found['points_per_s'])} over the last points")
    lines += [
        f"slow: {p['wall_time']:.3g} s  {p['point_id'][:12]}  {_labels(p['labels'])}"
        for p in found.get("slowest", [])
    ]
    lines += [
        f"{g['count']} {g['status']}: {g['message']}  (such as {g['point_id'][:12]})" for g in found["reasons"]
    ]
    lines += [
        f"failed: {p['point_id'][:12]}  {p['status']}  {_labels(p['labels'])}  {p['message']}"
        for p in found["failed"][:20]
    ]
    return Text("\n".join(lines))


def _labels(labels: dict[str, Any]) -> str:
    return " ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in labels.items())


@fail_clearly
def plot(
    store: StoreArgument,
    figure: Annotated[
        str | None, typer.Option("--figure", help=f"A figure by its name: {', '.join(FIGURES)}.")
    ] = None,
    x: Annotated[
        str | None,
        typer.Option("--x", help="Horizontal axis, or time.", show_default="F0, else an axis with several values"),
    ] = None,
    at: AtOption = None,
    hue: Annotated[str | None, typer.Option("--hue", help="Axis that gives one line per value.")] = None,
    y: Annotated[
        str | None,
        typer.Option(
            "--y",
            help="Variable, drawn as its largest value over time; for phase_diagram, the vertical axis.",
            show_default="Delta0",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="PNG, PDF or SVG file.", show_default="next to the cube")
    ] = None,
    style: StyleOption = "screen",
    columns: ColumnsOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Plot the maximum of a variable over time against an axis, or draw a figure of the paper.

    The file's metadata carry the hash of the cube's config, as `status` prints it.
    """
    from ..figures import pictures

    check_file("--out", out)
    look = look_of(style, columns)
    target = place(store)
    where = parse_at(at)
    if figure is not None:
        beside = pictures.beside(target)
        options = {name: value for name, value in (("x", x), ("y", y), ("hue", hue)) if value}
        path = _named(store, figure, where, options, out or beside.with_stem(f"{beside.stem}_{figure}"), look)
        print_json({"picture": str(path)}) if as_json else _tell_picture(path)
        return
    ds = open_store(store)
    usual = pictures.defaults(ds)
    x, y = x or usual["x"], y or usual["y"]
    path = pictures.plot(ds, out or pictures.beside(target), x=x, hue=hue, y=y, at=where, **look)
    if as_json:
        head, rows = pictures.table(ds, x, hue, y, where)
        print_json({"picture": str(path), "columns": head, "rows": rows})
    else:
        _tell_picture(path)


def _tell_picture(path: Path) -> None:
    OUT.print(f"picture: {path}", highlight=False, soft_wrap=True)


def _named(
    store: str, figure: str, at: dict[str, str], options: dict[str, str], out: Path, look: dict[str, Any]
) -> Path:
    """Draw a figure of `figures` and write it."""
    from .. import figures

    row = FIGURES.get(figure)
    unfit = sorted(options.keys() - row.options) if row else []
    if unfit:
        raise ConfigError(
            f"`--{unfit[0]}` does not belong to `--figure {figure}`. Leave it out, or select labels with --at."
        )
    ds = open_store(store)
    try:
        return figures.save(figures.draw_cube(place(store), ds, figure, at, **options, **look), out)
    except ValueError as error:
        raise as_options(error) from error


@fail_clearly
def movie(
    store: StoreArgument,
    at: AtOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="GIF, or MP4 (with ffmpeg or the extra 'movie').",
            show_default="a GIF next to the cube",
        ),
    ] = None,
    fps: Annotated[int, typer.Option(help="Frames per second.", min=1)] = 12,
) -> None:
    """Make a movie of one point, selected by --at: f, n and Delta over time."""
    from .. import figures
    from ..figures.pictures import beside

    check_file("--out", out, MOVIES)
    ds = open_store(store)
    where = parse_at(at)
    try:
        path = figures.movie(
            figures.select(ds, where),
            out or beside(place(store)).with_suffix(".gif"),
            alpha2F=_spectrum(store, ds, where),
            fps=fps,
        )
    except ValueError as error:
        raise as_options(error) from error
    OUT.print(f"movie: {path}", highlight=False, soft_wrap=True)


def _spectrum(store: str, ds: Any, at: dict[str, str]) -> Any:
    """alpha2F of the material shown, from the cube's record; None for several materials."""
    from ..figures.spectrum import alpha2F_in

    names = [str(v) for v in ds["material"].values]
    wanted = [n for n in names if n.lower() == at.get("material", n).lower()]
    return alpha2F_in(place(store), wanted[0]) if len(wanted) == 1 else None


@fail_clearly
def show(
    store: StoreArgument,
    x: Annotated[str, typer.Option("--x", help="Axis across.")] = "F0",
    y: Annotated[
        str | None,
        typer.Option("--y", help="Axis down.", show_default="the next axis with several values"),
    ] = None,
    variable: Annotated[str, typer.Option("--variable", help="Variable of the second map.")] = "Delta0",
    at: AtOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Also write both maps to this file.")] = None,
    style: StyleOption = "screen",
    columns: ColumnsOption = 0,
) -> None:
    """Print maps over two axes: the status of the points, and the maximum of a variable over time."""
    from ..figures import pictures

    check_file("--out", out)
    look = look_of(style, columns)
    ds = open_store(store)
    given = parse_at(at)
    dims = [str(d) for d in ds["status"].dims]
    others = [d for d in dims if d not in (x, *given)]
    down = y or next((d for d in others if ds.sizes[d] > 1), others[0])
    fixed = {d: ds[d].values[0] for d in others if d != down and ds.sizes[d] > 1}
    state, values = pictures.maps(ds, x, down, variable, fixed | given)
    if fixed:
        words = [pictures.typed(ds[name], 0) for name in fixed]
        OUT.print(f"at {', '.join(words)} (others: --at)", highlight=False)
    OUT.print(_map_text("status", state, _status_cell))
    largest = float(values.max()) if bool(values.notnull().any()) else 1.0
    units = values.attrs.get("units", "1")
    OUT.print(_map_text(f"largest {variable} ({units})", values, lambda v: _value_cell(float(v), largest)))
    if out:
        OUT.print(f"picture: {pictures.draw_maps(state, values, out, **look)}", highlight=False, soft_wrap=True)


def open_store(store: str) -> Any:
    """Dataset of a cube, with its numerical errors."""
    from ..analysis import open_cube
    from ..analysis.uncertain import with_errors
    from ..store.cube import Cube

    target = place(store)
    Cube(target, read_only=True)
    return with_errors(open_cube(target, chunks=None), target)


def _map_text(title: str, values: Any, cell: Any) -> Text:
    """A map in text, as wide as its numbers; on a narrow terminal only every n-th column."""
    down, across = (str(d) for d in values.dims)
    step = max(1, -(-values.sizes[across] // max(4, (OUT.width - 13) // _WIDTH)))
    left_out = f" (one value in {step}; all with --out)" if step > 1 else ""
    names = [" and ".join(name or axis for name, _ in _beside(values[axis])) for axis in (down, across)]
    out = Text(f"{title}: {names[0]} down, {names[1]} across{left_out}\n", style="bold")
    rows = [(name, [Text(_short(v)) for v in labels[::step]]) for name, labels in _beside(values[across])]
    rows += [
        ("/".join(map(_short, labels)), [cell(v) for v in row])
        for labels, row in zip(
            zip(*(v for _, v in _beside(values[down])), strict=True), values.values[:, ::step], strict=True
        )
    ]
    for label, cells in rows:
        out.append(f"{label[:_LABEL]:>{_LABEL}} ", style="none")
        for text in cells:
            text.truncate(_WIDTH - 1, overflow="ellipsis")
            out.append(" " * (_WIDTH - len(text)), style="none").append_text(text)
        out.append("\n")
    return out


def _beside(labels: Any) -> list[tuple[str, Any]]:
    """Labels of an axis and of the quantities zipped with it, by name; the axis's own name is left empty."""
    from ..figures.words import along

    first, *rest = along(labels)
    return [("", first.values), *((str(c.name), c.values) for c in rest)]


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _status_cell(value: Any) -> Text:
    text = str(value)
    style = {str(Status.OK): "green", str(Status.MISSING): "dim"}.get(text, "bold red")
    return Text({str(Status.MISSING): "."}.get(text, text), style=style)


def _value_cell(value: float, largest: float) -> Text:
    if value != value:
        return Text("-", style="dim")
    shade = int(90 + 160 * max(0.0, min(1.0, value / (largest or 1.0))))
    return Text(f"{value:.3g}", style=f"rgb({shade},{shade},100)")
