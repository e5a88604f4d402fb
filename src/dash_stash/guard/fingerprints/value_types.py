"""Which classes the guard compares by `==`, which by identity, and which not at all."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import itertools
import pathlib
import random
import re
import types
import uuid
import weakref
from collections.abc import Callable
from typing import Any, Final

from dash_stash.guard.introspection import is_app_class, is_proxy_class
from dash_stash.mutations import is_infrastructure

COMMON: Final = frozenset({type(None), bool, int, float, str})
"""The plain types that most data consists of."""

_PLAIN: Final = (
    *(type(None), bool, int, float, complex, str, bytes, range, slice),
    *(type(...), type(NotImplemented), types.MethodType),
    *(datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, pathlib.PurePath, re.Pattern),
)
"""The types whose values cannot change, and are compared by `==`."""

_UNCHANGEABLE: Final = (
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.ModuleType,
    enum.Enum,
)

# Counters, caches and iterators of the standard library, and the state of random generators, change
# by being used.
_CHANGED_BY_USE: Final = (
    *(type(itertools.count()), types.GeneratorType, types.CoroutineType),
    *(type(functools.lru_cache(len)), random.Random),
    *(weakref.ref, weakref.ProxyType, weakref.WeakValueDictionary),
    *(weakref.WeakKeyDictionary, weakref.WeakSet),
)
_CHANGED_BY_USE_MODULES: Final = (
    *("itertools", "_io", "io", "_random", "numpy.random"),
    *("_thread", "_contextvars", "_weakref", "_queue"),
)

_TO_PLAIN: Final[dict[type, Callable[[Any], object]]] = {
    str: str.__str__,
    bytes: functools.partial(bytes.__add__, b""),
    int: int.__int__,
    float: float.__float__,
}


def is_unchangeable(cls: type) -> bool:
    """Return whether objects of the class are compared by identity."""
    return issubclass(cls, _UNCHANGEABLE)


def is_unwatched(cls: type) -> bool:
    """Return whether objects of the class may change, or run code when they are looked at."""
    return (
        is_proxy_class(cls)
        or issubclass(cls, _CHANGED_BY_USE)
        or any(_is_infrastructure(base) for base in cls.__mro__)
    )


def _is_infrastructure(cls: type) -> bool:
    return is_infrastructure(f"{cls.__module__}.{cls.__qualname__}") or (
        cls.__module__.startswith(_CHANGED_BY_USE_MODULES) and not is_app_class(cls)
    )


@functools.lru_cache(4096)
def is_plain(cls: type) -> bool:
    """Return whether objects of the class are their own fingerprints."""
    if is_unchangeable(cls) or is_unwatched(cls):
        return False
    return cls in _PLAIN or (issubclass(cls, _PLAIN) and not is_app_class(cls))


def to_plain(cls: type) -> Callable[[Any], object] | None:
    """Return what makes a plain value of the app's own kind of text or number."""
    return next((plain for base, plain in _TO_PLAIN.items() if issubclass(cls, base)), None)
