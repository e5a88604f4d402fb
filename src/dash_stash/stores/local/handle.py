"""A handle of a store's folder: where things lie in it, and its slots and index, once opened.

Both are opened when needed, and again when somebody has deleted them.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import re
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from dash_stash.clock import Clock
from dash_stash.entries import Entry, Facts
from dash_stash.errors import StoreUnavailable, StoreUnsafe
from dash_stash.stores.local import database, files
from dash_stash.stores.local.database import UselessError
from dash_stash.stores.local.index import Index
from dash_stash.stores.local.locks import locked, remove_abandoned, unless_held
from dash_stash.stores.local.slots import Slots

P = ParamSpec("P")
R = TypeVar("R")

_NAME = re.compile("[0-9a-f]{32}")

TRUSTED = 1.0
"""Seconds for which what a process remembers is trusted without a look at the folder.

So long a value may be served that was replaced by a writer that died before it changed the version,
or whose folder somebody has deleted by hand.
"""

# Several processes that find the index deleted each make a new one, and SQLite, when it closes an
# old one, removes a file of the new one.
_TRIES = 4

# SQLite raises the first of them if tables are missing.
_DAMAGE = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
)


class _HasHandle(Protocol):
    handle: FolderHandle


S = TypeVar("S", bound=_HasHandle)


def available(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Let a method raise StoreUnavailable for whatever the system or SQLite refuses."""

    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            for _ in range(_TRIES):
                try:
                    return method(self, *args, **kwargs)
                except (FileNotFoundError, sqlite3.Error) as error:
                    # Somebody may just have deleted the folder or the index.
                    if _is_damage(error):
                        self.handle.discard_index()
                    elif not self.handle.was_deleted():
                        raise
            return method(self, *args, **kwargs)
        except StoreUnavailable:
            raise
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, TimeoutError) and error.errno is None:
                raise  # by a signal handler: the system's errors have a number
            raise StoreUnavailable(str(self.handle.folder), str(error)) from error

    return functools.update_wrapper(call, method)


class FolderHandle:
    """The folder of a store, as this process has it open."""

    def __init__(
        self, folder: pathlib.Path, sealing_key: bytes, *, network: bool, clock: Clock
    ) -> None:
        """Take the folder, which may be another machine's only with *network*."""
        self.folder = folder
        self._sealing_key, self._network, self.clock = sealing_key, network, clock
        self.slots: Slots | None = None
        self.looked_at = float("-inf")
        self._index: Index | None = None
        # By process: if another thread opens the index during a fork, the child finds the lock of
        # its parent taken for ever.
        self._opening: dict[int, threading.RLock] = {}

    def create(self) -> None:
        """Create the folder if it is not there, and check that it is safe.

        Raises:
            StoreUnsafe: It is not.
        """
        # Whoever can write to the folder above could put another one in the place of this one.
        for folder in (self.folder.parent, self.folder):
            files.make_private_folder(folder, network=self._network)

    def ready(self, now: float) -> Slots:
        """Check, once a second, that the folder and its slots are there; if not, create them."""
        if self.slots is not None and 0 <= now - self.looked_at < TRUSTED:
            return self.slots
        if self.slots is None or database.identity(f"{self.folder}/slots") != self.slots.identity:
            self.create()
            for name in ("entries", "flights", "commits", "temporary"):
                (self.folder / name).mkdir(mode=0o700, exist_ok=True)
                if (self.folder / name).is_symlink():
                    raise StoreUnsafe(str(self.folder / name), "it is a link")
            self.slots = Slots(self.folder / "slots")
        self.looked_at = now
        return self.slots

    def index(self) -> Index:
        """Return the index; if it is new, or was deleted, it is filled from the files first."""
        with unless_held(self._opening.setdefault(os.getpid(), threading.RLock())):
            if (
                self._index is None
                or database.identity(self.folder / "index.sqlite") != self._index.identity
            ):
                if self._index is not None:
                    self._index.close()
                    self._index = None
                # SQLite does not let two processes create a database at the same time: the second
                # one gets an error.
                with locked(self.folder / "opening"):
                    if os.path.lexists(self.folder / "index.sqlite-journal"):
                        # Whoever created the index died, or somebody laid this there: SQLite would
                        # delete the file that a journal names.
                        self.discard_index()
                    self._index = self._make_index(self.folder / "index.sqlite")
            return self._index

    def _make_index(self, path: pathlib.Path) -> Index:
        if not path.is_file() or path.is_symlink():
            self.discard_index()  # what a deleted index has left, or a link to somewhere else
        try:
            index = Index(path)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self.discard_index()
            index = Index(path)
        if not index.is_complete:
            self._fill(index)
            index.complete()
        return index

    def _fill(self, index: Index) -> None:
        for first in range(256):
            index.add(self.described(self.stored(first)), self.clock())

    def discard_index(self) -> None:
        """Remove a damaged index; the next use makes a new one."""
        for name in (
            "index.sqlite",
            "index.sqlite-wal",
            "index.sqlite-shm",
            "index.sqlite-journal",
        ):
            (self.folder / name).unlink(missing_ok=True)

    def was_deleted(self) -> bool:
        """Return whether the folder or its index was deleted or replaced since it was opened."""
        self.looked_at = float("-inf")
        index = self._index
        return not (self.folder / "slots").exists() or (
            index is not None and database.identity(self.folder / "index.sqlite") != index.identity
        )

    # Entries

    def entry_path(self, key: bytes) -> str:
        """Return the path of the entry of *key*."""
        # Text, because building a Path takes longer than opening the file.
        name = key.hex()
        return f"{self.folder}/entries/{name[:2]}/{name}"

    def flight_path(self, key: bytes) -> pathlib.Path:
        """Return the path of the flight of *key*."""
        return self.folder / "flights" / key.hex()

    def commit_lock(self, key: bytes) -> pathlib.Path:
        """Return the file to lock while the entry of *key* is stored or deleted."""
        return self.folder / "commits" / key.hex()[:2]

    def read_head(self, key: bytes) -> Entry | None:
        """Return the description of the entry of *key*; None if there is none of ours."""
        file = files.open_entry(self.entry_path(key))
        read = None if file is None else files.read_head(file.descriptor, key, self._sealing_key)
        return None if read is None else read[0]

    def stored(self, first: int) -> set[bytes]:
        """Return the keys that begin with the byte *first* and have a file."""
        folder = self.folder / "entries" / f"{first:02x}"
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            keys = [bytes.fromhex(name) for name in os.listdir(folder) if _NAME.fullmatch(name)]
            return {key for key in keys if key[0] == first}
        return set()

    def described(self, keys: Iterable[bytes]) -> list[Entry]:
        """Return the descriptions of the entries of *keys*, for the index.

        Those that we cannot read (another version's or secret's, or damaged) take room as well, and
        are evicted in their turn.
        """
        return [
            entry
            for key in keys
            if (entry := self.read_head(key) or self._foreign(key)) is not None
        ]

    def _foreign(self, key: bytes) -> Entry | None:
        with contextlib.suppress(FileNotFoundError):
            status = os.lstat(self.entry_path(key))
            if stat.S_ISREG(status.st_mode):
                return Entry(
                    b"",
                    key,
                    Facts("memo", "", status.st_mtime),
                    None,
                    (),
                    (),
                    (),
                    0,
                    status.st_size,
                )
        return None

    def remove_abandoned(self) -> None:
        """Remove what processes have left that died in the middle of something."""
        for name, folder in self._named("temporary"):
            remove_abandoned(name, folder)
        for name, folder in self._named("flights"):
            remove_abandoned(name, folder, self.commit_lock(bytes.fromhex(name)))

    def _named(self, name: str) -> Iterator[tuple[str, int]]:
        """Yield our names in a folder, each with the open folder.

        There are none if something else is in the folder's place, also if it is put there now.
        """
        # `os.fwalk` would wait for ever for a pipe.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            folder = os.open(self.folder / name, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                yield from ((name, folder) for name in os.listdir(folder) if _NAME.fullmatch(name))
            finally:
                os.close(folder)

    def unlink(self, key: bytes, slots: Slots) -> None:
        """Remove the entry of *key* and tell every process; the commit lock is held."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.entry_path(key))
        slots.change_version(key)


def _is_damage(error: Exception) -> bool:
    """Whether the index must be made anew: damaged, not the one opened, or not written by us.

    Other errors pass by themselves (busy, full).
    """
    if isinstance(error, UselessError):
        return True
    return (
        isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
    )
