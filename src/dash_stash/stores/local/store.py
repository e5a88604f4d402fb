"""The store in a folder: files are the truth, locks are the kernel's, the index is disposable.

entries/4f/4f1c...   one file per entry, named by its key
flights/4f1c...      one file per computation under way, locked by who computes
commits/4f           256 locks, held for the moment in which an entry appears or disappears
temporary/...        entries being written, locked by their writers
slots                what changed, for all processes (see `slots`)
index.sqlite         what to evict and to list (see `index`)
"""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import os
import pathlib
import sqlite3
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from dash_stash import layout
from dash_stash.clock import SKEW, Clock, system_clock
from dash_stash.codec import Encoded
from dash_stash.errors import StoreUnavailable, StoreUnsafe
from dash_stash.layout import Entry, Facts, Packed
from dash_stash.stores.base import Flight, Found, Landed, Listed
from dash_stash.stores.local import files
from dash_stash.stores.local import index as indexes
from dash_stash.stores.local.files import EntryFile, Identity, Temporary
from dash_stash.stores.local.index import Index
from dash_stash.stores.local.locks import LockFile, lock, locked, remove_abandoned
from dash_stash.stores.local.slots import Slots, epoch_slot, version_slot

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_log = logging.getLogger("dash_stash")

# Up to this size an entry, or the head of a larger one, is kept in memory: of this many at most, 64 MiB in all.
_SMALL = 64 * 1024
_KEPT = 512

# From this size on an entry is mapped. A map may hold a file descriptor as long as the value lives, and of those there are few.
_MAPPED = 256 * 1024

# So many mapped entries are also kept open, which spares a third of reading them.
_KEPT_OPEN = 16
_HEX = "[0-9a-f]"

# How long, in seconds, something kept is trusted without a look at the folder. It bounds what a writer that died between
# the renaming of its file and the change of the version can cost, and a folder that was deleted by hand.
_TRUSTED = 1.0

_SWEEP_EVERY = 60.0
_SWEEP_AT_ONCE = 1000
IDLE = 12 * 3600.0
"""Seconds after which the unused data of a session or page goes away."""

# A disk without room may have some later: that is no reason not to start.
_FULL = (errno.ENOSPC, errno.EDQUOT)

# Of several processes that find the index deleted, each makes a new one; SQLite, closing an old one, removes a file of the new.
_TRIES = 4

_DAMAGE = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_stores: weakref.WeakSet[LocalStore] = weakref.WeakSet()


@dataclass(slots=True)
class _Kept:
    """What this process remembers of an entry that it has checked."""

    entry: Entry
    identity: Identity
    head: bytes | None
    """The head as its seal was checked; None if it is too big to be kept."""

    body: bytes | None
    """The whole entry, if it is small."""

    found: Found | None
    """What every reader may be given, if nothing in it can be written to."""

    watched: tuple[tuple[int, int], ...] = ()
    """The slots of the entry's version and of its tags' epochs, and what must stand in them."""

    since: float = float("inf")
    until: float = float("-inf")
    """For how long it is trusted; a clock that is set back ends that too."""

    @classmethod
    def of(cls, entry: Entry, identity: Identity, head: bytes, body: bytes | None) -> _Kept:
        """Remember a checked entry, which is not trusted yet."""
        found = _found(entry, head, body) if body is not None and not entry.has_buffers else None
        return cls(entry, identity, head if len(head) <= _SMALL else None, body, found)

    def load(self, file: EntryFile | None) -> Found | None:
        """What a reader is given without a look at the folder, perhaps from a file kept open; None if that cannot be."""
        if self.found is not None:
            return self.found
        if self.body is not None:
            return _found(self.entry, self.head, bytearray(self.body))
        if self.head is None or file is None or file.identity != self.identity:
            return None
        return _found(self.entry, self.head, files.private_map(file.descriptor))

    def trust(self, version: int, now: float) -> None:
        """Trust it for a while, if this is still the version of its key."""
        facts = self.entry.facts
        self.watched = ((version_slot(self.entry.key), version), *((epoch_slot(tag), epoch) for tag, epoch in facts.tags.items()))
        self.since, self.until = now, min(now + _TRUSTED, facts.gone_at)


class LocalFlight:
    """A computation under way on this machine: a locked file. Whoever waits for the lock reads the outcome from it."""

    def __init__(self, file: LockFile, path: pathlib.Path, commits: pathlib.Path) -> None:
        """Take the locked file, its name, and the lock under which names of flights are removed."""
        self._file, self._path, self._commits = file, path, commits

    @property
    def is_current(self) -> bool:
        """Whether the key was not deleted since; only lasting while the commit lock is held."""
        return not self._file.is_unlinked

    def land(self, outcome: bytes | None = None) -> None:
        """End the flight and leave *outcome* to those who wait."""
        if outcome is not None:
            try:
                os.pwrite(self._file.descriptor, outcome, 0)
            except OSError:
                # The disk is full. A hole takes no room: those who wait read zeros, as many as the outcome has bytes.
                os.ftruncate(self._file.descriptor, len(outcome))
        with contextlib.suppress(OSError), locked(self._commits):
            if self.is_current:
                self._path.unlink()
        self._file.close()

    def close(self) -> None:
        """Give up; the next one takes the file over."""
        self._file.close()


def _available(method: Callable[Concatenate[LocalStore, P], R]) -> Callable[Concatenate[LocalStore, P], R]:
    """Let a method say of whatever the system or SQLite refuses that the store cannot be used now."""

    def call(store: LocalStore, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            for _ in range(_TRIES):
                try:
                    return method(store, *args, **kwargs)
                except (FileNotFoundError, sqlite3.Error) as error:
                    # Somebody may have deleted the folder, or the index, a moment ago.
                    if _is_damage(error):
                        store.discard_index()
                    elif not store.was_deleted():
                        raise
            return method(store, *args, **kwargs)
        except StoreUnavailable:
            raise
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(str(store.folder), str(error)) from error

    return functools.update_wrapper(call, method)


class LocalStore:
    """A `Store` in a folder of this machine (the contract stands there)."""

    def __init__(
        self,
        folder: pathlib.Path,
        sealing_key: bytes,
        *,
        max_bytes: int,
        max_entries: int,
        network: bool = False,
        clock: Clock = system_clock,
    ) -> None:
        """Use *folder*, which is created if need be, for up to *max_bytes* bytes in *max_entries* entries.

        Raises:
            StoreUnsafe: Others could change what is stored, or the folder is on a network file system and not *network*.
        """
        self.folder = folder
        self._sealing_key, self._clock, self._network = sealing_key, clock, network
        self._max_bytes, self._max_entries = max_bytes, max_entries
        self._kept: dict[bytes, _Kept] = {}
        self._kept_open: dict[bytes, EntryFile] = {}
        self._slots: Slots | None = None
        self._looked_at = self._swept_at = float("-inf")
        self._index: Index | None = None
        self.index_lock = threading.Lock()
        try:
            files.make_private_folder(folder, network=network)
        except StoreUnsafe:
            raise
        except OSError as error:
            if error.errno not in _FULL:
                raise StoreUnsafe(str(folder), f"it cannot be made ({error.strerror})") from error
        _stores.add(self)

    # Reading

    def read(self, key: bytes) -> Found | None:
        """Read the entry of *key*."""
        kept = self._kept.get(key)
        now = self._clock()
        if kept is not None and kept.since <= now < kept.until and self._slots is not None:
            values = self._slots.values
            for slot, value in kept.watched:
                if values[slot] != value:
                    break
            else:
                with contextlib.suppress(OSError):  # no room for one more map: below, that is the store's failure
                    found = kept.load(self._kept_open.get(key))
                    if found is not None:
                        return found
        return self._open(key, kept, now)

    @_available
    def _open(self, key: bytes, kept: _Kept | None, now: float) -> Found | None:
        """Read an entry's file, which is checked unless this process did so already; None is a miss."""
        slots = self._ready(now)
        version = slots.version(key)  # before the file is opened: what is written meanwhile then has another version
        file = files.open_entry(self._entry_path(key))
        if file is None:
            self._kept.pop(key, None)
            return None
        checked = self._check(key, kept, file)
        if checked is None or not _is_current(checked[0].entry.facts, slots, now):
            return None
        kept, head = checked
        if kept.body is not None:
            found = kept.found or _found(kept.entry, head, bytearray(kept.body))
        elif kept.entry.size < _MAPPED:
            found = _found(kept.entry, head, files.private_copy(file.descriptor))
        else:
            found = _found(kept.entry, head, files.private_map(file.descriptor))
            _put(self._kept_open, key, file, _KEPT_OPEN)
        self._keep(key, kept, version, now)
        if now - slots.last_use(key) >= _TRUSTED:
            slots.use(key, now)
        return found

    def _check(self, key: bytes, kept: _Kept | None, file: EntryFile) -> tuple[_Kept, bytes] | None:
        """What is known of an open file, and its head; None if it is not the entry of *key*, whole and ours."""
        is_known = kept is not None and kept.identity == file.identity
        if kept is not None and is_known and kept.head is not None:
            return kept, kept.head
        descriptor = file.descriptor
        read = files.read_head(descriptor, key, self._sealing_key) if is_known or files.is_whole(descriptor) else None
        if read is None:
            _log.warning("a damaged or foreign entry in %s counts as a miss (key %s)", self.folder, key.hex()[:8])
            return None
        entry, head = read
        body = os.pread(descriptor, entry.size, 0) if entry.size <= _SMALL else None
        return _Kept.of(entry, file.identity, head, body), head

    def _keep(self, key: bytes, kept: _Kept, version: int, now: float) -> None:
        kept.trust(version, now)
        _put(self._kept, key, kept, _KEPT)

    # Flights

    @_available
    def join(self, key: bytes, *, wait: bool = True) -> LocalFlight | Landed | None:
        """Become the one that computes *key*, or wait for the one that does."""
        self._ready(self._clock())
        path = self.folder / "flights" / key.hex()
        file = lock(path, wait=wait)
        if file is None:
            return None
        left = os.fstat(file.descriptor)
        if left.st_nlink:
            if left.st_size:
                os.ftruncate(file.descriptor, 0)  # by one who died between telling the outcome and removing the name
            return LocalFlight(file, path, self._commit_lock(key))
        outcome = os.pread(file.descriptor, left.st_size, 0)
        file.close()
        return Landed(outcome or None)

    # Writing

    @_available
    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        """Store an entry, unless *key* was deleted since *flight* began."""
        packed = layout.pack(key, facts, encoded, self._sealing_key)
        size = packed.entry.size
        if size > self._max_bytes:
            raise StoreUnavailable(str(self.folder), f"a value of {size:,} bytes is larger than max_bytes={self._max_bytes:,}")
        now = self._clock()
        slots = self._ready(now)
        index = self._open_index()
        written = files.write_temporary(self.folder / "temporary", packed)
        try:
            stored = self._publish(flight, key, written, packed, slots, index)
        finally:
            written.discard()
        self._evict(slots, index, now)
        if now - self._swept_at >= _SWEEP_EVERY:
            self._sweep(slots, index, now)
        return stored

    def _publish(self, flight: Flight | None, key: bytes, written: Temporary, packed: Packed, slots: Slots, index: Index) -> bool:
        """Give a written file its name, if the flight is still wanted."""
        now = self._clock()
        entry = packed.entry
        with locked(self._commit_lock(key)):
            if isinstance(flight, LocalFlight) and not flight.is_current:
                return False
            # The index first: a row without a file is harmless, a file without a row is never evicted.
            index.add([entry], now)
            written.rename(self._entry_path(key))
            slots.change_version(key)
            # What was written just now need not be checked by who wrote it.
            body = b"".join((packed.head, *packed.body)) if entry.size <= _SMALL else None
            self._keep(key, _Kept.of(entry, written.identity, packed.head, body), slots.version(key), now)
        return True

    @_available
    def delete(self, key: bytes) -> None:
        """Delete the entry of *key*, for good."""
        slots = self._ready(self._clock())
        with locked(self._commit_lock(key)):
            # A flight without its name may not commit, and whoever comes from now on begins another.
            (self.folder / "flights" / key.hex()).unlink(missing_ok=True)
            self._unlink(key, slots)
            # The disk may be too full for the index to change; it finds out later.
            with contextlib.suppress(StoreUnavailable, sqlite3.Error):
                self._open_index().remove([key])

    def _unlink(self, key: bytes, slots: Slots) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._entry_path(key))
        slots.change_version(key)
        self._kept.pop(key, None)

    # Tags

    @_available
    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        """The present epoch of each tag."""
        slots = self._ready(self._clock())
        return {tag: slots.epoch(tag) for tag in tags}

    @_available
    def forget_tag(self, tag: str) -> None:
        """Make every entry with *tag* a miss for good, and give back its room."""
        now = self._clock()
        slots = self._ready(now)
        slots.change_epoch(tag)
        index = self._open_index()
        for listed in index.list(None, None, tag):
            with locked(self._commit_lock(listed.key)):
                if not self._is_current_file(listed.key, slots, now):
                    self._unlink(listed.key, slots)
                    index.remove([listed.key])

    def _is_current_file(self, key: bytes, slots: Slots, now: float) -> bool:
        read = self._read_head(self._entry_path(key), key)
        return read is not None and _is_current(read[0].facts, slots, now)

    def _read_head(self, path: str, key: bytes) -> tuple[Entry, bytes] | None:
        file = files.open_entry(path)
        return None if file is None else files.read_head(file.descriptor, key, self._sealing_key)

    # Housekeeping

    @_available
    def list(self, scope: str | None = None, kind: str | None = None, tag: str | None = None) -> Sequence[Listed]:
        """List what is stored."""
        self._ready(self._clock())
        return [entry for entry in self._open_index().list(scope, kind, tag) if os.path.exists(self._entry_path(entry.key))]

    def _evict(self, slots: Slots, index: Index, now: float) -> None:
        """Remove what was used longest ago until the budgets are kept."""
        while True:
            size, entries = index.totals()
            surplus = entries - self._max_entries
            if size <= self._max_bytes and surplus <= 0:
                return
            oldest = index.least_recently_used(64)
            used_since = [(key, use) for key, used in oldest if (use := _last_use(slots, key, now)) > used]
            if used_since:
                # The index learns of reads only now; the next round knows better who is oldest.
                index.note_use(used_since)
            elif not sum(self._drop(key, used, slots, index, now) for key, used in oldest[: max(1, min(surplus, 64))]):
                return  # somebody is just writing each of them; whoever writes next evicts

    def _drop(self, key: bytes, used: float, slots: Slots, index: Index, now: float) -> bool:
        """Remove an entry, unless somebody is just writing it, or has since *used*."""
        with locked(self._commit_lock(key), wait=False) as had:
            if not had or not index.remove_unless_renewed(key, used, now):
                return False
            self._unlink(key, slots)
            return True

    def _sweep(self, slots: Slots, index: Index, now: float) -> None:
        """Remove what is over, what no session comes back for, and what the dead have left; one process at a time does it."""
        self._swept_at = now
        with locked(self.folder / "sweep", wait=False) as had:
            if not had:
                return
            idle = index.idle(now - IDLE, _SWEEP_AT_ONCE)
            index.note_use([(key, slots.last_use(key)) for key, used in idle if slots.last_use(key) > used])
            left = [(key, used) for key, used in idle if slots.last_use(key) <= used]
            for key, used in [*index.gone(now, _SWEEP_AT_ONCE), *left]:
                self._drop(key, used, slots, index, now)
            remove_abandoned(self.folder / "temporary")
            remove_abandoned(self.folder / "flights")

    # Opening

    def _ready(self, now: float) -> Slots:
        """See that the folder is there and the slots are the folder's, once a second; a deleted folder begins anew."""
        if self._slots is not None and 0 <= now - self._looked_at < _TRUSTED:
            return self._slots
        if self._slots is None or indexes.identity(f"{self.folder}/slots") != self._slots.identity:
            files.make_private_folder(self.folder, network=self._network)
            for name in ("entries", "flights", "commits", "temporary"):
                (self.folder / name).mkdir(mode=0o700, exist_ok=True)
            self._slots = Slots(self.folder / "slots")
            self._kept.clear()
        for key, file in tuple(self._kept_open.items()):
            if file.is_unlinked:
                self._kept_open.pop(key, None)
        self._looked_at = now
        return self._slots

    def _open_index(self) -> Index:
        """Return the index; if it is new, or was deleted meanwhile, filled from the files."""
        with self.index_lock:
            if self._index is None or indexes.identity(self.folder / "index.sqlite") != self._index.identity:
                if self._index is not None:
                    self._index.close()
                    self._index = None
                # SQLite does not let two processes make a database at the same time: the second is told that it is locked.
                with locked(self.folder / "opening"):
                    self._index = self._make_index(self.folder / "index.sqlite")
            return self._index

    def _make_index(self, path: pathlib.Path) -> Index:
        if not path.exists():
            self.discard_index()  # what belonged to one that was deleted
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
        for folder in (self.folder / "entries").glob(_HEX * 2):
            entries = [self._read_head(str(path), bytes.fromhex(path.name)) for path in folder.glob(_HEX * 32)]
            index.add([read[0] for read in entries if read is not None], self._clock())

    def close_index(self) -> None:
        """Close the index until it is needed again, and keep others from opening it until `index_lock` is released."""
        self.index_lock.acquire()
        if self._index is not None:
            self._index.close()
            self._index = None

    # Places

    def _entry_path(self, key: bytes) -> str:
        # Text, because building a Path takes longer than opening the file.
        name = key.hex()
        return f"{self.folder}/entries/{name[:2]}/{name}"

    def _commit_lock(self, key: bytes) -> pathlib.Path:
        return self.folder / "commits" / key.hex()[:2]

    def discard_index(self) -> None:
        """Remove a damaged index; it is made anew."""
        for name in ("index.sqlite", "index.sqlite-wal", "index.sqlite-shm"):
            (self.folder / name).unlink(missing_ok=True)

    def was_deleted(self) -> bool:
        """Whether the folder, or the index in it, is no longer what this process has opened; look again if so."""
        self._looked_at = float("-inf")
        index = self._index
        return not (self.folder / "slots").exists() or (
            index is not None and indexes.identity(self.folder / "index.sqlite") != index.identity
        )


def _put(table: dict[bytes, T], key: bytes, value: T, limit: int) -> None:
    """Add to a table that lets go of what was added first."""
    while len(table) >= limit and key not in table:
        # Another thread may be doing the same.
        with contextlib.suppress(StopIteration, RuntimeError):
            table.pop(next(iter(table)), None)
    table[key] = value


def _is_current(facts: Facts, slots: Slots, now: float) -> bool:
    """Whether an entry is neither over by its own time nor forgotten by a tag."""
    if facts.gone_at != float("inf") and not facts.created - SKEW <= now < facts.gone_at:
        return False
    return all(slots.epoch(tag) == epoch for tag, epoch in facts.tags.items())


def _last_use(slots: Slots, key: bytes, now: float) -> float:
    """When an entry was last used. Uses are noted only so often: one that was noted lately may still be going on."""
    use = slots.last_use(key)
    return now if now - use < _TRUSTED else use


def _is_damage(error: Exception) -> bool:
    """Whether SQLite says that its files are unsound, or not those that it opened; other errors pass (busy, full)."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def _found(entry: Entry, head: bytes | None, body: bytes | bytearray | memoryview) -> Found:
    assert head is not None  # noqa: S101 (the head of an entry whose body is kept is kept too)
    return Found(entry, entry.encoded(memoryview(head), memoryview(body)))


# SQLite's handles do not survive a fork, least of all in the middle of another thread's transaction: none is open during one.
_closed: list[LocalStore] = []


def _before_fork() -> None:
    for store in tuple(_stores):
        store.close_index()
        _closed.append(store)


def _after_fork() -> None:
    while _closed:
        _closed.pop().index_lock.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
