"""Takes fingerprints of Python's own containers, and of the app's objects."""

from __future__ import annotations

import array
import collections
import itertools
import types
from typing import Any, Final

import xxhash

from dash_stash.guard.fingerprints.base import CompositeFingerprint, Fingerprint, Unwatched
from dash_stash.guard.fingerprints.containers import (
    BytesFingerprint,
    SequenceFingerprint,
    SetFingerprint,
)
from dash_stash.guard.fingerprints.fingerprinter import (
    MOST_ELEMENTS,
    SAMPLE_LENGTH,
    Fingerprinter,
    Taker,
    both_ends,
    comparable_keys,
)
from dash_stash.guard.introspection import own_attributes, own_dict

_MOST_BYTES: Final = 4 * 2**20
"""Up to this many bytes are read whole."""


def container_taker(cls: type) -> Taker | None:
    """Return how to take fingerprints of a class's objects, if it is a built-in container."""
    return next((taker for base, taker in _TAKERS.items() if issubclass(cls, base)), None)


def take_object(fingerprinter: Fingerprinter, value: object) -> Fingerprint:
    """Return the fingerprint of an object by its attributes."""
    return fingerprinter.once(
        value, lambda: fingerprinter.attributes(_kind(value), own_attributes(value))
    )


def take_container_object(
    take_content: Taker, fingerprinter: Fingerprinter, value: object
) -> Fingerprint:
    """Return the fingerprint of the app's own kind of container: its content and attributes."""
    attributes = own_dict(value)
    content = take_content(fingerprinter, value)
    if not isinstance(content, Fingerprint):
        return Unwatched()
    if not attributes:
        return content
    kind = _kind(value)
    return CompositeFingerprint(kind, content, fingerprinter.attributes(kind, attributes))


def _kind(value: object) -> str:
    return type(value).__name__


# The methods of the built-in classes are called, never those of the app's subclasses.


def _list(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    return fingerprinter.once(value, lambda: fingerprinter.sequence(_kind(value), list, value))


def _tuple(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    return fingerprinter.once(value, lambda: fingerprinter.sequence("tuple", tuple, value))


def _deque(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    # To reach its middle takes longer than to reach its ends, where it changes.
    length = collections.deque.__len__(value)
    forward, backward = collections.deque.__iter__(value), collections.deque.__reversed__(value)
    chosen = list(forward) if length <= MOST_ELEMENTS else both_ends(forward, backward)
    return fingerprinter.once(
        value,
        lambda: SequenceFingerprint(
            _kind(value), length, range(len(chosen)), fingerprinter.take_all(chosen)
        ),
    )


def _dict(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    return fingerprinter.once(value, lambda: fingerprinter.mapping(_kind(value), value))


def _mapping_proxy(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    return fingerprinter.once(value, lambda: fingerprinter.mapping("mappingproxy", dict(value)))


def _set(_: Fingerprinter, value: Any) -> Fingerprint:
    base = set if isinstance(value, set) else frozenset
    length = base.__len__(value)
    count = length if length <= MOST_ELEMENTS else SAMPLE_LENGTH
    members = list(itertools.islice(base.__iter__(value), count))
    return SetFingerprint(_kind(value), length, frozenset(comparable_keys(members)))


def _bytes(_: Fingerprinter, value: Any) -> Fingerprint:
    view = memoryview(value)
    if not view.c_contiguous:
        return Unwatched()
    return BytesFingerprint(_kind(value), len(view), xxhash.xxh3_64_intdigest(_sample(view)))


def _sample(view: memoryview) -> memoryview | bytes:
    if view.nbytes <= _MOST_BYTES:
        return view
    data = view.cast("B")
    return bytes(data[:: view.nbytes // SAMPLE_LENGTH]) + bytes(data[-SAMPLE_LENGTH:])


_TAKERS: Final[dict[type, Taker]] = {
    dict: _dict,
    types.MappingProxyType: _mapping_proxy,
    list: _list,
    collections.deque: _deque,
    tuple: _tuple,
    set: _set,
    frozenset: _set,
    bytearray: _bytes,
    array.array: _bytes,
    memoryview: _bytes,
}
