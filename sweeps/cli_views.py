"""Commands that look at a store: status, plot, show."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.text import Text

from .cli_base import OUT, AtOption, JsonFlag, StoreArgument, fail_clearly, parse_at, print_json
from .store import place

_WIDTH = 9


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (status, plot, show):
        app.command()(command)


@fail_clearly
def status(
    store: StoreArgument,
    as_json: JsonFlag = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again every few seconds until nobody drives the store.")
    ] = False,
    every: Annotated[float, typer.Option(help="Seconds between looks.", min=0.2)] = 2.0,
) -> None:
    """Count points by status, name slow ones, group failures by reason."""
    from .report import status as look

    target = place(store)
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


def _status_text(found: dict[str, Any]) -> Text:
    counts = ", ".join(f"{n} {name}" for name, n in found["counts"].items())
    lines = [f"{found['name']}: {found['points']} points: {counts}", f"model: {found['model']}"]
    if found["live"]:
        lines.append(f"a driver is at work: {found.get('running', 0)} batches running")
    elif "last_run" in found:
        run = found["last_run"]
        outcome = "its driver died" if run["outcome"] == "running" else run["outcome"]
        lines.append(f"last run on {run['host']}: {outcome}")
    if "points_per_s" in found:
        lines.append(f"throughput: {found['points_per_s']:.3g} points/s over the last points")
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
    x: Annotated[str, typer.Option("--x", help="Axis of the picture.")] = "F0",
    at: AtOption = None,
    hue: Annotated[str | None, typer.Option("--hue", help="Axis with one line per value.")] = None,
    y: Annotated[str, typer.Option("--y", help="Variable; its largest value over time is drawn.")] = "Delta0",
    out: Annotated[
        Path | None, typer.Option("--out", help="PNG, PDF or SVG file. [default: beside the cube]")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Draw the largest value over time of a variable against an axis."""
    from . import pictures
    from .cli import picture_path

    target = place(store)
    ds = _open(store)
    where = parse_at(at)
    path = pictures.plot(ds, out or picture_path(target), x=x, hue=hue, y=y, at=where)
    if as_json:
        head, rows = pictures.table(ds, x, hue, y, where)
        print_json({"picture": str(path), "columns": head, "rows": rows})
    else:
        OUT.print(f"picture: {path}", highlight=False, soft_wrap=True)


@fail_clearly
def show(
    store: StoreArgument,
    x: Annotated[str, typer.Option("--x", help="Axis across.")] = "F0",
    y: Annotated[
        str | None, typer.Option("--y", help="Axis down. [default: the first other with several values]")
    ] = None,
    variable: Annotated[str, typer.Option("--variable", help="Variable of the right map.")] = "Delta0",
    at: AtOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Also draw both maps into this file.")] = None,
) -> None:
    """Maps of status and of the peak gap over two axes."""
    from . import pictures

    ds = _open(store)
    given = parse_at(at)
    dims = [str(d) for d in ds["status"].dims]
    others = [d for d in dims if d not in (x, *given)]
    down = y or next((d for d in others if ds.sizes[d] > 1), others[0])
    fixed = {d: ds[d].values[0] for d in others if d != down and ds.sizes[d] > 1}
    state, values = pictures.maps(ds, x, down, variable, fixed | given)
    if fixed:
        OUT.print("at " + ", ".join(f"{k}={v}" for k, v in fixed.items()) + " (others: --at)", highlight=False)
    OUT.print(_map_text("status", state, _status_cell))
    largest = float(values.max()) if bool(values.notnull().any()) else 1.0
    units = values.attrs.get("units", "1")
    OUT.print(_map_text(f"largest {variable} ({units})", values, lambda v: _value_cell(float(v), largest)))
    if out:
        OUT.print(f"picture: {pictures.draw_maps(state, values, out)}", highlight=False, soft_wrap=True)


def _open(store: str) -> Any:
    from . import pictures
    from .cube import Cube

    target = place(store)
    Cube(target, read_only=True)
    return pictures.open_cube(target)


def _map_text(title: str, values: Any, cell: Any) -> Text:
    """A map in characters, as wide as its numbers; every n-th column where the terminal is narrow."""
    down, across = (str(d) for d in values.dims)
    step = max(1, -(-values.sizes[across] // max(4, (OUT.width - 14) // _WIDTH)))
    out = Text(f"{title}: {down} down, {across} across\n", style="bold")
    rows = [("", [Text(_short(v)) for v in values[across].values[::step]])]
    rows += [
        (_short(label), [cell(v) for v in row])
        for label, row in zip(values[down].values, values.values[:, ::step], strict=True)
    ]
    for label, cells in rows:
        out.append(f"{label[:12]:>12} ", style="none")
        for text in cells:
            text.truncate(_WIDTH - 1, overflow="ellipsis")
            out.append(" " * (_WIDTH - len(text)), style="none").append_text(text)
        out.append("\n")
    return out


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _status_cell(value: Any) -> Text:
    text = str(value)
    style = {"ok": "green", "missing": "dim"}.get(text, "bold red")
    return Text({"missing": "."}.get(text, text), style=style)


def _value_cell(value: float, largest: float) -> Text:
    if value != value:
        return Text("-", style="dim")
    shade = int(90 + 160 * max(0.0, min(1.0, value / (largest or 1.0))))
    return Text(f"{value:.3g}", style=f"rgb({shade},{shade},100)")
