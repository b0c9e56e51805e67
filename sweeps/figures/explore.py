"""Sliders over every axis of a cube, for a notebook (needs ipywidgets)."""

import base64
import io
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from ..ask.axes import OWN
from .curves import gap_traces
from .phase import phase_diagram
from .style import COLUMN, new
from .words import number, symbol, unit


def explore(ds: xr.Dataset, x: str = "F0", y: str = "tau_esc", variable: str = "Delta0") -> Any:
    """Widget with one slider per axis, the series of the chosen point, and the plane (x, y) through it.

    Where no Python runs behind the notebook (a web page, a PDF), it is the picture of the sliders' last position.

    Args:
        ds: A cube.
        x: Horizontal axis of the plane.
        y: Vertical axis.
        variable: A series.

    Raises:
        ImportError: ipywidgets is not installed.
    """
    import ipywidgets

    axes = [str(d) for d in ds[variable].dims if d not in OWN and ds.sizes[d] > 1]
    sliders = {
        name: ipywidgets.SelectionSlider(
            options=[(number(label), i) for i, label in enumerate(ds[name].values.tolist())],
            description=f"{name} {unit(ds[name])}".strip(),
            style={"description_width": "initial"},
            continuous_update=False,
        )
        for name in axes
    }
    shown = [ipywidgets.Image(format="png"), ipywidgets.Image(format="png")]

    def redraw(_: Any = None) -> None:
        at = {name: slider.value for name, slider in sliders.items()}
        for image, figure in zip(shown, pictures(ds, at, x, y, variable), strict=False):
            image.value = _png(figure)

    class Explorer(ipywidgets.VBox):  # type: ignore[misc]
        """The sliders and pictures; the last picture stands for them on a page without Python."""

        def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
            drawn = [image.value for image in shown if image.value]
            bundle: dict[str, Any] = super()._repr_mimebundle_(**options)
            return bundle | {"image/png": base64.b64encode(drawn[-1]).decode()}

    for slider in sliders.values():
        slider.observe(redraw, names="value")
    redraw()
    return Explorer([*sliders.values(), ipywidgets.HBox(shown)])


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()


def pictures(ds: xr.Dataset, at: dict[str, int], x: str, y: str, variable: str) -> list[Figure]:
    """Picture of `explore` for positions on the axes: the series, and the plane with the point marked."""
    point = ds.isel(at)
    if not bool(point[variable].notnull().any()):
        figure = new(COLUMN, 2.6)
        figure.text(0.5, 0.5, "no value here: the point failed or is missing", ha="center", fontsize=8)
        return [figure]
    drawn = [gap_traces(point, variable)]
    if {x, y} <= at.keys():
        plane = ds.isel({name: i for name, i in at.items() if name not in (x, y)})
        plot = phase_diagram(plane, x, y, variable)
        here = ", ".join(f"{symbol(n)} = {number(ds[n].values[at[n]])} {unit(ds[n])}".rstrip() for n in (x, y))
        plot.suptitle(f"sliders at {here}")
        drawn.append(plot)
    return drawn
