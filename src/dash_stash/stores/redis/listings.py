"""What there is on the server: for people, for `forget`, and for going through variables.

No read needs it. For each tag, and for the app's variables, a sorted set has the keys, each with
the time until which it is stored. What the server has evicted stands there for a while longer.
"""

from __future__ import annotations

import collections
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dash_stash.clock import Clock
from dash_stash.entries import Entry, Kind
from dash_stash.owner import Owner, account_of
from dash_stash.stores.base import Listed
from dash_stash.stores.redis import records, scripts
from dash_stash.stores.redis.accounts import AccountIndex
from dash_stash.stores.redis.client import Word, as_list
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.records import Pointer
from dash_stash.stores.redis.server import PATIENT, Server

_MANY = 1000

_SAMPLE = 32
"""One of this many notes looks whether twice as many other entries are still there."""


class Listings:
    """The listings of one store."""

    def __init__(
        self,
        server: Server,
        keyspace: Keyspace,
        accounts: AccountIndex,
        sealing_key: bytes,
        clock: Clock,
    ) -> None:
        """Take the server, and the index of what sessions and users have."""
        self._server, self._keyspace, self._accounts = server, keyspace, accounts
        self._sealing_key, self._clock = sealing_key, clock

    def notes(self, key: bytes, pointer: Pointer) -> Iterator[Sequence[Word]]:
        """Yield the commands that note an entry which is about to be stored."""
        if pointer.owner and not secrets.randbelow(_SAMPLE):
            self.release_gone(account_of(pointer.owner))
        for name in self._sets(pointer):
            yield "ZREMRANGEBYSCORE", name, "-inf", f"({self._clock()}"
            yield "ZADD", name, pointer.gone_at, key
            if not secrets.randbelow(_SAMPLE):
                self._look_after(name)

    def _sets(self, pointer: Pointer) -> list[str]:
        return [
            *map(self._keyspace.tagged, pointer.tags),
            *([self._keyspace.variables] if pointer.is_state and not pointer.owner else []),
        ]

    def _look_after(self, name: str) -> None:
        (some,) = self._server.together([("ZRANDMEMBER", name, 2 * _SAMPLE)])
        gone = [key for key, pointer in self.pointers(as_list(some)) if pointer is None]
        if gone:
            self._server.together([("ZREM", name, *gone)])

    def release_gone(self, account: Owner) -> bool:
        """Remove expired entries from the notes of a session or user, so that they take no room.

        Returns:
            Whether any was found, among some entries.
        """
        pointers = self.pointers(self._accounts.some(account))
        gone = [key for key, pointer in pointers if pointer is None]
        if gone:
            self._accounts.release(account, gone)
        return bool(gone)

    def strike(self, deleted: Iterable[tuple[bytes, Pointer]]) -> None:
        """Note that entries are gone."""
        commands: list[Sequence[Word]] = []
        of_accounts = collections.defaultdict[Owner, list[bytes]](list)
        for key, pointer in deleted:
            if pointer.owner:
                of_accounts[account_of(pointer.owner)].append(key)
            commands += [("ZREM", name, key) for name in self._sets(pointer)]
        for account, keys in of_accounts.items():
            self._accounts.release(account, keys)
        self._server.together(commands)

    def pointers(self, some: Sequence[bytes]) -> list[tuple[bytes, Pointer | None]]:
        """Return keys with what their pointers say."""
        packed = self._values([self._keyspace.pointer(key) for key in some])
        return [
            (key, None if text is None else Pointer.parse(text))
            for key, text in zip(some, packed, strict=True)
        ]

    def _values(self, names: Sequence[str]) -> list[bytes | None]:
        return self._server.values(names, PATIENT) if names else []

    def delete_forgotten(self, tag: str) -> None:
        """Delete the entries that got a tag before it was forgotten."""
        for some in _batches(self._members(self._keyspace.tagged(tag))):
            (present,) = self._server.values([self._keyspace.epoch(tag)])
            old = [
                (key, pointer)
                for key, pointer in self.pointers(some)
                if pointer is not None and str(pointer.tags.get(tag)).encode() != present
            ]
            # By its id, because it may have been replaced meanwhile.
            self._server.together(
                [
                    (scripts.DELETE, 3, *self._keyspace.of_entry(key), pointer.id, b"")
                    for key, pointer in old
                ]
            )
            self.strike(old)

    def _members(self, name: str) -> list[bytes]:
        (members,) = self._server.together([("ZRANGE", name, 0, -1)])
        return as_list(members)

    def list(self, owner: Owner | None, kind: Kind | None, tag: str | None) -> list[Listed]:
        """Return the entries that have the given owner, kind and tag, by name."""
        conditions = {"owner": owner, "kind": kind}
        listed = []
        for some in _batches(self._candidates(owner, kind, tag)):
            for entry in self._entries(some):
                facts = entry.facts
                is_asked = all(
                    wanted in (None, getattr(facts, name)) for name, wanted in conditions.items()
                )
                if is_asked and (tag is None or tag in facts.tags):
                    listed.append(
                        Listed(entry.key, facts.kind, facts.name, facts.owner, entry.size)
                    )
        return sorted(listed, key=lambda one: (one.name, one.key))

    def _candidates(
        self, owner: Owner | None, kind: Kind | None, tag: str | None
    ) -> Iterable[bytes]:
        """Return the keys of all that may be asked for: of all there is, if nobody knows better."""
        if tag is not None or (kind == "state" and owner == ""):
            name = self._keyspace.variables if tag is None else self._keyspace.tagged(tag)
            return self._members(name)
        if owner:
            return self._accounts.keys_of(owner)
        return {
            key
            for name in self._server.names(self._keyspace.pointers)
            if (key := self._keyspace.key(name)) is not None
        }

    def _entries(self, some: Sequence[bytes]) -> Iterator[Entry]:
        """Yield the entries of some keys that are there, ours, and not expired."""
        pointers = {key: pointer for key, pointer in self.pointers(some) if pointer is not None}
        heads = self._heads(pointers)
        for key, pointer in pointers.items():
            if pointer.inline:
                parsed = records.parse_inline(key, pointer.inline, self._sealing_key)
            else:
                parsed = records.parse_head(
                    key, heads.get(key, b""), pointer.size, self._sealing_key
                )
            if parsed is not None and parsed[0].facts.gone_at > self._clock():
                yield parsed[0]

    def _heads(self, pointers: Mapping[bytes, Pointer]) -> dict[bytes, bytes]:
        """Return the heads of the entries that lie in chunks, by key."""
        in_chunks = [(key, pointer) for key, pointer in pointers.items() if not pointer.inline]
        manifests = self._values(
            [self._keyspace.manifest(key, pointer.id) for key, pointer in in_chunks]
        )
        chunks = [
            (key, self._keyspace.chunk(key, pointer.id, number))
            for (key, pointer), manifest in zip(in_chunks, manifests, strict=True)
            # A pointer may say that there are more chunks than there are.
            if records.is_manifest(manifest, pointer)
            for number in range(pointer.head_chunks)
        ]
        heads: dict[bytes, bytes] = {}
        for (key, _), chunk in zip(chunks, self._values([name for _, name in chunks]), strict=True):
            heads[key] = heads.get(key, b"") + (chunk or b"")
        return heads


def _batches(all_keys: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    rest = list(all_keys)
    for first in range(0, len(rest), _MANY):
        yield rest[first : first + _MANY]
