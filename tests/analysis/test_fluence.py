"""Saturation, threshold and resonance recovered from cubes that have them at known places."""

import numpy as np
import pytest
import xarray as xr

from photogap.sweeps.analysis import Found, peak_gap, resonance, saturation_fluence, threshold_fluence, vanishing

TIME = np.linspace(-0.5, 0.5, 21)
F0 = np.geomspace(0.01, 100, 41)
F_SAT = np.array([0.3, 1.1])


def saturating(F0, T, time, **_):
    """Rises as 1 - exp(-F0 / F_s) with F_s = T / 100 mJ/cm^2."""
    return 2 * (1 - np.exp(-F0 / (T / 100))) * np.exp(-((time / 0.2) ** 2))


def opening(F0, T, time, **_):
    """Zero up to F0 = T / 100, then logarithmic: linear in ln F0."""
    return np.log(F0 / (T / 100)).clip(0) * np.exp(-((time / 0.2) ** 2))


@pytest.fixture(params=["as it is", "unsorted", "failed points", "out of core"])
def fault(request, failed, unsorted):
    return {
        "as it is": lambda ds: ds,
        "unsorted": lambda ds: unsorted(ds, "F0"),
        "failed points": lambda ds: failed(failed(ds, F0=30), F0=5),
        "out of core": lambda ds: ds.chunk({"F0": 3, "time": 7}),
    }[request.param]


def test_saturation_fluence_and_its_interval(cube, fault, labelled):
    out = saturation_fluence(fault(cube(saturating, TIME, F0=F0, T=100 * F_SAT)))
    exact = -np.log(0.05) * F_SAT
    assert (out["F0_low"].values.ravel() <= exact).all()
    assert (out["F0_high"].values.ravel() >= exact).all()
    # Steps are a factor 1.26 (1.58 over a failed point); ln-linear interpolation of the curve is good to 3 %.
    np.testing.assert_allclose(out["F0_saturation"].values.ravel(), exact, rtol=0.03)
    np.testing.assert_allclose(out["largest"].values, 2)
    assert (out["outcome"] == Found.FOUND).all()
    labelled(out)
    assert out["F0_low"].attrs["units"] == "mJ cm^-2"


def test_threshold_fluence_is_exact_where_the_gap_is_logarithmic(cube, fault, labelled):
    out = threshold_fluence(fault(cube(opening, TIME, F0=F0, T=100 * F_SAT)), 0.7)
    exact = F_SAT * np.exp(0.7)
    np.testing.assert_allclose(out["F0_threshold"].values.ravel(), exact, rtol=1e-12)
    assert ((out["F0_low"].values.ravel() < exact) & (exact < out["F0_high"].values.ravel())).all()
    labelled(out)


def test_bracket_contains_the_answer_if_the_gap_is_absent_below(cube):
    out = threshold_fluence(cube(opening, TIME, F0=F0, T=100 * F_SAT), 0.0)
    assert ((out["F0_low"].values.ravel() <= F_SAT) & (out["F0_high"].values.ravel() >= F_SAT)).all()


def test_fit_beyond_the_axis_is_nan(cube):
    ds = cube(saturating, TIME, F0=[0.1, 0.2, 0.3], T=[200.0])
    rising = saturation_fluence(ds)
    assert rising["outcome"].item() == Found.ABOVE_RANGE
    assert np.isnan(rising["F0_saturation"].item())
    assert (rising["F0_low"].item(), rising["F0_high"].item()) == (0.2, np.inf)
    never, always = threshold_fluence(ds, 5.0), threshold_fluence(ds, 1e-9)
    assert (never["outcome"].item(), never["F0_low"].item()) == (Found.ABOVE_RANGE, 0.3)
    assert (always["outcome"].item(), always["F0_high"].item()) == (Found.BELOW_RANGE, 0.1)
    assert np.isnan([never["F0_threshold"].item(), always["F0_threshold"].item()]).all()


def test_an_axis_of_one_value_and_a_cube_without_gap(cube, failed):
    one = cube(saturating, TIME, F0=[1.0])
    assert saturation_fluence(one)["outcome"].item() == Found.NO_DATA
    assert threshold_fluence(one, 0.1)["outcome"].item() == Found.BELOW_RANGE
    dark = cube(lambda **_: 0.0, TIME, F0=F0)
    assert saturation_fluence(dark)["outcome"].item() == Found.NO_DATA
    assert threshold_fluence(failed(one, F0=0), 0.1)["outcome"].item() == Found.NO_DATA


def test_zero_fluence_brackets_the_threshold(cube):
    out = threshold_fluence(cube(lambda F0, **_: F0, TIME, F0=[0.0, 1.0, 2.0]), 0.25)
    assert out["F0_threshold"].item() == pytest.approx(0.25)


def test_resonance_in_the_gap_and_in_the_threshold(cube, failed, labelled):
    omega = np.array([30.0, 40, 50, 55, 60, 80, 120, 170])

    def formula(F0, omega_pump, time, **_):
        threshold = 0.1 + ((omega_pump - 57) / 20) ** 2
        return np.log(F0 / threshold).clip(0) * np.exp(-((time / 0.2) ** 2))

    ds = failed(cube(formula, TIME, F0=np.geomspace(0.01, 1000, 61), omega_pump=omega), omega_pump=6)
    largest, least = (
        resonance(peak_gap(ds.isel(F0=[-1]))),
        resonance(threshold_fluence(ds, 0.2)["F0_threshold"], extremum="min"),
    )
    for out in (largest, least):
        assert out["low"].item() < 57 < out["high"].item()
        labelled(out)
    assert largest["best"].item() == 55
    # The threshold is a parabola in omega_pump, which three points give exactly.
    assert least["resonance"].item() == pytest.approx(57, rel=1e-9)
    assert least["extreme"].attrs["units"] == "mJ cm^-2"


def test_an_extremum_at_the_end_is_no_resonance(cube):
    out = resonance(peak_gap(cube(lambda omega_pump, **_: 1 / omega_pump, TIME, omega_pump=[50, 79, 170])))
    assert out["best"].item() == 50
    assert np.isnan(out["resonance"].item())
    assert (out["low"].item(), out["high"].item()) == (-np.inf, 79)
    assert out["outcome"].item() == Found.BELOW_RANGE
    alone = resonance(peak_gap(cube(lambda **_: 1.0, TIME, omega_pump=[50])))
    assert alone["outcome"].item() == Found.NO_DATA


def test_bad_arguments(cube):
    ds = cube(saturating, TIME)
    with pytest.raises(ValueError, match=r"`fraction` must be between 0 and 1. Got 1.5"):
        saturation_fluence(ds, 1.5)
    with pytest.raises(ValueError, match=r"`extremum` must be one of max, min. Got 'top'"):
        resonance(peak_gap(ds), extremum="top")


def test_vanishing_brackets_the_first_label_without_a_gap():
    values = xr.DataArray(
        [[1.0, 0.5, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]],
        dims=("F0", "share"), coords={"share": [0.0, 0.01, 0.04, 1.0]},
    )  # fmt: skip
    found = vanishing(values, "share")
    np.testing.assert_allclose(found["vanishing"], [0.02, np.nan, np.nan])
    np.testing.assert_allclose(found["low"], [0.01, 1.0, 0.0])
    np.testing.assert_allclose(found["high"], [0.04, np.inf, 0.0])
    assert found["outcome"].values.tolist() == [Found.FOUND, Found.ABOVE_RANGE, Found.BELOW_RANGE]
