"""Recovery by energy balance: exact for exponentials, with the unit and the axes of the cube."""

import numpy as np
import pytest
import xarray as xr

from photogap.sweeps.analysis import escape_balance

TIME = np.linspace(0, 1000, 101)


@pytest.mark.parametrize(("share", "exponent"), [(0.1, 1.0), (3.0, 0.5)])
def test_balance_gives_the_time_of_an_exponential(share, exponent):
    """U_ph falls with tau_esc (1 + share); the signal, its power, is slower by the exponent."""
    tau_esc = xr.DataArray([100.0, 500.0], dims="tau_esc", coords={"tau_esc": [100.0, 500.0]})
    time = xr.DataArray(TIME, dims="time", coords={"time": TIME}, attrs={"units": "ps"})
    U_ph = np.exp(-time / (tau_esc * (1 + share)))
    ds = xr.Dataset({"U_ph": U_ph, "U_qp": share * U_ph, "dT_T0": -1e-3 * U_ph**exponent})
    ds["time"].attrs["units"] = "ps"
    found = escape_balance(ds, "dT_T0", start=205.0)
    np.testing.assert_allclose(found["share"], share, rtol=1e-12)
    np.testing.assert_allclose(found["exponent"], exponent, rtol=1e-12)
    np.testing.assert_allclose(found["tau"], tau_esc * (1 + share) / exponent, rtol=1e-12)
    assert found["tau"].attrs["units"] == "ps"


def test_a_start_after_the_record_raises():
    time = xr.DataArray([0.0, 1.0], dims="time", coords={"time": [0.0, 1.0]}, attrs={"units": "ps"})
    ds = xr.Dataset({"U_ph": time, "U_qp": time, "Delta0": time}).assign_coords(tau_esc=1.0)
    with pytest.raises(ValueError, match=r"`start` must be before the record's last time, 1 ps. Got 5.0."):
        escape_balance(ds, start=5.0)


def test_a_signal_that_changes_its_sign_has_no_exponent():
    """Nor a warning: `dT_T0` may be noise of either sign at the end of a long record."""
    t = np.linspace(0.0, 100.0, 11)
    ds = xr.Dataset(
        {name: ("time", values, {"units": "1"}) for name, values in {
            "U_qp": 2.0 * np.exp(-t / 20.0), "U_ph": np.exp(-t / 20.0), "signal": 0.5 - t / 100.0,
        }.items()},
        coords={"time": ("time", t, {"units": "ps"}), "tau_esc": 10.0},
    )  # fmt: skip
    found = escape_balance(ds, "signal", start=10.0)
    assert np.isnan(found["exponent"])
    assert np.isnan(found["tau"])
    assert float(found["share"]) == pytest.approx(2.0)
