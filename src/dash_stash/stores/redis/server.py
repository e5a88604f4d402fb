"""The server: called with time-outs, its errors told as ours, and not called at all while it is known to be away."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import redis

from dash_stash.errors import StoreUnavailable
from dash_stash.stores.redis.address import Address

_QUICK = 0.25
"""Seconds in which a small answer must come, or the server counts as away."""

PATIENT = 2.0
"""Seconds for the next piece of something big, and for what the server may take its time with."""

_PROBED_EVERY = 0.5

# Of these it is the server, or the way to it, that is at fault; RedisClusterException is not among redis-py's own errors.
_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.ClusterDownError, redis.exceptions.RedisClusterException)


class Server:
    """A Redis server, or several that are one: a primary with its replicas, a cluster."""

    def __init__(self, address: Address) -> None:
        """Take its address; nothing is connected yet."""
        self.address = address
        # A forked child must not speak on its parent's connections.
        self._clients: dict[int, dict[float, Any]] = {}
        weakref.finalize(self, _close, self._clients)
        # Which process found out that it is away, and why: a forked child has no thread that would find out when it is back.
        self._away: tuple[int, str] | None = None

    @property
    def is_reachable(self) -> bool:
        """Whether it is not known to be away."""
        return self._away is None or self._away[0] != os.getpid()

    @contextlib.contextmanager
    def asked(self, timeout: float = _QUICK) -> Iterator[Any]:
        """Ask the server something within a with block.

        Raises:
            StoreUnavailable: It is away, or refuses.
        """
        away = self._away
        if away is not None and away[0] == os.getpid():
            raise StoreUnavailable(self.address.shown, away[1])
        try:
            yield self._client(timeout)
        except _AWAY as error:
            self._lose(str(error))
            raise StoreUnavailable(self.address.shown, str(error)) from error
        except (redis.RedisError, OSError) as error:  # redis-py lets some errors of the system pass
            raise StoreUnavailable(self.address.shown, str(error)) from error
        except BaseException:
            # A signal handler's, perhaps between a question and its answer, which the next to ask on that connection would get.
            self._clients.pop(os.getpid(), None)
            raise

    def _client(self, timeout: float) -> Any:
        clients = self._clients.setdefault(os.getpid(), {})
        if timeout not in clients:
            clients[timeout] = self.address.client(timeout)  # of two threads that do this at once, one's is lost
        return clients[timeout]

    def listening_connection(self) -> Any:
        """Return a connection, not opened yet, on which the server can push messages."""
        with self.asked():
            return self.address.client(_QUICK, protocol=3).connection_pool.make_connection()

    def _lose(self, reason: str) -> None:
        """Do not ask again until a thread has found that the server is back."""
        if self.is_reachable:
            self._away = os.getpid(), reason
            threading.Thread(target=_probe, args=(weakref.ref(self),), name="dash-stash probe", daemon=True).start()

    def _is_back(self) -> bool:
        try:
            self._client(_QUICK).get(f"{self.address.prefix}:probe")
        except Exception:  # noqa: BLE001 (whatever it is, the server is not back; the next caller is told why)
            return False
        self._away = None
        return True

    # Commands that a cluster has in another form

    def values(self, names: Sequence[str], timeout: float = _QUICK) -> list[bytes | None]:
        """The values of some keys."""
        with self.asked(timeout) as client:
            if isinstance(client, redis.RedisCluster):
                return list(client.mget_nonatomic(names))
            return list(client.mget(names))

    def values_watched(self, names: Sequence[str], listener: int) -> list[bytes | None] | None:
        """The values of some keys, of whose changes the connection with the id *listener* will hear; None if it cannot."""
        with self.asked() as client, client.pipeline(transaction=False) as pipeline:
            # Each time, because nobody knows which connection of the pool this is, and to whom it has told changes before.
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

    def together(self, commands: Sequence[Sequence[Any]], timeout: float = PATIENT) -> list[Any]:
        """Send commands without waiting for each other's answers; those that a cluster's nodes share are not one step."""
        with self.asked(timeout) as client, client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            return list(pipeline.execute())

    def run(self, script: str, names: Sequence[str], *arguments: str | bytes | float, timeout: float = _QUICK) -> Any:
        """Run a script on the server: one step, on keys of one slot."""
        with self.asked(timeout) as client:
            return client.eval(script, len(names), *names, *arguments)

    def names(self, pattern: str) -> Iterator[bytes]:
        """The names of the keys that match; there may be changes meanwhile."""
        with self.asked(PATIENT) as client:
            yield from client.scan_iter(match=pattern, count=1000)


def milliseconds(seconds: float) -> int:
    """Return a time as the server wants it, at least 1."""
    return max(1, round(1000 * seconds))


def _close(clients: dict[int, dict[float, Any]]) -> None:
    for client in clients.pop(os.getpid(), {}).values():
        if isinstance(client, redis.RedisCluster):
            client.close()
        else:
            client.connection_pool.disconnect()


def _probe(reference: weakref.ref[Server]) -> None:
    pause = threading.Event()
    while not pause.wait(_PROBED_EVERY):
        server = reference()
        if server is None or server._is_back():
            return
        del server
