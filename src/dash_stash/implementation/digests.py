"""The digest of what a function does, remembered as long as another walk would find the same.

It contains the function's code, the app's code that this calls, and the constants that all of it
reads. Libraries are known by name only. What changes while the program runs is not in it: neither
variables that some code changes, nor the clock, the environment, files and connections.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable, Collection, Container
from types import CodeType, FunctionType, ModuleType
from typing import Any

from dash_stash import keys
from dash_stash.implementation.callables import around, label, module_of, parts_of
from dash_stash.implementation.changes import Place
from dash_stash.implementation.walk import Implementation, Walk


def of_function(function: FunctionType, ignore: Container[str] = ()) -> bytes:
    """Return the digest of what a function does, the same wherever the sources are the same.

    The code in what it closes over counts, except for the variables in *ignore*. Layout, comments,
    docstrings, annotations and the function's place in its file do not. The first use in a process
    takes some milliseconds, and imports the modules of the app that the function imports.
    """
    package, within = _package(function), (id(function),)
    return keys.digest(
        _find(function, package).digest,
        *(_of_code_in(each, package, within) for each in around(function, ignore)),
    )


def of_classes(function: FunctionType) -> Callable[[type], bytes]:
    """Return a function that returns the digest of a class's code.

    It is for the classes of a function's arguments, whose methods the function may call. A class
    of a library is known by its name.
    """
    return functools.partial(_of_class, package=_package(function))


def is_settled(function: FunctionType, ignore: Collection[str] = ()) -> bool:
    """Return whether `of_function` will return the same for as long as the process runs.

    It may change for a function that was typed in (its helpers may be typed in again), that closes
    over something not in *ignore*, or whose modules are still being imported.
    """
    found = _find(function, _package(function))
    return (
        found.is_settled
        and not found.watched
        and not set(function.__code__.co_freevars).difference(ignore)
    )


def unseen(function: FunctionType) -> list[str]:
    """Return what a function reads that is not in its digest, with the reason.

    As in "RATES (app.py), which is changed at run time".
    """
    return list(_find(function, _package(function)).unseen)


def _package(function: Callable[..., Any]) -> str:
    """Return the package, or single module, of a function: the app, wherever it is installed."""
    space = getattr(sys.modules.get(function.__module__), "__dict__", {})
    return str(space.get("__package__") or function.__module__).partition(".")[0]


_InModule = dict[int, tuple[weakref.ref[CodeType], str, Implementation]]
_by_module: weakref.WeakKeyDictionary[ModuleType, _InModule] = weakref.WeakKeyDictionary()
_by_function: weakref.WeakKeyDictionary[FunctionType, Implementation] = weakref.WeakKeyDictionary()
_by_class: weakref.WeakKeyDictionary[type, tuple[str, Implementation]] = weakref.WeakKeyDictionary()


def _find(function: FunctionType, package: str) -> Implementation:
    """Return the implementation of a function, without what it closes over.

    Functions that were made by running one `def` again and again share it.
    """
    module = module_of(function.__globals__)
    if module is None:
        known = _by_function.get(function)
        if known is None or not known.holds():
            known = _by_function[function] = _look(function, package)
        return known
    # By identity: after a reload, the code may be equal although the helpers that it calls differ.
    in_module, code = _by_module.setdefault(module, {}), function.__code__
    entry = in_module.get(id(code))
    if entry is not None and entry[0]() is code and entry[1] == package and entry[2].holds():
        return entry[2]
    found = _look(function, package)
    in_module[id(code)] = weakref.ref(code), package, found
    return found


def _look(root: FunctionType | type, package: str) -> Implementation:
    excluded: set[Place] = set()
    while True:
        walk = Walk(package, excluded, root)
        walk.finish()
        # A module that was found later may change a variable that seemed constant before.
        if not walk.taken & excluded:
            return walk.found


# What functions close over


def _of_code_in(value: object, package: str, within: tuple[int, ...]) -> bytes:
    """Return the digest of the code, not the data, in what a function closes over."""
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
