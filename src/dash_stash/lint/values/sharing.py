"""Which objects a callback may change, and what a call of a method changes."""

from __future__ import annotations

from dash_stash import mutations
from dash_stash.lint.values.value import (
    SCALAR,
    Data,
    Foreign,
    Instance,
    Made,
    Root,
    Sort,
    Value,
    in_order,
)


def is_exempt(value: Value) -> bool:
    """Return whether an object is made to be shared, or belongs to one request."""
    match value.kind:
        case Foreign(name) | Made(name):
            return mutations.is_infrastructure(name)
        case Instance(cls):
            return any(map(mutations.is_infrastructure, cls.foreign_bases))
    return False


def is_lasting(value: Value) -> bool:
    """Return whether an object is made to be kept: a connection is, its answer is not."""
    match value.kind:
        case Foreign(name) | Made(name) if name.startswith(mutations.ANSWERING):
            return name.rpartition(".")[2][:1].isupper()
    return is_exempt(value)


def can_change(value: Value, via: str) -> bool:
    """Return whether a method or operator changes an object of this kind; "" always does."""
    match value.kind:
        case _ if not via:
            return value.kind != SCALAR
        case Data("none"):
            return can_change(Value(value.roots), via)
        case Data(family) if via.endswith("="):
            return family in mutations.BY_NAME and mutations.BY_NAME[family].augments
        case Data(family):
            return family in mutations.BY_NAME and mutations.is_mutating(family, via)
        case None if via.endswith("="):
            return any(root.sort is Sort.PARAMETER for root in value.roots)
        case None:
            return mutations.is_mutating(None, via)
        case Made(name):
            known = mutations.family_of(name)
            if known:
                return mutations.is_mutating(known.name, via)
            return via in mutations.FOREIGN_METHODS
        case Foreign(_):
            return via in mutations.FOREIGN_METHODS
    return False


def writes_columns(value: Value) -> bool:
    """Return whether assigning to an item of it changes that object alone.

    Rows that were taken from a frame are such an object: a new column is theirs, not the frame's.
    """
    return value.kind == Data("frame slice")


def written_files(path: Value) -> list[Root]:
    """Return the file that writing to a path changes, if calls share it.

    Calls share a file at a fixed path. A path that is one parameter is the caller's choice.
    """
    if path.text is None or len(path.text) > 1:
        return []
    return in_order(path.text) or [Root(Sort.FILE, "")]
