"""What compiled code consists of, and the names that it uses, without parsing its source."""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final

from dash_stash import keys

_LOADS: Final = frozenset(
    dis.opmap[name]
    for name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
    if name in dis.opmap
)
_STORES: Final = frozenset(dis.opmap[name] for name in ("STORE_GLOBAL", "DELETE_GLOBAL"))
_ATTRIBUTE_STORES: Final = frozenset(dis.opmap[name] for name in ("STORE_ATTR", "DELETE_ATTR"))
_IMPORTS: Final = frozenset([dis.opmap["IMPORT_NAME"]])
_ITEM_STORES: Final = frozenset(
    dis.opmap[name]
    for name in ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE")
    if name in dis.opmap
)
_LOAD_GLOBAL: Final = dis.opmap["LOAD_GLOBAL"]
_CONSTS: Final = frozenset(dis.hasconst)
_SMALL_INT: Final = dis.opmap.get("LOAD_SMALL_INT")
_STARRED: Final = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


Import = tuple[int, str, tuple[str, ...]]
"""An `import` statement: how many packages up, the module, and what is wanted of it."""


@dataclass(frozen=True)
class CodeNames:
    """The names in a code object and in those nested in it."""

    loaded: frozenset[str]
    """Global variables that are read."""

    stored: frozenset[str]
    """Global variables that are assigned or deleted."""

    attributes: frozenset[str]
    """Attributes that are read, and all other names."""

    stored_attributes: frozenset[str]
    imported: frozenset[Import]

    stores_items: bool
    """Whether an item of something is assigned or deleted."""


@functools.lru_cache(4096)
def names(code: CodeType) -> CodeNames:
    """Return the names in a code object and in those nested in it."""
    loaded, stored, stored_attributes = set[str](), set[str](), set[str]()
    attributes, stores_items, imported = set[str](), False, set[Import]()
    for part in _with_nested(code):
        attributes.update(part.co_names)
        recent: tuple[Any, Any] = None, None
        for operation, argument in _instructions(part.co_code):
            if operation in _LOADS:
                loaded.add(part.co_names[argument >> 1 if operation == _LOAD_GLOBAL else argument])
            elif operation in _STORES:
                stored.add(part.co_names[argument])
            elif operation in _ATTRIBUTE_STORES:
                stored_attributes.add(part.co_names[argument])
            elif operation in _IMPORTS:
                imported.add((recent[0], part.co_names[argument], tuple(recent[1] or ())))
            elif operation in _ITEM_STORES:
                stores_items = True
            elif operation in _CONSTS:
                recent = recent[1], part.co_consts[argument]
            elif operation == _SMALL_INT:
                recent = recent[1], argument
    return CodeNames(
        frozenset(loaded),
        frozenset(stored),
        frozenset(attributes),
        frozenset(stored_attributes),
        frozenset(imported),
        stores_items,
    )


def _with_nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _with_nested(const)


def _instructions(code: bytes) -> Iterator[tuple[int, int]]:
    extended = 0
    for operation, argument in zip(code[::2], code[1::2], strict=True):
        argument |= extended  # noqa: PLW2901
        extended = argument << 8 if operation == dis.EXTENDED_ARG else 0
        yield operation, argument


@functools.lru_cache(4096)
def digest(code: CodeType) -> bytes:
    """Return the digest of byte code, without file names, line numbers and docstrings."""
    shape = (
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_flags & _STARRED,
    )
    # Constants where they are used: a docstring is among the constants, and nothing uses it.
    steps = [
        b"%d " % operation
        + (_of_const(code.co_consts[argument]) if operation in _CONSTS else b"%d" % argument)
        for operation, argument in _instructions(code.co_code)
    ]
    names = (*code.co_names, *code.co_varnames, *code.co_freevars)
    return keys.digest(
        repr(shape).encode(), *steps, code.co_exceptiontable, *(name.encode() for name in names)
    )


def _of_const(const: object) -> bytes:
    return digest(const) if isinstance(const, CodeType) else keys.of_value(const, "a constant")
