"""The store in a folder: files are the truth, locks are the kernel's, the index can be lost.

entries/4f/4f1c...   one file per entry, named by its key
flights/4f1c...      one file per computation under way, locked by who computes
commits/4f           256 locks, held for the moment in which an entry appears or disappears
temporary/...        entries that are being written, locked by their writers
slots                what has changed, for all processes (see `slots`)
index.sqlite         which entries to evict and to list (see `index`)
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import pathlib
import sqlite3
from collections.abc import Sequence

from dash_stash import entries, keys, structure
from dash_stash.bounded import BoundedTable
from dash_stash.clock import Clock, system_clock
from dash_stash.codec import Encoded, PartName, encode
from dash_stash.entries import Facts, Kind, Packed
from dash_stash.errors import BudgetExceeded, StoreUnavailable, StoreUnsafe
from dash_stash.owner import Owner, account_of
from dash_stash.stores.base import Flight, Found, Landed, Limits, Listed
from dash_stash.stores.local import files
from dash_stash.stores.local.cache import CACHED, MAPPED, OPEN_FILES, SMALL, CachedEntry, found_in
from dash_stash.stores.local.eviction import Evictor, owner_key
from dash_stash.stores.local.files import EntryFile, Temporary
from dash_stash.stores.local.handle import TRUSTED, FolderHandle, available
from dash_stash.stores.local.janitor import Janitor
from dash_stash.stores.local.locks import LockFile, lock_as, locked
from dash_stash.stores.local.slots import Slots

_log = logging.getLogger("dash_stash")

# A full disk may have room later, so the app starts all the same.
_FULL = (errno.ENOSPC, errno.EDQUOT)


class LocalFlight(LockFile):
    """A flight on this machine: a locked file.

    Callers that wait for the lock read the outcome from the file.
    """

    path: pathlib.Path
    commits: pathlib.Path
    """The lock that is held while names of flights are removed."""

    @property
    def is_current(self) -> bool:
        """Whether the key was not deleted meanwhile; only the commit lock keeps this from changing.

        In a forked child, a flight is never current.
        """
        return not self.closed and not self.is_unlinked

    def land(self, outcome: bytes | None = None) -> None:
        """End the flight and leave *outcome* for the callers that wait."""
        if self.closed:  # in a forked child: the flight belongs to its parent
            return
        with self:
            if outcome is not None:
                try:
                    os.pwrite(self.descriptor, outcome, 0)
                except OSError:
                    # The disk is full. A hole takes no room: the callers that wait read as many
                    # zeros as the outcome has bytes.
                    os.ftruncate(self.descriptor, len(outcome))
            with contextlib.suppress(OSError), locked(self.commits):
                if self.is_current:
                    self.path.unlink()


class LocalStore:
    """A `Store` in a folder of this machine; see `Store` for the contract."""

    def __init__(
        self,
        folder: pathlib.Path,
        sealing_key: bytes,
        limits: Limits,
        *,
        network: bool = False,
        clock: Clock = system_clock,
    ) -> None:
        """Use *folder* within *limits*; create the folder if it does not exist.

        Raises:
            StoreUnsafe: Others could change what is stored, or the folder is on a network file
                system and not *network*.
        """
        self.folder, self._limits = folder, limits
        self._sealing_key = sealing_key
        self.clock: Clock = clock
        self.handle = FolderHandle(folder, sealing_key, network=network, clock=clock)
        self._cache: BoundedTable[bytes, CachedEntry] = BoundedTable(CACHED)
        self._open_files: BoundedTable[bytes, EntryFile] = BoundedTable(OPEN_FILES)
        self.evictor = Evictor(self.handle, limits)
        self.janitor = Janitor(self.handle, limits, self.evictor, self._open_files)
        try:
            self.handle.create()
        except StoreUnsafe:
            raise
        except OSError as error:
            if error.errno not in _FULL:
                raise StoreUnsafe(str(folder), f"it cannot be made ({error.strerror})") from error

    # Reading

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:  # noqa: ARG002 (a map loads only what is looked at)
        """Read the entry of *key*."""
        cached = self._cache.get(key)
        now = self.clock()
        slots = self.handle.slots
        if cached is not None and cached.since <= now < cached.until and slots is not None:
            values = slots.values
            for slot, value in cached.watched:
                if values[slot] != value:
                    break
            else:
                if cached.found is not None:
                    return cached.found
                # If there is no room for another map, `_open` raises the error.
                with contextlib.suppress(OSError):
                    found = cached.load(self._open_files.get(key))
                    if found is not None:
                        return found
        return self._open(key, cached, now)

    @available
    def _open(self, key: bytes, known: CachedEntry | None, now: float) -> Found | None:
        """Read an entry's file, and check it unless this process has checked it before.

        Return None for a miss.
        """
        slots = self._ready(now)
        # Before the file is opened: a file that is written meanwhile has another version.
        version = slots.version(key)
        file = files.open_entry(self.handle.entry_path(key))
        if file is None:
            self._cache.pop(key, None)
            return None
        checked = self._check(key, known, file)
        if checked is None or _is_gone(checked[0].entry.facts, slots, now):
            return None
        cached, head = checked
        found = _load(cached, head, file)
        is_new = known is None or known.identity != cached.identity
        if is_new and not structure.is_sound(found.encoded):
            self._warn(key)
            return None
        if cached.entry.size >= MAPPED:
            self._open_files[key] = file
            self.janitor.start()  # it closes the file once that is deleted
        cached.trust(version, now)
        self._cache[key] = cached
        if now - slots.last_use(key) >= TRUSTED:
            slots.use(key, now)
        return found

    def _check(
        self, key: bytes, cached: CachedEntry | None, file: EntryFile
    ) -> tuple[CachedEntry, bytes] | None:
        """Return the checked entry of an open file, and its head.

        Return None if the file is not a whole entry of *key* with our seal.
        """
        is_known = cached is not None and cached.identity == file.identity
        if cached is not None and is_known and cached.head is not None:
            return cached, cached.head
        descriptor = file.descriptor
        read = (
            files.read_head(descriptor, key, self._sealing_key)
            if is_known or files.is_whole(descriptor)
            else None
        )
        if read is None:
            self._warn(key)
            return None
        entry, head = read
        body = os.pread(descriptor, entry.size, 0) if entry.size <= SMALL else None
        return CachedEntry.of(entry, file.identity, head, body), head

    def _warn(self, key: bytes) -> None:
        _log.warning(
            "a damaged or foreign entry in %s counts as a miss (key %s)", self.folder, key.hex()[:8]
        )

    def _ready(self, now: float) -> Slots:
        """Check that the folder exists; if it was deleted, forget its remembered entries."""
        before = self.handle.slots
        slots = self.handle.ready(now)
        if slots is not before:
            self._cache.clear()
        return slots

    # Flights

    @available
    def join(self, key: bytes, *, wait: bool = True) -> LocalFlight | Landed | None:
        """Get the right to compute *key*, or wait for the caller that has it."""
        self._ready(self.clock())
        path = self.handle.flight_path(key)
        flight = lock_as(LocalFlight, path, wait=wait)
        if flight is None:
            return None
        try:
            left = os.fstat(flight.descriptor)
            if left.st_nlink:
                if left.st_size:
                    # The holder that wrote this outcome died before it removed the name.
                    os.ftruncate(flight.descriptor, 0)
                flight.path, flight.commits = path, self.handle.commit_lock(key)
                return flight
            outcome = os.pread(flight.descriptor, left.st_size, 0)
        except BaseException:
            flight.close()
            raise
        flight.close()
        return Landed(outcome or None)

    # Writing

    @available
    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        """Store an entry, unless *flight* is no longer current, or the account has ended."""
        packed = entries.pack(key, facts, encoded, self._sealing_key)
        self._refuse_larger_than_all(packed)
        now = self.clock()
        slots = self._ready(now)
        self.janitor.start()
        account = account_of(facts.owner)
        written = files.write_temporary(self.folder / "temporary", packed)
        try:
            stored = self._publish(flight, key, written, packed, slots)
            while stored is None:
                if not self.evictor.make_room_for(packed.entry, now):
                    raise self._over(account, packed)
                stored = self._publish(flight, key, written, packed, slots)
        finally:
            written.discard()
        if stored and account and self.has_ended(account):
            # `end` makes its note before it looks for entries: an entry that came later is removed
            # here.
            self.delete(key)
            return False
        self.evictor.evict(now)
        return stored

    def _refuse_larger_than_all(self, packed: Packed) -> None:
        if packed.entry.size > self._limits.max_bytes:
            raise BudgetExceeded(
                str(self.folder),
                "one value",
                packed.entry.size,
                f"max_bytes={self._limits.max_bytes:,}",
            )

    def _over(self, account: Owner, packed: Packed) -> BudgetExceeded:
        what, budget = (
            f"one {account.partition(':')[0]}",
            f"max_session_bytes={self._limits.max_session_bytes:,}",
        )
        return BudgetExceeded(str(self.folder), what, packed.entry.size, budget)

    def _publish(
        self, flight: Flight | None, key: bytes, written: Temporary, packed: Packed, slots: Slots
    ) -> bool | None:
        """Give a written file its name, if the flight is current.

        Return None if its session or user would have too much.
        """
        now = self.clock()
        index = self.handle.index()
        entry = packed.entry
        with locked(self.handle.commit_lock(key)):
            if isinstance(flight, LocalFlight) and not flight.is_current:
                return False
            # The index first: a row without a file is harmless, a file without a row is never
            # evicted.
            if not index.add_within(entry, self._limits.max_session_bytes, now):
                return None
            written.rename(self.handle.entry_path(key))
            slots.change_version(key)
            # The writer of an entry does not need to check it.
            body = b"".join((packed.head, *packed.body)) if entry.size <= SMALL else None
            cached = CachedEntry.of(entry, written.identity, packed.head, body)
            cached.trust(slots.version(key), now)
            self._cache[key] = cached
        return True

    @available
    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        """Delete the entry of *key*, unless *flight* is no longer current."""
        slots = self._ready(self.clock())
        with locked(self.handle.commit_lock(key)):
            if isinstance(flight, LocalFlight) and not flight.is_current:
                return False
            self.handle.unlink(key, slots)
            # A flight without its name may not commit. A caller that comes now begins another
            # flight and finds nothing stored.
            self.handle.flight_path(key).unlink(missing_ok=True)
            # The disk may be too full to change the index; the janitor does it later.
            with contextlib.suppress(StoreUnavailable, sqlite3.Error):
                self.handle.index().remove([key])
        return True

    # Tags

    @available
    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        """Return the present epoch of each tag."""
        slots = self._ready(self.clock())
        return {tag: slots.epoch(tag) for tag in tags}

    @available
    def forget_tag(self, tag: str) -> None:
        """Make every entry with *tag* a miss, and free its room."""
        now = self.clock()
        slots = self._ready(now)
        slots.change_epoch(tag)
        index = self.handle.index()
        for listed in index.list(None, None, tag):
            with locked(self.handle.commit_lock(listed.key)):
                entry = self.handle.read_head(listed.key)
                if entry is None or _is_gone(entry.facts, slots, now):
                    self.handle.unlink(listed.key, slots)
                    index.remove([listed.key])

    # Owners

    @available
    def end(self, account: Owner) -> None:
        """Note that an account has ended, and delete all its data."""
        now = self.clock()
        # Created at time 0, so that the note is valid even if the clock is set back.
        facts = Facts("ended", account.partition(":")[0], 0.0, gone_at=now + self._limits.ended)
        try:
            self.commit(None, _ended_key(account), facts, encode(None))
        finally:  # on a full disk, too
            for key, _ in self.handle.index().within(account):
                self.delete(key)

    def has_ended(self, account: Owner) -> bool:
        """Return whether `end` was called for *account*."""
        return self.read(_ended_key(account)) is not None

    @available
    def touch(self, owner: Owner) -> None:
        """Note that an owner is in use."""
        now = self.clock()
        self._ready(now).use(owner_key(owner), now)

    @available
    def leave(self, owner: Owner) -> None:
        """Delete the data of an owner soon, unless the owner is touched before that."""
        now = self.clock()
        self._ready(now)
        self.handle.index().leave(owner, now)
        self.janitor.start()

    @available
    def list(
        self, owner: Owner | None = None, kind: Kind | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        """List the stored entries."""
        self._ready(self.clock())
        listed = self.handle.index().list(owner, kind, tag)
        return [entry for entry in listed if os.path.exists(self.handle.entry_path(entry.key))]


def _ended_key(account: Owner) -> bytes:
    return keys.digest(b"ended", account.encode())


def _load(cached: CachedEntry, head: bytes, file: EntryFile) -> Found:
    """Return memory for one reader: a copy of the remembered bytes, or a map of the file."""
    if cached.body is not None:
        return cached.found or found_in(cached.entry, head, bytearray(cached.body))
    if cached.entry.size < MAPPED:
        return found_in(cached.entry, head, files.private_copy(file.descriptor))
    return found_in(cached.entry, head, files.private_map(file.descriptor))


def _is_gone(facts: Facts, slots: Slots, now: float) -> bool:
    """Return whether an entry has expired, or one of its tags was forgotten."""
    return facts.is_gone(now) or any(slots.epoch(tag) != epoch for tag, epoch in facts.tags.items())
