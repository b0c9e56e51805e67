"""Cost of a sweep before it runs: points, chunks, bytes, and time from a few sampled points."""

import math
import time
from typing import Any

import numpy as np

from ..ask.plan import Plan, unchecked
from ..status import Status
from ..store.cube import BOOK
from ..store.layout import choose
from ..work.task import Batch, compute
from .flow import job_of

SAMPLES = 3
_BUDGET_S = 60.0


def estimate(plan: Plan, workers: int | None) -> dict[str, Any]:
    """Estimate for a plan; samples are timed in this process, one after another."""
    variables, each = plan.variables, plan.bytes_per_output.values()
    layout = choose(plan.grid, max(each))
    shards = _blocks(plan.grid.shape, layout.shard)
    chunks = _blocks(plan.grid.shape, layout.summary)
    series = sum(1 for v in variables if v.dims)
    seconds, failed = _sample(plan)
    count = workers or plan.config.workers or _cores()
    later = unchecked(plan)
    return {
        "points": plan.grid.size,
        "shape": dict(zip(plan.grid.dims, plan.grid.shape, strict=True)),
        "points_per_shard": math.prod(layout.shard),
        "files": shards * series + chunks * (len(variables) - series + len(BOOK)) + len(plan.grid.dims),
        "bytes_per_point": sum(each),
        "bytes": sum(each) * plan.grid.size,
        "sampled_points": len(seconds),
        "sampled_failures": failed,
        "seconds_per_point": float(np.mean(seconds)),
        "workers": count,
        "estimated_seconds": float(np.mean(seconds)) * plan.grid.size / max(1, count),
        # Of very many values and combinations a plan tries only some.
        **({"rules_checked_as_points_run": f"{later} combinations; one that breaks a rule fails"} if later else {}),
    }


def _cores() -> int:
    from dask.system import CPU_COUNT

    return int(CPU_COUNT)


def _blocks(shape: tuple[int, ...], block: tuple[int, ...]) -> int:
    return math.prod(-(-n // b) for n, b in zip(shape, block, strict=True))


def _sample(plan: Plan) -> tuple[list[float], list[str]]:
    """Wall times of points spread over the grid, and the failure reasons."""
    count = min(SAMPLES, plan.grid.size)
    seconds, failed = [], []
    begin = time.monotonic()
    for flat in np.linspace(0, plan.grid.size - 1, count).round().astype(int):
        index = tuple(int(i) for i in np.unravel_index(flat, plan.grid.shape))
        labels = plan.grid.labels(index)
        job = job_of(plan, labels, plan.point_id(labels))
        record, _ = compute(
            plan.model,
            job,
            Batch((job,), plan.config.model, "", plan.config.limits.time_s, own_process=False),
        )
        seconds.append(float(record["wall_time"]))
        if record["status"] != Status.OK:
            failed.append(f"{record['status']}: {record['message']}")
        if time.monotonic() - begin > _BUDGET_S:
            break
    return seconds, failed
