r"""Signal of a detector: relative changes with the substrate's thermal tail, smeared by the probe pulse.

Traces are piecewise linear between the times at which they are known, constant before and after. Such a trace
is a sum of ramps, and a ramp convolved with a Gaussian is known in closed form, so the convolution is exact
on any grid of times, uniform or not.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from ..constants import HBAR
from .fresnel import Array

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
"""Full width at half maximum of a Gaussian, in its standard deviations."""


def differential_reflectance(R: ArrayLike, R0: ArrayLike) -> Array:
    """dR/R0 = (R - R0) / R0, Eq. (3) of arXiv:2603.18182, dimensionless.

    Args:
        R: Reflectance at each time, shape (times, ...).
        R0: Reflectance before the pump, shape (...).
    """
    return _relative_change("R0", R, R0)


def differential_transmittance(T: ArrayLike, T0: ArrayLike) -> Array:
    """-dT/T0 = (T0 - T) / T0, as Fig. 2c of arXiv:2603.18182 plots it: arguments as for the reflectance."""
    return -_relative_change("T0", T, T0)


def _relative_change(name: str, value: ArrayLike, reference: ArrayLike) -> Array:
    reference = np.asarray(reference, dtype=float)
    if not np.all(reference > 0):
        raise ValueError(f"`{name}` must be positive: this film gives no signal. Got {reference.min()!r}.")
    return np.asarray((np.asarray(value, dtype=float) - reference) / reference)


def _checked_times(time: ArrayLike, signal: ArrayLike) -> tuple[Array, Array]:
    t, s = np.asarray(time, dtype=float), np.asarray(signal, dtype=float)
    if t.ndim != 1 or len(t) < 2 or s.shape[:1] != t.shape:
        raise ValueError(f"`time` and `signal` must have equal lengths >= 2. Got {t.shape} and {s.shape}.")
    if not np.all(np.diff(t) > 0):
        raise ValueError(f"`time` must be increasing, in ps. Got steps down to {np.diff(t).min()!r}.")
    return t, s


def convolve_probe(time: ArrayLike, signal: ArrayLike, fwhm: float) -> Array:
    r"""Trace measured by a probe pulse of finite duration: convolution with a normalised Gaussian.

    signal(t) = s_0 + sum_j kappa_j (t - t_j)_+ with kappa_j the change of slope at t_j, and a ramp becomes
    x Phi(x / s) + s phi(x / s), s = fwhm / 2.355, Phi and phi the normal distribution and its density.

    Args:
        time: Times, ps, increasing, shape (times,).
        signal: Trace, any unit, shape (times, ...).
        fwhm: Duration of the probe pulse, full width at half maximum, ps, >= 0; zero changes nothing.
    Returns:
        Smeared trace at the same times, shape of signal.
    Raises:
        ValueError: For times that do not increase or a negative duration.
    """
    t, s = _checked_times(time, signal)
    if not 0 <= fwhm < math.inf:
        raise ValueError(f"`fwhm` must be zero or positive, in ps. Got {fwhm!r}.")
    if fwhm == 0:
        return s.copy()
    width = fwhm / FWHM_PER_SIGMA
    slopes = np.diff(s, axis=0) / np.diff(t).reshape(-1, *(1,) * (s.ndim - 1))
    flat = np.zeros((1, *s.shape[1:]))
    kinks = np.diff(np.concatenate([flat, slopes, flat]), axis=0)
    x = (t[:, None] - t) / width
    ramps = width * (x * ndtr(x) + np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))
    return np.asarray(s[0] + np.tensordot(ramps, kinks, axes=1))


def probe_width(fwhm: float, Delta0: float | None = None) -> float:
    """Time resolution, ps: the probe's duration and, where Delta0 is given, hbar / Delta0 in quadrature.

    A state with a gap responds no faster than hbar / Delta0, although Delta follows f and n instantaneously in the
    model.

    Args:
        fwhm: Duration of the probe pulse, ps.
        Delta0: Gap of the film before the pump, meV; None or zero adds nothing.
    """
    return math.hypot(fwhm, HBAR / Delta0) if Delta0 else fwhm


def add_substrate_tail(time: ArrayLike, signal: ArrayLike, amplitude: float = 0.2, decay: float = 3000.0) -> Array:
    """Trace of a film heated by its substrate: adds amplitude s_max exp(-t / decay) for t >= 0.

    s_max is the trace's value of largest magnitude. The substrate is outside the model; its share and decay time
    are those of the experiment on Pb (arXiv:2603.18182: amplitude 0.2, 3 ns).

    Args:
        time: Times after the pump, ps, increasing, shape (times,).
        signal: Trace, any unit, shape (times,).
        amplitude: Tail relative to the trace's extreme value, dimensionless.
        decay: Decay time of the tail, ps, > 0.
    """
    t, s = _checked_times(time, signal)
    if not 0 < decay < math.inf:
        raise ValueError(f"`decay` must be positive, in ps. Got {decay!r}.")
    extreme = s[np.argmax(np.abs(s))]
    return np.asarray(s + amplitude * extreme * np.where(t >= 0, np.exp(-np.maximum(t, 0) / decay), 0.0))
