"""Flights over machines: a lock on this machine first, then, for the one that has it, a lease on the server.

The lease holds the flight's token, and ends by itself when nobody renews it. What the flight commits is stored only while the lease
still holds its token, so it does not matter why it does not: deleted, expired while the machine was stopped, evicted, lost in a
fail-over. Whoever waits does so in the server, for the outcome that the holder leaves in a list of its own; should that get lost,
they look again now and then.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
import weakref
from typing import Self

from dash_stash.errors import StoreUnavailable
from dash_stash.stores.base import Flight, Landed
from dash_stash.stores.local import LocalStore
from dash_stash.stores.redis import scripts
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.server import PATIENT, Server, milliseconds, steady_clock

LEASE = 10.0
"""Seconds after which a machine that has vanished is replaced."""

_LONGEST = 6 * LEASE
"""Seconds that no lease of ours lasts, also not of another version."""

_LOOKED_AGAIN = 1.0
"""Seconds between two looks at the lease of somebody else."""

_TOLD_AGAIN = 0.25
"""Seconds between two tries to tell what could not be told."""

# What a list of outcomes holds: one letter, then the outcome.
_LANDED, _TOLD, _CLOSED = b"l", b"t", b"c"


class RedisFlight:
    """A computation under way."""

    def __init__(
        self, flights: Flights, key: bytes, token: bytes | None, local: Flight | None
    ) -> None:
        """Take the token that stands in the lease, None without the server, and the lock on this machine."""
        self._flights, self.key, self.token, self._local = flights, key, token, local
        self._process = os.getpid()

    def __enter__(self) -> Self:
        """Be closed at the end of a with block."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close."""
        self.close()

    def land(self, outcome: bytes | None = None) -> None:
        """End the flight and leave *outcome* to those who wait."""
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
        if (
            token is not None and self._process == os.getpid()
        ):  # a forked child's copy is not the one that computes
            self._flights.end(self.key, token, message)


class Flights:
    """The flights of one store in this process."""

    def __init__(self, server: Server, keyspace: Keyspace, near: LocalStore, lease: float) -> None:
        """Take the server, and the store of this machine, whose flights come first."""
        self._server, self._keyspace, self._near, self._lease = server, keyspace, near, lease
        # The flights whose leases this process has, by token; and which process has a thread that
        # renews them. A call that was interrupted may have lost one: then its lease ends by itself.
        self._held: dict[int, dict[bytes, weakref.ref[RedisFlight]]] = {}
        # What could not be told when a flight ended, by token: until when that matters, the key,
        # and the message.
        self._owed: dict[int, dict[bytes, tuple[float, bytes, bytes]]] = {}
        self._renewing = 0
        self._owing = threading.Event()

    def join(self, key: bytes, *, wait: bool) -> RedisFlight | Landed | None:
        """Become the one that computes *key* over all machines.

        On this one alone, while the server is away.
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
        """Take the lease, or return the token of the one who has it."""
        was_asked = self._server.outage is None
        try:
            lives = milliseconds(self._lease), milliseconds(_LONGEST)
            holder: bytes | None = self._server.run(
                scripts.JOIN,
                [self._keyspace.lease(key)],
                token,
                *lives,
                self._keyspace.outcome(key, b""),
            )
        except StoreUnavailable:
            if was_asked:
                self._owe(key, token, _CLOSED)  # only the answer may have got lost
            raise
        return holder

    def _message(self, outcome: str) -> bytes | None:
        """Wait for a while for what a flight leaves, which stays for others."""
        message: bytes | None = self._server.ask(
            lambda client: client.blmove(outcome, outcome, _LOOKED_AGAIN, "LEFT", "LEFT"), PATIENT
        )
        return message

    def end(self, key: bytes, token: bytes, message: bytes) -> None:
        """Give a lease back, and tell those who wait."""
        self._held.get(os.getpid(), {}).pop(token, None)
        try:
            self._tell(key, token, message)
        except StoreUnavailable:
            self._owe(key, token, message)

    def _tell(self, key: bytes, token: bytes, message: bytes) -> None:
        names = [self._keyspace.lease(key), self._keyspace.outcome(key, token)]
        self._server.run(scripts.LAND, names, token, message, milliseconds(self._lease))

    # Renewing

    def _hold(self, flight: RedisFlight, token: bytes) -> None:
        """See that a thread of this process renews the flight's lease, as long as somebody has the flight."""
        process = os.getpid()
        self._held.setdefault(process, {})[token] = weakref.ref(flight)
        self._begin_to_renew(process)

    def _owe(self, key: bytes, token: bytes, message: bytes) -> None:
        """See that what could not be told is told as soon as the server is back, unless the lease has ended by itself before."""
        process = os.getpid()
        self._owed.setdefault(process, {})[token] = steady_clock() + self._lease, key, message
        self._begin_to_renew(process)
        self._owing.set()

    def _begin_to_renew(self, process: int) -> None:
        if self._renewing != process:  # a forked child has none of its parent's threads
            self._owing = threading.Event()
            arguments = weakref.ref(self), self._lease / 3, self._owing
            thread = threading.Thread(
                target=_renew_now_and_then, args=arguments, name="dash-stash leases", daemon=True
            )
            self._renewing = process
            try:
                thread.start()
            except BaseException:  # by a signal handler, too
                self._renewing = 0
                raise

    def renew(self) -> None:
        """Renew all leases that this process has."""
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

    def tell_what_is_owed(self) -> None:
        """Give back the leases that could not be given back before."""
        self._owing.clear()
        owed = self._owed.get(os.getpid(), {})
        for token, (until, key, message) in tuple(owed.items()):
            try:
                self._tell(key, token, message)
            except StoreUnavailable:
                if steady_clock() < until:
                    continue
            owed.pop(token, None)
        if owed:
            self._owing.set()


def _renew_now_and_then(
    reference: weakref.ref[Flights], every: float, owing: threading.Event
) -> None:
    renewed = steady_clock()
    while True:
        if owing.wait(renewed + every - steady_clock()):
            time.sleep(_TOLD_AGAIN)
        flights = reference()
        if flights is None:
            return
        flights.tell_what_is_owed()
        if steady_clock() - renewed >= every:
            renewed = steady_clock()
            flights.renew()
        del flights
