"""Commands for cubes as files: info, list, compare, export, publish."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ..errors import ConfigError, SweepError
from ..numbers import short
from ..store.place import ROOT, Place, place
from .base import CUBES, OUT, AtOption, JsonFlag, StoreArgument, check_file, fail_clearly, parse_at, print_json

_SEVERAL = 6


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (info, cubes, compare, export, publish):
        app.command("list" if command is cubes else None, rich_help_panel=CUBES)(command)


@fail_clearly
def info(store: StoreArgument, as_json: JsonFlag = False) -> None:
    """Describe a cube: axes, variables with units, settings, versions."""
    found = _info(place(store))
    if as_json:
        print_json(found)
        return
    head = f"{found['name']}: {found['points']} points, {found['bytes'] / 2**20:.3g} MiB; {found['model']}"
    OUT.print(head, highlight=False, markup=False, soft_wrap=True)
    OUT.print(", ".join(f"{n} {kind}" for kind, n in found["counts"].items()), highlight=False)
    for name, rows in (("axis", found["axes"]), ("variable", found["variables"])):
        table = Table(name, "dims" if name == "variable" else "values", "unit", "meaning", show_edge=False)
        for key, row in rows.items():
            content = ", ".join(row["dims"]) if name == "variable" else _several(row["values"])
            table.add_row(*(Text(str(word)) for word in (key, content, row["units"], row["long_name"])))
        OUT.print(table)
    said = ", ".join(f"{name} {value}" for name, value in found["versions"].items())
    OUT.print(f"config {found['config']}; {said}", highlight=False, markup=False, soft_wrap=True)


def _several(values: list[Any]) -> str:
    words = [short(v) for v in values]
    return ", ".join(words if len(words) <= _SEVERAL else [*words[:3], "...", words[-1]]) + f" ({len(words)})"


def _info(target: Place) -> dict[str, Any]:
    import numpy as np

    from ..store.cube import Cube
    from ..store.record import config_hash

    cube = Cube(target, read_only=True)
    kinds, counts = np.unique(cube.status(), return_counts=True)
    runs = cube.record["runs"]
    outputs = {name: (dims, cube.array(name)) for name, dims in cube.outputs.items()}
    axes = {axis.name: axis.values for axis in cube.grid.axes}
    axes |= {name: values for axis in cube.grid.axes for name, values in axis.followers.items()}
    return {
        "store": target.url,
        "name": cube.record["config"]["name"],
        "model": f"{cube.record['base']['model']} {cube.record['base']['model_version']}",
        "points": cube.grid.size,
        "counts": {str(kind): int(n) for kind, n in zip(kinds, counts, strict=True)},
        "bytes": sum(array.nbytes for _, array in outputs.values()),
        "axes": {name: _meaning(cube, name) | {"values": list(values)} for name, values in axes.items()},
        "variables": {name: _meaning(cube, name) | {"dims": list(dims)} for name, (dims, _) in outputs.items()},
        "settings": cube.record["resolved"]["settings"],
        "config": config_hash(cube.record),
        "versions": runs[-1]["versions"] if runs else {},
    }


def _meaning(cube: Any, name: str) -> dict[str, str]:
    attrs = cube.array(name).attrs
    return {"units": str(attrs.get("units", "1")), "long_name": str(attrs.get("long_name", ""))}


@fail_clearly
def cubes(
    folder: Annotated[Path, typer.Argument(help="Folder that holds the cubes, at any depth.")] = Path(),
    as_json: JsonFlag = False,
) -> None:
    """List the cubes of a folder."""
    if not folder.is_dir():
        raise ConfigError(f"FOLDER must be a folder. Got {str(folder)!r}.")
    found = [_listed(path) for path in _stores(folder)]
    if as_json:
        print_json({"cubes": found})
        return
    table = Table("cube", "points", "ok", "axes with several values", "material", show_edge=False)
    for row in found:
        if "error" in row:
            table.add_row(Text(row["store"]), "", "", Text(row["error"], style="red"), "")
            continue
        several = " x ".join(f"{name} {n}" for name, n in row["shape"].items() if n > 1)
        table.add_row(*(Text(str(w)) for w in (row["store"], row["points"], row["ok"], several, row["materials"])))
    OUT.print(table) if found else OUT.print(f"no cube in {folder}", highlight=False)


def _stores(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and not f.endswith(".state"))
        if ROOT in files:
            yield Path(where)
            folders.clear()
        yield from (Path(where, name) for name in sorted(files) if name.endswith(".zarr.zip"))


def _listed(path: Path) -> dict[str, Any]:
    from ..store.cube import Cube
    from ..store.faults import reading_faults

    try:
        with reading_faults(str(path)):
            cube = Cube(place(path), read_only=True)
            status = cube.status()
    except SweepError as error:
        return {"store": str(path), "error": str(error)}
    return {
        "store": str(path),
        "name": cube.record["config"]["name"],
        "points": cube.grid.size,
        "ok": int((status == "ok").sum()),
        "shape": dict(zip(cube.grid.dims, cube.grid.shape, strict=True)),
        "materials": ", ".join(map(str, cube.grid.axes[0].values)),
    }


@fail_clearly
def compare(
    a: Annotated[str, typer.Argument(help="First cube.", show_default=False)],
    b: Annotated[str, typer.Argument(help="Second cube.", show_default=False)],
    at: AtOption = None,
    y: Annotated[str | None, typer.Option("--y", help="Variable of the picture.", show_default="Delta0")] = None,
    x: Annotated[
        str | None,
        typer.Option("--x", help="Axis of the picture.", show_default="F0, else an axis with several values"),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="PNG, PDF or SVG file with both cubes.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare two cubes at their common labels: the largest difference of each variable, and a picture."""
    from .. import figures
    from ..analysis import comparison
    from .views import open_store

    check_file("--out", out)
    where = parse_at(at)
    try:
        left, right = comparison.matched(*(figures.select(open_store(store), where) for store in (a, b)))
    except ValueError as error:
        raise ConfigError(str(error).replace("`at`", "`--at`")) from error
    rows = comparison.compare(left, right)
    picture = _both(left, right, (a, b), x, y, out) if out else None
    if as_json:
        print_json(
            {"variables": rows, "points": int(left["status"].size), "picture": str(picture) if picture else None}
        )
        return
    table = Table("variable", "B - A", "relative", "at", "points", "only A", "only B", show_edge=False)
    for row in rows:
        unit = "" if row["units"] == "1" else f" {row['units']}"
        labels = ", ".join(f"{k}={short(v)}" for k, v in row["at"].items() if left.sizes.get(k, 1) > 1)
        numbers = (f"{row['largest']:.4g}{unit}", f"{row['relative']:.2g}", labels)
        table.add_row(
            *map(Text, (row["variable"], *numbers, *(str(row[k]) for k in ("points", "only_a", "only_b"))))
        )
    OUT.print(f"A: {a}\nB: {b}\n{left['status'].size} common points", highlight=False, markup=False, soft_wrap=True)
    OUT.print(table)
    if picture:
        OUT.print(f"picture: {picture}", highlight=False, soft_wrap=True)


def _both(left: Any, right: Any, names: tuple[str, str], x: str | None, y: str | None, out: Path) -> Path:
    from ..analysis import comparison
    from ..figures import pictures

    words = [name.rstrip("/").rsplit("/", 1)[-1] for name in names]
    ds = comparison.together(left, right, (words[0], words[1]) if words[0] != words[1] else names)
    usual = pictures.defaults(left)
    x, y = x or usual["x"], y or usual["y"]
    return pictures.plot(ds, out, x=x, hue="cube", y=y, at=pictures.first_elsewhere(ds, x, "cube", {}))


@fail_clearly
def export(
    store: StoreArgument,
    to: Annotated[str, typer.Option("--to", help="nc, csv, zarr or parquet.", show_default=False)],
    at: AtOption = None,
    variable: Annotated[
        list[str] | None,
        typer.Option(
            "--variable",
            help="Variable; may be repeated.",
            show_default="all; for tables, those with one number per point",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File.", show_default="next to the cube")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a cube or a part of it as NetCDF, CSV, Zarr or Parquet."""
    from .. import figures
    from ..analysis.exporting import export as write
    from ..figures.pictures import beside
    from .views import open_store

    ds = open_store(store)
    try:
        part = figures.select(ds, parse_at(at))
    except ValueError as error:
        raise ConfigError(str(error).replace("`at`", "`--at`")) from error
    stem = beside(place(store)).with_suffix("")
    suffix = "_part.zarr" if to == "zarr" else f".{to}"
    path = write(part, out or stem.with_name(f"{stem.name}{suffix}"), to, variable or ())
    print_json({"file": str(path)}) if as_json else OUT.print(f"file: {path}", highlight=False, soft_wrap=True)


@fail_clearly
def publish(
    store: StoreArgument,
    out: Annotated[Path | None, typer.Option("--out", help="Archive.", show_default="STORE.zip")] = None,
    author: Annotated[
        list[str] | None,
        typer.Option("--author", help="Author: a name, or 'Name <https://orcid.org/...>'; may be repeated."),
    ] = None,
    license: Annotated[str, typer.Option("--license", help="CC-BY-4.0, CC0-1.0, or an address.")] = "CC-BY-4.0",
    as_json: JsonFlag = False,
) -> None:
    """Pack a cube with RO-Crate metadata into one file, for a repository such as Zenodo."""
    from ..store.crate import publish as pack

    target = place(store)
    path = out or Path(f"{target.path.name if target.is_local else target.url.rsplit('/', 1)[-1]}.zip")
    if out is None and target.is_local:
        path = target.path.with_name(path.name)
    done = pack(target, path, authors=tuple(author or ()), license=license)
    size = done.stat().st_size
    if as_json:
        print_json({"file": str(done), "bytes": size})
        return
    OUT.print(f"file: {done} ({size / 2**20:.3g} MiB)", highlight=False, soft_wrap=True)
    OUT.print(f"-> photogap plot {done}", highlight=False, markup=False, soft_wrap=True)
    if not author:
        OUT.print("-> name the authors with --author before you upload it", highlight=False, markup=False)
