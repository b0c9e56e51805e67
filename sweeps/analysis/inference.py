"""Conductivity that an experiment infers from a pumped film's reflection."""

import math

import numpy as np
import xarray as xr

from ...core.optics import inference
from .labels import described, pick


def inferred_conductivity(
    ds: xr.Dataset, depth: float, thickness: float = math.inf, n_substrate: complex = 1.0
) -> xr.Dataset:
    """Conductivity at the surface for which a change that falls as exp(-z / depth) gives the recorded r.

    Args:
        ds: A cube with `probe_amplitude` and an axis `omega_probe`; its first time is before the pulse.
        depth: Penetration depth of the pump, nm.
        thickness: Film thickness, nm; `math.inf` for a half space.
        n_substrate: Index of the substrate at the probe.

    Returns:
        `sigma1_inferred` and `sigma2_inferred`, of the dims of r; NaN where no change gives it.
    """
    r = pick(ds, "r_real", "time", "omega_probe") + 1j * pick(ds, "r_imag", "time", "omega_probe")
    before = (ds["sigma1"] + 1j * ds["sigma2"]).isel(time=0, drop=True)

    def one(line: np.ndarray, sigma_0: complex, omega: float) -> np.ndarray:
        if not np.isfinite(line).all():
            return np.full(line.shape, complex(math.nan, math.nan))
        return inference.inferred_conductivity(line, float(omega), complex(sigma_0), depth, thickness, n_substrate)

    found = xr.apply_ufunc(
        one, r.compute(), before.compute(), ds["omega_probe"], input_core_dims=[["time"], [], []],
        output_core_dims=[["time"]], vectorize=True, output_dtypes=[complex],
    )  # fmt: skip
    out = xr.Dataset({"sigma1_inferred": found.real, "sigma2_inferred": found.imag})
    parts = {"sigma1_inferred": "real", "sigma2_inferred": "imaginary"}
    words = {k: ("ohm^-1 nm^-1", f"{v} part of the surface's conductivity, as inferred") for k, v in parts.items()}
    return described(out, words)
