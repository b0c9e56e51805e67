"""A cube is opened sorted, its failed points masked and counted."""

import json
import warnings

import numpy as np
import pytest
import xarray as xr
import zarr

from photogap.sweeps.analysis import failures, open_cube, peak_gap
from photogap.sweeps.errors import StoreError
from photogap.sweeps.store.place import place

TIME = np.linspace(-0.5, 0.5, 11)


@pytest.fixture
def stored(cube, failed, unsorted, tmp_path):
    ds = unsorted(cube(lambda F0, T, **_: F0 + T, TIME, F0=[1, 2, 3, 4], T=[30, 60]), "F0")
    ds = failed(ds, F0=0, T=1)
    # A point marked for another computation keeps its old numbers in the store.
    ds["status"][{"F0": 1, "T": 0}] = "missing"
    path = tmp_path / "cube.zarr"
    ds["Delta0"] = ds["Delta0"].chunk({"F0": 1})
    ds.to_zarr(path, zarr_format=3, consolidated=False)
    with warnings.catch_warnings():
        # Consolidated metadata are not yet part of Zarr v3's specification; cubes have them all the same.
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(path)
    return path


def test_axes_are_sorted_and_values_follow_their_labels(stored):
    ds = open_cube(stored)
    assert list(ds["F0"].values) == [1, 2, 3, 4]
    ok = ds["status"].values == "ok"
    expected = (ds["F0"] + ds["T"]).broadcast_like(ds["status"]).transpose(*ds["status"].dims).values
    np.testing.assert_array_equal(ds["Delta0"].isel(time=0).values[ok], expected[ok])


def test_points_that_are_not_ok_are_masked_and_counted(stored):
    ds = open_cube(stored)
    bad = ds["status"].values != "ok"
    assert bad.sum() == 2
    assert np.isnan(ds["Delta0"].values[bad]).all()
    assert (ds.attrs["points"], ds.attrs["points_ok"]) == (8, 6)
    assert json.loads(ds.attrs["points_not_ok"]) == {"missing": 1, "not_converged": 1}
    assert ds["Delta0"].attrs["units"] == "meV"


def test_failures_by_label_of_an_axis(stored):
    counts = failures(open_cube(stored), "T")
    assert counts.sel(status="not_converged").values.tolist() == [0, 1]
    assert int(counts.sum()) == 8


def test_cube_is_lazy_and_stays_lazy(stored):
    ds = open_cube(stored)
    assert ds["Delta0"].chunks is not None
    assert peak_gap(ds).chunks is not None


def test_place_and_url_open_the_same_cube(stored):
    by_path = open_cube(stored).compute()
    for same in (place(stored), str(stored), f"file://{stored}"):
        xr.testing.assert_identical(by_path, open_cube(same).compute())


def test_object_store_opens_the_same_cube(stored):
    bucket = place("memory://analysis/cube.zarr")
    ds = xr.open_zarr(stored, chunks=None).load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.drop_encoding().to_zarr(bucket.zarr(), zarr_format=3, consolidated=True)
    by_url = open_cube("memory://analysis/cube.zarr")
    assert by_url["Delta0"].chunks is not None
    xr.testing.assert_identical(by_url.compute(), open_cube(stored).compute())


def test_chunks_stored_given_or_none(stored):
    assert open_cube(stored)["Delta0"].chunksizes["F0"] == (1, 1, 1, 1)
    assert open_cube(stored, chunks={"F0": 2})["Delta0"].chunksizes["F0"] == (2, 2)
    assert open_cube(stored, chunks=None)["Delta0"].chunks is None


def test_missing_cube_raises(tmp_path):
    for nowhere in (tmp_path / "nothing", "memory://nothing"):
        with pytest.raises(StoreError, match=r"No cube at .*nothing"):
            open_cube(nowhere)


def test_foreign_group_and_unknown_axis_raise(stored, tmp_path):
    xr.Dataset({"a": ("x", [1.0])}).to_zarr(tmp_path / "foreign.zarr", zarr_format=3, consolidated=False)
    with (
        pytest.raises(StoreError, match=r"`store` must be a cube\. Got .*foreign.*no `status`"),
        pytest.warns(RuntimeWarning, match="consolidated"),
    ):
        open_cube(tmp_path / "foreign.zarr")
    with pytest.raises(ValueError, match=r"`dim` must be one of material.* Got 'X'"):
        failures(open_cube(stored), "X")
