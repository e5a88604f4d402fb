"""Objects of an app's own classes: members of enums, dataclasses and named tuples."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import sys
from types import BuiltinFunctionType, MemberDescriptorType
from typing import Any

from dash_stash.keys.sink import NoKey, Sink, Writer, full_name


def writer_of(value: object) -> Writer | None:
    """Return the writer of an object of one of these kinds, else None."""
    if isinstance(value, enum.Enum):
        return _write_enum
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _write_named_tuple
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _write_dataclass
    return None


def _write_enum(value: enum.Enum, sink: Sink, path: str) -> None:
    _write_class_name("enum", value, sink, path)
    sink.emit(str(value.name).encode())
    try:
        sink.emit(sink.key_of(value.value, path))
    except NoKey:
        sink.emit(b"")  # as of a member whose value is a function: its name is enough


def _write_named_tuple(value: Any, sink: Sink, path: str) -> None:
    if _is_of_namedtuple(type(value)):
        sink.emit(f"namedtuple {full_name(type(value))}".encode())
        _write_attributes(type(value)._field_defaults, sink, f"{path}._field_defaults")
    else:
        _write_class_name("named tuple", value, sink, path)
    _write_attributes(dict(zip(value._fields, value, strict=True)), sink, path)
    _write_attributes(_attributes(value, frozenset()), sink, path)


def _write_dataclass(value: Any, sink: Sink, path: str) -> None:
    kind: Any = type(value)
    if _holds_more_than_attributes(kind):
        raise NoKey(path, f"{full_name(kind)}, a dataclass that is more than its attributes")
    _write_class_name("dataclass", value, sink, path)
    names = [field.name for field in dataclasses.fields(value)]
    # A field may have no value yet, or only the value of its class.
    _write_attributes(
        {name: getattr(value, name) for name in names if hasattr(value, name)}, sink, path
    )
    _write_attributes(_attributes(value, frozenset(names)), sink, path)


def _write_attributes(named: dict[str, Any], sink: Sink, path: str) -> None:
    sink.emit(b"%d" % len(named))
    for name, child in named.items():
        sink.emit(name.encode())
        sink.write(child, f"{path}.{name}")


def _attributes(value: object, but: frozenset[str]) -> dict[str, Any]:
    """Return the attributes of an object by name, in its dict and its slots, without some."""
    found = dict(getattr(value, "__dict__", {}))
    found.pop("__orig_class__", None)  # how `Box[int](1)` was spelled
    kind: Any = type(value)
    found |= {name: getattr(value, name) for name in _slots(kind) if hasattr(value, name)}
    return {name: found[name] for name in sorted(found) if name not in but}


@functools.lru_cache(maxsize=1024)
def _slots(kind: type) -> tuple[str, ...]:
    """Return the names of slots, private ones in full."""
    return tuple(
        name
        for base in kind.__mro__
        for name, one in vars(base).items()
        if isinstance(one, MemberDescriptorType)
    )


@functools.lru_cache(maxsize=1024)
def _holds_more_than_attributes(kind: type) -> bool:
    """Return whether a class has a base in C, whose content is in none of the attributes."""
    return any(
        isinstance(vars(base).get("__new__"), BuiltinFunctionType) for base in kind.__mro__[:-1]
    )


_NAMED_TUPLE = frozenset(vars(collections.namedtuple("_", ())))  # noqa: PYI024 (what such a class has)


def _is_of_namedtuple(kind: Any) -> bool:
    """Return whether `collections.namedtuple` made the class: only name, fields and defaults."""
    return bool(
        kind.__bases__ == (tuple,) and vars(kind).keys() <= _NAMED_TUPLE.union(kind._fields)
    )


def _write_class_name(tag: str, value: object, sink: Sink, path: str) -> None:
    """Write the name of the object's class.

    A class that a function makes is refused: several may have the same name.
    """
    kind = type(value)
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    if found is not kind:
        what = "a class that cannot be found by its name: define it at the top of its module"
        raise NoKey(path, f"{full_name(kind)}, {what}")
    code = b"" if sink.code_of is None else sink.code_of(kind)
    sink.emit(f"{tag} {full_name(kind)}".encode() + code)
