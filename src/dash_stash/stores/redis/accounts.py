"""The entries of sessions and users: limited by budgets, and deleted when unused or ended."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dash_stash.bounded import BoundedTable
from dash_stash.clock import Clock
from dash_stash.entries import PUTS
from dash_stash.owner import Owner, account_of
from dash_stash.stores.base import GRACE, TOUCHED_EVERY, Limits
from dash_stash.stores.redis import scripts
from dash_stash.stores.redis.client import Word, as_fields, as_int, as_list, as_values
from dash_stash.stores.redis.keyspace import Keyspace
from dash_stash.stores.redis.scripts import Script
from dash_stash.stores.redis.server import Server, milliseconds

_KEPT_FOR = 1.5
"""Unused data is kept for this many times `Limits.idle`.

Its expiry is renewed before less than `Limits.idle` is left.
"""

_UPLOAD = 60.0
"""Seconds for which an entry may be noted before it is stored."""

_FEW = 64
_SOME = 1000

_REMEMBERED = 4096
"""Sessions that a process remembers to have seen."""

_CLASS = 1e11
"""In an order, the scores of one class are this much higher than those of the class before.

Times of storing, in seconds, are less.
"""

_COOKIES_LATER = 1e11
"""By how much replaced cookies come after ended sessions in the order of forgetting.

Their session may go on, and they must not open it.
"""


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """One entry of a session or user; `class_` is its class (see `stores.base`)."""

    key: bytes
    size: int
    class_: int
    stored: float
    owner: Owner

    @property
    def account(self) -> Owner:
        """The session or user that has it."""
        return account_of(self.owner)

    @property
    def makes_room(self) -> int:
        """The class up to which other entries go for it: variables go for nothing."""
        return min(self.class_, PUTS)

    def text(self) -> str:
        """Return the entry as the server notes it."""
        return f"{self.size} {self.class_} {self.stored} {self.owner}"


class AccountIndex:
    """The server's notes about the sessions and users of one store."""

    def __init__(self, server: Server, keyspace: Keyspace, limits: Limits, clock: Clock) -> None:
        """Take the server, and the limits."""
        self._server, self._keyspace, self._limits, self._clock = server, keyspace, limits, clock
        self._seen: BoundedTable[str, float] = BoundedTable(_REMEMBERED)

    def life(self, owner: Owner) -> float:
        """Return for how many seconds an unused entry is stored: a user's without end."""
        return _KEPT_FOR * self._limits.idle if owner.startswith("session:") else math.inf

    # Entries

    def reserve(self, entry: AccountEntry) -> int:
        """Note an entry that is about to be stored, in place of what its key had.

        Returns:
            The answer of `RESERVE`: whether the entry cannot fit, how many bytes must go first, or
            whether it is the first of its session or user.
        """
        account, life = entry.account, self.life(entry.owner)
        names = self._keyspace
        answer = as_int(
            self._server.run(
                scripts.RESERVE,
                [names.account(account), names.order(account), names.owner(entry.owner)],
                entry.key.hex(),
                entry.size,
                entry.class_,
                entry.text(),
                entry.class_ * _CLASS + entry.stored,
                entry.makes_room,
                self._limits.max_session_bytes,
                self._clock(),
                "" if math.isinf(life) else milliseconds(2 * life),
            )
        )
        if answer == scripts.FIRST and account.startswith("session:"):
            self._count(account)
        return answer

    def release(self, account: Owner, keys: Sequence[bytes]) -> None:
        """Note that entries are gone."""
        names = self._keyspace.of_account(account)
        for first in range(0, len(keys), _SOME):
            some = [key.hex() for key in keys[first : first + _SOME]]
            self._server.run(scripts.RELEASE, names, account, *some)

    def keys(self, account: Owner) -> list[bytes]:
        """Return the keys of all that a session or user has; some of it may be gone."""
        entries, order, own = self._keyspace.of_account(account)
        commands = ("HKEYS", entries), ("ZRANGE", order, 0, -1), ("HKEYS", own)
        answers = self._server.together(commands)
        return _keys({name for answer in answers for name in as_list(answer)})

    def keys_of(self, owner: Owner) -> list[bytes]:
        """Return the keys of all that this very owner has; some of it may be gone."""
        own, entries = self._server.together(
            (
                ("HKEYS", self._keyspace.owner(owner)),
                ("HGETALL", self._keyspace.account(account_of(owner))),
            )
        )
        listed = {entry.key for entry in _parse(as_fields(entries)) if entry.owner == owner}
        return [*{*_keys(as_list(own)), *listed}]

    def some(self, account: Owner) -> list[bytes]:
        """Return random keys of entries that have had time to be stored; some may be gone."""
        (answer,) = self._server.together(
            [("HRANDFIELD", self._keyspace.account(account), _SOME, "WITHVALUES")]
        )
        fields, before = as_list(answer), self._clock() - _UPLOAD
        noted = dict(zip(fields[::2], fields[1::2], strict=True))
        return [entry.key for entry in _parse(noted) if entry.stored <= before]

    def cheapest_first(self, entry: AccountEntry) -> list[tuple[bytes, int]]:
        """Return some of what makes room for an entry, with the sizes.

        It is in order of class, then of last use, and what is gone already comes first.
        """
        limit = f"({(entry.makes_room + 1) * _CLASS:.0f}"
        order = self._keyspace.order(entry.account)
        (names,) = self._server.together(
            [("ZRANGEBYSCORE", order, "-inf", limit, "LIMIT", 0, _FEW)]
        )
        some = [key for key in _keys(as_list(names)) if key != entry.key]
        if not some:
            return []
        texts, *unused = self._server.together(
            [
                ("HMGET", self._keyspace.account(entry.account), *(key.hex() for key in some)),
                *((scripts.UNUSED_FOR, 1, self._keyspace.pointer(key)) for key in some),
            ]
        )
        candidates: list[tuple[int, int, int, bytes, int]] = []
        for number, (key, text) in enumerate(zip(some, as_values(texts), strict=True)):
            known, seconds = _parse_one(key.hex().encode(), text or b""), unused[number]
            class_ = -1 if seconds is None or known is None else known.class_
            size = 0 if known is None else known.size
            candidates.append((class_, -as_int(seconds or 0), number, key, size))
        return [(key, size) for *_, key, size in sorted(candidates)]

    # Life

    def end(self, account: Owner) -> None:
        """Note that a session, a user or a cookie has ended.

        It is known for longer than any cookie is accepted; of too many, the first are forgotten.
        """
        known_for, now, all_ended = self._limits.ended, self._clock(), self._keyspace.all_ended
        late = _COOKIES_LATER if account.startswith("cookie:") else 0.0
        *_, answer = self._server.together(
            [
                ("SET", self._keyspace.ended(account), 1, "PX", milliseconds(known_for)),
                ("ZREMRANGEBYSCORE", all_ended, "-inf", now - known_for),
                ("ZREMRANGEBYSCORE", all_ended, _COOKIES_LATER, _COOKIES_LATER + now - known_for),
                ("ZADD", all_ended, now + late, account),
                ("ZCARD", all_ended),
            ]
        )
        too_many = as_int(answer) - self._limits.max_ended
        if too_many > 0:
            (answer,) = self._server.together([("ZRANGE", all_ended, 0, too_many - 1)])
            first = as_list(answer)
            names = [
                ("DEL", self._keyspace.ended(Owner(one.decode(errors="replace")))) for one in first
            ]
            self._server.together([*names, ("ZREM", all_ended, *first)])

    def has_ended(self, account: Owner) -> bool:
        """Return whether it has ended."""
        return bool(self._server.ask(lambda client: client.exists(self._keyspace.ended(account))))

    def forget(self, account: Owner) -> None:
        """Forget what a session or user has."""
        names = self._keyspace.of_account(account)
        lists = self._keyspace.sessions, self._keyspace.new_sessions
        self._server.together(
            [*(("DEL", name) for name in names), *(("ZREM", name, account) for name in lists)]
        )

    def touch(self, owner: Owner) -> list[bytes]:
        """Note that an owner is in use; return the keys of the entries to prolong."""
        account, now, keyspace = account_of(owner), self._clock(), self._keyspace
        is_session = owner == account
        names = keyspace.owner(owner), keyspace.account(account), keyspace.order(account)
        life = milliseconds(2 * self.life(owner))
        arguments = now, self._limits.idle / 4, life, account if is_session else ""
        commands: list[Sequence[Word | Script]] = [(scripts.TOUCH, 3, *names, *arguments)]
        if is_session:
            self._seen[account] = now
            commands += [
                ("ZADD", keyspace.sessions, "XX", now, account),
                ("ZREM", keyspace.new_sessions, account),
            ]
        keys, *listed = self._server.together(commands)
        if is_session and listed[1]:
            self._server.together([("ZADD", keyspace.sessions, now, account)])
        return _keys(as_list(keys))

    def leave(self, owner: Owner) -> list[bytes]:
        """Note that an owner was closed; return the keys of its entries."""
        names = [self._keyspace.owner(owner)]
        return _keys(as_list(self._server.run(scripts.LEAVE, names, milliseconds(GRACE))))

    # How many there are

    def _count(self, account: Owner) -> None:
        """Note that a session has something stored from now on.

        Whoever was not seen before may never come back.
        """
        now = self._clock()
        if now - (self._seen.get(account) or -math.inf) <= TOUCHED_EVERY:
            self._server.together([("ZADD", self._keyspace.sessions, now, account)])
            return
        (known,) = self._server.together([("ZSCORE", self._keyspace.sessions, account)])
        if known is None:
            self._server.together([("ZADD", self._keyspace.new_sessions, now, account)])

    def too_many(self) -> list[Owner]:
        """Return the sessions that have to go.

        Those seen in one request only come first, then those used longest ago.
        """
        lists = self._keyspace.new_sessions, self._keyspace.sessions
        before = self._clock() - _KEPT_FOR * self._limits.idle
        *_, new, others = map(
            as_int,
            self._server.together(
                [
                    *(("ZREMRANGEBYSCORE", name, "-inf", before) for name in lists),
                    *(("ZCARD", name) for name in lists),
                ]
            ),
        )
        limits, both = self._limits, new + others
        too_new = min(new, max(new - limits.max_new_sessions, both - limits.max_sessions, 0))
        counts = too_new, max(both - too_new - limits.max_sessions, 0)
        found = self._server.together(
            [
                ("ZRANGE", name, 0, count - 1)
                for name, count in zip(lists, counts, strict=True)
                if count
            ]
        )
        accounts = {account for answer in found for account in as_list(answer)}
        foreign = {
            account
            for account in accounts
            if not account.startswith(b"session:") or not account.isascii()
        }
        if foreign:
            self._server.together([("ZREM", name, *foreign) for name in lists])
        return [Owner(account.decode()) for account in accounts - foreign]


def _keys(names: Iterable[bytes]) -> list[bytes]:
    """Return the keys that stand in names, which somebody else may have written."""
    found = []
    for name in names:
        with contextlib.suppress(ValueError):
            found.append(bytes.fromhex(name.decode()))
    return found


def _parse(fields: Mapping[bytes, bytes]) -> list[AccountEntry]:
    return [one for name, text in fields.items() if (one := _parse_one(name, text)) is not None]


def _parse_one(name: bytes, text: bytes) -> AccountEntry | None:
    try:
        size, class_, stored, owner = text.decode().split(" ", 3)
        key = bytes.fromhex(name.decode())
        return AccountEntry(key, int(size), int(class_), float(stored), Owner(owner))
    except ValueError:
        return None  # a mark or a sum, or written by somebody else
