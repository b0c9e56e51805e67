"""Removal that is killed at every step, lost roots, and cubes of another config in the same place."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from photogap.sweeps.drive.sweep import run
from photogap.sweeps.errors import StoreError
from photogap.sweeps.store import removal
from photogap.sweeps.store.blobs import LocalBlobs
from photogap.sweeps.store.cube import Cube
from photogap.sweeps.store.place import Place, place
from support.cubes import physics
from support.driving import go, plan_of

OTHER = {"settings": {"rtol": 1e-4, "n_times": 9}}


class Killed(BaseException):
    """Stands for kill -9: nothing that the driver does on errors runs on it."""


class Fuse:
    """Kills at the n-th change of the file system."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
        self.left = steps
        for owner, name in (
            (LocalBlobs, "put"),
            (Path, "unlink"),
            (Path, "rename"),
            (removal.shutil.os, "unlink"),
            (removal.shutil.os, "rmdir"),
        ):
            monkeypatch.setattr(owner, name, self._guarded(getattr(owner, name)))

    def _guarded(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise Killed
            return change(*args, **more)

        return step


def without_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for object stores, mount points and links."""
    monkeypatch.setattr(removal, "_set_aside", lambda place: False)


@pytest.mark.parametrize("rename", [True, False])
def test_a_killed_removal_leaves_the_whole_cube_or_none(tmp_path: Path, rename: bool) -> None:
    axes = {"F0": [1.0, 2.0]}
    go(tmp_path, "old.zarr", axes)
    go(tmp_path, "new.zarr", axes, **OTHER)
    old, new = physics(tmp_path / "old.zarr"), physics(tmp_path / "new.zarr")
    whole, steps, killed = 0, 0, True
    while killed:
        target = place(tmp_path / f"{steps}.zarr")
        shutil.copytree(tmp_path / "old.zarr", target.path)
        target.blobs.put("parts/0", b"")
        with pytest.MonkeyPatch.context() as patch:
            if not rename:
                without_rename(patch)
            Fuse(patch, steps)
            try:
                removal.remove(target)
                killed = False
            except Killed:
                pass
        if target.exists():
            whole += 1
            xr.testing.assert_identical(physics(target.path), old)
            assert go(tmp_path, target.path.name, axes).counts.computed == 0
        else:
            assert go(tmp_path, target.path.name, axes, **OTHER).counts.computed == 2
            xr.testing.assert_identical(physics(target.path), new)
        assert {e.name for e in target.state.iterdir()} <= {"lock", "log.sqlite", "parts", "root"}
        steps += 1 if steps < 6 else 20  # the end of the cube is among the first
    assert 1 <= whole < steps, "killed before and after the end of the cube"


@pytest.mark.parametrize("change", [{}, OTHER])
def test_data_without_a_root_are_refused(tmp_path: Path, change: dict[str, Any], tally: Any) -> None:
    go(tmp_path, "a.zarr")
    (tmp_path / "a.zarr" / "zarr.json").unlink()
    before = {p: p.read_bytes() for p in (tmp_path / "a.zarr").rglob("*") if p.is_file()}
    with pytest.raises(StoreError, match=r"a\.zarr has data .* but no zarr\.json.* --recompute"):
        go(tmp_path, "a.zarr", **change)
    assert {p: p.read_bytes() for p in (tmp_path / "a.zarr").rglob("*") if p.is_file()} == before
    assert len(tally()) == 3
    report = run(plan_of(**change), place(tmp_path / "a.zarr"), workers=0, recompute=True)
    assert report.counts.computed == 3


def test_ended_points_of_another_identity_are_refused(tmp_path: Path) -> None:
    go(tmp_path, "a.zarr")
    cube = Cube(place(tmp_path / "a.zarr"))
    ids = cube.array("point_id")
    ids[0, 1] = ids[0, 0]
    with pytest.raises(StoreError, match=r"1 of 3 finished points .* another config or are damaged.*F0=1\.0"):
        go(tmp_path, "a.zarr")
    cube.forget([(0, 1, 0, 0, 0)])
    assert go(tmp_path, "a.zarr").counts.computed == 1


def test_metadata_of_a_killed_creation_are_not_mixed_with_a_new_cube(tmp_path: Path) -> None:
    def begun(target: Place) -> set[str]:
        return set(target.objects.keys())

    plain, target = place(tmp_path / "plain.zarr"), place(tmp_path / "a.zarr")
    run(plan_of(), plain, workers=0)
    target.objects.put("f/zarr.json", b'{"node_type": "array"}')
    run(plan_of(), target, workers=0)
    assert begun(target) == begun(plain)


def test_a_link_to_a_cube_stays_a_link(tmp_path: Path) -> None:
    go(tmp_path, "disk/a.zarr")
    (tmp_path / "a.zarr").symlink_to(tmp_path / "disk" / "a.zarr")
    run(plan_of(), place(tmp_path / "a.zarr"), workers=0, recompute=True)
    assert (tmp_path / "a.zarr").is_symlink()
    xr.testing.assert_identical(physics(tmp_path / "disk" / "a.zarr"), physics(tmp_path / "a.zarr"))
