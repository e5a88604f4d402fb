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
    owner TEXT NOT NULL, account TEXT NOT NULL,
    size INTEGER NOT NULL, gone_at REAL NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON entries (class, used);
CREATE INDEX IF NOT EXISTS by_end ON entries (gone_at);
CREATE INDEX IF NOT EXISTS ended_first ON entries (name DESC, gone_at) WHERE kind = 'ended';
CREATE INDEX IF NOT EXISTS by_owner ON entries (owner);
CREATE INDEX IF NOT EXISTS by_account ON entries (account, class, used);
CREATE TABLE IF NOT EXISTS tags (
    tag TEXT NOT NULL, key BLOB NOT NULL, PRIMARY KEY (tag, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_key ON tags (key);

-- What belongs to a session (its tabs and pages are owners of their own) or user, the account.
CREATE TABLE IF NOT EXISTS owners (
    owner TEXT PRIMARY KEY, account TEXT NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL,
    used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS owners_by_use ON owners (used) WHERE owner LIKE 'session:%';
CREATE TABLE IF NOT EXISTS accounts (
    account TEXT PRIMARY KEY, owners INTEGER NOT NULL, bytes INTEGER NOT NULL, used REAL NOT NULL,
    since REAL NOT NULL, is_new INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS accounts_by_use ON accounts (used) WHERE account LIKE 'session:%';
CREATE INDEX IF NOT EXISTS new_accounts ON accounts (since)
    WHERE is_new AND account LIKE 'session:%';
CREATE TABLE IF NOT EXISTS leaving (owner TEXT PRIMARY KEY, since REAL NOT NULL) WITHOUT ROWID;

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
    INSERT INTO owners
        SELECT new.owner, new.account, 1, new.size, new.used WHERE new.owner != ''
        ON CONFLICT (owner) DO UPDATE SET entries = entries + 1,
            bytes = bytes + excluded.bytes, used = max(used, excluded.used);
END;
CREATE TRIGGER IF NOT EXISTS resized AFTER UPDATE OF size ON entries WHEN new.kind != 'ended' BEGIN
    UPDATE totals SET bytes = bytes + new.size - old.size;
    UPDATE owners SET bytes = bytes + new.size - old.size, used = max(used, new.used)
        WHERE owner = new.owner;
END;
CREATE TRIGGER IF NOT EXISTS removed AFTER DELETE ON entries WHEN old.kind != 'ended' BEGIN
    UPDATE totals SET bytes = bytes - old.size, entries = entries - 1;
    DELETE FROM tags WHERE key = old.key;
    UPDATE owners SET bytes = bytes - old.size, entries = entries - 1 WHERE owner = old.owner;
    DELETE FROM owners WHERE owner = old.owner AND entries = 0;
END;
CREATE TRIGGER IF NOT EXISTS owner_added AFTER INSERT ON owners BEGIN
    INSERT INTO accounts VALUES (new.account, 1, new.bytes, new.used, new.used, 1)
        ON CONFLICT (account) DO UPDATE SET owners = owners + 1,
            bytes = bytes + excluded.bytes, used = max(used, excluded.used);
END;
CREATE TRIGGER IF NOT EXISTS owner_changed AFTER UPDATE OF bytes ON owners BEGIN
    UPDATE accounts SET bytes = bytes + new.bytes - old.bytes, used = max(used, new.used)
        WHERE account = new.account;
END;
CREATE TRIGGER IF NOT EXISTS owner_removed AFTER DELETE ON owners BEGIN
    UPDATE accounts SET bytes = bytes - old.bytes, owners = owners - 1 WHERE account = old.account;
    DELETE FROM accounts WHERE account = old.account AND owners = 0;
END;
CREATE TRIGGER IF NOT EXISTS session_added AFTER INSERT ON accounts
WHEN new.account LIKE 'session:%' BEGIN
    UPDATE totals SET sessions = sessions + 1, new_sessions = new_sessions + new.is_new;
END;
CREATE TRIGGER IF NOT EXISTS session_came_back AFTER UPDATE OF is_new ON accounts
WHEN new.account LIKE 'session:%' BEGIN
    UPDATE totals SET new_sessions = new_sessions + new.is_new - old.is_new;
END;
CREATE TRIGGER IF NOT EXISTS session_removed AFTER DELETE ON accounts
WHEN old.account LIKE 'session:%' BEGIN
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
