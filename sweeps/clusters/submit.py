"""The driver as a batch job: its script, and its state as seen from a login node."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..errors import ClusterError, ConfigError
from ..private import write_private
from ..store.place import Place
from .cluster_file import find
from .fleet import NOTES, hopeless, reap
from .kinds import system_named
from .script import driver_script
from .spec import JOBS, Jobs
from .system import ENDED, JobState, System
from .trust import is_job, own_note

DRIVER = "driver.json"


@dataclass(frozen=True)
class Submitted:
    """A driver's job.

    Args:
        kind: Its batch system, `slurm` or `pbs`.
        job: Its id.
        log: Its output.
        script: The submitted script.
    """

    kind: str
    job: str
    log: str
    script: str


def _spec(cluster: str, folder: str) -> tuple[Jobs, str]:
    """Cluster whose workers are jobs, and its file.

    Raises:
        ConfigError: There is no such cluster, or its workers are no jobs.
    """
    spec, where = find(cluster, folder)
    if spec.system is None:
        raise ConfigError(
            f"a driver needs a cluster with a batch system. Got {cluster!r}, of kind {spec.kind_name()}."
        )
    return cast(Jobs, spec), os.path.abspath(where)


def check(cluster: str, place: Place, folder: str = ".") -> None:
    """Refuse an impossible submission.

    Raises:
        ConfigError: There is no such cluster, its workers are no jobs, or the store does not outlive a job.
        ClusterError: The store's driver is a job already.
    """
    _spec(cluster, folder)
    if place.is_memory:
        raise ConfigError("STORE must outlive the job. Got memory://.")
    before = known(place)
    if before and state_of(before) != "ended":
        raise ClusterError(
            f"job {before.job} already drives {place.url}, or is queued to do so. See `photogap status`, or end "
            f"it with `photogap cancel`."
        )


def submit(cluster: str, place: Place, words: Sequence[str], *, name: str, folder: str = ".") -> Submitted:
    """Submit the driver of a store.

    Args:
        cluster: Its workers' cluster: a name or a file.
        place: The store.
        words: Command and arguments of `photogap` that the driver runs, without its `--cluster`.
        name: Name of the sweep.
        folder: Folder of the sweep's config.

    Raises:
        SweepError: As of `check`, or the batch system refuses.
    """
    check(cluster, place, folder)
    spec, where = _spec(cluster, folder)
    state = place.state
    for part in (state / "scripts", state / "logs"):
        part.mkdir(parents=True, exist_ok=True)
    log, script = state / "logs" / "driver.log", state / "scripts" / "driver.sh"
    command = ["-m", "photogap.sweeps.cli", *words, "--cluster", where]
    text = driver_script(spec, f"photogap-driver-{name}", log, command)
    script.write_text(text, encoding="utf-8")
    log.unlink(missing_ok=True)
    job = Submitted(spec.kind_name(), spec.system.submit(script, text), str(log), str(script))
    note = json.dumps(job.__dict__ | {"at": time.time(), "queue": spec.driver.queue or spec.queue})
    write_private(state / DRIVER, note.encode())
    return job


def known(place: Place) -> Submitted | None:
    """The last job that this user submitted for a store."""
    tree, _ = own_note(place.state / DRIVER)
    try:
        found = Submitted(**{k: str(tree[k]) for k in ("kind", "job", "log", "script")})
    except KeyError:
        return None
    return found if is_job(found.job) else None


def _system(job: Submitted) -> System:
    system = system_named(job.kind)
    if system is None:
        raise ClusterError(f"the driver was submitted to {job.kind!r}, a cluster kind that is not installed here.")
    return system


def _state(job: Submitted) -> JobState | str:
    """State of a driver's job in the queue; `ended` if it is no longer listed."""
    try:
        states = _system(job).states([job.job])
    except ClusterError as error:
        return f"unknown ({error})"
    return "unknown (the batch system does not answer)" if states is None else states.get(job.job, ENDED)


def state_of(job: Submitted) -> str:
    """State of a driver's job in words; `ended` if the queue no longer lists it."""
    state = _state(job)
    return state if isinstance(state, str) else f"{state.phase} {state.detail}".strip()


def describe(place: Place) -> str | None:
    """One line on the store's driver job, for `status`."""
    job = known(place)
    if job is None:
        return None
    state = _state(job)
    if isinstance(state, JobState):
        said = f"{state.phase} {state.detail}".strip()
        if state.hopeless:
            said += f"; {hopeless(_system(job), job.job, state, None)} Then `photogap cancel` and submit again"
    elif state == ENDED:
        log = Path(job.log)
        parts = (_system(job).story(job.job), _system(job).words(log.parent, log.stem))
        said = " ".join([state, "; ".join(filter(None, parts))]).strip()
    else:
        said = state
    return f"driver job {job.job}: {said}; log {job.log}"


def end(place: Place) -> str | None:
    """Cancel a waiting driver's job, and worker jobs without a driver; return what was done."""
    from ..store.lock import is_driven

    if is_driven(place):
        return None
    done = []
    job = known(place)
    if job and state_of(job).startswith(("pending", "running")):
        _system(job).cancel([job.job])
        done.append(f"cancelled the driver's job {job.job}")
    done += [why for name in (DRIVER, JOBS) if (why := own_note(place.state / name)[1])]
    left = reap(place.state, system_named)
    if left:
        done.append(f"cancelled worker jobs {', '.join(left)}")
    return "; ".join(done) or None


def logs(place: Place, lines: int) -> str:
    """Last lines of the logs of driver, fleet and workers."""
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
        raise ConfigError(f"No logs of a batch system next to {place.url!r}.")
    return "\n".join(parts)
