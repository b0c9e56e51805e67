"""A depth axis in the cube, its labels and pictures, and sweeps in which it would have no one meaning."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.figures import pictures
from photogap.sweeps.store.place import place

AXES = {"material": ["K3C60"], "F0": [0.1, 0.3], "omega_pump": 170, "T": 30, "tau_esc": 1.0}
SETTINGS = {"spacing": 2.0, "n_times": 5, "thickness": 90.0, "slabs": 3, "depth_profile": True}


def plan_of(axes: dict[str, Any] | None = None, **settings: Any) -> Any:
    return resolve(parse({"name": "x", "axes": AXES | (axes or {}), "settings": SETTINGS | settings}))


def test_depth_is_a_labelled_dim(tmp_path: Any) -> None:
    where = place(tmp_path / "x.zarr")
    report = run(plan_of(), where, workers=0)
    assert report.counts.failed == 0
    ds = xr.open_zarr(where.url)
    assert list(ds.depth.values) == [15.0, 45.0, 75.0]
    assert ds.depth.attrs["units"] == "nm"
    assert ds.Delta0_slab.dims == ("material", "F0", "omega_pump", "T", "tau_esc", "time", "depth")
    assert ds.absorbed_energy_density_slab.dims[-1] == "depth"
    profile = ds.absorbed_energy_density_slab.squeeze()
    assert (profile.diff("depth") < 0).all()
    np.testing.assert_allclose(profile.mean("depth"), ds.absorbed_energy_density.squeeze(), rtol=1e-12)
    at_end = pictures.curves(ds, "depth", "F0", "U_qp_slab", {"time": 0.7})
    np.testing.assert_array_equal(at_end, ds.U_qp_slab.squeeze().isel(time=-1))
    out = pictures.plot(ds, tmp_path / "x.png", x="time", hue="depth", y="U_qp_slab", at={"F0": 0.3})
    assert out.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("axes", "settings", "message"),
    [
        (
            {"slabs": [3, 6]},
            {},
            r"`axes.slabs`: all points of a cube share `depth`; move its settings from the axes to `settings`",
        ),
        ({"thickness": [90, 80]}, {}, r"`axes.thickness`: all points of a cube share `depth`"),
        ({"slabs": [1]}, {}, r"`settings.depth_profile`: `depth_profile` needs `slabs` above 1"),
        (
            {"slabs": [3, 1], "phonon_velocity": [0, 3]},
            {"depth_profile": False},
            r"`axes.slabs and axes.phonon_velocity`: `phonon_velocity` above 0 needs `slabs` above 1",
        ),
        ({}, {"slabs": 1}, r"`settings`: `depth_profile` needs `slabs` above 1 and a finite `thickness`"),
    ],
)
def test_slabs_that_differ_label_no_one_depth(axes: dict[str, Any], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan_of(axes, **settings)
