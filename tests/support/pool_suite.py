"""Contract of `Pool`: a class of tests that each implementation inherits."""

import dataclasses
import itertools
import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.drive.flow import job_of
from photogap.sweeps.errors import ClusterError
from photogap.sweeps.store.parts import decode
from photogap.sweeps.store.place import Place, place
from photogap.sweeps.work.pool import Ended, Pool
from photogap.sweeps.work.task import Batch
from support.driving import plan_of
from support.fake_model import Settings
from support.patience import until


def batch_of(target: Place, pool: Pool, axes: dict[str, Any], **more: Any) -> Batch:
    """One batch of all points of a sweep of the fake model."""
    plan = plan_of(axes)
    labels = [plan.grid.labels(index) for index in plan.grid.indices()]
    jobs = tuple(job_of(plan, each, plan.point_id(each)) for each in labels)
    found = Batch(jobs, plan.config.model, target.url, memory=pool.memory, own_process=pool.own_process)
    return dataclasses.replace(found, **more)


KEYS = itertools.count()
"""Keys of batches; a pool is used by several tests, and no two batches have the same."""


def submit(pool: Pool, batch: Batch) -> int:
    """Hand in a batch; its key."""
    key = next(KEYS)
    pool.submit(key, batch)
    return key


def ends_of(pool: Pool, count: int) -> dict[int, Ended]:
    """So many ends, by their keys; none comes twice."""
    found: list[Ended] = []

    def enough() -> bool:
        found.extend(pool.wait(0.2))
        return len(found) >= count

    until(enough)
    assert pool.wait(0.0) == []
    assert len({ended.key for ended in found}) == len(found) == count
    return {ended.key: ended for ended in found}


def statuses(target: Place) -> list[str]:
    parts = [target.blobs.get(key) for key in list(target.blobs.keys("parts/"))]
    return sorted(decode(part or b"")[0]["status"] for part in parts)


class PoolSuite:
    """Inherit it, and give a fixture `pool`, which is open and has nothing to do."""

    @pytest.fixture(scope="class")
    @classmethod
    def pool(cls) -> Pool:
        raise NotImplementedError

    @pytest.fixture
    def target(self, tmp_path: Path) -> Place:
        return place(tmp_path / "a.zarr")

    def test_batches_leave_once_each_with_their_parts_written(self, pool: Pool, target: Place) -> None:
        keys = [submit(pool, batch_of(target, pool, {"F0": [F0, F0 + 0.5]})) for F0 in (1.0, 2.0, 3.0)]
        assert 0 <= pool.running() <= 3
        found = ends_of(pool, 3)
        assert {key: (e.error, e.lost) for key, e in found.items()} == dict.fromkeys(keys, (None, False))
        assert statuses(target) == ["ok"] * 6
        assert pool.running() == 0

    def test_waiting_for_nothing_returns_nothing(self, pool: Pool) -> None:
        assert pool.wait(0.05) == []

    def test_it_has_a_slot_and_describes_itself_as_json(self, pool: Pool) -> None:
        assert pool.slots() >= 1
        described = pool.describe()
        assert json.loads(json.dumps(described)) == described
        assert {"kind", "workers"} <= described.keys()
        assert pool.dashboard is None or pool.dashboard.startswith("http")

    def test_points_that_fail_are_results_of_their_batch(self, pool: Pool, target: Place) -> None:
        key = submit(pool, batch_of(target, pool, {"F0": [1.0], "fault": ["", "raise", "system exit"]}))
        assert ends_of(pool, 1)[key].error is None
        assert statuses(target) == ["error", "error", "ok"]

    def test_points_already_written_are_not_computed_again(self, pool: Pool, target: Place) -> None:
        written: list[bytes | None] = []
        for _ in range(2):
            key = submit(pool, batch_of(target, pool, {"F0": [1.0]}))
            assert ends_of(pool, 1)[key].error is None
            written += [target.blobs.get(name) for name in list(target.blobs.keys("parts/"))]
        assert len(written) == 2
        assert written[0] == written[1] is not None

    def test_a_batch_that_raises_ends_with_its_error_and_the_pool_goes_on(self, pool: Pool, target: Place) -> None:
        target.state.parent.mkdir(parents=True, exist_ok=True)
        Path(f"{target.path}-blocked.state").write_text("a file where the state's folder would be")
        blocked = place(f"{target.path}-blocked")
        bad = submit(pool, batch_of(blocked, pool, {"F0": [1.0]}))
        good = submit(pool, batch_of(target, pool, {"F0": [1.0]}))
        found = ends_of(pool, 2)
        assert isinstance(found[bad].error, OSError)
        assert not found[bad].lost
        assert (found[good].error, statuses(target)) == (None, ["ok"])

    @pytest.mark.parametrize("model", ["support.no_such_model:MODEL", "support.fake_model:NOTHING", "no_plug_in"])
    def test_a_model_that_cannot_be_imported_blames_no_point(self, pool: Pool, target: Place, model: str) -> None:
        bad = submit(pool, batch_of(target, pool, {"F0": [1.0]}, model=model))
        good = submit(pool, batch_of(target, pool, {"F0": [2.0]}))
        found = ends_of(pool, 2)
        assert isinstance(found[bad].error, ClusterError)
        assert "lacks a package that the points need" in str(found[bad].error)
        assert not found[bad].lost
        assert (found[good].error, statuses(target)) == (None, ["ok"])


class ProcessPoolSuite(PoolSuite):
    """Contract of a pool whose batches run in processes of their own."""

    def test_it_says_so(self, pool: Pool) -> None:
        assert pool.own_process
        assert pool.memory is None or pool.memory > 0

    def test_settings_whose_package_the_workers_lack_blame_no_point(
        self, pool: Pool, target: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = types.ModuleType("of_the_driver_only")
        monkeypatch.setitem(sys.modules, here.__name__, here)
        here.Settings = type("Settings", (Settings,), {"__module__": here.__name__})  # type: ignore[attr-defined]
        batch = batch_of(target, pool, {"F0": [1.0]})
        job = dataclasses.replace(batch.jobs[0], settings=here.Settings())
        key = submit(pool, dataclasses.replace(batch, jobs=(job,)))
        error = ends_of(pool, 1)[key].error
        assert isinstance(error, ClusterError)
        assert "lacks a package that the points need (No module named 'of_the_driver_only')" in str(error)

    def test_a_batch_that_ends_its_process_is_lost_and_the_pool_goes_on(self, pool: Pool, target: Place) -> None:
        key = submit(pool, batch_of(target, pool, {"F0": [1.0], "fault": ["exit"]}))
        found = ends_of(pool, 1)[key]
        assert found.lost, repr(found)
        assert found.error is not None
        assert statuses(target) == []
        key = submit(pool, batch_of(target, pool, {"F0": [2.0]}))
        assert ends_of(pool, 1)[key].error is None
        assert statuses(target) == ["ok"]

    def test_a_point_over_its_time_that_does_not_listen_is_lost(self, pool: Pool, target: Place) -> None:
        key = submit(pool, batch_of(target, pool, {"F0": [1.0], "fault": ["deaf"]}, time_s=0.1))
        found = ends_of(pool, 1)[key]
        assert found.lost, repr(found)
