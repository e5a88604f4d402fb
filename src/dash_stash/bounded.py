"""A table in memory with a fixed number of places, which threads share without a lock."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedTable(Generic[K, V]):
    """A mapping that forgets what was added first once it is full.

    Reading is a dict's own `get`, `pop` and `clear`: no Python code runs, and no lock is taken.
    When several threads add at the same time, the table may hold one entry more for each of them,
    for a moment.
    """

    __slots__ = ("_entries", "_limit", "clear", "get", "pop")

    def __init__(self, limit: int) -> None:
        """Take how many entries the table may hold."""
        entries: dict[K, V] = {}
        self._entries, self._limit = entries, limit
        self.get: Callable[[K], V | None] = entries.get
        self.pop: Callable[[K, None], V | None] = entries.pop
        self.clear: Callable[[], None] = entries.clear

    def __setitem__(self, key: K, value: V) -> None:
        entries = self._entries
        while len(entries) >= self._limit and key not in entries:
            # Another thread may remove or add entries meanwhile: then there is no first one, or
            # the dict has changed while it was iterated. A lock was rejected: a signal handler
            # that adds in the middle of an addition would wait for itself.
            with contextlib.suppress(StopIteration, RuntimeError):
                entries.pop(next(iter(entries)), None)
        entries[key] = value

    def __len__(self) -> int:
        return len(self._entries)

    def items(self) -> list[tuple[K, V]]:
        """Return the present keys and values; later changes do not show."""
        return list(self._entries.items())
