"""Answers assembled from the queue, a running job and the engine's reports."""

import contextlib
import json
import math
import shlex
import sqlite3
import subprocess
import sys
import threading
import time
from typing import Any

from ..ask.config import Config
from ..ask.lookup import at_labels, find
from ..drive.report import status as look
from ..drive.sweep import LOG
from ..drive.verify import verify
from ..errors import ConfigError, SweepError
from ..numbers import plain
from ..store.cube import MISSING, Cube
from ..store.log import Log
from ..store.place import Place
from .queue import RUNNING, WAITING, QueuedSweep
from .runner import Runner, UnknownError
from .schema import Checked, CubeStatus, Estimate, PointDetail, Reason, Sweep, SweepDetail, Verification

_ESTIMATE_S = 180.0
_HASHED_POINTS = 200_000
_BOARD_S = 0.2
_BOARD = 500
_estimating = threading.Semaphore(1)


def written(text: str) -> str:
    """A short error message in valid UTF-8: it may quote input that is not."""
    return text[:4000].encode(errors="backslashreplace").decode()


class TooBusyError(ConfigError):
    """The server is busy with the same task for another client."""


def sweep(runner: Runner, entry: QueuedSweep) -> Sweep:
    """A sweep's progress: that of the present run, else of the last one."""
    return Sweep(**_sweep(runner, entry))


def _sweep(runner: Runner, entry: QueuedSweep) -> dict[str, Any]:
    job = runner.job(entry.name)
    live = job.live if job else None
    elsewhere = runner.others.run(entry.name) if job is None and entry.state not in WAITING else None
    counts = (live.counts if live else None) or elsewhere or entry.counts
    numbers = {k: int(counts.get(k, 0)) for k in ("total", "done", "failed", "computed", "running", "lost")}
    rate = live.rate if live else 0.0
    left = numbers["total"] - numbers["done"] - numbers["failed"]
    if job and job.share:
        numbers["running"] = len(job.share.jobs())
    return {
        "name": entry.name,
        "state": RUNNING if elsewhere is not None else entry.state,
        "action": entry.action.partition(" ")[0],
        "cluster": entry.cluster,
        "message": entry.message,
        "submitted": entry.submitted,
        "started": entry.started,
        "ended": entry.ended,
        **numbers,
        "points_per_s": rate,
        "seconds_left": left / rate if rate else None,
        "at": (live.at if live else entry.ended) or entry.started or entry.submitted,
        "stopping": bool(job and job.stopped()),
        "tags": list(runner.journal.note(entry.name).tags),
        "archived": runner.journal.note(entry.name).archived,
        "elsewhere": elsewhere is not None,
        "dask": bool(job and job.share and job.share.pages),
    }


class Board:
    """Progress of every sweep, computed once for all watchers."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._rows: list[dict[str, Any]] = []
        self._at = 0.0

    def rows(self) -> list[dict[str, Any]]:
        """The newest sweeps."""
        with self._lock:
            if time.monotonic() - self._at > _BOARD_S:
                entries = self._runner.queue.find(limit=_BOARD)
                self._rows = [sweep(self._runner, entry).model_dump() for entry in entries]
                self._at = time.monotonic()
            return self._rows

    def row(self, name: str) -> dict[str, Any]:
        """Progress of one sweep, looked up in the queue if it is too old to be among the newest."""
        found = next((row for row in self.rows() if row["name"] == name), None)
        return found or sweep(self._runner, self._runner.entry(name)).model_dump()


def detail(runner: Runner, entry: QueuedSweep) -> SweepDetail:
    """A sweep with its config."""
    target = runner.intake.place(entry.name)
    return SweepDetail(**_sweep(runner, entry), config=entry.text, store=target.url, has_cube=target.exists())


def verification(runner: Runner, name: str, repair: bool) -> Verification:
    """The engine's verification of a cube, repaired on demand."""
    runner.entry(name)
    with runner.checking(name):
        found = verify(runner.intake.place(name), repair=repair, root=runner.intake.root, trust=True)
    return Verification(**{key: value for key, value in found.items() if key != "store"})


def status(runner: Runner, name: str) -> CubeStatus:
    """The engine's report of a cube, each reason with its replay command."""
    runner.entry(name)
    target = runner.intake.place(name)
    found = look(target)
    labels = {p["point_id"]: p["labels"] for p in found["failed"]}
    cube = runner.intake.cube(name)
    for reason in found["reasons"]:
        # The labels of an unpacked point are only in the log.
        if not labels.get(reason["point_id"]):
            labels[reason["point_id"]] = (_noted(cube, reason["point_id"]) or {"labels": {}})["labels"]
    return CubeStatus(
        counts=found["counts"],
        points=found["points"],
        live=found["live"],
        reasons=[
            Reason(**r, labels=plain(labels.get(r["point_id"], {})), replay=replay_command(target, r["point_id"]))
            for r in found["reasons"]
        ],
        failed=plain(found["failed"]),
        slowest=plain(found.get("slowest", [])),
        points_per_s=found.get("points_per_s"),
    )


def replay_command(target: Place, point_id: str) -> str:
    """Command that computes one point again."""
    return f"photogap replay {shlex.quote(target.url)} {point_id[:16]}"


def point(runner: Runner, name: str, text: str) -> PointDetail:
    """Details of one point.

    Raises:
        UnknownError: No point matches, or several do.
    """
    runner.entry(name)
    cube = runner.intake.cube(name)
    noted = _noted(cube, text) or _stored(cube, text)
    if noted is None:
        if "=" not in text and cube.grid.size > _HASHED_POINTS:
            raise UnknownError(f"POINT must be a finished point, or labels such as T=30. Got {text!r}.")
        plan = runner.intake.plan_of(cube)
        try:
            labels = cube.grid.labels(find(plan, text))
        except ConfigError as error:
            raise UnknownError(str(error)) from None
        noted = _noted(cube, plan.point_id(labels)) or {"point_id": plan.point_id(labels), "labels": labels}
    where = cube.grid.position(noted["labels"])
    state = noted.get("status") or (MISSING if where is None else str(cube.array("status")[where]))
    message = noted.get("message")
    if message is None:
        message = "" if where is None else str(cube.array("message")[where])
    return PointDetail(
        point_id=noted["point_id"],
        labels=plain(noted["labels"]),
        status=state,
        message=message,
        traceback=noted.get("traceback") or "",
        host=noted.get("host") or "",
        wall_time=_finite(noted.get("wall_time")),
        cpu_time=_finite(noted.get("cpu_time")),
        attempts=noted.get("attempts") or 0,
        peak_memory=_finite(noted.get("peak_memory")),
        diagnostics=plain(json.loads(noted.get("diagnostics") or "{}")),
        replay=replay_command(cube.place, noted["point_id"]),
    )


def _noted(cube: Cube, text: str) -> dict[str, Any] | None:
    """Row of the driver's log for the first digits of a point's id."""
    if not (6 <= len(text) <= 128 and text.isalnum() and text.isascii()):
        return None
    with contextlib.suppress(sqlite3.Error), contextlib.closing(Log(cube.place.state / LOG, read_only=True)) as log:
        rows = log.points(f"substr(point_id, 1, {len(text)}) = '{text}'", limit=2)
        if len(rows) == 1:
            return rows[0]
    return None


def _stored(cube: Cube, text: str) -> dict[str, Any] | None:
    """Record of a finished point, found by its labels in the cube alone, so that older versions are shown too."""
    if "=" not in text:
        return None
    try:
        where = at_labels(cube.grid, text)
    except ConfigError as error:
        raise UnknownError(str(error)) from None
    point_id = str(cube.array("point_id")[where])
    if not point_id:
        return None
    noted = _noted(cube, point_id)
    if noted is not None:
        return noted
    numbers = {name: float(cube.array(name)[where]) for name in ("wall_time", "cpu_time")}
    host, attempts = str(cube.array("host")[where]), int(cube.array("attempts")[where])
    return {"point_id": point_id, "labels": cube.grid.labels(where), "host": host, "attempts": attempts} | numbers


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def checked(runner: Runner, source: str | dict[str, Any], overrides: tuple[str, ...]) -> Checked:
    """Numbers of a config that cost nothing to compute, or the rule that it breaks."""
    axes: dict[str, Any] = {}
    try:
        config = runner.intake.config(source, overrides)
        axes = plain(config.model_dump(mode="json")["axes"])
        plan = runner.intake.plan(config, confirm=False)
    except SweepError as error:
        return Checked(problem=written(str(error)), axes=axes)
    return Checked(
        name=config.name,
        points=plan.grid.size,
        shape=dict(zip(plan.grid.dims, plan.grid.shape, strict=True)),
        bytes=sum(plan.bytes_per_output.values()) * plan.grid.size,
        axes=axes,
        exists=runner.intake.place(config.name).exists(),
    )


def estimate(runner: Runner, config: Config) -> Estimate:
    """Numbers of `photogap run --dry-run`, computed in a separate process.

    Raises:
        TooBusyError: Another estimate is under way.
    """
    if not _estimating.acquire(blocking=False):
        raise TooBusyError("another dry run is running; try again in a moment.")
    try:
        tree = {k: v for k, v in config.model_dump(mode="json").items() if v is not None}
        command = [sys.executable, "-m", "photogap.sweeps.server.dry_run", runner.intake.root]
        done = subprocess.run(
            command, input=json.dumps(tree), capture_output=True, text=True, timeout=_ESTIMATE_S, check=False
        )
        if done.returncode:
            known = done.stderr.strip().startswith("photogap: ")
            raise ConfigError(done.stderr.strip()[10:2010] if known else "the dry run failed.")
        return Estimate(**json.loads(done.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        raise SweepError(f"the dry run took longer than {_ESTIMATE_S:.0f} s.") from None
    finally:
        _estimating.release()
