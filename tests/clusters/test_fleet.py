"""What keeps jobs up and lets them go, without a batch system: one that the test moves by hand."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import Client, KilledWorker, LocalCluster, Status

from photogap.sweeps.clusters import dask_pool, local_pool
from photogap.sweeps.clusters.cluster_file import parse
from photogap.sweeps.clusters.dask_pool import DaskPool, settled
from photogap.sweeps.clusters.fleet import Fleet
from photogap.sweeps.clusters.kinds.slurm import Slurm
from photogap.sweeps.clusters.retire import drain
from photogap.sweeps.clusters.spec import JOBS
from photogap.sweeps.clusters.submit import DRIVER, end
from photogap.sweeps.clusters.system import JobState, System
from photogap.sweeps.errors import ClusterError
from photogap.sweeps.private import write_private
from photogap.sweeps.store.place import place
from support.patience import PATIENCE, until


class Hand(System):
    """A batch system whose jobs end when the test says so, and whose answers may be late."""

    def __init__(self) -> None:
        self.submitted: list[str] = []
        self.cancelled: list[str] = []
        self.over: set[str] = set()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def submit(self, script: Path, text: str) -> str:
        self.submitted.append(str(len(self.submitted)))
        job = self.submitted[-1]
        self.may_answer.wait(PATIENCE)
        return job

    def cancel(self, ids: list[str]) -> None:
        self.cancelled += ids

    def states(self, ids: list[str]) -> dict[str, JobState] | None:
        return {i: JobState("running") for i in ids if i not in self.over and i not in self.cancelled}


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


@pytest.mark.parametrize("name", [JOBS, DRIVER])
def test_notes_that_others_may_have_written_end_no_job(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Hand()
    monkeypatch.setattr("photogap.sweeps.clusters.submit.system_named", lambda kind: hand)
    store = place(tmp_path / "a.zarr")
    store.state.mkdir()
    note = store.state / name
    write_private(
        note,
        json.dumps({"kind": "x", "job": "7", "log": "l", "script": "s", "jobs": ["7", "--user=me", "8"]}).encode(),
    )
    note.chmod(0o666)
    said = end(store)
    assert said is not None
    assert f"{str(note)!r} is writable by everyone" in said
    assert not hand.cancelled
    note.chmod(0o600)
    assert end(store) == {JOBS: "cancelled worker jobs 7, 8", DRIVER: "cancelled the driver's job 7"}[name]
    assert hand.cancelled == {JOBS: ["7", "8"], DRIVER: ["7"]}[name]


def test_notes_of_jobs_are_private(fleet: Callable[..., Fleet], tmp_path: Path) -> None:
    jobs = fleet(Hand())
    (tmp_path / "scripts").mkdir()
    jobs._submit()
    assert (tmp_path / JOBS).stat().st_mode & 0o777 == 0o600


class Processes:
    """A cluster of this machine as its keeper sees it."""

    def __init__(self, **nannies: Status) -> None:
        self.workers = {name: SimpleNamespace(status=status) for name, status in nannies.items()}
        self.scheduler = SimpleNamespace(workers={"a": 1})
        self.loop = SimpleNamespace(add_callback=lambda call: call())
        self.scaled: list[int] = []

    def scale(self, count: int) -> None:
        self.scaled.append(count)


def test_worker_processes_whose_restart_failed_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_pool, "_LOOK_S", 0.0)
    cluster = Processes(a=Status.running, b=Status.closed, c=Status.failed, d=Status.starting)
    keeper = local_pool.Keeper(cluster, 4)
    keeper()
    assert (set(cluster.workers), cluster.scaled, keeper.replaced) == ({"a", "d"}, [4], 2)
    whole = Processes(a=Status.running)
    local_pool.Keeper(whole, 1)()
    assert not whole.scaled


def test_a_machine_on_which_no_worker_starts_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_pool, "_LOOK_S", 0.0)
    monkeypatch.setattr(local_pool, "PATIENCE_S", 0.0)
    cluster = Processes(a=Status.running)
    keeper = local_pool.Keeper(cluster, 1)
    keeper()
    cluster.scheduler.workers = {}
    with pytest.raises(ClusterError, match=r"no worker process has started .* Finished points are kept; run again"):
        keeper()
