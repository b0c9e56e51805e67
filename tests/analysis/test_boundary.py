"""Lines of known shape come back from a map, each with the labels of the other axes."""

import numpy as np
import pytest

from photogap.sweeps.analysis import boundary, existence, peak_gap

TIME = np.linspace(-0.5, 0.5, 11)
F0 = np.geomspace(0.01, 10, 31)
TAU = np.geomspace(0.001, 1, 21)


def wedge(F0, tau_esc, T, time, **_):
    """Exists where F0 tau_esc > 1e-3 T, in any units: straight lines in the logarithms."""
    return (np.log10(F0 * tau_esc) - np.log10(1e-3 * T)) * np.exp(-((time / 0.2) ** 2))


def product(lines):
    value = (lines["F0"] * lines["tau_esc"]).values
    return value[np.isfinite(value)]


def test_level_line_is_exact_where_the_map_is_linear(cube, unsorted):
    ds = unsorted(cube(wedge, TIME, F0=F0, tau_esc=TAU, T=[10.0, 30.0]), "F0")
    lines = boundary(peak_gap(ds), "F0", "tau_esc", 0.5).squeeze()
    assert lines.sizes["line"] == 2
    for i, T in enumerate(lines["T"].values):
        np.testing.assert_allclose(product(lines.isel(line=i)), 1e-3 * T * 10**0.5, rtol=1e-9)
    assert not lines["closed"].any()
    assert lines["F0"].attrs["units"] == "mJ cm^-2"
    assert lines["T"].attrs["units"] == "K"
    assert set(lines["material"].values) == {"film"}


def test_existence_is_known_to_half_a_step(cube):
    peak = peak_gap(cube(wedge, TIME, F0=F0, tau_esc=TAU, T=[10.0])).clip(0).assign_attrs(units="meV")
    lines = existence(peak, "F0", "tau_esc")
    step = np.log(F0[1] / F0[0]) / 2 + np.log(TAU[1] / TAU[0]) / 2
    assert (abs(np.log(product(lines) / 1e-2)) <= step * (1 + 1e-9)).all()


def test_failed_points_break_the_line_without_moving_it(cube, failed):
    ds = cube(wedge, TIME, F0=F0, tau_esc=TAU, T=[10.0])
    # A point on the line's way.
    i = 18
    j = int(np.argmin(abs(TAU - 1e-2 * 10**0.5 / F0[i])))
    whole, broken = (boundary(peak_gap(d), "F0", "tau_esc", 0.5) for d in (ds, failed(ds, F0=i, tau_esc=j)))
    assert broken.sizes["line"] == 2 > whole.sizes["line"]
    np.testing.assert_allclose(product(broken), 1e-2 * 10**0.5, rtol=1e-9)


def test_closed_line(cube):
    def island(omega_pump, T, **_):
        return 1 - ((omega_pump - 100) / 50) ** 2 - ((T - 50) / 30) ** 2

    ds = cube(island, TIME, omega_pump=np.linspace(20, 180, 81), T=np.linspace(5, 95, 46))
    lines = boundary(peak_gap(ds), "omega_pump", "T", 0.0)
    assert lines["closed"].values.tolist() == [True]
    radius = ((lines["omega_pump"] - 100) / 50) ** 2 + ((lines["T"] - 50) / 30) ** 2
    # Linear interpolation of a parabola with steps of 1/25 and 1/15 of the half axes: below 1/15^2 / 4.
    assert abs(radius - 1).max() < 0.0012


def test_empty_boundary_and_infinite_labels(cube):
    one = cube(wedge, TIME, F0=F0)
    assert boundary(peak_gap(one), "F0", "tau_esc", 0.5).sizes["line"] == 0
    ds = cube(lambda F0, **_: np.log(F0), TIME, F0=F0, tau_esc=[0.1, 1.0, np.inf])
    lines = boundary(peak_gap(ds), "F0", "tau_esc", 0.5)
    assert lines["tau_esc"].max().item() == 1.0
    assert boundary(peak_gap(ds), "F0", "tau_esc", 99.0).sizes["line"] == 0


def test_out_of_core_gives_the_same(cube):
    ds = cube(wedge, TIME, F0=F0, tau_esc=TAU, T=[10.0, 30.0])
    lazy = boundary(peak_gap(ds.chunk({"F0": 4, "tau_esc": 5})), "F0", "tau_esc", 0.5)
    np.testing.assert_array_equal(lazy["F0"].values, boundary(peak_gap(ds), "F0", "tau_esc", 0.5)["F0"].values)


def test_axes_must_differ(cube):
    with pytest.raises(ValueError, match=r"`y` must differ from `x`. Got 'F0' for both"):
        boundary(peak_gap(cube(wedge, TIME)), "F0", "F0", 0.5)


def test_a_plane_needs_axes_of_numbers(cube):
    values = peak_gap(cube(wedge, TIME, F0=F0, tau_esc=TAU))
    with pytest.raises(ValueError, match=r"`y` must be an axis of numbers. Got 'material', which holds film"):
        boundary(values, "F0", "material", 0.5)
