"""What the annotation of a callback's parameter asks for where a reference comes in."""

from __future__ import annotations

import builtins
import dataclasses
import inspect
import types
import typing
from collections import abc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from dash_stash.ref import Ref

_UNIONS = (typing.Union, types.UnionType)
_LISTS = (
    list,
    set,
    frozenset,
    abc.Sequence,
    abc.MutableSequence,
    abc.Collection,
    abc.Iterable,
    abc.Set,
)
_DICTS = (dict, abc.Mapping, abc.MutableMapping)


@dataclass(frozen=True, slots=True)
class Wish:
    """What becomes of a reference: the value, the reference itself, or the text as it came."""

    kind: Literal["value", "reference", "text"] = "value"
    is_optional: bool = False
    """Whether a reference that is refused or gone becomes None: if the annotation says so."""

    children: tuple[Wish, ...] | None = None
    """The wishes for the items inside, by their places; the last one is for all further items.

    None if the annotation says nothing about items.
    """

    def child(self, place: int) -> Wish:
        """Return the wish for the item at a place inside a list or dict."""
        if not self.children:
            return dataclasses.replace(self, is_optional=False)
        return self.children[min(place, len(self.children) - 1)]


ANYTHING = Wish()


def wishes(function: Callable[..., Any]) -> dict[str, Wish]:
    """Return the wish of each annotated parameter of *function*."""
    hints = inspect.get_annotations(function)
    return {
        name: _wish(_evaluated(hint, getattr(function, "__globals__", {})))
        for name, hint in hints.items()
    }


def _wish(annotation: Any) -> Wish:
    members = list(_members(annotation))
    named = [member for member in members if member not in (None, type(None))]
    leaves = set(_leaves(annotation)) - {None, type(None)}
    kind: Literal["value", "reference", "text"] = "value"
    if Ref in leaves:
        kind = "reference"
    elif leaves and all(isinstance(leaf, type) and issubclass(leaf, str) for leaf in leaves):
        kind = "text"
    inside = [children for member in named if (children := _children(member))]
    return Wish(
        kind,
        0 < len(named) < len(members),
        tuple(map(_wish, inside[0])) if len(inside) == 1 else None,
    )


def _members(annotation: Any) -> Iterator[Any]:
    """Yield the members of a union, or the annotation itself, without aliases and `Annotated`."""
    origin = typing.get_origin(annotation)
    if origin in _UNIONS:
        for child in typing.get_args(annotation):
            yield from _members(child)
    elif origin is typing.Annotated:
        yield from _members(typing.get_args(annotation)[0])
    elif origin is Literal:
        yield from map(type, typing.get_args(annotation))
    elif (
        meant := getattr(annotation, "__supertype__", None)
        or getattr(annotation, "__value__", None)
    ) is not None:
        yield from _members(meant)  # a NewType, or an alias of Python 3.12
    else:
        yield annotation


def _children(annotation: Any) -> tuple[Any, ...]:
    """Return the annotations of the items of a list, tuple or dict."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in _DICTS:
        return arguments[1:]
    if origin in _LISTS:
        return arguments
    return (
        tuple(argument for argument in arguments if argument is not ...) if origin is tuple else ()
    )


def _leaves(annotation: Any) -> Iterator[Any]:
    """Yield the classes in an annotation: those of `list[Ref[int] | None]` are Ref and None."""
    for member in _members(annotation):
        children = _children(member)
        if not children:
            yield typing.get_origin(member) or member
        for child in children:
            yield from _leaves(child)


def _evaluated(hint: Any, known: dict[str, Any]) -> Any:
    """Return an annotation that may be text, evaluated.

    Names that only type checkers import stand for classes of their own.
    """
    annotated = types.SimpleNamespace(__annotations__={"hint": hint})
    for names in (None, _Names(known)):
        try:
            return typing.get_type_hints(
                annotated, globalns=known, localns=names, include_extras=True
            )["hint"]
        except Exception:  # noqa: BLE001, S112 (evaluating a user's annotation may raise anything)
            continue
    return None


class _Names(dict[str, Any]):
    """The names of a module, and a class for each that only type checkers import."""

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, None) or _unknown(name)


class _Unknown(type):
    """The class of what is not imported: `list[pd.DataFrame | None]` can be evaluated with it."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _unknown(name)

    def __getitem__(cls, _: object) -> _Unknown:
        return cls


def _unknown(name: str) -> Any:
    return Ref if name == "Ref" else getattr(typing, name, None) or _Unknown(name, (), {})
