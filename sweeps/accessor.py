"""The analysis of a cube as methods of its dataset: `ds.gap.peak()`, `ds.gap.saturation()`, `ds.gap.plot("fig8")`.

`photogap.open` and `photogap.run` register it; for a cube from a plain `xr.open_zarr`, import this module.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import xarray as xr

from . import analysis

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@xr.register_dataset_accessor("gap")  # type: ignore[no-untyped-call]
class Gap:
    """Analysis of a cube; each method is a function of `photogap.analysis` under a shorter name.

    >>> import xarray as xr
    >>> import photogap.sweeps.accessor
    >>> cube = xr.Dataset(
    ...     {"Delta0": (("F0", "time"), [[0.0, 0.1], [0.0, 1.0], [0.0, 1.01]], {"units": "meV"})},
    ...     {"F0": ("F0", [0.1, 1.0, 5.0], {"units": "mJ cm^-2"})},
    ... )
    >>> cube.gap.peak().values
    array([0.1 , 1.  , 1.01])
    >>> cube.gap
    <gap of a cube: peak, duration, threshold, saturation, resonance, existence, recovery, failures, plot>
    """

    def __init__(self, ds: xr.Dataset) -> None:
        self._ds = ds

    def __repr__(self) -> str:
        return f"<gap of a cube: {', '.join(n for n in vars(type(self)) if not n.startswith('_'))}>"

    def peak(self, variable: str = "Delta0") -> xr.DataArray:
        """Largest value over time (`analysis.peak_gap`)."""
        return analysis.peak_gap(self._ds, variable)

    def duration(self, threshold: float, variable: str = "Delta0") -> xr.Dataset:
        """Time above a threshold, and whether it outlasts the record (`analysis.time_above`)."""
        return analysis.time_above(self._ds, threshold, variable)

    def threshold(self, threshold: float, variable: str = "Delta0") -> xr.Dataset:
        """Least fluence at which the peak exceeds a threshold (`analysis.threshold_fluence`)."""
        return analysis.threshold_fluence(self._ds, threshold, variable)

    def saturation(self, fraction: float = 0.95, variable: str = "Delta0") -> xr.Dataset:
        """Least fluence at which the peak reaches a fraction of its maximum (`analysis.saturation_fluence`)."""
        return analysis.saturation_fluence(self._ds, fraction, variable)

    def resonance(self, dim: str = "omega_pump", variable: str = "Delta0") -> xr.Dataset:
        """Label of an axis at which the peak is largest (`analysis.resonance`)."""
        return analysis.resonance(analysis.peak_gap(self._ds, variable), dim)

    def existence(self, x: str, y: str, threshold: float = 0.0, variable: str = "Delta0") -> xr.Dataset:
        """Border over two axes between points with a gap and points without (`analysis.existence`)."""
        return analysis.existence(analysis.peak_gap(self._ds, variable), x, y, threshold)

    def recovery(self, variable: str = "Delta0", *, exponentials: int = 1, offset: str = "free") -> xr.Dataset:
        """Recovery times of a series (`analysis.recovery_times`)."""
        return analysis.recovery_times(self._ds, variable, exponentials=exponentials, offset=offset)

    def failures(self, dim: str | None = None) -> xr.DataArray:
        """Number of points by status (`analysis.failures`)."""
        return analysis.failures(self._ds, dim)

    def plot(self, figure: str, at: Mapping[str, Any] | None = None, **options: Any) -> "Figure":
        """One of the figures of `photogap.figures.FIGURES`, at given labels (`figures.draw`)."""
        from . import figures

        return figures.draw(self._ds, figure, at, **options)
