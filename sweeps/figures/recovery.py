"""Recovery of a film's transmission against temperature, and the share of the energy in its quasiparticles."""

import xarray as xr
from matplotlib.figure import Figure

from ..analysis.escape import EARLY, escape_balance, film_recovery
from .families import family
from .selection import caption, present
from .style import COLUMN, new, plain_decade, printed
from .words import title


@printed
def recovery_time(ds: xr.Dataset) -> Figure:
    """Recovery time of dT/T0 (above), and dU_qp / dU_ph (below), against the bath temperature.

    Below the dashed line phonons hold most of the energy and the film waits for their escape (a bottleneck); above
    it the film waits for recombination.

    Args:
        ds: A cube with a transmission and the axes T and tau_esc; a line per combination of the other axes.
    """
    values = present(ds, "dT_T0", "T", "time")
    start = min(EARLY, 0.5 * float(ds["time"][-1]))
    share = escape_balance(ds, "dT_T0", start=start)["share"]
    figure = new(COLUMN, 4.2)
    above, below = figure.subplots(2, 1, sharex=True)
    times, shares = family(film_recovery(ds, start), ["T"]), family(share.where(share > 0), ["T"])
    for i, (label, line, style) in enumerate(times):
        above.plot(line["T"], line, label=label, marker=times.marker(i), markersize=3, **style)
    for i, (_, line, style) in enumerate(shares):
        below.plot(line["T"], line, marker=times.marker(i), markersize=3, **style)
    below.axhline(1.0, color="#888888", linestyle="--", linewidth=0.8)
    above.set(ylabel="Recovery time (ps)", yscale="log")
    plain_decade(above)
    below.set(xlabel=title(ds["T"]), ylabel=r"$\Delta U_\mathrm{qp} / \Delta U_\mathrm{ph}$", yscale="log")
    figure.suptitle(caption(values.isel(time=0, drop=True)))
    times.key(figure, above)
    return figure
