"""What is known of a value: which shared objects it may be, and what kind of thing it is."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace

from dash_stash import mutations
from dash_stash.lint.source.definitions import Class, Function, Module


class Sort(enum.Enum):
    """What keeps an object alive between two calls."""

    GLOBAL = "module-level"
    CAPTURED = "enclosing function's"
    SHARED = "shared"
    CLASS = "class attribute"
    DEFAULT = "default argument"
    CACHED = "cached result"
    PROCESS = "the process's"
    FOREIGN = "imported"
    FILE = "file"
    PARAMETER = "parameter"


@dataclass(frozen=True)
class Root:
    """An object that lives longer than a call.

    Or a parameter, which stands for what the caller passes.
    """

    sort: Sort
    name: str
    owner: object = None
    """The module, function or class that it belongs to."""
    part: bool = False
    """Whether something inside the object is meant."""


@dataclass(frozen=True)
class Data:
    """An object of a family of types that hold data, or a "scalar", which cannot change."""

    family: str


@dataclass(frozen=True)
class _Named:
    name: str


class Foreign(_Named):
    """A module, class, function or object of a library, by its dotted name."""


class Made(_Named):
    """An object that a library's function (or class) of this name returned."""


@dataclass(frozen=True)
class Routine:
    """A function of the program, with what is already bound to it."""

    function: Function
    bound: tuple[Value, ...] = ()
    named: tuple[tuple[str, Value], ...] = ()
    lasting: bool = False
    """Whether it was made once, at import, with the variables that it captured."""


@dataclass(frozen=True)
class _OfClass:
    cls: Class


class Type(_OfClass):
    """A class of the program."""


class Instance(_OfClass):
    """An object of a class of the program."""


@dataclass(frozen=True)
class Namespace:
    """A module of the program."""

    module: Module


Kind = Data | Foreign | Made | Routine | Type | Instance | Namespace
SCALAR = Data("scalar")
NONE = Data("none")
"""`None`: a variable that is to become something else."""
EACH = object()
"""The key of what is under all keys, or at all places."""
CONSTANT: frozenset[Root] = frozenset()
"""A text that depends on nothing."""


@dataclass(frozen=True)
class Value:
    """What is known of a value."""

    roots: frozenset[Root] = frozenset()
    """The objects that it may be, or be a part of."""
    inner: frozenset[Root] = frozenset()
    """The objects that it may contain, if it is itself a new one."""
    kind: Kind | None = None
    text: frozenset[Root] | None = None
    """The parameters that a text, or the path of a file, depends on.

    None if it may differ between two calls with the same arguments, or is no text.
    """
    items: tuple[tuple[object, Value], ...] = ()
    """What is under the keys of a container that was written out."""

    def join(self, other: Value) -> Value:
        """Return what is known if it is the one or the other."""
        if self == other:
            return self
        kind = self.kind if self.kind == other.kind else None
        if NONE in (self.kind, other.kind):
            kind = other.kind if self.kind == NONE else self.kind
        items = _joined_items(self, other)
        return Value(
            self.roots | other.roots, self.inner | other.inner, kind, combined((self, other)), items
        )

    @property
    def content(self) -> frozenset[Root]:
        """The objects that something taken out of it may be a part of."""
        return frozenset(inside(self.roots)) | self.inner

    @property
    def held(self) -> frozenset[Root]:
        """The objects that a container which is given this value then contains.

        What is of unknown kind is most often text or a number, which nobody can change.
        """
        if self.kind in _UNCHANGING:
            return frozenset()
        return self.inner | self.roots if self.kind is not None else self.inner

    def item(self, key: object) -> Value:
        """Return what is under a key."""
        known = dict(self.items)
        return known.get(key) or known.get(EACH) or self.part()

    def part(self, kind: Kind | None = None) -> Value:
        """Return something taken out of it: an item, an attribute, a view."""
        each = dict(self.items).get(EACH)
        if kind is None and each is not None and (not self.roots or each.kind == SCALAR):
            return each
        content = self.content
        return Value(content, content, kind) if content or kind else UNKNOWN

    def copied(self, kind: Kind | None = None) -> Value:
        """Return a shallow copy: a new object with the same content."""
        return Value(inner=self.content, kind=kind, items=() if self.roots else self.items)

    def inside(self, roots: frozenset[Root]) -> Value:
        """Return what an item is once its container is known to be one of these objects."""
        if self.kind == SCALAR:
            return self
        return Value(
            self.roots | frozenset(inside(roots)),
            self.inner,
            None if self.kind == NONE else self.kind,
        )

    def among(self) -> tuple[tuple[object, Value], ...]:
        """Return the items of a container in which each is this.

        Only two are worth knowing: a scalar, and a new object that contains shared ones.
        """
        return ((EACH, self),) if self.kind == SCALAR or (self.inner and not self.roots) else ()


UNKNOWN = Value()
_UNCHANGING = (SCALAR, NONE, Data("mask"))


def _joined_items(one: Value, other: Value) -> tuple[tuple[object, Value], ...]:
    """Return what is known of the items if a container is the one or the other."""
    if one.items == other.items or not (other.roots or other.inner or other.items):
        return one.items
    if not (one.roots or one.inner or one.items):
        return other.items
    left, right = dict(one.items), dict(other.items)
    if left.keys() == right.keys():
        return tuple((key, value.join(right[key])) for key, value in left.items())
    return (
        ((EACH, union((*left.values(), *right.values()))),)
        if EACH in left and EACH in right
        else ()
    )


def made_by(name: str) -> Data | Made:
    """Return what kind of thing a library's function of this name returns."""
    family = mutations.family_of(name)
    return Data(family.name) if family else Made(name)


def in_order(roots: Iterable[Root]) -> list[Root]:
    """Return roots in an order that is the same in each run.

    Of several objects that a line may change, the first is reported.
    """
    return sorted(roots, key=lambda root: (root.name, root.sort.name, root.part))


def inside(roots: Iterable[Root]) -> Iterable[Root]:
    """Return the roots for something inside their objects."""
    return (root if root.part else replace(root, part=True) for root in roots)


def union(values: Iterable[Value]) -> Value:
    """Return what is known of a value that is one of these."""
    result: Value | None = None
    for value in values:
        result = value if result is None else result.join(value)
    return result or UNKNOWN


def combined(values: Iterable[Value]) -> frozenset[Root] | None:
    """Return what a text that is made of all these depends on."""
    parts = [value.text for value in values]
    return None if None in parts else CONSTANT.union(*(part for part in parts if part is not None))
