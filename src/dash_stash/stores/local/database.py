"""The SQLite database of the index: its connection, which no fork and no signal handler breaks."""

from __future__ import annotations

import os
import pathlib
import sqlite3
import threading
import weakref
from collections.abc import Sequence
from typing import Any

from dash_stash.stores.local.locks import unless_held
from dash_stash.stores.local.schema import SCHEMA, our_schema, schema_of

_PATIENCE = 2.0
"""Seconds to wait for another writer, who has the database for well under a millisecond."""

# SQLite's connections do not survive a fork, least of all in the middle of another thread's
# transaction: none is open during one.
_in_use = threading.RLock()
_databases: set[weakref.ref[Database]] = set()


class UselessError(sqlite3.DatabaseError):
    """The file is another version's index, or somebody else has written to it."""


class Database:
    """The open database. Every method may raise `sqlite3.Error`."""

    def __init__(self, path: pathlib.Path) -> None:
        """Open the database at *path*, and create it if there is none."""
        self._path = path
        self._opened: sqlite3.Connection | None = None
        with self.lock:
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
        _databases.add(weakref.ref(self, _databases.discard))
        return opened

    @property
    def lock(self) -> threading.RLock:
        """What whoever uses the connection holds."""
        return unless_held(_in_use)

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, opened again if it was closed for a fork. The lock is held."""
        # If the file is gone, that is an error.
        return self._opened or self._open(f"{self._path.absolute().as_uri()}?mode=rw")

    def close(self) -> None:
        """Close the database, once nobody is using it; whoever uses it later opens it again."""
        with self.lock:
            self._close()

    def _close(self) -> None:
        self._finalizer()
        self._opened = None

    def begun(self) -> sqlite3.Connection:
        """Begin a transaction, which ends with the with block of what is returned.

        The lock is held. It is SQLite's own `__exit__` that ends the transaction, as no signal
        handler can keep that from being called: left open, it would keep out all processes.
        """
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            connection.rollback()
            raise
        return connection

    def rows(
        self, query: str, values: Sequence[object] = (), kinds: Sequence[type] = ()
    ) -> list[Any]:
        """Return the rows that a query finds. Rows of other *kinds* of values were not ours."""
        with self.lock:
            rows = self.connection.execute(query, values).fetchall()
        for row in rows if kinds else ():
            if tuple(map(type, row)) != kinds:
                raise UselessError("a row is not as it was written")
        return rows


def identity(path: pathlib.Path | str) -> tuple[int, int] | None:
    """Return which file *path* is now; None if there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _close_all() -> None:
    for reference in tuple(_databases):
        database = reference()
        if database is not None:
            database._close()


# Python calls these in the opposite order: first nobody uses a database, then all are closed.
os.register_at_fork(before=_close_all)
os.register_at_fork(
    before=_in_use.acquire, after_in_parent=_in_use.release, after_in_child=_in_use.release
)
