"""What a store must do: the contract that every store is tested against."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from dash_stash.codec import Encoded, PartName
from dash_stash.layout import Entry, Facts


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


@dataclass(frozen=True, slots=True)
class Found:
    """A stored value that was read: its description, and its bytes as memory that is the caller's own."""

    entry: Entry
    encoded: Encoded


@dataclass(frozen=True, slots=True)
class Landed:
    """The flight that the caller waited for has ended; with the outcome that its holder told, None if it told none (or died)."""

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
    kind: str
    name: str
    scope: str
    size: int


class Flight(Protocol):
    """The right to be the one that computes a key, until it is closed, nobody has this object any more, or its holder dies."""

    def __enter__(self) -> Self:
        """Be closed at the end of a with block."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        """Close."""
        ...

    def land(self, outcome: bytes | None = None) -> None:
        """End the flight and tell *outcome* to everybody who waits for it."""
        ...

    def close(self) -> None:
        """Give the right up, unless `land` came first; one of those who wait flies next."""
        ...


class Store(Protocol):
    """Sealed entries and flights, shared by every process that opens the same URL.

    Each method is atomic across processes. Only `join` waits for another caller.
    All methods raise `StoreUnavailable`, and only that.
    """

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
        - *key* was deleted since *flight* began, another computes it by now, or what `facts.scope` belongs to has ended: nothing is
          stored, and False;
        - its session or user would have more than `max_session_bytes`: values of its memo functions go first, then BudgetExceeded,
          and nothing else has changed;
        - the store is full, or the value larger than its budget: StoreUnavailable, and nothing has changed;
        - a store of many machines is out of reach, and it is the value of a memo function: this machine may keep it for a moment, and True.
        """
        ...

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        """Delete the entry of *key*, for good: no flight that is under way brings it back.

        - *flight* is held, or None: deleted, if there was one, and True;
        - *key* was deleted since *flight* began, or another computes it by now: nothing has changed, and False.
        """
        ...

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        """The present epoch of each tag, to be written into entries whose computation begins now."""
        ...

    def forget_tag(self, tag: str) -> None:
        """Make every entry with *tag*, stored or being computed, a miss for good."""
        ...

    def list(self, scope: str | None = None, kind: str | None = None, tag: str | None = None) -> Sequence[Listed]:
        """List what is stored, or the part of it that has the given scope, kind or tag. Never needed for a read."""
        ...

    # Scopes are texts: "" for the app, "user:..." and "session:...", and under a session "session:.../tab:..." and ".../page:...".

    def end(self, holder: str) -> None:
        """Delete all that belongs to a session or user, tabs and pages included, for good: no commit under way brings it back."""
        ...

    def has_ended(self, holder: str) -> bool:
        """Whether `end` was called for *holder* (within the last `idle` seconds, and for some time more)."""
        ...

    def touch(self, scope: str) -> None:
        """Note that a scope is in use: its data is kept for another `idle` seconds."""
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
