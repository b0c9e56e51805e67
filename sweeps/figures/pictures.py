"""Pictures of a cube: curves against an axis, maps over two."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ...core.units import printed
from ..analysis.labels import geometric
from ..ask.axes import OWN
from ..ask.labels import positions
from ..errors import ConfigError
from ..status import Status
from ..store.place import Place
from ..text import suggest
from .selection import caption
from .style import FAILED, MAP, MARKERS, line_style, symbol

_HUES = 12
_INSIDE = 5
"""Largest number of lines whose legend fits inside the picture."""


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
        raise ConfigError(f"`{option}` must name an axis: {', '.join(map(str, values.coords))}. Got {name!r}.")
    dims = values[name].dims
    if not dims:
        raise ConfigError(
            f"`{option}` must name an axis that is not fixed yet. Got {name!r}, which is given twice."
        )
    return str(dims[0])


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _title(name: str, attrs: dict[str, Any]) -> str:
    units = printed(str(attrs.get("units", "1")))
    return f"{symbol(name)}{f' ({units})' if units else ''}"


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


def plot(
    ds: xr.Dataset,
    out: Path,
    *,
    x: str = "F0",
    hue: str | None = None,
    y: str = "Delta0",
    at: dict[str, Any] | None = None,
) -> Path:
    """Draw a variable against time, or its largest value against an axis; one line per value of another."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    at = at or {}
    values = curves(ds, x, hue, y, at)
    _refuse_nothing(ds, values)
    hue = str(values.attrs["hue"]) or None
    labels = values[x].values
    words = labels.dtype.kind not in "fiu"
    figure = Figure(figsize=(6.4, 4.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    # An infinite escape time cannot be placed on a numeric axis.
    shown = np.ones(len(labels), bool) if words else np.isfinite(labels.astype(float))
    where = np.arange(len(labels)) if words else labels.astype(float)[shown]
    rows = values.values[..., shown].reshape(-1, int(shown.sum()))
    names = [_text(v) for v in np.atleast_1d(values[hue].values)] if hue else [""]
    drawn = np.unique(np.linspace(0, len(rows) - 1, min(_HUES, len(rows))).round().astype(int))
    for i, j in enumerate(drawn):
        ax.plot(
            where,
            rows[j],
            **line_style(i),
            marker=MARKERS[i % len(MARKERS)] if x not in OWN else None,
            markersize=5,
            linewidth=1.8,
            label=names[j],
        )
    if words:
        ax.set_xticks(where, [_text(v) for v in labels])
    elif geometric(np.asarray(where)):
        ax.set_xscale("log")
    over = [d for d in ds[y].dims if d in OWN and d not in (x, hue, *at)]
    what = f"max over {' and '.join(map(str, over))} of " if over else ""
    ax.set_xlabel(_title(x, ds[x].attrs), fontsize=12)
    ax.set_ylabel(what + _title(y, ds[y].attrs), fontsize=12)
    ax.tick_params(labelsize=11)
    ax.grid(alpha=0.3)
    ax.set_title(caption(values.drop_vars([n for n in (x, hue) if n]), width=72), fontsize=10)
    if hue:
        some = f",\n{len(drawn)} of {len(rows)}" if len(drawn) < len(rows) else ""
        heading = _title(hue, ds[hue].attrs) + some
        if len(drawn) > _INSIDE:
            figure.legend(title=heading, fontsize=9, title_fontsize=9, loc="outside right upper")
        else:
            ax.legend(title=heading, fontsize=10, title_fontsize=10)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)
    return out


def table(ds: xr.Dataset, x: str, hue: str | None, y: str, at: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the numbers in a picture."""
    values = curves(ds, x, hue, y, at)
    hue = str(values.attrs["hue"]) or None
    what = f"{y} ({ds[y].attrs.get('units', '1')})"
    labels = np.atleast_1d(values[hue].values).tolist() if hue else []
    unit = str(ds[hue].attrs.get("units", "1")).removeprefix("1") if hue else ""
    head = [
        f"{x} ({ds[x].attrs['units']})" if "units" in ds[x].attrs else x,
        *([f"{what} at {hue} = {_text(label)} {unit}".rstrip() for label in labels] or [what]),
    ]
    rows = values.values.reshape(-1, values.sizes[values[x].dims[0]])
    body = [
        [_text(label), *(_cell(v) for v in column)] for label, column in zip(values[x].values, rows.T, strict=True)
    ]
    return head, body


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


def draw_maps(status: xr.DataArray, values: xr.DataArray, out: Path) -> Path:
    """Picture of both maps side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.figure import Figure

    kinds = sorted(
        {str(s) for s in status.values.ravel()} | {str(Status.OK), str(Status.MISSING)},
        key=lambda s: (s != Status.OK, s != Status.MISSING, s),
    )
    codes = np.vectorize(lambda s: kinds.index(str(s)))(status.values)
    figure = Figure(figsize=(10, 4.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    colours = ["#009E73", FAILED, *(["#D55E00", "#CC79A7", "#E69F00", "#000000"] * 3)]
    painted = left.imshow(
        codes,
        cmap=ListedColormap(colours[: len(kinds)]),
        aspect="auto",
        origin="lower",
        norm=BoundaryNorm(np.arange(-0.5, len(kinds)), len(kinds)),
    )
    figure.colorbar(painted, ax=left, ticks=range(len(kinds))).ax.set_yticklabels(kinds)
    image = right.imshow(values.values.astype(float), cmap=MAP, aspect="auto", origin="lower")
    figure.colorbar(image, ax=right, label=_title(str(values.name), values.attrs))
    for ax, title in ((left, "status"), (right, "largest value")):
        y, x = (str(d) for d in values.dims)
        ax.set_xticks(*_ticks(values[x].values))
        ax.set_yticks(*_ticks(values[y].values))
        ax.set_xlabel(_title(x, values[x].attrs))
        ax.set_ylabel(_title(y, values[y].attrs))
        ax.set_title(title)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)
    return out


def _ticks(labels: Any) -> tuple[list[int], list[str]]:
    step = max(1, -(-len(labels) // 6))
    where = list(range(0, len(labels), step))
    return where, [f"{labels[i]:.2g}" if isinstance(labels[i], float) else str(labels[i]) for i in where]


def beside(target: Place) -> Path:
    """Path of a run's picture: next to a local cube, else in the working folder."""
    name = target.url.rstrip("/").rsplit("/", 1)[-1].removesuffix(".zarr")
    return (target.path.parent if target.is_local else Path()) / f"{name}.png"
