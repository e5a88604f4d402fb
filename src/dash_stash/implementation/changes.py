"""Which objects the code of a module changes, in its own namespace and in others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

from dash_stash.implementation.bindings import ModuleNames, Namespace, names_of
from dash_stash.implementation.constants import imported, is_plain
from dash_stash.origin import is_app_module

Place = tuple[int, str]
"""Where something is changed: a namespace or class, by its id, and the attribute's name.

An object that is changed in place, which others may know by another name: its id, and "".
"""


def changes_itself(kind: type) -> bool:
    """Return whether a class of records has methods that change them."""
    for base in kind.__mro__:
        known = (
            names_of(getattr(sys.modules.get(base.__module__), "__dict__", {}))
            if is_app_module(base.__module__)
            else None
        )
        if known is not None and base.__qualname__ in known.changing_themselves:
            return True
    return False


def changes_of(namespace: Namespace) -> Iterator[Place]:
    """Yield what the code of a module assigns to modules and classes, or changes in place."""
    known = names_of(namespace)
    if known is None:
        return
    for name in known.changed:
        yield from _changed_object(namespace.get(name))
    for path in known.changed_by_alias:
        yield from _changed_object(_find(namespace, known, path))
    for base, attribute in known.changed_attributes:
        owner = _find(namespace, known, base)
        if isinstance(owner, ModuleType | type):
            yield id(vars(owner) if isinstance(owner, ModuleType) else owner), attribute
            yield from _changed_object(vars(owner).get(attribute))
        else:
            yield from _changed_object(owner)


def _changed_object(value: object) -> Iterator[Place]:
    # One plain value may be shared by everything that is equal to it: its id says nothing.
    if not is_plain(value):
        yield id(value), ""


def _find(namespace: Namespace, known: ModuleNames, path: str) -> object:
    first, *rest = path.split(".")
    # A module that is imported within a function is not among the module's names.
    found = namespace.get(first, _imported_inside(namespace, known, first))
    for name in rest:
        found = vars(found).get(name) if isinstance(found, ModuleType | type) else None
    return found


def _imported_inside(namespace: Namespace, known: ModuleNames, name: str) -> object:
    node = known.imported_inside.get(name)
    if node is None:
        return sys.modules.get(name)
    wanted = node.names[0].name
    module = imported(namespace, node)
    found = None if module is None else vars(module).get(wanted)
    return sys.modules.get(wanted) if found is None and not node.module else found
