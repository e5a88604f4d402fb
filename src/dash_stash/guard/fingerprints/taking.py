"""Takes fingerprints of values, within a time limit."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import itertools
import pathlib
import random
import re
import time
import types
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import xxhash

from dash_stash.guard.fingerprints.base import (
    ByIdentity,
    BytesFingerprint,
    CompositeFingerprint,
    CycleFingerprint,
    Fingerprint,
    IdentityFingerprint,
    ImmutableFingerprint,
    MappingFingerprint,
    SequenceFingerprint,
    SetFingerprint,
    Unwatched,
)
from dash_stash.guard.introspection import is_app_class, is_proxy_class, own_dict
from dash_stash.mutations import is_infrastructure

T = TypeVar("T")

Taker = Callable[["Fingerprinter", Any], object]
"""Takes the fingerprint of a value of one type; plain values are their own."""

_MOST: Final = 10_000
"""So many elements of a list, dict or set are looked at one by one."""

_SOME: Final = 1_000
"""So many of a longer one."""

_WHOLE: Final = 4 * 2**20
"""So many bytes are read whole."""

_LOOK_AT_CLOCK_EVERY: Final = 8  # containers

_ALL: Final = slice(None)

_DEEPEST: Final = 40

_PLAIN: Final = (
    *(
        type(None),
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        range,
        slice,
        type(...),
        type(NotImplemented),
        types.MethodType,
    ),
    *(
        datetime.date,
        datetime.time,
        datetime.timedelta,
        datetime.tzinfo,
        decimal.Decimal,
        fractions.Fraction,
        uuid.UUID,
    ),
    *(pathlib.PurePath, re.Pattern),
)
"""The types whose values cannot change, and are compared by `==`."""

_COMMON: Final = frozenset({type(None), bool, int, float, str})
"""Those of them that most data consists of."""

_TO_PLAIN: Final[dict[type, Callable[[Any], object]]] = {
    str: str.__str__,
    bytes: functools.partial(bytes.__add__, b""),
    int: int.__int__,
    float: float.__float__,
}
"""What an object of the app's own kind of text or number is as a plain one."""

_UNCHANGEABLE: Final = (
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.ModuleType,
    enum.Enum,
)

# Counters, caches and iterators of the standard library, and the state of random generators, change
# by being used.
_LIBRARY_STATE: Final = (
    *(
        type(itertools.count()),
        types.GeneratorType,
        types.CoroutineType,
        type(functools.lru_cache(len)),
        random.Random,
    ),
    *(
        weakref.ref,
        weakref.ProxyType,
        weakref.WeakValueDictionary,
        weakref.WeakKeyDictionary,
        weakref.WeakSet,
    ),
)
_LIBRARY_STATE_MODULES: Final = (
    "itertools",
    "_io",
    "io",
    "_random",
    "numpy.random",
    "_thread",
    "_contextvars",
    "_weakref",
    "_queue",
)


class OutOfTimeError(Exception):
    """The time for fingerprints is used up."""


class Fingerprinter:
    """Takes fingerprints of values until a deadline."""

    def __init__(
        self, deadline: float = float("inf"), clock: Callable[[], float] = time.thread_time
    ) -> None:
        """Take the time, by the clock, after which it gives up."""
        self._deadline, self._clock = deadline, clock
        self._done: dict[int, object] = {}
        # Keeps what was printed alive, lest another value get its id.
        self._alive: list[object] = []
        self._within: dict[int, int] = {}
        self._made = 0

    def take(self, value: Any) -> object:
        """Return the fingerprint of a value; a plain value is its own.

        Raises:
            OutOfTimeError: The deadline has passed.
        """
        taker = _taker(type(value))  # type: ignore[arg-type]  # mypy: a class is hashable
        return value if taker is _plain else taker(self, value)

    def once(self, value: object, make: Callable[[], Fingerprint]) -> Fingerprint:
        """Return what *make* makes of a container: once, however often the value appears, and not again inside itself."""
        key = id(value)
        known = self._done.get(key)
        if isinstance(known, Fingerprint):
            return known
        if key in self._within:
            return CycleFingerprint(type(value).__name__, len(self._within) - self._within[key])
        if len(self._within) >= _DEEPEST:
            return Unwatched()
        if not self._made % _LOOK_AT_CLOCK_EVERY:
            self.check_time()
        self._made += 1
        self._within[key] = len(self._within)
        try:
            made = make()
        finally:
            del self._within[key]
        self._done[key] = made
        self._alive.append(value)
        return made

    def check_time(self) -> None:
        """Give up if the deadline has passed."""
        if self._clock() > self._deadline:
            raise OutOfTimeError

    def elements(
        self, kind: str, base: type[list[Any] | tuple[Any, ...]], value: Any
    ) -> SequenceFingerprint:
        """Return the fingerprint of a list or tuple, read as *base* does it, whatever its own class makes of that."""
        length = base.__len__(value)
        positions = _positions(length)
        chosen = (
            base.__getitem__(value, _ALL)
            if length <= _MOST
            else [base.__getitem__(value, place) for place in positions]
        )
        return SequenceFingerprint(kind, length, positions, self.items(chosen))

    def mapping(self, kind: str, values: dict[Any, Any], noun: str = "key") -> MappingFingerprint:
        """Return the fingerprint of a dict, or of attributes."""
        # Of the class dict, whatever the value's own class makes of these; a copy is one step,
        # which no other thread can be within.
        length = dict.__len__(values)
        pairs = (
            list(dict.copy(values).items())
            if length <= _MOST
            else _ends(iter(dict.items(values)), reversed(dict.items(values)))
        )
        return MappingFingerprint(
            kind,
            length,
            keys_of([key for key, _ in pairs]),
            self.items([item for _, item in pairs]),
            noun,
        )

    def items(self, values: Sequence[Any]) -> tuple[object, ...]:
        """Return the fingerprints of values."""
        if _COMMON.issuperset(map(type, values)):
            return tuple(values)
        return tuple([value if type(value) in _COMMON else self.take(value) for value in values])


def keys_of(keys: Sequence[Any]) -> tuple[object, ...]:
    """Keys, or members of a set, to be compared without running any code of the app: its own objects by their identity."""
    return tuple(keys) if _COMMON.issuperset(map(type, keys)) else tuple(map(_key, keys))


def _key(key: Any) -> object:
    if type(key) in _COMMON or _taker(type(key)) is _plain:  # type: ignore[arg-type]  # mypy: a class is hashable
        return key
    if isinstance(key, tuple):
        return tuple(map(_key, tuple.__iter__(key)))
    if isinstance(key, frozenset):
        return frozenset(map(_key, frozenset.__iter__(key)))
    return ByIdentity(key)


def _ends(forth: Iterator[T], back: Iterator[T]) -> list[T]:
    """The first and the last of many: what is added to a dict or a deque comes there."""
    return [*itertools.islice(forth, _SOME // 2), *itertools.islice(back, _SOME // 2)]


@functools.lru_cache(256)
def _positions(length: int) -> range | tuple[int, ...]:
    """All positions, or for a long sequence some, both ends among them."""
    if length <= _MOST:
        return range(length)
    return tuple(round(i * (length - 1) / (_SOME - 1)) for i in range(_SOME))


@functools.lru_cache(4096)
def _taker(cls: type[Any]) -> Taker:
    """The way to take the fingerprints of the objects of a class."""
    if issubclass(cls, _UNCHANGEABLE):
        return _identity
    if is_proxy_class(cls) or _is_infrastructure(cls):
        return _unwatched
    if cls in _PLAIN or (issubclass(cls, _PLAIN) and not is_app_class(cls)):
        return _plain
    for base, plain in _TO_PLAIN.items():
        if issubclass(cls, base):
            return functools.partial(_as_plain, plain)
    content = _of_content(cls)
    if (
        is_app_class(cls)
        or cls is types.SimpleNamespace
        or issubclass(cls, collections.UserDict | collections.UserList)
    ):
        return _object if content is None else functools.partial(_both, content)
    return content or _identity


def _is_infrastructure(cls: type) -> bool:
    return issubclass(cls, _LIBRARY_STATE) or any(
        is_infrastructure(f"{base.__module__}.{base.__qualname__}")
        or (base.__module__.startswith(_LIBRARY_STATE_MODULES) and not is_app_class(base))
        for base in cls.__mro__
    )


def _of_content(cls: type) -> Taker | None:
    """The way to take what objects of a class contain, if it is known."""
    for base, taker in _BUILT_IN.items():
        if issubclass(cls, base):
            return taker
    from dash_stash.guard.fingerprints import libraries

    return libraries.taker(cls)


def _plain(_: Fingerprinter, value: object) -> object:
    return value


def _unwatched(_: Fingerprinter, _value: object) -> Fingerprint:
    return Unwatched()


def _identity(_: Fingerprinter, value: object) -> Fingerprint:
    return IdentityFingerprint(type(value).__name__, value)


def _as_plain(plain: Callable[[Any], object], _: Fingerprinter, value: Any) -> object:
    return plain(value)


# The methods of the built-in classes are called, not those that an app's class may have in their
# places.


def _list(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    return fingerprinter.once(value, lambda: fingerprinter.elements(_kind(value), list, value))


def _tuple(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    # A tuple that only this print refers to is no matter for its ids: its elements are.
    return fingerprinter.once(value, lambda: fingerprinter.elements("tuple", tuple, value))


def _deque(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    # To get at its middle takes longer than to get at its ends, where it changes.
    length = collections.deque.__len__(value)
    forth, back = collections.deque.__iter__(value), collections.deque.__reversed__(value)
    chosen = list(forth) if length <= _MOST else _ends(forth, back)
    return fingerprinter.once(
        value,
        lambda: SequenceFingerprint(
            _kind(value), length, range(len(chosen)), fingerprinter.items(chosen)
        ),
    )


def _dict(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    return fingerprinter.once(value, lambda: fingerprinter.mapping(_kind(value), value))


def _set(_: Fingerprinter, value: Any) -> Fingerprint:
    base = set if isinstance(value, set) else frozenset
    length = base.__len__(value)
    members = (
        list(base.__iter__(value))
        if length <= _MOST
        else list(itertools.islice(base.__iter__(value), _SOME))
    )
    return SetFingerprint(_kind(value), length, frozenset(keys_of(members)))


def _bytes(_: Fingerprinter, value: Any) -> Fingerprint:
    view = memoryview(value)
    if not view.c_contiguous:
        return Unwatched()
    if view.nbytes <= _WHOLE:
        return BytesFingerprint(_kind(value), len(view), xxhash.xxh3_64_intdigest(view))
    step = view.nbytes // _SOME
    sample = view.cast("B")
    return BytesFingerprint(
        _kind(value),
        len(view),
        xxhash.xxh3_64_intdigest(bytes(sample[::step]) + bytes(sample[-_SOME:])),
    )


def _kind(value: object) -> str:
    return type(value).__name__


def _object(fingerprinter: Fingerprinter, value: object) -> Fingerprint:
    return fingerprinter.once(
        value, lambda: fingerprinter.mapping(type(value).__name__, attributes(value), "attribute")
    )


def _both(content: Taker, fingerprinter: Fingerprinter, value: object) -> Fingerprint:
    attribute = own_dict(value)
    inside = content(fingerprinter, value)
    if not attribute or not isinstance(inside, Fingerprint):
        return inside if isinstance(inside, Fingerprint) else Unwatched()
    return CompositeFingerprint(
        type(value).__name__,
        inside,
        fingerprinter.mapping(type(value).__name__, attribute, "attribute"),
    )


def attributes(value: object) -> dict[str, Any]:
    """Return the attributes that an object has of its own, but for those that are computed once when they are first read."""
    cls = type(value)
    found = {
        name: item for name, item in dict.copy(own_dict(value)).items() if not _is_lazy(cls, name)
    }
    for base in cls.__mro__:
        for name in _slots(base):
            member = base.__dict__.get(name)
            if isinstance(member, types.MemberDescriptorType):
                try:
                    found[name] = member.__get__(value)
                except AttributeError:
                    continue
    return found


def _is_lazy(cls: type, name: str) -> bool:
    return any(
        isinstance(base.__dict__.get(name), functools.cached_property) for base in cls.__mro__
    )


def _slots(cls: type) -> Iterable[str]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots


def _held(value: Any, equal: Callable[[Any, Any], bool]) -> ImmutableFingerprint:
    return ImmutableFingerprint(type(value).__name__, value, equal)


_BUILT_IN: Final[dict[type, Taker]] = {
    dict: _dict,
    types.MappingProxyType: lambda fingerprinter, value: fingerprinter.once(
        value, lambda: fingerprinter.mapping("mappingproxy", dict(value))
    ),
    list: _list,
    collections.deque: _deque,
    tuple: _tuple,
    set: _set,
    frozenset: _set,
    bytearray: _bytes,
    array.array: _bytes,
    memoryview: _bytes,
}
