"""What sessions and users have: within their budgets, gone when nobody uses it, and found when they end."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash_stash.clock import Clock
from dash_stash.stores.base import PUTS, TOUCHED_EVERY, Limits, holder_of
from dash_stash.stores.redis import scripts
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.server import Server, milliseconds

GRACE = 30.0
"""Seconds that the data of a page or tab outlives its closing: a reload closes a tab, too."""

_KEPT_FOR = 1.5
"""What nobody uses is kept for so many times `Limits.idle`.

It is prolonged before less than once that is left.
"""

_UPLOAD = 60.0
"""Seconds for which what is noted need not be there yet."""

_FEW = 64
_SOME = 1000

_KNOWN = 4096
"""So many sessions a process remembers to have seen."""

_CLASS = 1e11
"""In an order, keys of one class come so far behind those of the class before.

Times of storing, in seconds, are less.
"""

_COOKIES_LATER = 1e11
"""Cookies that were replaced are forgotten after the sessions that have ended: their session may go on, and they must not open it."""


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """One entry of a session or user; `class_` is its class (see `stores.base`)."""

    key: bytes
    size: int
    class_: int
    stored: float
    scope: str

    @property
    def makes_room(self) -> int:
        """The class up to which others go for it: variables go for nothing."""
        return min(self.class_, PUTS)


class AccountIndex:
    """The sessions and users of one store."""

    def __init__(self, server: Server, keyspace: Keyspace, limits: Limits, clock: Clock) -> None:
        """Take the server and what each may have."""
        self._server, self._keyspace, self._limits, self._clock = server, keyspace, limits, clock
        self._seen: dict[str, float] = {}

    def life(self, scope: str) -> float:
        """Return for how many seconds something is stored that nobody uses: what users have, for ever."""
        return _KEPT_FOR * self._limits.idle if scope.startswith("session:") else math.inf

    def reserve(self, entry: AccountEntry) -> int:
        """Note an entry that is about to be stored, in place of what its key had.

        Returns:
            What `RESERVE` answers: it could not fit, so much has to go first, it is the first of
            its session or user, or neither.
        """
        scope, holder = entry.scope, holder_of(entry.scope)
        life = self.life(scope)
        answer = self._server.run(
            scripts.RESERVE,
            [
                self._keyspace.holder(holder),
                self._keyspace.order(holder),
                self._keyspace.scope(scope),
            ],
            entry.key.hex(),
            entry.size,
            entry.class_,
            f"{entry.size} {entry.class_} {entry.stored} {scope}",
            entry.class_ * _CLASS + entry.stored,
            entry.makes_room,
            self._limits.max_session_bytes,
            self._clock(),
            "" if math.isinf(life) else milliseconds(2 * life),
        )
        if answer == scripts.FIRST and holder.startswith("session:"):
            self._count(holder)
        return int(answer)

    def release(self, holder: str, keys: Sequence[bytes]) -> None:
        """Note that entries are gone."""
        names = (
            self._keyspace.holder(holder),
            self._keyspace.order(holder),
            self._keyspace.scope(holder),
        )
        for first in range(0, len(keys), _SOME):
            self._server.run(
                scripts.RELEASE, names, holder, *(key.hex() for key in keys[first : first + _SOME])
            )

    def keys(self, holder: str) -> list[bytes]:
        """The keys of all that a session or user has, as far as is noted: some of it may be gone."""
        names = (
            ("HKEYS", self._keyspace.holder(holder)),
            ("ZRANGE", self._keyspace.order(holder), 0, -1),
            ("HKEYS", self._keyspace.scope(holder)),
        )
        return _keys({name for some in self._server.together(names) for name in some})

    def keys_of(self, scope: str) -> list[bytes]:
        """The same of a scope alone."""
        commands = (
            ("HKEYS", self._keyspace.scope(scope)),
            ("HGETALL", self._keyspace.holder(holder_of(scope))),
        )
        own, all_of_holder = self._server.together(commands)
        return [*{*_keys(own), *(one.key for one in _parse(all_of_holder) if one.scope == scope)}]

    def some(self, holder: str) -> list[bytes]:
        """Keys at random, of what was noted long enough ago to be there, if it is not gone."""
        (fields,) = self._server.together(
            [("HRANDFIELD", self._keyspace.holder(holder), _SOME, "WITHVALUES")]
        )
        before = self._clock() - _UPLOAD
        return [
            one.key
            for one in _parse(dict(zip(fields[::2], fields[1::2], strict=True)))
            if one.stored <= before
        ]

    def cheapest_first(self, entry: AccountEntry) -> list[tuple[bytes, int]]:
        """Some of what makes room for an entry, with the sizes: class by class, and first what was used longest ago."""
        holder = self._keyspace.holder(holder_of(entry.scope))
        limit = f"({(entry.makes_room + 1) * _CLASS:.0f}"
        order = self._keyspace.order(holder_of(entry.scope))
        (names,) = self._server.together(
            [("ZRANGEBYSCORE", order, "-inf", limit, "LIMIT", 0, _FEW)]
        )
        some = [key for key in _keys(names) if key != entry.key]
        if not some:
            return []
        looks: list[Sequence[Any]] = [
            ("EVAL", scripts.UNUSED_FOR, 1, self._keyspace.pointer(key)) for key in some
        ]
        texts, *unused = self._server.together(
            [("HMGET", holder, *(key.hex() for key in some)), *looks]
        )
        known = [
            _parse_one(key.hex().encode(), text or b"")
            for key, text in zip(some, texts, strict=True)
        ]
        # What is gone already costs nobody anything.
        found = [
            (-1 if seconds is None or one is None else one.class_, -(seconds or 0), number)
            for number, (one, seconds) in enumerate(zip(known, unused, strict=True))
        ]
        return [
            (some[number], 0 if (one := known[number]) is None else one.size)
            for _, _, number in sorted(found)
        ]

    # Life

    def end(self, holder: str) -> None:
        """Note, for longer than any cookie is good for, that a session or user has ended.

        So many at most.
        """
        known_for, now, all_ended = self._limits.ended, self._clock(), self._keyspace.all_ended
        late = _COOKIES_LATER if holder.startswith("cookie:") else 0.0
        commands = [
            ("SET", self._keyspace.ended(holder), 1, "PX", milliseconds(known_for)),
            ("ZREMRANGEBYSCORE", all_ended, "-inf", now - known_for),
            ("ZREMRANGEBYSCORE", all_ended, _COOKIES_LATER, _COOKIES_LATER + now - known_for),
            ("ZADD", all_ended, now + late, holder),
            ("ZCARD", all_ended),
        ]
        *_, count = self._server.together(commands)
        if count > self._limits.max_ended:
            (first,) = self._server.together(
                [("ZRANGE", all_ended, 0, count - self._limits.max_ended - 1)]
            )
            names = [("DEL", self._keyspace.ended(one.decode(errors="replace"))) for one in first]
            self._server.together([*names, ("ZREM", all_ended, *first)])

    def has_ended(self, holder: str) -> bool:
        """Whether it has."""
        return bool(self._server.ask(lambda client: client.exists(self._keyspace.ended(holder))))

    def forget(self, holder: str) -> None:
        """Forget what a session or user has."""
        names = (
            self._keyspace.holder(holder),
            self._keyspace.order(holder),
            self._keyspace.scope(holder),
        )
        lists = self._keyspace.sessions, self._keyspace.new_sessions
        self._server.together(
            [*(("DEL", name) for name in names), *(("ZREM", name, holder) for name in lists)]
        )

    def touch(self, scope: str) -> list[bytes]:
        """Note that a scope is in use.

        Return the keys of what it has if their life is to be prolonged.
        """
        holder, now = holder_of(scope), self._clock()
        is_session = scope == holder
        names = (
            self._keyspace.scope(scope),
            self._keyspace.holder(holder),
            self._keyspace.order(holder),
        )
        life = milliseconds(2 * self.life(scope))
        arguments = now, self._limits.idle / 4, life, holder if is_session else ""
        commands: list[Sequence[Any]] = [("EVAL", scripts.TOUCH, 3, *names, *arguments)]
        if is_session:
            self._see(holder, now)
            commands += [
                ("ZADD", self._keyspace.sessions, "XX", now, holder),
                ("ZREM", self._keyspace.new_sessions, holder),
            ]
        keys, *listed = self._server.together(commands)
        if is_session and listed[1]:
            self._server.together([("ZADD", self._keyspace.sessions, now, holder)])
        return _keys(keys)

    def leave(self, scope: str) -> list[bytes]:
        """Note that a scope was left; return the keys of what it has."""
        return _keys(
            self._server.run(scripts.LEAVE, [self._keyspace.scope(scope)], milliseconds(GRACE))
        )

    # How many there are

    def _see(self, holder: str, now: float) -> None:
        if len(self._seen) >= _KNOWN:
            self._seen.clear()
        self._seen[holder] = now

    def _count(self, holder: str) -> None:
        """Note that a session has something stored from now on.

        Whoever was not seen before may never come back.
        """
        now = self._clock()
        if now - self._seen.get(holder, -math.inf) <= TOUCHED_EVERY:
            self._server.together([("ZADD", self._keyspace.sessions, now, holder)])
            return
        (known,) = self._server.together([("ZSCORE", self._keyspace.sessions, holder)])
        if known is None:
            self._server.together([("ZADD", self._keyspace.new_sessions, now, holder)])

    def too_many(self) -> list[str]:
        """The sessions that have to go: of those seen in one request only, then those used longest ago."""
        new, sessions, before = (
            self._keyspace.new_sessions,
            self._keyspace.sessions,
            self._clock() - _KEPT_FOR * self._limits.idle,
        )
        old = [("ZREMRANGEBYSCORE", name, "-inf", before) for name in (new, sessions)]
        *_, news, others = self._server.together([*old, ("ZCARD", new), ("ZCARD", sessions)])
        limits = self._limits
        too_new = min(
            news, max(news - limits.max_new_sessions, news + others - limits.max_sessions, 0)
        )
        too_old = max(news - too_new + others - limits.max_sessions, 0)
        counts = [(name, count) for name, count in ((new, too_new), (sessions, too_old)) if count]
        found = (
            self._server.together([("ZRANGE", name, 0, count - 1) for name, count in counts])
            if counts
            else []
        )
        holders = {holder for some in found for holder in some}
        foreign = {
            holder
            for holder in holders
            if not holder.startswith(b"session:") or not holder.isascii()
        }
        if foreign:
            self._server.together([("ZREM", name, *foreign) for name in (new, sessions)])
        return [holder.decode() for holder in holders - foreign]


def _keys(names: Iterable[bytes]) -> list[bytes]:
    """The keys that stand in names, which somebody else may have written."""
    found = []
    for name in names:
        with contextlib.suppress(ValueError):
            found.append(bytes.fromhex(name.decode()))
    return found


def _parse(fields: Mapping[bytes, bytes]) -> list[AccountEntry]:
    return [one for name, text in fields.items() if (one := _parse_one(name, text)) is not None]


def _parse_one(name: bytes, text: bytes) -> AccountEntry | None:
    try:
        size, class_, stored, scope = text.decode().split(" ", 3)
        return AccountEntry(
            bytes.fromhex(name.decode()), int(size), int(class_), float(stored), scope
        )
    except ValueError:
        return None  # a tracked or a sum, or written by somebody else
