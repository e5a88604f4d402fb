"""The names that compiled code uses: read from the byte code, so that nothing has to be parsed."""

from __future__ import annotations

import dis
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Final

_LOADS: Final = frozenset(dis.opmap[name] for name in ("LOAD_GLOBAL", "LOAD_NAME"))
_STORES: Final = frozenset(dis.opmap[name] for name in ("STORE_GLOBAL", "DELETE_GLOBAL"))
_ATTRIBUTE_STORES: Final = frozenset(dis.opmap[name] for name in ("STORE_ATTR", "DELETE_ATTR"))
_IMPORTS: Final = frozenset([dis.opmap["IMPORT_NAME"]])
_ITEM_STORES: Final = frozenset(dis.opmap[name] for name in ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE") if name in dis.opmap)
_LOAD_GLOBAL: Final = dis.opmap["LOAD_GLOBAL"]


@dataclass(frozen=True)
class Names:
    """What a code object, and those nested in it, name."""

    loaded: frozenset[str]
    """Global variables that are read."""

    stored: frozenset[str]
    """Global variables that are assigned or deleted."""

    attributes: frozenset[str]
    """Attributes that are read, and whatever else is named."""

    stored_attributes: frozenset[str]
    imported: frozenset[str]
    """Modules that are imported inside."""

    stores_items: bool
    """Whether an item of something is assigned or deleted."""


@functools.lru_cache(4096)
def names(code: CodeType) -> Names:
    """Return the names in a code object and in those nested in it."""
    loaded, stored, stored_attributes, imported = set[str](), set[str](), set[str](), set[str]()
    attributes, stores_items = set[str](), False
    for part in _with_nested(code):
        attributes.update(part.co_names)
        for operation, argument in _instructions(part.co_code):
            if operation in _LOADS:
                loaded.add(part.co_names[argument >> 1 if operation == _LOAD_GLOBAL else argument])
            elif operation in _STORES:
                stored.add(part.co_names[argument])
            elif operation in _ATTRIBUTE_STORES:
                stored_attributes.add(part.co_names[argument])
            elif operation in _IMPORTS:
                imported.add(part.co_names[argument])
            elif operation in _ITEM_STORES:
                stores_items = True
    return Names(
        frozenset(loaded), frozenset(stored), frozenset(attributes), frozenset(stored_attributes), frozenset(imported), stores_items
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
