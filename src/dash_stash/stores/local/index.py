"""A disposable SQLite index of the entry files: what to evict, what to list.

No read of a value needs it.

Names and tags stand in it as JSON: SQLite takes only text that UTF-8 has, and half a surrogate pair
can come from a browser.
"""

from __future__ import annotations

import json
import os
import pathlib
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dash_stash.entries import PUTS, STATE, VALUES, Entry, Kind, class_of
from dash_stash.keys import KEY_SIZE
from dash_stash.stores.base import Listed, holder_of
from dash_stash.stores.local.locks import unless_held
from dash_stash.stores.local.schema import SCHEMA, our_schema, schema_of

_PATIENCE = (
    2.0  # seconds to wait for another writer, who holds the index for well under a millisecond
)

_ADD = """
INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, class = excluded.class, name = excluded.name,
    size = excluded.size, gone_at = excluded.gone_at, used = excluded.used
"""  # a key has the same scope for ever

_FEW = 64

_USED = (bytes, float)
_SCOPE_USED = (str, float)


# SQLite's handles do not survive a fork, least of all in the middle of another thread's
# transaction: none is open during one.
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

    new_sessions: int
    """Those of them that were seen in one request only, as far as the index knows."""

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
            if schema_of(connection) not in (frozenset(), our_schema()):
                self._close()
                raise UselessError(f"{path} has other tables")
            connection.executescript(SCHEMA)
        self.identity = identity(path)

    def _open(self, path: str) -> sqlite3.Connection:
        opened = sqlite3.connect(
            path,
            timeout=_PATIENCE,
            isolation_level=None,
            check_same_thread=False,
            uri=path.startswith("file:"),
        )
        # Not at exit: the janitor may be in the middle of a query, and to close it under another
        # thread ends the process by a signal.
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
        """Whether it was filled from the files to the end.

        Whoever did may have died before that.
        """
        return self._rows("PRAGMA user_version") == [(1,)]

    def complete(self) -> None:
        """Note that all files are in it.

        Whose files they are has been here before, or nobody can tell.
        """
        self._rows("UPDATE holders SET is_new = 0")
        self._rows("PRAGMA user_version = 1")

    def close(self) -> None:
        """Close the index, once nobody is using it.

        Should somebody use it all the same, it is opened again.
        """
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._finalizer()
        self._opened = None

    def _begun(self) -> sqlite3.Connection:
        """Begin a transaction, and return what ends it at the end of a with block.

        The lock is held.

        SQLite's own `__exit__`, which no signal handler can keep from being called, ends it: a
        transaction left open would keep out all processes.
        """
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            connection.rollback()
            raise
        return connection

    def _rows(
        self, query: str, values: Sequence[object] = (), kinds: Sequence[type] = ()
    ) -> list[Any]:
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
        """Add an entry, unless its session or user would then have more than *budget* bytes.

        Return whether it was added.
        """
        with self._lock, self._begun() as connection:
            if _excess(connection, entry, budget) > 0:
                return False
            _add(connection, entry, used)
        return True

    def has_room_for(self, entry: Entry, budget: float) -> bool:
        """Whether `add_within` would add it."""
        with self._lock:
            return _excess(self._connection, entry, budget) <= 0

    def remove(self, keys: Iterable[bytes]) -> None:
        """Remove entries."""
        with self._lock, self._begun() as connection:
            connection.executemany("DELETE FROM entries WHERE key = ?", [(key,) for key in keys])

    def remove_unless_renewed(
        self, entries: Iterable[tuple[bytes, float]], now: float
    ) -> list[bytes]:
        """Remove the entries that were not written or used since then, or whose own time is over.

        Return their keys.
        """
        query = "DELETE FROM entries WHERE key = ? AND (used <= ? OR gone_at <= ?)"
        with self._lock, self._begun() as connection:
            return [
                key
                for key, used in entries
                if connection.execute(query, (key, used, now)).rowcount > 0
            ]

    def beginning_with(self, first: int) -> set[bytes]:
        """The keys that begin with the byte *first*."""
        bounds = bytes([first]), bytes([first]) + b"\xff" * KEY_SIZE
        return {
            key
            for (key,) in self._rows(
                "SELECT key FROM entries WHERE key BETWEEN ? AND ?", bounds, (bytes,)
            )
        }

    def note_use(self, uses: Iterable[tuple[bytes, float]]) -> None:
        """Take over when entries were really last used."""
        with self._lock, self._begun() as connection:
            connection.executemany("UPDATE entries SET used = ?2 WHERE key = ?1", uses)

    def totals(self) -> Totals:
        """How much there is."""
        rows = self._rows(
            "SELECT bytes, entries, sessions, new_sessions, ended FROM totals", (), (int,) * 5
        )
        if len(rows) != 1:
            raise UselessError("there are no totals")
        return Totals(*rows[0])

    # What makes room, and when it was last used: the first in a list goes first

    def values_first(self, abandoned: float, limit: int) -> list[tuple[bytes, float]]:
        """What can be computed again, and of what everybody shares that which nobody has used since *abandoned*."""
        query = f"""
            SELECT * FROM (SELECT key, used FROM entries WHERE class = {VALUES} ORDER BY used LIMIT ?2) UNION ALL
            SELECT * FROM (
                SELECT key, used FROM entries WHERE holder = '' AND class = {PUTS} AND used < ?1 ORDER BY used LIMIT ?2
            ) ORDER BY used LIMIT ?2
        """  # noqa: S608 (the classes are ours)
        return self._rows(query, (abandoned, limit), _USED)

    def puts_first(self, limit: int) -> list[tuple[bytes, float]]:
        """What was put and what references are computed again by, of everybody."""
        query = f"SELECT key, used FROM entries WHERE class = {PUTS} ORDER BY used LIMIT ?"  # noqa: S608 (ours)
        return self._rows(query, (limit,), _USED)

    def variables_first(self, limit: int) -> list[tuple[bytes, float]]:
        """The app's variables, and those of the session or user that has most: nobody loses any to who takes more."""
        largest = self._rows("SELECT holder FROM holders ORDER BY bytes DESC LIMIT 1", (), (str,))
        query = f"""
            SELECT * FROM (SELECT key, used FROM entries WHERE holder = '' AND class = {STATE} ORDER BY used LIMIT ?2) UNION ALL
            SELECT * FROM (SELECT key, used FROM entries WHERE holder = ?1 AND class = {STATE} ORDER BY used LIMIT ?2)
            ORDER BY used LIMIT ?2
        """  # noqa: S608 (the class is ours)
        return self._rows(query, (largest[0][0] if largest else None, limit), _USED)

    def cheapest_first(self, holder: str, at_most: int, limit: int) -> list[tuple[bytes, float]]:
        """What belongs to a holder, of the classes up to *at_most*, class by class."""
        query = "SELECT key, used FROM entries WHERE holder = ? AND class <= ? ORDER BY class, used LIMIT ?"
        return self._rows(query, (holder, at_most, limit), _USED)

    def can_make_room_for(self, entry: Entry, at_most: int, budget: float) -> bool:
        """Whether it would fit if all went that its holder has of the classes up to *at_most*."""
        query = """
            SELECT coalesce(sum(size), 0) FROM (
                SELECT size FROM entries WHERE holder = ? AND class <= ? AND key != ? ORDER BY class, used LIMIT ?
            )
        """
        with self._lock:
            missing = _excess(self._connection, entry, budget)
            for limit in (_FEW, -1):  # nearly always the first will do, however much there is
                found = self._connection.execute(
                    query, (holder_of(entry.facts.scope), at_most, entry.key, limit)
                ).fetchone()
                if found[0] >= missing:
                    return True
        return False

    def ended_first(self, limit: int) -> list[tuple[bytes, float]]:
        """The keys of what tells that something has ended, and when that was: the first first, but sessions before cookies.

        The session of an ended cookie may go on under another one, which the old one must not open.
        """
        query = (
            "SELECT key, used FROM entries WHERE kind = 'ended' ORDER BY name DESC, gone_at LIMIT ?"
        )
        return self._rows(query, (limit,), _USED)

    def gone(self, now: float, limit: int) -> list[tuple[bytes, float]]:
        """Keys whose own time is over, and when they were last used."""
        return self._rows(
            "SELECT key, used FROM entries WHERE gone_at <= ? LIMIT ?", (now, limit), _USED
        )

    # Holders and scopes

    def within(self, holder: str) -> list[tuple[bytes, float]]:
        """The keys of what belongs to a session, its tabs and pages included, or user, and when they were last used."""
        return self._rows("SELECT key, used FROM entries WHERE holder = ?", (holder,), _USED)

    def of_scope(self, scope: str) -> list[tuple[bytes, float]]:
        """The same of a scope alone."""
        return self._rows("SELECT key, used FROM entries WHERE scope = ?", (scope,), _USED)

    def idle_sessions(self, limit: int) -> list[tuple[str, float]]:
        """The sessions used longest ago, as far as the index knows, and when that was."""
        query = (
            "SELECT holder, used FROM holders WHERE holder LIKE 'session:%' ORDER BY used LIMIT ?"
        )
        return self._rows(query, (limit,), _SCOPE_USED)

    def new_sessions(self, limit: int) -> list[tuple[str, float]]:
        """The sessions that were seen in one request only, as far as the index knows, and when that was: the first first."""
        query = "SELECT holder, since FROM holders WHERE is_new AND holder LIKE 'session:%' ORDER BY since LIMIT ?"
        return self._rows(query, (limit,), _SCOPE_USED)

    def note_return(self, sessions: Iterable[str]) -> None:
        """Note that sessions were seen again."""
        with self._lock, self._begun() as connection:
            connection.executemany(
                "UPDATE holders SET is_new = 0 WHERE holder = ?", [(holder,) for holder in sessions]
            )

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
        """Note that a scope has been left, if anything is stored in it: most pages store nothing."""
        query = "INSERT INTO leaving SELECT scope, ?2 FROM scopes WHERE scope = ?1 ON CONFLICT (scope) DO UPDATE SET since = ?2"
        self._rows(query, (scope, now))

    def left(self, before: float, limit: int) -> list[tuple[str, float]]:
        """Scopes that were left *before* then, and when that was."""
        return self._rows(
            "SELECT scope, since FROM leaving WHERE since < ? LIMIT ?", (before, limit), _SCOPE_USED
        )

    def stay(self, scope: str) -> None:
        """Forget that a scope has been left."""
        self._rows("DELETE FROM leaving WHERE scope = ?", (scope,))

    def list(self, scope: str | None, kind: Kind | None, tag: str | None) -> list[Listed]:
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
            return [
                Listed(key, kind, json.loads(name), scope, size)
                for key, kind, name, scope, size in rows
            ]
        except json.JSONDecodeError as error:
            raise UselessError("a name is not as it was written") from error


def _add(connection: sqlite3.Connection, entry: Entry, used: float) -> None:
    facts = entry.facts
    row = (
        entry.key,
        facts.kind,
        class_of(facts.kind),
        json.dumps(facts.name),
        facts.scope,
        holder_of(facts.scope),
        entry.size,
        facts.gone_at,
        used,
    )
    connection.execute(_ADD, row)
    connection.execute("DELETE FROM tags WHERE key = ?", (entry.key,))
    connection.executemany(
        "INSERT INTO tags VALUES (?, ?)", [(json.dumps(tag), entry.key) for tag in facts.tags]
    )


def _excess(connection: sqlite3.Connection, entry: Entry, budget: float) -> float:
    """By how much all that the holder of an entry has, with the entry in place of what its key had, is more than *budget* bytes."""
    if not entry.facts.scope:
        return -budget
    query = "SELECT coalesce((SELECT bytes FROM holders WHERE holder = ?), 0) - coalesce((SELECT size FROM entries WHERE key = ?), 0)"
    (others,) = connection.execute(query, (holder_of(entry.facts.scope), entry.key)).fetchone()
    return int(others) + entry.size - budget


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


# What is to happen before a fork happens in the opposite order: first nobody uses an index, then
# all are closed.
os.register_at_fork(before=_close_all)
os.register_at_fork(
    before=_in_use.acquire, after_in_parent=_in_use.release, after_in_child=_in_use.release
)
