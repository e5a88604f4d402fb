"""A disposable SQLite index of the entry files: what to evict, what to list. No read of a value needs it.

Names and tags stand in it as JSON: SQLite takes only text that UTF-8 has, and half a surrogate pair can come from a browser.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence

from dash_stash.layout import Entry
from dash_stash.stores.base import Listed

_PATIENCE = 2.0  # seconds to wait for another writer, who holds the index for well under a millisecond

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, scope TEXT NOT NULL,
    size INTEGER NOT NULL, gone_at REAL NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON entries (used);
CREATE INDEX IF NOT EXISTS by_end ON entries (gone_at);
CREATE INDEX IF NOT EXISTS by_scope ON entries (scope, kind) WHERE scope != '';
CREATE TABLE IF NOT EXISTS tags (tag TEXT NOT NULL, key BLOB NOT NULL, PRIMARY KEY (tag, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_key ON tags (key);
CREATE TABLE IF NOT EXISTS totals (bytes INTEGER NOT NULL, entries INTEGER NOT NULL);
INSERT INTO totals SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM totals);
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON entries BEGIN
    UPDATE totals SET bytes = bytes + new.size, entries = entries + 1;
END;
CREATE TRIGGER IF NOT EXISTS resized AFTER UPDATE OF size ON entries BEGIN
    UPDATE totals SET bytes = bytes + new.size - old.size;
END;
CREATE TRIGGER IF NOT EXISTS removed AFTER DELETE ON entries BEGIN
    UPDATE totals SET bytes = bytes - old.size, entries = entries - 1;
    DELETE FROM tags WHERE key = old.key;
END;
COMMIT;
"""

_ADD = """
INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, name = excluded.name, scope = excluded.scope,
    size = excluded.size, gone_at = excluded.gone_at, used = excluded.used
"""


class Index:
    """The open index. Every method may raise `sqlite3.Error`."""

    def __init__(self, path: pathlib.Path) -> None:
        """Open the index at *path*, which is created if need be."""
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        self._connection.executescript(_SCHEMA)
        self.identity = identity(path)
        weakref.finalize(self, self._connection.close)

    @property
    def is_complete(self) -> bool:
        """Whether it was filled from the files to the end; whoever did may have died before that."""
        return self._rows("PRAGMA user_version") == [(1,)]

    def complete(self) -> None:
        """Note that all files are in it."""
        self._rows("PRAGMA user_version = 1")

    def close(self) -> None:
        """Close the index, once nobody is using it."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def add(self, entries: Iterable[Entry], used: float) -> None:
        """Add entries, in place of those with the same keys."""
        with self._transaction() as connection:
            for entry in entries:
                facts = entry.facts
                row = (entry.key, facts.kind, json.dumps(facts.name), facts.scope, entry.size, facts.gone_at, used)
                connection.execute(_ADD, row)
                connection.execute("DELETE FROM tags WHERE key = ?", (entry.key,))
                connection.executemany("INSERT INTO tags VALUES (?, ?)", [(json.dumps(tag), entry.key) for tag in facts.tags])

    def remove(self, keys: Iterable[bytes]) -> None:
        """Remove entries."""
        with self._transaction() as connection:
            connection.executemany("DELETE FROM entries WHERE key = ?", [(key,) for key in keys])

    def remove_unless_renewed(self, key: bytes, used: float, now: float) -> bool:
        """Remove an entry if it was not written or used after *used*, or if its own time is over; return whether it was."""
        with self._transaction() as connection:
            rows = connection.execute("DELETE FROM entries WHERE key = ? AND (used <= ? OR gone_at <= ?)", (key, used, now))
            return rows.rowcount > 0

    def note_use(self, uses: Iterable[tuple[bytes, float]]) -> None:
        """Take over when entries were really last used."""
        with self._transaction() as connection:
            connection.executemany("UPDATE entries SET used = ?2 WHERE key = ?1", uses)

    def totals(self) -> tuple[int, int]:
        """How many bytes, and how many entries, there are."""
        ((size, entries),) = self._rows("SELECT bytes, entries FROM totals")
        return int(size), int(entries)  # type: ignore[call-overload]

    def least_recently_used(self, limit: int) -> list[tuple[bytes, float]]:
        """The keys used longest ago and when that was."""
        return self._rows("SELECT key, used FROM entries ORDER BY used LIMIT ?", (limit,))  # type: ignore[return-value]

    def gone(self, now: float, limit: int) -> list[tuple[bytes, float]]:
        """Keys whose own time is over, and when they were last used."""
        return self._rows("SELECT key, used FROM entries WHERE gone_at <= ? LIMIT ?", (now, limit))  # type: ignore[return-value]

    def idle(self, before: float, limit: int) -> list[tuple[bytes, float]]:
        """Keys that belong to a session or page and were last used *before* then, as far as the index knows."""
        query = "SELECT key, used FROM entries WHERE scope != '' AND used < ? LIMIT ?"
        return self._rows(query, (before, limit))  # type: ignore[return-value]

    def list(self, scope: str | None, kind: str | None, tag: str | None) -> list[Listed]:
        """The entries that have the given scope, kind and tag, by name."""
        conditions = {
            "scope = ?": scope,
            "kind = ?": kind,
            "key IN (SELECT key FROM tags WHERE tag = ?)": None if tag is None else json.dumps(tag),
        }
        asked = {condition: value for condition, value in conditions.items() if value is not None}
        where = f" WHERE {' AND '.join(asked)}" if asked else ""
        rows = self._rows(f"SELECT key, kind, name, scope, size FROM entries{where} ORDER BY name, key", tuple(asked.values()))  # noqa: S608 (the conditions are ours)
        return [Listed(key, kind, json.loads(name), scope, size) for key, kind, name, scope, size in rows]  # type: ignore[arg-type]


def identity(path: pathlib.Path | str) -> tuple[int, int] | None:
    """Which file *path* is now; None if there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
