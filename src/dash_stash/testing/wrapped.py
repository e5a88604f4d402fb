"""A store around another one, which broken stores change in one method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash_stash.clock import Clock
from dash_stash.codec import Encoded, PartName
from dash_stash.entries import Facts, Kind
from dash_stash.owner import Owner
from dash_stash.stores.base import Flight, Found, Landed, Listed, Store


class WrappedStore:
    """A store that passes every call to another store, until a subclass breaks something."""

    def __init__(self, store: Store, shared: dict[Any, Any]) -> None:
        """Take the store inside, and a dict that all workers of the place share."""
        self.inner, self.shared = store, shared

    @property
    def clock(self) -> Clock:
        return self.inner.clock

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        return self.inner.read(key, part)

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return self.inner.join(key, wait=wait)

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(flight, key, facts, encoded)

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return self.inner.delete(key, flight)

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        return self.inner.epochs(tags)

    def forget_tag(self, tag: str) -> None:
        self.inner.forget_tag(tag)

    def list(
        self, owner: Owner | None = None, kind: Kind | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        return self.inner.list(owner, kind, tag)

    def end(self, account: Owner) -> None:
        self.inner.end(account)

    def has_ended(self, account: Owner) -> bool:
        return self.inner.has_ended(account)

    def touch(self, owner: Owner) -> None:
        self.inner.touch(owner)

    def leave(self, owner: Owner) -> None:
        self.inner.leave(owner)
