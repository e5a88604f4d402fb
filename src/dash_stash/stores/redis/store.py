"""The store on Redis or Valkey, with a near cache on each machine.

A value crosses the network once per machine; from then on it is mapped from the machine's folder.

On the server lie pointers and chunks (`records`), leases and outcomes (`flights`), epochs of tags,
what sessions and users have (`accounts`), and `listings`. A hit looks at the pointer and the epochs
together, to know whether it is current (`pointers`); the value itself lies in `near_cache`.

While the server is away, a value counts as current for a moment after the last look, and what memo
functions compute is shared on this machine for as long.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import pathlib
import secrets
from collections.abc import Callable, Sequence

from dash_stash import entries
from dash_stash.clock import Clock, system_clock
from dash_stash.codec import Encoded, PartName
from dash_stash.entries import Facts, Kind
from dash_stash.errors import BudgetExceeded, StoreUnavailable
from dash_stash.owner import Owner
from dash_stash.stores.base import GRACE, UNKNOWN_EPOCH, Flight, Found, Landed, Limits, Listed
from dash_stash.stores.local import LocalStore
from dash_stash.stores.redis import address, records, scripts
from dash_stash.stores.redis.accounts import AccountIndex
from dash_stash.stores.redis.client import Word
from dash_stash.stores.redis.flights import LEASE, Flights, RedisFlight
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.listings import Listings
from dash_stash.stores.redis.near_cache import NearCache
from dash_stash.stores.redis.pointers import PointerCache
from dash_stash.stores.redis.server import Server, milliseconds
from dash_stash.stores.redis.writer import Writer

_log = logging.getLogger("dash_stash")

_TRIES = 3
"""How often to fetch a value again if it is replaced meanwhile."""


class RedisStore:
    """A `Store` on a Redis or Valkey server; see `Store` for the contract.

    The limits of bytes and entries hold for one value and for the folder: how much the server holds
    is its own setting (`maxmemory`), and what it evicts its own choice.
    """

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
        """Use the server at *url*, and *folder* on this machine; the server may still be away.

        With the *name* of an app all its keys there begin with it, after the URL's prefix. After
        *lease* seconds a machine that has vanished is replaced. *warn* is told why nothing is
        shared with other machines.

        Raises:
            ConfigError: The URL is not the URL of a server.
            StoreUnsafe: Others could change what is in the folder.
        """
        server = self._server = Server(address.parse(url).of(name))
        self._limits, self._sealing_key, self._warn = limits, sealing_key, warn
        self.clock: Clock = server.time if clock is system_clock else clock
        """The clock of all machines: the server's, or a test's."""
        clock = self.clock
        keyspace = self._keyspace = Keyspace(server.address.prefix)
        local = self._local = LocalStore(folder, sealing_key, _of_machine(limits), clock=clock)
        self._flights = Flights(server, keyspace, local, lease)
        pointers = self._pointers = PointerCache(server, keyspace)
        near = self._near = NearCache(local, server, keyspace, pointers, sealing_key, clock)
        accounts = self._accounts = AccountIndex(server, keyspace, limits, clock)
        listings = self._listings = Listings(server, keyspace, accounts, sealing_key, clock)
        self._writer = Writer(server, keyspace, pointers, near, accounts, listings, limits, clock)

    # Reading

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        """Read the entry of *key*."""
        known = self._pointers.fresh(key)
        found = None if known is None else self._near.read(key, known.pointer, part)
        return self._read(key, part) if found is None else found

    def _read(self, key: bytes, part: PartName | None) -> Found | None:
        before, tried = self._pointers.last_seen(key), None
        try:
            for _ in range(_TRIES):
                known = self._pointers.look(key)
                if before is not None and known is not before:
                    self._near.remove(key, before.pointer)
                if known is None:
                    return self._near.offline(key)
                if known is tried:
                    return None  # it was not replaced: it has expired, or chunks are missing
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
        """Return the newer of two recent values: the one computed here, or the one checked."""
        lately = self._pointers.seen_lately(key)
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
        """Get the right to compute *key*, or wait for the caller that has it."""
        return self._flights.join(key, wait=wait)

    # Writing

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        """Store an entry.

        False, and nothing is stored, if *flight* is not the present one of its key any more, or
        the session that it belongs to has ended.
        """
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
            return self._writer.publish(token, packed, encoded)
        except BudgetExceeded:
            raise
        except StoreUnavailable as error:
            if flight is None or facts.kind != "memo":
                raise
            # Callers that wait on this machine get the value all the same.
            self._warn(error)
            return self._near.keep_offline(key, facts, encoded)

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        """Delete the entry of *key*.

        Return False, and delete nothing, if *flight* is no longer the present flight of its key.
        """
        token = flight.token if isinstance(flight, RedisFlight) else b""
        if token is None:
            raise StoreUnavailable(
                self._server.address.shown, "it could not be reached when this began"
            )
        return self._writer.delete([key], token)

    # Tags

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        """Return the present epoch of each tag."""
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
            # Random, so that an epoch that the server has evicted does not come back. What
            # somebody else has laid there is replaced.
            commands: list[Sequence[Word]] = [
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
        """Make every entry with *tag* a miss, and free its room."""
        self._server.together([("SET", self._keyspace.epoch(tag), secrets.randbits(62))])
        self._pointers.note_change(self._keyspace.epoch(tag))
        self._listings.delete_forgotten(tag)

    # Scopes

    def end(self, account: Owner) -> None:
        """Note that an account has ended, and delete all its data."""
        self._accounts.end(account)
        self._writer.drop(account)
        with contextlib.suppress(StoreUnavailable):
            self._local.end(account)

    def has_ended(self, account: Owner) -> bool:
        """Return whether `end` was called for *account*."""
        return self._accounts.has_ended(account)

    def touch(self, owner: Owner) -> None:
        """Note that an owner is in use."""
        if not math.isinf(self._accounts.life(owner)):
            self._prolong(owner, self._accounts.touch(owner), math.inf)

    def leave(self, owner: Owner) -> None:
        """Delete the data of an owner soon, unless the owner is touched before that."""
        if not math.isinf(self._accounts.life(owner)):
            self._prolong(owner, self._accounts.leave(owner), GRACE)

    def _prolong(self, owner: Owner, some: Sequence[bytes], at_most: float) -> None:
        """Set the expiry of an owner's entries anew, from now on."""
        self._server.together(
            [
                (
                    scripts.EXPIRE,
                    3,
                    *self._keyspace.of_entry(key),
                    pointer.id,
                    milliseconds(min(self._writer.life(pointer), at_most)),
                )
                for key, pointer in self._listings.pointers(some)
                if pointer is not None and pointer.owner == owner
            ]
        )

    # Listing

    def list(
        self, owner: Owner | None = None, kind: Kind | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        """List the stored entries."""
        return self._listings.list(owner, kind, tag)


def _of_machine(limits: Limits) -> Limits:
    """Return the limits of the folder: of what sessions may have on the server, what fits."""
    return dataclasses.replace(
        limits, max_sessions=limits.max_entries, max_session_bytes=limits.max_bytes
    )
