"""Contract of a place that holds a cube: a class of tests that each kind of place inherits."""

from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from photogap.sweeps.analysis import open_cube
from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import Watch, retry, run
from photogap.sweeps.drive.verify import verify
from photogap.sweeps.errors import BusyError, StoreError
from photogap.sweeps.store import lock, removal
from photogap.sweeps.store.place import ROOT, Place, place
from support.cubes import physics
from support.driving import go, plan_of

AXES = {"F0": [1.0, 2.0, 3.0]}
WIDER = {"F0": [1.0, 2.0, 3.0, 4.0], "T": [30, 60]}
OTHER = {"settings": {"rtol": 1e-4, "n_times": 9}}
FAULTY = {"F0": [1.0, 2.0], "fault": ["", "raise"]}


def computed(target: Place, axes: dict[str, Any], **more: Any) -> int:
    """Points that a run of the fake model computes; all of them end."""
    report = run(plan_of(axes, **more), target, workers=0)
    assert report.reason is None
    return report.counts.computed


def stop_after(points: int) -> Watch:
    """Stops a run once so many points have ended."""
    seen = [0]

    def tell(counts: Any) -> None:
        seen[0] = counts.done

    return Watch(tell=tell, stopped=lambda: "stopped" if seen[0] >= points else None)


class StoreSuite:
    """Inherit it, and give a fixture `target`, a place where nothing is."""

    @pytest.fixture
    def target(self) -> Place:
        raise NotImplementedError

    @pytest.fixture
    def local(self, tmp_path: Path) -> Any:
        """Numbers of the same sweep in a plain folder."""

        def numbers(axes: dict[str, Any], **more: Any) -> xr.Dataset:
            go(tmp_path, "local.zarr", axes, **more)
            return physics(tmp_path / "local.zarr")

        return numbers

    def same(self, target: Place, expected: xr.Dataset) -> None:
        xr.testing.assert_identical(physics(target.zarr(read_only=True)), expected)
        assert not list(target.blobs.keys("parts/")), "all is packed"
        assert verify(target)["problems"] == []

    def test_nothing_is_there_at_first(self, target: Place) -> None:
        assert not target.exists()
        assert not list(target.objects.keys())
        assert not list(target.blobs.keys())
        for look in (status, verify, retry):
            with pytest.raises(StoreError, match=f"No cube at {target.url}"):
                look(target)  # type: ignore[operator]
        assert not target.exists()

    def test_a_sweep_is_the_local_one_resumes_and_grows(self, target: Place, local: Any) -> None:
        assert computed(target, AXES) == 3
        assert target.exists()
        assert computed(target, AXES) == 0
        assert computed(target, WIDER) == 5
        self.same(target, local(WIDER))
        assert status(target)["counts"] == {"ok": 8}

    def test_a_stopped_sweep_keeps_what_ended(self, target: Place, local: Any, tally: Any) -> None:
        stopped = run(plan_of(WIDER), target, workers=0, watch=stop_after(3))
        assert stopped.reason == "stopped"
        assert computed(target, WIDER) == 8 - stopped.counts.done
        assert len(tally()) == 8
        self.same(target, local(WIDER))

    def test_torn_and_stray_parts_are_not_results(self, target: Place, local: Any) -> None:
        plan = plan_of(AXES)
        torn = plan.point_id(plan.grid.labels((0, 1, 0, 0, 0)))
        target.blobs.put(f"parts/{torn}", b"photogap part 1\ntorn")
        target.blobs.put("parts/stray", b"")
        assert computed(target, AXES) == 3
        self.same(target, local(AXES))

    def test_failed_points_are_computed_again(self, target: Place, local: Any, tally: Any) -> None:
        assert computed(target, FAULTY) == 4
        assert status(target)["counts"] == {"ok": 2, "error": 2}
        assert retry(target, workers=0, trust=True).counts.failed == 2
        assert len(tally()) == 6
        self.same(target, local(FAULTY))

    def test_another_config_is_refused_until_it_may_recompute(self, target: Place, local: Any) -> None:
        computed(target, AXES)
        before = physics(target.zarr())
        with pytest.raises(Exception, match="--recompute"):
            computed(target, AXES, **OTHER)
        self.same(target, before)
        assert run(plan_of(AXES, **OTHER), target, workers=0, recompute=True).counts.computed == 3
        self.same(target, local(AXES, **OTHER))

    def test_a_removal_leaves_nothing(self, target: Place) -> None:
        computed(target, AXES)
        target.blobs.put("parts/stray", b"")
        with lock.driver_lock(target):
            removal.remove(target)
        assert not target.exists()
        assert not list(target.objects.keys())
        assert set(target.blobs.keys()) <= {"lock", "log.sqlite"}

    def test_a_removal_killed_after_the_root_is_finished(self, target: Place, local: Any) -> None:
        computed(target, AXES)
        target.blobs.put("removing", b"")
        target.objects.delete([ROOT])
        assert removal.is_under_way(target)
        assert computed(target, AXES, **OTHER) == 3
        self.same(target, local(AXES, **OTHER))

    def test_data_without_a_root_are_no_cube(self, target: Place) -> None:
        computed(target, AXES)
        root = target.objects.get(ROOT)
        target.objects.delete([ROOT])
        before = sorted(target.objects.keys())
        with pytest.raises(StoreError, match=r"has data .* but no zarr\.json"):
            computed(target, AXES)
        assert sorted(target.objects.keys()) == before
        assert verify(target, repair=True)["repaired"]
        assert target.objects.get(ROOT) == root

    def test_a_damaged_chunk_never_reads_as_another_number(self, target: Place, local: Any) -> None:
        computed(target, AXES)
        (key,) = (key for key in target.objects.keys() if key.startswith("Delta0/c/"))  # noqa: SIM118
        data = bytearray(target.objects.get(key) or b"")
        data[len(data) // 3] ^= 1
        target.objects.put(key, bytes(data))
        assert verify(target)["problems"]
        verify(target, repair=True, trust=True)
        assert computed(target, AXES) == 3
        self.same(target, local(AXES))

    def test_one_driver_has_it(self, target: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lock, "RENEW_S", 0.05)
        monkeypatch.setattr(lock, "WATCH_S", 1.0)
        with lock.driver_lock(target) as check:
            with pytest.raises(BusyError, match=f"already drives {target.url}"), lock.driver_lock(target):
                pass
            check()
        if target.is_memory:
            return  # no other host can have it
        with lock.driver_lock(target):
            # The kernel's lock is of another node; the claim is not.
            monkeypatch.setattr(lock, "_is_dead_here", lambda text, alone=False: False)
            with pytest.raises(BusyError, match=f"already drives {target.url}"), lock._Claim(target):
                pass
        target.blobs.put("driver", b'{"host": "elsewhere", "pid": 1, "at": 0}')
        assert computed(target, AXES) == 3

    def test_it_opens_for_analysis(self, target: Place, local: Any) -> None:
        computed(target, AXES)
        if target.is_memory:
            return  # `photogap.run` opens it; no other process can
        found = open_cube(target.url, chunks=None).load()
        xr.testing.assert_equal(found.Delta0, local(AXES).Delta0)


def behind_a_link(folder: Path) -> Place:
    """A place whose cube is reached by a link."""
    (folder / "disk").mkdir()
    (folder / "link").symlink_to(folder / "disk")
    return place(folder / "link" / "a.zarr")
