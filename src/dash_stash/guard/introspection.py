"""Looks at objects and classes without running any code of theirs."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable
from typing import Any

from dash_stash.origin import is_app_module


def is_app_class(cls: type) -> bool:
    """Return whether the class is written in the app."""
    return is_app_module(cls.__module__)


def is_proxy_class(cls: type) -> bool:
    """Return whether objects of the class claim to be of another one.

    Proxies and mocks do, and run code whatever they are asked.
    """
    return any("__class__" in vars(base) for base in cls.__mro__ if base is not object)


def own_dict(value: object) -> dict[str, Any]:
    """Return the attributes that an object keeps in its `__dict__`."""
    try:
        found: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found


def own_attributes(value: object) -> dict[str, Any]:
    """Return all attributes that an object itself keeps, without those of `cached_property`."""
    cls = type(value)
    lazy = _lazy_names(cls)  # type: ignore[arg-type]  # a class is hashable
    found = {name: item for name, item in dict.copy(own_dict(value)).items() if name not in lazy}
    for name, slot in _slots(cls):  # type: ignore[arg-type]  # as above
        try:
            found[name] = slot.__get__(value)
        except AttributeError:  # not assigned yet
            continue
    return found


@functools.lru_cache(4096)
def _lazy_names(cls: type) -> frozenset[str]:
    return frozenset(
        name
        for base in cls.__mro__
        for name, item in tuple(vars(base).items())
        if isinstance(item, functools.cached_property)
    )


@functools.lru_cache(4096)
def _slots(cls: type) -> tuple[tuple[str, types.MemberDescriptorType], ...]:
    return tuple(
        (name, member)
        for base in cls.__mro__
        for name in _slot_names(base)
        if isinstance(member := vars(base).get(name), types.MemberDescriptorType)
    )


def _slot_names(cls: type) -> Iterable[str]:
    slots = vars(cls).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots
