"""The store on Redis or Valkey: values cross the network once per machine, and are mapped from its folder from then on.

On the server lie pointers and chunks (`records`), leases and outcomes (`flights`), epochs of tags, what sessions have (`holders`), and
`listings`. Whether a hit is current is one look at the pointer and the epochs, together (`pointers`); what it leads to lies in a
folder of this machine (`near`).

While the server is away, a value counts as current for a moment after the last look, and what memo functions compute is shared on
this machine for as long.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import pathlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from dash_stash import entries
from dash_stash.clock import Clock, system_clock
from dash_stash.codec import Encoded, PartName
from dash_stash.entries import Facts, Packed
from dash_stash.errors import BudgetExceeded, StoreUnavailable
from dash_stash.stores.base import (
    UNKNOWN_EPOCH,
    Flight,
    Found,
    Landed,
    Limits,
    Listed,
    class_of,
    holder_of,
)
from dash_stash.stores.local import LocalStore
from dash_stash.stores.redis import address, records, scripts
from dash_stash.stores.redis.accounts import GRACE, AccountEntry, AccountIndex
from dash_stash.stores.redis.flights import LEASE, Flights, RedisFlight
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.listings import Listings
from dash_stash.stores.redis.near_cache import NearCache
from dash_stash.stores.redis.pointers import PointerCache
from dash_stash.stores.redis.records import Pointer
from dash_stash.stores.redis.server import PATIENT, Server, milliseconds

_log = logging.getLogger("dash_stash")

_UPLOAD = 600.0
"""Seconds after which chunks go away that no pointer names: their writer has died."""

_AT_ONCE = 64
"""So many chunks are sent at once."""

_TRIES = 3
"""How often the chunks of a value are fetched that is replaced meanwhile."""


class RedisStore:
    """A `Store` on a Redis or Valkey server (the contract stands there)."""

    def __init__(
        self,
        url: str,
        folder: pathlib.Path,
        sealing_key: bytes,
        limits: Limits,
        *,
        name: str = "",
        lease: float = LEASE,
        clock: Clock = system_clock,
        warn: Callable[[StoreUnavailable], object] = _log.warning,
    ) -> None:
        """Use the server at *url* and, on this machine, *folder*; the server need not be there yet.

        With the *name* of an app all its keys there begin with it, after the URL's prefix.

        Of *limits*, those of bytes and entries hold for one value and for the folder: how much the
        server holds is its own setting (`maxmemory`), and what it evicts its own choice. *lease* is
        after how many seconds a machine that has vanished is replaced. *warn* is told why nothing
        is shared with other machines.

        Raises:
            ConfigError: The URL names no server.
            StoreUnsafe: Others could change what is in the folder.
        """
        self._server = Server(address.parse(url).of(name))
        self._limits, self._sealing_key, self._warn = limits, sealing_key, warn
        self.clock: Clock = self._server.time if clock is system_clock else clock
        """The clock of all machines: the server's, unless a test gave another."""
        # What sessions may have, the server decides; of what is there, this machine keeps what it
        # can.
        wide = dataclasses.replace(
            limits, max_sessions=limits.max_entries, max_session_bytes=limits.max_bytes
        )
        self._local = LocalStore(folder, sealing_key, wide, clock=self.clock)
        self._keyspace = Keyspace(self._server.address.prefix)
        self._pointers = PointerCache(self._server, self._keyspace)
        self._near = NearCache(
            self._local, self._server, self._keyspace, self._pointers, sealing_key, self.clock
        )
        self._flights = Flights(self._server, self._keyspace, self._local, lease)
        self._accounts = AccountIndex(self._server, self._keyspace, limits, self.clock)
        self._listings = Listings(
            self._server, self._keyspace, self._accounts, sealing_key, self.clock
        )

    # Reading

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        """Read the entry of *key*."""
        known = self._pointers.fresh(key)
        found = None if known is None else self._near.read(key, known.pointer, part)
        return self._read(key, part) if found is None else found

    def _read(self, key: bytes, part: PartName | None) -> Found | None:
        before, tried = self._pointers.seen(key), None
        try:
            for _ in range(_TRIES):
                known = self._pointers.look(key)
                if before is not None and known is not before:
                    self._near.let_go(key, before.pointer)
                if known is None:
                    return self._near.offline(key)
                if known is tried:
                    return None  # not replaced meanwhile, but over, damaged, or half of it evicted
                found = self._near.read(key, known.pointer, part) or self._near.fetch(
                    key, known.pointer, part
                )
                if found is not None:
                    return found
                before = tried = known
        except StoreUnavailable:
            found = self._without_server(key, part)
            if found is None:
                raise
            return found
        return None

    def _without_server(self, key: bytes, part: PartName | None) -> Found | None:
        """Return what this machine has of a key: what was computed here lately, or looked at lately, whichever is newer."""
        lately = self._pointers.last_seen_within_bound(key)
        copies = (
            self._near.offline(key),
            None if lately is None else self._near.read(key, lately.pointer, part),
        )
        return max(
            (found for found in copies if found is not None),
            key=lambda found: found.entry.facts.created,
            default=None,
        )

    # Flights

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        """Become the one that computes *key*, or wait for the one that does."""
        return self._flights.join(key, wait=wait)

    # Writing

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        """Store an entry, unless *flight* is not the present one of its key any more, or what it belongs to has ended."""
        packed = entries.pack(key, facts, encoded, self._sealing_key)
        if packed.entry.size > self._limits.max_bytes:
            raise BudgetExceeded(
                self._server.address.shown,
                "one value",
                packed.entry.size,
                f"max_bytes={self._limits.max_bytes:,}",
            )
        token = flight.token if isinstance(flight, RedisFlight) else b""
        try:
            return self._publish(token, packed, encoded)
        except BudgetExceeded:
            raise
        except StoreUnavailable as error:
            if flight is None or facts.kind != "memo":
                raise
            # Those who wait on this machine get it all the same.
            self._warn(error)
            return self._near.keep_offline(key, facts, encoded)

    def _publish(self, token: bytes | None, packed: Packed, encoded: Encoded) -> bool:
        """Store an entry, if the flight with this token is the present one; b"" needs none."""
        if token is None or UNKNOWN_EPOCH in packed.entry.facts.tags.values():
            raise StoreUnavailable(
                self._server.address.shown, "it could not be reached when this began"
            )
        entry = packed.entry
        key, facts, holder = entry.key, entry.facts, holder_of(entry.facts.scope)
        chunks = None if entry.size <= records.INLINE else records.cut(packed, encoded)
        pointer = Pointer(
            secrets.token_bytes(records.ID_SIZE),
            entry.size,
            facts.scope,
            facts.gone_at,
            facts.tags,
            is_state=facts.kind == "state",
            head_chunks=0 if chunks is None else chunks.head_count,
            chunks=0 if chunks is None else len(chunks.all),
            inline=b"".join((packed.head, *packed.body)) if chunks is None else b"",
        )
        if pointer.chunks > records.MOST_CHUNKS:
            most = f"what one value may have on a server, {records.MOST_CHUNKS * records.CHUNK:,}"
            raise BudgetExceeded(self._server.address.shown, "one value", entry.size, most)
        if holder:
            self._reserve(
                AccountEntry(key, entry.size, class_of(facts.kind), self.clock(), facts.scope)
            )
        commands = list(self._listings.notes(key, pointer))
        if chunks is not None:
            names = [
                self._keyspace.chunk(key, pointer.id, number) for number in range(len(chunks.all))
            ]
            commands.append(
                (
                    "SET",
                    self._keyspace.manifest(key, pointer.id),
                    chunks.manifest(),
                    "PX",
                    milliseconds(_UPLOAD),
                )
            )
            commands += [
                ("SET", name, chunk, "PX", milliseconds(_UPLOAD))
                for name, chunk in zip(names, chunks.all, strict=True)
            ]
        if not self._send(token, key, pointer, commands):
            return False
        if chunks is not None:
            self._near.keep(key, pointer, facts, encoded)
        if holder and self.has_ended(holder):
            # `end` is told before it looks for what there is: what came too late for it is removed
            # here.
            self.delete(key)
            return False
        return True

    def _send(
        self, token: bytes, key: bytes, pointer: Pointer, commands: Sequence[Sequence[Any]]
    ) -> bool:
        """Write the chunks of an entry, then its pointer.

        False if the flight is not the present one.
        """
        life = self._life(pointer)
        expiry = "" if math.isinf(life) else milliseconds(life)
        answer = scripts.EVICTED
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
        return bool(answer == scripts.STORED)

    def _take_back(self, key: bytes, pointer: Pointer) -> None:
        """Remove chunks that no pointer names; if that fails too, they go by themselves."""
        if self._server.outage is not None:
            return  # nobody waits for that
        names = [self._keyspace.chunk(key, pointer.id, number) for number in range(pointer.chunks)]
        with contextlib.suppress(StoreUnavailable):
            # Not known: perhaps the pointer was written, and only the answer got lost.
            (packed,) = self._server.values([self._keyspace.pointer(key)])
            if names and (packed is None or packed[: records.ID_SIZE] != pointer.id):
                self._server.together(
                    [
                        ("UNLINK", name)
                        for name in (self._keyspace.manifest(key, pointer.id), *names)
                    ]
                )

    def _life(self, pointer: Pointer) -> float:
        """How many seconds an entry is to be stored from now on."""
        return min(pointer.gone_at - self.clock(), self._accounts.life(pointer.scope))

    def _reserve(self, entry: AccountEntry) -> None:
        """Make room for an entry in the budget of its session or user, and for the session among the others."""
        holder = holder_of(entry.scope)
        while (answer := self._accounts.reserve(entry)) <= scripts.TOO_MUCH:
            if not (
                self._make_room(entry, -answer) if answer else self._listings.release_gone(holder)
            ):
                what, budget = (
                    f"one {holder.partition(':')[0]}",
                    f"max_session_bytes={self._limits.max_session_bytes:,}",
                )
                raise BudgetExceeded(self._server.address.shown, what, entry.size, budget)
        if answer == scripts.FIRST:
            for other in self._accounts.too_many():
                if other != holder:
                    self._drop(other)

    def _make_room(self, entry: AccountEntry, missing: int) -> bool:
        """Delete some of the cheapest that a session or user has, up to so many bytes.

        False if there is nothing.
        """
        chosen = []
        for key, size in self._accounts.cheapest_first(entry):
            if missing <= 0:
                break
            chosen.append(key)
            missing -= size
        if chosen:
            self._delete(chosen)
            self._accounts.release(holder_of(entry.scope), chosen)  # those that were gone, too
        return bool(chosen) or self._listings.release_gone(holder_of(entry.scope))

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        """Delete the entry of *key*, for good, unless *flight* is not the present one of its key any more."""
        token = flight.token if isinstance(flight, RedisFlight) else b""
        if token is None:
            raise StoreUnavailable(
                self._server.address.shown, "it could not be reached when this began"
            )
        return self._delete([key], token)

    def _delete(self, some: Sequence[bytes], token: bytes = b"") -> bool:
        """Delete entries.

        False if the flight with this token is not the present one of its key any more.
        """
        for key in some:
            self._near.remove_offline(key)
        commands = [
            ("EVAL", scripts.DELETE, 3, *self._keyspace.of_entry(key), b"", token) for key in some
        ]
        answers: list[Any] = []
        for first in range(0, len(commands), _AT_ONCE):
            answers += self._server.together(commands[first : first + _AT_ONCE])
        self._pointers.note_change(*map(self._keyspace.pointer, some))
        if scripts.REFUSED in answers:
            return False
        pointers = [
            (key, None if packed is None else Pointer.parse(packed))
            for key, packed in zip(some, answers, strict=True)
        ]
        deleted = [(key, pointer) for key, pointer in pointers if pointer is not None]
        for key, pointer in deleted:
            self._near.let_go(key, pointer)
        self._listings.strike(deleted)
        return True

    # Tags

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        """The present epoch of each tag."""
        try:
            return self._epochs(tags)
        except StoreUnavailable as error:
            self._warn(error)
            return dict.fromkeys(tags, UNKNOWN_EPOCH)

    def _epochs(self, tags: Sequence[str]) -> dict[str, int]:
        names = [self._keyspace.epoch(tag) for tag in tags]
        values = self._server.values(names) if names else []
        missing = [
            (name, value)
            for name, value in zip(names, values, strict=True)
            if not records.is_epoch(value)
        ]
        if missing:
            # Random instead of the first: should the server have evicted one, it does not come
            # back. What somebody else has laid there is replaced.
            commands = [
                ("SET", name, secrets.randbits(62), *(("NX",) if value is None else ()))
                for name, value in missing
            ]
            self._server.together(commands)
            values = self._server.values(names)
        return {
            tag: int(value) if records.is_epoch(value) else 0
            for tag, value in zip(tags, values, strict=True)
        }

    def forget_tag(self, tag: str) -> None:
        """Make every entry with *tag* a miss for good, and give back its room."""
        self._server.together([("SET", self._keyspace.epoch(tag), secrets.randbits(62))])
        self._pointers.note_change(self._keyspace.epoch(tag))
        self._listings.delete_forgotten(tag)

    # Scopes

    def end(self, holder: str) -> None:
        """Delete all that belongs to a session or user, for good."""
        self._accounts.end(holder)
        self._drop(holder)
        with contextlib.suppress(StoreUnavailable):
            self._local.end(holder)

    def _drop(self, holder: str) -> None:
        """Delete all that a session has."""
        self._delete(self._accounts.keys(holder))
        self._accounts.forget(holder)

    def has_ended(self, holder: str) -> bool:
        """Whether `end` was called for *holder*."""
        return self._accounts.has_ended(holder)

    def touch(self, scope: str) -> None:
        """Note that a scope is in use."""
        if not math.isinf(self._accounts.life(scope)):
            self._prolong(scope, self._accounts.touch(scope), math.inf)

    def leave(self, scope: str) -> None:
        """Delete the data of a scope soon, unless it is touched before."""
        if not math.isinf(self._accounts.life(scope)):
            self._prolong(scope, self._accounts.leave(scope), GRACE)

    def _prolong(self, scope: str, some: Sequence[bytes], at_most: float) -> None:
        """Let entries of a scope live as long as they are to from now on."""
        commands: list[Sequence[Any]] = [
            (
                "EVAL",
                scripts.EXPIRE,
                3,
                *self._keyspace.of_entry(key),
                pointer.id,
                milliseconds(min(self._life(pointer), at_most)),
            )
            for key, pointer in self._listings.pointers(some)
            if pointer is not None and pointer.scope == scope
        ]
        if commands:
            self._server.together(commands)

    # Listing

    def list(
        self, scope: str | None = None, kind: str | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        """List what is stored."""
        return self._listings.list(scope, kind, tag)
