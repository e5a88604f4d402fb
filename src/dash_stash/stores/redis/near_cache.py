"""What this machine has of the server: each value under a key of its own, made of the value's key and the pointer's id.

So what is here never becomes stale, only unused. While the server is away, it also has what memo functions have computed here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Sequence

from dash_stash import keys, structure
from dash_stash.clock import SKEW, Clock
from dash_stash.codec import Encoded, PartName
from dash_stash.entries import Entry, Facts
from dash_stash.errors import StoreUnavailable
from dash_stash.stores.base import Found, Landed
from dash_stash.stores.local import LocalStore
from dash_stash.stores.redis import records
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.pointers import BOUND, PointerCache
from dash_stash.stores.redis.records import Pointer
from dash_stash.stores.redis.server import Server

_AT_ONCE = 64
"""So many chunks are fetched at once."""

_INLINE_KEPT = 1024


class NearCache:
    """The copies on this machine, and how they get here.

    A folder that cannot be used only costs time: values are fetched again.
    """

    def __init__(
        self,
        local: LocalStore,
        server: Server,
        keyspace: Keyspace,
        pointers: PointerCache,
        sealing_key: bytes,
        clock: Clock,
    ) -> None:
        """Take the local store in which they lie."""
        self._local, self._server, self._keyspace, self._pointers = (
            local,
            server,
            keyspace,
            pointers,
        )
        self._sealing_key, self._clock = sealing_key, clock
        # By key, what lay in its pointer, and what every reader may be given of it: nothing in it
        # can be written to.
        self._inline: dict[bytes, tuple[bytes, Found]] = {}

    def read(self, key: bytes, pointer: Pointer, part: PartName | None) -> Found | None:
        """Return what this machine has of an entry: all, or the part; None if it has nothing."""
        if pointer.inline:
            return self._in_pointer(key, pointer.inline)
        whole = self._copy(_copy_key(key, pointer, None))
        return (
            whole
            if whole is not None or part is None
            else self._copy(_copy_key(key, pointer, part))
        )

    def _copy(self, key: bytes) -> Found | None:
        with contextlib.suppress(StoreUnavailable):
            return self._local.read(key)
        return None

    def _in_pointer(self, key: bytes, inline: bytes) -> Found | None:
        known = self._inline.get(key)
        if known is not None and known[0] == inline:
            return known[1] if _is_current(known[1].entry.facts, self._clock()) else None
        parsed = records.parse_inline(key, inline, self._sealing_key)
        if parsed is None:
            self._pointers.warn(key)
            return None
        entry, head = parsed
        if not _is_current(entry.facts, self._clock()):
            return None
        found = Found(
            entry,
            entry.encoded(
                memoryview(head), memoryview(bytearray(inline) if entry.has_buffers else inline)
            ),
        )
        if not entry.has_buffers:
            if len(self._inline) >= _INLINE_KEPT:
                self._inline.clear()
            self._inline[key] = inline, found
        return found

    # Fetching

    def fetch(self, key: bytes, pointer: Pointer, part: PartName | None) -> Found | None:
        """Fetch an entry, or the part of it, to this machine, where one does it for all.

        None if chunks are missing or damaged.

        Raises:
            StoreUnavailable: The server cannot be asked.
        """
        if pointer.inline:
            return None
        try:
            flight = self._local.join(_copy_key(key, pointer, part))
        except StoreUnavailable:
            return self._download(key, pointer, part)
        try:
            # Who fetched it meanwhile may have had no room to keep it.
            return self.read(key, pointer, part) or self._download(key, pointer, part)
        finally:
            if flight is not None and not isinstance(flight, Landed):
                flight.land()

    def _download(self, key: bytes, pointer: Pointer, part: PartName | None) -> Found | None:
        (manifest,) = self._server.values([self._keyspace.manifest(key, pointer.id)])
        head = (
            None
            if manifest is None
            else self._chunks(key, pointer, manifest, range(pointer.head_chunks))
        )
        if manifest is None or head is None:
            return None
        read = records.parse_head(key, b"".join(head), pointer.size, self._sealing_key)
        if read is None:
            self._pointers.warn(key)
            return None
        entry, _ = read
        if not _is_current(entry.facts, self._clock()):
            return None
        if part is not None and part not in entry.names:
            return self.fetch(key, pointer, None)
        encoded = self._joined(key, pointer, manifest, read, part)
        return None if encoded is None else self._kept(key, pointer, part, entry, encoded)

    def _joined(
        self,
        key: bytes,
        pointer: Pointer,
        manifest: bytes,
        read: tuple[Entry, bytes],
        part: PartName | None,
    ) -> Encoded | None:
        """The value, or the part of it, from its chunks and its head as that was read.

        None if they do not make one.
        """
        entry, head = read
        segments = records.chunks_of(entry, pointer.head_chunks, part)
        chunks = self._chunks(
            key, pointer, manifest, [number for numbers in segments for number in numbers]
        )
        if chunks is None:
            return None
        given = iter(chunks)
        return records.join(
            entry, memoryview(head), [[next(given) for _ in numbers] for numbers in segments], part
        )

    def _chunks(
        self, key: bytes, pointer: Pointer, manifest: bytes, numbers: Sequence[int]
    ) -> list[bytes] | None:
        """Some chunks of an entry; None if one is missing or damaged."""
        chunks: list[bytes] = []
        for first in range(0, len(numbers), _AT_ONCE):
            some = numbers[first : first + _AT_ONCE]
            answers = self._server.together(
                [("GET", self._keyspace.chunk(key, pointer.id, number)) for number in some]
            )
            for number, chunk in zip(some, answers, strict=True):
                if chunk is None:
                    return None  # evicted, or replaced meanwhile
                if not records.is_chunk(chunk, number, manifest):
                    self._pointers.warn(key)
                    return None
            chunks += answers
        return chunks

    def _kept(
        self, key: bytes, pointer: Pointer, part: PartName | None, entry: Entry, encoded: Encoded
    ) -> Found | None:
        """What was fetched, as it lies on this machine from now on.

        None if it leads outside of itself.
        """
        if not structure.is_sound(encoded):
            self._pointers.warn(key)
            return None
        self.keep(key, pointer, entry.facts, encoded, part)
        return self._copy(_copy_key(key, pointer, part)) or Found(entry, encoded)

    def keep(
        self,
        key: bytes,
        pointer: Pointer,
        facts: Facts,
        encoded: Encoded,
        part: PartName | None = None,
    ) -> None:
        """Keep an entry, or the part of it, on this machine.

        Whatever it is, it can be fetched again.
        """
        with contextlib.suppress(StoreUnavailable):
            self._local.commit(
                None,
                _copy_key(key, pointer, part),
                dataclasses.replace(facts, kind="copy", tags={}),
                encoded,
            )

    def let_go(self, key: bytes, pointer: Pointer) -> None:
        """Remove a copy of what is not current any more.

        Those of parts go when they have not been used for long.
        """
        if not pointer.inline:
            with contextlib.suppress(StoreUnavailable):
                self._local.delete(_copy_key(key, pointer, None))

    # While the server is away

    def offline(self, key: bytes) -> Found | None:
        """Return what was computed on this machine while the server was away."""
        return self._copy(_offline_key(key))

    def keep_offline(self, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        """Keep, for a moment, what was computed on this machine while the server is away.

        Raises:
            StoreUnavailable: The folder cannot be used either.
        """
        gone_at = min(facts.gone_at, self._clock() + BOUND)
        return self._local.commit(
            None, _offline_key(key), dataclasses.replace(facts, tags={}, gone_at=gone_at), encoded
        )

    def remove_offline(self, key: bytes) -> None:
        """Remove what was computed on this machine alone."""
        with contextlib.suppress(StoreUnavailable):
            self._local.delete(_offline_key(key))


def _copy_key(key: bytes, pointer: Pointer, part: PartName | None) -> bytes:
    # The key is part of it: no pointer, whoever wrote it, leads to another key's value.
    return keys.digest(b"copy", key, pointer.id, repr(part).encode("utf-8", "surrogatepass"))


def _offline_key(key: bytes) -> bytes:
    return keys.digest(b"alone", key)


def _is_current(facts: Facts, now: float) -> bool:
    """Whether an entry is not over by its own time, nor from the future, where its age would be unknown."""
    return math.isinf(facts.gone_at) or facts.created - SKEW <= now < facts.gone_at
