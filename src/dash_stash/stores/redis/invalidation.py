"""Changes that the server pushes, so that a hit need not ask whether there was one.

The server remembers who has looked at which key, and tells this process's listening connection when
that key changes. A message can get lost without an error. So what it would have said is only one
reason to look again: a lost connection is another, and that the last look is a while ago.

Source: Redis documentation, "Client-side caching", with redirection and opting in.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import redis

from dash_stash.errors import StoreUnavailable
from dash_stash.stores.redis.server import Server

_SLOTS = 2**14
_LOOKED_AFTER = 0.5
"""Seconds between two looks whether the store is still there, and between two tries to connect."""


@dataclass(frozen=True, slots=True)
class PushConnection:
    """A connection on which changes are heard, as long as it lasts."""

    id: int
    """By which the server knows it."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """When keys were looked at: who was to hear of their changes, and how many changes their slots had had."""

    connection: PushConnection
    slots: tuple[tuple[int, int], ...]


class Listener:
    """Listens to changes of keys, in a thread of each process."""

    def __init__(self, server: Server) -> None:
        """Take the server."""
        self._server = server
        self._changes = [0] * _SLOTS
        self._connection: PushConnection | None = None
        self._process = 0

    def track(self, names: Iterable[str]) -> Tracked | None:
        """Note that keys are about to be looked at; None while nobody listens."""
        if self._process != os.getpid():
            self._process, self._connection = (
                os.getpid(),
                None,
            )  # a forked child has none of its parent's threads
            threading.Thread(
                target=_listen_always,
                args=(weakref.ref(self),),
                name="dash-stash listener",
                daemon=True,
            ).start()
        connection = self._connection
        return (
            None
            if connection is None
            else Tracked(
                connection, tuple((slot, self._changes[slot]) for slot in map(_slot, names))
            )
        )

    def is_unchanged(self, tracked: Tracked) -> bool:
        """Whether nothing was heard of a change since, on a connection that has not been lost since."""
        if tracked.connection is not self._connection or self._process != os.getpid():
            return False
        changes = self._changes
        for slot, count in tracked.slots:  # noqa: SIM110 (it is on the way of each hit: the loop takes half as long)
            if changes[slot] != count:
                return False
        return True

    def note(self, names: Iterable[str]) -> None:
        """Note changes; those of this process need not come back from the server to be known."""
        for name in names:
            self._changes[_slot(name)] += 1

    # In the thread

    def listen(self, wire: Any) -> PushConnection:
        """Begin to listen on a connection."""
        wire.connect()
        reference = weakref.ref(self)

        def hear(message: list[Any]) -> None:
            listener = reference()
            if listener is None or message[0] not in (b"invalidate", "invalidate"):
                return
            if message[1] is None:  # everything: the server was emptied
                listener._connection = None
            else:
                listener.note(
                    name.decode("utf-8", "replace") if isinstance(name, bytes) else name
                    for name in message[1]
                )

        # redis-py has no public way to hear of invalidations, and named this one otherwise before
        # its version 5.1.
        parser = wire._parser
        (getattr(parser, "set_invalidation_push_handler", None) or parser.set_push_handler)(hear)
        wire.send_command("CLIENT", "ID")
        self._connection = connection = PushConnection(int(wire.read_response()))
        return connection

    def is_listening(self, connection: PushConnection) -> bool:
        """Whether it is this one that changes are heard on; else it begins again."""
        return self._connection is connection

    def stop_listening(self) -> None:
        """Trust nothing that was looked at until now."""
        self._connection = None


def _slot(name: str) -> int:
    return zlib.crc32(name.encode()) % _SLOTS


def _listen_always(reference: weakref.ref[Listener]) -> None:
    pause = threading.Event()
    while (listener := reference()) is not None:
        with contextlib.suppress(StoreUnavailable, redis.RedisError, OSError):
            wire = listener._server.listening_connection()
            try:
                connection = listener.listen(wire)
                del listener  # so that it can go while this waits
                _hear(wire, reference, connection)
            finally:
                if (still := reference()) is not None:
                    still.stop_listening()
                del still
                wire.disconnect()
        listener = None
        pause.wait(_LOOKED_AFTER)


def _hear(wire: Any, reference: weakref.ref[Listener], connection: PushConnection) -> None:
    """Listen until the connection is lost, or the listener does not want it any more."""
    while (listener := reference()) is not None and listener.is_listening(connection):
        del listener
        if wire.can_read(timeout=_LOOKED_AFTER):
            wire.read_response(push_request=True)
