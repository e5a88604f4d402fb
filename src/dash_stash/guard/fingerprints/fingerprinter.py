"""Takes the fingerprints of values and of their parts, until a deadline."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from dash_stash.guard.fingerprints.base import CycleFingerprint, Fingerprint, Unwatched
from dash_stash.guard.fingerprints.containers import (
    ByIdentity,
    MappingFingerprint,
    SequenceFingerprint,
)
from dash_stash.guard.fingerprints.value_types import COMMON, is_plain

T = TypeVar("T")

MOST_ELEMENTS: Final = 10_000
"""Of a list, dict or set of at most this length, every element is looked at."""

SAMPLE_LENGTH: Final = 1_000
"""Of a longer one, this many."""

_DEEPEST: Final = 40
_CONTAINERS_PER_CLOCK_CHECK: Final = 8
_ALL: Final = slice(None)


class OutOfTimeError(Exception):
    """The time for fingerprints is used up."""


class Fingerprinter:
    """Takes fingerprints of values until a deadline."""

    def __init__(
        self,
        taker_of: Callable[[type], Taker],
        deadline: float = float("inf"),
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        """Take how to find the taker of a class, and when, by the clock, to give up."""
        self._taker_of, self._deadline, self._clock = taker_of, deadline, clock
        self._done: dict[int, Fingerprint] = {}
        # Another value must not get the id of one that is done.
        self._alive: list[object] = []
        self._levels: dict[int, int] = {}
        self._containers = 0

    def take(self, value: Any) -> object:
        """Return the fingerprint of a value; a plain value is its own.

        Raises:
            OutOfTimeError: The deadline has passed.
        """
        return self._taker_of(type(value))(self, value)

    def take_all(self, values: Sequence[Any]) -> tuple[object, ...]:
        """Return the fingerprints of values."""
        if COMMON.issuperset(map(type, values)):
            return tuple(values)
        return tuple([value if type(value) in COMMON else self.take(value) for value in values])

    def once(self, value: object, take: Callable[[], Fingerprint]) -> Fingerprint:
        """Return the fingerprint that *take* makes of a container.

        It is made once, however often the container appears, and not again inside itself.
        """
        key = id(value)
        if key in self._done:
            return self._done[key]
        if key in self._levels:
            return CycleFingerprint(type(value).__name__, len(self._levels) - self._levels[key])
        if len(self._levels) >= _DEEPEST:
            return Unwatched()
        if not self._containers % _CONTAINERS_PER_CLOCK_CHECK:
            self.check_time()
        self._containers += 1
        self._levels[key] = len(self._levels)
        try:
            fingerprint = take()
        finally:
            del self._levels[key]
        self._done[key] = fingerprint
        self._alive.append(value)
        return fingerprint

    def check_time(self) -> None:
        """Give up if the deadline has passed."""
        if self._clock() > self._deadline:
            raise OutOfTimeError

    # The methods of the built-in classes are called here, never those of the app's subclasses.

    def sequence(
        self, kind: str, base: type[list[Any] | tuple[Any, ...]], value: Any
    ) -> SequenceFingerprint:
        """Return the fingerprint of a list or tuple, read by the methods of *base*."""
        length = base.__len__(value)
        positions = _positions(length)
        chosen = (
            base.__getitem__(value, _ALL)
            if length <= MOST_ELEMENTS
            else [base.__getitem__(value, position) for position in positions]
        )
        return SequenceFingerprint(kind, length, positions, self.take_all(chosen))

    def mapping(self, kind: str, values: dict[Any, Any]) -> MappingFingerprint:
        """Return the fingerprint of a dict."""
        return self._mapping(kind, values, "key")

    def attributes(self, kind: str, values: dict[str, Any]) -> MappingFingerprint:
        """Return the fingerprint of an object's attributes."""
        return self._mapping(kind, values, "attribute")

    def _mapping(self, kind: str, values: dict[Any, Any], noun: str) -> MappingFingerprint:
        length = dict.__len__(values)
        # A copy is one step, which no other thread can interrupt.
        pairs = (
            list(dict.copy(values).items())
            if length <= MOST_ELEMENTS
            else both_ends(iter(dict.items(values)), reversed(dict.items(values)))
        )
        keys = comparable_keys([key for key, _ in pairs])
        return MappingFingerprint(
            kind, length, keys, self.take_all([item for _, item in pairs]), noun
        )


Taker = Callable[[Fingerprinter, Any], object]
"""Takes the fingerprint of a value of one type; a plain value is its own."""


def comparable_keys(keys: Sequence[Any]) -> tuple[object, ...]:
    """Return keys, or members of a set, so that to compare them runs no code of the app."""
    return tuple(keys) if COMMON.issuperset(map(type, keys)) else tuple(map(_comparable_key, keys))


def _comparable_key(key: Any) -> object:
    if type(key) in COMMON or is_plain(type(key)):  # type: ignore[arg-type]  # a class is hashable
        return key
    if isinstance(key, tuple):
        return tuple(map(_comparable_key, tuple.__iter__(key)))
    if isinstance(key, frozenset):
        return frozenset(map(_comparable_key, frozenset.__iter__(key)))
    return ByIdentity(key)


def both_ends(forward: Iterator[T], backward: Iterator[T]) -> list[T]:
    """Return the first and the last of many: what is added to a dict or a deque is added there."""
    half = SAMPLE_LENGTH // 2
    return [*itertools.islice(forward, half), *itertools.islice(backward, half)]


@functools.lru_cache(256)
def _positions(length: int) -> range | tuple[int, ...]:
    """Return all positions of a sequence, or of a long one some, with both ends among them."""
    if length <= MOST_ELEMENTS:
        return range(length)
    step = (length - 1) / (SAMPLE_LENGTH - 1)
    return tuple(round(number * step) for number in range(SAMPLE_LENGTH))
