"""The digests of constants: plain data, containers and records of it, and the code in them."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from enum import Enum
from types import (
    BuiltinFunctionType,
    FunctionType,
    MappingProxyType,
    MethodDescriptorType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any, Final

from dash_stash import bytecode, keys
from dash_stash.implementation.callables import label, parts_of
from dash_stash.implementation.changes import changes_itself
from dash_stash.implementation.constants import is_plain

_MOST_ELEMENTS: Final = 10_000

STATE: Final = b"state"
"""Stands for a value that is not in a key."""


class Numbering:
    """Numbers functions and classes in the order in which they are found.

    Code is known by its number to the code that uses it, so that functions may call each other.
    """

    def __init__(self, root: object) -> None:
        self.nodes: list[object] = []
        self._numbers: dict[int, int] = {}
        self.number(root)

    def number(self, node: object) -> bytes:
        """Return the number of a function or class, a new one if it has none."""
        if id(node) not in self._numbers:
            self._numbers[id(node)] = len(self.nodes)
            self.nodes.append(node)
        return b"#%d" % self._numbers[id(node)]


class ConstantDigests:
    """Makes the digests of constants; the functions and classes in them are numbered."""

    def __init__(self, numbering: Numbering) -> None:
        self._number = numbering.number
        self._elements = 0

    def of_constant(self, value: object) -> bytes | None:
        """Return the digest of a constant, None if it has none or more than 10,000 elements."""
        self._elements = 0
        try:
            return self.of_value(value)
        except (keys.NoKey, OverflowError, RecursionError):
            return None

    def of_part(self, value: object) -> bytes:
        """Return the digest of what code keeps: other code, or what cannot change."""
        if is_plain(value) or isinstance(value, FunctionType | type | ModuleType):
            return self.of_constant(value) or STATE
        parts = parts_of(value)
        return keys.digest(label(value), *map(self.of_part, parts)) if parts else STATE

    def of_value(self, value: Any) -> bytes:  # noqa: PLR0911 (a kind of value each)
        """Return the digest of a value.

        Raises:
            keys.NoKey: It is, or holds, something without a value of its own.
            OverflowError: It has more than 10,000 elements.
            RecursionError: It holds itself.
        """
        if isinstance(value, FunctionType | type):
            return self._number(value)
        if isinstance(value, ModuleType):
            return label(value)
        if type(value) in (list, tuple, set, frozenset, dict):
            return self._of_container(value)
        if isinstance(value, MappingProxyType):
            return self._of_container(dict(value))
        if isinstance(value, SimpleNamespace):
            return self._of_container(vars(value))
        if isinstance(value, BuiltinFunctionType | MethodDescriptorType):
            receiver = getattr(value, "__self__", None)
            return keys.digest(
                label(value), b"" if isinstance(receiver, ModuleType) else self.of_value(receiver)
            )
        record = self._of_record(value)
        if record is not None:
            return record
        parts = parts_of(value)
        if isinstance(value, functools.partial):
            return keys.digest(*map(self.of_value, parts), *map(str.encode, value.keywords))
        if parts and callable(value):
            return keys.digest(label(value), *map(self.of_part, parts))
        return keys.of_value(value, "a constant")

    def _of_record(self, value: Any) -> bytes | None:
        """Return the digest of an enum's member, named tuple, dataclass or pattern, or None."""
        if isinstance(value, Enum):
            return keys.digest(self._number(type(value)), str(value.name).encode())
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return keys.digest(self._number(type(value)), *map(self.of_value, value))
        if dataclasses.is_dataclass(value):
            if changes_itself(type(value)):
                raise keys.NoKey("", "record that changes")
            each = (getattr(value, each.name) for each in dataclasses.fields(value))
            return keys.digest(self._number(type(value)), *map(self.of_value, each))
        if isinstance(value, re.Pattern):
            return keys.of_value([value.pattern, value.flags], "a constant")
        return None

    def _of_container(self, value: Any) -> bytes:
        self._elements += len(value)
        if self._elements > _MOST_ELEMENTS:
            raise OverflowError
        kind = type(value).__name__.encode()
        if isinstance(value, dict):
            return keys.digest(
                kind, *map(self.of_value, itertools.chain.from_iterable(value.items()))
            )
        if isinstance(value, set | frozenset):
            # Sorted before they get digests too: functions are numbered in the order of the visit.
            return keys.digest(kind, *sorted(map(self.of_value, sorted(value, key=_rank))))
        return keys.digest(kind, *map(self.of_value, value))


def _rank(element: object) -> tuple[bytes, ...]:
    """Return what sorts the elements of a set the same in every process: no address, no hash."""
    if type(element) in (tuple, frozenset):
        ranks = [part for each in element for part in _rank(each)]  # type: ignore[attr-defined]
        return tuple(ranks if type(element) is tuple else sorted(ranks))
    code = (
        b"%d" % element.__code__.co_firstlineno + bytecode.digest(element.__code__)
        if isinstance(element, FunctionType)
        else b""
    )
    return label(element), repr(element).encode() if is_plain(element) else b"", code
