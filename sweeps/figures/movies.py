"""Movie of one point: f over E, n over omega and Delta over E, as functions of time."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .selection import caption, present, single
from .spectrum import found
from .style import COLOURS, PAGE, RC, new, pulse
from .words import title

Update = Callable[[int], None]


def movie(
    ds: xr.Dataset,
    out: str | Path,
    *,
    alpha2F: xr.DataArray | None = None,
    fps: int = 12,
    dpi: int = 100,
    floor: float = 1e-6,
) -> Path:
    """Write the movie of one point, one frame per recorded time, as GIF, or as MP4 if ffmpeg is available.

    Panels without data in the cube (no energies or no frequencies recorded) are left out.

    Args:
        ds: One point of a cube.
        out: File ending in .gif or .mp4.
        alpha2F: Spectrum over `frequency`, drawn under n; None takes that of the cube's material if known.
        fps: Frames per second.
        dpi: Dots per inch; the movie is 7 inches wide.
        floor: Least f shown.

    Raises:
        ValueError: The ending is another, ffmpeg is missing, or the dataset holds several points.
    """
    path = Path(out)
    _check_ending(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(RC if path.suffix == ".gif" else RC | {"animation.ffmpeg_path": _ffmpeg(path)}):
        writer = _writer(path, fps)
        figure, update, count = _stage(ds, found(ds, alpha2F), floor)
        # A layout computed per frame would make the panels jitter.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        FuncAnimation(figure, update, frames=count, init_func=lambda: None).save(path, writer=writer, dpi=dpi)
    return path


def _check_ending(path: Path) -> None:
    if path.suffix not in (".gif", ".mp4"):
        raise ValueError(f"`out` must end in .gif or .mp4. Got {str(path)!r}.")


def _ffmpeg(path: Path) -> str:
    """The system's ffmpeg, or the one bundled with imageio-ffmpeg."""
    if (found := shutil.which("ffmpeg")) is not None:
        return found
    try:
        import imageio_ffmpeg
    except ImportError:
        raise ValueError(
            "`out` may end in .mp4 only if ffmpeg is available: install the system's, or "
            f"`pip install 'photogap[movie]'`; .gif needs neither. Got {str(path)!r}."
        ) from None
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _writer(path: Path, fps: int) -> AbstractMovieWriter:
    if path.suffix == ".gif":
        return PillowWriter(fps=fps)
    # H.264 in a widely supported pixel format needs even sizes
    return FFMpegWriter(fps=fps, extra_args=["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"])


def _stage(ds: xr.Dataset, spectrum: xr.DataArray | None, floor: float) -> tuple[Figure, Callable[[int], Any], int]:
    """Figure of the first frame, the function that draws another, and the number of frames."""
    panels: list[Callable[[Axes], Update]] = [lambda ax: _trace(ax, ds)]
    if "f" in ds:
        panels.append(lambda ax: _occupation(ax, ds, floor))
    if "n" in ds:
        panels.append(lambda ax: _phonons(ax, ds, spectrum))
    if "Delta_real" in ds:
        panels.append(lambda ax: _gap_function(ax, ds))
    rows = -(-len(panels) // 2)
    figure = new(PAGE, 2.3 * rows + 0.4)
    axes = figure.subplots(rows, 2 if len(panels) > 1 else 1, squeeze=False).ravel()
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    updates = [panel(ax) for panel, ax in zip(panels, axes, strict=False)]
    common, times = caption(ds["Delta0"]), ds["time"]
    unit = times.attrs.get("units", "")
    heading = figure.suptitle(f"{common}\nt = {float(times[0]):+.3f} {unit}")
    common = heading.get_text().rpartition("\n")[0]

    def update(frame: int) -> None:
        heading.set_text(f"{common}\nt = {float(times[frame]):+.3f} {unit}")
        for each in updates:
            each(frame)

    return figure, update, times.size


def _trace(ax: Axes, ds: xr.Dataset) -> Update:
    Delta0 = single(present(ds, "Delta0", "time"), ["time"])
    pulse(ax, ds)
    ax.plot(Delta0["time"], Delta0, color=COLOURS[0])
    (dot,) = ax.plot([], [], "o", color=COLOURS[1], markersize=5)
    ax.set(xlabel=title(Delta0["time"]), ylabel=title(Delta0))
    ax.margins(x=0.02)

    def update(frame: int) -> None:
        dot.set_data([float(Delta0["time"][frame])], [float(Delta0[frame])])

    return update


def _occupation(ax: Axes, ds: xr.Dataset, floor: float) -> Update:
    f = single(present(ds, "f", "time", "energy"), ["time", "energy"]).clip(floor)
    ax.set_yscale("log")
    ax.set(ylim=(floor, 1.5 * float(f.max())), xlabel=title(f["energy"]), ylabel="$f(E)$")
    return _moving(ax, [(f, "$t$")])


def _phonons(ax: Axes, ds: xr.Dataset, spectrum: xr.DataArray | None) -> Update:
    n = single(present(ds, "n", "time", "frequency"), ["time", "frequency"])
    change = n - n.isel(time=0)
    _limits(ax, change)
    ax.set(xlabel=title(n["frequency"]), ylabel=r"$n(\omega) - n(\omega, t_0)$")
    if spectrum is not None:
        below = ax.twinx()
        below.fill_between(spectrum["frequency"], 0, spectrum, color="#BBBBBB", alpha=0.6, linewidth=0)
        below.set_ylim(0, 2.5 * float(spectrum.max()))
        below.set_ylabel(r"$\alpha^2F(\omega)$", color="#666666")
        below.tick_params(axis="y", colors="#666666")
        ax.set_zorder(below.get_zorder() + 1)
        ax.patch.set_visible(False)
    return _moving(ax, [(change, "$t$")])


def _gap_function(ax: Axes, ds: xr.Dataset) -> Update:
    real, imag = (
        single(present(ds, k, "time", "energy"), ["time", "energy"]) for k in ("Delta_real", "Delta_imag")
    )
    _limits(ax, real, imag)
    ax.axhline(0, color="#888888", linewidth=0.6)
    ax.set(xlabel=title(real["energy"]), ylabel=title(real, r"$\Delta(E)$"))
    update = _moving(ax, [(real, "Re"), (imag, "Im")])
    ax.legend(loc="upper right")
    return update


def _limits(ax: Axes, *values: xr.DataArray) -> None:
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    margin = 0.06 * (high - low) or 1.0
    ax.set_ylim(low - margin, high + margin)


def _moving(ax: Axes, series: list[tuple[xr.DataArray, str]]) -> Update:
    """Lines over the second dim at one time; under a single line the first time is kept in grey."""
    x = series[0][0][series[0][0].dims[1]]
    ax.set_xlim(float(x.min()), float(x.max()))
    if len(series) == 1:
        ax.plot(x, series[0][0].isel(time=0), color="#888888", linestyle=":", linewidth=1)
    drawn = [
        (ax.plot(x, values.isel(time=0), color=COLOURS[i], linestyle=("-", "--")[i], label=label)[0], values.values)
        for i, (values, label) in enumerate(series)
    ]

    def update(frame: int) -> None:
        for line, values in drawn:
            line.set_ydata(np.asarray(values[frame]))

    return update
