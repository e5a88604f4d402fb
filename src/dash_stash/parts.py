"""Which values are stored in parts, and whether that would make two objects of one."""

from __future__ import annotations

import collections
from types import BuiltinFunctionType, FunctionType
from typing import Any, Final

from dash_stash.keys import public_name

_MOST_PARTS: Final = 1024
_SEEN_TO_BE_ONE: Final = (
    *("array.array", "numpy.MaskedArray", "numpy.ndarray", "pandas.DataFrame", "pandas.Series"),
)
_LIBRARIES: Final = (
    *("builtins", "fractions", "numpy", "pandas", "pathlib", "polars", "pyarrow", "uuid"),
)
"""Other objects of these are their library's inner parts, or have slots that never change."""


def parts_of(value: object) -> tuple[tuple[str | int, ...], list[Any]] | None:
    """Return the names of a value's parts, and the parts; None if it has none or too many."""
    if type(value) is dict and all(type(name) is str for name in value):
        names: tuple[str | int, ...] = tuple(value)
        children = list(value.values())
    elif type(value) is list:
        names = tuple(range(len(value)))
        children = value
    else:
        return None
    return (names, children) if 0 < len(children) <= _MOST_PARTS else None


def is_seen_to_be_one(obj: object) -> bool:
    """Whether a program can see that it finds one object in two places: it can be changed."""
    if isinstance(obj, list | dict | set | bytearray | collections.deque):
        return True
    if isinstance(obj, type | FunctionType | BuiltinFunctionType):
        return False
    name = public_name(type(obj))
    return name in _SEEN_TO_BE_ONE or (
        name.partition(".")[0] not in _LIBRARIES and _has_attributes(obj)
    )


def _has_attributes(obj: object) -> bool:
    return hasattr(obj, "__dict__") or any(
        vars(kind).get("__slots__") for kind in type(obj).__mro__
    )
