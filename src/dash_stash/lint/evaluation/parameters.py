"""What the parameters of a function are, before anything is known of a call."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from dash_stash.lint.evaluation.expressions import Evaluator
from dash_stash.lint.source.definitions import Function
from dash_stash.lint.source.registration import last_name
from dash_stash.lint.values.environment import Variables
from dash_stash.lint.values.sharing import is_exempt
from dash_stash.lint.values.value import (
    CONSTANT,
    NONE,
    SCALAR,
    Data,
    Foreign,
    Instance,
    Kind,
    Made,
    Root,
    Routine,
    Sort,
    Type,
    Value,
)

_ANNOTATIONS: Final = {
    "DataFrame": "frame",
    "Series": "series",
    "ndarray": "array",
    "list": "list",
    "List": "list",
    "dict": "dict",
    "Dict": "dict",
    "set": "set",
    "Set": "set",
    "deque": "deque",
    "Figure": "figure",
    "int": "scalar",
    "str": "scalar",
    "float": "scalar",
    "bool": "scalar",
}
_UNCHANGING: Final = (SCALAR, NONE, Data("tuple"), Data("mask"))


def parameters(
    function: Function, given: Mapping[str, Kind | None], outside: Evaluator
) -> Variables:
    """Return what each parameter is.

    *given* is what kind of thing the program passes it; *outside* evaluates its annotation and its
    default where the function is defined.
    """
    found: Variables = {}
    for parameter in function.parameters:
        name = parameter.arg
        kind = _annotated(outside, parameter.annotation) or given.get(name)
        roots = frozenset({Root(Sort.PARAMETER, name, function)})
        found[name] = Value(roots, frozenset(), kind, roots)
    for starred, family in (
        (function.node.args.vararg, "tuple"),
        (function.node.args.kwarg, "dict"),
    ):
        if starred is not None:
            root = Root(Sort.PARAMETER, starred.arg, function, part=True)
            found[starred.arg] = Value(frozenset(), frozenset({root}), Data(family))
    for name, default in _defaults(function):
        found[name] = _with_default(found[name], name, outside.evaluate(default), function)
    return found | _receiver(function, found)


def _defaults(function: Function) -> Iterator[tuple[str, ast.expr]]:
    arguments = function.node.args
    places = [*arguments.posonlyargs, *arguments.args]
    for place, value in zip(reversed(places), reversed(arguments.defaults), strict=False):
        yield place.arg, value
    for place, keyword_value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if keyword_value:
            yield place.arg, keyword_value


def _with_default(parameter: Value, name: str, default: Value, function: Function) -> Value:
    """Return what a parameter is that has a default."""
    roots, kind = default.roots, default.kind
    if not roots and isinstance(kind, Data) and kind not in _UNCHANGING:
        roots = frozenset({Root(Sort.DEFAULT, name, function)})
    if default.text == CONSTANT:
        function.fixed_defaults.add(name)
    if parameter.kind is not None or not (roots or isinstance(kind, Routine | Type)):
        kind = parameter.kind
    return Value(parameter.roots | roots, parameter.inner, kind, parameter.text)


def _receiver(function: Function, known: Variables) -> Variables:
    """Return what `self`, or `cls`, is."""
    if function.owner is None or not function.parameters or function.decorated("staticmethod"):
        return {}
    name = function.parameters[0].arg
    if function.decorated("classmethod") or name == "cls":
        return {name: Value(kind=Type(function.owner))}
    if name == "self":
        return {name: Value(known[name].roots, frozenset(), Instance(function.owner))}
    return {}


def _annotated(outside: Evaluator, node: ast.expr | None) -> Kind | None:
    """Return what a parameter's annotation says that it is."""
    match node:
        case ast.Subscript(value=inside) | ast.BinOp(left=inside):  # `list[int]`, `Frame | None`
            return _annotated(outside, inside)
        case ast.Constant(value=str(text)) if text.isidentifier():
            node = ast.Name(text, ast.Load())
    name = last_name(node) if node is not None else ""
    if name in _ANNOTATIONS:
        return Data(_ANNOTATIONS[name])
    kind = outside.evaluate(node).kind if name else None
    if isinstance(kind, Foreign):
        return Made(kind.name) if is_exempt(Value(kind=kind)) else None
    return Instance(kind.cls) if isinstance(kind, Type) else None
