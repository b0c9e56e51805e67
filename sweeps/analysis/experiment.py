"""Comparison with an experiment: reading its columns, residuals of each point, and the best-fitting escape time."""

import csv
import re
from pathlib import Path

import numpy as np
import xarray as xr

from ...core.units import SCALES
from .fit import RANGE_NUMBERS, best_label, matched
from .labels import Array, along, described, name_of, need, one_of, pick, tabled, units_of, unpacked

NORMALISE = ("fit", "peak", "none")

_UNITS = {written: (unit, factor) for unit, scales in SCALES.items() for written, factor in scales.items()}
_UNITS["arb. u."] = ("arb. u.", 1.0)
"""A unit as written: the cube's unit of that quantity and the factor to it."""
_MATCH = ("scale", "rms", "used", "chi2")
_HEADER = re.compile(r"^\s*(?P<name>.+?)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]\s*$")


def read_experiment(path: str | Path) -> xr.Dataset:
    """Measured series from a CSV file whose header declares units: `time (fs), dR/R (1), error (1)`.

    The first column is the axis, named like the cube's (`time`, `F0`, ...); the second the signal; a third,
    optional, its standard error. Lines that begin with `#` are comments. Values are brought to the cube's units.

    Returns:
        Variables `signal` and, if given, `error`, along the axis, sorted.

    Raises:
        ValueError: A header without a unit, an unknown unit, a row that is not numbers, or fewer than two rows.
    """
    text = Path(path).read_text(encoding="utf-8-sig")
    lines = [line for line in text.splitlines() if not re.match(r"\s*(#|$)", line)]
    rows = list(csv.reader(lines, skipinitialspace=True))
    if len(rows) < 3 or len(rows[0]) not in (2, 3):
        raise ValueError(
            f"`path` must contain a header and at least two rows of 2 or 3 columns. Got {str(path)!r}."
        )
    columns = [_column(text) for text in rows[0]]
    table = np.array([_numbers(row, len(columns)) for row in rows[1:]]).T
    table *= np.array([factor for _, _, factor in columns])[:, None]
    table = table[:, np.argsort(table[0], kind="stable")]
    axis = columns[0][0]
    out = xr.Dataset(coords={axis: (axis, table[0], {"units": columns[0][1], "long_name": axis})})
    for name, (title, unit, _), values in zip(("signal", "error"), columns[1:], table[1:], strict=False):
        out[name] = axis, values, {"units": unit, "long_name": f"measured {title}" if name == "signal" else title}
    return out


def compare(
    ds: xr.Dataset, experiment: xr.Dataset, variable: str = "Delta0", *, normalise: str = "fit"
) -> xr.Dataset:
    """Residuals of a measured series against every point of a cube.

    The cube's series is interpolated linearly to the measured labels; those outside its range are left out.

    Args:
        ds: A cube.
        experiment: As `read_experiment` returns it.
        variable: Variable of the cube that has the experiment's axis.
        normalise: `fit`, the cube's series scaled to the experiment by least squares; `peak`, each divided by its
            own largest magnitude; `none`, as they are, in the same units.

    Returns:
        `measured`, `model` and `residual` along the measured labels, and one number per point: `scale` (model over
        cube), `rms` of the residuals, `used` (how many labels), `chi2` if the experiment states errors.
    """
    axis, signal, error = _measured(experiment)
    values = _checked(ds, variable, axis, signal, normalise)
    n = signal.size

    def match(y: Array, x: Array) -> Array:
        model, data, sigma, scale = matched(_interp(experiment, axis, x, y), signal.values, error, normalise)
        residual = model - data
        used = np.isfinite(residual)
        total = np.sum((residual[used] / sigma[used]) ** 2)
        tail = np.array([scale, np.sqrt(np.mean(residual[used] ** 2)) if used.any() else np.nan, used.sum(), total])
        return np.concatenate([model, data, residual, tail])

    table = tabled(match, values, ds[axis], dims=[axis], count=3 * n + len(_MATCH))
    out = unpacked(table.isel(number=slice(3 * n, None)), _MATCH)
    if "error" not in experiment:
        out = out.drop_vars("chi2")
    for i, kind in enumerate(("model", "measured", "residual")):
        series = table.isel(number=slice(i * n, (i + 1) * n)).rename(number=axis)
        out[kind] = series.assign_coords({axis: experiment[axis]})
    unit = "1" if normalise == "peak" else units_of(signal)
    what = name_of(values)
    texts = {
        "model": (unit, f"{what}, scaled" if normalise != "none" else what),
        "measured": (unit, name_of(signal)),
        "residual": (unit, f"{what} minus {name_of(signal)}"),
        "rms": (unit, "root mean square of the residuals"),
        "scale": (_ratio(unit, units_of(values)), f"factor from {what} to the model"),
        "used": ("1", "number of measured labels within the cube"),
        "chi2": ("1", "sum of squared residuals over squared errors"),
    }
    return described(out, {name: text for name, text in texts.items() if name in out})


def fit_tau_esc(
    ds: xr.Dataset, experiment: xr.Dataset, variable: str = "Delta0", *, normalise: str = "fit"
) -> xr.Dataset:
    """Escape time whose series fits an experiment best, by interpolation over the cube's axis tau_esc.

    Series are interpolated in ln tau_esc (monotone cubic); an infinite escape time is left out. The statistical
    error is where chi2 has risen by one, or by the reduced chi2 if that is larger or errors are not stated. The
    fit is repeated with linear interpolation: the change of the result is the interpolation error. A finer
    axis lowers the second, better data the first.

    Args:
        ds: A cube with an axis tau_esc of at least two finite values.
        experiment: As `read_experiment` returns it.
        variable: Variable of the cube that has the experiment's axis.
        normalise: As for `compare`.

    Returns:
        `tau_esc`, its `low` and `high` (statistical; 0 or infinity where the axis ends first),
        `interpolation_error`, `error` (both, in quadrature), `chi2_reduced`, `outcome`. A best fit at an end of
        the axis is NaN, its outcome `below_range` or `above_range`.
    """
    axis, signal, error = _measured(experiment)
    values = _checked(ds, variable, axis, signal, normalise)
    need(values, "ds", "tau_esc")

    def fit(y: Array, tau: Array, x: Array) -> Array:
        curves = np.array([_interp(experiment, axis, x, row) for row in y])
        return best_label(tau, curves, signal.values, error, normalise, stated="error" in experiment)

    tau = ds["tau_esc"].astype(float)
    out = along(fit, values, tau, ds[axis], dims=["tau_esc", axis], numbers=RANGE_NUMBERS)
    unit = units_of(ds["tau_esc"])
    return described(
        out.rename(value="tau_esc"),
        {
            "tau_esc": (unit, "best-fitting phonon escape time"),
            "low": (unit, "lower bound of the escape time, one standard deviation"),
            "high": (unit, "upper bound of the escape time, one standard deviation"),
            "interpolation_error": (unit, "error of the escape time from interpolation over the cube"),
            "error": (unit, "error of the escape time"),
            "chi2_reduced": ("1", "chi2 per degree of freedom; with no errors stated, as if they were 1"),
        },
    )


def _measured(experiment: xr.Dataset) -> tuple[str, xr.DataArray, Array]:
    if "signal" not in experiment:
        raise ValueError(
            "`experiment` must contain `signal` along one axis, as `read_experiment` returns it. "
            f"Got {', '.join(map(str, experiment.data_vars)) or 'no variables'}."
        )
    signal = experiment["signal"]
    error = experiment["error"].values if "error" in experiment else np.ones(signal.shape)
    return str(signal.dims[0]), signal, error


def _checked(ds: xr.Dataset, variable: str, axis: str, signal: xr.DataArray, normalise: str) -> xr.DataArray:
    one_of("normalise", normalise, NORMALISE)
    values = pick(ds, variable)
    if axis not in values.dims:
        raise ValueError(
            f"the first column of `experiment` must have the name of an axis of the cube's {variable}, such as "
            f"`time (ps)`: {', '.join(map(str, values.dims))}. Got {axis!r}."
        )
    if units_of(ds[axis]) != units_of(signal[axis]):
        raise ValueError(f"`experiment` must have {axis} in {units_of(ds[axis])}. Got {units_of(signal[axis])!r}.")
    if normalise == "none" and units_of(values) != units_of(signal):
        raise ValueError(
            f"`normalise` must be fit or peak where units differ: the cube's {variable} is in {units_of(values)}, "
            f"the signal in {units_of(signal)}. Got 'none'."
        )
    return values


def _interp(experiment: xr.Dataset, axis: str, x: Array, y: Array) -> Array:
    keep = np.isfinite(x) & np.isfinite(y)
    labels = np.asarray(experiment[axis].values, dtype=float)
    if keep.sum() < 2:
        return np.full(labels.shape, np.nan)
    return np.asarray(np.interp(labels, x[keep], y[keep], left=np.nan, right=np.nan), dtype=float)


def _ratio(unit: str, per: str) -> str:
    return "1" if unit == per else unit if per == "1" else f"{unit} ({per})-1" if unit != "1" else f"({per})-1"


def _column(text: str) -> tuple[str, str, float]:
    found = _HEADER.match(text)
    unit = found["unit"].strip().replace("μ", "u").replace("µ", "u").replace("²", "2") if found else None
    if found is None or unit not in _UNITS:
        raise ValueError(f"each column must be `name (unit)`, the unit one of {', '.join(_UNITS)}. Got {text!r}.")
    return (found["name"], *_UNITS[unit])


def _numbers(row: list[str], count: int) -> list[float]:
    try:
        out = [float(cell) for cell in row]
    except ValueError:
        out = []
    if len(out) != count or not np.isfinite(out).all():
        raise ValueError(f"each row must contain {count} finite numbers. Got {', '.join(row)!r}.")
    return out
