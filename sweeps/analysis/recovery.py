"""Recovery times: one or two exponentials fitted to a series, with errors."""

from itertools import combinations
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from .labels import Array, Found, described, name_of, one_of, pick, tabled, units_of, unpacked

_GRID = 14
_KNOWN = 0.5
_LONGEST = 10.0
_EVIDENCE = 10.0
_SCALARS = ("offset", "offset_error", "residual_rms", "bic", "t_start", "outcome")


def recovery_times(
    ds: xr.Dataset,
    variable: str = "Delta0",
    *,
    exponentials: int = 1,
    start: float | None = None,
    stop: float | None = None,
    offset: str = "free",
) -> xr.Dataset:
    """Times of y(t) = offset + sum_i amplitude_i exp(-(t - t_start) / tau_i), least squares from t_start on.

    Errors are standard errors (1 sigma) for independent residuals of equal size. Those of a computed
    curve are neither: there the errors measure how well exponentials describe it, not noise. A time is not reported
    if its relative error exceeds one half, if it is longer than ten times the fitted window, or if a straight
    line fits nearly as well (`bic` within 10). Of two fits, the one with the smaller `bic` is better supported.

    Args:
        ds: A cube, or measured series.
        variable: A series: `Delta0`, a differential reflectance, an energy.
        exponentials: 1 or 2.
        start: First time of the fit, ps; None takes each series' largest departure from its first value.
        stop: Last time, ps; None takes all. A gap vanishes with a kink: stop before it.
        offset: `free`, or `initial`: the series returns to its first value.

    Returns:
        `tau`, `tau_error`, `amplitude`, `amplitude_error` over `component` (fast first), and `offset`,
        `offset_error`, `residual_rms`, `bic`, `t_start`, `outcome`.
    """
    if exponentials not in (1, 2):
        raise ValueError(f"`exponentials` must be 1 or 2. Got {exponentials!r}.")
    one_of("offset", offset, ("free", "initial"))
    values = pick(ds, variable, "time")

    def fit(y: Array, t: Array) -> Array:
        return _fit(t, y, exponentials, start, stop, offset == "free")

    table = tabled(fit, values, ds["time"], dims=["time"], count=4 * exponentials + len(_SCALARS))
    out = unpacked(table.isel(number=slice(4 * exponentials, None)), _SCALARS)
    for i, name in enumerate(("tau", "tau_error", "amplitude", "amplitude_error")):
        of_each = table.isel(number=slice(i * exponentials, (i + 1) * exponentials))
        out[name] = of_each.rename(number="component")
    attrs = {"units": "1", "long_name": "exponential, fast first"}
    out = out.assign_coords(component=("component", np.arange(1, exponentials + 1), attrs))
    unit, time = units_of(values), units_of(ds["time"])
    return described(
        out,
        {
            "tau": (time, f"recovery time of {name_of(values)}"),
            "tau_error": (time, "standard error of the recovery time"),
            "amplitude": (unit, f"amplitude in {name_of(values)} at t_start"),
            "amplitude_error": (unit, "standard error of the amplitude"),
            "offset": (unit, f"{name_of(values)} after recovery"),
            "offset_error": (unit, "standard error of the value after recovery"),
            "residual_rms": (unit, "root mean square of the residuals"),
            "bic": ("1", "Bayesian information criterion"),
            "t_start": (time, "first time of the fit"),
        },
    )


def _fit(t: Array, y: Array, count: int, start: float | None, stop: float | None, free: bool) -> Array:
    nothing = np.full(4 * count + len(_SCALARS), np.nan)
    nothing[-1] = Found.NO_DATA
    if not np.isfinite(y).all() or np.ptp(y) == 0:
        return nothing
    first = t[int(np.argmax(np.abs(y - y[0])))] if start is None else start
    keep = (t >= first) & (t <= (np.inf if stop is None else stop))
    s, v = t[keep] - first, y[keep]
    if s.size <= 2 * count + 2 or np.ptp(v) == 0:
        return nothing
    nothing[-2:] = first, Found.UNDETERMINED
    scale = float(np.ptp(v))
    result = _minimise(s, (v - y[0]) / scale, count, free)
    order = np.argsort([result.params[f"u{i}"].value for i in range(count)])
    logs = [result.params[f"u{i}"] for i in order]
    amplitudes = [result.params[f"a{i}"] for i in order]
    tau = np.exp([p.value for p in logs])
    known = result.success and result.errorbars and all(p.stderr < _KNOWN for p in logs)
    if not known or tau.max() > _LONGEST * s[-1] or result.bic > _bic_of_line(s, v / scale) - _EVIDENCE:
        return nothing
    c = result.params["c"]
    return np.array(
        [
            *tau,
            *(tau * [p.stderr for p in logs]),
            *(p.value * scale for p in amplitudes),
            *(p.stderr * scale for p in amplitudes),
            c.value * scale + y[0],
            c.stderr * scale if free else 0.0,
            float(np.sqrt(np.mean(np.square(result.residual)))) * scale,
            result.bic,
            first,
            Found.FOUND,
        ]
    )


def _minimise(s: Array, v: Array, count: int, free: bool) -> Any:
    """Fit of scaled values in the logarithms of the times, which keeps them positive."""
    guess, linear = _guess(s, v, count, free)
    parameters = lmfit.Parameters()
    # Wide limits: near a limit the errors of the fit are too small.
    low, high = np.log(1e-3 * np.diff(s).min()), np.log(1e6 * s[-1])
    for i in range(count):
        parameters.add(f"u{i}", float(np.log(guess[i])), min=low, max=high)
        parameters.add(f"a{i}", float(linear[i]))
    parameters.add("c", float(linear[count]) if free else 0.0, vary=free)

    def residual(p: Any) -> Array:
        return np.asarray(sum(p[f"a{i}"] * np.exp(-s / np.exp(p[f"u{i}"])) for i in range(count)) + p["c"] - v)

    return lmfit.minimize(residual, parameters, method="leastsq")


def _bic_of_line(s: Array, v: Array) -> float:
    misfit = float(np.sum((np.polyval(np.polyfit(s, v, 1), s) - v) ** 2))
    return float(s.size * np.log(max(misfit, 1e-250) / s.size) + 2 * np.log(s.size))


def _guess(s: Array, v: Array, count: int, free: bool) -> tuple[tuple[float, ...], Array]:
    """Times at which to start the fit, the best of a coarse grid, since a fit of exponentials has false minima."""
    grid = np.geomspace(0.5 * np.diff(s).min(), 3 * s[-1], _GRID)
    best: tuple[float, tuple[float, ...], Array] = (np.inf, (), np.empty(0))
    for times in combinations(grid, count):
        columns = np.stack([*(np.exp(-s / tau) for tau in times), *([np.ones_like(s)] if free else [])], axis=1)
        linear = np.linalg.lstsq(columns, v, rcond=None)[0]
        misfit = float(np.sum((columns @ linear - v) ** 2))
        if misfit < best[0]:
            best = misfit, times, linear
    return best[1], best[2]
