"""The driver's log: one SQLite file next to the store, with details that the cube does not store.

It has a rollback journal, since WAL needs memory that processes of several hosts cannot share (NFS, Lustre, GPFS)
and files that belong to one user. It is auxiliary: a log that is damaged, or locked by a process that is suspended,
is set aside and a new one started.
"""

import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_LOG = logging.getLogger("photogap.run")
WAIT_S = 10.0
"""Time for which another process may lock the log, s."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS points (
    point_id TEXT PRIMARY KEY, status TEXT, message TEXT, traceback TEXT, labels TEXT,
    wall_time REAL, cpu_time REAL, host TEXT, attempts INTEGER, computed INTEGER,
    started REAL, ended REAL, peak_memory REAL, diagnostics TEXT
);
CREATE TABLE IF NOT EXISTS events (at REAL, kind TEXT, detail TEXT);
CREATE TABLE IF NOT EXISTS live (id INTEGER PRIMARY KEY CHECK (id = 1), at REAL, detail TEXT);
"""


class Log:
    """Status of points, events of runs, and a heartbeat."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the log; create it if missing."""
        self._path = path
        if read_only:
            self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=WAIT_S, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _writable(path)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def settle(self, records: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> None:
        """Record finished points, as pairs (record, labels), in one transaction."""
        rows = [
            (
                r["point_id"],
                r["status"],
                r["message"],
                r.get("traceback", ""),
                json.dumps(labels),
                r["wall_time"],
                r["cpu_time"],
                r["host"],
                r["attempts"],
                r["started"],
                time.time(),
                r.get("peak_memory"),
                json.dumps(r.get("diagnostics", {})),
            )
            for r, labels in records
        ]
        self._write(
            "INSERT INTO points VALUES (?,?,?,?,?,?,?,?,?,1,?,?,?,?) ON CONFLICT(point_id) DO UPDATE SET "
            "status=excluded.status, message=excluded.message, traceback=excluded.traceback, "
            "labels=excluded.labels, wall_time=excluded.wall_time, cpu_time=excluded.cpu_time, "
            "host=excluded.host, "
            "attempts=excluded.attempts, started=excluded.started, ended=excluded.ended, "
            "peak_memory=excluded.peak_memory, diagnostics=excluded.diagnostics, "
            "computed=points.computed + (points.started IS NOT excluded.started)",
            *rows,
        )
        for row in rows:
            _LOG.debug("point %s: %s in %.3g s on %s %s", row[0][:12], row[1], row[5], row[7], row[2])

    def event(self, kind: str, *, level: int = logging.INFO, **detail: Any) -> None:
        """Record an event of a run, and send it to the logger `photogap.run`."""
        _LOG.log(level, "%s %s", kind, json.dumps(detail, default=str))
        self._write("INSERT INTO events VALUES (?,?,?)", (time.time(), kind, json.dumps(detail, default=str)))

    def alive(self, **detail: Any) -> None:
        """Heartbeat with the run's numbers."""
        row = (time.time(), json.dumps(detail, default=str))
        self._write(
            "INSERT INTO live VALUES (1,?,?) ON CONFLICT(id) DO UPDATE SET at=excluded.at, detail=excluded.detail",
            row,
        )

    def _write(self, command: str, *rows: tuple[Any, ...]) -> None:
        """Write rows in one transaction; into a new log if this one stays locked."""
        try:
            _write_all(self._db, command, rows)
        except sqlite3.OperationalError as error:
            if not _is_locked(error):
                raise
            self._db.close()
            self._db = _renewed(self._path, "locked")
            _write_all(self._db, command, rows)

    def last_alive(self) -> tuple[float, dict[str, Any]] | None:
        """Last heartbeat: its time and numbers."""
        row = self._db.execute("SELECT at, detail FROM live").fetchone()
        return None if row is None else (float(row["at"]), json.loads(row["detail"]))

    def events(self) -> list[dict[str, Any]]:
        """Events of all runs, oldest first."""
        rows = self._db.execute("SELECT at, kind, detail FROM events ORDER BY at").fetchall()
        return [{"at": r["at"], "kind": r["kind"], **json.loads(r["detail"])} for r in rows]

    def counts(self) -> dict[str, int]:
        """Number of points by status."""
        return {r[0]: r[1] for r in self._db.execute("SELECT status, COUNT(*) FROM points GROUP BY status")}

    def points(self, where: str = "1", order: str = "ended", limit: int = -1) -> list[dict[str, Any]]:
        """Points selected by an SQL condition."""
        query = f"SELECT * FROM points WHERE {where} ORDER BY {order} LIMIT {int(limit)}"
        return [{**dict(r), "labels": json.loads(r["labels"])} for r in self._db.execute(query)]

    def attempts(self) -> dict[str, int]:
        """Attempts of each recorded point."""
        return {r[0]: r[1] for r in self._db.execute("SELECT point_id, attempts FROM points")}


def _writable(path: Path) -> sqlite3.Connection:
    """Connection with write access; a damaged or locked file is set aside first."""
    try:
        return _opened(path)
    except sqlite3.OperationalError as error:
        if not _is_locked(error):
            raise
        return _renewed(path, "locked")
    except sqlite3.DatabaseError:
        return _renewed(path, "damaged")


def _renewed(path: Path, why: str) -> sqlite3.Connection:
    """Connection to a new log; the old one and its journals are kept under names that end with the reason."""
    _LOG.warning("the log %s is %s: it is set aside and a new one started", path, why)
    for suffix in ("", "-journal", "-wal", "-shm"):
        found = path.with_name(f"{path.name}{suffix}")
        with contextlib.suppress(FileNotFoundError):
            found.replace(found.with_name(f"{found.name}.{why}"))
    return _opened(path)


def _is_locked(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _write_all(db: sqlite3.Connection, command: str, rows: Iterable[tuple[Any, ...]]) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany(command, rows)
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


def _opened(path: Path) -> sqlite3.Connection:
    # SQLite itself creates its files with mode 0644, whatever the umask; its journal takes the mode of this file.
    path.open("ab").close()
    db = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    try:
        db.execute("PRAGMA journal_mode=DELETE")
        db.execute("PRAGMA synchronous=OFF")
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        db.executescript(_SCHEMA)
        # Tables of another program with the same names fail here too.
        if "computed" not in {row[1] for row in db.execute("PRAGMA table_info(points)")}:
            raise sqlite3.DatabaseError("other tables")
    except BaseException:
        db.close()
        raise
    return db
