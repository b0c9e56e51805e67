"""Picture of a screening: gaps of the best materials against fluence, and their ranks under the variations."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ...core.pairing.allen_dynes import weak_coupling_gap
from ..figures.style import FAILED, PAGE, new, printed
from .cases import Case
from .ranking import Ranking, gaps

MOST = 20
"""Materials in the picture."""


@printed
def ranked_gaps(ds: xr.Dataset, ranking: Ranking, base: Sequence[Case]) -> Figure:
    """Colour map of the photo-induced gap over material and fluence, with bars for ranks."""
    rows = [row for row in ranking.rows if row.relative > 0][:MOST] or list(ranking.rows[:MOST])
    F0 = np.atleast_1d(ds["F0"].values)
    shown = np.array([_best(ds, [c for c in base if c.candidate.name == row.material]) for row in rows])
    figure = new(PAGE, 1.3 + 0.22 * len(rows))
    ax, ranks = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": [3, 1]})
    image = ax.imshow(np.ma.masked_invalid(shown), aspect="auto", cmap="magma", vmin=0)
    ax.set_facecolor(FAILED)
    if np.isnan(shown).any():
        ranks.legend(handles=[Patch(facecolor=FAILED, label="failed")], loc="lower right")
    ax.set_yticks(range(len(rows)), [f"{row.rank}  {row.material}  ({row.omega_pump:.3g} meV)" for row in rows])
    ax.set_xticks(range(F0.size), [f"{x:g}" for x in F0])
    ax.set_xlabel("Fluence (mJ/cm²)")
    figure.colorbar(image, ax=ax, label=r"$\Delta_0\,/\,1.764\,k_\mathrm{B}T_{c0}$")
    for i, row in enumerate(rows):
        if row.lowest:
            ranks.plot([row.highest, row.lowest], [i, i], color="0.4", lw=2)
            ranks.plot(row.rank, i, "o", color="black", ms=3)
    ranks.xaxis.set_major_locator(MaxNLocator(integer=True))
    ranks.set_xlabel("Rank under variations")
    return figure


def _best(ds: xr.Dataset, cases: Sequence[Case]) -> np.ndarray:
    """Relative gap of a material against fluence, at the photon energy with the largest gap."""
    found = [gaps(ds, case)[0] / weak_coupling_gap(case.Tc0) for case in cases]
    out: np.ndarray = max(found, key=lambda v: np.nanmax(v, initial=0.0))
    return out
