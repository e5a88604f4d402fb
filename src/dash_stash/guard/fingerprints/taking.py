"""Chooses, by its class, how a value gets its fingerprint."""

from __future__ import annotations

import collections
import functools
import time
import types
from collections.abc import Callable
from typing import Any

from dash_stash.guard.fingerprints.base import Fingerprint, IdentityFingerprint, Unwatched
from dash_stash.guard.fingerprints.builtin import (
    container_taker,
    take_container_object,
    take_object,
)
from dash_stash.guard.fingerprints.fingerprinter import Fingerprinter, Taker
from dash_stash.guard.fingerprints.libraries import library_taker
from dash_stash.guard.fingerprints.value_types import (
    is_plain,
    is_unchangeable,
    is_unwatched,
    to_plain,
)
from dash_stash.guard.introspection import is_app_class

_WITH_ATTRIBUTES = (types.SimpleNamespace, collections.UserDict, collections.UserList)


def fingerprinter(
    deadline: float = float("inf"), clock: Callable[[], float] = time.thread_time
) -> Fingerprinter:
    """Return what takes fingerprints of any values, until the deadline."""
    return Fingerprinter(_taker_of, deadline, clock)


@functools.lru_cache(4096)
def _taker_of(cls: type) -> Taker:
    if is_unchangeable(cls):
        return _take_identity
    if is_unwatched(cls):
        return _take_nothing
    if is_plain(cls):
        return _take_plain
    plain = to_plain(cls)
    if plain is not None:
        return functools.partial(_take_as_plain, plain)
    content = container_taker(cls) or library_taker(cls)
    if is_app_class(cls) or issubclass(cls, _WITH_ATTRIBUTES):
        return take_object if content is None else functools.partial(take_container_object, content)
    return content or _take_identity


def _take_plain(_: Fingerprinter, value: object) -> object:
    return value


def _take_as_plain(plain: Callable[[Any], object], _: Fingerprinter, value: Any) -> object:
    return plain(value)


def _take_nothing(_: Fingerprinter, _value: object) -> Fingerprint:
    return Unwatched()


def _take_identity(_: Fingerprinter, value: object) -> Fingerprint:
    return IdentityFingerprint(type(value).__name__, value)
