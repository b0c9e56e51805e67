"""Recovery times come back from exponentials with known times and noise, within the errors that are stated."""

import numpy as np
import pytest
import xarray as xr

from photogap.sweeps.analysis import Found, recovery_times

TIME = np.linspace(-5, 60, 261)
TAU = (2.0, 15.0)


def recovering(T, time, **_):
    """A gap of 1.3 meV, suppressed at t = 0, that comes back with two times, the slow one growing with T."""
    slow = TAU[1] * T / 4
    back = 0.5 * np.exp(-time / TAU[0]) + 0.3 * np.exp(-time / slow)
    return 1.3 - xr.where(time < 0, 0.0, back)


def noisy(ds, sigma, seed=0):
    rng = np.random.default_rng(seed)
    return ds.assign(Delta0=ds["Delta0"] + sigma * rng.standard_normal(ds["Delta0"].shape)).assign_attrs(ds.attrs)


def restored(ds, like):
    ds["Delta0"].attrs = like["Delta0"].attrs
    return ds


def test_two_times_without_noise_are_exact(cube, failed, labelled):
    ds = failed(cube(recovering, TIME, T=[2.0, 4.0, 6.0]), T=1)
    out = recovery_times(ds, exponentials=2).squeeze()
    np.testing.assert_allclose(out["tau"].sel(component=1).values, [2, np.nan, 2], rtol=1e-6)
    np.testing.assert_allclose(out["tau"].sel(component=2).values, [7.5, np.nan, 22.5], rtol=1e-6)
    np.testing.assert_allclose(out["amplitude"].isel(T=0).values, [-0.5, -0.3], rtol=1e-6)
    np.testing.assert_allclose(out["offset"].values, [1.3, np.nan, 1.3], rtol=1e-6)
    assert out["outcome"].values.tolist() == [Found.FOUND, Found.NO_DATA, Found.FOUND]
    labelled(out)
    assert out["tau"].attrs["units"] == "ps"


def test_stated_errors_are_the_scatter_of_the_answers(cube):
    """Over 60 draws of noise, (fit - truth) / error has mean 0 and width 1, within its sampling error."""
    draws = cube(lambda T, F0, **k: recovering(4.0, **k) + 0 * T * F0, TIME, F0=np.arange(1, 61))
    out = recovery_times(restored(noisy(draws, 0.01), draws), exponentials=2, start=0.0).squeeze()
    pull = (out["tau"] - xr.DataArray(list(TAU), dims="component")) / out["tau_error"]
    assert (out["outcome"] == Found.FOUND).all()
    # 60 draws: the mean is known to 0.13 and the width to 0.09; four of these each.
    assert (abs(pull.mean("F0")) < 4 * 0.13).all()
    assert (abs(pull.std("F0") - 1) < 4 * 0.09).all()
    assert out["residual_rms"].mean().item() == pytest.approx(0.01, rel=0.05)


def test_one_time_and_the_criterion_that_tells_one_from_two(cube):
    def once(time, **_):
        return 1.3 - xr.where(time < 0, 0.0, 0.5 * np.exp(-time / 8.0))

    single, double = cube(once, TIME), cube(recovering, TIME, T=[4.0])
    for ds, better in ((single, 1), (double, 2)):
        noise = restored(noisy(ds, 0.005), ds)
        bic = {n: recovery_times(noise, exponentials=n)["bic"].item() for n in (1, 2)}
        # A fit of two times to one is degenerate: it states no numbers.
        assert better == 1 if np.isnan(bic[2]) else min(bic, key=bic.get) == better
    one = recovery_times(restored(noisy(single, 0.005), single))
    assert abs(one["tau"].item() - 8) < 4 * one["tau_error"].item()


def test_decay_of_a_light_induced_gap(cube):
    ds = cube(lambda time, **_: xr.where(time < 0, 0.0, 1.7 * np.exp(-time / 0.9)), np.linspace(-1, 4, 101))
    out = recovery_times(ds, offset="initial")
    assert out["tau"].item() == pytest.approx(0.9, rel=1e-6)
    assert (out["offset"].item(), out["t_start"].item()) == (0.0, 0.0)


def test_out_of_core_and_unsorted_give_the_same(cube, unsorted):
    ds = cube(recovering, TIME, T=[2.0, 3.0, 4.0, 6.0])
    lazy = recovery_times(ds.chunk({"time": 50, "T": 1}), exponentials=2)
    assert lazy["tau"].chunks is not None
    whole = recovery_times(ds, exponentials=2)
    xr.testing.assert_allclose(lazy.compute(), whole)
    xr.testing.assert_allclose(recovery_times(unsorted(ds, "T"), exponentials=2).sortby("T"), whole)


def test_time_outside_the_window_is_nan(cube):
    ds = cube(lambda time, **_: 1.0 - xr.where(time < 0, 0.0, np.exp(-time / 5000.0)), TIME)
    out = recovery_times(restored(noisy(ds, 0.01), ds))
    assert out["outcome"].item() == Found.UNDETERMINED
    assert np.isnan(out["tau"].item())
    flat = recovery_times(cube(lambda **_: 1.0, TIME))
    assert flat["outcome"].item() == Found.NO_DATA


def test_bad_arguments(cube):
    ds = cube(recovering, TIME)
    with pytest.raises(ValueError, match=r"`exponentials` must be 1 or 2. Got 3"):
        recovery_times(ds, exponentials=3)
    with pytest.raises(ValueError, match=r"`offset` must be one of free, initial. Got 'zero'"):
        recovery_times(ds, offset="zero")
