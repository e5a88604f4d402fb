"""Invalidations: the server pushes what has changed, so that a hit need not ask.

The server remembers who has looked at which key, and tells this process's listening connection when
that key changes. A message can get lost without an error. So its absence is never enough: whoever
relies on it also looks again after a while, and after a lost connection.

Source: Redis documentation, "Client-side caching", with redirection and opting in.
"""

from __future__ import annotations

import contextlib
import os
import weakref
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import redis

from dash_stash.errors import StoreUnavailable
from dash_stash.stores.redis.client import Answer, Connection, as_int, as_list
from dash_stash.stores.redis.server import Server
from dash_stash.threads import BackgroundThread

_SLOTS = 2**14

_PAUSE = 0.5
"""Seconds for which the thread waits for messages at a time, and between two tries to connect."""


@dataclass(frozen=True, slots=True)
class PushConnection:
    """A connection on which invalidations come, as long as it lasts."""

    id: int
    """By which the server knows it."""

    wire: Connection
    close: Callable[[], object]
    """Closes it; so does the end of the listener."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """When keys were looked at: on which connection their invalidations come, and how many came."""

    connection: PushConnection
    slots: tuple[tuple[int, int], ...]
    """Each key's slot, and the number of changes that it had had."""


class Listener:
    """Listens to invalidations, in a thread of each process."""

    def __init__(self, server: Server) -> None:
        """Take the server."""
        self._server = server
        self._changes = [0] * _SLOTS
        self._connection: PushConnection | None = None
        self._process = 0
        self._thread = BackgroundThread("dash-stash listener", self, Listener._listen)

    def track(self, names: Iterable[str]) -> Tracked | None:
        """Note that keys are about to be looked at; None while nobody listens."""
        if self._process != os.getpid():  # a forked child does not hear what its parent hears
            self._process, self._connection = os.getpid(), None
        connection = self._connection
        if connection is None:
            self._thread.start()
            return None
        slots = tuple((slot, self._changes[slot]) for slot in map(_slot, names))
        return Tracked(connection, slots)

    def is_unchanged(self, tracked: Tracked) -> bool:
        """Return whether no change was heard of since, on a connection that was not lost since."""
        if tracked.connection is not self._connection or self._process != os.getpid():
            return False
        changes = self._changes
        for slot, count in tracked.slots:  # noqa: SIM110 (on the way of each hit: half the time)
            if changes[slot] != count:
                return False
        return True

    def note(self, names: Iterable[str]) -> None:
        """Note changes; this process knows of its own before they come back from the server."""
        for name in names:
            self._changes[_slot(name)] += 1

    # In the thread

    def _listen(self) -> float:
        """Listen for a moment, and connect first if need be; return the seconds until next time."""
        connection, is_listening = self._connection, False
        try:
            with contextlib.suppress(StoreUnavailable, redis.RedisError, OSError):
                connection = connection or self._connect()
                if connection.wire.can_read(timeout=_PAUSE):
                    connection.wire.read_response(push_request=True)
                is_listening = self._connection is connection
        finally:
            if not is_listening:
                self._connection = None  # nothing is trusted that was looked at until now
                if connection is not None:
                    connection.close()
        return 0 if is_listening else _PAUSE

    def _connect(self) -> PushConnection:
        wire = self._server.new_connection()
        close = weakref.finalize(self, wire.disconnect)
        try:
            wire.connect()
            _hear(wire, weakref.ref(self))
            wire.send_command("CLIENT", "ID")
            connection = PushConnection(as_int(wire.read_response()), wire, close)
        except BaseException:
            close()
            raise
        self._connection = connection
        return connection


def _hear(wire: Connection, reference: weakref.ref[Listener]) -> None:
    """Pass the invalidations that arrive on a connection to a listener."""

    def hear(message: Sequence[Answer]) -> None:
        listener = reference()
        if listener is None or message[0] not in (b"invalidate", "invalidate"):
            return
        if message[1] is None:  # everything: the server was emptied
            listener._connection = None
            return
        listener.note(
            name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
            for name in as_list(message[1])
        )

    # redis-py has no public way to hear of invalidations, and named this one otherwise before its
    # version 5.1.
    parser = wire._parser
    (getattr(parser, "set_invalidation_push_handler", None) or parser.set_push_handler)(hear)


def _slot(name: str) -> int:
    return zlib.crc32(name.encode()) % _SLOTS
