"""What the contract needs to test a store: ways to open it, and to change what it has stored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from dash_stash.stores.base import Limits, Store
from dash_stash.testing.clock import ManualClock
from dash_stash.testing.wrapped import WrappedStore

SEALING_KEY = b"the sealing key of the contract."
LIMITS = Limits(
    max_bytes=10**8, max_entries=1000, max_sessions=100, max_session_bytes=10**8, idle=12 * 3600.0
)


class StoreUnderTest(Protocol):
    """One place for entries, which any number of stores can open, as workers do.

    `open` returns such a store. The other methods go around the store: they read and change the
    stored bytes directly.
    """

    @property
    def clock(self) -> ManualClock:
        """The clock of all stores of this place."""
        ...

    def open(self, *, sealing_key: bytes = SEALING_KEY, limits: Limits = LIMITS) -> Store:
        """Open the place once more, as another worker does."""
        ...

    def stored(self) -> set[bytes]:
        """Return the keys of all entries that have stored bytes."""
        ...

    def damage(self, key: bytes) -> None:
        """Flip one bit in the value of the entry of *key*."""
        ...

    def copy(self, key: bytes, *, to: bytes) -> None:
        """Overwrite the entry of the key *to* with the bytes of the entry of *key*."""
        ...

    def lose_listing(self) -> None:
        """Remove the data that is used only to list entries, if the store has any."""
        ...

    def pass_time(self, seconds: float) -> None:
        """Move the clock forward, and let the store remove what has expired."""
        ...

    def full(self) -> AbstractContextManager[object]:
        """Leave no room for another 100 kB inside a with block."""
        ...

    def cut_off(self) -> None:
        """Make everything that all machines share unreachable; leave the folder of this machine."""
        ...

    def ruin(self) -> None:
        """Make everything unreachable, including the folder of this machine."""
        ...


Case = TypeVar("Case", bound=Callable[..., None])


def fails_for(*broken: type[WrappedStore]) -> Callable[[Case], Case]:
    """Mark a case of the contract with the broken stores that it must notice."""

    def mark(case: Case) -> Case:
        case.broken = broken  # type: ignore[attr-defined]
        return case

    return mark


class BrokenPlace:
    """A place that opens broken stores."""

    def __init__(self, place: StoreUnderTest, broken: type[WrappedStore], scratch: Any) -> None:
        """Take the place, the class that breaks its stores, and a folder that these share."""
        self._place, self._broken = place, broken
        self._shared: dict[Any, Any] = {"folder": scratch}

    @property
    def clock(self) -> ManualClock:
        return self._place.clock

    def open(self, *, sealing_key: bytes = SEALING_KEY, limits: Limits = LIMITS) -> Store:
        store = self._place.open(sealing_key=sealing_key, limits=limits)
        return self._broken(store, self._shared)

    def lose_listing(self) -> None:
        self._shared["lost"] = True
        self._place.lose_listing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)
