"""Task of a worker: the points of one batch, each written as one atomic object."""

import contextlib
import functools
import os
import pickle
import re
import socket
import time
import traceback
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..model import Model, resolve
from ..status import Status
from ..store.blobs import Blobs
from ..store.buckets import patience
from ..store.parts import encode
from ..store.place import Place
from .crashes import noting
from .limits import PointTimeout, memory_limit, one_thread, time_limit
from .memory import Room, peak
from .texts import clean, describe
from .traces import own_traces

PARTS = "parts/"
_STATUS = re.compile("[a-z_]{1,40}")


@dataclass(frozen=True)
class Job:
    """One point of a task.

    Args:
        point_id: Identity, and the key of the point's object.
        labels: The five axes except the material.
        material: Pickled material.
        settings: The model's settings.
        attempts: Number of this attempt, from 1.
    """

    point_id: str
    labels: dict[str, Any]
    material: bytes
    settings: Any
    attempts: int = 1


@dataclass(frozen=True)
class Batch:
    """Points that one task computes.

    Args:
        jobs: The points.
        model: Reference of the model, `module:attribute`.
        store: URL of the cube.
        time_s: Wall time limit of a point, s.
        memory: Limit on the data of the process, bytes.
        own_process: Whether the process may be ended for a point that does not respond.
        limit: Origin of the limit, in words for the message of a point that exceeds it.
        backend: `gpu` computes the points at once where the model can.
        note: File that names the point at work, where it runs in the driver's own process; empty for none.
    """

    jobs: tuple[Job, ...]
    model: str
    store: str
    time_s: float | None = None
    memory: int | None = None
    own_process: bool = True
    limit: str = ""
    backend: str = "cpu"
    note: str = ""


@functools.lru_cache(maxsize=64)
def material_of(blob: bytes) -> Any:
    """One object for equal bytes, so that the model's caches for a material are reused."""
    return pickle.loads(blob)


def run_batch(batch: Batch) -> int:
    """Compute and write each point of the batch that is not yet written; return how many were computed."""
    model, blobs = resolve(batch.model), Place(batch.store).blobs
    count = 0
    with patience(), noting(batch.note) as note:
        for job in batch.jobs:
            # A point whose worker or driver was lost after the write is not computed again.
            if not blobs.exists(PARTS + job.point_id):
                note.begin(job.point_id)
                compute_and_write(model, job, batch, blobs)
                count += 1
    return count


def compute_and_write(model: Model, job: Job, batch: Batch, blobs: Blobs, **more: Any) -> None:
    """Compute one point and write its object.

    Args:
        model: The model.
        job: The point.
        batch: Its batch.
        blobs: The store's objects.
        more: Further entries of its record.

    Raises:
        SpentWorkerError: The worker's memory is full of what points left in it. The point was not written if it
            failed for that reason.
    """
    room = Room(batch.memory if batch.own_process else None)
    record, arrays = compute(model, job, batch)
    room.refuse_blame(record)
    write(blobs, record | more, arrays)
    room.refuse_more(record)


def write(blobs: Blobs, record: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Write one point's object."""
    blobs.put(PARTS + record["point_id"], encode(record, arrays))


def compute(model: Model, job: Job, batch: Batch) -> tuple[dict[str, Any], dict[str, Any]]:
    """Record and outputs of one point; any failure becomes a status with its reason."""
    started, cpu = time.time(), time.thread_time()
    begin = time.perf_counter()
    with own_traces() as is_interrupt:
        try:
            with contextlib.ExitStack() as stack:
                stack.enter_context(one_thread())
                if batch.own_process:
                    stack.enter_context(memory_limit(batch.memory))
                stack.enter_context(time_limit(batch.time_s, hard=batch.own_process))
                status, message, arrays, detail = _simulate(model, job)
        except PointTimeout:
            status, message, arrays = (
                Status.TIMEOUT,
                f"over the limit of {batch.time_s:g} s for a point{batch.limit}",
                {},
            )
            detail = {"traceback": traceback.format_exc()}
        except MemoryError as error:
            status, message, arrays = Status.MEMORY, _memory_message(error, batch.memory), {}
            detail = {"traceback": traceback.format_exc()}
        except BaseException as error:
            # SystemExit and the like end the point, not its worker; ctrl-C ends the run.
            if is_interrupt():
                raise
            status, message, arrays = Status.ERROR, describe(error), {}
            detail = {"traceback": traceback.format_exc()}
    wall, cpu = time.perf_counter() - begin, time.thread_time() - cpu
    record = stamped(job, status, message, started, wall, cpu) | {"backend": "cpu"} | detail
    if "traceback" in record:
        record["traceback"] = clean(record["traceback"], end=True)
    return record, arrays


def stamped(job: Job, status: str, message: str, started: float, wall: float, cpu: float) -> dict[str, Any]:
    """Record of a point: how it ended, where, and the time that it took (s)."""
    return {
        "point_id": job.point_id,
        "status": str(status),
        "message": clean(message),
        "wall_time": wall,
        "cpu_time": cpu,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": started,
        "attempts": job.attempts,
        "peak_memory": peak(),
    }


def _memory_message(error: MemoryError, limit: int | None) -> str:
    allowed = "" if limit is None else f" (limit of the worker: {limit / 2**20:.0f} MiB)"
    return f"out of memory{allowed}. {describe(error).partition(': ')[2]}".strip()


def _simulate(model: Model, job: Job) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    point = model.point(material=material_of(job.material), **job.labels)
    # Of very many combinations a plan checks only some.
    for joint in model.rules:
        joint.refuse(point, job.settings)
    return judged(model, job, model.simulate(point, job.settings))


def judged(model: Model, job: Job, result: Any) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """Status, message, outputs and diagnostics of a result, checked against the schema."""
    status = str(result.outcome.value)
    detail = {"diagnostics": {clean(k): float(v) for k, v in result.diagnostics.items()}}
    if not _STATUS.fullmatch(status) or status == Status.MISSING:
        return Status.ERROR, f"the model returned the outcome {status!r}", {}, detail
    if status != Status.OK:
        return status, result.message or status, {}, detail
    wrong = check(model, job.settings, result.data)
    if wrong:
        return *wrong, {}, detail
    return (
        Status.OK,
        "",
        {v.name: np.asarray(result.data[v.name], float) for v in model.variables(job.settings)},
        detail,
    )


def check(model: Model, settings: Any, data: dict[str, Any]) -> tuple[str, str] | None:
    """Status and reason if the outputs do not match the schema, or contain infinity or forbidden NaN."""
    extra = sorted(set(data) - {v.name for v in model.variables(settings)})
    if extra:
        return Status.ERROR, f"the model returned {', '.join(extra)}, not declared among its variables"
    sizes = {dim: len(values) for dim, values in model.coordinates(settings).items()}
    for v in model.variables(settings):
        expected = tuple(sizes[dim] for dim in v.dims)
        if v.name not in data:
            return Status.ERROR, f"the model did not return {v.name}"
        found = np.asarray(data[v.name])
        if found.dtype.kind not in "fiub":
            return Status.ERROR, f"{v.name} has {found.dtype} values; outputs must be real"
        if found.shape != expected:
            return Status.ERROR, f"{v.name} has shape {found.shape}; its dims {v.dims} require {expected}"
        bad = int(np.isnan(found).sum())
        if bad and not getattr(v, "nan_allowed", False):
            return Status.NAN, f"{v.name} is NaN in {bad} of {found.size} values"
        bad = int(np.isinf(found).sum())
        if bad and not getattr(v, "may_be_infinite", False):
            return Status.NAN, f"{v.name} is infinite in {bad} of {found.size} values"
    return None
