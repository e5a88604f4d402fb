"""Follows calls of functions of libraries, and of Python's own."""

from __future__ import annotations

import ast
from typing import Final

from dash_stash import mutations
from dash_stash.lint.effects.recorder import Recorder
from dash_stash.lint.evaluation import files
from dash_stash.lint.evaluation.attributes import Attributes
from dash_stash.lint.evaluation.knowledge import Evaluate
from dash_stash.lint.evaluation.routines import Passed, Routines
from dash_stash.lint.values.value import (
    EACH,
    SCALAR,
    UNKNOWN,
    Data,
    Foreign,
    Instance,
    Root,
    Routine,
    Sort,
    Type,
    Value,
    combined,
    made_by,
    union,
)

_SAME: Final = frozenset(
    [
        "typing.cast",
        "builtins.iter",
        "builtins.reversed",
        "builtins.filter",
        "builtins.super",
        "builtins.aiter",
        "itertools.chain",
        "itertools.islice",
        "itertools.cycle",
        "itertools.chain.from_iterable",
        "contextlib.nullcontext",
        "contextlib.closing",
    ]
)
_VIEWS: Final = frozenset(
    [
        "numpy.asarray",
        "numpy.asanyarray",
        "numpy.ravel",
        "numpy.reshape",
        "numpy.transpose",
        "numpy.squeeze",
    ]
)
_SHALLOW: Final = frozenset(
    [
        "builtins.list",
        "builtins.dict",
        "builtins.set",
        "builtins.tuple",
        "builtins.frozenset",
        "builtins.sorted",
        "collections.deque",
        "collections.OrderedDict",
        "collections.defaultdict",
        "copy.copy",
    ]
)
_PARTS: Final = frozenset(
    ["builtins.next", "builtins.min", "builtins.max", "builtins.anext", "random.choice"]
)
_SCALARS: Final = frozenset(
    f"builtins.{name}"
    for name in [
        "int",
        "float",
        "str",
        "bool",
        "len",
        "sum",
        "abs",
        "round",
        "repr",
        "hash",
        "id",
        "any",
        "all",
        "ord",
        "chr",
        "bytes",
    ]
)
_OUT: Final = ("numpy.", "scipy.")


class Libraries:
    """The functions of libraries, as the function that is followed calls them."""

    def __init__(self, recorder: Recorder, routines: Routines, attributes: Attributes) -> None:
        """Note in *recorder* what the functions change."""
        self._recorder, self._routines, self._attributes = recorder, routines, attributes

    def call(self, name: str, node: ast.Call, given: Passed, evaluate: Evaluate) -> Value:
        """Follow a call of the library's function *name*, and return what it returns."""
        self._note(name, node, given, evaluate)
        result = _handed_out(name, given) or self._reflective(name, node, given)
        if result is not None:
            return result
        self._routines.call_passed(given, node)
        is_path = name.startswith(files.PATH_MAKERS)
        return Value(kind=made_by(name), text=combined(given.all) if is_path else None)

    def _note(self, name: str, node: ast.Call, given: Passed, evaluate: Evaluate) -> None:
        position = mutations.ARGUMENT_MUTATORS.get(name)
        if position is not None:
            self._change_argument(name, given[position], node)
        self._recorder.note_library_call(name, node)
        out = given.named.get("out")
        if out is not None and name.startswith(_OUT):
            self._recorder.mutate(out, "DS106", node)
        path = files.written_path(name, node)
        if path is not None:
            self._recorder.write(evaluate(path), node)

    def _change_argument(self, name: str, value: Value, node: ast.Call) -> None:
        if isinstance(value.kind, Type):
            cls = value.kind.cls
            self._recorder.record("DS107", Root(Sort.CLASS, cls.name, cls), node)
        else:
            is_attribute = name.endswith(("setattr", "delattr"))
            self._recorder.mutate(value, "DS105" if is_attribute else "DS106", node)

    def _reflective(self, name: str, node: ast.Call, given: Passed) -> Value | None:
        first = given[0]
        match name.removeprefix("builtins."):
            case "zip" | "enumerate" | "map":
                return self._together(name, node, given)
            case "getattr" if len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                return self._attributes.get(first, str(node.args[1].value), node)
            case "getattr" | "vars":
                return first.part()
            case "type" if isinstance(first.kind, Instance):
                return Value(kind=Type(first.kind.cls))
            case "globals":
                return Value(kind=Foreign("builtins.globals()"))
            case "functools.partial" if isinstance(first.kind, Routine):
                return _partial(first.kind, given)
            case "super":
                return UNKNOWN
        return None

    def _together(self, name: str, node: ast.Call, given: Passed) -> Value:
        """Return what goes through several things at once: `zip`, `enumerate` and `map`."""
        first = given[0]
        if isinstance(first.kind, Routine):
            parts = [value.part() for value in given.positional[1:]]
            result = self._routines.call(first.kind, parts, {}, node)
            return Value(inner=result.held, kind=Data("iterator"))
        if name.endswith("map"):
            return Value(kind=Data("iterator"))
        if name.endswith("enumerate"):
            return _tuples([Value(kind=SCALAR), first.part()])
        return _tuples([value.part() for value in given.positional])


def _handed_out(name: str, given: Passed) -> Value | None:
    """Return what a function returns that hands out its arguments, or parts of them."""
    first = given[0]
    if name in _SAME:
        return Value(first.roots, first.inner | given[1].roots | given[1].inner, None)
    if name in _VIEWS:
        return first if first.roots else Value(kind=Data("array"))
    if name in _SHALLOW:
        return _shallow_copy(name, given)
    if name in _PARTS:
        return union(value.part() for value in given.positional) if given.positional else UNKNOWN
    if name in _SCALARS:
        return Value(kind=SCALAR, text=first.text if name == "builtins.str" else None)
    return None


def _shallow_copy(name: str, given: Passed) -> Value:
    first, family = given[0], mutations.family_of(name)
    kind = Data(family.name) if family else Data("tuple") if "tuple" in name else first.kind
    if name == "builtins.dict" and given.named and not given.positional:
        inner = frozenset[Root]().union(*(each.held for each in given.all))
        return Value(inner=inner, kind=kind, items=tuple(given.named.items()))
    is_whole = isinstance(first.kind, Data) and first.kind.family in {"frame", "series", "array"}
    return Value(kind=kind) if is_whole else first.copied(kind)


def _partial(routine: Routine, given: Passed) -> Value:
    """Return what `functools.partial(routine, ...)` is."""
    bound = (*routine.bound, *given.positional[1:])
    named = {**dict(routine.named), **given.named}
    return Value(kind=Routine(routine.function, bound, tuple(named.items()), routine.lasting))


def _tuples(parts: list[Value]) -> Value:
    """Return an iterator of tuples, in which each place is one of the parts."""
    inner = frozenset[Root]().union(*(part.held for part in parts))
    each = Value(inner=inner, kind=Data("tuple"), items=tuple(enumerate(parts)))
    return Value(inner=inner, kind=Data("iterator"), items=((EACH, each),))
