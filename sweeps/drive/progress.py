"""A run on the terminal: done, failed, running, rate, time left, and the dashboard's address."""

import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ..numbers import clock, pace
from .flow import MEDIANS, Counts

_PLAIN_S = 10.0


class Bar:
    """Progress bar on a terminal, occasional lines elsewhere, nothing if silent."""

    def __init__(self, *, silent: bool = False) -> None:
        self._console = Console(stderr=True, quiet=silent)
        self._bar: Progress | None = None
        self._first: tuple[float, int] | None = None
        self._said = time.monotonic()
        self._limited = False

    def __enter__(self) -> "Bar":
        if self._console.is_terminal and not self._console.quiet:
            self._bar = Progress(
                BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=self._console
            )
            self._bar.start()
            self._bar.add_task("starting workers", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def opened(self, pool: dict[str, Any]) -> None:
        """Show where the points run."""
        several = "worker" if pool["workers"] == 1 else "workers"
        where = f"{pool['workers']} {several} at {pool['kind']}" if "://" in pool["kind"] else pool["kind"]
        self._console.print(f"computing in {where}", highlight=False)
        if pool.get("dashboard"):
            self._console.print(f"dashboard: {pool['dashboard']}", highlight=False, soft_wrap=True)

    def update(self, counts: Counts) -> None:
        """Show the counts."""
        if counts.limit is not None and not self._limited:
            self._limited = True
            text = f"time limit of a point: {counts.limit:.3g} s, at least {MEDIANS} times the median"
            self._console.print(f"{text}; `limits.time_s` changes it", highlight=False)
        text = self.text(counts)
        if self._bar:
            task = self._bar.task_ids[0]
            self._bar.update(task, total=counts.total, completed=counts.done + counts.failed, description=text)
        elif time.monotonic() - self._said > _PLAIN_S:
            self._said = time.monotonic()
            self._console.print(text, highlight=False)

    def text(self, counts: Counts) -> str:
        """Counts, rate and time left in words."""
        now = time.monotonic()
        ended = counts.done + counts.failed
        if self._first is None or ended < self._first[1]:  # another round of a refinement
            self._first = (now, ended)
        begin, before = self._first
        rate = (ended - before) / (now - begin) if now > begin + 0.5 else 0.0
        left = f"{clock((counts.total - ended) / rate)} left" if rate else "time left unknown"
        speed = f"{pace(rate)}, " if rate else ""
        share = f"{ended}/{counts.total} done, {counts.failed} failed, {counts.running} running"
        return f"{share}, {speed}{left}"
