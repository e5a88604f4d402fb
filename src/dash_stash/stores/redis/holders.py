"""What sessions and users have: within their budgets, gone when nobody uses it, and found when they end."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from dash_stash.clock import Clock
from dash_stash.stores.base import Limits, holder_of
from dash_stash.stores.redis import scripts
from dash_stash.stores.redis.names import Names
from dash_stash.stores.redis.server import Server, milliseconds

GRACE = 30.0
"""Seconds that the data of a page or tab outlives its closing: a reload closes a tab, too."""

_KEPT_FOR = 1.5
"""What nobody uses is kept for so many times `Limits.idle`; it is prolonged before less than once that is left."""

_AGAIN = {"memo", "recipe"}


@dataclass(frozen=True, slots=True)
class Belonging:
    """One entry of a session or user."""

    key: bytes
    size: int
    kind: str
    stored: float
    scope: str


class Holders:
    """The sessions and users of one store."""

    def __init__(self, server: Server, names: Names, limits: Limits, clock: Clock) -> None:
        """Take the server and what each may have."""
        self._server, self._names, self._limits, self._clock = server, names, limits, clock

    def life(self, scope: str) -> float:
        """Return for how many seconds something is stored that nobody uses: what users have, for ever."""
        return _KEPT_FOR * self._limits.idle if scope.startswith("session:") else math.inf

    def reserve(self, belonging: Belonging) -> int:
        """Note an entry that is about to be stored, in place of what its key had.

        Returns:
            What `RESERVE` answers: it would be too much, it is the first of its session or user, or neither.
        """
        holder = holder_of(belonging.scope)
        life = self.life(belonging.scope)
        text = f"{belonging.size} {belonging.kind} {belonging.stored} {belonging.scope}"
        answer = self._server.run(
            scripts.RESERVE,
            [self._names.holder(holder)],
            belonging.key.hex(),
            belonging.size,
            text,
            self._limits.max_session_bytes,
            "" if math.isinf(life) else milliseconds(2 * life),
        )
        if answer == scripts.FIRST and holder.startswith("session:"):
            self._server.together([("ZADD", self._names.sessions, self._clock(), holder)])
        return int(answer)

    def release(self, holder: str, keys: Iterable[bytes]) -> None:
        """Note that entries are gone."""
        self._server.run(scripts.RELEASE, [self._names.holder(holder)], *(key.hex() for key in keys))

    def belongings(self, holder: str) -> list[Belonging]:
        """All that a session or user has, as far as is noted: some of it may be gone."""
        return _parse(self._server.ask(lambda client: client.hgetall(self._names.holder(holder))))

    def computed_first(self, holder: str) -> list[Belonging]:
        """What it has that can be computed again, the oldest first."""
        return sorted((one for one in self.belongings(holder) if one.kind in _AGAIN), key=lambda one: one.stored)

    # Life

    def end(self, holder: str) -> None:
        """Note, for longer than any cookie is good for, that a session or user has ended."""
        command = ("SET", self._names.ended(holder), 1, "PX", milliseconds(self._limits.ended))
        self._server.together([command, ("ZREM", self._names.sessions, holder)])

    def has_ended(self, holder: str) -> bool:
        """Whether it has."""
        return bool(self._server.ask(lambda client: client.exists(self._names.ended(holder))))

    def forget(self, holder: str) -> None:
        """Forget what a session or user has."""
        self._server.together([("DEL", self._names.holder(holder)), ("ZREM", self._names.sessions, holder)])

    def touch(self, scope: str) -> list[bytes]:
        """Note that a scope is in use; return the keys of what it has if their life is to be prolonged."""
        holder, now = holder_of(scope), self._clock()
        arguments = scope, now, self._limits.idle / 4, milliseconds(2 * self.life(scope))
        answer = self._server.run(scripts.TOUCH, [self._names.holder(holder)], *arguments)
        if answer is not None and scope == holder:
            self._server.together([("ZADD", self._names.sessions, "XX", now, holder)])
        fields = dict(zip(answer[::2], answer[1::2], strict=True)) if answer else {}
        return [one.key for one in _parse(fields) if one.scope == scope]

    def leave(self, scope: str) -> list[bytes]:
        """Note that a scope was left; return the keys of what it has."""
        holder = holder_of(scope)
        keys = [one.key for one in self.belongings(holder) if one.scope == scope]
        if keys:
            name = self._names.holder(holder)
            self._server.together([("HSET", name, f"-{scope}", 1), ("PEXPIRE", name, milliseconds(2 * self.life(scope)))])
        return keys

    def too_many(self) -> list[str]:
        """The sessions used longest ago, of those that there are more than there may be."""
        old = "ZREMRANGEBYSCORE", self._names.sessions, "-inf", self._clock() - _KEPT_FOR * self._limits.idle
        _, count = self._server.together([old, ("ZCARD", self._names.sessions)])
        if count <= self._limits.max_sessions:
            return []
        (oldest,) = self._server.together([("ZRANGE", self._names.sessions, 0, count - self._limits.max_sessions - 1)])
        foreign = [holder for holder in oldest if not holder.startswith(b"session:") or not holder.isascii()]
        if foreign:
            self._server.together([("ZREM", self._names.sessions, *foreign)])
        return [holder.decode() for holder in oldest if holder not in foreign]


def _parse(fields: dict[bytes, bytes]) -> list[Belonging]:
    found = []
    for name, text in fields.items():
        if name[:1] not in (b"=", b"@", b"-"):
            try:
                size, kind, stored, scope = text.decode().split(" ", 3)
                found.append(Belonging(bytes.fromhex(name.decode()), int(size), kind, float(stored), scope))
            except ValueError:
                continue  # written by somebody else
    return found
