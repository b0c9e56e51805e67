"""Running sweeps: one thread each, which calls the engine like the command line and records progress."""

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..ask.axes import Index
from ..ask.config import parse
from ..ask.plan import Plan
from ..clusters.open import open_pool
from ..drive.flow import Counts
from ..drive.sweep import Report, Watch, cancel, retry, run
from ..errors import ConfigError, SweepError
from ..store.cube import Cube
from ..work.pool import Opener
from .intake import Intake, positions
from .journal import Journal
from .options import Options
from .others import Others
from .queue import CANCELLED, DONE, FAILED, QUEUED, RUNNING, WAITING, Queue, QueuedSweep
from .share import HAS_PAGES, Hubs, Share

_log = logging.getLogger("photogap.server")
_SERVER_STOPS = "server stopped"


@dataclass
class Live:
    """Progress of a sweep, as reported by its run.

    Args:
        version: Grows with every change, so that watchers detect changes.
        at: Time of the last report, s since 1970.
        counts: Points of the run by outcome.
        rate: Points per second since the run began; 0 if unknown.
    """

    version: int = 0
    at: float = 0.0
    counts: dict[str, Any] = field(default_factory=dict)
    rate: float = 0.0


class RunningSweep:
    """One running sweep."""

    def __init__(self, name: str, tell: Callable[[Counts], None]) -> None:
        self.name, self._tell = name, tell
        self.live = Live()
        self.share: Share | None = None
        self.plan: Plan | None = None
        self.thread: threading.Thread | None = None
        self._reason: str | None = None
        self._first: tuple[float, int] | None = None

    def stop(self, reason: str) -> None:
        """Ask the run to stop; finished points are kept."""
        self._reason = self._reason or reason

    def stopped(self) -> str | None:
        """The reason to stop, if there is one."""
        return self._reason

    def opened(self, share: Share) -> None:
        """Record where the points run."""
        self.share = share

    def told(self, counts: Counts) -> None:
        """Record the progress of the run."""
        now, ended = time.time(), counts.done + counts.failed
        if self._first is None:
            self._first = (now, ended)
        begin, before = self._first
        rate = (ended - before) / (now - begin) if now > begin + 0.5 else 0.0
        self.live = Live(self.live.version + 1, now, dataclasses.asdict(counts), rate)
        self._tell(counts)

    def running(self, cube: Cube) -> set[Index]:
        """Positions of the points that the pool is computing."""
        share, plan = self.share, self.plan
        if share is None or plan is None:
            return set()
        material = positions(plan)
        found = set()
        for job in share.jobs():
            labels = {"material": material.get(job.material), **job.labels}
            labels |= {n: getattr(job.settings, n) for n in cube.grid.dims if n not in labels}
            where = cube.grid.position(labels)
            if where is not None:
                found.add(where)
        return found


class Runner:
    """Starts queued sweeps up to the operator's limit, and keeps track of the running ones."""

    def __init__(self, options: Options, opener: Opener = open_pool, *, idle_s: float = 60.0) -> None:
        self.options = options
        self.intake = Intake(options)
        self.queue = Queue(options.state / "queue.sqlite")
        self.journal = Journal(options.state / "journal.sqlite")
        self.hubs = Hubs(opener, options.workers, idle_s, options.state, self.intake.cluster)
        self._jobs: dict[str, RunningSweep] = {}
        self._checked: set[str] = set()
        self.others = Others(self.intake, self.queue, lambda name: name in self._jobs or name in self._checked)
        self._lock = threading.RLock()
        self._closing = False

    def start(self) -> None:
        """List cubes written by the command line, queue interrupted sweeps again, and start."""
        if HAS_PAGES:
            # Each scheduler starts in its own thread; if two threads import the pages at once, one may find
            # them incomplete.
            import distributed.dashboard.scheduler  # noqa: F401

        self.others.start()
        self.queue.take_up()
        self._next()

    def close(self) -> None:
        """Stop every run; the next server continues them."""
        with self._lock:
            self._closing = True
            jobs = list(self._jobs.values())
        self.others.close()
        for job in jobs:
            job.stop(_SERVER_STOPS)
        for job in jobs:
            if job.thread:
                job.thread.join(30)
        self.hubs.close()
        self.queue.close()
        self.journal.close()

    def submit(self, text: str, tree: dict[str, Any]) -> QueuedSweep:
        """Queue a sweep whose plan has been accepted.

        Raises:
            ConfigError: A sweep of that name waits or runs.
        """
        name = str(tree["name"])
        with self._lock:
            entry = self.queue.get(name)
            if entry and (entry.state in WAITING or name in self._jobs):
                raise BusyNameError(
                    f"the sweep {name!r} is {entry.state}. Wait for it, cancel it, or use another `name`."
                )
            self._refuse_run_of_others(name)
            self.queue.put(name, text, tree)
        self._next()
        return self.entry(name)

    def again(self, name: str, action: str) -> QueuedSweep:
        """Queue a stopped sweep: to continue it (`run`), or to compute its failed points again (`retry`, or
        `retry ID` for those that failed for the same reason as that point)."""
        with self._lock:
            states = (DONE, CANCELLED, FAILED)
            self._refuse_run_of_others(name)
            if name in self._jobs or not self.queue.claim(name, states, state=QUEUED, action=action, message=""):
                raise BusyNameError(f"the sweep {name!r} is {self.entry(name).state}; stop it first.")
        self._next()
        return self.entry(name)

    def cancel(self, name: str) -> QueuedSweep:
        """Stop a sweep; finished points are kept."""
        with self._lock:
            if not self.queue.claim(name, (QUEUED,), state=CANCELLED, ended=time.time()):
                job = self._jobs.get(name)
                if job is None and self.others.run(name) is not None:
                    cancel(self.intake.place(name))
                    return self.entry(name)
                if job is None:
                    raise BusyNameError(
                        f"the sweep {name!r} is {self.entry(name).state}; there is nothing to stop."
                    )
                job.stop(CANCELLED)
        return self.entry(name)

    def entry(self, name: str) -> QueuedSweep:
        """A sweep of the queue.

        Raises:
            UnknownError: No sweep has this name.
        """
        found = self.queue.get(name)
        if found is None:
            raise UnknownError(f"NAME must be a sweep of this server. No sweep {name!r}.")
        return found

    @contextlib.contextmanager
    def checking(self, name: str) -> Iterator[None]:
        """Keep a cube that this server verifies from counting as one that another process computes."""
        self._checked.add(name)
        try:
            yield
        finally:
            self._checked.discard(name)

    def _refuse_run_of_others(self, name: str) -> None:
        if name in self._checked:
            raise BusyNameError(f"the cube of the sweep {name!r} is being verified. Wait for the result.")
        if self.others.computes(name):
            raise BusyNameError(
                f"another process, such as the command line, is computing the sweep {name!r}. "
                "Wait for it, cancel it, or use another `name`."
            )

    def job(self, name: str) -> RunningSweep | None:
        """Run one sweep."""
        return self._jobs.get(name)

    def _next(self) -> None:
        with self._lock:
            if self._closing:
                return
            for entry in self.queue.due():
                if len(self._jobs) >= self.options.at_once:
                    return
                if entry.name in self._jobs:
                    continue
                noted = [0.0]

                def note(counts: Counts, name: str = entry.name, noted: list[float] = noted) -> None:
                    if time.monotonic() - noted[0] > 1:
                        noted[0] = time.monotonic()
                        self.queue.mark(name, counts=dataclasses.asdict(counts))

                job = self._jobs[entry.name] = RunningSweep(entry.name, note)
                self.queue.mark(entry.name, state=RUNNING, started=time.time(), ended=None)
                job.thread = threading.Thread(
                    target=self._work, args=(entry, job), name=f"sweep-{entry.name}", daemon=True
                )
                job.thread.start()

    def _work(self, entry: QueuedSweep, job: RunningSweep) -> None:
        state, message = FAILED, ""
        try:
            report = self._engine(entry, job)
            job.told(report.counts)
            stopped = report.reason
            state = DONE if stopped is None else QUEUED if stopped == _SERVER_STOPS else CANCELLED
        except SweepError as error:
            message = str(error)
            if job.stopped():
                state = QUEUED if job.stopped() == _SERVER_STOPS else CANCELLED
        except Exception as error:
            _log.exception("sweep %s", entry.name)
            message = f"{type(error).__name__}: {error}"
        counts = job.live.counts or entry.counts
        with self._lock:
            with contextlib.suppress(Exception):
                self.queue.mark(
                    entry.name, state=state, message=message, ended=time.time(), counts=counts | {"running": 0}
                )
            self._jobs.pop(entry.name, None)
        self._next()

    def _engine(self, entry: QueuedSweep, job: RunningSweep) -> Report:
        config = parse(entry.tree, folder=self.intake.root, root=self.intake.root)
        self.intake.check(config)
        config = self.intake.ready(config)
        target = self.intake.place(entry.name)
        watch = Watch(tell=job.told, stopped=job.stopped, pool=self.hubs.opener(job.stopped, job.opened))
        job.plan = self.intake.resolve(config)
        what, _, like = entry.action.partition(" ")
        if what == "retry" and target.exists():
            self.intake.check_cube(self.intake.cube(entry.name))
            report = retry(target, watch=watch, root=self.intake.root, trust=True, like=like or None)
            if report.reason is not None:
                return report
            later = run(job.plan, target, workers=config.workers, watch=watch)
            return report.followed_by(later, apart=False)
        return run(job.plan, target, workers=config.workers, watch=watch)


class BusyNameError(ConfigError):
    """The sweep is not in a state that allows the request."""


class UnknownError(ConfigError):
    """The sweep, point or variable does not exist."""
