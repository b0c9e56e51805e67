"""Figures of maps over time: populations with the Eliashberg spectrum, and the gap function."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from .selection import caption, present, single
from .spectrum import found
from .style import COLOURS, MAP, ORDERED, PAGE, SIGNED_MAP, line_style, new, points, printed, pulse_over_map, room
from .words import number, symbol, title

_WIDTH = PAGE * 0.8
_NARROW = 4.5
"""Width below which two panels stand one above the other, inches of print with 8 points."""


@printed
def populations(ds: xr.Dataset, alpha2F: xr.DataArray | None = None, floor: float = 1e-4) -> Figure:
    """Figs. 4, 10, 11: f(E, t), and the change of n(omega, t) since the first time, next to alpha2F.

    Args:
        ds: One point of a cube that records energies and frequencies.
        alpha2F: Spectrum over `frequency`; None takes that of the cube's material if its name is known.
        floor: Least f of the colour scale, over the largest; the scale is logarithmic.
    """
    f = single(present(ds, "f", "time", "energy"), ["energy", "time"])
    n = single(present(ds, "n", "time", "frequency"), ["frequency", "time"])
    spectrum = found(ds, alpha2F)
    figure = new(_WIDTH, 4.6)
    axes = figure.subplots(2, 2, width_ratios=[3.2 if room(_WIDTH) > _NARROW else 2.0, 1], sharey="row")
    top = float(f.max())
    _map(figure, axes[0, 0], ds, f, title(f, "$f(E, t)$"), norm=LogNorm(floor * top, top))
    _cuts(axes[0, 1], f, floor * top)
    change = (n - n.isel(time=0)).rename("n").assign_attrs(n.attrs)
    _map(figure, axes[1, 0], ds, change, title(n, r"$n(\omega, t) - n(\omega, t_0)$"), **_colours(change))
    _beside(axes[1, 1], spectrum, change)
    for ax in axes[:, 1]:
        ax.tick_params(labelleft=False)
    figure.suptitle(caption(f))
    return figure


_MOST_LINES = 14


@printed
def gap_evolution(ds: xr.Dataset) -> Figure:
    """Fig. 9: Re Delta(E, t) at successive times, up to the pulse's maximum and after it, coloured by time.

    Args:
        ds: One point of a cube that records energies.
    """
    real = single(present(ds, "Delta_real", "time", "energy"), ["energy", "time"])
    figure, axes = _pair()
    times = real["time"].values
    for ax, chosen, name in zip(
        axes, (np.flatnonzero(times <= 0), np.flatnonzero(times >= 0)), ("before", "after"), strict=True
    ):
        ax.axhline(0, color="#888888", linewidth=points(0.6))
        ax.set(xlabel=title(ds["energy"]), ylabel=title(real), title=f"{name} the maximum of the pulse")
        ax.margins(x=0)
        if not chosen.size:
            ax.set_title(f"{name} the maximum of the pulse: not recorded")
            continue
        norm = Normalize(times[chosen[0]], times[chosen[-1]] if chosen.size > 1 else times[chosen[0]] + 1)
        for i in chosen[_spread(chosen.size)]:
            ax.plot(real["energy"], real.isel(time=i), color=ORDERED(norm(times[i])), linewidth=points(1))
        figure.colorbar(ScalarMappable(norm, ORDERED), ax=ax, label=title(ds["time"]), pad=0.02)
    _outer(axes)
    figure.suptitle(caption(real))
    return figure


def _pair() -> tuple[Figure, Any]:
    """Two panels with one scale, side by side, or one above the other on a narrow figure."""
    narrow = room(_WIDTH) < _NARROW
    figure = new(_WIDTH, 4.6 if narrow else 2.7)
    return figure, np.ravel(figure.subplots(*((2, 1) if narrow else (1, 2)), sharex=True, sharey=True))


def _outer(axes: Any) -> None:
    """Titles of shared axes at the figure's edge only."""
    for ax in axes:
        ax.label_outer()


def _spread(size: int) -> list[int]:
    """Indices of at most `_MOST_LINES` lines, including the first and the last."""
    return sorted({round(x) for x in np.linspace(0, size - 1, min(size, _MOST_LINES)).tolist()})


@printed
def gap_function(ds: xr.Dataset) -> Figure:
    """Real and imaginary part of Delta(E, t) as maps, one colour scale for both.

    Args:
        ds: One point of a cube that records energies.
    """
    parts = [single(present(ds, n, "time", "energy"), ["energy", "time"]) for n in ("Delta_real", "Delta_imag")]
    figure, axes = _pair()
    largest = max(float(abs(part).max()) for part in parts) or 1.0
    for ax, part in zip(axes, parts, strict=True):
        ax.set_title(f"{symbol(part.name)}$(E, t)$")
        mesh = _mesh(ax, ds, part, cmap=SIGNED_MAP, norm=Normalize(-largest, largest))
        ax.set_ylabel(title(ds["energy"]))
    _outer(axes)
    figure.colorbar(mesh, ax=list(axes), label=title(parts[0], r"$\Delta(E, t)$"), pad=0.02)
    figure.suptitle(caption(parts[0]))
    return figure


def _map(figure: Figure, ax: Axes, ds: xr.Dataset, values: xr.DataArray, label: str, **colours: Any) -> None:
    extend = "min" if isinstance(colours.get("norm"), LogNorm) else "neither"
    mesh = _mesh(ax, ds, values, **({"cmap": MAP} | colours))
    ax.set_ylabel(title(values[values.dims[0]]))
    figure.colorbar(mesh, ax=ax, label=label, extend=extend, pad=0.02)


def _mesh(ax: Axes, ds: xr.Dataset, values: xr.DataArray, **colours: Any) -> Any:
    """Cells around each label; values below a logarithmic scale take its lowest colour."""
    down, across = values[values.dims[0]].values, values["time"].values
    low = colours["norm"].vmin if isinstance(colours.get("norm"), LogNorm) else -np.inf
    mesh = ax.pcolormesh(
        across, down, np.maximum(values.values, low), shading="nearest", rasterized=True, **colours
    )
    ax.set_xlabel(title(values["time"]))
    pulse_over_map(ax, ds, "#000000" if colours["cmap"] == SIGNED_MAP else "#FFFFFF")
    return mesh


def _colours(values: xr.DataArray) -> dict[str, Any]:
    """Colour map: sequential from zero if no value is notably negative, else diverging about zero."""
    high, low = float(values.max()), float(values.min())
    largest = max(high, -low) or 1.0
    if low > -0.02 * largest:
        return {"cmap": MAP, "norm": Normalize(0, largest)}
    return {"cmap": SIGNED_MAP, "norm": Normalize(-largest, largest)}


def _cuts(ax: Axes, f: xr.DataArray, low: float) -> None:
    """f over energy at the first time, the pulse's maximum and the last time."""
    times = f["time"].values
    chosen = sorted({0, int(np.argmin(abs(times))), times.size - 1})
    for i, j in enumerate(chosen):
        label = f"{number(round(float(times[j]), 6) + 0.0, digits=1)} {f['time'].attrs.get('units', '')}"
        ax.plot(f.isel(time=j).clip(low / 10), f["energy"], label=label, **line_style(i))
    ax.set_xscale("log")
    ax.set_xlim(left=low)
    ax.set_xlabel("$f(E)$")
    ax.legend(
        fontsize=points(6), handlelength=1.4, loc="upper right", frameon=True, framealpha=0.85, edgecolor="none"
    )


def _beside(ax: Axes, spectrum: xr.DataArray | None, n: xr.DataArray) -> None:
    if spectrum is None:
        ax.set_visible(False)
        return
    ax.fill_betweenx(spectrum["frequency"], 0, spectrum, color=COLOURS[0], alpha=0.25, linewidth=0)
    ax.plot(spectrum, spectrum["frequency"], color=COLOURS[0])
    ax.set_xlim(left=0)
    ax.set_ylim(float(n["frequency"].min()), float(n["frequency"].max()))
    ax.set_xlabel(title(spectrum, r"$\alpha^2F(\omega)$"))
