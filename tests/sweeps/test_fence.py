"""A driver suspended at any step of a write, while another takes the store and completes it, changes nothing."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from photogap.sweeps.drive import flow
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.drive.verify import verify
from photogap.sweeps.errors import BusyError
from photogap.sweeps.store import blobs, layout, lock
from photogap.sweeps.store.place import place
from support.cubes import physics
from support.driving import go, plan_of

AXES = {"F0": [float(i) for i in range(1, 9)]}
STEPS = ("before the temporary file", "before the check", "before the rename")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """One shard, packed after every batch; a first driver's claim that nobody renews; locks without effect."""
    monkeypatch.setattr(layout, "SHARD_POINTS", 8)
    monkeypatch.setattr(layout, "SUMMARY_POINTS", 8)
    monkeypatch.setattr(flow, "PACK_S", 0.0)
    monkeypatch.setattr(lock, "RENEW_S", 1e6)
    monkeypatch.setattr(lock, "WATCH_S", 0.0)
    monkeypatch.setattr(lock.fcntl, "flock", lambda file, how: None)


class Sleep:
    """Work of others at one moment of a driver: at one step of the second write to a file."""

    def __init__(self, patch: pytest.MonkeyPatch, step: str, name: str, others: Callable[[], Any]) -> None:
        self._others, self._name, self._step, self.times = others, name, step, 0
        self._temporary, self._replace, self.slept = blobs._temporary, Path.replace, False
        patch.setattr(blobs, "_temporary", self.temporary)
        patch.setattr(Path, "replace", lambda old, new: self.replace(old, new))

    @contextlib.contextmanager
    def temporary(self, path: Path, data: bytes) -> Iterator[Path]:
        self.times += path.as_posix().endswith(f"a.zarr/{self._name}")
        self.moment(STEPS[0])
        with self._temporary(path, data) as found:
            self.moment(STEPS[1])
            yield found

    def replace(self, old: Path, new: Path) -> Path:
        self.moment(STEPS[2])
        return self._replace(old, new)

    def moment(self, step: str) -> None:
        if self.times == 2 and step == self._step and not self.slept:
            self.slept = True
            self._others()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", ["Delta0/c/0/0/0/0/0/0", "status/c/0/0/0/0/0", "zarr.json"])
def test_a_driver_that_slept_in_a_write_puts_back_no_old_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, name: str
) -> None:
    go(tmp_path, "calm.zarr", AXES)
    target = place(tmp_path / "a.zarr")
    seen: list[dict[Path, bytes]] = []

    def files() -> dict[Path, bytes]:
        return {p: p.read_bytes() for p in target.path.rglob("*") if p.is_file() and p.suffix != blobs.PARTIAL}

    def others() -> None:
        assert run(plan_of(AXES), target, workers=0).counts.done == 8
        seen.append(files())

    with monkeypatch.context() as patch:
        Sleep(patch, step, name, others)
        with pytest.raises(BusyError, match="already drives"):
            run(plan_of(AXES), target, workers=0)
    assert len(seen) == 1, "it slept"
    assert files() == seen[0]
    assert not list(target.path.rglob(f"*{blobs.PARTIAL}"))
    assert verify(target)["problems"] == []
    xr.testing.assert_identical(physics(target.path), physics(tmp_path / "calm.zarr"))


def test_a_driver_that_slept_before_a_removal_puts_the_cube_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(tmp_path, "a.zarr", AXES)
    target, real, slept = place(tmp_path / "a.zarr"), Path.rename, []

    def rename(old: Path, new: Path) -> Path:
        if old == target.path and not slept:
            slept.append(old)
            run(plan_of(AXES), target, workers=0)
        return real(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(BusyError, match="already drives"):
            run(plan_of(AXES), target, workers=0, recompute=True)
    assert slept
    assert verify(target)["problems"] == []
    assert run(plan_of(AXES), target, workers=0).counts.computed == 0


def test_points_that_failed_have_chunks_too(tmp_path: Path) -> None:
    """No chunk is deleted where a block holds nothing but NaN: a suspended driver would delete a later one."""
    target = place(tmp_path / "a.zarr")
    run(plan_of(AXES, settings={"fault": "raise"}), target, workers=0)
    assert list((target.path / "Delta0" / "c").rglob("*"))
