"""The index of the entry files, for eviction and listing. It can be lost at any time.

Reading a value does not need it. It has names and tags as JSON, because SQLite accepts only valid
UTF-8, and half a surrogate pair can come from a browser.
"""

from __future__ import annotations

import json
import pathlib
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from dash_stash.entries import PUTS, STATE, VALUES, Entry, Kind, class_of
from dash_stash.keys import KEY_SIZE
from dash_stash.owner import Owner, account_of
from dash_stash.stores.base import Listed
from dash_stash.stores.local.database import Database, UselessError

_ADD = """
INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, class = excluded.class, name = excluded.name,
    size = excluded.size, gone_at = excluded.gone_at, used = excluded.used
"""  # a key has the same owner for ever

_FEW = 64

_USED = (bytes, float)
_OWNER_USED = (str, float)


class Totals(NamedTuple):
    """Totals of what the store has."""

    bytes: int
    entries: int
    sessions: int
    """The sessions that have something stored."""

    new_sessions: int
    """The sessions among them that the index knows from only one request."""

    ended: int
    """The notes that a session has ended; `entries` does not count them."""


class Index:
    """An open index. Every method may raise `sqlite3.Error`."""

    def __init__(self, path: pathlib.Path) -> None:
        """Open the index at *path*, and create it if there is none."""
        self._database = Database(path)
        self.close = self._database.close

    @property
    def identity(self) -> tuple[int, int] | None:
        """The device and inode of its file."""
        return self._database.identity

    @property
    def is_complete(self) -> bool:
        """Whether all files were added: the process that adds them may die before the end."""
        return self._database.rows("PRAGMA user_version") == [(1,)]

    def complete(self) -> None:
        """Note that all files were added. Their sessions count as sessions that came back."""
        self._database.rows("UPDATE accounts SET is_new = 0")
        self._database.rows("PRAGMA user_version = 1")

    def add(self, entries: Iterable[Entry], used: float) -> None:
        """Add entries, and replace entries with the same keys."""
        with self._database.lock, self._database.begun() as connection:
            for entry in entries:
                _add(connection, entry, used)

    def add_within(self, entry: Entry, budget: float, used: float) -> bool:
        """Add an entry, unless its session or user would then have more than *budget* bytes.

        Returns:
            Whether it was added.
        """
        with self._database.lock, self._database.begun() as connection:
            if _excess(connection, entry, budget) > 0:
                return False
            _add(connection, entry, used)
        return True

    def has_room_for(self, entry: Entry, budget: float) -> bool:
        """Return whether `add_within` would add it."""
        with self._database.lock:
            return _excess(self._database.connection, entry, budget) <= 0

    def remove(self, keys: Iterable[bytes]) -> None:
        """Remove entries."""
        with self._database.lock, self._database.begun() as connection:
            connection.executemany("DELETE FROM entries WHERE key = ?", [(key,) for key in keys])

    def remove_unless_renewed(
        self, entries: Iterable[tuple[bytes, float]], now: float
    ) -> list[bytes]:
        """Remove entries that were not written or used since the given times, or have expired.

        Returns:
            The keys of the removed entries.
        """
        query = "DELETE FROM entries WHERE key = ? AND (used <= ? OR gone_at <= ?)"
        with self._database.lock, self._database.begun() as connection:
            return [
                key
                for key, used in entries
                if connection.execute(query, (key, used, now)).rowcount > 0
            ]

    def beginning_with(self, first: int) -> set[bytes]:
        """Return the keys that begin with the byte *first*."""
        bounds = bytes([first]), bytes([first]) + b"\xff" * KEY_SIZE
        return {
            key
            for (key,) in self._database.rows(
                "SELECT key FROM entries WHERE key BETWEEN ? AND ?", bounds, (bytes,)
            )
        }

    def note_use(self, uses: Iterable[tuple[bytes, float]]) -> None:
        """Note the times when entries were last used."""
        with self._database.lock, self._database.begun() as connection:
            connection.executemany("UPDATE entries SET used = ?2 WHERE key = ?1", uses)

    def totals(self) -> Totals:
        """Return the totals of what the store has."""
        rows = self._database.rows(
            "SELECT bytes, entries, sessions, new_sessions, ended FROM totals", (), (int,) * 5
        )
        if len(rows) != 1:
            raise UselessError("there are no totals")
        return Totals(*rows[0])

    # Entries to evict, with their last use: the first in a list is evicted first

    def values_first(self, abandoned: float, limit: int) -> list[tuple[bytes, float]]:
        """Return entries that can be computed again, or are shared but unused since *abandoned*."""
        query = f"""
            SELECT * FROM (
                SELECT key, used FROM entries WHERE class = {VALUES} ORDER BY used LIMIT ?2
            ) UNION ALL SELECT * FROM (
                SELECT key, used FROM entries WHERE account = '' AND class = {PUTS} AND used < ?1
                ORDER BY used LIMIT ?2
            ) ORDER BY used LIMIT ?2
        """  # noqa: S608 (the classes are ours)
        return self._database.rows(query, (abandoned, limit), _USED)

    def puts_first(self, limit: int) -> list[tuple[bytes, float]]:
        """Return the puts and the recipes of everybody."""
        query = f"SELECT key, used FROM entries WHERE class = {PUTS} ORDER BY used LIMIT ?"  # noqa: S608 (ours)
        return self._database.rows(query, (limit,), _USED)

    def variables_first(self, limit: int) -> list[tuple[bytes, float]]:
        """Return the variables of the app, and of the session or user that has most.

        So nobody loses variables to somebody who has more.
        """
        largest = self._database.rows(
            "SELECT account FROM accounts ORDER BY bytes DESC LIMIT 1", (), (str,)
        )
        query = f"""
            SELECT * FROM (
                SELECT key, used FROM entries WHERE account = '' AND class = {STATE}
                ORDER BY used LIMIT ?2
            ) UNION ALL SELECT * FROM (
                SELECT key, used FROM entries WHERE account = ?1 AND class = {STATE}
                ORDER BY used LIMIT ?2
            ) ORDER BY used LIMIT ?2
        """  # noqa: S608 (the class is ours)
        return self._database.rows(query, (largest[0][0] if largest else None, limit), _USED)

    def cheapest_first(self, account: Owner, at_most: int, limit: int) -> list[tuple[bytes, float]]:
        """Return the entries of a session or user, class by class, up to the class *at_most*."""
        query = """
            SELECT key, used FROM entries WHERE account = ? AND class <= ?
            ORDER BY class, used LIMIT ?
        """
        return self._database.rows(query, (account, at_most, limit), _USED)

    def can_make_room_for(self, entry: Entry, at_most: int, budget: float) -> bool:
        """Return whether an entry would fit if its account lost the classes up to *at_most*."""
        query = """
            SELECT coalesce(sum(size), 0) FROM (
                SELECT size FROM entries WHERE account = ? AND class <= ? AND key != ?
                ORDER BY class, used LIMIT ?
            )
        """
        with self._database.lock:
            missing = _excess(self._database.connection, entry, budget)
            for limit in (_FEW, -1):  # nearly always the first limit is enough
                found = self._database.connection.execute(
                    query, (account_of(entry.facts.owner), at_most, entry.key, limit)
                ).fetchone()
                if found[0] >= missing:
                    return True
        return False

    def ended_first(self, limit: int) -> list[tuple[bytes, float]]:
        """Return the notes of ends to forget first: the oldest, but sessions before cookies.

        The session of an old cookie may go on with a new one, and the old one must not open it.
        """
        query = (
            "SELECT key, used FROM entries WHERE kind = 'ended' ORDER BY name DESC, gone_at LIMIT ?"
        )
        return self._database.rows(query, (limit,), _USED)

    def gone(self, now: float, limit: int) -> list[tuple[bytes, float]]:
        """Return the keys of expired entries, and their last use."""
        return self._database.rows(
            "SELECT key, used FROM entries WHERE gone_at <= ? LIMIT ?", (now, limit), _USED
        )

    # Holders and owners

    def within(self, account: Owner) -> list[tuple[bytes, float]]:
        """Return the keys of an account's entries, tabs and pages included, and their last use."""
        return self._database.rows(
            "SELECT key, used FROM entries WHERE account = ?", (account,), _USED
        )

    def of_owner(self, owner: Owner) -> list[tuple[bytes, float]]:
        """Return the keys of the entries of exactly this owner, and their last use."""
        return self._database.rows("SELECT key, used FROM entries WHERE owner = ?", (owner,), _USED)

    def idle_sessions(self, limit: int) -> list[tuple[Owner, float]]:
        """Return the sessions that were used longest ago, by the index, and their last use."""
        query = (
            "SELECT account, used FROM accounts WHERE account LIKE 'session:%' "
            "ORDER BY used LIMIT ?"
        )
        return self._database.rows(query, (limit,), _OWNER_USED)

    def new_sessions(self, limit: int) -> list[tuple[Owner, float]]:
        """Return the sessions that the index knows from one request only, the oldest first."""
        query = """
            SELECT account, since FROM accounts WHERE is_new AND account LIKE 'session:%'
            ORDER BY since LIMIT ?
        """
        return self._database.rows(query, (limit,), _OWNER_USED)

    def note_return(self, sessions: Iterable[Owner]) -> None:
        """Note that sessions were seen again."""
        with self._database.lock, self._database.begun() as connection:
            connection.executemany(
                "UPDATE accounts SET is_new = 0 WHERE account = ?",
                [(account,) for account in sessions],
            )

    def idle_owners(self, before: float, limit: int) -> list[tuple[Owner, float]]:
        """Return the sessions, tabs and pages that, by the index, were last used *before* then."""
        query = "SELECT owner, used FROM owners WHERE owner LIKE 'session:%' AND used < ? LIMIT ?"
        return self._database.rows(query, (before, limit), _OWNER_USED)

    def note_owner_use(self, uses: Iterable[tuple[Owner, float]]) -> None:
        """Note the times when owners or accounts were last used."""
        with self._database.lock, self._database.begun() as connection:
            for owner, used in uses:
                connection.execute("UPDATE owners SET used = ?2 WHERE owner = ?1", (owner, used))
                connection.execute(
                    "UPDATE accounts SET used = ?2 WHERE account = ?1", (owner, used)
                )

    def leave(self, owner: Owner, now: float) -> None:
        """Note that an owner was left, if it has anything stored: most pages store nothing."""
        query = """
            INSERT INTO leaving SELECT owner, ?2 FROM owners WHERE owner = ?1
            ON CONFLICT (owner) DO UPDATE SET since = ?2
        """
        self._database.rows(query, (owner, now))

    def left(self, before: float, limit: int) -> list[tuple[Owner, float]]:
        """Owners that were left *before* then, and when that was."""
        return self._database.rows(
            "SELECT owner, since FROM leaving WHERE since < ? LIMIT ?", (before, limit), _OWNER_USED
        )

    def stay(self, owner: Owner) -> None:
        """Forget that an owner has been left."""
        self._database.rows("DELETE FROM leaving WHERE owner = ?", (owner,))

    def list(self, owner: Owner | None, kind: Kind | None, tag: str | None) -> list[Listed]:
        """Return the entries that have the given owner, kind and tag, by name."""
        conditions = {
            "owner = ?": owner,
            "kind = ?": kind,
            "key IN (SELECT key FROM tags WHERE tag = ?)": None if tag is None else json.dumps(tag),
        }
        asked = {condition: value for condition, value in conditions.items() if value is not None}
        where = " AND ".join(("kind != 'ended'", *asked))
        query = f"SELECT key, kind, name, owner, size FROM entries WHERE {where} ORDER BY name, key"  # noqa: S608 (the conditions are ours)
        rows = self._database.rows(query, tuple(asked.values()), (bytes, str, str, str, int))
        try:
            return [
                Listed(key, kind, json.loads(name), owner, size)
                for key, kind, name, owner, size in rows
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
        facts.owner,
        account_of(facts.owner),
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
    """By how many bytes an entry's account would have more than *budget*, once it is stored."""
    if not entry.facts.owner:
        return -budget
    query = """
        SELECT coalesce((SELECT bytes FROM accounts WHERE account = ?), 0)
            - coalesce((SELECT size FROM entries WHERE key = ?), 0)
    """
    (others,) = connection.execute(query, (account_of(entry.facts.owner), entry.key)).fetchone()
    return int(others) + entry.size - budget
