"""What the contract needs of a store: opened as workers do, and changed past it."""

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
    """One place for entries, which any number of stores open, as workers do.

    The contract opens it by `open`. The other methods go past the store: they read and change what
    lies there.
    """

    @property
    def clock(self) -> ManualClock:
        """The clock that all stores of this place go by."""
        ...

    def open(self, *, sealing_key: bytes = SEALING_KEY, limits: Limits = LIMITS) -> Store:
        """Open the place anew, as another worker does."""
        ...

    def stored(self) -> set[bytes]:
        """Return the keys of the entries whose bytes lie there."""
        ...

    def damage(self, key: bytes) -> None:
        """Flip a bit of the entry of *key*, in its value."""
        ...

    def copy(self, key: bytes, *, to: bytes) -> None:
        """Put the bytes of the entry of *key* in the place of the entry of another key."""
        ...

    def lose_listing(self) -> None:
        """Remove what is needed only to list entries, if there is such a thing."""
        ...

    def pass_time(self, seconds: float) -> None:
        """Set the clock forward, and let the store remove what it removes by itself."""
        ...

    def full(self) -> AbstractContextManager[object]:
        """Leave no room for 100 kB more, for the length of a with block."""
        ...

    def cut_off(self) -> None:
        """Put what all machines share out of reach, for good. A folder of this machine stays."""
        ...

    def ruin(self) -> None:
        """Put everything out of reach, for good: the folder of this machine, too."""
        ...


Case = TypeVar("Case", bound=Callable[..., None])


def fails_for(*broken: type[WrappedStore]) -> Callable[[Case], Case]:
    """Say which broken stores a case of the contract notices: `ContractProof` runs it on them."""

    def mark(case: Case) -> Case:
        case.broken = broken  # type: ignore[attr-defined]
        return case

    return mark


class BrokenPlace:
    """A place whose stores are broken; `fails_for` has which ones."""

    def __init__(self, place: StoreUnderTest, broken: type[WrappedStore], scratch: Any) -> None:
        """Take the place, what its stores are wrapped in, and a folder that the wrappers share."""
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
