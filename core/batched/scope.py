"""Points that a batch can compute; others go to the scalar solver, with the reason."""

import dataclasses
import math
from typing import Any, Final

from .. import processes
from ..settings import Point, Settings
from ..terms.absorption import Absorption
from ..terms.collisions import Collisions
from ..terms.escape import Escape, Pinning

TERMS: Final = (Collisions, Absorption, Escape, Pinning)
"""Processes that rows have."""

_KNOWN: Final = frozenset(
    {
        "damping", "pump_channels", "pair_breaking_share", "stimulated_emission", "soft_lambda", "soft_energy",
        "tau_pump", "spacing", "window", "t_start", "t_stop", "n_times", "t_linear_stop", "n_tail", "times", "rtol",
        "atol", "gap_tol", "max_steps", "energies", "frequencies", "thickness", "substrate", "cover", "omega_probe",
        "scattering_rate", "tau_probe", "smear_gap", "tail_amplitude", "tail_decay",
    }
)  # fmt: skip
"""Settings that rows follow. Any other must have its default, so that a new setting needs no change here."""


def refusal(point: Point, settings: Settings) -> str | None:
    """Reason why a batch cannot compute a point; None if it can."""
    defaults: dict[str, Any] = {f.name: f.default for f in dataclasses.fields(settings)}
    for name, default in defaults.items():
        if name not in _KNOWN and getattr(settings, name) != default:
            return f"`{name}`"
    if point.F0 == 0.0:
        return "no pulse"
    if not math.isfinite(point.F0):
        return "`F0`"
    return None


def unknown_processes() -> list[str]:
    """Processes within a slab that the batched solver lacks; each must be absent at the default of its setting."""
    return [process.__name__ for process in processes.IN_A_SLAB if process not in TERMS]
