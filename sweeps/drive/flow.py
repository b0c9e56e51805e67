"""The driver's loop: a bounded window of batches, each point logged as it ends, whole shards packed."""

import itertools
import logging
import statistics
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ask.axes import Index, Labels
from ..ask.plan import Plan
from ..errors import BusyError, ClusterError, StoreError
from ..status import Status
from ..store.buckets import is_of_bucket
from ..store.cube import MISSING, Cube, Done
from ..store.log import Log
from ..store.parts import TornError, decode
from ..work.batched import POINTS
from ..work.crashes import at_work, crashes, forget
from ..work.limits import GRACE_S
from ..work.pool import Ended, Pool
from ..work.task import PARTS, Batch, Job, write
from ..work.texts import clean, describe

WINDOW = 3
"""Batches in flight per worker thread."""
BATCH_S = 0.25
"""Batches of cheap points are grown until they take about this long."""
BATCH_POINTS = 64
PACK_S = 20.0
"""An incomplete shard is packed at this interval, so that a growing cube shows its points."""
_STORE_TRIES = 4
MEDIANS = 100
"""Time limit of a point, as a multiple of the median, if `limits.time_s` is not given."""
LEAST_LIMIT_S = 60.0
FIRST_LIMIT_S = 6 * 3600.0
"""Wall time of a point before a median is known, s."""
_ENOUGH = 8


@dataclass
class Counts:
    """Progress of a run."""

    total: int = 0
    done: int = 0
    failed: int = 0
    computed: int = 0
    running: int = 0
    lost: int = 0
    limit: float | None = None
    started: float = field(default_factory=time.time)


@dataclass(frozen=True)
class _Todo:
    index: Index
    labels: Labels
    point_id: str


class Flow:
    """One run over a cube.

    Args:
        plan: The sweep, over the cube's own grid.
        cube: The cube.
        log: The driver's log.
        pool: Pool that runs the batches.
        wanted: The points that belong to this run, booleans in the grid's shape.
        tell: Called with the counts, often.
        stopped: Reason to stop, polled often; None to continue.
    """

    def __init__(
        self,
        plan: Plan,
        cube: Cube,
        log: Log,
        pool: Pool,
        *,
        wanted: NDArray[np.bool_],
        tell: Callable[[Counts], None] = lambda counts: None,
        stopped: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.plan, self.cube, self.log, self.pool = plan, cube, log, pool
        self._tell, self._stopped = tell, stopped
        self._blobs = cube.place.blobs
        self._status = cube.status()
        self._again: deque[tuple[_Todo, ...]] = deque()
        self._flying: dict[int, tuple[_Todo, ...]] = {}
        self._given: dict[int, tuple[float | None, str]] = {}
        self._times: deque[float] = deque(maxlen=999)
        self.died = at_work(cube.place.state)
        """Point that an earlier run was computing in its own process when it died; empty if none."""
        self._losses: dict[str, int] = dict(crashes(cube.place.state))
        self._last: dict[str, _Todo] = {}
        self._open: dict[Index, dict[Index, dict[str, Any]]] = {}
        self._keys = itertools.count()
        self._cost: float | None = None
        self._store_faults = 0
        self._packed = time.monotonic()
        self._scalar: Counter[str] = Counter()
        self._missing = wanted & (self._status == MISSING)
        self._left = cube.layout.counts(self._missing)
        """Points still to be computed, by the corner of their shard."""
        done, absent = int((wanted & (self._status == Status.OK)).sum()), int(self._missing.sum())
        self.counts = Counts(total=int(wanted.sum()), done=done, failed=int(wanted.sum()) - done - absent)

    def run(self) -> str | None:
        """Compute the missing points; None if all of them ended, else the reason for stopping."""
        todo = self._todo()
        self._pick_up()
        self._put_last()
        reason: str | None = None
        slots, looked = self.pool.slots(), time.monotonic()
        exhausted = False
        try:
            while reason is None:
                if time.monotonic() - looked > 5:
                    slots, looked = self.pool.slots(), time.monotonic()
                while len(self._flying) < WINDOW * slots and not exhausted:
                    exhausted = not self._submit(todo)
                if not self._flying:
                    if not self._again and not self._last:
                        break
                    exhausted = False
                    continue
                for ended in self.pool.wait(0.2):
                    self._end(ended)
                    exhausted = exhausted and not self._again
                self.counts.running = self.pool.running()
                self._tell(self.counts)
                if time.monotonic() - self._packed > PACK_S:
                    self._pack_all()
                reason = self._stopped()
        except BusyError:
            # Another driver has the store: write nothing more.
            self._flying.clear()
            self._open.clear()
            raise
        finally:
            self._collect()
            self._pack_all()
            if self._scalar:
                self.log.event("one by one", points=dict(self._scalar))
            self._tell(self.counts)
        if reason is None:
            forget(self.cube.place.state)
        return reason

    def _put_last(self) -> None:
        """Points during which a driver died are tried last and alone; those over `limits.losses` are given up."""
        if not self._losses:
            return
        if self.died:
            self.log.event("run died", level=logging.WARNING, points=[self.died])
        self._last = {todo.point_id: todo for todo in self._todo() if todo.point_id in self._losses}
        for key, todo in list(self._last.items()):
            number = self._losses[key]
            if number > self.plan.config.limits.losses:
                del self._last[key]
                message = (
                    f"the process of the run died {number} times in this point (killed, over memory, or crashed)"
                )
                self._give_up(todo, Status.LOST, message)

    def _count(self, status: str) -> None:
        if status == Status.OK:
            self.counts.done += 1
        else:
            self.counts.failed += 1

    def _todo(self) -> Iterator[_Todo]:
        """Missing points, shard after shard, so that shards fill and equilibria are reused."""
        for corner in self.cube.corners():
            if corner in self._left:
                for index in self.cube.inside(corner):
                    if self._missing[index] and self._status[index] == MISSING:
                        labels = self.cube.grid.labels(index)
                        yield _Todo(index, labels, self.plan.point_id(labels))

    def _pick_up(self) -> None:
        """Log points that an earlier run computed but did not pack."""
        found = {key.removeprefix(PARTS) for key in self._blobs.keys(PARTS)}
        if not found:
            return
        stray = set(found)
        for todo in self._todo():
            if todo.point_id in found:
                stray.discard(todo.point_id)
                self._settle([todo])
        self.counts.computed = 0
        # The remaining parts were packed already: the driver ended between writing the status and deleting them.
        self._blobs.delete(PARTS + point_id for point_id in stray)

    def _submit(self, todo: Iterator[_Todo]) -> bool:
        if self._again:
            batch = self._again.popleft()
        else:
            missing = (t for t in todo if self._status[t.index] == MISSING and t.point_id not in self._last)
            batch = tuple(itertools.islice(missing, self._batch_size()))
        if not batch and self._last and not self._flying:
            batch = (self._last.pop(next(iter(self._last))),)
        if not batch:
            return False
        key = next(self._keys)
        self._flying[key] = batch
        task = self._task(batch)
        self._given[key] = (task.time_s, task.limit)
        self.pool.submit(key, task)
        return True

    def _batch_size(self) -> int:
        if self.plan.config.backend == "gpu":
            # a GPU takes many; each worker its share
            return max(1, min(POINTS, -(-self.counts.total // max(1, self.pool.slots()))))
        # One point per batch until a median gives a time limit: the limit applies to a batch.
        if self._cost is None or self.counts.computed < _ENOUGH:
            return 1
        return max(1, min(BATCH_POINTS, int(BATCH_S / max(self._cost, 1e-4))))

    def _limit(self) -> tuple[float | None, str]:
        """Time limit of a point and its origin in words; None for no limit."""
        given = self.plan.config.limits.time_s
        if given is not None:
            return (given if given < float("inf") else None), ""
        if len(self._times) < _ENOUGH:
            return FIRST_LIMIT_S, "; `limits.time_s` changes it"
        median = statistics.median(self._times)
        self.counts.limit = max(LEAST_LIMIT_S, MEDIANS * median)
        return (
            self.counts.limit,
            f", {MEDIANS} times the median of {median:.3g} s or more; `limits.time_s` changes it",
        )

    def _task(self, batch: tuple[_Todo, ...]) -> Batch:
        limit, origin = self._limit()
        return Batch(
            jobs=tuple(job_of(self.plan, t.labels, t.point_id, 1 + self._losses.get(t.point_id, 0)) for t in batch),
            model=self.plan.config.model,
            store=self.cube.place.url,
            time_s=limit,
            limit=origin,
            memory=self.pool.memory,
            own_process=self.pool.own_process,
            backend=self.plan.config.backend,
        )

    def _end(self, ended: Ended) -> None:
        batch, given = self._flying.pop(ended.key), self._given.pop(ended.key)
        rest = self._settle(batch)
        if not rest:
            self._store_faults = 0
        elif ended.lost:
            self._lose(rest, ended, given)
        elif isinstance(ended.error, ClusterError):
            raise ended.error
        elif isinstance(ended.error, OSError | MemoryError) or _of_store(ended.error):
            self._fault(rest, ended.error)
        elif len(rest) > 1:
            # One of them is to blame: each is retried alone.
            self._again.extend((todo,) for todo in rest)
        else:
            reason = ended.error or RuntimeError("the task ended without its part")
            self._give_up(rest[0], Status.ERROR, describe(reason))

    def _lose(self, rest: list[_Todo], ended: Ended, given: tuple[float | None, str]) -> None:
        """Retry points whose worker died: a single point of a batch is to blame, several are retried one by one."""
        self.counts.lost += 1
        limits = self.plan.config.limits
        self.log.event(
            "worker lost",
            level=logging.WARNING,
            points=[t.point_id for t in rest],
            error=clean(ended.error),
            job=ended.story,
        )
        if len(rest) > 1:
            self._again.extend((todo,) for todo in rest)
            return
        todo = rest[0]
        # It is ended `GRACE_S` after its limit; the message of its start may have been late.
        limit, origin = given
        if limit is not None and ended.ran is not None and ended.ran >= limit + GRACE_S / 2:
            message = f"over the limit of {limit:g} s for a point{origin}; its worker was ended"
            self._give_up(todo, Status.TIMEOUT, message)
            return
        if ended.innocent:
            self._again.append((todo,))
            return
        losses = self._losses[todo.point_id] = self._losses.get(todo.point_id, 0) + 1
        if losses > limits.losses:
            self._give_up(
                todo,
                Status.LOST,
                f"its worker died {losses} times ({ended.story or 'killed, over memory, or crashed'}); "
                "see the worker's own log",
            )
        else:
            self._again.append((todo,))

    def _fault(self, rest: list[_Todo], error: BaseException | None) -> None:
        """Retry after a pause if a worker could not write; a store that stays unavailable ends the run.

        Requests to an object store have been retried already.
        """
        self._store_faults += 1
        self.log.event("store fault", level=logging.WARNING, error=clean(error))
        if self._store_faults >= _STORE_TRIES or (_of_store(error) and not self.cube.place.is_local):
            text = str(error).rstrip(".")
            raise StoreError(
                f"the store {self.cube.place.url} cannot be written: {text}. Finished points are kept; run again."
            )
        time.sleep(0.1 * 2**self._store_faults)
        self._again.append(tuple(rest))

    def _give_up(self, todo: _Todo, status: str, message: str) -> None:
        record = {
            "point_id": todo.point_id,
            "status": str(status),
            "message": clean(message),
            "wall_time": float("nan"),
            "cpu_time": float("nan"),
            "host": "",
            "started": time.time(),
            "attempts": max(1, self._losses.get(todo.point_id, 0)),
        }
        write(self._blobs, record, {})
        self._settle([todo])

    def _settle(self, batch: Any) -> list[_Todo]:
        """Log the points whose parts exist and are intact; return the others."""
        rest, records = [], []
        for todo in batch:
            if self._status[todo.index] != MISSING:
                continue
            record = self._read(todo)
            if record is None:
                rest.append(todo)
                continue
            records.append((record, todo.labels))
            if "scalar" in record:
                self._scalar[record["scalar"]] += 1
            self._status[todo.index] = record["status"]
            self._count(record["status"])
            self.counts.computed += 1
            if record["wall_time"] == record["wall_time"]:
                cost = record["wall_time"]
                if record["status"] == Status.OK:
                    self._times.append(cost)
                self._cost = cost if self._cost is None else 0.8 * self._cost + 0.2 * cost
            corner = self.cube.layout.corner(todo.index)
            self._open.setdefault(corner, {})[todo.index] = record
            self._left[corner] -= 1
        if records:
            self.log.settle(records)
        for todo in batch:
            corner = self.cube.layout.corner(todo.index)
            if corner in self._open and self._left.get(corner) == 0:
                self._pack(corner)
        return rest

    def _read(self, todo: _Todo) -> dict[str, Any] | None:
        """Record of a point whose part exists and is intact."""
        data = self._blobs.get(PARTS + todo.point_id)
        if data is None:
            return None
        try:
            record, arrays = decode(data)
        except TornError:
            self._blobs.delete([PARTS + todo.point_id])
            return None
        if record["status"] == Status.OK and (strange := self._strange(todo.labels, arrays)):
            record |= {"status": str(Status.ERROR), "message": strange}
            write(self._blobs, record, {})
        return record

    def _strange(self, labels: Labels, arrays: dict[str, Any]) -> str:
        """Differences between a point's outputs and the cube's; empty if there are none."""
        names = [v.name for v in self.plan.model.variables(self.plan.settings_at(labels))]
        has = self.cube.outputs
        expected = {name: self.cube.own_shape(name) if name in has else None for name in names}
        found = {name: array.shape for name, array in arrays.items()}
        if found == expected:
            return ""
        wrong = sorted(k for k in found.keys() | expected.keys() if found.get(k) != expected.get(k))
        each = [
            f"{k} is {_shape(found.get(k))} in the result and {_shape(expected.get(k))} in the cube" for k in wrong
        ]
        return "; ".join(each) + ". Does the worker have another version of the package, or of the model?"

    def _pack(self, corner: Index) -> None:
        records = self._open.pop(corner)
        done = []
        for index, record in records.items():
            data = self._blobs.get(PARTS + record["point_id"])
            if data is None:
                raise StoreError(f"the part of point {record['point_id']} vanished from {self.cube.place.state}.")
            done.append(Done(index, record, decode(data)[1]))
        self.cube.pack(corner, done)
        self._blobs.delete(PARTS + record["point_id"] for record in records.values())

    def _pack_all(self) -> None:
        for corner in list(self._open):
            self._pack(corner)
        self._packed = time.monotonic()

    def _collect(self) -> None:
        """Log the points that ended while the run was stopping."""
        for batch in list(self._flying.values()):
            self._settle(batch)


def job_of(plan: Plan, labels: Labels, point_id: str, attempts: int = 1) -> Job:
    """Job of one point."""
    from ..ask.axes import FIRST

    return Job(
        point_id=point_id,
        labels={name: labels[name] for name in FIRST[1:]},
        material=plan.material_blobs[labels["material"]],
        settings=plan.settings_at(labels),
        attempts=attempts,
    )


def _shape(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else f"of shape {shape}"


def _of_store(error: BaseException | None) -> bool:
    return isinstance(error, StoreError) or is_of_bucket(error)
