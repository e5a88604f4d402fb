"""Storing and deleting entries: chunks first, then in one step the pointer, if the fence allows it.

What goes with an entry goes along: its notes in listings, the room in its session's budget, and the
copy on this machine.
"""

from __future__ import annotations

import contextlib
import math
import secrets
from collections.abc import Sequence

from dash_stash.clock import Clock
from dash_stash.codec import Encoded
from dash_stash.entries import Packed, class_of
from dash_stash.errors import BudgetExceeded, StoreUnavailable
from dash_stash.owner import Owner, account_of
from dash_stash.stores.base import UNKNOWN_EPOCH, Limits
from dash_stash.stores.redis import records, scripts
from dash_stash.stores.redis.accounts import AccountEntry, AccountIndex
from dash_stash.stores.redis.client import Word, as_bytes
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.listings import Listings
from dash_stash.stores.redis.near_cache import NearCache
from dash_stash.stores.redis.pointers import PointerCache
from dash_stash.stores.redis.records import ChunkedEntry, Pointer
from dash_stash.stores.redis.server import PATIENT, Server, milliseconds

_UPLOAD = 600.0
"""Seconds after which chunks expire if no pointer names them: their writer has died."""

_AT_ONCE = 64
"""How many commands, each with one chunk, are sent at once."""


class Writer:
    """Stores and deletes the entries of one store."""

    def __init__(
        self,
        server: Server,
        keyspace: Keyspace,
        pointers: PointerCache,
        near: NearCache,
        accounts: AccountIndex,
        listings: Listings,
        limits: Limits,
        clock: Clock,
    ) -> None:
        """Take the server, what this process and machine know of it, and how much it may hold."""
        self._server, self._keyspace, self._pointers = server, keyspace, pointers
        self._near, self._accounts, self._listings = near, accounts, listings
        self._limits, self._clock = limits, clock

    # Storing

    def publish(self, token: bytes | None, packed: Packed, encoded: Encoded) -> bool:
        """Store an entry; return False if the flight with this token has lost the lease.

        b"" needs no flight; None is the token of a flight that began without the server.

        Raises:
            BudgetExceeded: The entry does not fit.
            StoreUnavailable: The server is away, or has no room.
        """
        if token is None or UNKNOWN_EPOCH in packed.entry.facts.tags.values():
            raise StoreUnavailable(
                self._server.address.shown, "it could not be reached when this began"
            )
        entry, chunked = packed.entry, None
        if entry.size > records.INLINE:
            chunked = records.cut(packed, encoded)
        pointer = self._pointer(packed, chunked)
        account = account_of(pointer.owner)
        if account:
            class_ = class_of(entry.facts.kind)
            self._reserve(AccountEntry(entry.key, entry.size, class_, self._clock(), pointer.owner))
        commands = list(self._listings.notes(entry.key, pointer))
        if chunked is not None:
            commands += self._uploads(entry.key, pointer, chunked)
        if not self._send(token, entry.key, pointer, commands):
            return False
        if chunked is not None:
            self._near.keep(entry.key, pointer, entry.facts, encoded)
        if account and self._accounts.has_ended(account):
            # Ending a session first notes the end, and then looks for entries. An entry that came
            # too late to be found is removed here.
            self.delete([entry.key])
            return False
        return True

    def _pointer(self, packed: Packed, chunked: ChunkedEntry | None) -> Pointer:
        facts, size = packed.entry.facts, packed.entry.size
        count = 0 if chunked is None else len(chunked.all)
        if count > records.MOST_CHUNKS:
            most = f"what one value may have on a server, {records.MOST_CHUNKS * records.CHUNK:,}"
            raise BudgetExceeded(self._server.address.shown, "one value", size, most)
        return Pointer(
            secrets.token_bytes(records.ID_SIZE),
            size,
            facts.owner,
            facts.gone_at,
            facts.tags,
            is_state=facts.kind == "state",
            head_chunks=0 if chunked is None else chunked.head_count,
            chunks=count,
            inline=b"".join((packed.head, *packed.body)) if chunked is None else b"",
        )

    def _uploads(self, key: bytes, pointer: Pointer, chunked: ChunkedEntry) -> list[Sequence[Word]]:
        """Return the commands that write an entry's chunks; unless published, chunks expire."""
        life = milliseconds(_UPLOAD)
        chunks: list[tuple[str, Word]] = [
            (self._keyspace.manifest(key, pointer.id), chunked.manifest())
        ]
        chunks += [
            (self._keyspace.chunk(key, pointer.id, number), chunk)
            for number, chunk in enumerate(chunked.all)
        ]
        return [("SET", name, chunk, "PX", life) for name, chunk in chunks]

    def _send(
        self, token: bytes, key: bytes, pointer: Pointer, commands: Sequence[Sequence[Word]]
    ) -> bool:
        """Write the chunks of an entry, then its pointer.

        Return False if the flight has lost the lease.
        """
        life = self.life(pointer)
        expiry = "" if math.isinf(life) else milliseconds(life)
        answer: object = scripts.EVICTED
        try:
            for first in range(0, len(commands), _AT_ONCE):
                self._server.together(commands[first : first + _AT_ONCE])
            arguments = token, pointer.pack(), expiry
            answer = self._server.run(
                scripts.PUBLISH, self._keyspace.of_entry(key), *arguments, timeout=PATIENT
            )
        finally:
            self._pointers.note_change(self._keyspace.pointer(key))
            if answer != scripts.STORED:
                self._take_back(key, pointer)
        if answer == scripts.EVICTED:
            raise StoreUnavailable(
                self._server.address.shown,
                "it evicts what is being stored (maxmemory is too small)",
            )
        return answer == scripts.STORED

    def _take_back(self, key: bytes, pointer: Pointer) -> None:
        """Remove chunks that no pointer names; if that fails too, they expire."""
        if self._server.outage is not None or not pointer.chunks:
            return
        numbers = range(pointer.chunks)
        names = [self._keyspace.chunk(key, pointer.id, number) for number in numbers]
        with contextlib.suppress(StoreUnavailable):
            # Perhaps the pointer was written, and only the answer got lost.
            (packed,) = self._server.values([self._keyspace.pointer(key)])
            if packed is None or packed[: records.ID_SIZE] != pointer.id:
                manifest = self._keyspace.manifest(key, pointer.id)
                self._server.together([("UNLINK", name) for name in (manifest, *names)])

    def life(self, pointer: Pointer) -> float:
        """Return for how many seconds from now on an entry must be stored."""
        return min(pointer.gone_at - self._clock(), self._accounts.life(pointer.owner))

    # Making room

    def _reserve(self, entry: AccountEntry) -> None:
        """Make room for an entry in its session's or user's budget, and for its session."""
        while (answer := self._accounts.reserve(entry)) <= scripts.TOO_MUCH:
            if answer == scripts.TOO_MUCH:
                has_room = self._listings.release_gone(entry.account)
            else:
                has_room = self._make_room(entry, -answer)
            if not has_room:
                what = f"one {entry.account.partition(':')[0]}"
                budget = f"max_session_bytes={self._limits.max_session_bytes:,}"
                raise BudgetExceeded(self._server.address.shown, what, entry.size, budget)
        if answer == scripts.FIRST:
            for other in self._accounts.too_many():
                if other != entry.account:
                    self.drop(other)

    def _make_room(self, entry: AccountEntry, missing: int) -> bool:
        """Delete the cheapest entries of a session or user, until *missing* bytes are free.

        Return False if there is nothing to delete.
        """
        chosen = []
        for key, size in self._accounts.cheapest_first(entry):
            if missing <= 0:
                break
            chosen.append(key)
            missing -= size
        if chosen:
            self.delete(chosen)
            self._accounts.release(entry.account, chosen)  # those that were gone, too
        return bool(chosen) or self._listings.release_gone(entry.account)

    # Deleting

    def delete(self, some: Sequence[bytes], token: bytes = b"") -> bool:
        """Delete entries; return False if the flight with this token has lost the lease."""
        for key in some:
            self._near.remove_offline(key)
        commands = [(scripts.DELETE, 3, *self._keyspace.of_entry(key), b"", token) for key in some]
        packed: list[bytes] = []
        for first in range(0, len(commands), _AT_ONCE):
            for answer in self._server.together(commands[first : first + _AT_ONCE]):
                if answer == scripts.REFUSED:
                    return False
                packed.append(as_bytes(answer) or b"")
        self._pointers.note_change(*map(self._keyspace.pointer, some))
        pointers = zip(some, map(Pointer.parse, packed), strict=True)
        deleted = [(key, pointer) for key, pointer in pointers if pointer is not None]
        for key, pointer in deleted:
            self._near.remove(key, pointer)
        self._listings.strike(deleted)
        return True

    def drop(self, account: Owner) -> None:
        """Delete all entries of a session or user."""
        self.delete(self._accounts.keys(account))
        self._accounts.forget(account)
