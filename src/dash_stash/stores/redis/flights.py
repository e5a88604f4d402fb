"""Flights across machines: first a lock on this machine, then a lease on the server.

The lease holds the flight's token, and ends by itself unless its holder renews it. What the flight
commits is stored only while the lease still holds its token. It does not matter how the lease was
lost: deleted, expired while the machine was stopped, evicted, or lost in a fail-over. Callers wait
at the server for the outcome, which the holder writes into a separate list. In case that is lost,
they check again from time to time.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import weakref
from typing import Self

from dash_stash.errors import StoreUnavailable
from dash_stash.stores.base import Flight, Landed
from dash_stash.stores.local import LocalStore
from dash_stash.stores.redis import scripts
from dash_stash.stores.redis.client import as_bytes
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.server import PATIENT, Server, milliseconds, steady_clock
from dash_stash.threads import BackgroundThread

LEASE = 10.0
"""Seconds after which another machine replaces one that has vanished."""

_LONGEST = 6 * LEASE
"""More seconds than any lease of ours lasts, in any version."""

_LOOKED_AGAIN = 1.0
"""Seconds between two checks of somebody else's lease."""

_TOLD_AGAIN = 0.25
"""Seconds between two attempts to report the end of a flight."""

# Items of a list of outcomes: one letter, then the outcome.
_LANDED, _TOLD, _CLOSED = b"l", b"t", b"c"


class RedisFlight:
    """A computation under way."""

    def __init__(
        self, flights: Flights, key: bytes, token: bytes | None, local: Flight | None
    ) -> None:
        """Take the lease's token (None without the server), and the lock on this machine."""
        self._flights, self.key, self.token, self._local = flights, key, token, local
        self._process = os.getpid()

    def __enter__(self) -> Self:
        """Return the flight; the end of the with block closes it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the flight."""
        self.close()

    def land(self, outcome: bytes | None = None) -> None:
        """End the flight and leave *outcome* to the callers that wait."""
        try:
            self._end(_LANDED if outcome is None else _TOLD + outcome)
            if self._local is not None:
                self._local.land(outcome)
        finally:
            self._close_local()

    def close(self) -> None:
        """Give up, unless it has landed."""
        try:
            self._end(_CLOSED)
        finally:
            self._close_local()

    def _close_local(self) -> None:
        if self._local is not None:
            self._local.close()

    def _end(self, message: bytes) -> None:
        token, self.token = self.token, None
        # A forked child only has a copy: it does not compute.
        if token is not None and self._process == os.getpid():
            self._flights.end(self.key, token, message)


class Flights:
    """The flights of one store in this process."""

    def __init__(self, server: Server, keyspace: Keyspace, near: LocalStore, lease: float) -> None:
        """Take the server, and the store of this machine: a flight starts there."""
        self._server, self._keyspace, self._near, self._lease = server, keyspace, near, lease
        # By process and token, the flights whose leases this process renews. A call that was
        # interrupted may have lost one: then its lease ends by itself.
        self._held: dict[int, dict[bytes, weakref.ref[RedisFlight]]] = {}
        # By process and token, the flights whose end could not be reported: until when that
        # matters, the key, and the message.
        self._owed: dict[int, dict[bytes, tuple[float, bytes, bytes]]] = {}
        self._renew_at = steady_clock() + lease / 3
        self._thread = BackgroundThread("dash-stash leases", self, Flights._keep_up)

    def join(self, key: bytes, *, wait: bool) -> RedisFlight | Landed | None:
        """Get the right to compute *key*, among all machines.

        While the server is away, it is the right on this machine only.
        """
        try:
            local = self._near.join(key, wait=wait)
        except StoreUnavailable:
            return self._join_others(key, None, wait=wait)
        if local is None or isinstance(local, Landed):
            return local
        try:
            joined = self._join_others(key, local, wait=wait)
        except StoreUnavailable:
            return RedisFlight(self, key, None, local)
        except BaseException:
            local.close()
            raise
        if isinstance(joined, Landed):
            local.land(joined.outcome)
        elif joined is None:
            local.close()
        return joined

    def _join_others(
        self, key: bytes, local: Flight | None, *, wait: bool
    ) -> RedisFlight | Landed | None:
        token = secrets.token_bytes(16)
        while True:
            holder = self._lease_or_holder(key, token)
            if holder is None:
                flight = RedisFlight(self, key, token, local)
                self._hold(flight, token)
                return flight
            if not wait:
                return None
            message = self._message(self._keyspace.outcome(key, holder))
            if message and message[:1] != _CLOSED:
                return Landed(None if message[:1] == _LANDED else message[1:])

    def _lease_or_holder(self, key: bytes, token: bytes) -> bytes | None:
        """Take the lease, or return the token of its holder."""
        was_asked = self._server.outage is None
        names, lives = [self._keyspace.lease(key)], (self._lease, _LONGEST)
        outcomes = self._keyspace.outcome(key, b"")
        try:
            return as_bytes(
                self._server.run(scripts.JOIN, names, token, *map(milliseconds, lives), outcomes)
            )
        except StoreUnavailable:
            if was_asked:
                self._owe(key, token, _CLOSED)  # perhaps only the answer got lost
            raise

    def _message(self, outcome: str) -> bytes | None:
        """Wait a moment for the outcome of a flight; it stays on the server for others."""
        return self._server.ask(
            lambda client: client.blmove(outcome, outcome, _LOOKED_AGAIN, "LEFT", "LEFT"), PATIENT
        )

    def end(self, key: bytes, token: bytes, message: bytes) -> None:
        """Give a lease back, and tell the callers that wait."""
        self._held.get(os.getpid(), {}).pop(token, None)
        try:
            self._tell(key, token, message)
        except StoreUnavailable:
            self._owe(key, token, message)

    def _tell(self, key: bytes, token: bytes, message: bytes) -> None:
        names = [self._keyspace.lease(key), self._keyspace.outcome(key, token)]
        self._server.run(scripts.LAND, names, token, message, milliseconds(self._lease))

    # In the thread

    def _hold(self, flight: RedisFlight, token: bytes) -> None:
        """Let a thread renew the flight's lease while anybody has the flight."""
        self._held.setdefault(os.getpid(), {})[token] = weakref.ref(flight)
        self._thread.start()

    def _owe(self, key: bytes, token: bytes, message: bytes) -> None:
        """Report a flight's end when the server is back, unless its lease ends before that."""
        until = steady_clock() + self._lease
        self._owed.setdefault(os.getpid(), {})[token] = until, key, message
        self._thread.start()
        self._thread.wake()

    def _keep_up(self) -> float:
        """Report ends, renew leases if it is time, and return the seconds until the next time."""
        owes = self._tell_what_is_owed()
        if steady_clock() >= self._renew_at:
            self._renew_at = steady_clock() + self._lease / 3
            self._renew()
        pause = self._renew_at - steady_clock()
        return min(pause, _TOLD_AGAIN) if owes else pause

    def _renew(self) -> None:
        held = self._held.get(os.getpid(), {})
        for token, reference in tuple(held.items()):
            flight = reference()
            if flight is None:
                held.pop(token, None)
                continue
            with contextlib.suppress(StoreUnavailable):
                self._server.run(
                    scripts.RENEW,
                    [self._keyspace.lease(flight.key)],
                    token,
                    milliseconds(self._lease),
                )
            del flight

    def _tell_what_is_owed(self) -> bool:
        """Report ends that could not be reported before; return whether some are left."""
        owed = self._owed.get(os.getpid(), {})
        for token, (until, key, message) in tuple(owed.items()):
            try:
                self._tell(key, token, message)
            except StoreUnavailable:
                if steady_clock() < until:
                    continue
            owed.pop(token, None)
        return bool(owed)
