"""The group's notes on sweeps: text, tags, archive flag, and who did what; one SQLite file next to the queue."""

import contextlib
import json
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (
    name TEXT PRIMARY KEY, text TEXT NOT NULL, tags TEXT NOT NULL, archived INTEGER NOT NULL,
    version INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS actions (at REAL NOT NULL, name TEXT NOT NULL, what TEXT NOT NULL, who TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS actions_by_name ON actions (name, at);
"""
ACTIONS: Final = 200
"""Actions kept for a sweep; older ones are dropped."""


@dataclass(frozen=True)
class Note:
    """Notes on a sweep.

    Args:
        text: Free text.
        tags: Short words.
        archived: Whether lists leave the sweep out.
        version: Grows with each change, so that two people who edit at once do not undo each other.
    """

    text: str = ""
    tags: tuple[str, ...] = ()
    archived: bool = False
    version: int = 0


class Journal:
    """Notes and actions by sweep; every change is on disk when its call returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_SCHEMA)
        self._notes = {row[0]: _note(row) for row in self._db.execute("SELECT * FROM notes")}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def note(self, name: str) -> Note:
        """Notes on a sweep."""
        return self._notes.get(name, Note())

    def write(self, name: str, note: Note) -> bool:
        """Replace the notes of a sweep; False if they have changed since the version that the new ones replace."""
        with self._lock:
            if self.note(name).version != note.version:
                return False
            kept = Note(note.text, note.tags, note.archived, note.version + 1)
            self._db.execute(
                "INSERT OR REPLACE INTO notes VALUES (?,?,?,?,?)",
                (name, kept.text, json.dumps(kept.tags), kept.archived, kept.version),
            )
            self._notes[name] = kept
            return True

    def did(self, name: str, what: str, who: str) -> None:
        """Record an action."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._db.execute("INSERT INTO actions VALUES (?,?,?,?)", (time.time(), name, what, who))
            self._db.execute(
                "DELETE FROM actions WHERE name=? AND at < (SELECT min(at) FROM "
                "(SELECT at FROM actions WHERE name=? ORDER BY at DESC LIMIT ?))",
                (name, name, ACTIONS),
            )

    def actions(self, name: str) -> list[dict[str, Any]]:
        """Actions on a sweep, newest first."""
        with self._lock:
            rows = self._db.execute("SELECT at, what, who FROM actions WHERE name=? ORDER BY at DESC", (name,))
            return [{"at": at, "what": what, "who": who} for at, what, who in rows.fetchall()]


def _note(row: tuple[Any, ...]) -> Note:
    return Note(row[1], tuple(json.loads(row[2])), bool(row[3]), row[4])
