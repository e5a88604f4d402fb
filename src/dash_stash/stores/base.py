"""What a store must do: the contract that `dash_stash.testing` tests every store against."""

from __future__ import annotations

import contextlib
import pathlib
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from dash_stash.clock import SKEW, Clock
from dash_stash.codec import Encoded, PartName
from dash_stash.entries import Entry, Facts, Kind
from dash_stash.errors import StoreUnavailable
from dash_stash.owner import Owner
from dash_stash.urls import StoreURL

GRACE = 30.0
"""Seconds that the data of a page or tab outlives its closing: a reload closes a tab, too."""

TOUCHED_EVERY = 60.0
"""Seconds after which a process calls `Store.touch` again for a page that is in use."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a store may hold, and for how long."""

    max_bytes: int
    max_entries: int
    max_sessions: int
    """Sessions that have something stored."""

    max_session_bytes: int
    """How much of `max_bytes` one user may have, or one session with its tabs and pages."""

    idle: float
    """Seconds after which the data of a session, tab or page that nobody uses goes away."""

    @property
    def accepted(self) -> float:
        """Seconds for which a cookie is accepted after it was issued, or issued anew."""
        return 1.1 * self.idle + SKEW

    @property
    def ended(self) -> float:
        """Seconds for which a session or cookie is known to have ended.

        However the clocks differ, none accepts the cookie for as long.
        """
        return self.accepted + SKEW + 0.1 * self.idle

    @property
    def max_new_sessions(self) -> int:
        """How many of `max_sessions` may have been seen in one request only.

        A flood of such sessions takes no more than that from others.
        """
        return max(1, self.max_sessions // 10)

    @property
    def max_ended(self) -> int:
        """How many ended sessions and cookies are remembered.

        Nobody can fill the store by logging out again and again.
        """
        return 10 * self.max_sessions


UNKNOWN_EPOCH = -1
"""The epoch of a tag when the store is out of reach: no tag ever has it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A stored value that was read: its description, and its bytes, which are the caller's own."""

    entry: Entry
    encoded: Encoded


@dataclass(frozen=True, slots=True)
class Landed:
    """The flight that the caller waited for has ended.

    The outcome is what its holder told; None if it told nothing, or died.
    """

    outcome: bytes | None

    def __enter__(self) -> Self:
        """Return itself: there is nothing to close."""
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One stored entry as a listing shows it; size in bytes."""

    key: bytes
    kind: Kind
    name: str
    owner: Owner
    size: int


_patience: ContextVar[bool] = ContextVar("dash_stash_patience", default=False)


class patiently(contextlib.ContextDecorator):  # noqa: N801 (used as a function is)
    """Let calls of a store wait for a server that pauses for less than a second.

    For the length of a with block, or of the function that this decorates. Variables, `put`,
    references and deletions wait, as there is no other way; memo functions can compute.
    """

    _token: Token[bool]

    def __enter__(self) -> None:
        self._token = _patience.set(True)

    def __exit__(self, *_: object) -> None:
        _patience.reset(self._token)

    def _recreate_cm(self) -> patiently:
        return patiently()  # each call of a decorated function has its own token


def be_patient(*, patient: bool) -> None:
    """Do as `patiently` does, or not, for the rest of the present context, which must be a copy."""
    _patience.set(patient)


def is_patient() -> bool:
    """Whether the present caller waits for a server that pauses."""
    return _patience.get()


def read_patiently(store: Store, key: bytes) -> Found | None:
    """Read the entry of *key*, and wait for a server that pauses."""
    try:
        return store.read(key)
    except StoreUnavailable:
        with patiently():  # not from the start: that costs a sixth of a read
            return store.read(key)


class Flight(Protocol):
    """The right to be the one that computes a key.

    It ends when it is closed, when nobody has this object any more, or when its holder dies.
    """

    def __enter__(self) -> Self:
        """Return itself, to be closed at the end of a with block."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Close."""
        ...

    def land(self, outcome: bytes | None = None) -> None:
        """End the flight and tell *outcome* to everybody who waits for it."""
        ...

    def close(self) -> None:
        """Give the right up, unless `land` came first; one of those who wait gets it."""
        ...


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """What a store is opened with: its maker gets this, and returns the store."""

    url: StoreURL
    """Where it is, with options of its own; `url.check_options` refuses others."""

    name: str
    """What the app is called: apps of different names share nothing."""

    folder: pathlib.Path
    """A folder on this machine, for this URL and name alone; the store creates it if needed."""

    sealing_key: bytes = field(repr=False)
    """What entries are sealed with: `entries.pack` and `entries.parse` take it."""

    limits: Limits
    clock: Clock
    """The clock to go by, unless the store has one that all its machines share."""

    warn: Callable[[StoreUnavailable], object] = field(repr=False)
    """Logs, once a minute, that the store cannot be used now, where it goes on without."""


class Store(Protocol):
    """Sealed entries and flights, shared by every process that opens the same URL.

    Each method is atomic across processes. Only `join` waits for another caller. All methods raise
    `StoreUnavailable`, and only that; `commit` raises its subclass `BudgetExceeded`, too.

    Where all entries together are too much, and the store itself chooses what to evict, these go,
    in this order: what can be computed again, and what all sessions share but nobody has used for
    `idle` seconds; all data of sessions that were seen in one request only; what was put, the least
    recently used first; the variables of whoever has most.

    `dash_stash.owner` says what owners and accounts are.

    The lists below are the cases of the contract: each has its test in `dash_stash.testing`.
    """

    @property
    def clock(self) -> Clock:
        """The clock that the store and everybody who uses it goes by."""
        ...

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        """Read the entry of *key*.

        - it was stored: by whatever process, the whole value, in memory that nobody else sees;
        - only a *part* of it is wanted: that part at least;
        - it has no such part: the whole value;
        - it is damaged: None;
        - another secret sealed it: None;
        - it is the entry of another key: None;
        - it has expired: None;
        - its key was deleted: None;
        - one of its tags was forgotten: None.
        """
        ...

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        """Become the one that computes *key*, or wait for the one that does.

        - nobody computes it: a flight;
        - somebody computes it: how that ended, once it has; None at once without *wait*;
        - the one who computed it died: `Landed(None)`, or a flight;
        - the one who computed it gave up: a flight, for one of those who wait.
        """
        ...

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        """Store an entry in place of what *key* had.

        - the *flight* is held: stored, and True;
        - no *flight* is given: stored, and True;
        - the key was deleted since the *flight* began: nothing is stored, and False;
        - another computes it by now: nothing is stored, and False;
        - its session has ended: nothing is stored, and False; the same for a user;
        - its session would have too much: of what the session or user has, the cheapest goes, by
          class and then by last use, as far as it is worth no more than the entry; variables go
          for nothing;
        - it would not fit even so: BudgetExceeded of `max_session_bytes`, and nothing has changed;
        - the value is larger than the budget: StoreUnavailable that says how many bytes the budget
          has, such as 50,000, and nothing has changed;
        - the store is full: StoreUnavailable, and nothing has changed;
        - the store is out of reach: StoreUnavailable. But if it is the value of a memo function, a
          store of many machines may keep it on this one for a moment: then True.
        """
        ...

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        """Delete the entry of *key*.

        - it was stored: it is deleted for good, no flight under way brings it back, and True;
        - there is none: True;
        - the *flight* is held: it is deleted, and True;
        - the key was deleted since the *flight* began: nothing has changed, and False;
        - another computes it by now: nothing has changed, and False.
        """
        ...

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        """Return the present epoch of each tag, for an entry whose computation begins now.

        - no tag was forgotten: all workers have the same epochs;
        - a tag was forgotten: it has another epoch than ever before;
        - the store is out of reach: StoreUnavailable; or, from a store of many machines,
          `UNKNOWN_EPOCH`, and what is computed then is kept on this machine at most.
        """
        ...

    def forget_tag(self, tag: str) -> None:
        """Forget every entry with *tag*, for good.

        - it is stored: a miss from now on, for all workers;
        - it is being computed: a miss once it is stored;
        - it has other tags: it stays;
        - its computation began later: it stays.
        """
        ...

    def list(
        self, owner: Owner | None = None, kind: Kind | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        """List what is stored.

        - nothing is asked for: all of it;
        - an owner, kind or tag is asked for: what has all that is asked for;
        - the listing was lost: reads go on, as they never need it.
        """
        ...

    def end(self, account: Owner) -> None:
        """Note that a session, user or cookie has ended, and delete what it has, for good.

        - it has something: that is deleted, tabs and pages included;
        - it is a user: what the user has is deleted, and nothing else;
        - it is a cookie: that alone has ended, and its session goes on under another one.
        """
        ...

    def has_ended(self, account: Owner) -> bool:
        """Return whether `end` was called for a session, user or cookie.

        - it has ended: True, for `Limits.ended` seconds at least;
        - it has not: False.
        """
        ...

    def touch(self, owner: Owner) -> None:
        """Note that an owner is in use.

        - the owner is in use: its data is kept for another `idle` seconds;
        - nobody uses the owner: its data goes by itself, within twice `idle` seconds;
        - another owner is in use: that keeps nothing here;
        - it was seen in one request only: it goes before those that came back. A session came back
          if it was touched after it had stored something, or in the minute before;
        - it has no data: nothing is stored for it.
        """
        ...

    def leave(self, owner: Owner) -> None:
        """Note that nobody uses an owner any more: its tab was closed, or reloaded.

        - nobody uses it again: its data is deleted within a minute;
        - it is used again at once: its data stays;
        - its session goes on: what that, or another tab of it, has stays.
        """
        ...


_caller: ContextVar[object] = ContextVar("dash_stash_caller", default=None)


def caller() -> object:
    """Return who calls: this thread, or a call that has `come_apart` from its thread.

    A caller that waited for itself would wait for ever.
    """
    return _caller.get() or threading.get_ident()


def come_apart() -> None:
    """Make the present context a caller of its own, whatever thread it runs in."""
    _caller.set(object())
