"""Looks at objects and classes without running any code of theirs."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable, Iterator
from typing import Any

from dash_stash.origin import is_app_module


def is_app_class(cls: type) -> bool:
    """Tell whether the class is written in the app."""
    return is_app_module(cls.__module__)


def is_proxy_class(cls: type) -> bool:
    """Tell whether objects of the class claim to be of another one.

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
    found = {
        name: item for name, item in dict.copy(own_dict(value)).items() if not _is_lazy(cls, name)
    }
    found.update(_slot_values(value))
    return found


def _is_lazy(cls: type, name: str) -> bool:
    return any(
        isinstance(base.__dict__.get(name), functools.cached_property) for base in cls.__mro__
    )


def _slot_values(value: object) -> Iterator[tuple[str, object]]:
    for base in type(value).__mro__:
        for name in _slots(base):
            member = base.__dict__.get(name)
            if isinstance(member, types.MemberDescriptorType):
                try:
                    yield name, member.__get__(value)
                except AttributeError:  # not assigned yet
                    continue


def _slots(cls: type) -> Iterable[str]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots
