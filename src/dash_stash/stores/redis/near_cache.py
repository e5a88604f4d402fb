"""The near cache: this machine's copies of the server's values, in a folder.

Each copy lies under a key of its own, made of the value's key and the pointer's id. So a copy never
becomes stale, only unused. While the server is away, the folder also holds what memo functions have
computed on this machine.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Sequence

from dash_stash import keys, structure
from dash_stash.bounded import BoundedTable
from dash_stash.clock import SKEW, Clock
from dash_stash.codec import Encoded, PartName
from dash_stash.entries import Entry, Facts
from dash_stash.errors import StoreUnavailable
from dash_stash.stores.base import Found, Landed
from dash_stash.stores.local import LocalStore
from dash_stash.stores.redis import records
from dash_stash.stores.redis.client import as_bytes
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.pointers import OFFLINE, PointerCache
from dash_stash.stores.redis.records import Pointer
from dash_stash.stores.redis.server import Server

_AT_ONCE = 64
"""How many chunks are fetched at once."""

_INLINE_KEPT = 1024


class NearCache:
    """Fetches copies to this machine, and keeps them.

    A folder that cannot be used costs time only: values are fetched again.
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
        """Take the local store that keeps the copies."""
        self._local, self._server, self._keyspace, self._pointers = (
            local,
            server,
            keyspace,
            pointers,
        )
        self._sealing_key, self._clock = sealing_key, clock
        # By key, an entry that lay in its pointer, and what all readers may share: nobody can write
        # to it.
        self._inline: BoundedTable[bytes, tuple[bytes, Found]] = BoundedTable(_INLINE_KEPT)

    def read(self, key: bytes, pointer: Pointer, part: PartName | None) -> Found | None:
        """Return the copy of an entry, or of the part; None if this machine has neither."""
        if pointer.inline:
            return self._in_pointer(key, pointer.inline)
        whole = self._copy(_copy_key(key, pointer, None))
        if whole is not None or part is None:
            return whole
        return self._copy(_copy_key(key, pointer, part))

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
            self._inline[key] = inline, found
        return found

    # Fetching

    def fetch(self, key: bytes, pointer: Pointer, part: PartName | None) -> Found | None:
        """Fetch an entry, or one part of it, to this machine; one caller does this for all.

        Return None if chunks are missing or damaged.

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
            # Whoever fetched it meanwhile may have had no room to keep it.
            return self.read(key, pointer, part) or self._download(key, pointer, part)
        finally:
            if flight is not None and not isinstance(flight, Landed):
                flight.land()

    def _download(self, key: bytes, pointer: Pointer, part: PartName | None) -> Found | None:
        (manifest,) = self._server.values([self._keyspace.manifest(key, pointer.id)])
        if manifest is None:
            return None
        head = self._chunks(key, pointer, manifest, range(pointer.head_chunks))
        if head is None:
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
        """Fetch the chunks of an entry whose head was read, or of the part, and join them.

        None if they do not make a value.
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
        """Fetch some chunks of an entry; None if one is missing or damaged."""
        chunks: list[bytes] = []
        for first in range(0, len(numbers), _AT_ONCE):
            some = numbers[first : first + _AT_ONCE]
            answers = self._server.together(
                [("GET", self._keyspace.chunk(key, pointer.id, number)) for number in some]
            )
            for number, chunk in zip(some, map(as_bytes, answers), strict=True):
                if chunk is None:
                    return None  # evicted, or replaced meanwhile
                if not records.is_chunk(chunk, number, manifest):
                    self._pointers.warn(key)
                    return None
                chunks.append(chunk)
        return chunks

    def _kept(
        self, key: bytes, pointer: Pointer, part: PartName | None, entry: Entry, encoded: Encoded
    ) -> Found | None:
        """Keep what was fetched, and return the copy.

        None if its offsets lead outside of it.
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
        """Keep a copy of an entry, or of the part, on this machine.

        The folder evicts copies first, whatever their kind, because they can be fetched again.
        """
        with contextlib.suppress(StoreUnavailable):
            self._local.commit(
                None,
                _copy_key(key, pointer, part),
                dataclasses.replace(facts, kind="copy", tags={}),
                encoded,
            )

    def remove(self, key: bytes, pointer: Pointer) -> None:
        """Remove the copy of an entry that is not current any more.

        Copies of its parts are removed when nobody has used them for a long time.
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
        gone_at = min(facts.gone_at, self._clock() + OFFLINE)
        return self._local.commit(
            None, _offline_key(key), dataclasses.replace(facts, tags={}, gone_at=gone_at), encoded
        )

    def remove_offline(self, key: bytes) -> None:
        """Remove what was computed on this machine while the server was away."""
        with contextlib.suppress(StoreUnavailable):
            self._local.delete(_offline_key(key))


def _copy_key(key: bytes, pointer: Pointer, part: PartName | None) -> bytes:
    # The value's key is part of it, so that no pointer, whoever wrote it, leads to another value.
    return keys.digest(b"copy", key, pointer.id, repr(part).encode("utf-8", "surrogatepass"))


def _offline_key(key: bytes) -> bytes:
    return keys.digest(b"alone", key)


def _is_current(facts: Facts, now: float) -> bool:
    """Return whether an entry has neither expired nor an unknown age (from the future)."""
    return math.isinf(facts.gone_at) or facts.created - SKEW <= now < facts.gone_at
