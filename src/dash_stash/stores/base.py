"""The contract of a store: `dash_stash.testing` tests every store against it."""

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
    """The most sessions that can have something stored."""

    max_session_bytes: int
    """How many of `max_bytes` one user may have, or one session with its tabs and pages."""

    idle: float
    """Seconds after which the data of an unused session, tab or page is removed."""

    @property
    def accepted(self) -> float:
        """Seconds for which a cookie is accepted after it was last issued."""
        return 1.1 * self.idle + SKEW

    @property
    def ended(self) -> float:
        """Seconds for which the store remembers that a session or cookie has ended.

        It is longer than any machine accepts the cookie, even if the clocks differ.
        """
        return self.accepted + SKEW + 0.1 * self.idle

    @property
    def max_new_sessions(self) -> int:
        """The most of `max_sessions` that may have been seen in only one request.

        A flood of such sessions cannot take more room than this from others.
        """
        return max(1, self.max_sessions // 10)

    @property
    def max_ended(self) -> int:
        """The most ended sessions and cookies that are remembered.

        So nobody can fill the store by logging out again and again.
        """
        return 10 * self.max_sessions


UNKNOWN_EPOCH = -1
"""The epoch of a tag when the store is out of reach: no tag ever has it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value that was read from the store: its description, and a private copy of its bytes."""

    entry: Entry
    encoded: Encoded


@dataclass(frozen=True, slots=True)
class Landed:
    """The flight that the caller waited for has ended.

    *outcome* is what the holder passed to `land`; None if it passed nothing, or died.
    """

    outcome: bytes | None

    def __enter__(self) -> Self:
        """Return itself: there is nothing to close."""
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One stored entry in a listing; its size is in bytes."""

    key: bytes
    kind: Kind
    name: str
    owner: Owner
    size: int


_patience: ContextVar[bool] = ContextVar("dash_stash_patience", default=False)


class patiently(contextlib.ContextDecorator):  # noqa: N801 (used like a function)
    """Let calls of a store wait for a server that pauses for less than a second.

    It works in a with block, or decorates a function. Variables, `put`, references and deletions
    wait, because they cannot do without the server; memo functions compute instead.
    """

    _token: Token[bool]

    def __enter__(self) -> None:
        self._token = _patience.set(True)

    def __exit__(self, *_: object) -> None:
        _patience.reset(self._token)

    def _recreate_cm(self) -> patiently:
        return patiently()  # each call of a decorated function has its own token


def be_patient(*, patient: bool) -> None:
    """Turn patience on or off for the rest of the present context, which must be a copy."""
    _patience.set(patient)


def is_patient() -> bool:
    """Return whether the present caller waits for a server that pauses."""
    return _patience.get()


def read_patiently(store: Store, key: bytes) -> Found | None:
    """Read the entry of *key*, and wait for a server that pauses."""
    try:
        return store.read(key)
    except StoreUnavailable:
        with patiently():  # not from the start: that costs a sixth of a read
            return store.read(key)


class Flight(Protocol):
    """The right to be the only one that computes a key.

    It ends when it is closed, when this object is garbage, or when its holder dies.
    """

    def __enter__(self) -> Self:
        """Return itself; the end of the with block closes it."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Close the flight."""
        ...

    def land(self, outcome: bytes | None = None) -> None:
        """End the flight, and pass *outcome* to everybody who waits for it."""
        ...

    def close(self) -> None:
        """Give up the right, unless the flight has landed; a caller that waits for it gets it."""
        ...


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Everything that a function needs to open a store."""

    url: StoreURL
    """The store's address, with its options; `url.check_options` refuses unknown options."""

    name: str
    """The app's name: apps with different names share nothing."""

    folder: pathlib.Path
    """A folder on this machine, for this URL and name only; the store creates it if needed."""

    sealing_key: bytes = field(repr=False)
    """The key that seals entries: pass it to `entries.pack` and `entries.parse`."""

    limits: Limits
    clock: Clock
    """The clock to use, unless the store has a clock that all its machines share."""

    warn: Callable[[StoreUnavailable], object] = field(repr=False)
    """Logs, at most once a minute, that the store cannot be used now but that work goes on."""


class Store(Protocol):
    """Sealed entries and flights, shared by every process that opens the same URL.

    Each method is atomic across processes. Only `join` waits for another caller. All methods raise
    `StoreUnavailable`, and no other error; `commit` raises its subclass `BudgetExceeded`, too.

    If all entries together exceed the limits, and the store itself chooses what to evict, it evicts
    in this order: values that can be computed again, and values that all sessions share but nobody
    has used for `idle` seconds; all data of sessions that were seen in only one request; values
    that were put, the least recently used first; the variables of the account that has most.

    `dash_stash.owner` explains owners and accounts.

    The lists below are the cases of the contract: each case has a test in `dash_stash.testing`.
    """

    @property
    def clock(self) -> Clock:
        """The clock of the store and of everybody who uses it."""
        ...

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        """Read the entry of *key*.

        - it was stored: by whatever process, the whole value, in memory that nobody else sees;
        - only a *part* of it is asked for: at least that part;
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
        """Get the right to compute *key*, or wait for the caller that has it.

        - nobody computes it: a flight;
        - somebody computes it: the outcome, when it has ended; without *wait*, None at once;
        - the caller that computed it died: `Landed(None)`, or a flight;
        - the caller that computed it gave up: a flight, for one of the callers that wait.
        """
        ...

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        """Store an entry under *key*, and replace the entry that was there.

        - the *flight* is held: stored, and True;
        - no *flight* is given: stored, and True;
        - the key was deleted since the *flight* began: nothing is stored, and False;
        - another caller computes it by now: nothing is stored, and False;
        - its session or user has ended: nothing is stored, and False;
        - its session or user would have too much: the cheapest entries of that session or user are
          evicted, by class and then by last use, but none that is worth more than the new entry,
          and no variables;
        - it would not fit even so: BudgetExceeded of `max_session_bytes`, and nothing has changed;
        - the value is larger than the budget: StoreUnavailable that says how many bytes the budget
          has, such as 50,000, and nothing has changed;
        - the store is full: StoreUnavailable, and nothing has changed;
        - the store is out of reach: StoreUnavailable. But a store of many machines may keep the
          value of a memo function on this machine for a moment: then True.
        """
        ...

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        """Delete the entry of *key*.

        - it was stored: it is deleted, no flight that is under way can bring it back, and True;
        - there is no entry: True;
        - the *flight* is held: it is deleted, and True;
        - the key was deleted since the *flight* began: nothing has changed, and False;
        - another caller computes it by now: nothing has changed, and False.
        """
        ...

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        """Return the present epoch of each tag, for an entry whose computation begins now.

        - no tag was forgotten: all workers get the same epochs;
        - a tag was forgotten: it has an epoch that it never had before;
        - the store is out of reach: StoreUnavailable. A store of many machines may return
          `UNKNOWN_EPOCH`: then this machine keeps what is computed, and no other gets it.
        """
        ...

    def forget_tag(self, tag: str) -> None:
        """Forget every entry with *tag*.

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

        - nothing is asked for: all entries;
        - an owner, kind or tag is asked for: the entries that match everything that is asked for;
        - the listing was lost: reads still work, because they never need it.
        """
        ...

    def end(self, account: Owner) -> None:
        """Note that a session, user or cookie has ended, and delete its data.

        - it has data: the data is deleted, including the data of its tabs and pages;
        - it is a user: the data of the user is deleted, and nothing else;
        - it is a cookie: only the cookie has ended, and its session goes on with another cookie.
        """
        ...

    def has_ended(self, account: Owner) -> bool:
        """Return whether `end` was called for a session, user or cookie.

        - it has ended: True, for at least `Limits.ended` seconds;
        - it has not: False.
        """
        ...

    def touch(self, owner: Owner) -> None:
        """Note that an owner is in use.

        - the owner is in use: its data is kept for another `idle` seconds;
        - nobody uses the owner: the store removes its data within twice `idle` seconds;
        - only another owner is in use: the data of this one is removed all the same;
        - it was seen in only one request: it is evicted before sessions that came back. A session
          came back if it was touched after it had stored something, or in the minute before;
        - it has no data: nothing is stored for it.
        """
        ...

    def leave(self, owner: Owner) -> None:
        """Note that nobody uses an owner any more: its tab was closed, or reloaded.

        - nobody uses it again: its data is deleted within a minute;
        - it is used again at once: its data stays;
        - its session goes on: the data of the session, and of its other tabs, stays.
        """
        ...


_caller: ContextVar[object] = ContextVar("dash_stash_caller", default=None)


def caller() -> object:
    """Return an id of the caller: this thread, or a context for which `come_apart` was called.

    It shows a caller that is about to wait for itself, which would take for ever.
    """
    return _caller.get() or threading.get_ident()


def come_apart() -> None:
    """Make the present context a caller of its own, whatever thread it runs in."""
    _caller.set(object())
