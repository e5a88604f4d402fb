"""What a store must do: the contract that every store is tested against."""

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
from dash_stash.urls import StoreURL

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
    """What one session, its tabs and pages included, or one user may have of `max_bytes`."""

    idle: float
    """Seconds after which the data of a session, tab or page that nobody uses goes away."""

    @property
    def accepted(self) -> float:
        """Seconds for which a cookie is accepted after it was issued, or issued anew, by the clock of who is asked."""
        return 1.1 * self.idle + SKEW

    @property
    def ended(self) -> float:
        """Seconds for which it is known that a session has ended, or a cookie was replaced: longer than any clock accepts the cookie."""
        return self.accepted + SKEW + 0.1 * self.idle

    @property
    def max_new_sessions(self) -> int:
        """How many of `max_sessions` may have been seen in one request only: a flood takes no more from others."""
        return max(1, self.max_sessions // 10)

    @property
    def max_ended(self) -> int:
        """How many ended sessions and cookies are remembered at most: nobody fills the store by logging out."""
        return 10 * self.max_sessions


UNKNOWN_EPOCH = -1
"""The epoch of a tag that the store could not be asked for: no tag is ever in it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A stored value that was read: its description, and its bytes as memory that is the caller's own."""

    entry: Entry
    encoded: Encoded


@dataclass(frozen=True, slots=True)
class Landed:
    """The flight that the caller waited for has ended.

    With the outcome that its holder told, None if it told none (or died).
    """

    outcome: bytes | None

    def __enter__(self) -> Self:
        """Be what the block is told: there is nothing to close."""
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One stored entry as a listing shows it; size in bytes."""

    key: bytes
    kind: Kind
    name: str
    scope: str
    size: int


_patience: ContextVar[bool] = ContextVar("dash_stash_patience", default=False)


class patiently(contextlib.ContextDecorator):  # noqa: N801 (used as a function is)
    """Let a store on a server wait for a short pause of it, for the length of a with block, or of a function that this decorates.

    Variables, `put`, references and what deletes do: they have no other way. Memo functions do not, as they can compute.
    """

    _token: Token[bool]

    def __enter__(self) -> None:
        self._token = _patience.set(True)

    def __exit__(self, *_: object) -> None:
        _patience.reset(self._token)

    def _recreate_cm(self) -> patiently:
        return patiently()  # each call of a decorated function has its own token


def be_patient(*, patient: bool) -> None:
    """Be so, or not, for the rest of the present context, which is to be a copy."""
    _patience.set(patient)


def is_patient() -> bool:
    """Whether the present caller would rather wait than be told of a pause."""
    return _patience.get()


def read_patiently(store: Store, key: bytes) -> Found | None:
    """Read the entry of *key*, and wait for a short pause of the store if there is one."""
    try:
        return store.read(key)
    except StoreUnavailable:
        with patiently():  # not from the beginning: that costs a sixth of a read
            return store.read(key)


class Flight(Protocol):
    """The right to be the one that computes a key, until it is closed, nobody has this object any more, or its holder dies."""

    def __enter__(self) -> Self:
        """Be closed at the end of a with block."""
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
        """Give the right up, unless `land` came first; one of those who wait flies next."""
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

    Each method is atomic across processes. Only `join` waits for another caller.
    All methods raise `StoreUnavailable`, and only that.

    Where the whole is too much, and the store itself decides what goes, it is, one after the other:
    what can be computed again, and what all share but nobody has used for `idle` seconds; all data
    of sessions that were seen in one request only; what was put, by last use; variables, of who has
    most.
    """

    @property
    def clock(self) -> Clock:
        """The clock by which it goes, and everybody who uses it."""
        ...

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        """Read the entry of *key*.

        - it was stored: the whole value, in memory that nobody else sees;
        - only a *part* of it is wanted: that part at least, as far as the value has such;
        - it is damaged, sealed with another secret, or of another key: None;
        - it is gone by its own time, its key was deleted, or one of its tags forgotten: None.
        """
        ...

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        """Become the one that computes *key*, or wait for the one that does.

        - nobody computes it: a flight;
        - somebody does: how that ended, once it has; None at once without *wait*;
        - somebody did and died: `Landed(None)`, or a flight.
        """
        ...

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        """Store an entry in place of what *key* had.

        - *flight* is held, or None: stored, and True;
        - *key* was deleted since *flight* began, another computes it by now, or what `facts.scope`
          belongs to has ended: nothing is stored, and False;
        - its session or user would have more than `max_session_bytes`: the cheapest of what it has
          goes, by class and then by last use, as far as that is worth no more than the entry;
          variables go for nothing;
        - if it would not fit even so: BudgetExceeded, and nothing has changed;
        - the store is full, or the value larger than its budget: StoreUnavailable, and nothing has
          changed;
        - a store of many machines is out of reach, and it is the value of a memo function: this
          machine may keep it for a moment, and True.
        """
        ...

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        """Delete the entry of *key*, for good: no flight that is under way brings it back.

        - *flight* is held, or None: deleted, if there was one, and True;
        - *key* was deleted since *flight* began, or another computes it by now: nothing has
          changed, and False.
        """
        ...

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        """The present epoch of each tag, to be written into entries whose computation begins now.

        - a store of many machines is out of reach: `UNKNOWN_EPOCH`; what is computed then is at
          most kept on this machine.
        """
        ...

    def forget_tag(self, tag: str) -> None:
        """Make every entry with *tag*, stored or being computed, a miss for good."""
        ...

    def list(
        self, scope: str | None = None, kind: Kind | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        """List what is stored, or the part of it that has the given scope, kind or tag.

        Never needed for a read.
        """
        ...

    # Scopes are texts: "" for the app, "user:..." and "session:...", and under a session
    # "session:.../tab:..." and ".../page:...".

    def end(self, holder: str) -> None:
        """Delete all that belongs to a session or user, tabs and pages included, for good: no commit under way brings it back."""
        ...

    def has_ended(self, holder: str) -> bool:
        """Whether `end` was called for *holder* (within the last `idle` seconds, and for some time more)."""
        ...

    def touch(self, scope: str) -> None:
        """Note that a scope is in use: its data is kept for another `idle` seconds.

        A session that was never touched was seen in one request only; that before it stores
        something counts, too. What a scope without data costs does not depend on what its session
        has, and nothing is stored for it.
        """
        ...

    def leave(self, scope: str) -> None:
        """Delete the data of a scope soon, unless `touch` tells before that it is in use again."""
        ...


_caller: ContextVar[object] = ContextVar("dash_stash_caller", default=None)


def caller() -> object:
    """Who would wait for itself if it waited for this caller: the thread, or the call that has `come_apart` from it."""
    return _caller.get() or threading.get_ident()


def come_apart() -> None:
    """Be a caller of one's own in the present context, whatever thread that runs in."""
    _caller.set(object())


def holder_of(scope: str) -> str:
    """Return the session or user that a scope belongs to; "" for the app."""
    return scope.partition("/")[0]
