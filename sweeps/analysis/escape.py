"""Energy balance of a film that loses energy with its phonons alone: what limits the recovery of a signal."""

import numpy as np
import xarray as xr

from .labels import described, name_of, pick, units_of
from .recovery import recovery_times

EARLY = 100.0
"""First time of the fits over several escape times, ps, twice the shortest."""


def film_recovery(ds: xr.Dataset, start: float = EARLY) -> xr.DataArray:
    """Recovery time of the film's own transmission, ps, for escape times down to 50 ps."""
    return recovery_times(ds, "dT_T0", start=start, offset="initial")["tau"].squeeze("component", drop=True)


def escape_balance(ds: xr.Dataset, variable: str = "Delta0", *, start: float) -> xr.Dataset:
    """Share of the energy in quasiparticles, exponent of the signal, and the recovery time that follows from both.

    Phonons alone carry energy away, d(U_qp + U_ph)/dt = -U_ph / tau_esc, so U_ph falls within
    tau_esc (1 + share), share = dU_qp / dU_ph. A signal that goes as U_ph^exponent recovers within
    tau_esc (1 + share) / exponent. A share below 1 is a phonon bottleneck: pairs and phonons exchange energy faster
    than phonons leave. Above 1 the film waits for recombination. The exponent is one half where pumped
    quasiparticles recombine in pairs: Rothwarf and Taylor, Phys. Rev. Lett. 19, 27 (1967).

    Args:
        ds: A cube with `U_qp`, `U_ph` and `tau_esc`.
        variable: A series that returns to zero.
        start: First time, ps; the last is the record's.

    Returns:
        `share`, `exponent` and `tau` (ps), without the dim `time`.

    Raises:
        ValueError: if no time of the record but the last is at or after `start`.
    """
    names = ("U_qp", "U_ph", variable)
    first, last = ({name: pick(ds, name, "time").sel(time=t) for name in names} for t in _ends(ds, start))
    change = {name: first[name].drop_vars("time") - last[name].drop_vars("time") for name in ("U_qp", "U_ph")}
    kept = {name: last[name].drop_vars("time") / first[name].drop_vars("time") for name in ("U_ph", variable)}
    # A signal that has changed its sign by the last time has no exponent.
    decay = {name: xr.apply_ufunc(np.log, part.where(part > 0), dask="allowed") for name, part in kept.items()}
    share = change["U_qp"] / change["U_ph"]
    exponent = decay[variable] / decay["U_ph"]
    out = xr.Dataset({"share": share, "exponent": exponent, "tau": ds["tau_esc"] * (1 + share) / exponent})
    signal = name_of(ds[variable])
    return described(
        out,
        {
            "share": ("1", "energy that leaves quasiparticles over that which leaves phonons"),
            "exponent": ("1", f"power of the phonons' energy with which {signal} falls"),
            "tau": (units_of(ds["time"]), f"recovery time of {signal} by energy balance"),
        },
    )


def _ends(ds: xr.Dataset, start: float) -> tuple[float, float]:
    times = ds["time"].values
    if not start <= times[-2]:
        raise ValueError(f"`start` must be before the record's last time, {times[-1]:g} ps. Got {start!r}.")
    return float(times[np.searchsorted(times, start)]), float(times[-1])
