"""Actions of the command line: run a config into a store, retry, replay, cancel."""

import contextlib
import dataclasses
import importlib.util
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ask import libraries
from ..ask.axes import Grid, Index, embed, union
from ..ask.bounds import check_union
from ..ask.config import Config, made
from ..ask.lookup import find
from ..ask.plan import Plan, at_grid, resolve
from ..clusters.open import computes_here, open_pool
from ..clusters.trust import refuse_foreign
from ..errors import BusyError, ConfigError, ContradictionError, StoreError, SweepError
from ..status import Status
from ..store import traced
from ..store.buckets import patience
from ..store.cube import MISSING, Cube, create
from ..store.faults import refuse_unwritable, store_faults
from ..store.lock import driver_lock, is_driven
from ..store.log import Log
from ..store.place import Place
from ..store.record import record_of, refuse_contradiction, run_entry
from ..store.removal import finish, is_under_way, remove
from ..work.pool import Opener, Pool
from ..work.task import Batch, compute
from . import reasons
from .flow import Counts, Flow, job_of
from .promote import coarsest
from .refine import rounds

CANCEL = "cancel"
RETRY = "retry"
"""Object with the points that a retry has started; an interrupted retry continues with them."""
LOG = "log.sqlite"
_LOOK_S = 1.0


@dataclass(frozen=True)
class Report:
    """Outcome of a run: counts, and the reason if it stopped early."""

    counts: Counts
    reason: str | None
    seconds: float
    pool: dict[str, Any]

    def followed_by(self, later: "Report", *, apart: bool) -> "Report":
        """Report of two runs, this one and a later one: the work is added and, with `apart`, the points too."""
        counts = dataclasses.replace(later.counts, computed=self.counts.computed + later.counts.computed)
        if apart:
            both = {k: getattr(self.counts, k) + getattr(counts, k) for k in ("total", "done", "failed")}
            counts = dataclasses.replace(counts, **both)
        return dataclasses.replace(later, counts=counts, seconds=self.seconds + later.seconds)


@dataclass
class Watch:
    """Callbacks and options of a run.

    Args:
        tell: Called with the counts, often.
        opened: Called with the pool's description once it is open.
        stopped: Reason to stop, polled often; None to continue.
        pool: Pool that runs the batches; None opens one for this run.
        told: Called with a line about an earlier run that died, or a budget that ended a refinement.
        dashboard: Whether a pool of this run shows Dask's dashboard; `opened` then gets its address.

    Raises:
        ConfigError: A dashboard is asked for and bokeh is missing.
    """

    tell: Callable[[Counts], None] = lambda counts: None
    opened: Callable[[dict[str, Any]], None] = lambda pool: None
    stopped: Callable[[], str | None] = lambda: None
    pool: Opener | None = None
    told: Callable[[str], None] = lambda text: None
    dashboard: bool = False

    def __post_init__(self) -> None:
        """Refuse a dashboard that Dask could not show."""
        if self.dashboard and importlib.util.find_spec("bokeh") is None:
            raise ConfigError("`--dashboard` needs bokeh; pip install 'photogap[dashboard]'. Got none.")


def run(
    plan: Plan,
    place: Place,
    *,
    workers: int | None = None,
    recompute: bool = False,
    watch: Watch | None = None,
) -> Report:
    """Compute the missing points of a plan in a store, then refine it if its config says so.

    Raises:
        SweepError: The store contradicts the plan, is in use or cannot be written, or the cluster is lost.
    """
    watch = watch or Watch()
    with contextlib.ExitStack() as stack:
        if plan.config.refine and watch.pool is None:
            watch = dataclasses.replace(watch, pool=_Kept(stack))
        first = coarsest(plan)
        report = _run(first, place, workers, recompute, watch)
        at_once = (plan.config.workers if workers is None else workers) or 1
        finer = rounds(plan, place, at_once, watch.told)
        while report.reason is None and (wider := next(finer, None)) is not None:
            finer_plan, only = wider
            later = _run(
                finer_plan, place, workers, False, watch, only, None if only is None else coarsest(plan).grid
            )
            report = report.followed_by(later, apart=only is not None)
    return report


class _Kept:
    """Opener of one pool for all rounds of a run, closed with the stack."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.stack = stack
        self.pools: list[Pool] = []

    @contextlib.contextmanager
    def __call__(self, config: Config, workers: int | None, **given: Any) -> Iterator[Pool]:
        """See `open_pool`."""
        if workers == 0:
            with open_pool(config, workers, **given) as pool:
                yield pool
            return
        if not self.pools:
            self.pools.append(self.stack.enter_context(open_pool(config, workers, **given)))
        yield self.pools[0]


def _run(
    plan: Plan,
    place: Place,
    workers: int | None,
    recompute: bool,
    watch: Watch,
    only: NDArray[np.bool_] | None = None,
    base: Grid | None = None,
) -> Report:
    """Compute the missing points of a plan.

    Args:
        plan, place, workers, recompute, watch: As for `run`.
        only: The plan's wanted points, in its grid's shape; None for all.
        base: Grid of the config, of which `only` is a refinement.
    """
    _refuse_what_is_no_cube(place)
    refuse_unwritable(place)
    with store_faults(place), patience(), driver_lock(place) as check, contextlib.closing(_log(place)) as log:
        finish(place, check)
        if recompute:
            remove(place, check)
        cube, plan_there = prepare(plan, place, check)
        place.blobs.delete([CANCEL])
        traced.note(cube, plan.grid, base)
        wanted = _membership(plan, cube, only)
        cube.refuse_strangers(plan_there, wanted)
        workers = plan.config.workers if workers is None else workers
        missing = wanted & (cube.status() == MISSING)
        if not missing.any():
            workers = 0
        _refuse_missing_libraries(plan_there, place, workers, watch, missing)
        with _pool(plan, place, workers, watch) as pool:
            return _drive(plan_there, cube, log, pool, wanted, watch, check)


def _refuse_missing_libraries(
    plan: Plan, place: Place, workers: int | None, watch: Watch, chosen: NDArray[np.bool_]
) -> None:
    """Refuse points that need a library which this process lacks, where it or its worker processes compute them."""
    ours = watch.pool is None or isinstance(watch.pool, _Kept)
    if ours and chosen.any() and (place.is_memory or computes_here(plan.config, workers)):
        libraries.refuse_missing(plan.model, libraries.choices(plan, chosen))


def _pool(plan: Plan, place: Place, workers: int | None, watch: Watch) -> AbstractContextManager[Pool]:
    """Pool of a drive: the caller's, else the one that the config names."""
    return (watch.pool or open_pool)(
        plan.config,
        workers,
        in_process=place.is_memory,
        place=place,
        dashboard=watch.dashboard,
        stopped=_stopping(place, watch),
    )


def _refuse_what_is_no_cube(place: Place) -> None:
    """Refuse a place that holds other files: they are neither mixed with a cube nor removed with one."""
    if place.exists():
        Cube(place, read_only=True)
    elif not is_under_way(place) and (found := place.foreign()) is not None:
        what = f"a folder that contains {found!r}" if place.path.is_dir() else "a file"
        raise StoreError(f"STORE must be a cube, an empty folder or a new path. Got {place.url!r}, {what}.")


def _stopping(place: Place, watch: Watch) -> Callable[[], str | None]:
    """Reason to stop: the caller's, or a cancelled store."""
    looked = 0.0

    def stopped() -> str | None:
        nonlocal looked
        if time.monotonic() - looked > _LOOK_S:
            looked = time.monotonic()
            if place.blobs.exists(CANCEL):
                return "cancelled"
        return watch.stopped()

    return stopped


def prepare(plan: Plan, place: Place, check: Callable[[], None] = lambda: None) -> tuple[Cube, Plan]:
    """Cube with room for a plan's points, created or extended, and the plan over the cube's own grid.

    Args:
        plan: The sweep.
        place: The cube's place.
        check: Raises if this process is no longer the store's driver; the cube's guard.
    """
    if not place.exists():
        cube = create(place, plan, record_of(plan), check)
        cube.guard = check
        return cube, plan
    cube = Cube(place)
    cube.guard = check
    refuse_contradiction(cube.record, plan)
    try:
        grid = union(cube.grid, plan.grid)
    except ContradictionError as error:
        raise ContradictionError(
            f"the config contradicts the store: {error} Use another --store, or --recompute."
        ) from None
    remedy = f"Use another --store, or allow it: --set limits.points={grid.size} (`limits.points` in a config)."
    check_union(cube.grid, grid, plan.config.limits.points, remedy)
    cube.grow(grid, plan)
    resolved = cube.record["resolved"]
    known = record_of(plan)
    cube.note(
        materials=cube.record["materials"] | known["materials"],
        named={k: cube.record.get("named", {}).get(k, {}) | found for k, found in known["named"].items()},
        config=known["config"],
        folder=known["folder"],
        resolved=resolved | {"materials": resolved["materials"] | known["resolved"]["materials"]},
    )
    return cube, at_grid(plan, cube.grid)


def _membership(plan: Plan, cube: Cube, only: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Mask of the cube's points that belong to the plan; `only`, a mask in the plan's shape, restricts them."""
    out = np.zeros(cube.grid.shape, bool)
    out[np.ix_(*embed(plan.grid, cube.grid))] = True if only is None else only
    return out


def _log(place: Place) -> Log:
    return Log(place.state / LOG)


def _drive(
    plan: Plan,
    cube: Cube,
    log: Log,
    pool: Pool,
    wanted: NDArray[np.bool_],
    watch: Watch,
    check: Callable[[], None],
) -> Report:
    begin = time.time()
    watch.opened(pool.describe() | ({"dashboard": pool.dashboard} if pool.dashboard else {}))
    entry = run_entry(plan) | {"pool": pool.describe()}
    cube.note(runs=[*cube.record["runs"], entry])
    log.event("run", pid_pool=pool.describe())
    looked = [0.0]

    def tell(counts: Counts) -> None:
        watch.tell(counts)
        if time.monotonic() - looked[0] > _LOOK_S:
            looked[0] = time.monotonic()
            log.alive(**dataclasses.asdict(counts))
            check()

    flow = Flow(plan, cube, log, pool, wanted=wanted, tell=tell, stopped=_stopping(cube.place, watch))
    if flow.died:
        watch.told(f"an earlier run died in point {flow.died[:12]}, which is tried last and alone")
    outcome, ours = "failed", True
    try:
        reason = flow.run()
        outcome = reason or "complete"
    except SweepError as error:
        outcome = f"failed: {error}"
        ours = not isinstance(error, BusyError)
        raise
    finally:
        with contextlib.suppress(OSError, sqlite3.Error, SweepError):
            log.alive(**dataclasses.asdict(flow.counts) | {"running": 0, "ended": outcome})
            log.event("end", outcome=outcome)
            ended = entry | {"end": time.time(), "outcome": outcome, "computed": flow.counts.computed}
            if ours:
                cube.note(runs=[*cube.record["runs"][:-1], ended])
    return Report(flow.counts, reason, time.time() - begin, pool.describe())


def plan_of(cube: Cube, root: str | None = None, *, cluster: str | None = None, trust: bool = False) -> Plan:
    """Plan of a store's latest config, over the store's whole grid.

    Args:
        cube: The store.
        root: Folder that the config's files must not leave; None for any.
        cluster: Cluster in place of the config's.
        trust: Use the model and the cluster named in the config, even if the store may be another user's.

    Raises:
        ConfigError: The config could run another user's code.
        ContradictionError: The config no longer matches the store, since a model or a file has changed.
    """
    tree = {k: v for k, v in cube.record["config"].items() if v is not None}
    tree |= {"cluster": cluster} if cluster else {}
    try:
        config = made(tree, root or str(cube.record.get("folder", ".")), root)
    except ConfigError as error:
        raise StoreError(
            f"the config in the record of {cube.place.url} breaks a rule: {error} The record was changed, "
            "or written by another version of photogap."
        ) from error
    if not trust:
        refuse_foreign(cube.place, config)
    named = cube.record.get("named", {})
    plan = resolve(config, named)
    refuse_contradiction(cube.record, plan)
    contents = {
        key: {name: plan.model.named[key].restore(entry["content"]) for name, entry in entries.items()}
        for key, entries in named.items()
    }
    plan = dataclasses.replace(
        plan, named={key: found | plan.named.get(key, {}) for key, found in contents.items()}
    )
    lacking = [str(v) for v in cube.grid.axes[0].values if v not in plan.materials]
    if lacking:
        more = resolve(
            config.model_copy(update={"axes": config.axes | {"material": list(cube.grid.axes[0].values)}})
        )
        plan = dataclasses.replace(plan, materials=more.materials)
    return at_grid(plan, cube.grid)


def retry(
    place: Place,
    *,
    workers: int | None = None,
    watch: Watch | None = None,
    root: str | None = None,
    cluster: str | None = None,
    trust: bool = False,
    like: str | None = None,
) -> Report:
    """Compute the failed points of a store again; `root`, `cluster` and `trust` as in `plan_of`.

    With `like`, the first digits of a point's id, only those that failed for the same reason.
    """
    _need(place)
    refuse_unwritable(place)
    watch = watch or Watch()
    with store_faults(place), driver_lock(place) as check:
        cube = Cube(place)
        cube.guard = check
        plan = plan_of(cube, root, cluster=cluster, trust=trust)
        failed = _failed(cube, plan, like)
        chosen = np.zeros(cube.grid.shape, bool)
        for index in failed:
            chosen[index] = True
        _refuse_missing_libraries(plan, place, workers, watch, chosen)
        place.blobs.put(RETRY, json.dumps([plan.point_id(cube.grid.labels(index)) for index in failed]).encode())
        cube.forget(failed)
        cube.place.blobs.delete(f"parts/{plan.point_id(cube.grid.labels(index))}" for index in failed)
    with store_faults(place), patience(), driver_lock(place) as check, contextlib.closing(_log(place)) as log:
        place.blobs.delete([CANCEL])
        cube = Cube(place)
        cube.guard = check
        workers = workers if failed else 0
        with _pool(plan, place, workers, watch) as pool:
            report = _drive(plan, cube, log, pool, chosen, watch, check)
    if report.reason is None:
        place.blobs.delete([RETRY])
    return report


def _failed(cube: Cube, plan: Plan, like: str | None) -> list[Index]:
    """Failed points, and those that an interrupted retry marked as missing but did not compute.

    With `like`, only the failed points with that one's reason.
    """
    status = cube.status()
    found = [tuple(int(i) for i in index) for index in np.argwhere((status != Status.OK) & (status != MISSING))]
    found = reasons.like(cube, found, like) if like else found
    try:
        begun = set(json.loads(cube.place.blobs.get(RETRY) or b"[]"))
    except (ValueError, TypeError):
        begun = set()
    if begun:
        absent = (tuple(int(i) for i in index) for index in np.argwhere(status == MISSING))
        found += [index for index in absent if plan.point_id(cube.grid.labels(index)) in begun]
    return found


def replay(place: Place, point: str, *, trust: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Labels, record and outputs of one point, computed in this process; the store is not changed.

    Args:
        place: The store.
        point: The first digits of a point's id, or `T=30,F0=1` labels.
        trust: As in `plan_of`.

    Raises:
        ConfigError: The point needs a library that this process lacks.
    """
    plan = plan_of(Cube(place, read_only=True), trust=trust)
    labels = plan.grid.labels(find(plan, point))
    libraries.refuse_missing(plan.model, [plan.settings_at(labels)])
    job = job_of(plan, labels, plan.point_id(labels))
    record, arrays = compute(plan.model, job, Batch((job,), plan.config.model, place.url, own_process=False))
    return {"labels": labels, **record}, arrays


def units_of(place: Place, names: Iterable[str]) -> dict[str, str]:
    """Unit of each output in brackets; nothing for a number without one."""
    cube = Cube(place, read_only=True)
    found = {name: str(cube.array(name).attrs.get("units", "1")) for name in names}
    return {name: f" ({unit})" if unit != "1" else "" for name, unit in found.items()}


def cancel(place: Place) -> bool:
    """Ask the store's driver to stop, keeping finished points. Return whether a driver is visible from here."""
    _need(place)
    place.blobs.put(CANCEL, b"stop\n")
    return is_driven(place)


def _need(place: Place) -> None:
    if not place.exists():
        raise StoreError(f"No cube at {place.url}.")


def state_dir(place: Place) -> Path:
    """Local folder of the driver's state."""
    return place.state
