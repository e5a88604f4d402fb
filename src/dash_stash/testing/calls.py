"""Helpers to call a store from the contract: short, and in threads that cannot hang a test."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Self, TypeVar

import numpy as np

from dash_stash.codec import decode, encode
from dash_stash.entries import Facts
from dash_stash.stores.base import Flight, Landed, Store

T = TypeVar("T")

KEY, OTHER = b"a key of 16 byte", b"another, 16 byte"
BIG = np.arange(50_000)

PATIENCE = 0.3
"""A caller that has not returned after this many seconds is waiting."""


class Caller(threading.Thread):
    """A call in its own thread; `result` waits for it, and raises the error that it raised."""

    def __init__(self, call: Callable[[], Any]) -> None:
        """Start the call."""
        super().__init__(daemon=True)
        self._call, self._result = call, None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Make the call, and keep its result or error."""
        try:
            self._result = self._call()
        except BaseException as error:  # noqa: BLE001 (for `result`)
            self._error = error

    def result(self, seconds: float = 30) -> Any:
        """Return what the call returned."""
        self.join(seconds)
        assert not self.is_alive(), f"has not returned within {seconds} s"
        if self._error is not None:
            raise self._error
        return self._result

    @property
    def error(self) -> BaseException | None:
        """The error that the call raised, or None."""
        self.join(30)
        return self._error

    def is_waiting(self) -> bool:
        """Return whether the call has not returned within `PATIENCE` seconds."""
        self.join(PATIENCE)
        return self.is_alive()


class Child:
    """A forked process that makes a call, and keeps what that returned until it is ended."""

    def __init__(self, call: Callable[[], object]) -> None:
        """Make the call, and wait until it has returned."""
        told, tells = os.pipe()
        self._process = os.fork()
        if not self._process:
            try:
                signal.alarm(30)  # ends it, should the call not come back
                kept = call()
                os.write(tells, b"true" if kept else b"false")
                signal.pause()
            except BaseException:  # noqa: BLE001 (for whoever reads what the test printed)
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(tells)
        with open(told, "rb") as pipe:
            self.succeeded = pipe.read(4) == b"true"
        """Whether the call returned something true."""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill the process."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def must(value: T | None) -> T:
    """Return *value*, which must not be None."""
    assert value is not None
    return value


def put(
    store: Store, value: object, key: bytes = KEY, flight: Flight | None = None, **facts: Any
) -> bool:
    """Commit a value, by default one of a memo function."""
    given = {"kind": "memo", "name": "f", "created": store.clock(), **facts}
    return store.commit(flight, key, Facts(**given), encode(value))


def get(store: Store, key: bytes = KEY) -> Any:
    """Read an entry and return its value, or None for a miss."""
    found = store.read(key)
    return None if found is None else decode(found.encoded)


def fly(store: Store, key: bytes = KEY) -> Flight:
    """Get the right to compute a key that nobody computes.

    The store's janitor may be checking whether the flight was abandoned: that takes a moment.
    """
    deadline = time.monotonic() + 1
    while (flight := store.join(key, wait=False)) is None or isinstance(flight, Landed):
        assert time.monotonic() < deadline, "nobody computes it, and there is no flight"
    return flight


@contextlib.contextmanager
def flying(store: Store, key: bytes = KEY) -> Iterator[Flight]:
    """Compute a key during a with block."""
    flight = fly(store, key)
    try:
        yield flight
    finally:
        flight.close()


def two_sessions() -> tuple[str, str]:
    """Return two sessions that follow each other in listings."""
    start = secrets.token_hex(15)
    return f"session:{start}aa", f"session:{start}ab"


def numbered(count: int) -> list[bytes]:
    """Return this many different keys."""
    return [bytes([number]) * 16 for number in range(1, count + 1)]
