"""Pictures of a cube: curves against an axis, maps over two."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.patches import Patch

from ...core.declaration import nearest
from ..analysis.labels import geometric
from ..analysis.uncertain import error_of
from ..ask.axes import OWN
from ..ask.selector import positions
from ..errors import ConfigError
from ..status import Status
from ..store.place import Place
from ..text import suggest
from .canvas import Canvas, legend_of, origin
from .families import family, spread, uncertain
from .selection import caption
from .style import FAILED, MAP, PAGE, new, points, printed, pulse, room, styled
from .tiles import tiles
from .words import along, axis_title, in_percent, symbol, tick, title

_HUES, _FEW = 40, 12
"""Largest number of lines along an axis of numbers, which colours order, and along any other."""
_TICKS = 6
_WIDTH = 4.6


def reduced(ds: xr.Dataset, y: str, keep: Collection[str] = (), option: str = "--y") -> xr.DataArray:
    """A variable with one number per point: its largest value over its own dims, except those to keep."""
    numeric = [str(name) for name, v in ds.data_vars.items() if v.dtype.kind in "fiu"]
    if y not in numeric:
        rule = "a numeric variable" if y in ds.data_vars else "a variable of the cube"
        raise ConfigError(f"`{option}` must be {rule}.{suggest(y, numeric)} Got {y!r}.")
    own = [dim for dim in ds[y].dims if dim in OWN and dim not in keep]
    return ds[y].max(own, keep_attrs=True) if own else ds[y]


def _refuse_nothing(ds: xr.Dataset, values: xr.DataArray) -> None:
    if bool(values.notnull().any()):
        return
    kinds, counts = (
        np.unique(ds["status"].values.astype(object), return_counts=True) if "status" in ds else ((), ())
    )
    points = ", ".join(f"{n} {kind}" for kind, n in zip(kinds, counts, strict=True))
    raise ConfigError(
        f"there is nothing to draw: {values.name} has no value there. "
        f"Points of the cube: {points or 'none ok'}; `photogap status` shows why points failed."
    )


def select(values: xr.DataArray, at: dict[str, Any], keep: list[str]) -> xr.DataArray:
    """Part of the cube at given labels, `30,60` for several of one axis; other dims of length one are dropped.

    Raises:
        ConfigError: A name or label is not in the cube, or a dim remains.
    """
    for name, wanted in at.items():
        along = _dim(values, name, "--at")
        found = positions(values[name].values.tolist(), wanted, name, "--at")
        if along in keep and isinstance(found, int):
            raise ConfigError(
                f"`--at {name}` fixes an axis of the picture. Leave it out, or give several labels, such as "
                f"{name}={','.join(_text(v) for v in values[name].values[:2])}. Got {wanted!r}."
            )
        values = values.isel({along: found})
    for dim in list(values.dims):
        if dim in keep:
            continue
        if values.sizes[dim] > 1:
            labels = ", ".join(_text(v) for v in values[dim].values[:12])
            raise ConfigError(f"`--at {dim}=VALUE` or `--hue {dim}` is needed: the cube has {dim} = {labels}.")
        values = values.isel({dim: 0})
    return values


def _dim(values: xr.DataArray, name: str, option: str) -> str:
    if name not in values.coords:
        raise ConfigError(
            f"`{option}` must name an axis: {', '.join(map(str, values.coords))}.{nearest(name, values.coords)} "
            f"Got {name!r}."
        )
    dims = values[name].dims
    if not dims:
        raise ConfigError(
            f"`{option}` must name an axis that is not fixed yet. Got {name!r}, which is given twice."
        )
    return str(dims[0])


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def curves(ds: xr.Dataset, x: str, hue: str | None, y: str, at: dict[str, Any]) -> xr.DataArray:
    """Values of a picture, dims (hue, x) or (x)."""
    values = reduced(ds, y, {x, *at} | ({hue} if hue else set()))
    dim = _dim(values, x, "--x")
    values = values.isel(
        {d: 0 for d in values.dims if values.sizes[d] == 1 and d != dim and d not in at and d != hue}
    )
    if hue is None:
        left = [str(d) for d in values.dims if d != dim and d not in at and values.sizes[d] > 1]
        hue = left[0] if len(left) == 1 else None
    along = _dim(values, hue, "--hue") if hue else None
    if along == dim:
        raise ConfigError(f"`--hue` must differ from `--x`. Got {hue!r}.")
    chosen = select(values, at, [dim, *([along] if along else [])])
    return (
        chosen.transpose(*([along] if along else []), dim).assign_attrs(ds[y].attrs | {"hue": hue or ""}).sortby(x)
    )


def first_elsewhere(ds: xr.Dataset, x: str, hue: str | None, at: dict[str, Any]) -> dict[str, Any]:
    """`at`, completed by the first label of each remaining axis."""
    said = {_dim(ds["status"], name, "plot") for name in (x, hue, *at) if name and name not in OWN}
    several = [str(d) for d in ds["status"].dims if d not in said and ds.sizes[d] > 1]
    if hue is None and several:
        several = several[1:]
    return {d: ds[d].values[0] for d in several} | at


def defaults(ds: xr.Dataset) -> dict[str, Any]:
    """Default quantities of a picture: the variable `y`, and the axis `x`.

    The axis is F0 if it has several values, else the next axis with several, else time.
    """
    outputs = [str(name) for name, v in ds.data_vars.items() if v.dtype.kind == "f" and set(v.dims) & set(OWN)]
    y = "Delta0" if "Delta0" in ds or not outputs else outputs[0]
    several = [str(d) for d in ("F0", *ds["status"].dims) if ds.sizes[d] > 1]
    return {"x": several[0] if several else "time" if "time" in ds[y].dims else "F0", "y": y}


def plot(
    ds: xr.Dataset,
    out: Path,
    *,
    x: str = "F0",
    hue: str | None = None,
    y: str = "Delta0",
    at: dict[str, Any] | None = None,
    style: str = "screen",
    columns: int = 0,
) -> Path:
    """Draw a variable against time, or its largest value against an axis; one line per value of another."""
    at = at or {}
    values = curves(ds, x, hue, y, at)
    _refuse_nothing(ds, values)
    with styled(style, columns):
        figure = _figure(ds, values, x, at)
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, dpi=figure.print_dpi)
    return out


@printed
def _figure(ds: xr.Dataset, values: xr.DataArray, x: str, at: dict[str, Any]) -> Canvas:
    """Lines over x, one for each value of the axis that gives the hue."""
    hue = str(values.attrs["hue"]) or None
    y = str(values.name)
    along_x, along_hue = str(values[x].dims[0]), str(values[hue].dims[0]) if hue else None
    drawn = (
        in_percent(spread(values, along_hue, _HUES if _in_order(values[hue]) else _FEW))
        if along_hue and hue
        else (in_percent(values))
    )
    figure = new(_WIDTH, 3.2)
    figure.origin |= origin(ds)
    ax = figure.subplots()
    ax.grid(alpha=0.3, linewidth=points(0.5))
    if x == "time":
        pulse(ax, ds)
    labels = values[x].values
    words = labels.dtype.kind not in "fiu"
    # An infinite escape time cannot be placed on a numeric axis.
    shown = np.ones(len(labels), bool) if words else np.isfinite(labels.astype(float))
    where = np.arange(len(labels)) if words else labels.astype(float)[shown]
    found = family(drawn, [along_x])
    joined = _is_sparse(ds)
    for i, (label, line, look) in enumerate(found):
        marker = None if x in OWN else found.marker(i)
        drawn_at = ~np.isnan(line.values[shown]) if joined else slice(None)
        ax.plot(where[drawn_at], line.values[shown][drawn_at], label=label, marker=marker, **look)
        line = line.isel({along_x: shown})
        uncertain(ax, line, where, line.values, error_of(ds, y, line), look)
    if words or len(along(values[x])) > 1:
        _label_ticks(ax, values[x], where, shown)
    if not words and geometric(np.asarray(where)):
        ax.set_xscale("log")
    over = [d for d in ds[y].dims if d in OWN and d not in (x, hue, *at)]
    what = f"largest {symbol(y)} over {' and '.join(map(str, over))}" if over else None
    ax.set(xlabel=axis_title(values[x]), ylabel=title(drawn, what))
    figure.suptitle(caption(values.drop_vars([n for n in (x, hue) if n])))
    total = values.sizes[along_hue] if along_hue else 1
    found.key(figure, ax)
    if len(found.members) < total:
        figure.suptitle(f"{caption(values)}\n{len(found.members)} of {total} lines".strip())
    return figure


def _is_sparse(ds: xr.Dataset) -> bool:
    """Whether points are missing and none failed: lines run through to the next point, as in a traced cube."""
    return "status" in ds and {str(s) for s in ds["status"].values.flat} - {str(Status.OK)} == {str(Status.MISSING)}


def _in_order(labels: xr.DataArray) -> bool:
    return labels.dtype.kind in "fiu"


def _label_ticks(ax: Any, labels: xr.DataArray, where: Any, shown: Any) -> None:
    """Draw ticks at all or some labels, each with the labels zipped with it."""
    places = np.flatnonzero(shown)
    some = range(0, len(where), max(1, -(-len(where) // _TICKS)))
    ax.set_xticks([float(where[i]) for i in some], [tick(labels, int(places[i])) for i in some])
    ax.minorticks_off()


def table(ds: xr.Dataset, x: str, hue: str | None, y: str, at: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the numbers behind a picture; quantities zipped with an axis have columns of their own."""
    values = curves(ds, x, hue, y, at)
    hue = str(values.attrs["hue"]) or None
    what = f"{y} ({ds[y].attrs.get('units', '1')})"
    names = [f"{what} at {typed(values[hue], i)}" for i in range(values[hue].size)] if hue else [what]
    head = [*(f"{c.name} ({c.attrs['units']})" if "units" in c.attrs else str(c.name) for c in along(values[x]))]
    rows = values.values.reshape(-1, values.sizes[values[x].dims[0]])
    labels = zip(*(c.values for c in along(values[x])), strict=True)
    body = [[*map(_text, each), *(_cell(v) for v in column)] for each, column in zip(labels, rows.T, strict=True)]
    return [*head, *names], body


def typed(labels: xr.DataArray, i: int) -> str:
    """The i-th label of an axis and those zipped with it, as one types them: `omega_pump = 170 meV, T = 30 K`."""
    parts = [
        f"{c.name} = {_text(c.values[i])} {str(c.attrs.get('units', '1')).removeprefix('1')}" for c in along(labels)
    ]
    return ", ".join(part.rstrip() for part in parts)


def _cell(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.4g}"


def maps(ds: xr.Dataset, x: str, y: str, variable: str, at: dict[str, Any]) -> tuple[xr.DataArray, xr.DataArray]:
    """Status and a variable's largest value over two axes, dims (y, x)."""
    values = reduced(ds, variable, option="--variable")
    across, down = _dim(values, x, "--x"), _dim(values, y, "--y")
    if across == down:
        raise ConfigError(f"`--y` must differ from `--x`. Got {y!r}.")
    keep = [across, down]
    return (
        select(ds["status"], at, keep).transpose(down, across).sortby(keep),
        select(values, at, keep).transpose(down, across).sortby(keep).assign_attrs(ds[variable].attrs),
    )


def draw_maps(
    status: xr.DataArray, values: xr.DataArray, out: Path, *, style: str = "screen", columns: int = 0
) -> Path:
    """Picture of both maps side by side."""
    with styled(style, columns):
        figure = _maps(status, values)
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, dpi=figure.print_dpi)
    return out


@printed
def _maps(status: xr.DataArray, values: xr.DataArray) -> Canvas:
    from matplotlib.colors import BoundaryNorm, ListedColormap

    kinds = sorted(
        {str(s) for s in status.values.ravel()} | {str(Status.OK), str(Status.MISSING)},
        key=lambda s: (s != Status.OK, s != Status.MISSING, s),
    )
    codes = status.copy(data=np.vectorize(lambda s: kinds.index(str(s)))(status.values).astype(float))
    narrow = room(PAGE) < 2 * 2.8
    figure = new(PAGE, 5.2 if narrow else 2.9)
    left, right = np.ravel(figure.subplots(*((2, 1) if narrow else (1, 2))))
    colours = ["#009E73", FAILED, *(["#D55E00", "#CC79A7", "#E69F00", "#000000"] * 3)][: len(kinds)]
    tiles(left, codes, cmap=ListedColormap(colours), norm=BoundaryNorm(np.arange(-0.5, len(kinds)), len(kinds)))
    legend_of(
        figure,
        [Patch(facecolor=colour) for colour in colours],
        [kind.replace("_", " ") for kind in kinds],
        "status",
    )
    shown = in_percent(values)
    mesh = tiles(right, shown, cmap=MAP)
    figure.colorbar(mesh, ax=right, label=title(shown), pad=0.02)
    left.set_title("status")
    right.set_title("largest value")
    figure.suptitle(caption(values))
    return figure


def beside(target: Place) -> Path:
    """Path of a run's picture: next to a local cube, else in the working folder."""
    name = target.url.rstrip("/").rsplit("/", 1)[-1].removesuffix(".zip").removesuffix(".zarr")
    return (target.path.parent if target.is_local else Path()) / f"{name}.png"
