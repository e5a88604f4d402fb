"""Changes that the server pushes, so that a hit need not ask whether there was one.

A message can get lost without an error. So what it would have said is only one reason to look again: a lost connection is another,
and that the last look is a while ago.

Source: Redis documentation, "Client-side caching", broadcasting mode.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
import zlib
from collections.abc import Iterable
from typing import Any

import redis

from dash_stash.errors import StoreUnavailable
from dash_stash.stores.redis.server import Server

_SLOTS = 2**14
_LOOKED_AFTER = 0.5
"""Seconds between two looks whether the store is still there, and between two tries to connect."""

Mark = tuple[object, tuple[tuple[int, int], ...]]
"""When something was looked at: on which connection, and how many changes its keys' slots had had."""


class Listener:
    """Listens to changes of keys, in a thread of each process."""

    def __init__(self, server: Server, prefixes: tuple[str, ...]) -> None:
        """Take the server, and how the names begin of the keys whose changes are wanted."""
        self._server, self._prefixes = server, prefixes
        self._changes = [0] * _SLOTS
        self._connection: object | None = None
        self._process = 0

    def mark(self, names: Iterable[str]) -> Mark | None:
        """Note that keys are about to be looked at; None while nobody listens."""
        if self._process != os.getpid():
            self._start()
        connection = self._connection
        return None if connection is None else (connection, tuple((slot, self._changes[slot]) for slot in map(_slot, names)))

    def vouches(self, mark: Mark) -> bool:
        """Whether nothing was heard of a change since, on a connection that has not been lost since."""
        if mark[0] is not self._connection or self._process != os.getpid():
            return False
        changes = self._changes
        for slot, count in mark[1]:  # noqa: SIM110 (it is on the way of each hit: the loop takes half as long)
            if changes[slot] != count:
                return False
        return True

    def note(self, names: Iterable[str]) -> None:
        """Note changes; those of this process need not come back from the server to be known."""
        for name in names:
            self._changes[_slot(name)] += 1

    def _start(self) -> None:
        self._process, self._connection = os.getpid(), None  # a forked child has none of its parent's threads
        threading.Thread(target=_listen_always, args=(weakref.ref(self),), name="dash-stash listener", daemon=True).start()

    # In the thread

    def listen(self, is_wanted: weakref.ref[Listener]) -> None:
        """Listen until the connection, or one of those to the nodes of a cluster, is lost."""
        connections = self._server.listening_connections()
        broken = threading.Event()
        try:
            for connection in connections:
                self._subscribe(connection)
            threads = [
                threading.Thread(target=_hear, args=(connection, broken), name="dash-stash listener", daemon=True)
                for connection in connections
            ]
            self._connection = object()
            for thread in threads:
                thread.start()
            del self  # so that it ends when nobody else has it
            while not broken.wait(_LOOKED_AFTER) and is_wanted() is not None:
                pass
            broken.set()
            for thread in threads:
                thread.join()
        finally:
            if (listener := is_wanted()) is not None:
                listener._connection = None
            for connection in connections:
                connection.disconnect()

    def _subscribe(self, connection: Any) -> None:
        connection.connect()
        reference = weakref.ref(self)

        def hear(message: list[Any]) -> None:
            listener = reference()
            if listener is not None and message[0] in (b"invalidate", "invalidate"):
                if message[1] is None:  # everything: the server was emptied
                    listener._connection = object()
                else:
                    listener.note(name.decode() if isinstance(name, bytes) else name for name in message[1])

        # redis-py has no public way to hear of invalidations, and named this one otherwise before its version 5.1.
        parser = connection._parser
        (getattr(parser, "set_invalidation_push_handler", None) or parser.set_push_handler)(hear)
        prefixes = [word for prefix in self._prefixes for word in ("PREFIX", prefix)]
        connection.send_command("CLIENT", "TRACKING", "ON", "BCAST", *prefixes)
        connection.read_response()


def _slot(name: str) -> int:
    return zlib.crc32(name.encode()) % _SLOTS


def _hear(connection: Any, broken: threading.Event) -> None:
    with contextlib.suppress(redis.RedisError, OSError):
        while not broken.is_set():
            if connection.can_read(timeout=_LOOKED_AFTER):
                connection.read_response(push_request=True)
    broken.set()


def _listen_always(reference: weakref.ref[Listener]) -> None:
    pause = threading.Event()
    while (listener := reference()) is not None:
        with contextlib.suppress(StoreUnavailable, redis.RedisError, OSError):
            listener.listen(reference)
        del listener
        pause.wait(_LOOKED_AFTER)
