"""One series of a cube against one of an experiment: scale, misfit, and the best-fitting label."""

from collections.abc import Callable

import numpy as np
from scipy.interpolate import PchipInterpolator, interp1d
from scipy.optimize import brentq, minimize_scalar

from .labels import Array, Found

RANGE_NUMBERS = ("value", "low", "high", "interpolation_error", "error", "chi2_reduced", "outcome")
_SCAN = 257


def matched(model: Array, data: Array, error: Array, how: str) -> tuple[Array, Array, Array, float]:
    """Model, data and errors on a common scale, and the factor on the model; NaN outside the model's range."""
    used = np.isfinite(model)
    if how == "fit":
        m, weight = model[used], 1 / error[used] ** 2
        norm = float(np.sum(weight * m * m))
        scale = float(np.sum(weight * m * data[used])) / norm if norm > 0 else np.nan
        return scale * model, data, error, scale
    if how == "peak":
        top, own = np.abs(data).max(initial=0.0, where=used), np.abs(model).max(initial=0.0, where=used)
        if not (top > 0 and own > 0):
            return np.full(data.shape, np.nan), data, error, np.nan
        return model / own, data / top, error / top, top / own
    return model, data, error, 1.0


def best_label(labels: Array, curves: Array, data: Array, error: Array, how: str, *, stated: bool) -> Array:
    """Label whose curve, interpolated between those given, fits best: the numbers of `RANGE_NUMBERS`.

    Args:
        labels: Positive, increasing; infinite ones and curves that are all NaN are left out. Shape (K,).
        curves: Shape (K, L).
        data: Shape (L,).
        error: Standard errors, or ones; shape (L,).
        how: As `normalise` of `compare`.
        stated: Whether `error` was stated by the experiment.
    """
    out = np.full(len(RANGE_NUMBERS), np.nan)
    out[-1] = Found.NO_DATA
    keep = np.isfinite(labels) & (labels > 0) & np.isfinite(curves).any(axis=1)
    used = np.isfinite(curves[keep]).all(axis=0) if keep.any() else np.zeros(data.shape, bool)
    freedom = int(used.sum()) - (1 if how == "none" else 2)
    if keep.sum() < 2 or freedom < 1:
        return out
    x, y = np.log(labels[keep]), curves[keep][:, used]
    chi2 = [_misfit(f, data[used], error[used], how) for f in (PchipInterpolator(x, y), interp1d(x, y, axis=0))]
    best, linear = (_least(f, x) for f in chi2)
    least = chi2[0](best)
    out[5] = least / freedom
    if best in (x[0], x[-1]):
        out[1:3] = (0.0, labels[keep][0]) if best == x[0] else (labels[keep][-1], np.inf)
        out[-1] = Found.BELOW_RANGE if best == x[0] else Found.ABOVE_RANGE
        return out
    rise = least + max(1.0 if stated else 0.0, least / freedom)
    low, high = np.exp(_bound(chi2[0], best, x[0], rise)), np.exp(_bound(chi2[0], best, x[-1], rise))
    tau, moved = np.exp(best), abs(np.exp(best) - np.exp(linear))
    statistical = (high - low) / 2 if low > 0 and np.isfinite(high) else np.inf
    return np.array([tau, low, high, moved, np.hypot(statistical, moved), out[5], Found.FOUND])


def _misfit(curve: Callable[[float], Array], data: Array, error: Array, how: str) -> Callable[[float], float]:
    def chi2(u: float) -> float:
        model, target, sigma, _ = matched(np.asarray(curve(u)), data, error, how)
        return float(np.sum(((model - target) / sigma) ** 2)) if np.isfinite(model).all() else np.inf

    return chi2


def _least(chi2: Callable[[float], float], x: Array) -> float:
    """Global minimum by a scan, refined; an end of the range if it lies there."""
    scan = np.union1d(x, np.linspace(x[0], x[-1], _SCAN))
    i = int(np.argmin([chi2(u) for u in scan]))
    if i in (0, scan.size - 1):
        return float(scan[i])
    found = minimize_scalar(chi2, bounds=(scan[i - 1], scan[i + 1]), method="bounded", options={"xatol": 1e-9})
    return float(found.x)


def _bound(chi2: Callable[[float], float], best: float, end: float, rise: float) -> float:
    """Label between the best and an end at which the misfit exceeds `rise`; infinite if it never does."""
    scan = np.linspace(best, end, _SCAN)[1:]
    past = next((u for u in scan if chi2(u) > rise), None)
    if past is None:
        return np.inf if end > best else -np.inf
    return float(brentq(lambda u: min(chi2(u), 1e300) - rise, best, past))
