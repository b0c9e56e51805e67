"""Step control of rows as in `dynamics` and `integrators.rkc`, for arrays of numbers on the host."""

import math
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..dynamics import _GROW, _SAFETY, _SHRINK
from ..integrators.rkc import _DAMPINGS, _coefficients, _interval

Array = NDArray[Any]
LONGEST: Final = _DAMPINGS[-1][0]
"""Longest stable step times the spectral radius."""
_LIMITS: Final = np.array([limit for limit, _ in _DAMPINGS])
_EPSILONS: Final = np.array([damping for _, damping in _DAMPINGS])
_KAPPAS: Final = np.array([_interval(damping) for _, damping in _DAMPINGS])
_ERROR_ORDER: Final = 3
_MOST_STAGES: Final = 1024


class Stages(NamedTuple):
    """Stages of steps and the index of their damping."""

    s: Array
    damping: Array


def stages(reach: Array) -> Stages:
    """Stages and damping of stable steps, `reach` = dt times spectral radius; see `RungeKuttaChebyshev.stages`."""
    which = np.minimum(np.searchsorted(_LIMITS, reach), _LIMITS.size - 1)
    interval = _KAPPAS[which] * reach * np.where(reach > 19.0, 1.03, 1.4)
    s = np.ceil(np.sqrt(1 + np.maximum(0.0, interval - _EPSILONS[which]) / 2))
    return Stages(np.maximum(2, s).astype(np.int64), which)


@lru_cache(maxsize=4096)
def _of_stage(s: int, damping: int) -> Array:
    """For each stage j from 1: coefficients of y, now, before, dt F and dt F0, and its time; shape (s + 2, 6).

    A stage after the last one repeats it.
    """
    c, mu, nu, mu_t, gamma_t = _coefficients(s, float(_EPSILONS[damping]))
    rows = [[0.0] * 6, [1.0, 0.0, 0.0, 0.0, mu_t[1], c[1]]]
    rows += [[1 - mu[j] - nu[j], mu[j], nu[j], mu_t[j], gamma_t[j], c[j]] for j in range(2, s + 1)]
    rows[-1][5] = 1.0
    return np.array([*rows, [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]])


def coefficients(s: Array, damping: Array, j: Array) -> Array:
    """Coefficients of stage j of each row, shape (B, 6); a stage after the last one changes nothing."""
    j = np.minimum(j, s + 1)
    code = (s * _LIMITS.size + damping) * _MOST_STAGES + j
    kinds, inverse = np.unique(code, return_inverse=True)
    found = [
        _of_stage(*divmod(int(kind) // _MOST_STAGES, _LIMITS.size))[int(kind) % _MOST_STAGES] for kind in kinds
    ]
    return np.stack(found)[inverse]


def planned(dt: Array, plan: Array, error: Array, moved: Array) -> Array:
    """Length of the step after an accepted one of dt, ps."""
    factor = np.minimum(np.maximum(error, 1e-8) ** (-1 / _ERROR_ORDER), np.maximum(moved, 1e-8) ** -0.5)
    proposal = dt * np.minimum(_GROW, np.maximum(_SHRINK, _SAFETY * factor))
    # a step cut short by a sample says little against the longer one that was planned
    return np.where((dt < plan) & (factor > 1), np.maximum(plan, proposal), proposal)


def shortened(dt: Array, error: Array) -> Array:
    """Length of the step after a rejected one of dt, ps."""
    large = np.isfinite(error) & (error > 1)
    factor = np.where(large, _SAFETY * np.where(large, error, 1.0) ** (-1 / _ERROR_ORDER), 0.5)
    return dt * np.maximum(_SHRINK, np.minimum(factor, 0.9))


def divided(left: Array, plan: Array) -> Array:
    """Length of equal steps up to a target, ps."""
    return left / np.maximum(1.0, np.ceil(left / plan - 1e-9))


_GAUSS: Final = 4 * math.log(2)


def envelope(t: Array, tau_pump: Array) -> Array:
    """S(t) of Gaussian pulses, dimensionless; see `terms.pump.Pump.envelope`."""
    return np.asarray(np.exp(-_GAUSS * (t / tau_pump) ** 2))


def power(t: Array, tau_pump: Array, U: Array) -> Array:
    """Power density that pulses deposit at t, meV/(nm^3 ps); zero after the end of a pulse."""
    S = envelope(t, tau_pump)
    return np.where(S < 1e-12, 0.0, U * S / (tau_pump * math.sqrt(math.pi / _GAUSS)))
