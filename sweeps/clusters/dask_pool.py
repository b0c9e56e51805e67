"""A pool of the workers of a Dask client."""

import contextlib
import dataclasses
import functools
import logging
import os
import pickle
import queue
import socket
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import dask

from ..errors import ClusterError
from ..store.record import unlike, versions
from ..work.limits import THREADS
from ..work.memory import SpentWorkerError
from ..work.pool import Ended, end_of
from ..work.run import run_batch
from ..work.task import Batch

_SAY_S = 1.0
_PATIENCE_S = 60.0

SETTINGS = {
    # The driver counts lost workers per point and alone decides whether to retry.
    "distributed.scheduler.allowed-failures": 0,
    # A worker holds only the batch that it runs, so that its loss is not blamed on another.
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.nanny.pre-spawn-environ": THREADS,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.97,
    # A worker's own pages would be open to every user of its host.
    "distributed.worker.http.routes": [],
    "distributed.admin.tick.limit": "60s",
    # Otherwise a worker that takes longer than this to start again is ended for good.
    "distributed.deploy.lost-worker-timeout": "1h",
    # Dask's logs keep the tasks of their entries: a thousand entries grew the driver by 70 MB.
    "distributed.admin.low-level-log-length": 50,
    # Two samples a second: by default a server grows by some MB until an hour is full.
    "distributed.admin.system-monitor.log-length": 600,
}


@functools.cache
def _versions() -> dict[str, str]:
    return versions()


def _started(topic: str, key: int, pickled: bytes, expected: dict[str, str] | None = None) -> int:
    """Task of the Dask pool: report that the batch began, then run it.

    Args:
        topic: Topic on which its driver listens: for `key` when the batch begins, for the worker's own id when
            that ends because earlier points left too much memory in it.
        key: The batch's key.
        pickled: The batch. A worker that cannot unpickle an argument of a task leaves its scheduler.
        expected: Versions that the worker must have.
    Raises:
        ClusterError: The worker's versions differ from the driver's, which can change during a run.
        ImportError: The worker lacks a class of the batch.
    """
    from distributed import get_worker

    unlike_ours = [] if expected is None else unlike(expected, _versions())
    if unlike_ours:
        wrong = ", ".join(f"{name} {_versions().get(name)}" for name in unlike_ours)
        raise ClusterError(f"versions of a worker on {socket.gethostname()} differ from the driver's: {wrong}")
    try:
        batch: Batch = pickle.loads(pickled)
    except AttributeError as error:
        raise ImportError(str(error)) from error
    worker = get_worker()
    worker.log_event(topic, key)
    if batch.time_s is not None:
        _say_all(worker)
    try:
        return run_batch(batch)
    except SpentWorkerError:
        worker.log_event(topic, worker.id)
        _say_all(worker)
        os._exit(1)  # its nanny starts another


def _say_all(worker: Any) -> None:
    """Wait until the worker has sent its messages: a point may hold the GIL from the start."""

    def turn() -> None:
        done = threading.Event()
        worker.loop.add_callback(done.set)
        done.wait(_SAY_S)

    end = time.monotonic() + _SAY_S
    turn()
    while worker.batched_stream.buffer and time.monotonic() < end:
        time.sleep(0.001)
    turn()


class DaskPool:
    """Runs batches on the workers of a Dask client; every future is released when it ends."""

    own_process = True

    def __init__(
        self, client: Any, *, memory: int | None = None, strict: bool = False, dashboard: str | None = None
    ) -> None:
        self._client = client
        self.memory = memory
        self.dashboard = dashboard
        self.seen: dict[str, Any] = {}
        self.fleet: Any = None
        self._expected = _versions() if strict else None
        self._check: Callable[[], None] | None = None
        self._explain: Callable[[str], str] = lambda worker: ""
        self._taken_words: tuple[str, ...] = ()
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._futures: dict[int, Any] = {}
        self._begun: dict[int, float] = {}
        self._spent: set[str] = set()
        self._lost_with: dict[str, int] = {}
        self._quiet_since = time.monotonic()
        # Another driver on the same scheduler may use the same keys.
        self._topic = uuid.uuid4().hex
        client.subscribe_topic(self._topic, self._hear)

    def _hear(self, event: Any) -> None:
        _, key = event
        if isinstance(key, str):
            self._spent.add(key)
        elif key in self._futures:
            # By this host's clock, since a worker's may be off.
            self._begun[key] = time.monotonic()

    def attend(
        self, check: Callable[[], None], *, explain: Callable[[str], str], taken: tuple[str, ...] = ()
    ) -> None:
        """Between waits, call `check`, which raises if no worker can join; for a lost worker, call `explain`.

        Words of `taken` in an explanation mean that no point is to blame.
        """
        self._check, self._explain, self._taken_words = check, explain, taken

    def memory_report(self) -> dict[str, Any]:
        """Workers connected, and the memory limit of one."""
        workers = list(self._client.scheduler_info(n_workers=-1)["workers"].values())
        return {"workers": len(workers), "memory_MiB": workers[0]["memory_limit"] // 2**20 if workers else None}

    def outstanding(self) -> int:
        """Batches submitted and not finished."""
        return len(self._futures)

    def slots(self) -> int:
        """Threads of all workers, at least one."""
        return max(1, int(sum(self._client.nthreads().values())))

    def running(self) -> int:
        """Batches started and not finished."""
        return len(self._begun)

    def submit(self, key: int, batch: Batch) -> None:
        """Submit the batch to the scheduler."""
        from distributed.protocol.pickle import dumps

        future = self._client.submit(
            _started, self._topic, key, dumps(batch), self._expected, key=f"points-{key}-{self._topic}", pure=False
        )
        self._futures[key] = future
        future.add_done_callback(lambda ended: self._ended.put((key, ended)))

    def wait(self, timeout: float) -> list[Ended]:
        """Batches finished since the last call."""
        out = []
        if self._check:
            self._check()
        with contextlib.suppress(queue.Empty):
            out.append(self._take(*self._ended.get(timeout=timeout)))
            while True:
                out.append(self._take(*self._ended.get_nowait()))
        if out:
            self._quiet_since = time.monotonic()
        elif time.monotonic() - self._quiet_since > 5:
            self._look()
        return out

    def _take(self, key: int, future: Any) -> Ended:
        from distributed import KilledWorker

        self._futures.pop(key, None)
        begun = self._begun.pop(key, None)
        ran = None if begun is None else time.monotonic() - begun
        status = future.status
        error = future.exception() if status == "error" else None
        future.release()
        if status == "finished":
            return Ended(key)
        if self._client.status != "running":
            raise ClusterError("the scheduler is gone. Finished points are kept; run again to continue.")
        if isinstance(error, KilledWorker):
            story = self._explain(str(error.last_worker.name))
            taken = any(word in story for word in self._taken_words)
            # The first batches of a run are assigned two per worker: the second one was only waiting there.
            first = self._lost_with.setdefault(str(error.last_worker.server_id), key)
            innocent = taken or key > first or error.last_worker.server_id in self._spent
            return Ended(key, error, lost=True, ran=ran, story=story, innocent=innocent)
        if error is None:
            return Ended(key, ClusterError(f"the scheduler abandoned a task ({status})"), lost=True, ran=ran)
        return dataclasses.replace(end_of(key, error), ran=ran)

    def _look(self) -> None:
        """Raise if the scheduler or all workers are gone."""
        if self._client.status != "running":
            raise ClusterError("the scheduler is gone. Finished points are kept; run again to continue.")
        try:
            workers = len(self._client.nthreads())
        except Exception as error:
            raise ClusterError(
                f"the scheduler does not answer ({error}). Finished points are kept; run again."
            ) from error
        if workers:
            if time.monotonic() - self._quiet_since > _PATIENCE_S:
                self._quiet_since = time.monotonic()
        elif self._check is None and time.monotonic() - self._quiet_since > _PATIENCE_S:
            raise ClusterError(
                f"no worker for {_PATIENCE_S:.0f} s. Finished points are kept; run again to continue."
            )

    def describe(self) -> dict[str, Any]:
        """Scheduler and workers, recorded with the cube; not the dashboard, whose address is secret."""
        found = {"kind": self._client.scheduler.address, "workers": self.slots()}
        return found | ({"jobs_lost": self.fleet.lost, "logs": str(self.fleet.logs)} if self.fleet else {})


_settling = threading.Lock()
_settled = contextlib.ExitStack()
_holders = 0


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """Dask's settings and muted logs while any pool of this process is open.

    Both belong to the process, not to a thread: the first of two pools of a server to close leaves them to the
    other.
    """
    global _holders
    import distributed  # noqa: F401  its defaults, which would leave with the settings

    with _settling:
        if not _holders:
            _settled.enter_context(dask.config.set(SETTINGS))
            _settled.enter_context(_quiet())
        _holders += 1
    try:
        yield
    finally:
        with _settling:
            _holders -= 1
            if not _holders:
                _settled.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence Dask's messages about lost workers: the driver reports them once, with the point.

    The warning that the dashboard's first port is taken is ignored from then on.
    """
    # `catch_warnings` in one thread of a server would undo that of another.
    warnings.filterwarnings("ignore", message="Port .* is already in use")
    names = (
        "distributed.nanny",
        "distributed.scheduler",
        "distributed.worker",
        "distributed.core",
        "distributed.client",
        "distributed.comm",
        "distributed.http.proxy",
    )
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
