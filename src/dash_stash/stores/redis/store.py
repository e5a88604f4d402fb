"""The store on Redis or Valkey: values cross the network once per machine, and are mapped from its folder from then on.

On the server lie pointers and pieces (see `records`), leases and outcomes (see `flights`), epochs of tags, and what sessions have (see
`holders`). The folder, a local store, has each value under a key of its own, made of the value's key and the pointer's id: what is
there never becomes stale, only unused. So whether a hit is current is one look at the pointer and the epochs, together.

While the server is away, a value counts as current for `BOUND` seconds since the last look, and what memo functions compute is shared
on this machine for as long.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import pathlib
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dash_stash import keys, layout
from dash_stash.clock import SKEW, Clock, system_clock
from dash_stash.codec import Encoded, PartName
from dash_stash.errors import BudgetExceeded, StoreUnavailable
from dash_stash.layout import Entry, Facts, Packed
from dash_stash.stores.base import Flight, Found, Landed, Limits, Listed, holder_of
from dash_stash.stores.local import LocalStore
from dash_stash.stores.redis import address, records, scripts
from dash_stash.stores.redis.flights import LEASE, Flights, RedisFlight
from dash_stash.stores.redis.holders import GRACE, Belonging, Holders
from dash_stash.stores.redis.names import Names
from dash_stash.stores.redis.push import Listener, Mark
from dash_stash.stores.redis.records import Pointer
from dash_stash.stores.redis.server import PATIENT, Server

_log = logging.getLogger("dash_stash")

BOUND = 2.0
"""Seconds for which a value that was looked at may be served without another look."""

_PUSHED_FOR = 1.0
"""Seconds for which a value is served without another look while changes are pushed: a message may have got lost."""

_UPLOAD = 600.0
"""Seconds after which pieces go away that no pointer names: their writer has died."""

_KNOWN = 4096
_AT_ONCE = 64
"""So many pieces are sent or fetched at once."""

_MANY = 1000

_TRIES = 3
"""How often the pieces of a value are fetched that is replaced meanwhile."""

_SAMPLE = 32
"""Of each so many entries that are stored with a tag, one looks after as many others: are they still there?"""


@dataclass(slots=True)
class Known:
    """What this process remembers of a key's pointer."""

    packed: bytes
    pointer: Pointer
    names: tuple[str, ...]
    """Of the pointer and the epochs of its tags: what there is to be looked at."""

    epochs: list[bytes | None]
    """What must stand in those of its tags."""

    looked_at: float = 0.0
    """When it was current, on the monotonic clock."""

    mark: Mark | None = None
    """What the listener is asked whether it is current still; None if it has to be looked at each time."""

    found: Found | None = None
    """What every reader may be given, if nothing in it can be written to."""


class RedisStore:
    """A `Store` on a Redis or Valkey server (the contract stands there)."""

    def __init__(
        self,
        url: str,
        folder: pathlib.Path,
        sealing_key: bytes,
        limits: Limits,
        *,
        lease: float = LEASE,
        clock: Clock = system_clock,
    ) -> None:
        """Use the server at *url* and, on this machine, *folder*; the server need not be there yet.

        Of *limits*, those of bytes and entries hold for one value and for the folder: how much the server holds is its own setting
        (`maxmemory`). *lease* is after how many seconds a machine that has vanished is replaced.

        Raises:
            ConfigError: The URL names no server.
            StoreUnsafe: Others could change what is in the folder.
        """
        self.address = address.parse(url)
        self._limits, self._sealing_key, self._clock = limits, sealing_key, clock
        # On one machine nobody has more or less than another: what is there belongs to the server's sessions, which count.
        wide = dataclasses.replace(limits, max_sessions=limits.max_entries, max_session_bytes=limits.max_bytes)
        self.near = LocalStore(folder, sealing_key, wide, clock=clock)
        self.server, self.names = Server(self.address), Names(self.address.prefix)
        self._flights = Flights(self.server, self.names, self.near, lease)
        self._holders = Holders(self.server, self.names, limits, clock)
        self._listener = Listener(self.server, self.names.pushed) if self.address.push else None
        self._known: dict[bytes, Known] = {}

    # Reading

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        """Read the entry of *key*."""
        try:
            known = self._look(key)
        except StoreUnavailable:
            known = self._known.get(key)
            if known is not None and not known.pointer.is_state and time.monotonic() - known.looked_at < BOUND:
                found = self._nearby(key, known, part)
            else:
                found = self._from_island(key)
            if found is None:
                raise
            return found
        for _ in range(_TRIES):
            if known is None:
                return self._from_island(key)
            if known.pointer.gone_at <= self._clock():
                return None
            found = known.found or self._inline(key, known) or self._nearby(key, known, part) or self._fetch(key, known, part)
            if found is not None:
                return found
            before, known = known, self._look(key)
            if known is before:
                break  # not replaced, but damaged, or half of it evicted
        return None

    def _look(self, key: bytes) -> Known | None:
        """See what the key's pointer says now; None if it has none, or a tag was forgotten."""
        known, now = self._known.get(key), time.monotonic()
        mark = None
        if known is not None:
            if self._is_vouched_for(known, now):
                return known
            if self._listener is not None and not known.pointer.is_state:
                mark = self._listener.mark(known.names)
            packed, *epochs = self.server.values(known.names)
        else:
            (packed,), epochs = self.server.values([self.names.pointer(key)]), []
        if known is not None and packed != known.packed:
            self._let_go(key, known)
            known, mark = None, None
        if packed is None:
            return None
        if known is None:
            known = self._learn(key, packed)
            if known is None:
                return None
            epochs = self.server.values(known.names[1:]) if known.names[1:] else []
        if epochs != known.epochs:
            return None
        known.looked_at, known.mark = now, mark
        if len(self._known) >= _KNOWN and key not in self._known:
            # Another thread may be doing the same.
            with contextlib.suppress(StopIteration, RuntimeError):
                self._known.pop(next(iter(self._known)), None)
        self._known[key] = known
        return known

    def _is_vouched_for(self, known: Known, now: float) -> bool:
        """Whether a pointer need not be looked at, because its change would have been heard of."""
        listener, mark = self._listener, known.mark
        return listener is not None and mark is not None and now - known.looked_at < _PUSHED_FOR and listener.vouches(mark)

    def _note_change(self, *names: str) -> None:
        """Note what this process has changed: it is not to wait until it hears of that."""
        if self._listener is not None:
            self._listener.note(names)

    def _learn(self, key: bytes, packed: bytes) -> Known | None:
        pointer = Pointer.parse(packed)
        if pointer is None:
            self._warn(key)
            return None
        names = self.names.pointer(key), *map(self.names.epoch, pointer.tags)
        return Known(packed, pointer, names, [str(epoch).encode() for epoch in pointer.tags.values()])

    def _warn(self, key: bytes) -> None:
        _log.warning("a damaged or foreign entry at %s counts as a miss (key %s)", self.address.shown, key.hex()[:8])

    def _inline(self, key: bytes, known: Known) -> Found | None:
        """The entry that lies in its pointer."""
        inline = known.pointer.inline
        if not inline:
            return None
        parsed = records.parse_inline(key, inline, self._sealing_key)
        if parsed is None:
            self._warn(key)
            return None
        entry, head = parsed
        if not _has_begun(entry.facts, self._clock()):
            return None
        if not entry.has_buffers:
            known.found = _found_in(entry, head, inline)
            return known.found
        return _found_in(entry, head, bytearray(inline))

    def _nearby(self, key: bytes, known: Known, part: PartName | None) -> Found | None:
        """What this machine has of it: all, or the part."""
        if known.pointer.inline:
            return known.found or self._inline(key, known)
        if known.pointer.gone_at <= self._clock():
            return None
        for wanted in (None, part) if part is not None else (None,):
            with contextlib.suppress(StoreUnavailable):
                found = self.near.read(_near_key(key, known.pointer, wanted))
                if found is not None:
                    return found
        return None

    def _from_island(self, key: bytes) -> Found | None:
        """What was computed on this machine while the server was away."""
        with contextlib.suppress(StoreUnavailable):
            return self.near.read(_island_key(key))
        return None

    def _fetch(self, key: bytes, known: Known, part: PartName | None) -> Found | None:
        """Fetch an entry, or one part of it, to this machine; None if pieces are missing or damaged."""
        if known.pointer.inline:
            return None
        near_key = _near_key(key, known.pointer, part)
        try:
            flight = self.near.join(near_key)
        except StoreUnavailable:
            flight = None
        if isinstance(flight, Landed):
            return self._nearby(key, known, part)
        try:
            found = self._nearby(key, known, part) or self._download(key, known, part)
            if flight is not None:
                flight.land()
            return found
        finally:
            if flight is not None:
                flight.close()

    def _download(self, key: bytes, known: Known, part: PartName | None) -> Found | None:
        pointer = known.pointer
        (manifest,) = self.server.values([self.names.manifest(key, pointer.id)])
        head = None if manifest is None else self._pieces(key, pointer, manifest, range(pointer.head_pieces))
        parsed = None if head is None else records.parse_head(key, b"".join(head), pointer.size, self._sealing_key)
        if manifest is None or parsed is None:
            if manifest is not None and head is not None:
                self._warn(key)
            return None
        entry, content = parsed
        if not _has_begun(entry.facts, self._clock()):
            return None
        if part is not None and part not in entry.names:
            return self._fetch(key, known, None)
        numbers = records.pieces_of(entry, pointer.head_pieces, part)
        pieces = self._pieces(key, pointer, manifest, [number for some in numbers for number in some])
        if pieces is None:
            return None
        given = iter(pieces)
        encoded = records.join(entry, memoryview(content), [[next(given) for _ in some] for some in numbers], part)
        pieces.clear()
        near_key = _near_key(key, pointer, part)
        self._keep_near(near_key, entry.facts, encoded)
        with contextlib.suppress(StoreUnavailable):
            found = self.near.read(near_key)
            if found is not None:
                return found
        return Found(entry, encoded)

    def _pieces(self, key: bytes, pointer: Pointer, manifest: bytes, numbers: Sequence[int]) -> list[bytes] | None:
        """Some pieces of an entry; None if one is missing or damaged."""
        pieces: list[bytes] = []
        for first in range(0, len(numbers), _AT_ONCE):
            some = numbers[first : first + _AT_ONCE]
            for number, piece in zip(
                some, self.server.together([("GET", self.names.piece(key, pointer.id, number)) for number in some]), strict=True
            ):
                if not records.is_piece(piece, number, manifest):
                    if piece is not None:
                        self._warn(key)
                    return None
                pieces.append(piece)
        return pieces

    def _keep_near(self, near_key: bytes, facts: Facts, encoded: Encoded) -> None:
        """Store a value on this machine; without room, it is fetched again."""
        with contextlib.suppress(StoreUnavailable):
            self.near.commit(None, near_key, dataclasses.replace(facts, tags={}), encoded)

    # Flights

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        """Become the one that computes *key*, or wait for the one that does."""
        return self._flights.join(key, wait=wait)

    # Writing

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        """Store an entry, unless *flight* is not the present one of its key any more, or what it belongs to has ended."""
        packed = layout.pack(key, facts, encoded, self._sealing_key)
        if packed.entry.size > self._limits.max_bytes:
            raise BudgetExceeded(self.address.shown, "one value", packed.entry.size, f"max_bytes={self._limits.max_bytes:,}")
        try:
            if isinstance(flight, RedisFlight) and flight.token is None:
                raise StoreUnavailable(self.address.shown, "the computation began while it could not be reached")
            return self._publish(flight.token if isinstance(flight, RedisFlight) else None, packed, encoded)
        except BudgetExceeded:
            raise
        except StoreUnavailable:
            if flight is None or facts.kind != "memo":
                raise
            # Those who wait on this machine get it, and others here for as long as it could be known of elsewhere.
            island = dataclasses.replace(facts, tags={}, scope="", gone_at=min(facts.gone_at, self._clock() + BOUND))
            return self.near.commit(None, _island_key(key), island, encoded)

    def _publish(self, token: bytes | None, packed: Packed, encoded: Encoded) -> bool:
        entry = packed.entry
        key, facts, holder = entry.key, entry.facts, holder_of(entry.facts.scope)
        identity, is_state = secrets.token_bytes(records.ID_SIZE), facts.kind == "state"
        pointer = Pointer(identity, entry.size, facts.scope, facts.gone_at, facts.tags, is_state)
        commands = list(self._notes(key, facts))
        if entry.size <= records.INLINE:
            pointer = dataclasses.replace(pointer, inline=b"".join((packed.head, *packed.body)))
            pieces = None
        else:
            pieces = records.cut(packed, encoded)
            pointer = dataclasses.replace(pointer, head_pieces=pieces.head_count, pieces=len(pieces.all))
        if holder:
            self._reserve(Belonging(key, entry.size, facts.kind, self._clock(), facts.scope))
        if pieces is not None:
            self._keep_near(_near_key(key, pointer, None), facts, encoded)
            commands.append(self._set(self.names.manifest(key, pointer.id), pieces.manifest()))
            commands += [self._set(self.names.piece(key, pointer.id, number), piece) for number, piece in enumerate(pieces.all)]
        for first in range(0, len(commands), _AT_ONCE):
            self.server.together(commands[first : first + _AT_ONCE])
        stored = self.server.run(
            scripts.PUBLISH, self.names.of_entry(key), token or b"", pointer.pack(), self._milliseconds(pointer), timeout=PATIENT
        )
        self._note_change(self.names.pointer(key))
        if stored < 0:
            raise StoreUnavailable(self.address.shown, "it evicts what is being stored (maxmemory is too small)")
        if not stored:
            with contextlib.suppress(StoreUnavailable):
                self.near.delete(_near_key(key, pointer, None))
            return False
        if holder and self.has_ended(holder):
            # `end` is told before it looks for what there is: what came too late for it is removed here.
            self.delete(key)
            return False
        return True

    def _notes(self, key: bytes, facts: Facts) -> Iterator[tuple[str | bytes | float, ...]]:
        """What is noted of an entry for listings."""
        for name in self._listings(facts.tags, is_variable=facts.kind == "state" and not facts.scope):
            yield "ZREMRANGEBYSCORE", name, "-inf", f"({self._clock()}"
            yield "ZADD", name, facts.gone_at, key
            if not secrets.randbelow(_SAMPLE):
                self._look_after(name)

    def _listings(self, tags: Iterable[str], *, is_variable: bool) -> list[str]:
        return [*map(self.names.tagged, tags)] + ([self.names.variables] if is_variable else [])

    def _look_after(self, name: str) -> None:
        """Remove some of what a listing has that is not there any more: the server may have evicted it."""
        (some,) = self.server.together([("ZRANDMEMBER", name, 2 * _SAMPLE)])
        pointers = self.server.values([self.names.pointer(key) for key in some]) if some else []
        gone = [key for key, pointer in zip(some, pointers, strict=True) if pointer is None]
        if gone:
            self.server.together([("ZREM", name, *gone)])

    def _set(self, name: str, value: bytes | memoryview) -> tuple[str | bytes | memoryview | int, ...]:
        return "SET", name, value, "PX", round(1000 * _UPLOAD)

    def _milliseconds(self, pointer: Pointer) -> int | str:
        """How long an entry is stored; "" for ever."""
        rest = pointer.gone_at - self._clock()
        if pointer.scope:
            rest = min(rest, self._holders.kept_for)
        return "" if math.isinf(rest) else max(1, round(1000 * rest))

    def _reserve(self, belonging: Belonging) -> None:
        """Make room for an entry in the budget of its session or user."""
        holder = holder_of(belonging.scope)
        while not self._holders.reserve(belonging):
            if not self._remove_gone(holder) and not self._remove_computed(holder, belonging.key):
                what, budget = f"one {holder.partition(':')[0]}", f"max_session_bytes={self._limits.max_session_bytes:,}"
                raise BudgetExceeded(self.address.shown, what, belonging.size, budget)
        for other in self._holders.too_many():
            if other != holder:
                self._drop(other)

    def _remove_gone(self, holder: str) -> bool:
        """Forget what a session had that is not there any more; whether there was such."""
        belongings = self._holders.belongings(holder)
        pointers = self.server.values([self.names.pointer(one.key) for one in belongings]) if belongings else []
        gone = [one.key for one, pointer in zip(belongings, pointers, strict=True) if pointer is None]
        if gone:
            self._holders.release(holder, gone)
        return bool(gone)

    def _remove_computed(self, holder: str, but: bytes) -> bool:
        """Remove the oldest entry of a session that can be computed again; whether there was one."""
        for one in self._holders.computed_first(holder):
            if one.key != but:
                self.delete(one.key)
                return True
        return False

    def delete(self, key: bytes) -> None:
        """Delete the entry of *key*, for good."""
        known = self._known.get(key)
        if known is not None:
            self._let_go(key, known)
        with contextlib.suppress(StoreUnavailable):
            self.near.delete(_island_key(key))
        packed = self.server.run(scripts.DELETE, self.names.of_entry(key), b"", timeout=PATIENT)
        self._note_change(self.names.pointer(key))
        pointer = None if packed is None else Pointer.parse(packed)
        if pointer is not None:
            self._unlist([(key, pointer)])

    def _let_go(self, key: bytes, known: Known) -> None:
        """Remove what this machine has of an entry that is not current any more."""
        self._known.pop(key, None)
        if not known.pointer.inline:
            with contextlib.suppress(StoreUnavailable):
                self.near.delete(_near_key(key, known.pointer, None))

    def _unlist(self, deleted: Sequence[tuple[bytes, Pointer]]) -> None:
        commands: list[tuple[str | bytes, ...]] = []
        for key, pointer in deleted:
            if pointer.scope:
                self._holders.release(holder_of(pointer.scope), [key])
            commands += [("ZREM", name, key) for name in self._listings(pointer.tags, is_variable=pointer.is_state and not pointer.scope)]
        if commands:
            self.server.together(commands)

    # Tags

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        """The present epoch of each tag."""
        names = [self.names.epoch(tag) for tag in tags]
        values = self.server.values(names) if names else []
        missing = [name for name, value in zip(names, values, strict=True) if value is None]
        if missing:
            self.server.together([("SET", name, secrets.randbits(62), "NX") for name in missing])
            values = self.server.values(names)
        return {tag: int(value or 0) for tag, value in zip(tags, values, strict=True)}

    def forget_tag(self, tag: str) -> None:
        """Make every entry with *tag* a miss for good, and give back its room."""
        # Random instead of one more: should the server evict it, no epoch comes back.
        self.server.together([("SET", self.names.epoch(tag), secrets.randbits(62))])
        self._note_change(self.names.epoch(tag))
        (members,) = self.server.together([("ZRANGE", self.names.tagged(tag), 0, -1)])
        for first in range(0, len(members), _MANY):
            self._delete_forgotten(members[first : first + _MANY], tag)

    def _delete_forgotten(self, some: Sequence[bytes], tag: str) -> None:
        (present,) = self.server.values([self.names.epoch(tag)])
        old = []
        for key, packed in zip(some, self.server.values([self.names.pointer(key) for key in some]), strict=True):
            pointer = None if packed is None else Pointer.parse(packed)
            if pointer is not None and str(pointer.tags.get(tag)).encode() != present:
                old.append((key, pointer))
        self._delete_these(old)
        self._unlist(old)

    def _delete_these(self, entries: Sequence[tuple[bytes, Pointer]]) -> None:
        """Delete entries unless they have been replaced."""
        deletions = [("EVAL", scripts.DELETE, 3, *self.names.of_entry(key), pointer.id) for key, pointer in entries]
        for first in range(0, len(deletions), _MANY):
            self.server.together(deletions[first : first + _MANY])

    # Scopes

    def end(self, holder: str) -> None:
        """Delete all that belongs to a session or user, for good."""
        self._holders.end(holder)
        self._drop(holder)
        with contextlib.suppress(StoreUnavailable):
            self.near.end(holder)

    def _drop(self, holder: str) -> None:
        """Delete all that a session has."""
        for one in self._holders.belongings(holder):
            self.delete(one.key)
        self._holders.forget(holder)

    def has_ended(self, holder: str) -> bool:
        """Whether `end` was called for *holder*."""
        return self._holders.has_ended(holder)

    def touch(self, scope: str) -> None:
        """Note that a scope is in use."""
        self._prolong(self._holders.touch(scope), math.inf)

    def leave(self, scope: str) -> None:
        """Delete the data of a scope soon, unless it is touched before."""
        self._prolong(self._holders.leave(scope), GRACE)

    def _prolong(self, some: Sequence[bytes], at_most: float) -> None:
        """Let entries live as long as they are to from now on."""
        packed = self.server.values([self.names.pointer(key) for key in some]) if some else []
        commands = []
        for key, text in zip(some, packed, strict=True):
            pointer = None if text is None else Pointer.parse(text)
            if pointer is not None:
                rest = min(self._milliseconds(pointer) or math.inf, 1000 * at_most)
                commands.append(("EVAL", scripts.EXPIRE, 3, *self.names.of_entry(key), pointer.id, round(rest)))
        if commands:
            self.server.together(commands)

    # Listing

    def list(self, scope: str | None = None, kind: str | None = None, tag: str | None = None) -> Sequence[Listed]:
        """List what is stored."""
        entries = [entry for some in _batches(self._candidates(scope, kind, tag)) for entry in self._heads(some)]
        wanted = [
            entry
            for entry in entries
            if scope in (None, entry.facts.scope) and kind in (None, entry.facts.kind) and (tag is None or tag in entry.facts.tags)
        ]
        listed = [Listed(entry.key, entry.facts.kind, entry.facts.name, entry.facts.scope, entry.size) for entry in wanted]
        return sorted(listed, key=lambda one: (one.name, one.key))

    def _candidates(self, scope: str | None, kind: str | None, tag: str | None) -> Iterable[bytes]:
        """The keys of all that may be asked for: of everything, only if it is not known more precisely."""
        if tag is not None or (kind == "state" and scope == ""):
            name = self.names.variables if tag is None else self.names.tagged(tag)
            members: Iterable[bytes] = self.server.together([("ZRANGE", name, 0, -1)])[0]
            return members
        if scope:
            return [one.key for one in self._holders.belongings(holder_of(scope))]
        return {key for name in self.server.names(self.names.pointers) if (key := self.names.key(name)) is not None}

    def _heads(self, some: Sequence[bytes]) -> Iterator[Entry]:
        """What entries say of themselves, of those that are there and ours."""
        pointers = {}
        for key, packed in zip(some, self.server.values([self.names.pointer(key) for key in some], PATIENT), strict=True):
            pointer = None if packed is None else Pointer.parse(packed)
            if pointer is not None:
                pointers[key] = pointer
        pieces = [(key, number) for key, pointer in pointers.items() for number in range(pointer.head_pieces)]
        commands = [("GET", self.names.piece(key, pointers[key].id, number)) for key, number in pieces]
        heads: dict[bytes, bytes] = {}
        for (key, _), piece in zip(pieces, self.server.together(commands) if commands else [], strict=True):
            heads[key] = heads.get(key, b"") + (piece or b"")
        for key, pointer in pointers.items():
            inline = pointer.inline
            parsed = (
                records.parse_inline(key, inline, self._sealing_key)
                if inline
                else records.parse_head(key, heads[key], pointer.size, self._sealing_key)
            )
            if parsed is not None and parsed[0].facts.gone_at > self._clock():
                yield parsed[0]


def _near_key(key: bytes, pointer: Pointer, part: PartName | None) -> bytes:
    """Where a value, or a part of it, lies on this machine. The key is part of it: no pointer leads to another key's value."""
    return keys.digest(b"near", key, pointer.id, repr(part).encode())


def _island_key(key: bytes) -> bytes:
    return keys.digest(b"island", key)


def _has_begun(facts: Facts, now: float) -> bool:
    """Whether an entry with an end is not from the future, where its age would be unknown."""
    return math.isinf(facts.gone_at) or facts.created - SKEW <= now < facts.gone_at


def _found_in(entry: Entry, head: bytes, body: bytes | bytearray) -> Found:
    return Found(entry, entry.encoded(memoryview(head), memoryview(body)))


def _batches(all_keys: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    some: list[bytes] = []
    for key in all_keys:
        some.append(key)
        if len(some) == _MANY:
            yield some
            some = []
    if some:
        yield some
