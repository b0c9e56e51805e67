"""Peak gap, its duration and slopes against formulas."""

import numpy as np
import pytest

from photogap.sweeps.analysis import peak_gap, slope, time_above

TIME = np.linspace(-1.0, 1.0, 201)


def triangle(F0, time, **_):
    return F0 * (1 - abs(time)).clip(0)


def test_peak_is_the_largest_value_and_failed_points_stay_nan(cube, failed):
    ds = failed(cube(triangle, TIME, F0=[1, 2, 3]), F0=1)
    peak = peak_gap(ds).squeeze()
    np.testing.assert_array_equal(peak.values, [1, np.nan, 3])
    assert peak.attrs == {"units": "meV", "long_name": "largest gap at zero energy"}


def test_duration_of_a_triangle_is_exact(cube, failed, labelled):
    ds = failed(cube(triangle, TIME, F0=[0.25, 1, 2, 3]), F0=3)
    out = time_above(ds, 0.505)
    # Piecewise linear in time, so interpolation is exact: 2 (1 - 0.505 / F0).
    np.testing.assert_allclose(out["duration"].squeeze().values[:3], [0, 0.99, 1.495], rtol=1e-12)
    assert np.isnan(out["duration"].squeeze().values[3])
    assert (out["outlasts"].squeeze().values[:3] == 0).all()
    labelled(out)


def test_duration_cut_off_by_the_window_is_a_lower_bound(cube):
    ds = cube(lambda time, **_: (time > 0).astype(float), TIME)
    assert float(time_above(ds, 0.5)["outlasts"].squeeze()) == 1


@pytest.mark.parametrize("chunks", [{"F0": 1}, {"time": 20, "F0": 2}])
def test_out_of_core_gives_the_same(cube, chunks):
    ds = cube(triangle, TIME, F0=[0.25, 1, 2, 3])
    lazy = time_above(ds.chunk(chunks), 0.505)
    assert lazy["duration"].chunks is not None
    np.testing.assert_array_equal(lazy["duration"].values, time_above(ds, 0.505)["duration"].values)
    np.testing.assert_array_equal(peak_gap(ds.chunk(chunks)).values, peak_gap(ds).values)


def test_exponent_of_a_power_law(cube, failed):
    F0 = np.geomspace(0.1, 10, 9)
    ds = failed(cube(lambda F0, **_: 2 * F0**0.5, TIME, F0=F0), F0=4)
    exponent = slope(peak_gap(ds), "F0", scale="loglog").squeeze()
    good = np.delete(exponent.values, 4)
    np.testing.assert_allclose(good, 0.5, rtol=1e-12)
    assert np.isnan(exponent.values[4])
    assert exponent.attrs["units"] == "1"


def test_linear_slope_is_exact_for_a_parabola_and_carries_units(cube):
    F0 = np.array([0.1, 0.3, 1.0, 2.0])
    ds = cube(lambda F0, **_: F0**2, TIME, F0=F0).chunk({"F0": 1})
    out = slope(peak_gap(ds), "F0")
    assert out.chunks is not None
    np.testing.assert_allclose(out.squeeze().values, 2 * F0, rtol=1e-12)
    assert out.attrs["units"] == "meV (mJ cm^-2)^-1"


def test_slope_leaves_an_infinite_label_out_and_one_value_gives_nan(cube):
    ds = cube(lambda tau_esc, **_: 3 * tau_esc.where(np.isfinite(tau_esc), 0), TIME, tau_esc=[1, 2, np.inf])
    np.testing.assert_allclose(slope(peak_gap(ds), "tau_esc").squeeze().values, [3, 3, np.nan])
    assert np.isnan(slope(peak_gap(ds), "T").values).all()


def test_errors_name_argument_rule_and_value(cube):
    ds = cube(triangle, TIME)
    with pytest.raises(ValueError, match=r"`variable` must be one of Delta0, status. Got 'gap'"):
        peak_gap(ds, "gap")
    with pytest.raises(ValueError, match=r"`scale` must be one of linear, log, loglog. Got 'x'"):
        slope(peak_gap(ds), "F0", scale="x")
    with pytest.raises(ValueError, match=r"`values` must have the dims F0; select with a list"):
        slope(peak_gap(ds).isel(F0=0), "F0")


def test_slope_of_a_cube_out_of_order_is_that_of_the_sorted_one(cube, unsorted, labelled):
    ds = cube(triangle, TIME, F0=[1, 2, 4, 7])
    found = slope(peak_gap(unsorted(ds, "F0")), "F0")
    np.testing.assert_allclose(found.values, 1, rtol=1e-12)
    labelled(found.to_dataset())


def test_words_are_not_numbers(cube):
    ds = cube(triangle, TIME, F0=[1, 2])
    with pytest.raises(ValueError, match=r"`dim` must be an axis of numbers. Got 'material', which holds film"):
        slope(peak_gap(ds), "material")
    with pytest.raises(ValueError, match=r"`variable` must be a numeric variable. Got 'status'"):
        peak_gap(ds, "status")
