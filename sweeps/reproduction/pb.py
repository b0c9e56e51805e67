"""Lead, Fig. 2c: rise and recovery of dT/T0, and the parameters that decide its time.

The film's own signal is fitted from 200 ps on, one width of the probe after the pulse, and returns to its first
value. Energy leaves only with phonons, dU/dt = -U_ph / tau_esc, so that U_ph falls with tau_esc (1 + share), share
= dU_qp / dU_ph. A signal that goes as U_ph^exponent recovers with tau_esc (1 + share) / exponent. Quasiparticles
that recombine two by two among few thermal ones go as the root of the phonons: Rothwarf and Taylor, Phys. Rev.
Lett. 19, 27 (1967).
"""

import numpy as np
import xarray as xr

from ..analysis import recovery_times
from ..analysis.escape import EARLY, escape_balance, film_recovery
from ..numbers import margin, short
from .rows import BOTH, Cell, Measured, Row, judged, listed, one, told

FROM = 200.0
"""First time of the fits, ps: the probe's width."""


def rises(ds: xr.Dataset) -> Cell:
    """Whether -dT/T0 is positive and largest within the probe's width."""
    seen, own = (-one(ds)[name] for name in ("dT_T0_seen", "dT_T0"))
    last = seen.idxmax("time")
    alone = own.idxmax("time")
    holds = bool((last <= FROM).all() and (seen.max("time") > 0).all())
    span = f"{float(last.min()):g} to {float(last.max()):g} ps"
    return judged(
        holds, f"largest at {span}, the film's own at {float(alone.min()):g} to {float(alone.max()):g} ps"
    )


def _own(ds: xr.Dataset) -> xr.Dataset:
    return recovery_times(ds, "dT_T0", start=FROM, offset="initial").squeeze()


def recovers(ds: xr.Dataset) -> Cell:
    """Recovery times against T, of the film alone and with the instrument."""
    part = one(ds)
    own, seen = _own(part), recovery_times(part, "dT_T0_seen").squeeze()
    film, tail = (listed(f["tau"], "T", "ps", error=f["tau_error"]) for f in (own, seen))
    return told(f"{film} (the film's own, by T in K). With the substrate's tail, as measured: {tail}")


def amplitude(ds: xr.Dataset) -> Cell:
    """Largest signal against T, relative to the coldest film's."""
    largest = (-one(ds)["dT_T0_seen"]).max("time")
    first = largest.isel(T=0)
    text = f"{float(first):.2g} at {float(first['T']):g} K; relative to it "
    return told(text + listed(largest / first, "T", "", 2))


def faster(ds: xr.Dataset) -> Cell:
    """Whether the film recovers faster closer to Tc0."""
    found = _own(one(ds))
    tau, error = found["tau"].dropna("T"), found["tau_error"].dropna("T")
    if tau.size < 2:
        return judged(False, "fewer than two times are known")

    def at(i: int) -> str:
        return f"{margin(float(tau[i]), float(error[i]))} ps at {float(tau['T'][i]):g} K"

    least = int(np.argmin(tau.values))
    if least == tau.size - 1:
        return judged(bool((np.diff(tau) < 0).all()), f"{at(0)}, {at(least)}")
    return judged(False, f"falls from {at(0)} to {at(least)}, then {at(tau.size - 1)}")


def balance(ds: xr.Dataset) -> str:
    """The share and the exponent that the module's docstring defines, and the resulting time."""
    found = escape_balance(one(ds), "dT_T0", start=FROM)
    return (
        f"tau_esc (1 + share) / exponent is {listed(found['tau'], 'T', 'ps', 4)}, with the share "
        f"{listed(found['share'], 'T', '', 2)} and the exponent {listed(found['exponent'], 'T', '', 2)}"
    )


def regimes(ds: xr.Dataset) -> Cell:
    """Temperature up to which the recovery time falls, and where recombination rather than escape limits it."""
    part = one(ds)
    tau, share = film_recovery(part), escape_balance(part, "dT_T0", start=EARLY)["share"]
    turns, lines = [], []
    for tau_esc in part["tau_esc"].values:
        for F0 in part["F0"].values:
            here, held = (x.sel(tau_esc=tau_esc, F0=F0).dropna("T") for x in (tau, share))
            turns.append(float(here.idxmin("T")))
            lines.append(
                f"tau_esc = {tau_esc:g}, F0 = {short(float(F0))}: {listed(here, 'T', 'ps')}, dU_qp / dU_ph from "
                f"{float(held[0]):.2g} to {float(held[-1]):.2g}"
            )
    waits, known = int((share > 1).sum()), int(share.notnull().sum())
    falls = f"the time falls up to {_span(turns)} K. " if part["T"].size > 2 else ""
    return told(
        f"{falls}Recombination limits it, since quasiparticles hold most of the energy, at {waits} of {known} "
        "points, elsewhere phonon escape: " + "; ".join(lines)
    )


def _span(values: list[float]) -> str:
    return " to ".join(f"{x:g}" for x in dict.fromkeys((min(values), max(values))))


def hangs(ds: xr.Dataset) -> str:
    """The time for each fluence and escape time."""
    found = _own(ds)
    texts = []
    for F0 in found["F0"].values:
        for tau_esc in found["tau_esc"].values:
            here = found.sel(F0=F0, tau_esc=tau_esc)
            times = listed(here["tau"], "T", "ps", error=here["tau_error"])
            texts.append(f"F0 = {short(float(F0))}, tau_esc = {short(float(tau_esc))}: {times}")
    return "By T, " + "; ".join(texts)


ROWS = (
    Row(
        "-dT/T0 rises within the probe's width of 200 ps",
        (),
        rises,
        "fig2c_pb",
        BOTH,
        "the probe: the film itself is faster",
    ),
    Row(
        "Amplitude and recovery time against T agree quantitatively very well with experiment; the text gives no "
        "number",
        ("Pb_amplitude",),
        amplitude,
        "fig2c_pb",
        BOTH,
        "the number of thermal quasiparticles to which the pulse adds",
    ),
    Row(
        "Recovery time against T; the text gives no number",
        ("Pb_amplitude",),
        recovers,
        "fig2c_pb",
        BOTH,
        "tau_esc near Tc0; far below it F0 as well, which creates more quasiparticles than there are thermal ones",
        measured=(Measured("pb_recovery", hangs, "paper"),),
    ),
    Row(
        "It recovers faster as T approaches Tc",
        ("Pb_recovery",),
        faster,
        "fig2c_pb",
        BOTH,
        "energy leaves only with phonons, so the signal follows them. Far below Tc0 it goes as the root of "
        "their energy, because pumped quasiparticles recombine in pairs; where thermal ones dominate it goes "
        "with that energy",
        measured=(Measured("fig2c_pb", balance, "paper"),),
    ),
    Row(
        "Phonon escape (a bottleneck) dominates the relaxation in some regions, recombination in others",
        (),
        regimes,
        "pb_recovery",
        ("paper",),
        "the number of pumped and thermal quasiparticles: the more of them, the faster they exchange energy with "
        "phonons. Near Tc0 the time tends to tau_esc",
        "10 nm",
        source="experiment, not the paper: Lobo et al., Phys. Rev. B 72, 024510 (2005), abstract",
    ),
)
