"""What sessions and users have: within their budgets, gone when nobody uses it, and found when they end."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash_stash.clock import Clock
from dash_stash.entries import PUTS
from dash_stash.owner import Owner, account_of, kind_of, parse
from dash_stash.stores.base import TOUCHED_EVERY, Limits
from dash_stash.stores.redis import scripts
from dash_stash.stores.redis.names import Names
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
class Belonging:
    """One entry of a session or user; `class_` is its class (see `stores.base`)."""

    key: bytes
    size: int
    class_: int
    stored: float
    owner: Owner

    @property
    def makes_room(self) -> int:
        """The class up to which others go for it: variables go for nothing."""
        return min(self.class_, PUTS)


class AccountIndex:
    """The sessions and users of one store."""

    def __init__(self, server: Server, names: Names, limits: Limits, clock: Clock) -> None:
        """Take the server and what each may have."""
        self._server, self._names, self._limits, self._clock = server, names, limits, clock
        self._seen: dict[str, float] = {}

    def life(self, owner: Owner) -> float:
        """Return for how many seconds something is stored that nobody uses: what users have, for ever."""
        return _KEPT_FOR * self._limits.idle if kind_of(owner) == "session" else math.inf

    def reserve(self, belonging: Belonging) -> int:
        """Note an entry that is about to be stored, in place of what its key had.

        Returns:
            What `RESERVE` answers: it could not fit, so much has to go first, it is the first of
            its session or user, or neither.
        """
        owner, account = belonging.owner, account_of(belonging.owner)
        life = self.life(owner)
        answer = self._server.run(
            scripts.RESERVE,
            [self._names.account(account), self._names.order(account), self._names.owner(owner)],
            belonging.key.hex(),
            belonging.size,
            belonging.class_,
            f"{belonging.size} {belonging.class_} {belonging.stored} {owner}",
            belonging.class_ * _CLASS + belonging.stored,
            belonging.makes_room,
            self._limits.max_session_bytes,
            self._clock(),
            "" if math.isinf(life) else milliseconds(2 * life),
        )
        if answer == scripts.FIRST and kind_of(account) == "session":
            self._count(account)
        return int(answer)

    def release(self, account: Owner, keys: Sequence[bytes]) -> None:
        """Note that entries are gone."""
        names = self._names.account(account), self._names.order(account), self._names.owner(account)
        for first in range(0, len(keys), _SOME):
            self._server.run(
                scripts.RELEASE, names, account, *(key.hex() for key in keys[first : first + _SOME])
            )

    def keys(self, account: Owner) -> list[bytes]:
        """The keys of all that a session or user has, as far as is noted: some of it may be gone."""
        names = (
            ("HKEYS", self._names.account(account)),
            ("ZRANGE", self._names.order(account), 0, -1),
            ("HKEYS", self._names.owner(account)),
        )
        return _keys({name for some in self._server.together(names) for name in some})

    def keys_of(self, owner: Owner) -> list[bytes]:
        """The same of an owner alone."""
        commands = (
            ("HKEYS", self._names.owner(owner)),
            ("HGETALL", self._names.account(account_of(owner))),
        )
        own, all_of_holder = self._server.together(commands)
        return [*{*_keys(own), *(one.key for one in _parse(all_of_holder) if one.owner == owner)}]

    def some(self, account: Owner) -> list[bytes]:
        """Keys at random, of what was noted long enough ago to be there, if it is not gone."""
        (fields,) = self._server.together(
            [("HRANDFIELD", self._names.account(account), _SOME, "WITHVALUES")]
        )
        before = self._clock() - _UPLOAD
        return [
            one.key
            for one in _parse(dict(zip(fields[::2], fields[1::2], strict=True)))
            if one.stored <= before
        ]

    def cheapest_first(self, belonging: Belonging) -> list[tuple[bytes, int]]:
        """Some of what makes room for an entry, with the sizes: class by class, and first what was used longest ago."""
        account = self._names.account(account_of(belonging.owner))
        limit = f"({(belonging.makes_room + 1) * _CLASS:.0f}"
        order = self._names.order(account_of(belonging.owner))
        (names,) = self._server.together(
            [("ZRANGEBYSCORE", order, "-inf", limit, "LIMIT", 0, _FEW)]
        )
        some = [key for key in _keys(names) if key != belonging.key]
        if not some:
            return []
        looks: list[Sequence[Any]] = [
            ("EVAL", scripts.UNUSED_FOR, 1, self._names.pointer(key)) for key in some
        ]
        texts, *unused = self._server.together(
            [("HMGET", account, *(key.hex() for key in some)), *looks]
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

    def end(self, account: Owner) -> None:
        """Note, for longer than any cookie is good for, that a session or user has ended.

        So many at most.
        """
        known_for, now, all_ended = self._limits.ended, self._clock(), self._names.all_ended
        late = _COOKIES_LATER if kind_of(account) == "cookie" else 0.0
        commands = [
            ("SET", self._names.ended(account), 1, "PX", milliseconds(known_for)),
            ("ZREMRANGEBYSCORE", all_ended, "-inf", now - known_for),
            ("ZREMRANGEBYSCORE", all_ended, _COOKIES_LATER, _COOKIES_LATER + now - known_for),
            ("ZADD", all_ended, now + late, account),
            ("ZCARD", all_ended),
        ]
        *_, count = self._server.together(commands)
        if count > self._limits.max_ended:
            (first,) = self._server.together(
                [("ZRANGE", all_ended, 0, count - self._limits.max_ended - 1)]
            )
            names = [("DEL", self._names.ended(one.decode(errors="replace"))) for one in first]
            self._server.together([*names, ("ZREM", all_ended, *first)])

    def has_ended(self, account: Owner) -> bool:
        """Whether it has."""
        return bool(self._server.ask(lambda client: client.exists(self._names.ended(account))))

    def forget(self, account: Owner) -> None:
        """Forget what a session or user has."""
        names = self._names.account(account), self._names.order(account), self._names.owner(account)
        lists = self._names.sessions, self._names.new_sessions
        self._server.together(
            [*(("DEL", name) for name in names), *(("ZREM", name, account) for name in lists)]
        )

    def touch(self, owner: Owner) -> list[bytes]:
        """Note that an owner is in use.

        Return the keys of what it has if their life is to be prolonged.
        """
        account, now = account_of(owner), self._clock()
        is_session = owner == account
        names = self._names.owner(owner), self._names.account(account), self._names.order(account)
        life = milliseconds(2 * self.life(owner))
        arguments = now, self._limits.idle / 4, life, account if is_session else ""
        commands: list[Sequence[Any]] = [("EVAL", scripts.TOUCH, 3, *names, *arguments)]
        if is_session:
            self._see(account, now)
            commands += [
                ("ZADD", self._names.sessions, "XX", now, account),
                ("ZREM", self._names.new_sessions, account),
            ]
        keys, *listed = self._server.together(commands)
        if is_session and listed[1]:
            self._server.together([("ZADD", self._names.sessions, now, account)])
        return _keys(keys)

    def leave(self, owner: Owner) -> list[bytes]:
        """Note that an owner was left; return the keys of what it has."""
        return _keys(
            self._server.run(scripts.LEAVE, [self._names.owner(owner)], milliseconds(GRACE))
        )

    # How many there are

    def _see(self, account: Owner, now: float) -> None:
        if len(self._seen) >= _KNOWN:
            self._seen.clear()
        self._seen[account] = now

    def _count(self, account: Owner) -> None:
        """Note that a session has something stored from now on.

        Whoever was not seen before may never come back.
        """
        now = self._clock()
        if now - self._seen.get(account, -math.inf) <= TOUCHED_EVERY:
            self._server.together([("ZADD", self._names.sessions, now, account)])
            return
        (known,) = self._server.together([("ZSCORE", self._names.sessions, account)])
        if known is None:
            self._server.together([("ZADD", self._names.new_sessions, now, account)])

    def too_many(self) -> list[Owner]:
        """The sessions that have to go: of those seen in one request only, then those used longest ago."""
        new, sessions, before = (
            self._names.new_sessions,
            self._names.sessions,
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
        names = {name for some in found for name in some}
        known = {name: parse(name.decode("ascii", "replace")) for name in names}
        accounts = {name: one.account for name, one in known.items() if one is not None}
        foreign = names - accounts.keys()
        if foreign:
            self._server.together([("ZREM", name, *foreign) for name in (new, sessions)])
        return list(accounts.values())


def _keys(names: Iterable[bytes]) -> list[bytes]:
    """The keys that stand in names, which somebody else may have written."""
    found = []
    for name in names:
        with contextlib.suppress(ValueError):
            found.append(bytes.fromhex(name.decode()))
    return found


def _parse(fields: Mapping[bytes, bytes]) -> list[Belonging]:
    return [one for name, text in fields.items() if (one := _parse_one(name, text)) is not None]


def _parse_one(name: bytes, text: bytes) -> Belonging | None:
    try:
        size, class_, stored, owner = text.decode().split(" ", 3)
        return Belonging(
            bytes.fromhex(name.decode()), int(size), int(class_), float(stored), Owner(owner)
        )
    except ValueError:
        return None  # a mark or a sum, or written by somebody else
