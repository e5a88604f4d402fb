"""The tables of the index. Triggers keep the sums, in the transaction that changes the rows."""

from __future__ import annotations

import contextlib
import functools
import sqlite3

SCHEMA = """
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY, kind TEXT NOT NULL, class INTEGER NOT NULL, name TEXT NOT NULL,
    scope TEXT NOT NULL, holder TEXT NOT NULL,
    size INTEGER NOT NULL, gone_at REAL NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON entries (class, used);
CREATE INDEX IF NOT EXISTS by_end ON entries (gone_at);
CREATE INDEX IF NOT EXISTS ended_first ON entries (name DESC, gone_at) WHERE kind = 'ended';
CREATE INDEX IF NOT EXISTS by_scope ON entries (scope);
CREATE INDEX IF NOT EXISTS by_holder ON entries (holder, class, used);
CREATE TABLE IF NOT EXISTS tags (
    tag TEXT NOT NULL, key BLOB NOT NULL, PRIMARY KEY (tag, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_key ON tags (key);

-- What belongs to a session (its tabs and pages are scopes of their own) or user, the holder.
CREATE TABLE IF NOT EXISTS scopes (
    scope TEXT PRIMARY KEY, holder TEXT NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL,
    used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS scopes_by_use ON scopes (used) WHERE scope LIKE 'session:%';
CREATE TABLE IF NOT EXISTS holders (
    holder TEXT PRIMARY KEY, scopes INTEGER NOT NULL, bytes INTEGER NOT NULL, used REAL NOT NULL,
    since REAL NOT NULL, is_new INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS holders_by_use ON holders (used) WHERE holder LIKE 'session:%';
CREATE INDEX IF NOT EXISTS new_holders ON holders (since)
    WHERE is_new AND holder LIKE 'session:%';
CREATE TABLE IF NOT EXISTS leaving (scope TEXT PRIMARY KEY, since REAL NOT NULL) WITHOUT ROWID;

-- Notes that a session has ended are counted apart: they take no room of what others store.
CREATE TABLE IF NOT EXISTS totals (
    bytes INTEGER NOT NULL, entries INTEGER NOT NULL,
    sessions INTEGER NOT NULL, new_sessions INTEGER NOT NULL, ended INTEGER NOT NULL
);
INSERT INTO totals SELECT 0, 0, 0, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM totals) AND NOT EXISTS (SELECT 1 FROM entries);
CREATE TRIGGER IF NOT EXISTS end_added AFTER INSERT ON entries WHEN new.kind = 'ended' BEGIN
    UPDATE totals SET ended = ended + 1;
END;
CREATE TRIGGER IF NOT EXISTS end_removed AFTER DELETE ON entries WHEN old.kind = 'ended' BEGIN
    UPDATE totals SET ended = ended - 1;
END;
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON entries WHEN new.kind != 'ended' BEGIN
    UPDATE totals SET bytes = bytes + new.size, entries = entries + 1;
    INSERT INTO scopes
        SELECT new.scope, new.holder, 1, new.size, new.used WHERE new.scope != ''
        ON CONFLICT (scope) DO UPDATE SET entries = entries + 1,
            bytes = bytes + excluded.bytes, used = max(used, excluded.used);
END;
CREATE TRIGGER IF NOT EXISTS resized AFTER UPDATE OF size ON entries WHEN new.kind != 'ended' BEGIN
    UPDATE totals SET bytes = bytes + new.size - old.size;
    UPDATE scopes SET bytes = bytes + new.size - old.size, used = max(used, new.used)
        WHERE scope = new.scope;
END;
CREATE TRIGGER IF NOT EXISTS removed AFTER DELETE ON entries WHEN old.kind != 'ended' BEGIN
    UPDATE totals SET bytes = bytes - old.size, entries = entries - 1;
    DELETE FROM tags WHERE key = old.key;
    UPDATE scopes SET bytes = bytes - old.size, entries = entries - 1 WHERE scope = old.scope;
    DELETE FROM scopes WHERE scope = old.scope AND entries = 0;
END;
CREATE TRIGGER IF NOT EXISTS scope_added AFTER INSERT ON scopes BEGIN
    INSERT INTO holders VALUES (new.holder, 1, new.bytes, new.used, new.used, 1)
        ON CONFLICT (holder) DO UPDATE SET scopes = scopes + 1,
            bytes = bytes + excluded.bytes, used = max(used, excluded.used);
END;
CREATE TRIGGER IF NOT EXISTS scope_changed AFTER UPDATE OF bytes ON scopes BEGIN
    UPDATE holders SET bytes = bytes + new.bytes - old.bytes, used = max(used, new.used)
        WHERE holder = new.holder;
END;
CREATE TRIGGER IF NOT EXISTS scope_removed AFTER DELETE ON scopes BEGIN
    UPDATE holders SET bytes = bytes - old.bytes, scopes = scopes - 1 WHERE holder = old.holder;
    DELETE FROM holders WHERE holder = old.holder AND scopes = 0;
END;
CREATE TRIGGER IF NOT EXISTS session_added AFTER INSERT ON holders
WHEN new.holder LIKE 'session:%' BEGIN
    UPDATE totals SET sessions = sessions + 1, new_sessions = new_sessions + new.is_new;
END;
CREATE TRIGGER IF NOT EXISTS session_came_back AFTER UPDATE OF is_new ON holders
WHEN new.holder LIKE 'session:%' BEGIN
    UPDATE totals SET new_sessions = new_sessions + new.is_new - old.is_new;
END;
CREATE TRIGGER IF NOT EXISTS session_removed AFTER DELETE ON holders
WHEN old.holder LIKE 'session:%' BEGIN
    UPDATE totals SET sessions = sessions - 1, new_sessions = new_sessions - old.is_new;
END;
COMMIT;
"""


def schema_of(connection: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """Return the tables, indexes and triggers of a database, without those that SQLite adds."""
    return frozenset(
        connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    )


@functools.cache
def our_schema() -> frozenset[tuple[str, str]]:
    """Return the tables, indexes and triggers of a new index."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(SCHEMA)
        return schema_of(connection)
