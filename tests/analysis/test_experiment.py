"""An experiment's file read with its units, compared with every point, and its escape time found within errors."""

import numpy as np
import pytest
import xarray as xr

from photogap.sweeps.analysis import Found, compare, fit_tau_esc, read_experiment

TIME = np.linspace(-1, 20, 211)
TAU = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 8.0, np.inf])
TRUTH = 2.6


def decaying(tau_esc, time, **_):
    return 2 * xr.where(time < 0, 0.0, np.exp(-time / tau_esc))


def measure(sigma, seed=0, stated=True, scale=0.004):
    """A measured decay with the true escape time, in units of its own."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0.1, 15, 80)
    signal = scale * np.exp(-t / TRUTH) + sigma * rng.standard_normal(t.size)
    ds = xr.Dataset({"signal": ("time", signal, {"units": "1", "long_name": "measured dR/R"})}, {"time": t})
    ds["time"].attrs = {"units": "ps", "long_name": "delay"}
    return ds.assign(error=("time", np.full(t.size, sigma))) if stated else ds


@pytest.fixture
def ds(cube):
    return cube(decaying, TIME, tau_esc=TAU)


def test_file_with_other_units_and_order(tmp_path):
    path = tmp_path / "film.csv"
    path.write_text("# a film\ntime (fs), dR/R0 (%), error [1]\n2000, 0.5, 1e-4\n\n1000, 1.5, 2e-4\n")
    out = read_experiment(path)
    np.testing.assert_allclose(out["time"], [1, 2])
    np.testing.assert_allclose(out["signal"], [0.015, 0.005])
    np.testing.assert_allclose(out["error"], [2e-4, 1e-4])
    assert out["time"].attrs["units"] == "ps"
    assert out["signal"].attrs == {"units": "1", "long_name": "measured dR/R0"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time, y (1)\n1, 2\n2, 3\n", r"each column must be `name \(unit\)`.*Got 'time'"),
        ("time (min), y (1)\n1, 2\n2, 3\n", "the unit one of meV, eV, ps, fs, ns"),
        ("time (ps), y (1)\n1, x\n2, 3\n", "each row must contain 2 finite numbers. Got '1, x'"),
        ("time (ps), y (1)\n1, 2\n", "at least two rows"),
    ],
)
def test_refused_files(tmp_path, text, message):
    path = tmp_path / "film.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_experiment(path)


def test_residuals_vanish_at_the_true_point(ds, failed, labelled):
    exact = measure(0.0, stated=False).assign(signal=lambda e: 0.004 * np.exp(-e["time"] / 2.0))
    exact["signal"].attrs = {"units": "1", "long_name": "measured"}
    for normalise in ("fit", "peak"):
        out = compare(failed(ds, tau_esc=4), exact, normalise=normalise).squeeze()
        assert out["rms"].idxmin("tau_esc").item() == 2.0
        assert np.isnan(out["rms"].isel(tau_esc=4).item())
        assert out["used"].isel(tau_esc=0).item() == 80
        labelled(out)
    # The cube's curve is linear between times 0.1 ps apart: (0.1 / 2)^2 / 8 of its value.
    assert abs(out["residual"].sel(tau_esc=2.0)).max().item() < 4e-4
    fitted = compare(ds, exact).squeeze()
    assert fitted["scale"].sel(tau_esc=2.0).item() == pytest.approx(0.002, rel=1e-3)
    assert fitted["scale"].attrs["units"] == "(meV)-1"


def test_labels_outside_the_cube_are_left_out_and_counted(ds):
    late = measure(1e-5).assign_coords(time=np.linspace(10, 30, 80))
    late["time"].attrs = {"units": "ps", "long_name": "delay"}
    out = compare(ds, late).squeeze()
    assert out["used"].isel(tau_esc=0).item() == (np.linspace(10, 30, 80) <= 20).sum()


@pytest.mark.parametrize("stated", [True, False])
def test_escape_time_is_recovered_within_its_errors(ds, labelled, stated):
    fits = [fit_tau_esc(ds, measure(4e-5, seed, stated)).squeeze() for seed in range(20)]
    tau, error = (np.array([f[name].item() for f in fits]) for name in ("tau_esc", "error"))
    statistical = np.array([(f["high"] - f["low"]).item() / 2 for f in fits])
    assert all(f["outcome"].item() == Found.FOUND for f in fits)
    assert (abs(tau - TRUTH) < 3 * error).all()
    # Scatter of 20 draws is known to 16 %; three of these.
    assert tau.std() == pytest.approx(statistical.mean(), rel=0.5)
    labelled(fits[0])


def test_error_of_interpolation_falls_with_a_finer_axis(cube):
    exact = measure(4e-6)
    coarse, fine = (
        fit_tau_esc(cube(decaying, TIME, tau_esc=np.geomspace(0.5, 8, n)), exact).squeeze() for n in (5, 33)
    )
    assert fine["interpolation_error"].item() < coarse["interpolation_error"].item() / 10
    for fit in (coarse, fine):
        assert abs(fit["tau_esc"].item() - TRUTH) < 3 * fit["error"].item()


def test_failed_points_unsorted_axis_and_out_of_core(ds, failed, unsorted):
    data = measure(4e-5)
    whole = fit_tau_esc(ds, data)
    xr.testing.assert_allclose(fit_tau_esc(unsorted(ds, "tau_esc"), data), whole)
    lazy = fit_tau_esc(ds.chunk({"tau_esc": 2, "time": 50}), data)
    assert lazy["tau_esc"].chunks is not None
    xr.testing.assert_allclose(lazy.compute(), whole)
    holed = fit_tau_esc(failed(ds, tau_esc=1), data).squeeze()
    assert abs(holed["tau_esc"].item() - TRUTH) < 3 * holed["error"].item()


def test_answer_outside_the_axis_is_nan(ds):
    data = measure(4e-5)
    short = fit_tau_esc(ds.isel(tau_esc=[0, 1]), data)
    assert short["outcome"].item() == Found.ABOVE_RANGE
    assert (short["low"].item(), short["high"].item()) == (1.0, np.inf)
    assert np.isnan(short["tau_esc"].item())
    assert fit_tau_esc(ds.isel(tau_esc=[2]), data)["outcome"].item() == Found.NO_DATA


def test_units_that_differ_need_a_normalisation(ds):
    with pytest.raises(ValueError, match=r"`normalise` must be fit or peak where units differ"):
        compare(ds, measure(1e-5), normalise="none")
    kelvin = measure(1e-5)
    kelvin["time"].attrs = {"units": "K"}
    with pytest.raises(ValueError, match=r"`experiment` must have time in ps. Got 'K'"):
        compare(ds, kelvin)


def test_wrong_column_and_wrong_experiment_are_refused(ds):
    with pytest.raises(ValueError, match=r"have the name of an axis of the cube's Delta0, .*time.* Got 'delay'"):
        compare(ds, measure(1e-5).rename(time="delay"))
    with pytest.raises(ValueError, match=r"`experiment` must contain `signal`.* Got no variables"):
        fit_tau_esc(ds, xr.Dataset())
