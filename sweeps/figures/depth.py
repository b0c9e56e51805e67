"""Fig. 7: penetration depth of a probe after the pulse, relative to the pump in equilibrium."""

import xarray as xr
from matplotlib.figure import Figure

from ...core.material import Material
from ...core.optics.film import penetration_depth, refractive_index
from ..materials.library import load
from .families import family
from .selection import caption, present
from .style import COLUMN, new, printed, pulse
from .words import title


def pump_depth(film: Material, omega: float) -> float:
    """Penetration depth of a pump of photon energy omega (meV) in the normal state, nm."""
    return float(penetration_depth(refractive_index(1 / film.rho_N, omega, film.eps_infinity), omega))


@printed
def depth_difference(ds: xr.Dataset, material: Material | None = None) -> Figure:
    """Figs. 7a and 7b: depth of the probe minus that of the pump in equilibrium, one line per combination of axes.

    Args:
        ds: A cube with a probe, or part of one, of one material and one photon energy of the pump.
        material: The material itself; None takes the packaged material of the cube's label.

    Raises:
        ValueError: There are several materials or pumps, or no probe.
    """
    depths = present(ds, "penetration_depth", "time")
    several = [name for name in ("material", "omega_pump") if ds[name].size != 1]
    if several:
        raise ValueError(
            f"the figure shows one {several[0]}: select it with `at`. Got {ds[several[0]].values.tolist()}."
        )
    film = load(str(ds["material"].values.item())) if material is None else material
    away = (depths - pump_depth(film, ds["omega_pump"].item())).rename("depth").assign_attrs(units="nm")
    figure = new(COLUMN, 2.6)
    ax = figure.subplots()
    pulse(ax, ds)
    found = family(away, ["time"])
    for label, line, style in found:
        ax.plot(line["time"], line, label=label, **style)
    ax.set(xlabel=title(ds["time"]), ylabel=r"$\delta_\mathrm{probe}(t) - \delta_\mathrm{pump}$ (nm)")
    figure.suptitle(caption(away))
    ax.margins(x=0)
    found.key(figure, ax)
    return figure
