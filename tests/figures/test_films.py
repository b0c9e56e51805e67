"""The rows on Pb and LaH10 read cubes rightly: signals with known times and known ends."""

import numpy as np
import xarray as xr

from photogap.sweeps.numbers import margin
from photogap.sweeps.reproduction import lah10, pb
from photogap.sweeps.reproduction.rows import Verdict


def test_errors_have_one_digit():
    assert [margin(1147.2, 5.9), margin(0.08731, 0.00042), margin(float("nan"), 1.0)] == [
        "1147 ± 6",
        "0.0873 ± 0.0004",
        "failed",
    ]


def series(values, time, **coords):
    """Lines over time and one other axis."""
    return xr.DataArray(values, dims=(*coords, "time"), coords={**coords, "time": ("time", time, {"units": "ps"})})


def lead(taus, exponent=1.0, share=0.1, tau_esc=500.0, rise=100.0):
    """Signals that fall with given times, phonons in `exponent` times less, quasiparticles with them."""
    T = np.array([2.0, 4.0, 7.0])
    time = np.concatenate([np.arange(-400, 200, 25.0), np.arange(200, 1001, 50.0)])
    after = np.maximum(time, 0.0)
    own = np.array([np.where(time > 0, -1e-2 * np.exp(-after / tau), 0.0) for tau in taus])
    smooth = np.clip((time + rise) / (2 * rise), 0, 1)
    seen = np.array([-1e-2 * smooth * np.exp(-np.maximum(time - rise, 0) / tau) for tau in taus])
    U_ph = np.array([np.exp(-after * exponent / tau) for tau in taus])
    names = {"dT_T0": own, "dT_T0_seen": seen, "U_ph": U_ph, "U_qp": share * U_ph}
    ds = xr.Dataset({name: series(values, time, T=T) for name, values in names.items()})
    return ds.assign_coords(tau_esc=tau_esc)


def test_lead_recovery_near_Tc_follows_its_cube():
    good = lead([900.0, 600.0, 300.0])
    assert pb.recovers(good).verdict is Verdict.NO_COMPARISON  # the paper's text holds no time
    assert pb.recovers(good).text.startswith("2: 900")
    assert pb.faster(good).verdict is Verdict.AGREES
    slow = lead([1300.0, 450.0, 500.0])
    cell = pb.faster(slow)
    assert cell.verdict is Verdict.DIFFERS
    assert cell.text.startswith("falls from 1300")


def test_lead_rises_within_the_probe():
    assert pb.rises(lead([900.0, 600.0, 300.0])).verdict is Verdict.AGREES
    assert pb.rises(lead([900.0, 600.0, 300.0], rise=300.0)).verdict is Verdict.DIFFERS
    assert pb.rises(-lead([900.0, 600.0, 300.0])).verdict is Verdict.DIFFERS


def test_lead_balance_of_share_and_exponent():
    # phonons fall with 550 ps, and so slowly that the signal goes as their power 0.5: 1100 ps
    text = pb.balance(lead([1100.0, 1100.0, 1100.0], exponent=2.0, share=0.1))
    assert "2: 1100, 4: 1100, 7: 1100 ps, with the share 2: 0.1" in text
    assert "exponent 2: 0.5, 4: 0.5, 7: 0.5" in text


def test_lead_depends_on_fluence_and_escape():
    parts = [
        [lead([2 * t, t, t], tau_esc=t).expand_dims(F0=[F0], tau_esc=[t]) for t in (200.0, 500.0)] for F0 in (1, 2)
    ]
    text = pb.hangs(xr.combine_nested(parts, concat_dim=["F0", "tau_esc"], join="outer"))
    assert "F0 = 1, tau_esc = 200: 2: 400" in text
    assert "F0 = 2, tau_esc = 500: 2: 1000" in text


def test_lead_regimes_by_the_share_of_quasiparticles():
    short = lead([200.0, 90.0, 100.0], share=3.0)
    long = lead([900.0, 600.0, 500.0], share=0.1)
    parts = [
        [x.drop_vars("tau_esc").expand_dims(F0=[F0], tau_esc=[t]) for x, t in ((short, 50.0), (long, 500.0))]
        for F0 in (1.0, 2.0)
    ]
    text = pb.regimes(xr.combine_nested(parts, concat_dim=["F0", "tau_esc"], join="outer")).text
    assert text.startswith("the time falls up to 4 to 7 K")
    assert "at 6 of 12 points, elsewhere phonon escape" in text
    assert "tau_esc = 50, F0 = 1: 2: 200, 4: 90, 7: 100 ps, dU_qp / dU_ph from 3 to 3" in text


def hydride(left, half=(0.2, 0.5, 1.2), coarse=0.8, times=(0.1, 1.0)):
    """Signals flat until nearly `half`, then two exponentials down to `left`; a coarser lattice sees less."""
    time = np.concatenate([np.linspace(-0.3, 1.0, 53), np.geomspace(1, 5, 25)[1:]])
    lines = []
    for rest, h in zip(left, half, strict=True):
        s = np.maximum(time - h + 0.02, 0.0)
        slow = rest * np.exp((5 - h) / times[1])
        line = (1 - slow) * np.exp(-s / times[0]) + slow * np.exp(-s / times[1])
        lines.append(-5e-4 * np.where(time < 0, 0.0, line))
    F0, spacing = np.array([2.6, 4.5, 6.2]), np.array([0.25, 0.5])
    fine = np.array(lines)
    late = np.where(time > 4, coarse, 1.0)
    values = np.stack([fine, fine * late], axis=1)
    names = ("dR_R0", "dR_R0_seen")
    ds = xr.Dataset({name: series(values, time, F0=F0, spacing=spacing) for name in names})
    energy = 1000.0 + 0 * ds["dR_R0"]
    absorbed = xr.DataArray([4e3, 7e3, 1e4], dims="F0") + 0 * energy.isel(time=0, drop=True)
    gap = 55.0 * (1 + ds["dR_R0"] / 5e-4)
    return ds.assign(U_qp=0.1 * energy, U_ph=energy, absorbed_energy_density=absorbed, Delta0=gap)


def test_hydride_bottleneck_follows_its_cube():
    cell = lah10.left(hydride([1e-3, 2e-3, 4e-3]))
    assert cell.verdict is Verdict.AGREES
    assert cell.text.startswith("2.6: 0.10 ± 0.02")
    assert lah10.left(hydride([4e-3, 2e-3, 1e-3])).verdict is Verdict.DIFFERS
    # what grows by less than the lattice errs does not count
    assert lah10.left(hydride([1.0e-3, 1.1e-3, 1.2e-3], coarse=0.1)).verdict is Verdict.DIFFERS


def test_hydride_slows_and_opens():
    ds = hydride([1e-3, 1e-3, 1e-3])
    assert lah10.slower(ds).verdict is Verdict.AGREES
    assert lah10.slower(hydride([1e-3, 1e-3, 1e-3], half=(1.2, 0.5, 0.2))).verdict is Verdict.DIFFERS
    text = lah10.opens(ds)
    assert "closes at 3 of 3 F0 and opens once 1.1e+03 to 1.1e+03 meV/nm3 are left of 4e+03 to 1e+04" in text
    assert "closes at 0 of 3 F0" in lah10.opens(ds.assign(Delta0=ds["Delta0"] + 1.0))


def test_hydride_scales_recover_the_times():
    cell = lah10.scales(hydride([1e-3, 1e-3, 1e-3], half=(0.2, 0.3, 0.4)))
    assert cell.verdict is Verdict.AGREES
    assert cell.text.count("0.1 and 1") == 3
    one = hydride([0.0, 0.0, 0.0], half=(0.2, 0.3, 0.4))
    assert lah10.scales(one).verdict is Verdict.DIFFERS


def test_hydride_deciders_are_read_off_their_cubes():
    ds = hydride([1e-3, 0.2, 0.4]).isel(spacing=0, drop=True)
    wide = xr.concat([ds, ds], "tau_esc").assign_coords(tau_esc=[0.5, 2.0])
    both = xr.concat([wide, wide], "material").assign_coords(material=["A", "B"])
    text = lah10.one_escape(both)
    assert text.startswith("One tau_esc for F0 = 2.6, 4.5, 6.2 leaves: A 0.5 ps: below 1, ")
    assert "B 0.5 ps" in text
    assert "failed, failed, failed %" in lah10.one_escape(both * np.nan)
    slabs = xr.concat([ds, 0.5 * ds], "slabs").assign_coords(slabs=[1, 4], tau_esc=2.0)
    assert "tau_esc = 2 ps, leaves in 1 slab: below 1, " in lah10.depth(slabs)
    assert "4 slabs" in lah10.depth(slabs)
