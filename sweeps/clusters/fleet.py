"""The jobs of one run: their number is maintained, lost ones are replaced, all are cancelled at the end.

A thread looks at the scheduler often, which costs nothing, and at the batch system seldom.
"""

import contextlib
import dataclasses
import json
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ClusterError, SweepError
from ..private import write_private
from .script import log_of, processes_of, tail
from .spec import JOBS, Adapt, Jobs, expanded
from .system import ENDED, PENDING, JobState, System
from .trust import is_job, own_note

NOTES = "cluster.log"
_LOOK_S = 0.5
_FAILURES = 3
_SUBMITS = 5
_CANCEL_S = 20.0
HOPELESS_S = 8.0
"""Time for which a hopeless reason must last before the run ends: a system may correct itself."""


@dataclass
class Member:
    """One job.

    Args:
        name: Its name, and the start of its workers' names.
        job: Its id.
    """

    name: str
    job: str
    submitted: float = field(default_factory=time.monotonic)
    state: JobState = field(default_factory=lambda: JobState(PENDING))
    joined: float | None = None
    busy: float = field(default_factory=time.monotonic)
    hopeless_since: float | None = None
    missed: int = 0
    dismissed: bool = False


@dataclass(frozen=True)
class Worker:
    """State of a worker at the scheduler."""

    name: str
    busy: bool


class Fleet:
    """Keeps the requested number of jobs running.

    Args:
        spec: The cluster.
        script: Script of a job of this name.
        workers: Workers connected now.
        outstanding: Batches submitted and not finished.
        folder: Folder for scripts, logs and notes.
        jobs: Number of jobs in place of the cluster's own.
    """

    def __init__(
        self,
        spec: Jobs,
        *,
        script: Callable[[str], str],
        workers: Callable[[], list[Worker]],
        outstanding: Callable[[], int],
        folder: Path,
        run: str,
        jobs: int | None = None,
        system: System | None = None,
    ) -> None:
        self.spec, self.system, self.folder, self.run = spec, system or spec.system, folder, run
        self._script, self._workers, self._outstanding = script, workers, outstanding
        self._fixed = jobs or spec.jobs
        self.processes = processes_of(spec)
        self.logs = Path(expanded(spec.log_directory or str(folder / "logs")))
        self.members: dict[str, Member] = {}
        self.ended: dict[str, Member] = {}
        self.lost = 0
        self.trouble: SweepError | None = None
        self._failures = self._refusals = self._number = 0
        self._asked = self._submitted = 0.0
        self._begun = False
        self._stop = threading.Event()
        self._lock = threading.RLock()
        self._thread = threading.Thread(target=self._keep, name="photogap-fleet", daemon=True)

    def start(self) -> None:
        """Submit the first jobs.

        Raises:
            ClusterError: The batch system refuses.
        """
        for folder in (self.folder / "scripts", self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        adapt = self.spec.adapt
        first = self._fixed or max(1, adapt.minimum if adapt else 1)
        for _ in range(first):
            self._submit()
        self._thread.start()

    def close(self) -> None:
        """Cancel the remaining jobs, and wait until they have left the queue."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_CANCEL_S)
        left = [m.job for m in self.all()]
        with contextlib.suppress(ClusterError):
            dismiss(self.system, left)
        self._note(f"closed; cancelled {len(left)} jobs")
        (self.folder / JOBS).unlink(missing_ok=True)

    def check(self) -> None:
        """Raise the error that ended the fleet, if there is one."""
        if self.trouble:
            raise self.trouble

    def all(self) -> list[Member]:
        """Jobs that have not ended; for threads other than the keeper's, which changes their number."""
        return list(self.members.values())

    def pending(self) -> int:
        """Jobs that wait in the queue."""
        return sum(m.joined is None for m in self.all())

    def first_wait(self) -> float | None:
        """Shortest time between a job's submission and its first worker, s; None if none has joined."""
        # a worker may appear here before the keeper has assigned it to its job
        until = time.monotonic() + 3 * _LOOK_S
        while self.members and self.pending() == len(self.members) and time.monotonic() < until:
            time.sleep(0.05)
        waits = [m.joined - m.submitted for m in [*self.all(), *self.ended.values()] if m.joined]
        return min(waits, default=None)

    def story(self, worker: str) -> str:
        """End of a lost worker's job, and the path of its log."""
        with self._lock:
            everyone = self.members | self.ended
        name = next((n for n in everyone if worker == n or worker.startswith(f"{n}-")), None)
        if name is None:
            return ""
        words = self._words(everyone[name])
        log = log_of(self.logs, name)
        return f"job {everyone[name].job} {words}".strip() + (f", log {log}" if log else "")

    def _words(self, member: Member) -> str:
        """End of a job, from the batch system's commands and messages."""
        parts = (self.system.story(member.job), self.system.words(self.logs, member.name))
        return "; ".join(filter(None, parts))

    def _keep(self) -> None:
        while not self._stop.wait(_LOOK_S):
            try:
                with self._lock:
                    self.step()
            except SweepError as error:
                self.trouble = error
                return
            except Exception as error:
                self._note(f"query failed:  {type(error).__name__}: {error}")

    def step(self) -> None:
        """One cycle: note jobs that have joined or ended, and submit those that are needed."""
        now = time.monotonic()
        missing = self._see(self._workers(), now)
        if missing or now - self._asked > self.spec.poll:
            self._ask(now)
        wanted = self._wanted(now)
        while len(self._alive()) < wanted and now - self._submitted > 2.0**self._failures - 1:
            if self._stop.is_set() or not self._resubmit():
                break
        self._shrink(wanted, now)

    def _see(self, workers: list[Worker], now: float) -> bool:
        """Note which jobs have workers; return whether one has lost all of them since the queue was queried."""
        gone = False
        for member in self.members.values():
            mine = [w for w in workers if w.name == member.name or w.name.startswith(f"{member.name}-")]
            if mine:
                if member.joined is None:
                    member.joined = now
                    self._failures = 0
                    self._note(f"job {member.job} ({member.name}) joined after {now - member.submitted:.1f} s")
                member.missed = 0
                if any(w.busy for w in mine):
                    member.busy = now
            elif member.joined is not None:
                gone = gone or now - self._asked > min(1.0, self.spec.poll)
        return gone

    def _ask(self, now: float) -> None:
        """Query the queue; a job missing from it twice has ended."""
        self._asked = now
        states = self.system.states([m.job for m in self.members.values()])
        if states is None:
            return
        connected = {w.name for w in self._workers()}
        for member in list(self.members.values()):
            state = states.get(member.job)
            if state is not None:
                since = member.hopeless_since if member.hopeless_since is not None else self._asked
                member.hopeless_since = since if state.hopeless else None
                member.state, member.missed = state, 0
            elif not any(n == member.name or n.startswith(f"{member.name}-") for n in connected):
                # A job may appear late after its submission, and its worker late after its start.
                member.missed += 1
                if member.missed > 1:
                    self._end(member)
        self._give_up_on_hopeless()
        if any(m.missed or m.hopeless_since is not None for m in self.members.values()):
            self._asked = now - self.spec.poll + min(1.0, self.spec.poll)

    def _give_up_on_hopeless(self) -> None:
        """Raise if every job has waited for some seconds for a reason that waiting does not resolve."""
        alive = self._alive()
        since = [m.hopeless_since for m in alive if m.hopeless_since is not None]
        if not alive or len(since) < len(alive) or self._asked - max(since) < HOPELESS_S:
            return
        queue = self.spec.queue
        raise ClusterError(
            f"no job of this run can ever start: {hopeless(self.system, alive[0].job, alive[0].state, queue)} "
            "The run's jobs were cancelled; finished points are kept."
        )

    def _end(self, member: Member) -> None:
        del self.members[member.name]
        self.ended[member.name] = dataclasses.replace(member, state=JobState(ENDED))
        words = self._words(member)
        log = log_of(self.logs, member.name)
        self._note(f"job {member.job} ({member.name}) ended {words}".rstrip())
        self._remember()
        if member.dismissed:
            return
        self.lost += 1
        if member.joined is None:
            self._failures += 1
            if self._failures >= _FAILURES:
                said = tail(log)
                raise ClusterError(
                    f"{self._failures} worker jobs in a row ended before a worker joined, the last one "
                    f"{member.job} {words}. "
                    + (f"Its last error: {said}. " if said else "Its log is empty. ")
                    + "Look at "
                    f"its log {log or self.logs} and its script {self._path(member.name)}; `prologue`, `python`, "
                    "`interface` and `memory` of the cluster file are the usual causes. Finished points "
                    "are kept."
                )

    def _wanted(self, now: float) -> int:
        waiting = self._outstanding()
        self._begun = self._begun or waiting > 0
        work = math.ceil(waiting / self.processes)
        if self._fixed:
            # Towards the end there are more jobs than work: a job that ends then needs no replacement.
            return min(self._fixed, work) if self._begun and self.ended else self._fixed
        adapt = self._adapt()
        # The run waits for the first worker before it submits work.
        return max(adapt.minimum, min(adapt.maximum, work if self._begun else 1))

    def _adapt(self) -> Adapt:
        assert self.spec.adapt is not None
        return self.spec.adapt

    def _alive(self) -> list[Member]:
        return [m for m in self.members.values() if not m.dismissed]

    def _shrink(self, wanted: int, now: float) -> None:
        if self._fixed:
            return
        spare = len(self._alive()) - wanted
        idle = self._adapt().idle
        able = [m for m in self._alive() if m.joined is None or now - m.busy > idle]
        able.sort(key=lambda m: m.joined is not None)
        chosen = able[: max(0, spare)]
        if chosen:
            for member in chosen:
                member.dismissed = True
            self.system.cancel([m.job for m in chosen])
            self._note(f"fewer jobs are wanted: cancelled {', '.join(m.job for m in chosen)}")

    def _resubmit(self) -> bool:
        """Submit during a run: a refusal is tolerated while other jobs remain."""
        try:
            self._submit()
        except ClusterError as error:
            self._refusals += 1
            self._submitted = time.monotonic() + min(60.0, 2.0**self._refusals)
            self._note(f"submission refused: {error}")
            if self._refusals >= _SUBMITS and not self.members:
                raise
            return False
        self._refusals = 0
        return True

    def _submit(self) -> None:
        name = f"photogap-{self.run}-{self._number}"
        self._number += 1
        path = self._path(name)
        text = self._script(name)
        path.write_text(text, encoding="utf-8")
        job = self.system.submit(path, text)
        if self._stop.is_set():
            # A slow batch system accepted it while the fleet was closing.
            self.system.cancel([job])
            return
        self.members[name] = Member(name, job)
        self._submitted = time.monotonic()
        self._remember()
        self._note(f"submitted job {job} ({name})")

    def _path(self, name: str) -> Path:
        return self.folder / "scripts" / f"{name}.sh"

    def _remember(self) -> None:
        """Ids of the jobs, for a later run to cancel if this driver is killed."""
        record = {
            "kind": self.spec.kind_name(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "jobs": [m.job for m in self.members.values()],
            "logs": str(self.logs),
        }
        write_private(self.folder / JOBS, json.dumps(record).encode())

    def _note(self, text: str) -> None:
        _append(self.folder, text)


def _append(folder: Path, text: str) -> None:
    with contextlib.suppress(OSError), (folder / NOTES).open("a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")


def hopeless(system: System, job: str, state: JobState, queue: str | None) -> str:
    """Why a job can never start, and what to change."""
    offers = system.offers(queue)
    return (
        f"job {job} is {state.detail}, which waiting does not resolve. Change `cores`, `memory`, `walltime`, "
        f"`queue` or `account` of the cluster file to available values" + (f" ({offers})." if offers else ".")
    )


def dismiss(system: System, jobs: list[str]) -> None:
    """Cancel jobs and wait until they have left the queue."""
    if not jobs:
        return
    system.cancel(jobs)
    end = time.monotonic() + _CANCEL_S
    while time.monotonic() < end:
        left = system.states(jobs)
        if left is not None and not left:
            return
        time.sleep(0.3)


def reap(folder: Path, system_named: Callable[[str], System | None]) -> list[str]:
    """Cancel the worker jobs that a killed driver of this user left; their ids.

    A note that another user may have written is not followed; `cluster.log` says so.

    Args:
        folder: State folder of the store.
        system_named: Batch system of a kind of cluster; None if it has none or is not installed.
    """
    record, why = own_note(folder / JOBS)
    if why:
        _append(folder, why)
    found = record.get("jobs")
    jobs = [job for job in map(str, found) if is_job(job)] if isinstance(found, list) else []
    if not jobs:
        return []
    system = system_named(str(record.get("kind")))
    if system is None:
        return []
    try:
        system.cancel(jobs)
    except ClusterError:
        return []
    (folder / JOBS).unlink(missing_ok=True)
    return jobs
