"""What runs when something is called or read: found without running any of it."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Container, Iterator
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from dash_stash.implementation.bindings import Namespace
from dash_stash.origin import is_app_module


def module_of(namespace: Namespace) -> ModuleType | None:
    """Return the module of a namespace; None for one that was made for `exec`."""
    module = sys.modules.get(str(namespace.get("__name__")))
    return module if module is not None and vars(module) is namespace else None


def around(function: FunctionType, ignore: Container[str] = ()) -> Iterator[object]:
    """Yield the variables that a function closes over, except *ignore*, then its defaults."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name in ignore:
            continue
        try:
            yield cell.cell_contents
        except ValueError:  # not assigned yet
            yield None
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


def named_around(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Yield the same as `around`, with the names that the function has for them."""
    code, own = function.__code__, function.__kwdefaults__ or {}
    positional = code.co_varnames[
        code.co_argcount - len(function.__defaults__ or ()) : code.co_argcount
    ]
    return zip((*code.co_freevars, *positional, *own), around(function), strict=True)


def parts_of(value: object) -> list[Any]:  # noqa: PLR0911 (a kind of value each)
    """Return what runs when a value is called or read, in the same order in every process."""
    if isinstance(value, MethodType):
        return [
            value.__func__,
            *([] if isinstance(value.__self__, type) else parts_of(value.__self__)),
            type(value.__self__),
        ]
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, staticmethod | classmethod):
        return [value.__func__]
    if isinstance(value, property):
        return [value.fget, value.fset, value.fdel]
    if isinstance(value, functools.cached_property | functools.partialmethod):
        return [value.func]
    # Not by `getattr`: mocks and proxies have every attribute that they are asked for.
    wrapped = inspect.getattr_static(value, "__wrapped__", None)
    if callable(wrapped):
        return [wrapped, type(value), *_own_functions(value)]
    if is_app_module(type(value).__module__) and not isinstance(value, type | FunctionType):
        return [type(value), *(_own_functions(value) if callable(value) else ())]
    return []


def _own_functions(value: object) -> list[object]:
    own = getattr(value, "__dict__", {}) if is_app_module(type(value).__module__) else {}
    return [
        each
        for _, each in sorted(own.items())
        if isinstance(each, FunctionType | MethodType | type)
    ]


def label(value: object) -> bytes:
    """Return the name of a library's function, class or module, or the id of a memo function."""
    own = inspect.getattr_static(value, "_dash_stash_id", None)
    if isinstance(own, bytes):
        return own
    if isinstance(value, FunctionType):
        return f"{value.__globals__.get('__name__')}.{value.__code__.co_qualname}".encode()
    if isinstance(value, ModuleType):
        return value.__name__.encode()
    if isinstance(value, type | BuiltinFunctionType | MethodDescriptorType):
        return f"{getattr(value, '__module__', '')}.{value.__qualname__}".encode()
    # A wrapper has the names of what it wraps, and `python app.py` calls a module `__main__` that
    # others import as `app`: both would make one thing two.
    return type(value).__qualname__.encode()
