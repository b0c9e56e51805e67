"""LaH10, Fig. 2d: how long the gap stays closed, the remaining dR/R0, and the parameters that decide both."""

import numpy as np
import xarray as xr

from ...core.optics.instrument import convolve_probe
from ..analysis import recovery_times
from ..numbers import margin, short
from .paper import value
from .rows import BOTH, OPEN, Cell, Measured, Row, judged, listed, one, told

_NOTHING = 0.01
"""Part of the largest signal below which no number is given for the coarse cubes, whose lattice errs by 0.4 %."""
_OPENS = 0.9


def _left(ds: xr.Dataset, name: str) -> xr.DataArray:
    """Size of the signal at the end, relative to its largest value."""
    size = abs(ds[name])
    return size.isel(time=-1, drop=True) / size.max("time")


def _finest(ds: xr.Dataset) -> xr.Dataset:
    return one(ds, spacing=float(ds["spacing"].min()))


def left(ds: xr.Dataset) -> Cell:
    """Whether the remaining signal grows with F0 by more than the error of the lattice."""
    share = 100 * _left(one(ds), "dR_R0_seen").sortby("spacing")
    fine, error = share.isel(spacing=0), abs(share.isel(spacing=0) - share.isel(spacing=1))
    steps = np.diff(fine)
    holds = bool((steps > 0).all() and float(fine[-1] - fine[0]) > float(error.max()))
    text = listed(fine, "F0", "", error=error)
    return judged(holds, f"{text} % of the largest signal (by F0; ±: change with twice the spacing)")


def saturates(ds: xr.Dataset) -> Cell:
    """The remaining signal; the experimental value is not in the text."""
    part = _finest(ds)
    share = 100 * _left(part, "dR_R0_seen")
    return told(f"{listed(share, 'F0', '', 2)} % of the largest signal is left at {float(part['time'][-1]):g} ps")


def rise(ds: xr.Dataset) -> Cell:
    """Time from a tenth to nine tenths of the largest signal, for both probes that the paper names."""
    part = _finest(ds)
    texts = []
    for name in ("tau_probe", "better"):
        width = value("LaH10_probe", name)
        times = [_rise(part["dR_R0"].sel(F0=F0), width) for F0 in part["F0"].values]
        line = xr.DataArray(times, dims="F0", coords={"F0": part["F0"].values})
        texts.append(f"with {1e3 * width:g} fs {listed(line, 'F0', 'ps', 2)}")
    return told("; ".join(texts) + " (by F0)")


def _rise(change: xr.DataArray, width: float) -> float:
    """Rise of one trace, measured by a probe of some width (ps), between recorded times."""
    times = change["time"].values
    even = np.linspace(times[0], times[-1], 2001)
    if not np.isfinite(change.values).all():
        return float("nan")
    seen = np.abs(convolve_probe(even, np.interp(even, times, change.values), width))
    seen = seen[: int(np.argmax(seen)) + 1]
    low, high = (float(even[int(np.argmax(seen >= part * seen[-1]))]) for part in (0.1, 0.9))
    return high - low


def _falls_to(ds: xr.Dataset, part: float, name: str) -> xr.DataArray:
    """Last time at which the signal is at least this fraction of its largest value, ps."""
    size = abs(ds[name])
    return size["time"].where(size >= part * size.max("time")).max("time")


def slower(ds: xr.Dataset) -> Cell:
    """Whether a larger F0 delays the halving of the signal."""
    half = _falls_to(_finest(ds), 0.5, "dR_R0_seen")
    return judged(bool((np.diff(half) > 0).all()), f"halved at {listed(half, 'F0', 'ps')} (by F0)")


def opens(ds: xr.Dataset) -> str:
    """Whether the gap closes, and the energy in the film when the signal starts to fall."""
    part = _finest(ds)
    when = _falls_to(part, _OPENS, "dR_R0")
    energy = (part["U_qp"] + part["U_ph"]).sel(time=when)
    absorbed = part["absorbed_energy_density"]
    closed = part["Delta0"].min("time") < OPEN
    left_over, given = (f"{float(x.min()):.2g} to {float(x.max()):.2g}" for x in (energy, absorbed))
    return (
        f"The gap closes at {int(closed.sum())} of {closed.size} F0 and opens once {left_over} meV/nm3 are left of "
        f"{given}, at {listed(when, 'F0', 'ps', 2)}"
    )


def scales(ds: xr.Dataset) -> Cell:
    """Whether two exponentials fit the decay below half of the peak, and their times."""
    part = _finest(ds)
    starts = _falls_to(part, 0.5, "dR_R0_seen")
    texts, holds = [], True
    for F0 in part["F0"].values:
        line, start = part.sel(F0=F0), float(starts.sel(F0=F0))
        fits = [recovery_times(line, "dR_R0_seen", exponentials=k, start=start, offset="initial") for k in (1, 2)]
        tau, error = (fits[1][name].values for name in ("tau", "tau_error"))
        better = bool(np.isfinite(tau).all() and not fits[1]["bic"] >= fits[0]["bic"])
        holds &= better
        if not better:
            tau, error = (fits[0][name].values for name in ("tau", "tau_error"))
        times = " and ".join(margin(t, e) for t, e in zip(tau.tolist(), error.tolist(), strict=True))
        texts.append(f"{short(float(F0))}: {times}")
    return judged(holds, f"once half of it has gone, {', '.join(texts)} ps (by F0)")


def _percent(values: xr.DataArray) -> str:
    low = f"below {100 * _NOTHING:g}"
    texts = [
        f"{100 * v:.0f}" if v >= _NOTHING else low if v < _NOTHING else "failed" for v in values.values.tolist()
    ]
    return ", ".join(texts) + " %"


def one_escape(ds: xr.Dataset) -> str:
    """The remaining signal if all fluences have one escape time, for both phonon densities of states."""
    share = _left(one(ds), "dR_R0")
    texts = []
    for name in share["material"].values:
        rows = [f"{short(float(t))} ps: {_percent(share.sel(material=name, tau_esc=t))}" for t in share["tau_esc"]]
        texts.append(f"{name} {'; '.join(rows)}")
    F0 = ", ".join(short(float(v)) for v in share["F0"].values)
    return f"One tau_esc for F0 = {F0} leaves: " + "; ".join(texts)


def depth(ds: xr.Dataset) -> str:
    """The remaining signal of a film heated uniformly and in slabs."""
    part = one(ds)
    share, top = _left(part, "dR_R0"), abs(part["dR_R0"]).max("time")
    rows = []
    for slabs in map(int, share["slabs"].values):
        here = f"{_percent(share.sel(slabs=slabs))} of {listed(top.sel(slabs=slabs), 'F0', '', 2)}"
        rows.append(f"{slabs} slab{'s' * (slabs > 1)}: {here}")
    return f"A film of finite thickness, tau_esc = {short(float(part['tau_esc']))} ps, leaves in " + "; ".join(rows)


ROWS = (
    Row(
        "Several time scales: down-conversion, phonon dissipation, a bottleneck",
        ("LaH10_scales",),
        scales,
        "fig2d_lah10",
        BOTH,
        "the gap stays closed, then phonons escape (tau_esc), then pairs recombine",
    ),
    Row(
        "A phonon bottleneck more pronounced at larger F0: recovery slows",
        ("LaH10_bottleneck",),
        slower,
        "fig2d_lah10",
        BOTH,
        "tau_esc, set longer at larger F0, times the logarithm of the absorbed energy over that with "
        "which the gap opens; a closed gap is the largest signal there is, at any F0",
        measured=(Measured("fig2d_lah10", opens, "paper"),),
    ),
    Row(
        "The signal left at 5 ps grows with F0",
        (),
        left,
        "fig2d_lah10",
        BOTH,
        "how many tau_esc 5 ps are: 10 or more for the paper's",
        measured=(Measured("lah10_bottleneck", one_escape), Measured("lah10_depth", depth)),
    ),
    Row(
        "The value that dR/R0 saturates to is underestimated against experiment; the text gives no number",
        ("LaH10_saturation",),
        saturates,
        "fig2d_lah10",
        BOTH,
        "neither model includes phonons that return from the bulk",
    ),
    Row(
        "A probe of 250 fs agrees better with the rising edge of the experiment than one of 70 fs",
        ("LaH10_probe",),
        rise,
        "fig2d_lah10",
        BOTH,
        "the probe: the film's own signal rises within the pulse",
    ),
)
