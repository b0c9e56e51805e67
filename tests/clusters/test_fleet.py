"""What keeps jobs up and lets them go, without a batch system: one that the test moves by hand."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import Client, KilledWorker, LocalCluster

from photogap.sweeps.clusters import dask_pool
from photogap.sweeps.clusters.config import parse
from photogap.sweeps.clusters.dask_pool import DaskPool, settled
from photogap.sweeps.clusters.fleet import Fleet
from photogap.sweeps.clusters.kinds.slurm import Slurm
from photogap.sweeps.clusters.retire import drain
from photogap.sweeps.clusters.spec import JOBS
from photogap.sweeps.clusters.system import State, System
from support.patience import PATIENCE, until


class Hand(System):
    """A batch system whose jobs end when the test says so, and whose answers may be late."""

    def __init__(self) -> None:
        self.submitted: list[str] = []
        self.cancelled: list[str] = []
        self.over: set[str] = set()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def submit(self, script: Path) -> str:
        self.submitted.append(str(len(self.submitted)))
        job = self.submitted[-1]
        self.may_answer.wait(PATIENCE)
        return job

    def cancel(self, ids: list[str]) -> None:
        self.cancelled += ids

    def states(self, ids: list[str]) -> dict[str, State] | None:
        return {i: State("running") for i in ids if i not in self.over and i not in self.cancelled}


@pytest.fixture
def fleet(tmp_path: Path) -> Callable[..., Fleet]:
    def make(system: Hand, **more: Any) -> Fleet:
        spec = parse({"kind": "slurm", "jobs": 2, "cores": 1, "memory": "1GB", "poll": "10ms"} | more, "f.yaml")
        assert isinstance(spec, Slurm)
        return Fleet(
            spec, script=str, workers=lambda: [], outstanding=lambda: 9, folder=tmp_path, run="x", system=system
        )

    return make


def test_job_accepted_while_the_fleet_closes_is_cancelled(
    fleet: Callable[..., Fleet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photogap.sweeps.clusters.fleet._CANCEL_S", 0.2)
    hand = Hand()
    jobs = fleet(hand)
    jobs.start()
    assert (tmp_path / JOBS).exists()
    hand.may_answer.clear()
    hand.over = {"0"}
    until(lambda: len(hand.submitted) == 3)
    jobs.close()
    assert hand.cancelled == ["1"]
    hand.may_answer.set()
    jobs._thread.join(PATIENCE)
    assert hand.submitted == ["0", "1", "2"], "no further job is asked for"
    assert hand.cancelled == ["1", "2"]
    assert not (tmp_path / JOBS).exists()


class Work:
    """A batch that ends when a file is there."""

    time_s = 1.0

    def __init__(self, go: Path) -> None:
        self.go = go


def test_two_drivers_on_one_scheduler_receive_only_their_own_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_pool, "run_batch", lambda batch: until(batch.go.exists))
    go = tmp_path / "go"
    with (
        settled(),
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as one,
        Client(cluster, set_as_default=False) as two,
    ):
        first, second = DaskPool(one), DaskPool(two)
        first.submit(0, Work(go))  # type: ignore[arg-type]
        until(lambda: first.running() == 1)
        second.submit(0, Work(go))  # type: ignore[arg-type]
        until(lambda: len(cluster.scheduler.tasks) == 2)
        assert second.wait(0.1) == []
        assert second.running() == 0
        go.touch()
        for pool in (first, second):
            (ended,) = until(lambda pool=pool: pool.wait(0.2))
            assert (ended.key, ended.error, pool.running()) == (0, None, 0)


def test_waiting_batch_of_a_lost_worker_is_not_blamed() -> None:
    pool = DaskPool(SimpleNamespace(status="running", subscribe_topic=lambda topic, handler: None))

    def lost(key: int, process: str) -> bool:
        worker = SimpleNamespace(name="w", server_id=process)
        error = KilledWorker(str(key), worker, 0)
        future = SimpleNamespace(status="error", exception=lambda: error, release=lambda: None)
        ended = pool._take(key, future)
        assert ended.lost
        return not ended.innocent

    assert [lost(0, "a"), lost(2, "a"), lost(1, "b"), lost(3, "c")] == [True, False, True, True]


def test_task_sent_at_the_pause_goes_to_another_worker_without_blame(tmp_path: Path) -> None:
    def wait(begun: Path, go: Path) -> str:
        import time

        from distributed import get_worker

        begun.touch()
        while not go.exists():
            time.sleep(0.01)
        return str(get_worker().name)

    begun, go = tmp_path / "begun", tmp_path / "go"
    with (
        settled(),
        LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        leaving = cluster.workers[0]
        here = {"workers": [leaving.address], "allow_other_workers": True, "pure": False}
        runs = client.submit(wait, begun, go, **here)
        until(begun.exists)
        queued = client.submit(str.upper, "queued", **here)
        until(lambda: queued.key in leaving.state.tasks)
        client.sync(_start, drain, leaving)
        until(lambda: leaving.status.name == "paused")
        go.touch()
        assert runs.result(timeout=PATIENCE) == "0", "what runs is waited for"
        assert queued.result(timeout=PATIENCE) == "QUEUED"
        until(lambda: leaving.status.name == "closed")
        assert len(client.nthreads()) == 1


async def _start(what: Callable[[Any], Any], worker: Any) -> None:
    """Begin a coroutine on the worker's loop, and do not wait for it."""
    worker.loop.add_callback(what, worker)
