"""Looking at pointers: whether what this process knows of a key is current still."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass

from dash_stash.stores.redis.invalidation import Listener, Tracked
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.records import Pointer
from dash_stash.stores.redis.server import Server, steady_clock

_log = logging.getLogger("dash_stash")

BOUND = 1.8
"""Seconds for which a value is served without another look, while the server cannot be asked: with the reading, 2 s at most."""

_PUSHED_FOR = 1.0
"""Seconds for which a value is served without another look while changes are pushed: a message may have got lost."""

_KNOWN = 4096


@dataclass(slots=True)
class CachedPointer:
    """A pointer, as this process has seen it."""

    packed: bytes
    pointer: Pointer
    names: tuple[str, ...]
    """Of the pointer and the epochs of its tags: what there is to be looked at."""

    epochs: list[bytes | None]
    """What must stand in those of its tags."""

    looked_at: float = 0.0
    """When it was current, on a clock that is never set."""

    tracked: Tracked | None = None
    """What the listener is asked whether it is current still.

    None if it has to be looked at each time.
    """


class PointerCache:
    """The pointers that this process has seen lately."""

    def __init__(self, server: Server, keyspace: Keyspace) -> None:
        """Take the server."""
        self._server, self._keyspace = server, keyspace
        self._listener = Listener(server) if server.address.push else None
        self._known: dict[bytes, CachedPointer] = {}

    def look(self, key: bytes) -> CachedPointer | None:
        """Return what the key's pointer says now.

        None if there is none, or one of its tags was forgotten.

        Raises:
            StoreUnavailable: The server cannot be asked.
        """
        known, now = self._known.get(key), steady_clock()
        if known is None:
            return self._look_anew(key, now, *self._server.values([self._keyspace.pointer(key)]))
        # A variable that is changed by many is worth a look each time.
        listener = self._listener
        tracked = (
            None if listener is None or known.pointer.is_state else listener.track(known.names)
        )
        values = (
            None
            if tracked is None
            else self._server.values_watched(known.names, tracked.connection.id)
        )
        if values is None:
            tracked, values = None, self._server.values(known.names)
        packed, *epochs = values
        if packed != known.packed:
            return self._look_anew(key, now, packed)
        return self._keep(key, known, now, tracked) if epochs == known.epochs else None

    def _look_anew(self, key: bytes, now: float, packed: bytes | None) -> CachedPointer | None:
        self._known.pop(key, None)
        pointer = None if packed is None else Pointer.parse(packed)
        if packed is None or pointer is None:
            if packed is not None:
                self.warn(key)
            return None
        names = self._keyspace.pointer(key), *map(self._keyspace.epoch, pointer.tags)
        known = CachedPointer(
            packed, pointer, names, [str(epoch).encode() for epoch in pointer.tags.values()]
        )
        epochs = self._server.values(names[1:]) if pointer.tags else []
        return self._keep(key, known, now, None) if epochs == known.epochs else None

    def _keep(
        self, key: bytes, known: CachedPointer, now: float, tracked: Tracked | None
    ) -> CachedPointer:
        known.looked_at, known.tracked = now, tracked
        while len(self._known) >= _KNOWN and key not in self._known:
            # Another thread may be doing the same.
            with contextlib.suppress(StopIteration, RuntimeError):
                self._known.pop(next(iter(self._known)), None)
        self._known[key] = known
        return known

    def fresh(self, key: bytes) -> CachedPointer | None:
        """Return what need not be looked at, because its change would have been heard of."""
        known = self._known.get(key)
        if (
            known is None
            or known.tracked is None
            or self._listener is None
            or steady_clock() - known.looked_at >= _PUSHED_FOR
        ):
            return None
        return known if self._listener.is_unchanged(known.tracked) else None

    def seen(self, key: bytes) -> CachedPointer | None:
        """Return what this process saw last, of whatever age."""
        return self._known.get(key)

    def last_seen_within_bound(self, key: bytes) -> CachedPointer | None:
        """Return what may be served without a look while the server cannot be asked.

        Never a variable.
        """
        known = self._known.get(key)
        if known is None or known.pointer.is_state or steady_clock() - known.looked_at >= BOUND:
            return None
        return known

    def note_change(self, *names: str) -> None:
        """Note what this process itself has changed on the server: it is not to wait until it hears of that."""
        if self._listener is not None:
            self._listener.note(names)

    def warn(self, key: bytes) -> None:
        """Log that what lies on the server is not what we have written."""
        _log.warning(
            "a damaged or foreign entry at %s counts as a miss (key %s)",
            self._server.address.shown,
            key.hex()[:8],
        )
