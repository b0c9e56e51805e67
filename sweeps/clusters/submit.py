"""The driver as a batch job: its script, and what a login node sees of it."""

import json
import os
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ClusterError, ConfigError
from ..store.place import Place
from .batch import driver_header, kind_of, prologue, setting, system_named, system_of
from .config import Jobs, find
from .fleet import NOTES, reap

DRIVER = "driver.json"


@dataclass(frozen=True)
class Submitted:
    """A driver's job.

    Args:
        kind: Its batch system, `slurm` or `pbs`.
        job: Its id.
        log: What it writes.
        script: What was submitted.
    """

    kind: str
    job: str
    log: str
    script: str


def write_script(spec: Jobs, where: str, config: Path, place: Place, more: Sequence[str] = ()) -> Path:
    """Script of the driver's job, beside the store."""
    name = f"photogap-driver-{config.stem}"
    state = place.state
    for folder in (state / "scripts", state / "logs"):
        folder.mkdir(parents=True, exist_ok=True)
    command = [setting(spec, "python") or sys.executable, "-m", "photogap.sweeps.cli", "run", str(config.resolve())]
    command += ["--store", place.url, "--cluster", os.path.abspath(where), *more]
    lines = [
        driver_header(spec, name, state / "logs" / "driver.log"),
        *prologue(spec, name, worker=False),
        f"cd {shlex.quote(os.getcwd())}",
        # In place of the shell: a batch system's signal reaches the driver, which then cancels its workers.
        f"exec {shlex.join(command)}",
    ]
    path = state / "scripts" / "driver.sh"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def submit(cluster: str, config: Path, place: Place, more: Sequence[str] = (), folder: str = ".") -> Submitted:
    """Submit a sweep's driver.

    Raises:
        ConfigError: The cluster has no jobs.
        ClusterError: The batch system refuses, or the store's driver is a job already.
    """
    spec, where = find(cluster, folder)
    if not isinstance(spec, Jobs):
        raise ConfigError(f"`submit` needs a slurm or pbs cluster. Got {cluster!r}, which is {spec.kind}.")
    before = known(place)
    if before and state_of(before) != "ended":
        raise ClusterError(
            f"job {before.job} already drives {place.url}, or waits to. "
            "Look at it with `photogap status`, or end it with `photogap cancel`."
        )
    script = write_script(spec, where, config, place, more)
    log = place.state / "logs" / "driver.log"
    log.unlink(missing_ok=True)
    job = Submitted(kind_of(spec), system_of(spec).submit(script), str(log), str(script))
    text = json.dumps(job.__dict__ | {"at": time.time()})
    (place.state / DRIVER).write_text(text, encoding="utf-8")
    return job


def known(place: Place) -> Submitted | None:
    """The job that was submitted for a store last."""
    try:
        tree: dict[str, Any] = json.loads((place.state / DRIVER).read_text())
        return Submitted(**{k: str(tree[k]) for k in ("kind", "job", "log", "script")})
    except (OSError, ValueError, KeyError):
        return None


def state_of(job: Submitted) -> str:
    """What the queue says of a driver's job; `ended` if it knows it no more."""
    try:
        states = system_named(job.kind).states([job.job])
    except ClusterError as error:
        return f"unknown ({error})"
    if states is None:
        return "unknown (the batch system does not answer)"
    return f"{states[job.job].phase} {states[job.job].detail}".strip() if job.job in states else "ended"


def describe(place: Place) -> str | None:
    """One line on the store's driver job, for `status`."""
    job = known(place)
    if job is None:
        return None
    state = state_of(job)
    words = system_named(job.kind).story(job.job) if state == "ended" else ""
    return f"driver job {job.job}: {' '.join(filter(None, [state, words]))}; log {job.log}"


def end(place: Place) -> str | None:
    """Cancel a driver's job that waits, and worker jobs that nobody drives; what was done."""
    from ..store.lock import is_driven

    if is_driven(place):
        return None
    done = []
    job = known(place)
    if job and state_of(job).startswith(("pending", "running")):
        system_named(job.kind).cancel([job.job])
        done.append(f"cancelled the driver's job {job.job}")
    left = reap(place.state)
    if left:
        done.append(f"cancelled worker jobs {', '.join(left)}")
    return "; ".join(done) or None


def logs(place: Place, lines: int) -> str:
    """Ends of the logs of driver, fleet and workers."""
    job = known(place)
    parts = []
    chosen = [Path(job.log)] if job else []
    chosen.append(place.state / NOTES)
    workers = sorted((place.state / "logs").glob("photogap-*.err"), key=lambda p: p.stat().st_mtime)
    for path in [*chosen, *workers[-3:]]:
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace").splitlines()
            parts.append(f"==> {path} <==\n" + "\n".join(text[-lines:]))
    if not parts:
        raise ConfigError(f"STORE must have logs of a batch system beside it. Got {place.url!r}, which has none.")
    return "\n".join(parts)
