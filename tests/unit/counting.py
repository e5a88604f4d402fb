"""Counting what is called, and what a store is asked for."""

from __future__ import annotations

from collections import Counter
from typing import Any

from dash_stash import Stash
from dash_stash.codec import Encoded, PartName
from dash_stash.entries import Facts
from dash_stash.stores.base import Flight, Found, Landed
from dash_stash.testing.wrapped import WrappedStore


class Calls(list[Any]):
    """What a function was called with."""

    def __call__(self, *arguments: Any) -> int:
        """Note a call, and return how many there were."""
        self.append(arguments)
        return len(self)


class CountingStore(WrappedStore):
    """Stands before the store of a stash, and counts what it is asked for."""

    def __init__(self, stash: Stash) -> None:
        """Take the place of the store."""
        super().__init__(stash._deployment.store, {})
        stash._deployment.store = self
        self.asked = Counter[str]()

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        self.asked["read"] += 1
        return super().read(key, part)

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        self.asked["join"] += 1
        return super().join(key, wait=wait)

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        self.asked["commit"] += 1
        return super().commit(flight, key, facts, encoded)

    def taken(self) -> dict[str, int]:
        """Return what it was asked for since the last time."""
        asked, self.asked = dict(self.asked), Counter()
        return asked


class Unpickled:
    """A value that counts how often one of its kind is unpickled."""

    count = 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        Unpickled.count += 1

    def __getstate__(self) -> dict[str, Any]:
        return {"a": 1}
