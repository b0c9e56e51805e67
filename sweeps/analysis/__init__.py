"""Analysis of a cube: functions from labelled data to labelled data, lazy over Dask arrays, with units.

Each function keeps the axes that it does not reduce, so one call covers a whole sweep. A series without an
answer gives NaN and an `outcome` with the reason; failed points are left out of a series, never filled in.
"""

from .boundary import boundary, existence
from .escape import escape_balance
from .experiment import compare, fit_tau_esc, read_experiment
from .fluence import resonance, saturation_fluence, threshold_fluence, vanishing
from .gap import peak_gap, slope, time_above
from .inference import inferred_conductivity
from .labels import Found
from .loading import failures, open_cube
from .recovery import recovery_times

__all__ = [
    "Found",
    "boundary",
    "compare",
    "escape_balance",
    "existence",
    "failures",
    "fit_tau_esc",
    "inferred_conductivity",
    "open_cube",
    "peak_gap",
    "read_experiment",
    "recovery_times",
    "resonance",
    "saturation_fluence",
    "slope",
    "threshold_fluence",
    "time_above",
    "vanishing",
]
