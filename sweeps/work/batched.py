"""Work on many points at once by the model's batched solver (`backend: gpu`); other points run one by one."""

import importlib
import importlib.util
import time
from collections.abc import Callable
from typing import Any

from ..errors import ConfigError
from ..model import Model, resolve
from ..store.blobs import Blobs
from ..store.buckets import patience
from ..store.place import Place
from .limits import one_thread
from .task import PARTS, Batch, Job, compute_and_write, judged, material_of, stamped, write
from .texts import clean

POINTS = 16_384
"""Points of a task, at most: enough to keep a GPU full for a minute or more."""


def require(model: Model) -> None:
    """Refuse `backend: gpu` if this process cannot use it.

    Raises:
        ConfigError: The model has no batched solver, or JAX is missing.
    """
    if model.batched is None:
        raise ConfigError(
            f"`backend: gpu` needs a model with a batched solver; {model.name} has none. Use `backend: cpu`."
        )
    if importlib.util.find_spec("jax") is None:
        raise ConfigError(
            "`backend: gpu` needs JAX. Add it: pip install 'photogap[gpu]', with the variant of JAX that fits "
            "the GPU's driver (pip install 'jax[cuda13]'); or use `backend: cpu`."
        )


def run_batched(batch: Batch) -> int:
    """Compute and write each point of the batch that is not yet written; return the number computed."""
    with patience():
        return _run(batch, resolve(batch.model), Place(batch.store).blobs)


def _run(batch: Batch, model: Model, blobs: Blobs) -> int:
    jobs = [job for job in batch.jobs if not blobs.exists(PARTS + job.point_id)]
    # alone in its task is a point of one that failed: each of its points is tried by itself
    alone = [(job, "alone in its task") for job in jobs]
    left = _together(batch, model, blobs, jobs) if len(jobs) > 1 else alone
    for job, reason in left:
        compute_and_write(model, job, batch, blobs, scalar=clean(reason))
    return len(jobs)


def _together(batch: Batch, model: Model, blobs: Blobs, jobs: list[Job]) -> list[tuple[Job, str]]:
    """Compute points at once; return those that are left, with reasons."""
    simulate_all, device = _solver(model)
    points, chosen, left = [], [], []
    for job in jobs:
        try:
            points.append((model.point(material=material_of(job.material), **job.labels), job.settings))
        except (ValueError, TypeError) as error:
            left.append((job, str(error)))
        else:
            chosen.append(job)
    begin, cpu, done = time.perf_counter(), time.process_time(), 0
    started = time.time()
    with one_thread():
        for place, found in simulate_all(points):
            job = chosen[place]
            reason = getattr(found, "reason", None)
            if reason is not None:
                left.append((job, reason))
                continue
            done += 1
            status, message, arrays, detail = judged(model, job, found)
            detail["diagnostics"]["gpu"] = 1.0
            # a point's share of the time until now
            shares = (time.perf_counter() - begin) / done, (time.process_time() - cpu) / done
            record = stamped(job, status, message, started, *shares)
            write(blobs, record | detail | {"backend": "gpu", "device": device}, arrays)
    return left


def _solver(model: Model) -> tuple[Callable[..., Any], str]:
    """The model's batched solver, and the device that it runs on."""
    assert model.batched is not None
    module, _, name = model.batched.partition(":")
    simulate_all = getattr(importlib.import_module(module), name)
    describe: Callable[[], str] = getattr(simulate_all, "device", lambda: "")
    return simulate_all, describe()
