"""The assumption on which light-induced superconductivity depends, from the cube of all combinations."""

import itertools

import xarray as xr

from ..analysis import peak_gap, time_above
from .rows import OPEN

AXES = ("damping", "pump_channels", "stimulated_emission")


def table(ds: xr.Dataset) -> list[str]:
    """Markdown table: for each combination, the points with a gap, the largest gap and its labels."""
    peak = _slim(peak_gap(ds))
    times = time_above(ds, OPEN)
    duration, outlasts = (_slim(times[name]) for name in ("duration", "outlasts"))
    rest = [d for d in peak.dims if d not in AXES]
    lines = [
        "| damping | pump channels | stimulated emission | points with a gap | largest | at | open for | longest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for labels in itertools.product(*(ds[a].values.tolist() for a in AXES)):
        here = dict(zip(AXES, labels, strict=True))
        part, held, more = peak.sel(here), duration.sel(here), outlasts.sel(here)
        count = int((part > OPEN).sum())
        known = int(part.notnull().sum())
        row = [*map(str, labels), f"{count} of {known}"]
        if count:
            best = part.isel({d: int(i) for d, i in part.argmax(rest).items()})
            at = ", ".join(f"{d} = {float(best[d]):.3g}" for d in rest)
            there = {d: best[d] for d in rest}
            longest = held.where(part > OPEN).argmax(rest)
            row += [f"{float(best):.2g} meV", at, _time(held.sel(there), more.sel(there))]
            row += [_time(held.isel(longest), more.isel(longest))]
        else:
            row += ["none", "", "", ""]
        lines.append(f"| {' | '.join(row)} |")
    return lines


def _time(held: xr.DataArray, more: xr.DataArray) -> str:
    """A duration, marked if the end of the record cuts it off."""
    return f"{'≥ ' * bool(more)}{float(held):.2g} ps"


def answer(ds: xr.Dataset) -> str:
    """The answer in words, from the counts alone."""
    peak = _slim(peak_gap(ds))
    exists = (peak > OPEN).where(peak.notnull())
    share = exists.mean([d for d in exists.dims if d not in AXES]).compute()

    def of(**labels: object) -> float:
        return float(share.sel(labels).mean())

    broken = of(pump_channels="scattering+pair-breaking")
    kept = of(pump_channels="scattering")
    real, full = (of(pump_channels="scattering", damping=d) for d in ("real", "full"))
    emission = ""
    if ds.sizes["stimulated_emission"] == 2:
        gain, loss = (of(pump_channels="scattering", stimulated_emission=e) for e in (False, True))
        emission = f" Stimulated emission: {loss:.0%} with it, {gain:.0%} without."
    verdict = (
        "It depends on leaving out pair breaking by photons: with it, no point of the map has a gap."
        if broken == 0 < kept
        else "Pair breaking by photons weakens it but does not suppress it everywhere."
        if 0 < broken < kept
        else "Pair breaking by photons does not decide it."
    )
    failed = int(peak.isnull().sum())
    return (
        f"**{verdict}** A gap exists on {kept:.0%} of the map without pair breaking and on {broken:.0%} with it. "
        f"Without it, a gap exists on {real:.0%} of the map with damping `real`, on {full:.0%} with `full`; the "
        f"table gives its size and duration."
        + emission
        + (f" Points that failed, {failed} of {peak.size}, are left out." if failed else "")
    )


def _slim(values: xr.DataArray) -> xr.DataArray:
    """A dataset without axes of one value, except those of the assumptions."""
    return values.squeeze([d for d in values.dims if values.sizes[d] == 1 and d not in AXES]).compute()


def where(ds: xr.Dataset) -> list[str]:
    """Markdown: points with a gap by escape time, for both kinds of damping, photons breaking no pairs."""
    part = _slim(peak_gap(ds) > OPEN).sel(pump_channels="scattering", stimulated_emission=False)
    lines = ["| tau_esc (ps) | " + " | ".join(f"`{d}`" for d in part["damping"].values) + " |", "|---|---|---|"]
    for tau in part["tau_esc"].values:
        here = part.sel(tau_esc=tau)
        cells = [_range(here.sel(damping=d)) for d in part["damping"].values]
        lines.append(f"| {tau:g} | " + " | ".join(cells) + " |")
    return lines


def _range(open_: xr.DataArray) -> str:
    found = open_["F0"].values[open_.values]
    return f"gap for F0 of {found.min():.2g} to {found.max():.2g} mJ/cm2" if found.size else "no gap"
