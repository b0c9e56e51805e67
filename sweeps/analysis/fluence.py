"""Special values of an axis: saturation and threshold in F0, resonance in omega_pump."""

import numpy as np
import xarray as xr

from .gap import peak_gap
from .labels import Array, Found, along, described, name_of, need, numbered, one_of, units_of

_NUMBERS = ("value", "low", "high", "outcome")


def saturation_fluence(ds: xr.Dataset, fraction: float = 0.95, variable: str = "Delta0") -> xr.Dataset:
    """Least fluence at which the peak gap reaches a fraction of its maximum over F0.

    The maximum is that on the grid, so the interval contains the answer if the grid resolves the maximum. A gap
    that reaches the fraction only at the last fluence has not been seen to saturate.

    Args:
        ds: A cube with an axis F0.
        fraction: Between 0 and 1.
        variable: Series, or its peak.

    Returns:
        `F0_saturation`, interpolated in ln F0; `F0_low` and `F0_high`, the neighbouring points of the grid that
        bracket it (0 or infinity where the grid ends); `largest`, the maximum over F0; `outcome`.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"`fraction` must be between 0 and 1. Got {fraction!r}.")
    peak = peak_gap(ds, variable)
    need(peak, "ds", "F0")

    def find(y: Array, x: Array) -> Array:
        x, y = _valid(x, y)
        if x.size < 2 or not y.max() > 0:
            return np.array([np.nan, np.nan, np.nan, Found.NO_DATA, y.max() if y.size else np.nan])
        level = fraction * y.max()
        found = _crossing(x, y, y >= level, level)
        if y[-1] >= level and not (y[:-1] >= level).any():
            found = (np.nan, x[-2], np.inf, Found.ABOVE_RANGE)
        return np.array([*found, y.max()])

    out = along(find, peak, ds["F0"], dims=["F0"], numbers=[*_NUMBERS, "largest"])
    out = out.rename(value="F0_saturation", low="F0_low", high="F0_high")
    what = f"fluence at which {name_of(peak)} reaches {fraction:g} of its maximum"
    names = _names(ds["F0"], what, "F0_saturation")
    return described(out, names | {"largest": (units_of(peak), f"{name_of(peak)} over F0")})


def threshold_fluence(ds: xr.Dataset, threshold: float, variable: str = "Delta0") -> xr.Dataset:
    """Least fluence at which the peak gap exceeds a threshold.

    Args:
        ds: A cube with an axis F0.
        threshold: In the variable's units.
        variable: Series, or its peak.

    Returns:
        `F0_threshold`, interpolated in ln F0; `F0_low` and `F0_high`, the neighbouring points of the grid that
        bracket it (0 or infinity where the grid ends); `outcome`. A gap opens steeply: where it is absent at
        `F0_low`, the bracket is more reliable than the interpolated value.
    """
    peak = peak_gap(ds, variable)
    need(peak, "ds", "F0")

    def find(y: Array, x: Array) -> Array:
        x, y = _valid(x, y)
        return np.array(_crossing(x, y, y > threshold, threshold))

    out = along(find, peak, ds["F0"], dims=["F0"], numbers=_NUMBERS)
    out = out.rename(value="F0_threshold", low="F0_low", high="F0_high")
    what = f"fluence at which {name_of(peak)} exceeds {threshold:g} {units_of(peak)}"
    return described(out, _names(ds["F0"], what, "F0_threshold"))


def resonance(values: xr.DataArray, dim: str = "omega_pump", *, extremum: str = "max") -> xr.Dataset:
    """Extremum of a quantity along an axis: the largest gap, or the lowest threshold, in omega_pump.

    Args:
        values: For instance `peak_gap(ds)`, or `threshold_fluence(ds, 0.1).F0_threshold` with `extremum="min"`.
        dim: Axis.
        extremum: `max` or `min`.

    Returns:
        `best`, the label of the extremum on the grid, and `extreme`, the value there; `resonance`, the vertex of
        the parabola through it and its neighbours; `low` and `high`, those neighbours; `outcome`. An extremum at
        an end of the axis is not a resonance: NaN, with the interval open on that side.
    """
    one_of("extremum", extremum, ("max", "min"))
    need(values, "values", dim)
    sign = 1.0 if extremum == "max" else -1.0

    def find(y: Array, x: Array) -> Array:
        x, y = _valid(x, y)
        if x.size == 0 or (x.size > 1 and np.ptp(y) == 0):
            return np.array([np.nan] * 5 + [Found.NO_DATA])
        i = int(np.argmax(sign * y))
        low, high = (x[i - 1] if i > 0 else -np.inf), (x[i + 1] if i + 1 < x.size else np.inf)
        if x.size == 1:
            return np.array([x[i], y[i], np.nan, low, high, Found.NO_DATA])
        if i in (0, x.size - 1):
            return np.array([x[i], y[i], np.nan, low, high, Found.BELOW_RANGE if i == 0 else Found.ABOVE_RANGE])
        return np.array([x[i], y[i], _vertex(x[i - 1 : i + 2], y[i - 1 : i + 2]), low, high, Found.FOUND])

    numbers = ["best", "extreme", "resonance", "low", "high", "outcome"]
    out = along(find, values, numbered(values, "dim", dim), dims=[dim], numbers=numbers)
    unit, word = units_of(values[dim]), {"max": "largest", "min": "least"}[extremum]
    return described(
        out,
        {
            "best": (unit, f"{dim} on the grid where {name_of(values)} is {word}"),
            "extreme": (units_of(values), f"{name_of(values)}, {word} over {dim}"),
            "resonance": (unit, f"{dim} where {name_of(values)} is {word}"),
            "low": (unit, f"lower bound of the {dim} of the {word} value"),
            "high": (unit, f"upper bound of the {dim} of the {word} value"),
        },
    )


def vanishing(values: xr.DataArray, dim: str, threshold: float = 0.0) -> xr.Dataset:
    """Least label along an axis at which a quantity no longer exceeds a threshold, such as one that closes a gap.

    Args:
        values: For instance `peak_gap(ds)`.
        dim: Axis of numbers >= 0, increasing.
        threshold: In the values' units.

    Returns:
        `low` and `high`, the neighbouring points of the grid that bracket it (0 or infinity where the grid ends);
        `vanishing`, their geometric mean (the arithmetic one where `low` is 0), NaN outside the grid; `outcome`.
        A gap may end in a jump, so interpolating its size would not improve on the bracket.
    """
    need(values, "values", dim)

    def find(y: Array, x: Array) -> Array:
        x, y = _valid(x, y)
        _, low, high, outcome = _crossing(x, y, y <= threshold, threshold)
        middle = np.nan
        if outcome == Found.FOUND:
            middle = np.sqrt(low * high) if low > 0 else high / 2
        return np.array([middle, low, high, outcome])

    out = along(find, values, numbered(values, "dim", dim), dims=[dim], numbers=_NUMBERS).rename(value="vanishing")
    unit = units_of(values[dim])
    what = f"{dim} at which {name_of(values)} no longer exceeds {threshold:g} {units_of(values)}"
    bounds = {"low": (unit, f"lower bound of the {what}"), "high": (unit, f"upper bound of the {what}")}
    return described(out, {"vanishing": (unit, what)} | bounds)


def _valid(x: Array, y: Array) -> tuple[Array, Array]:
    keep = np.isfinite(x) & np.isfinite(y)
    return x[keep], y[keep]


def _crossing(x: Array, y: Array, reached: np.ndarray, level: float) -> tuple[float, float, float, Found]:
    """First crossing, its bracket and outcome; x >= 0 and increasing."""
    if x.size == 0:
        return np.nan, np.nan, np.nan, Found.NO_DATA
    if not reached.any():
        return np.nan, x[-1], np.inf, Found.ABOVE_RANGE
    i = int(np.argmax(reached))
    if i == 0:
        return np.nan, 0.0, x[0], Found.BELOW_RANGE
    low, high = x[i - 1], x[i]
    s = (level - y[i - 1]) / (y[i] - y[i - 1])
    return (low * (high / low) ** s if low > 0 else s * high), low, high, Found.FOUND


def _vertex(x: Array, y: Array) -> float:
    """Extremum of the parabola through three points: its slope is linear between the middles of the two steps."""
    slopes, middles = np.diff(y) / np.diff(x), (x[1:] + x[:-1]) / 2
    return float(middles[0] + slopes[0] / (slopes[0] - slopes[1]) * (middles[1] - middles[0]))


def _names(axis: xr.DataArray, what: str, name: str) -> dict[str, tuple[str, str]]:
    unit = units_of(axis)
    return {
        name: (unit, what),
        "F0_low": (unit, f"lower bound of the {what}"),
        "F0_high": (unit, f"upper bound of the {what}"),
    }
