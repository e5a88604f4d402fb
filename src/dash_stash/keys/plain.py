"""Values of Python and its standard library."""

from __future__ import annotations

import builtins
import datetime
import decimal
import fractions
import pathlib
import re
import struct
import uuid
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from dash_stash.keys.sink import NoKey, Sink, Writer, full_name, public_name


def text(tag: str, to_bytes: Callable[[Any], bytes]) -> Writer:
    """Return the writer of values that make one chunk."""
    begin = f"{tag}:".encode()

    def write(value: Any, sink: Sink, path: str) -> None:  # noqa: ARG001 (a writer's signature)
        sink.emit(begin + to_bytes(value))

    return write


def _float(value: float) -> bytes:
    # All NaNs are one: what else their bits say is neither compared nor shown.
    return b"nan" if value != value else struct.pack("<d", value)  # noqa: PLR0124 (that is how NaN is known)


def write_sequence(tag: str) -> Writer:
    """Return the writer of what has a length and can be iterated over."""
    begin = tag.encode()

    def write(value: Any, sink: Sink, path: str) -> None:
        sink.emit(begin + b"%d" % len(value))
        for index, child in enumerate(value):
            sink.write(child, f"{path}[{index}]")

    return write


def write_parts(tag: str, *names: str) -> Writer:
    """Return the writer of objects that have the attributes *names* and nothing else."""
    begin = tag.encode()

    def write(value: Any, sink: Sink, path: str) -> None:
        sink.emit(begin)
        for name in names:
            sink.write(getattr(value, name), f"{path}.{name}")

    return write


def _write_deque(value: deque[Any], sink: Sink, path: str) -> None:
    sink.emit(b"deque")
    sink.write(value.maxlen, path)
    write_sequence("items")(value, sink, path)


def _write_set(tag: str) -> Writer:
    begin = tag.encode()

    def write(value: Any, sink: Sink, path: str) -> None:
        sink.emit(begin + b"%d" % len(value))
        for key in sorted(sink.key_of(child, path) for child in value):
            sink.emit(key)

    return write


def _write_mapping(tag: str) -> Writer:
    """Return the writer of dicts, whose order counts: a function that iterates over one sees it."""
    begin = tag.encode()

    def write(value: Any, sink: Sink, path: str) -> None:
        sink.emit(begin + b"%d" % len(value))
        for name, child in value.items():
            sink.write(name, f"the key {name!r} of {path}")
            sink.write(child, f"{path}[{name!r}]")

    return write


def _write_defaultdict(value: defaultdict[Any, Any], sink: Sink, path: str) -> None:
    sink.emit(b"defaultdict")
    sink.write(value.default_factory, f"{path}.default_factory")
    _write_mapping("items")(value, sink, path)


def _write_class(value: type, sink: Sink, path: str) -> None:
    """Write a builtin class; the name of another class does not say what its code does."""
    if vars(builtins).get(value.__qualname__) is not value:
        raise NoKey(path, f"class, {full_name(value)}")
    sink.emit(f"class:{value.__qualname__}".encode())


def _write_moment(tag: str) -> Writer:
    begin = f"{tag}:".encode()

    def write(value: Any, sink: Sink, path: str) -> None:
        sink.emit(begin)
        sink.write(value.tzinfo, f"{path}.tzinfo")
        sink.emit(f"{value.isoformat()} {value.fold}".encode())

    return write


def write_zone(value: datetime.tzinfo, sink: Sink, path: str) -> None:
    """Write a time zone of a library, by its `repr`.

    If it was read from a file of the user, it is refused: its `repr` does not show its content.
    """
    shown = repr(value)
    if "from_file" in shown or " object at 0x" in shown:
        raise NoKey(path, f"time zone that was read from a file, {shown}")
    sink.emit(f"zone:{public_name(type(value))} {shown}".encode())


WRITERS: dict[type, Writer] = {
    type(None): text("None", lambda value: b""),
    type(...): text("Ellipsis", lambda value: b""),
    bool: text("bool", lambda value: b"1" if value else b"0"),
    int: text("int", lambda value: b"%x" % value),
    float: text("float", _float),
    complex: text("complex", lambda value: _float(value.real) + b" " + _float(value.imag)),
    str: text("str", lambda value: value.encode("utf-8", "surrogatepass")),
    bytes: text("bytes", bytes),
    bytearray: text("bytearray", bytes),
    # Not by `str`, which depends on the context's `capitals`.
    decimal.Decimal: text("Decimal", lambda value: repr(value.as_tuple()).encode()),
    fractions.Fraction: text("Fraction", lambda value: str(value).encode()),
    datetime.date: text("date", lambda value: value.isoformat().encode()),
    datetime.datetime: _write_moment("datetime"),
    datetime.time: _write_moment("time"),
    datetime.timedelta: text("timedelta", lambda value: repr(value).encode()),
    datetime.timezone: write_zone,
    uuid.UUID: text("UUID", lambda value: value.bytes + value.is_safe.name.encode()),
    range: text("range", lambda value: repr(value).encode()),
    slice: write_parts("slice", "start", "stop", "step"),
    re.Pattern: write_parts("Pattern", "pattern", "flags"),
    type: _write_class,
    **{
        kind: text(kind.__name__, lambda value: str(value).encode("utf-8", "surrogatepass"))
        for kind in (
            pathlib.PurePosixPath,
            pathlib.PureWindowsPath,
            pathlib.PosixPath,
            pathlib.WindowsPath,
        )
    },
    list: write_sequence("list"),
    tuple: write_sequence("tuple"),
    deque: _write_deque,
    set: _write_set("set"),
    frozenset: _write_set("frozenset"),
    dict: _write_mapping("dict"),
    OrderedDict: _write_mapping("OrderedDict"),
    defaultdict: _write_defaultdict,
}
"""The writers by exact type: a subclass may hold more than the writer knows."""
