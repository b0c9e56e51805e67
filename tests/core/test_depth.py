"""What happens at which depth: profiles over the slabs."""

import numpy as np
import pytest

from photogap.core.result import Outcome, coordinates, variables
from photogap.core.settings import Point, Settings
from photogap.core.simulate import simulate

# 200 nm near the pump's depth of 176 nm; 8 K is half of Tc0
FILM = {"thickness": 200.0, "t_stop": 0.3, "n_times": 7, "spacing": 0.5, "slabs": 3, "depth_profile": True}


def run(material, **settings):
    point = Point(material=material, F0=0.03, omega_pump=170.0, T=8.0, tau_esc=1.0)
    result = simulate(point, Settings(**FILM | settings))
    assert result.outcome is Outcome.OK, result.message
    return result.data


@pytest.fixture(scope="module")
def profile(k3c60):
    return run(k3c60)


def test_a_profile_has_the_schema_s_shapes_and_depths(profile):
    settings = Settings(**FILM)
    assert coordinates(settings)["depth"] == pytest.approx([100 / 3, 100, 500 / 3])
    sizes = {dim: len(values) for dim, values in coordinates(settings).items()}
    assert {v.name for v in variables(settings)} == set(profile)
    for v in variables(settings):
        assert profile[v.name].shape == tuple(sizes[d] for d in v.dims)
        assert np.isfinite(profile[v.name]).all()


def test_the_series_are_the_profile_s_means(profile):
    """To round-off: slabs are equal."""
    for name in ("Delta0", "f_gap", "U_qp", "U_ph"):
        assert profile[f"{name}_slab"].mean(axis=1) == pytest.approx(profile[name], rel=1e-12, abs=1e-15)
    U = profile["absorbed_energy_density_slab"]
    assert U.mean() == pytest.approx(float(profile["absorbed_energy_density"]), rel=1e-12)


def test_light_comes_from_the_first_slab(profile):
    """Nearer to the light more is absorbed, more pairs break, and the gap is smaller."""
    last = {name: profile[f"{name}_slab"][-1] for name in ("Delta0", "n_qp", "U_qp", "U_ph")}
    assert (np.diff(profile["absorbed_energy_density_slab"]) < 0).all()
    assert (np.diff(last["U_qp"] + last["U_ph"]) < 0).all()
    assert (np.diff(last["n_qp"]) < 0).all()
    assert (np.diff(last["Delta0"]) > 0).all()
    # before the pulse nothing depends on the depth
    assert np.ptp(profile["Delta0_slab"][0]) < 1e-9
    assert np.ptp(profile["n_qp_slab"][0]) < 1e-9 * profile["n_qp_slab"][0, 0]


def test_without_a_profile_nothing_changes(k3c60, profile):
    plain = run(k3c60, depth_profile=False)
    assert set(plain) < set(profile)
    assert "depth" not in coordinates(Settings(**FILM | {"depth_profile": False}))
    for name, values in plain.items():
        np.testing.assert_array_equal(values, profile[name])


@pytest.mark.parametrize("settings", [{"slabs": 1}, {"thickness": None}, {"thickness": np.inf}])
def test_a_profile_needs_slabs_of_known_thickness(settings):
    with pytest.raises(ValueError, match=r"`depth_profile` needs `slabs` above 1 and a finite.* Got slabs"):
        Settings(**FILM | settings)
