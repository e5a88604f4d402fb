"""What a function does: its code, the code of the app that it calls, and the constants that this reads.

Libraries are known by name only. What changes while the program runs is no part of it, and neither
are the clock, the environment, files and connections.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable, Collection, Container
from types import CodeType, FunctionType, ModuleType
from typing import Any

from dash_stash import keys
from dash_stash.implementation.walk import Implementation, Walk, around, label, module_of, parts_of


def of_function(function: FunctionType, ignore: Container[str] = ()) -> bytes:
    """Return the digest of what a function does: the same in every process that has the same sources.

    What it closes over counts, but for the variables that are to be ignored. It does not change with
    layout, comments, docstrings, annotations, or the function's place in its file. The first use in a
    process takes some milliseconds; modules of the app that the function imports are imported then.
    """
    package, within = _package(function), (id(function),)
    return keys.digest(
        _find(function, package).digest,
        *(_of_code_in(each, package, within) for each in around(function, ignore)),
    )


def of_classes(function: FunctionType) -> Callable[[type], bytes]:
    """Return what gives the digest of the code of a class, of which a function's arguments are.

    The function may call their methods; a class that is not the app's goes by its name.
    """
    return functools.partial(_of_class, package=_package(function))


def is_settled(function: FunctionType, ignore: Collection[str] = ()) -> bool:
    """Tell whether `of_function` returns the same for as long as the process runs.

    It may not for a function that was typed in (its helpers may be typed in anew), that closes over
    something, or that is used before the modules that it needs are loaded.
    """
    found = _find(function, _package(function))
    return (
        found.is_settled
        and not found.watched
        and not set(function.__code__.co_freevars).difference(ignore)
    )


def unseen(function: FunctionType) -> list[str]:
    """Return what a function reads that is not in its key: "RATES (app.py), which is changed at run time"."""
    return list(_find(function, _package(function)).unseen)


def _package(function: Callable[..., Any]) -> str:
    """The package, or single module, of a function: wherever that is installed, it is the app."""
    space = getattr(sys.modules.get(function.__module__), "__dict__", {})
    return str(space.get("__package__") or function.__module__).partition(".")[0]


_InModule = dict[int, tuple[weakref.ref[CodeType], str, Implementation]]
_by_module: weakref.WeakKeyDictionary[ModuleType, _InModule] = weakref.WeakKeyDictionary()
_by_function: weakref.WeakKeyDictionary[FunctionType, Implementation] = weakref.WeakKeyDictionary()
_by_class: weakref.WeakKeyDictionary[type, tuple[str, Implementation]] = weakref.WeakKeyDictionary()


def _find(function: FunctionType, package: str) -> Implementation:
    """What is known of a function, but for what it closes over: those made in one place share it."""
    module = module_of(function.__globals__)
    if module is None:
        known = _by_function.get(function)
        if known is None or not known.holds():
            known = _by_function[function] = _look(function, package)
        return known
    # By identity: equal code may have been loaded anew, with helpers that are not equal.
    in_module, code = _by_module.setdefault(module, {}), function.__code__
    entry = in_module.get(id(code))
    if entry is not None and entry[0]() is code and entry[1] == package and entry[2].holds():
        return entry[2]
    found = _look(function, package)
    in_module[id(code)] = weakref.ref(code), package, found
    return found


def _look(root: FunctionType | type, package: str) -> Implementation:
    excluded: set[tuple[int, str]] = set()
    while True:
        walk = Walk(package, excluded, root)
        walk.finish()
        # A module that was come by later may change what was taken for a constant.
        if not walk.taken & excluded:
            return walk.found


# What functions close over


def _of_code_in(value: object, package: str, within: tuple[int, ...]) -> bytes:
    """The digest of the code in something that a function closes over; not of its data."""
    if id(value) in within:
        return b"%d" % within.index(id(value))
    inner = (*within, id(value))
    if isinstance(value, FunctionType):
        return keys.digest(
            _find(value, package).digest,
            *(_of_code_in(each, package, inner) for each in around(value)),
        )
    if isinstance(value, type):
        return _of_class(value, package)
    parts = parts_of(value)
    return (
        keys.digest(label(value), *(_of_code_in(part, package, inner) for part in parts))
        if parts
        else b""
    )


def _of_class(cls: type, package: str) -> bytes:
    known = _by_class.get(cls)
    if known is None or known[0] != package or not known[1].holds():
        known = _by_class[cls] = package, _look(cls, package)
    return known[1].digest
