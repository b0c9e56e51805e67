"""The queue: sweeps, their configs and progress, in one SQLite file that outlives the server."""

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUEUED, RUNNING, DONE, CANCELLED, FAILED = STATES = ("queued", "running", "done", "cancelled", "failed")
WAITING = (QUEUED, RUNNING)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sweeps (
    name TEXT PRIMARY KEY, state TEXT NOT NULL, action TEXT NOT NULL, text TEXT NOT NULL, tree TEXT NOT NULL,
    cluster TEXT NOT NULL, message TEXT NOT NULL, submitted REAL NOT NULL, started REAL, ended REAL, counts TEXT
);
"""


@dataclass(frozen=True)
class QueuedSweep:
    """One sweep of the queue; its name is its cube's.

    Args:
        name: Name of the sweep and of its cube.
        state: One of `STATES`.
        action: Next action: `run` or `retry`.
        text: Config as it was submitted.
        tree: Config as parsed.
        cluster: Cluster that runs its points.
        message: Reason for a failure or stop.
        submitted: Time of the last submission, s since 1970, as are `started` and `ended`.
        counts: Numbers of its last run.
    """

    name: str
    state: str
    action: str
    text: str
    tree: dict[str, Any]
    cluster: str
    message: str
    submitted: float
    started: float | None
    ended: float | None
    counts: dict[str, Any]


class Queue:
    """Sweeps by name; every change is on disk when its call returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def put(
        self,
        name: str,
        text: str,
        tree: dict[str, Any],
        *,
        action: str = "run",
        state: str = QUEUED,
        counts: dict[str, int] | None = None,
    ) -> None:
        """Add a sweep, or queue it again under another config."""
        with self._lock:
            self._db.execute(
                "INSERT INTO sweeps VALUES (?,?,?,?,?,?,'',?,NULL,NULL,?) ON CONFLICT(name) DO UPDATE SET "
                "state=excluded.state, action=excluded.action, text=excluded.text, tree=excluded.tree, "
                "cluster=excluded.cluster, message='', submitted=excluded.submitted, started=NULL, ended=NULL",
                (
                    name,
                    state,
                    action,
                    text,
                    json.dumps(tree),
                    tree.get("cluster", "local"),
                    time.time(),
                    counts and json.dumps(counts),
                ),
            )

    def mark(self, name: str, **changes: Any) -> None:
        """Change columns of a sweep."""
        if "counts" in changes:
            changes["counts"] = json.dumps(changes["counts"])
        columns = ", ".join(f"{column}=?" for column in changes)
        with self._lock:
            self._db.execute(f"UPDATE sweeps SET {columns} WHERE name=?", (*changes.values(), name))

    def claim(self, name: str, states: tuple[str, ...], **changes: Any) -> bool:
        """Change a sweep if it is in one of these states; True if it was."""
        if "counts" in changes:
            changes["counts"] = json.dumps(changes["counts"])
        columns = ", ".join(f"{column}=?" for column in changes)
        marks = ",".join("?" * len(states))
        with self._lock:
            done = self._db.execute(
                f"UPDATE sweeps SET {columns} WHERE name=? AND state IN ({marks})",
                (*changes.values(), name, *states),
            )
            return done.rowcount == 1

    def get(self, name: str) -> QueuedSweep | None:
        """A sweep."""
        return next(self._entries("name=?", (name,)), None)

    def find(
        self, search: str = "", state: str | None = None, limit: int = -1, offset: int = 0
    ) -> list[QueuedSweep]:
        """Sweeps whose name or config contains a text, newest first."""
        like = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        where = "(name LIKE ? ESCAPE '\\' OR text LIKE ? ESCAPE '\\') AND (? IS NULL OR state=?)"
        order = f"submitted DESC, name LIMIT {int(limit)} OFFSET {int(offset)}"
        return [*self._entries(where, (like, like, state, state), order)]

    def due(self) -> list[QueuedSweep]:
        """Queued sweeps, oldest first."""
        return [*self._entries("state=?", (QUEUED,), "submitted")]

    def take_up(self) -> int:
        """Queue again the sweeps that were running when the last server ended; return their number."""
        with self._lock:
            return self._db.execute("UPDATE sweeps SET state=? WHERE state=?", (QUEUED, RUNNING)).rowcount

    def _entries(self, where: str, values: tuple[Any, ...], order: str = "name") -> Iterator[QueuedSweep]:
        with self._lock:
            rows = self._db.execute(f"SELECT * FROM sweeps WHERE {where} ORDER BY {order}", values).fetchall()
        for row in rows:
            found = dict(row)
            with contextlib.suppress(ValueError):
                found["tree"] = json.loads(row["tree"])
            found["counts"] = json.loads(row["counts"]) if row["counts"] else {}
            yield QueuedSweep(**found)
