"""Values in the place of references, in whatever form a callback takes its arguments."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import flask

from dash_stash.ref import PREFIX, Ref, References, is_reference

if TYPE_CHECKING:
    from dash import Dash

# What becomes of a reference that reaches a parameter: the value, the reference itself, or the text as it came.
_Wish = Literal["value", "reference", "text"]

_NEEDLE = PREFIX.encode()


class Arguments:
    """Resolves the arguments of one app's callbacks."""

    def __init__(self, app: Dash, references: References) -> None:
        """Take the app, whose callbacks may be registered later, and what opens its references."""
        self._app, self._references = app, references
        self._wishes: dict[Callable[..., Any], dict[int, _Wish] | None] = {}

    def resolve(self, func: Callable[..., Any], args: list[Any], g: Any) -> list[Any]:
        """Return *args*, the flat list of a callback's inputs and states, with values in the place of references.

        Raises:
            RefInvalid: One of them is a reference that this session may not open; the callback must not run.
            RefExpired: The value of one is gone for good.
        """
        # Most callbacks get no reference, some get megabytes of table data: one search of the raw request tells.
        if flask.has_request_context() and _NEEDLE not in flask.request.get_data(cache=True):
            return args
        if func not in self._wishes:
            self._wishes[func] = self._wishes_of(func)
        wishes = self._wishes[func]
        if wishes is None:
            return args
        props = _props(g)
        return [self._replace(value, wishes.get(index, "value"), props[index]) for index, value in enumerate(args)]

    def _replace(self, value: Any, wish: _Wish, prop: str) -> Any:
        if wish == "text":
            return value
        if isinstance(value, str):
            if not is_reference(value):
                return value
            ref = self._references.open(value, prop)
            return ref if wish == "reference" else ref.get()
        if isinstance(value, list):
            return [self._replace(child, wish, prop) for child in value]
        if isinstance(value, dict):
            return {name: self._replace(child, wish, prop) for name, child in value.items()}
        return value

    def _wishes_of(self, func: Callable[..., Any]) -> dict[int, _Wish] | None:
        """What each argument is to become, by its position in the flat list; None for a background callback.

        A background callback runs in another process: its references stay what they are.
        """
        registered = next((entry for entry in self._app.callback_map.values() if entry.get("callback") is func), None)
        if registered is None:
            return {}
        if registered.get("background"):
            return None
        grouping = registered["inputs_state_indices"]
        return _wishes_by_position(inspect.unwrap(func), grouping)


def _wishes_by_position(function: Callable[..., Any], grouping: Any) -> dict[int, _Wish]:
    args, kwargs = ((), grouping) if isinstance(grouping, dict) else (grouping if isinstance(grouping, list | tuple) else (grouping,), {})
    signature = inspect.signature(function)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return {}  # Dash calls it all the same and reports this better
    hints = _annotations(function)
    wishes: dict[int, _Wish] = {}
    for name, indices in bound.arguments.items():
        wish = _wish(hints.get(name))
        wishes.update(dict.fromkeys(_positions(indices), wish))
    return wishes


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    return {name: _evaluated(hint, function) for name, hint in inspect.get_annotations(function).items()}


def _evaluated(hint: Any, function: Callable[..., Any]) -> Any:
    """An annotation as it is meant; text that only type checkers can evaluate still says whether it is a Ref or text."""
    try:
        holder = types.SimpleNamespace(__annotations__={"hint": hint})
        return typing.get_type_hints(holder, globalns=getattr(function, "__globals__", {}))["hint"]
    except Exception:  # noqa: BLE001 (evaluating a user's annotation may raise anything)
        return Ref if re.search(r"\bRef\b", str(hint)) else str if re.fullmatch(_TEXT, str(hint)) else None


_TEXT = r"str|str *\| *None|None *\| *str|(typing\.)?Optional\[str\]"


def _wish(annotation: Any) -> _Wish:
    leaves = set(_leaves(annotation))
    if Ref in leaves:
        return "reference"
    return "text" if str in leaves and leaves <= {str, type(None)} else "value"


def _leaves(annotation: Any) -> Iterator[Any]:
    """The classes in an annotation: those of `list[Ref[int] | None]` are Ref and None."""
    origin = typing.get_origin(annotation)
    if origin is Ref or origin is None:
        yield Ref if origin is Ref else annotation
    elif origin in (typing.Union, types.UnionType, list, tuple, typing.Annotated):
        for child in typing.get_args(annotation):
            yield from _leaves(child)
    elif origin is dict:
        yield from _leaves(typing.get_args(annotation)[1])
    else:
        yield origin


def _positions(grouping: Any) -> Iterator[int]:
    if isinstance(grouping, int):
        yield grouping
    else:
        for child in grouping.values() if isinstance(grouping, dict) else grouping:
            yield from _positions(child)


def _props(g: Any) -> list[str]:
    """The property that each argument comes from, for messages."""
    return [_prop(spec[0] if isinstance(spec, list) and spec else spec) for spec in [*g.inputs_list, *g.states_list]]


def _prop(spec: Any) -> str:
    return f"{spec['id']}.{spec['property']}" if isinstance(spec, dict) else "a property"
