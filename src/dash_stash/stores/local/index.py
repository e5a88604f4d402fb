"""A disposable SQLite index of the entry files: what to evict, what to list. No read of a value needs it.

Names and tags stand in it as JSON: SQLite takes only text that UTF-8 has, and half a surrogate pair can come from a browser.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dash_stash.layout import Entry
from dash_stash.stores.base import Listed, holder_of
from dash_stash.stores.local.locks import unless_held

_PATIENCE = 2.0  # seconds to wait for another writer, who holds the index for well under a millisecond

_SCHEMA = """
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, scope TEXT NOT NULL,
    size INTEGER NOT NULL, gone_at REAL NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON entries (used) WHERE kind != 'ended';
CREATE INDEX IF NOT EXISTS by_end ON entries (gone_at);
CREATE INDEX IF NOT EXISTS ended_first ON entries (name DESC, gone_at) WHERE kind = 'ended';
CREATE INDEX IF NOT EXISTS by_scope ON entries (scope, kind, used) WHERE scope != '';
CREATE TABLE IF NOT EXISTS tags (tag TEXT NOT NULL, key BLOB NOT NULL, PRIMARY KEY (tag, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_key ON tags (key);

-- What belongs to a session (its tabs and pages are scopes of their own) or user, the holder.
CREATE TABLE IF NOT EXISTS scopes (
    scope TEXT PRIMARY KEY, holder TEXT NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS scopes_by_use ON scopes (used) WHERE scope LIKE 'session:%';
CREATE TABLE IF NOT EXISTS holders (
    holder TEXT PRIMARY KEY, scopes INTEGER NOT NULL, bytes INTEGER NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS holders_by_use ON holders (used) WHERE holder LIKE 'session:%';
CREATE TABLE IF NOT EXISTS leaving (scope TEXT PRIMARY KEY, since REAL NOT NULL) WITHOUT ROWID;

-- What tells that a session has ended is counted apart: it must not take the room of what others store.
CREATE TABLE IF NOT EXISTS totals (
    bytes INTEGER NOT NULL, entries INTEGER NOT NULL, sessions INTEGER NOT NULL, ended INTEGER NOT NULL
);
INSERT INTO totals SELECT 0, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM totals) AND NOT EXISTS (SELECT 1 FROM entries);
CREATE TRIGGER IF NOT EXISTS end_added AFTER INSERT ON entries WHEN new.kind = 'ended' BEGIN
    UPDATE totals SET ended = ended + 1;
END;
CREATE TRIGGER IF NOT EXISTS end_removed AFTER DELETE ON entries WHEN old.kind = 'ended' BEGIN
    UPDATE totals SET ended = ended - 1;
END;
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON entries WHEN new.kind != 'ended' BEGIN
    UPDATE totals SET bytes = bytes + new.size, entries = entries + 1;
    INSERT INTO scopes SELECT new.scope, substr(new.scope, 1, instr(new.scope || '/', '/') - 1), 1, new.size, new.used WHERE new.scope != ''
        ON CONFLICT (scope) DO UPDATE SET entries = entries + 1, bytes = bytes + excluded.bytes, used = max(used, excluded.used);
END;
CREATE TRIGGER IF NOT EXISTS resized AFTER UPDATE OF size ON entries WHEN new.kind != 'ended' BEGIN
    UPDATE totals SET bytes = bytes + new.size - old.size;
    UPDATE scopes SET bytes = bytes + new.size - old.size, used = max(used, new.used) WHERE scope = new.scope;
END;
CREATE TRIGGER IF NOT EXISTS removed AFTER DELETE ON entries WHEN old.kind != 'ended' BEGIN
    UPDATE totals SET bytes = bytes - old.size, entries = entries - 1;
    DELETE FROM tags WHERE key = old.key;
    UPDATE scopes SET bytes = bytes - old.size, entries = entries - 1 WHERE scope = old.scope;
    DELETE FROM scopes WHERE scope = old.scope AND entries = 0;
END;
CREATE TRIGGER IF NOT EXISTS scope_added AFTER INSERT ON scopes BEGIN
    INSERT INTO holders VALUES (new.holder, 1, new.bytes, new.used)
        ON CONFLICT (holder) DO UPDATE SET scopes = scopes + 1, bytes = bytes + excluded.bytes, used = max(used, excluded.used);
END;
CREATE TRIGGER IF NOT EXISTS scope_changed AFTER UPDATE OF bytes ON scopes BEGIN
    UPDATE holders SET bytes = bytes + new.bytes - old.bytes, used = max(used, new.used) WHERE holder = new.holder;
END;
CREATE TRIGGER IF NOT EXISTS scope_removed AFTER DELETE ON scopes BEGIN
    UPDATE holders SET bytes = bytes - old.bytes, scopes = scopes - 1 WHERE holder = old.holder;
    DELETE FROM holders WHERE holder = old.holder AND scopes = 0;
END;
CREATE TRIGGER IF NOT EXISTS session_added AFTER INSERT ON holders WHEN new.holder LIKE 'session:%' BEGIN
    UPDATE totals SET sessions = sessions + 1;
END;
CREATE TRIGGER IF NOT EXISTS session_removed AFTER DELETE ON holders WHEN old.holder LIKE 'session:%' BEGIN
    UPDATE totals SET sessions = sessions - 1;
END;
COMMIT;
"""

_ADD = """
INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, name = excluded.name,
    size = excluded.size, gone_at = excluded.gone_at, used = excluded.used
"""  # a key has the same scope for ever

_USED = (bytes, float)
_SCOPE_USED = (str, float)

_WITHIN = "(scope = ?1 OR scope > ?1 || '/' AND scope < ?1 || '0')"  # '0' is what comes after '/'


# SQLite's handles do not survive a fork, least of all in the middle of another thread's transaction: none is open during one.
_in_use = threading.RLock()
_indexes: set[weakref.ref[Index]] = set()


class UselessError(sqlite3.DatabaseError):
    """The file is another version's index, or somebody else has written to it."""


class Totals(NamedTuple):
    """How much there is."""

    bytes: int
    entries: int
    sessions: int
    """Sessions that have something stored."""

    ended: int
    """What tells that a session has ended; not among the entries."""


class Index:
    """The open index. Every method may raise `sqlite3.Error`."""

    def __init__(self, path: pathlib.Path) -> None:
        """Open the index at *path*, which is created if need be."""
        self._path = path
        self._opened: sqlite3.Connection | None = None
        with self._lock:
            connection = self._open(str(path))
            if _schema_of(connection) not in (frozenset(), _our_schema()):
                self._close()
                raise UselessError(f"{path} has other tables")
            connection.executescript(_SCHEMA)
        self.identity = identity(path)

    def _open(self, path: str) -> sqlite3.Connection:
        opened = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False, uri=path.startswith("file:"))
        # Not at exit: the janitor may be in the middle of a query, and to close it under another thread ends the process by a signal.
        self._finalizer = weakref.finalize(self, opened.close)
        self._finalizer.atexit = False
        opened.execute("PRAGMA synchronous = NORMAL")
        self._opened = opened
        _indexes.add(weakref.ref(self, _indexes.discard))
        return opened

    @property
    def _lock(self) -> threading.RLock:
        return unless_held(_in_use)

    @property
    def _connection(self) -> sqlite3.Connection:
        """The connection, opened again if it was closed for a fork; the lock is held."""
        # Should the file be gone, that is an error.
        return self._opened or self._open(f"{self._path.absolute().as_uri()}?mode=rw")

    @property
    def is_complete(self) -> bool:
        """Whether it was filled from the files to the end; whoever did may have died before that."""
        return self._rows("PRAGMA user_version") == [(1,)]

    def complete(self) -> None:
        """Note that all files are in it."""
        self._rows("PRAGMA user_version = 1")

    def close(self) -> None:
        """Close the index, once nobody is using it; should somebody use it all the same, it is opened again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._finalizer()
        self._opened = None

    def _begun(self) -> sqlite3.Connection:
        """Begin a transaction, and return what ends it at the end of a with block; the lock is held.

        SQLite's own `__exit__`, which no signal handler can keep from being called, ends it: a transaction left open would keep out all
        processes.
        """
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            connection.rollback()
            raise
        return connection

    def _rows(self, query: str, values: Sequence[object] = (), kinds: Sequence[type] = ()) -> list[Any]:
        """The rows that a query finds; whoever wrote others than of these kinds was not us."""
        with self._lock:
            rows = self._connection.execute(query, values).fetchall()
        for row in rows if kinds else ():
            if tuple(map(type, row)) != kinds:
                raise UselessError("a row is not as it was written")
        return rows

    def add(self, entries: Iterable[Entry], used: float) -> None:
        """Add entries, in place of those with the same keys."""
        with self._lock, self._begun() as connection:
            for entry in entries:
                _add(connection, entry, used)

    def add_within(self, entry: Entry, budget: float, used: float) -> bool:
        """Add an entry, unless its session or user would then have more than *budget* bytes; return whether it was added."""
        with self._lock, self._begun() as connection:
            if not _fits(connection, entry, budget):
                return False
            _add(connection, entry, used)
        return True

    def has_room_for(self, entry: Entry, budget: float) -> bool:
        """Whether `add_within` would add it."""
        with self._lock:
            return _fits(self._connection, entry, budget)

    def remove(self, keys: Iterable[bytes]) -> None:
        """Remove entries."""
        with self._lock, self._begun() as connection:
            connection.executemany("DELETE FROM entries WHERE key = ?", [(key,) for key in keys])

    def remove_unless_renewed(self, entries: Iterable[tuple[bytes, float]], now: float) -> list[bytes]:
        """Remove the entries that were not written or used since then, or whose own time is over; return their keys."""
        query = "DELETE FROM entries WHERE key = ? AND (used <= ? OR gone_at <= ?)"
        with self._lock, self._begun() as connection:
            return [key for key, used in entries if connection.execute(query, (key, used, now)).rowcount > 0]

    def note_use(self, uses: Iterable[tuple[bytes, float]]) -> None:
        """Take over when entries were really last used."""
        with self._lock, self._begun() as connection:
            connection.executemany("UPDATE entries SET used = ?2 WHERE key = ?1", uses)

    def totals(self) -> Totals:
        """How much there is."""
        rows = self._rows("SELECT bytes, entries, sessions, ended FROM totals", (), (int, int, int, int))
        if len(rows) != 1:
            raise UselessError("there are no totals")
        return Totals(*rows[0])

    def least_recently_used(self, limit: int) -> list[tuple[bytes, float]]:
        """The keys used longest ago and when that was."""
        return self._rows("SELECT key, used FROM entries WHERE kind != 'ended' ORDER BY used LIMIT ?", (limit,), _USED)

    def least_recently_computed(self, holder: str, limit: int) -> list[tuple[bytes, float]]:
        """The same of what belongs to a holder and can be computed again."""
        query = f"SELECT key, used FROM entries WHERE {_WITHIN} AND kind IN ('memo', 'recipe') ORDER BY used LIMIT ?2"  # noqa: S608 (ours)
        return self._rows(query, (holder, limit), _USED)

    def ended_first(self, limit: int) -> list[tuple[bytes, float]]:
        """The keys of what tells that something has ended, and when that was: the first first, but sessions before cookies.

        The session of an ended cookie may go on under another one, which the old one must not open.
        """
        query = "SELECT key, used FROM entries WHERE kind = 'ended' ORDER BY name DESC, gone_at LIMIT ?"
        return self._rows(query, (limit,), _USED)

    def gone(self, now: float, limit: int) -> list[tuple[bytes, float]]:
        """Keys whose own time is over, and when they were last used."""
        return self._rows("SELECT key, used FROM entries WHERE gone_at <= ? LIMIT ?", (now, limit), _USED)

    # Holders and scopes

    def within(self, scope: str) -> list[tuple[bytes, float]]:
        """The keys of what belongs to a scope or to one under it, and when they were last used."""
        return self._rows(f"SELECT key, used FROM entries WHERE {_WITHIN}", (scope,), _USED)  # noqa: S608 (ours)

    def of_scope(self, scope: str) -> list[tuple[bytes, float]]:
        """The same of a scope alone."""
        return self._rows("SELECT key, used FROM entries WHERE scope = ?", (scope,), _USED)

    def idle_sessions(self, limit: int) -> list[tuple[str, float]]:
        """The sessions used longest ago, as far as the index knows, and when that was."""
        query = "SELECT holder, used FROM holders WHERE holder LIKE 'session:%' ORDER BY used LIMIT ?"
        return self._rows(query, (limit,), _SCOPE_USED)

    def idle_scopes(self, before: float, limit: int) -> list[tuple[str, float]]:
        """The sessions, tabs and pages last used *before* then, as far as the index knows."""
        query = "SELECT scope, used FROM scopes WHERE scope LIKE 'session:%' AND used < ? LIMIT ?"
        return self._rows(query, (before, limit), _SCOPE_USED)

    def note_scope_use(self, uses: Iterable[tuple[str, float]]) -> None:
        """Take over when scopes or holders were really last used."""
        with self._lock, self._begun() as connection:
            for scope, used in uses:
                connection.execute("UPDATE scopes SET used = ?2 WHERE scope = ?1", (scope, used))
                connection.execute("UPDATE holders SET used = ?2 WHERE holder = ?1", (scope, used))

    def leave(self, scope: str, now: float) -> None:
        """Note that a scope has been left."""
        self._rows("INSERT INTO leaving VALUES (?1, ?2) ON CONFLICT (scope) DO UPDATE SET since = ?2", (scope, now))

    def left(self, before: float, limit: int) -> list[tuple[str, float]]:
        """Scopes that were left *before* then, and when that was."""
        return self._rows("SELECT scope, since FROM leaving WHERE since < ? LIMIT ?", (before, limit), _SCOPE_USED)

    def stay(self, scope: str) -> None:
        """Forget that a scope has been left."""
        self._rows("DELETE FROM leaving WHERE scope = ?", (scope,))

    def list(self, scope: str | None, kind: str | None, tag: str | None) -> list[Listed]:
        """The entries that have the given scope, kind and tag, by name."""
        conditions = {
            "scope = ?": scope,
            "kind = ?": kind,
            "key IN (SELECT key FROM tags WHERE tag = ?)": None if tag is None else json.dumps(tag),
        }
        asked = {condition: value for condition, value in conditions.items() if value is not None}
        where = " AND ".join(("kind != 'ended'", *asked))
        query = f"SELECT key, kind, name, scope, size FROM entries WHERE {where} ORDER BY name, key"  # noqa: S608 (the conditions are ours)
        rows = self._rows(query, tuple(asked.values()), (bytes, str, str, str, int))
        try:
            return [Listed(key, kind, json.loads(name), scope, size) for key, kind, name, scope, size in rows]
        except json.JSONDecodeError as error:
            raise UselessError("a name is not as it was written") from error


def _schema_of(connection: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """The tables, indexes and triggers of a database; those that SQLite makes for itself have no text."""
    return frozenset(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())


@functools.cache
def _our_schema() -> frozenset[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(_SCHEMA)
        return _schema_of(connection)


def _add(connection: sqlite3.Connection, entry: Entry, used: float) -> None:
    facts = entry.facts
    row = (entry.key, facts.kind, json.dumps(facts.name), facts.scope, entry.size, facts.gone_at, used)
    connection.execute(_ADD, row)
    connection.execute("DELETE FROM tags WHERE key = ?", (entry.key,))
    connection.executemany("INSERT INTO tags VALUES (?, ?)", [(json.dumps(tag), entry.key) for tag in facts.tags])


def _fits(connection: sqlite3.Connection, entry: Entry, budget: float) -> bool:
    """Whether all that the holder of an entry has, with the entry in place of what its key had, is within *budget* bytes."""
    if not entry.facts.scope:
        return True
    query = "SELECT coalesce((SELECT bytes FROM holders WHERE holder = ?), 0) - coalesce((SELECT size FROM entries WHERE key = ?), 0)"
    (others,) = connection.execute(query, (holder_of(entry.facts.scope), entry.key)).fetchone()
    return int(others) + entry.size <= budget


def identity(path: pathlib.Path | str) -> tuple[int, int] | None:
    """Which file *path* is now; None if there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _close_all() -> None:
    for reference in tuple(_indexes):
        index = reference()
        if index is not None:
            index._close()


# What is to happen before a fork happens in the opposite order: first nobody uses an index, then all are closed.
os.register_at_fork(before=_close_all)
os.register_at_fork(before=_in_use.acquire, after_in_parent=_in_use.release, after_in_child=_in_use.release)
