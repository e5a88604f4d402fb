"""The arguments of a callback, with values where references came in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import flask

from dash_stash.errors import PartMissing, RefExpired, RefInvalid
from dash_stash.plugin.annotations import ANYTHING, Wish, wishes
from dash_stash.ref import PREFIX, References, is_reference

if TYPE_CHECKING:
    from dash import Dash

_NEEDLE = PREFIX.encode()


class ArgumentResolver:
    """Resolves the arguments of one app's callbacks."""

    def __init__(self, app: Dash, references: References) -> None:
        """Take the app, which may still register callbacks, and its references."""
        self._app, self._references = app, references
        self._wishes: dict[Callable[..., Any], dict[int, Wish] | None] = {}

    def resolve(self, func: Callable[..., Any], args: list[Any], g: Any) -> list[Any]:
        """Return *args* with values in place of references; the callback must not run if it raises.

        Args:
            func: The function that Dash calls.
            args: The flat list of the callback's inputs and states.
            g: Dash's data about the call.

        Raises:
            RefInvalid: This session may not open one of the references.
            RefExpired: The value of a reference was deleted, was evicted or has expired.
            PartMissing: A reference names a part that the value does not have any more.
        """
        if not _may_hold_references():
            return args
        if func not in self._wishes:
            self._wishes[func] = self._wishes_of(func)
        found = self._wishes[func]
        if found is None:
            return args
        wished = [
            (value, found.get(index, ANYTHING), prop)
            for index, (value, prop) in enumerate(zip(args, _props(g), strict=True))
        ]
        try:
            return [self._replace(*one) for one in wished]
        except (RefInvalid, RefExpired, PartMissing) as error:
            # The error names all dead references, so that one repair is enough. This loads no
            # values.
            error.references = (
                *error.references,
                *(text for one in wished for text in self._refused(*one)),
            )
            raise

    def _replace(self, value: Any, wish: Wish, prop: str) -> Any:
        if wish.kind == "text":
            return value
        try:
            return self._replaced(value, wish, prop)
        except (RefInvalid, RefExpired, PartMissing):
            if not wish.is_optional:
                raise
            return None

    def _replaced(self, value: Any, wish: Wish, prop: str) -> Any:
        if is_reference(value):
            ref = self._references.open(value, prop)
            return ref if wish.kind == "reference" else ref.get()
        if isinstance(value, list):
            return [
                self._replace(child, wish.child(place), prop) for place, child in enumerate(value)
            ]
        if isinstance(value, dict):
            return {
                name: self._replace(child, wish.child(place), prop)
                for place, (name, child) in enumerate(value.items())
            }
        return value

    def _refused(self, value: Any, wish: Wish, prop: str) -> Iterator[str]:
        """Return the references in an argument that this session may not open."""
        if wish.kind == "text":
            return
        if is_reference(value):
            try:
                self._references.open(value, prop)
            except (RefInvalid, RefExpired):
                yield value
        elif isinstance(value, list | dict):
            for place, child in enumerate(value.values() if isinstance(value, dict) else value):
                yield from self._refused(child, wish.child(place), prop)

    def _wishes_of(self, func: Callable[..., Any]) -> dict[int, Wish] | None:
        """Return the wish for each argument, by its position in the flat list.

        Return None for a background callback: it runs in another process, which gets the
        references.
        """
        entry = registered(self._app, func)
        if not entry:
            return {}
        if entry.get("background"):
            return None
        grouping = entry["inputs_state_indices"]
        return _wishes_by_position(inspect.unwrap(func), grouping)


def registered(app: Dash, func: Callable[..., Any]) -> dict[str, Any]:
    """Return Dash's data about the callback that it calls with *func*."""
    entries: Iterator[dict[str, Any]] = (
        entry for entry in app.callback_map.values() if entry.get("callback") is func
    )
    return next(entries, {})


def _may_hold_references() -> bool:
    """Return whether the request's body has a reference: most have none, some are very long."""
    if not flask.has_request_context():
        return True
    request = flask.request._get_current_object()  # type: ignore[attr-defined]
    if "HTTP_CONTENT_ENCODING" in request.environ:  # Dash 4.5 can compress what a callback gets
        return True
    return _NEEDLE in request.get_data(cache=True)


def _wishes_by_position(function: Callable[..., Any], grouping: Any) -> dict[int, Wish]:
    args, kwargs = (
        ((), grouping)
        if isinstance(grouping, dict)
        else (grouping if isinstance(grouping, list | tuple) else (grouping,), {})
    )
    signature = inspect.signature(function)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return {}  # Dash will report this better
    annotated = wishes(function)
    starred = {
        name for name, parameter in signature.parameters.items() if parameter.kind in _STARRED
    }
    found: dict[int, Wish] = {}
    for name, indices in bound.arguments.items():
        wish = annotated.get(name, ANYTHING)
        # `*rest: X` is about each item of `rest`.
        found.update(_by_position(indices, Wish(children=(wish,)) if name in starred else wish))
    return found


_STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _by_position(grouping: Any, wish: Wish) -> Iterator[tuple[int, Wish]]:
    if isinstance(grouping, int):
        yield grouping, wish
    else:
        for place, child in enumerate(
            grouping.values() if isinstance(grouping, dict) else grouping
        ):
            yield from _by_position(child, wish.child(place))


def _props(g: Any) -> list[str]:
    """Return the property that each argument comes from, for messages."""
    return [
        _prop(spec[0] if isinstance(spec, list) and spec else spec)
        for spec in [*g.inputs_list, *g.states_list]
    ]


def _prop(spec: Any) -> str:
    return f"{spec['id']}.{spec['property']}" if isinstance(spec, dict) else "a property"
