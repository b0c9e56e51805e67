"""Cost of a sweep before it runs: points, files, bytes, and time from a few sampled points."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..ask.config import Config
from ..ask.plan import Plan, unchecked
from ..clusters.spec import Spec
from ..numbers import YEAR, clock
from ..status import Status
from ..store.cube import BOOK
from ..store.layout import choose
from ..store.place import Place
from ..work.task import Batch, compute
from .flow import job_of
from .outstanding import outstanding
from .promote import coarsest

SAMPLES = 3
_BUDGET_S = 60.0
_HOUR = 3600.0
MANY_FILES: Final = 1_000_000
"""Files of a cube above which file systems become slow, and quotas are reached."""


@dataclass(frozen=True)
class Workers:
    """Workers of a pool.

    Args:
        count: Worker processes of the whole pool.
        each: Worker processes of a job; None if the pool has no jobs.
    """

    count: int
    each: int | None = None


def workers_of(config: Config, spec: Spec | None = None, given: int | None = None) -> Workers:
    """Workers that a run would have.

    Args:
        config: The sweep.
        spec: Its cluster; None for this machine.
        given: Number of workers requested on the command line.
    """
    wanted = given if given is not None else config.workers
    if spec is None or spec.here:
        return Workers(max(1, wanted if wanted is not None else (spec and spec.own_workers) or _cores()))
    jobs, each = spec.size()
    if each is None:
        return Workers(wanted or jobs)
    return Workers((-(-wanted // each) if wanted else jobs) * each, each)


def estimate(plan: Plan, workers: Workers | None = None, place: Place | None = None) -> dict[str, Any]:
    """Estimate for a plan; samples are timed in this process, one after another.

    Args:
        plan: The sweep; with `refine.screen`, its points at the coarsest numerics are counted.
        workers: Workers that share the points; this machine's if None.
        place: Store whose finished points are left out; it need not exist.

    Raises:
        ContradictionError: The plan contradicts the store.
    """
    workers, plan = workers or workers_of(plan.config), coarsest(plan)
    variables, each = plan.variables, plan.bytes_per_output.values()
    layout = choose(plan.grid, max(each))
    shards = _blocks(plan.grid.shape, layout.shard)
    chunks = _blocks(plan.grid.shape, layout.summary)
    series = sum(1 for v in variables if v.dims)
    there = place is not None and place.exists()
    missing = np.flatnonzero(outstanding(plan, place)) if there and place else np.arange(plan.grid.size)
    seconds, failed = _sample(plan, missing)
    later = unchecked(plan)
    mean = float(np.mean(seconds)) if seconds else None
    total = None if mean is None else mean * len(missing)
    found = {
        "points": plan.grid.size,
        "missing": len(missing),
        "shape": dict(zip(plan.grid.dims, plan.grid.shape, strict=True)),
        "points_per_shard": math.prod(layout.shard),
        "files": shards * series + chunks * (len(variables) - series + len(BOOK)) + len(plan.grid.dims),
        "bytes_per_point": sum(each),
        "bytes": sum(each) * plan.grid.size,
        "sampled_points": len(seconds) + len(failed),
        "sampled_failures": failed,
        "seconds_per_point": mean,
        "workers": workers.count,
        "estimated_seconds": None if total is None else total / min(workers.count, max(1, len(missing))),
        "core_hours": None if total is None else total / _HOUR,
        "suggested": None if total is None else _suggested(total, len(missing), workers),
        # Of very many values and combinations a plan tries only some.
        **({"rules_checked_as_points_run": f"{later} combinations; one that breaks a rule fails"} if later else {}),
    }
    found["warnings"] = _warnings(found, plan)
    return found | {"words": _words(found, there)}


def _cores() -> int:
    from dask.system import CPU_COUNT

    return int(CPU_COUNT)


def _blocks(shape: tuple[int, ...], block: tuple[int, ...]) -> int:
    return math.prod(-(-n // b) for n, b in zip(shape, block, strict=True))


def _suggested(total: float, points: int, workers: Workers) -> dict[str, int | float] | None:
    """Workers that compute everything in about an hour, in whole jobs; None if this machine needs less.

    An hour keeps the wait for the slowest points a small part of the run.
    """
    if not workers.each and total < _HOUR * workers.count:
        return None
    each = workers.each or 1
    jobs = max(1, min(math.ceil(total / _HOUR / each), math.ceil(points / each)))
    out: dict[str, int | float] = {"workers": jobs * each, "seconds": total / max(1, min(jobs * each, points))}
    return ({"jobs": jobs} | out) if workers.each else out


def _warnings(found: dict[str, Any], plan: Plan) -> list[str]:
    out = []
    if found["files"] > MANY_FILES:
        out.append(f"{found['files']:.2g} files, more than many file systems allow; use fewer points or outputs")
    if (found["estimated_seconds"] or 0.0) > YEAR:
        out.append(f"more than a year with {found['workers']} workers; use fewer points or more workers")
    if plan.config.backend == "gpu":
        out.append("points were timed on a CPU; a GPU computes many at once")
    if found["sampled_failures"]:
        count, first = len(found["sampled_failures"]), found["sampled_failures"][0]
        out.append(f"{count} of {found['sampled_points']} sampled points failed: {first}")
    return out


def _words(found: dict[str, Any], there: bool) -> list[str]:
    """The estimate as the command line and the page print it."""
    points = (
        f"{found['missing']} of {found['points']} points missing" if there else _count(found["points"], "point")
    )
    said = [points, _size(found["bytes"])]
    if found["estimated_seconds"] is None:
        said.append("time unknown" if found["missing"] else "nothing to compute")
    else:
        said.append(f"{found['seconds_per_point']:.3g} s a point")
        said.append(f"about {clock(found['estimated_seconds'])} with {_count(found['workers'], 'worker')}")
    shape = " x ".join(f"{name} {n}" for name, n in found["shape"].items() if n > 1)
    more = [f"{_count(found['files'], 'file')}, {_size(found['bytes_per_point'])} a point"]
    lines = [", ".join(said), ", ".join([*([shape] if shape else []), *more])]
    if found["core_hours"] is not None:
        cost, wanted = f"{found['core_hours']:.3g} core hours", found["suggested"]
        if wanted:
            workers = _count(wanted["workers"], "worker")
            pool = f"{_count(wanted['jobs'], 'job')} ({workers})" if "jobs" in wanted else workers
            cost += f"; suggested: {pool}, about {clock(wanted['seconds'])}"
        lines.append(cost)
    return [*lines, *(f"warning: {text}" for text in found["warnings"])]


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _size(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1024
    return f"{number:.3g} TiB"


def _sample(plan: Plan, missing: NDArray[np.intp]) -> tuple[list[float], list[str]]:
    """Wall times of sampled missing points, and the reasons of those that failed."""
    seconds: list[float] = []
    failed: list[str] = []
    begin = time.monotonic()
    for flat in _spread(missing):
        index = tuple(int(i) for i in np.unravel_index(flat, plan.grid.shape))
        labels = plan.grid.labels(index)
        job = job_of(plan, labels, plan.point_id(labels))
        record, _ = compute(
            plan.model,
            job,
            Batch((job,), plan.config.model, "", plan.config.limits.time_s, own_process=False),
        )
        if record["status"] == Status.OK:
            seconds.append(float(record["wall_time"]))
        else:
            failed.append(f"{record['status']}: {record['message']}")
        if time.monotonic() - begin > _BUDGET_S:
            break
    return seconds, failed


def _spread(missing: NDArray[np.intp]) -> Sequence[int]:
    count = min(SAMPLES, len(missing))
    return [int(missing[i]) for i in np.linspace(0, len(missing) - 1, count).round().astype(int)]
