"""The server, called with time-outs; while it is known to be away, it is not called at all.

redis-py's errors become StoreUnavailable here.
"""

from __future__ import annotations

import functools
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

import redis

from dash_stash.clock import system_clock
from dash_stash.errors import StoreUnavailable
from dash_stash.stores.base import is_patient
from dash_stash.stores.redis import scripts
from dash_stash.stores.redis.address import Address
from dash_stash.stores.redis.client import (
    Answer,
    Client,
    Connection,
    Word,
    as_list,
    as_values,
    is_cluster,
)
from dash_stash.stores.redis.scripts import Script
from dash_stash.threads import BackgroundThread

T = TypeVar("T")

_QUICK = 0.25
"""Seconds in which a small answer must arrive; otherwise the server counts as away."""

PATIENT = 2.0
"""Seconds for the next bytes of something big, and for commands that take the server a while."""

_PAUSE = 1.0
"""Seconds that a patient caller waits for the server to come back."""

_LATELY = 2.0
"""Seconds after its beginning in which an outage may be a pause. After that, nobody waits."""

_FOR_EVER = 1e12

_TIMED_EVERY = 60.0
"""Seconds between two checks of the server's clock: it may be set, or a replica takes over."""

_PROBED_FIRST, _PROBED_EVERY = 0.02, 0.5
"""Seconds between two checks whether the server is back: the first pause, and the longest."""

# Errors for which the server, or the way to it, is at fault. RedisClusterException is not among
# redis-py's own errors.
_AWAY = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.RedisClusterException,
)


# A machine's monotonic clock may stand still while it sleeps; this one does not.
steady_clock = (
    functools.partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_BOOTTIME")
    else time.monotonic
)
"""Tells the seconds since some moment; nobody can set it."""


@dataclass(slots=True)
class Outage:
    """That the server is away, and why; one for all threads of a process."""

    reason: str
    began: float
    """By the steady clock: since then there has been no answer."""

    has_ended: threading.Event = field(default_factory=threading.Event)
    next_pause: float = _PROBED_FIRST


class Server:
    """A Redis server, or several that are one: a primary with its replicas, a cluster."""

    def __init__(self, address: Address) -> None:
        """Take its address; nothing is connected yet."""
        self.address = address
        # By process: a forked child must not speak on its parent's connections.
        self._clients: dict[int, dict[float, Client]] = {}
        weakref.finalize(self, _close, self._clients)
        # By process: a forked child has no thread that would find out when the server is back.
        self._outages: dict[int, Outage] = {}
        # How far the server's clock is ahead of the steady one, and when to look again. Until the
        # first look, this machine's clock counts.
        self._ahead, self._time_asked_at = system_clock() - steady_clock(), float("-inf")

    def time(self) -> float:
        """Return the time by the server's clock, in seconds since the epoch.

        It is the same for all machines, however their own clocks are set. While the server is
        away, it goes on by this machine's steady clock.
        """
        now = steady_clock()
        if now >= self._time_asked_at:
            try:
                seconds, microseconds = as_list(
                    self.run(scripts.TIME, [f"{self.address.prefix}:probe"])
                )
            except StoreUnavailable:
                self._time_asked_at = now + _LATELY
            else:
                self._ahead = int(seconds) + int(microseconds) / 1e6 - now
                self._time_asked_at = now + _TIMED_EVERY
        return now + self._ahead

    @property
    def outage(self) -> Outage | None:
        """The present outage, if this process knows of one."""
        return self._outages.get(os.getpid()) if self._outages else None

    def ask(self, call: Callable[[Client], T], timeout: float = _QUICK) -> T:
        """Pass a client to *call*, and return its result.

        *call* may be called again after a short pause in which the answer was lost.

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
                except (redis.RedisError, OSError) as error:
                    # redis-py lets some errors of the system pass.
                    raise StoreUnavailable(self.address.shown, str(error)) from error
                except BaseException:
                    # A signal handler's, perhaps between a question and its answer: the next to
                    # ask on that connection would get that answer.
                    self._clients.pop(os.getpid(), None)
                    raise
            rest = min(until, outage.began + _LATELY) - steady_clock()
            if rest <= 0 or not outage.has_ended.wait(rest):
                raise StoreUnavailable(self.address.shown, outage.reason)

    def _client(self, timeout: float) -> Client:
        clients = self._clients.setdefault(os.getpid(), {})
        if timeout not in clients:
            # Of two threads that do this at once, one's client is lost.
            clients[timeout] = self.address.client(timeout)
        return clients[timeout]

    def new_connection(self) -> Connection:
        """Return a connection, not opened yet, on which the server can push messages."""

        def make(_: Client) -> Connection:
            client: Client = self.address.client(_QUICK, protocol=3)
            return client.connection_pool.make_connection()

        return self.ask(make)

    # Outages

    def _lose(self, reason: str, began: float) -> Outage:
        """Do not call the server again until a thread has found that it is back."""
        new = Outage(reason, began)
        # Of many threads that find out at the same time, the first one's outage counts.
        outage = self._outages.setdefault(os.getpid(), new)
        if outage is new:
            is_probed = False
            try:
                is_probed = BackgroundThread("dash-stash probe", self, Server._probe).start()
            finally:
                if not is_probed:  # nobody would find out that the server is back
                    self._outages.pop(os.getpid(), None)
        return outage

    def _probe(self) -> float | None:
        """Look whether the server is back; return the seconds until the next look, None if it is.

        The first look comes at once. If the server only pauses, it waits in the server, and so
        knows when the pause ends.
        """
        outage = self.outage
        if outage is None or self._is_back(outage):
            return None
        pause, outage.next_pause = outage.next_pause, min(2 * outage.next_pause, _PROBED_EVERY)
        return pause

    def _is_back(self, outage: Outage) -> bool:
        try:
            self._client(_QUICK).get(f"{self.address.prefix}:probe")
        except Exception:  # noqa: BLE001 (whatever it is, the server is not back; the next caller is told why)
            return False
        self._outages.pop(os.getpid(), None)
        outage.has_ended.set()
        return True

    # Commands that a cluster has in another form

    def values(self, names: Sequence[str], timeout: float = _QUICK) -> list[bytes | None]:
        """Return the values of some keys."""

        def get(client: Client) -> list[bytes | None]:
            return list(client.mget_nonatomic(names) if is_cluster(client) else client.mget(names))

        return self.ask(get, timeout)

    def values_tracked(self, names: Sequence[str], listener: int) -> list[bytes | None] | None:
        """Return the values of some keys, whose changes the connection *listener* will hear of.

        None if it cannot: it is gone, or of another server, as after a fail-over.
        """

        def get(client: Client) -> list[bytes | None] | None:
            with client.pipeline(transaction=False) as pipeline:
                # Each time, because nobody knows which connection of the pool this is, and whom
                # it has told of changes before.
                pipeline.execute_command("CLIENT", "TRACKING", "ON", "REDIRECT", listener, "OPTIN")
                pipeline.execute_command("CLIENT", "CACHING", "YES")
                pipeline.execute_command("MGET", *names)
                answers = pipeline.execute(raise_on_error=False)
            for answer in answers:
                if isinstance(answer, redis.ResponseError):
                    return None
                if isinstance(answer, Exception):
                    raise answer
            return as_values(cast(Answer, answers[-1]))

        return self.ask(get)

    def together(
        self, commands: Sequence[Sequence[Word | Script]], timeout: float = PATIENT
    ) -> list[Answer]:
        """Send commands without waiting for each other's answers, and return the answers.

        They are not one step. A script takes the place of a command's name.
        """

        def send(client: Client) -> list[Answer]:
            answers = _send(client, [_words(command, Script.by_digest) for command in commands])
            # The server has restarted, failed over, or been told to forget its scripts.
            unknown = [
                number
                for number, answer in enumerate(answers)
                if isinstance(answer, redis.exceptions.NoScriptError)
            ]
            if unknown:
                again = [_words(commands[number], Script.by_text) for number in unknown]
                for number, answer in zip(unknown, _send(client, again), strict=True):
                    answers[number] = answer
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
            return cast(list[Answer], answers)

        return self.ask(send, timeout) if commands else []

    def run(
        self, script: Script, names: Sequence[str], *arguments: Word, timeout: float = _QUICK
    ) -> Answer:
        """Run a script on the server: one step, on keys of one slot."""

        def call(client: Client) -> Answer:
            try:
                return client.evalsha(script.digest, len(names), *names, *arguments)
            except redis.exceptions.NoScriptError:
                return client.eval(script.text, len(names), *names, *arguments)

        return self.ask(call, timeout)

    def names(self, pattern: str) -> list[bytes]:
        """Return the names of the keys that match; there may be changes meanwhile."""
        return self.ask(lambda client: list(client.scan_iter(match=pattern, count=1000)), PATIENT)


def milliseconds(seconds: float) -> int:
    """Return a time as the server wants it: at least 1, and thousands of years for infinity."""
    return round(1000 * min(max(seconds, 0.001), _FOR_EVER))


def _send(client: Client, commands: Sequence[Sequence[Word]]) -> list[Answer | Exception]:
    with client.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        return list(pipeline.execute(raise_on_error=False))


def _words(
    command: Sequence[Word | Script], name: Callable[[Script], tuple[str, str]]
) -> list[Word]:
    """Return the words of a command, in which a script is called by the *name* that this makes."""
    return [word for one in command for word in (name(one) if isinstance(one, Script) else (one,))]


def _close(clients: dict[int, dict[float, Client]]) -> None:
    for client in clients.pop(os.getpid(), {}).values():
        if is_cluster(client):
            client.close()
        else:
            client.connection_pool.disconnect()
