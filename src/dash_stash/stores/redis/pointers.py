"""The pointers that this process has seen, and whether they still are current."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from dash_stash.bounded import BoundedTable
from dash_stash.stores.redis.invalidation import Listener, Tracked
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.records import Pointer
from dash_stash.stores.redis.server import Server, steady_clock

_log = logging.getLogger("dash_stash")

OFFLINE = 1.8
"""Seconds for which a value is served without a look while the server is away.

With the time to read it, 2 s at most.
"""

_PUSHED = 1.0
"""Seconds for which a value is served without a look while changes are pushed.

Not longer, because a message may have been lost.
"""

_REMEMBERED = 4096


@dataclass(slots=True)
class CachedPointer:
    """A pointer, as this process has seen it."""

    packed: bytes
    pointer: Pointer
    names: tuple[str, ...]
    """The keys to look at: the pointer's, and those of its tags' epochs."""

    epochs: list[bytes | None]
    """The epochs that its tags must have."""

    looked_at: float = 0.0
    """When it was current, by a clock that nobody can set."""

    tracked: Tracked | None = None
    """By which the listener knows whether it has changed; None if only a look can tell."""


class PointerCache:
    """The pointers that this process has seen lately."""

    def __init__(self, server: Server, keyspace: Keyspace) -> None:
        """Take the server."""
        self._server, self._keyspace = server, keyspace
        self._listener = Listener(server) if server.address.push else None
        self._seen: BoundedTable[bytes, CachedPointer] = BoundedTable(_REMEMBERED)

    def look(self, key: bytes) -> CachedPointer | None:
        """Return the key's present pointer.

        None if there is none, or one of its tags was forgotten.

        Raises:
            StoreUnavailable: The server cannot be asked.
        """
        seen, now = self._seen.get(key), steady_clock()
        if seen is None:
            return self._look_anew(key, now, *self._server.values([self._keyspace.pointer(key)]))
        # A variable that many change is worth a look each time.
        listener = self._listener
        tracked = None if listener is None or seen.pointer.is_state else listener.track(seen.names)
        values = None
        if tracked is not None:
            values = self._server.values_tracked(seen.names, tracked.connection.id)
        if values is None:
            tracked, values = None, self._server.values(seen.names)
        packed, *epochs = values
        if packed != seen.packed:
            return self._look_anew(key, now, packed)
        return self._remember(key, seen, now, tracked) if epochs == seen.epochs else None

    def _look_anew(self, key: bytes, now: float, packed: bytes | None) -> CachedPointer | None:
        self._seen.pop(key, None)
        if packed is None:
            return None
        pointer = Pointer.parse(packed)
        if pointer is None:
            self.warn(key)
            return None
        names = self._keyspace.pointer(key), *map(self._keyspace.epoch, pointer.tags)
        expected: list[bytes | None] = [str(epoch).encode() for epoch in pointer.tags.values()]
        epochs = self._server.values(names[1:]) if pointer.tags else []
        if epochs != expected:
            return None
        return self._remember(key, CachedPointer(packed, pointer, names, expected), now, None)

    def _remember(
        self, key: bytes, seen: CachedPointer, now: float, tracked: Tracked | None
    ) -> CachedPointer:
        seen.looked_at, seen.tracked = now, tracked
        self._seen[key] = seen
        return seen

    def fresh(self, key: bytes) -> CachedPointer | None:
        """Return a pointer that needs no look: a change would have been heard of."""
        seen, listener = self._seen.get(key), self._listener
        if seen is None or listener is None:
            return None
        tracked = seen.tracked
        if tracked is None or steady_clock() - seen.looked_at >= _PUSHED:
            return None
        return seen if listener.is_unchanged(tracked) else None

    def last_seen(self, key: bytes) -> CachedPointer | None:
        """Return the pointer that this process saw last, however long ago."""
        return self._seen.get(key)

    def seen_lately(self, key: bytes) -> CachedPointer | None:
        """Return a pointer that needs no look while the server is away; never a variable's."""
        seen = self._seen.get(key)
        if seen is None or seen.pointer.is_state or steady_clock() - seen.looked_at >= OFFLINE:
            return None
        return seen

    def note_change(self, *names: str) -> None:
        """Note what this process has changed: it must not wait until it hears of that."""
        if self._listener is not None:
            self._listener.note(names)

    def warn(self, key: bytes) -> None:
        """Log that what lies on the server is not what we have written."""
        _log.warning(
            "a damaged or foreign entry at %s counts as a miss (key %s)",
            self._server.address.shown,
            key.hex()[:8],
        )
