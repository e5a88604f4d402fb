"""The server: called with time-outs, its errors told as ours, and not called at all while it is known to be away."""

from __future__ import annotations

import functools
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import redis

from dash_stash.clock import system_clock
from dash_stash.errors import StoreUnavailable
from dash_stash.stores.base import is_patient
from dash_stash.stores.redis.address import Address

T = TypeVar("T")

_QUICK = 0.25
"""Seconds in which a small answer must come, or the server counts as away."""

PATIENT = 2.0
"""Seconds for the next chunk of something big, and for what the server may take its time with."""

_PAUSE = 1.0
"""Seconds that a patient caller waits for the server to come back."""

_LATELY = 2.0
"""Seconds for which an outage counts as such a pause: from then on nobody waits."""

_FOR_EVER = 1e12

_TIME = "return redis.call('TIME')"
_TIMED_EVERY = 60.0
"""Seconds between two looks at the server's clock, which may be set, or be another's after a fail-over."""

_PROBED_FIRST, _PROBED_EVERY = 0.02, 0.5
"""Seconds between two looks whether the server is back, at first and in the end."""

# Of these it is the server, or the way to it, that is at fault; RedisClusterException is not among
# redis-py's own errors.
_AWAY = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.RedisClusterException,
)


# While a machine sleeps, its monotonic clock may stand still; this one does not.
steady_clock = (
    functools.partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_BOOTTIME")
    else time.monotonic
)
"""Tells the seconds since some moment; it is never set."""


@dataclass(frozen=True, slots=True)
class Outage:
    """That the server is away, and why; one for all threads of a process."""

    reason: str
    began: float
    """By the steady clock: since then there has been no answer."""

    over: threading.Event = field(default_factory=threading.Event)


class Server:
    """A Redis server, or several that are one: a primary with its replicas, a cluster."""

    def __init__(self, address: Address) -> None:
        """Take its address; nothing is connected yet."""
        self.address = address
        # A forked child must not speak on its parent's connections.
        self._clients: dict[int, dict[float, Any]] = {}
        weakref.finalize(self, _close, self._clients)
        # Of this process: a forked child has no thread that would find out when the server is back.
        self._outages: dict[int, Outage] = {}
        # How far the server's clock is before the steady one, and when that is to be looked at
        # again; at first this machine's clock counts.
        self._ahead, self._time_asked_at = system_clock() - steady_clock(), float("-inf")

    def time(self) -> float:
        """The time by the server's clock, in seconds since the epoch: the same for all machines, however their own are set.

        While the server is away it goes on by this machine's steady clock.
        """
        now = steady_clock()
        if now >= self._time_asked_at:
            try:
                seconds, microseconds = self.run(_TIME, [f"{self.address.prefix}:probe"])
            except StoreUnavailable:
                self._time_asked_at = now + _LATELY
            else:
                self._ahead, self._time_asked_at = (
                    int(seconds) + int(microseconds) / 1e6 - now,
                    now + _TIMED_EVERY,
                )
        return now + self._ahead

    @property
    def outage(self) -> Outage | None:
        """That the server is away, as far as this process has found out."""
        return self._outages.get(os.getpid()) if self._outages else None

    def ask(self, call: Callable[[Any], T], timeout: float = _QUICK) -> T:
        """Return what *call* returns, which is given a client.

        It may be called again, when the answer got lost in a short pause.

        Raises:
            StoreUnavailable: The server is away, or refuses.
        """
        until = steady_clock() + (_PAUSE if is_patient() else 0)
        while True:
            outage, began = self.outage, steady_clock()
            if outage is None:
                try:
                    return call(self._client(timeout))
                except _AWAY as error:
                    outage = self._lose(str(error), began)
                except (
                    redis.RedisError,
                    OSError,
                ) as error:  # redis-py lets some errors of the system pass
                    raise StoreUnavailable(self.address.shown, str(error)) from error
                except BaseException:
                    # A signal handler's, perhaps between a question and its answer, which the next
                    # to ask on that connection would get.
                    self._clients.pop(os.getpid(), None)
                    raise
            rest = min(until, outage.began + _LATELY) - steady_clock()
            if rest <= 0 or not outage.over.wait(rest):
                raise StoreUnavailable(self.address.shown, outage.reason)

    def _client(self, timeout: float) -> Any:
        clients = self._clients.setdefault(os.getpid(), {})
        if timeout not in clients:
            clients[timeout] = self.address.client(
                timeout
            )  # of two threads that do this at once, one's is lost
        return clients[timeout]

    def listening_connection(self) -> Any:
        """Return a connection, not opened yet, on which the server can push messages."""
        return self.ask(
            lambda _: self.address.client(_QUICK, protocol=3).connection_pool.make_connection()
        )

    def _lose(self, reason: str, began: float) -> Outage:
        """Do not ask again until a thread has found that the server is back."""
        new = Outage(reason, began)
        outage = self._outages.setdefault(
            os.getpid(), new
        )  # of many threads that find out at the same time, the first one's
        if outage is new:
            try:
                threading.Thread(
                    target=_probe, args=(weakref.ref(self),), name="dash-stash probe", daemon=True
                ).start()
            except (
                BaseException
            ):  # by a signal handler, too: nobody would find out that the server is back
                self._outages.pop(os.getpid(), None)
                raise
        return outage

    def _is_back(self) -> bool:
        try:
            self._client(_QUICK).get(f"{self.address.prefix}:probe")
        except Exception:  # noqa: BLE001 (whatever it is, the server is not back; the next caller is told why)
            return False
        self._outages.pop(os.getpid()).over.set()
        return True

    # Commands that a cluster has in another form

    def values(self, names: Sequence[str], timeout: float = _QUICK) -> list[bytes | None]:
        """The values of some keys."""

        def get(client: Any) -> list[bytes | None]:
            return list(
                client.mget_nonatomic(names)
                if isinstance(client, redis.RedisCluster)
                else client.mget(names)
            )

        return self.ask(get, timeout)

    def values_watched(self, names: Sequence[str], listener: int) -> list[bytes | None] | None:
        """The values of some keys, of whose changes the connection with the id *listener* will hear; None if it cannot."""

        def get(client: Any) -> list[bytes | None] | None:
            with client.pipeline(transaction=False) as pipeline:
                # Each time, because nobody knows which connection of the pool this is, and to whom
                # it has told changes before.
                pipeline.execute_command("CLIENT", "TRACKING", "ON", "REDIRECT", listener, "OPTIN")
                pipeline.execute_command("CLIENT", "CACHING", "YES")
                pipeline.mget(names)
                answers = pipeline.execute(raise_on_error=False)
            for answer in answers:
                if isinstance(answer, redis.ResponseError):
                    return None  # the listener is gone, or of another server: after a fail-over
                if isinstance(answer, Exception):
                    raise answer
            return list(answers[-1])

        return self.ask(get)

    def together(self, commands: Sequence[Sequence[Any]], timeout: float = PATIENT) -> list[Any]:
        """Send commands without waiting for each other's answers.

        Those that a cluster's nodes share are not one step.
        """

        def send(client: Any) -> list[Any]:
            with client.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                return list(pipeline.execute())

        return self.ask(send, timeout)

    def run(
        self,
        script: str,
        names: Sequence[str],
        *arguments: str | bytes | float,
        timeout: float = _QUICK,
    ) -> Any:
        """Run a script on the server: one step, on keys of one slot."""
        return self.ask(lambda client: client.eval(script, len(names), *names, *arguments), timeout)

    def names(self, pattern: str) -> list[bytes]:
        """The names of the keys that match; there may be changes meanwhile."""
        return self.ask(lambda client: list(client.scan_iter(match=pattern, count=1000)), PATIENT)


def milliseconds(seconds: float) -> int:
    """Return a time as the server wants it, at least 1.

    What is for ever, or nearly so, as thousands of years.
    """
    return round(1000 * min(max(seconds, 0.001), _FOR_EVER))


def _close(clients: dict[int, dict[float, Any]]) -> None:
    for client in clients.pop(os.getpid(), {}).values():
        if isinstance(client, redis.RedisCluster):
            client.close()
        else:
            client.connection_pool.disconnect()


def _probe(reference: weakref.ref[Server]) -> None:
    # The first look comes at once, and waits in the server if that only pauses: then it knows when
    # the pause is over.
    pause = _PROBED_FIRST
    while (server := reference()) is not None and not server._is_back():
        del server
        time.sleep(pause)
        pause = min(2 * pause, _PROBED_EVERY)
