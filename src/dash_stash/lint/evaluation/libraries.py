"""Follows calls of functions of libraries, and of Python's own."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from dash_stash import mutations
from dash_stash.lint.effects.summary import Site
from dash_stash.lint.evaluation import files
from dash_stash.lint.evaluation.expressions import Expressions
from dash_stash.lint.evaluation.frame import written
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
    union,
)


@dataclass
class Arguments:
    """What a call passes."""

    positional: list[Value]
    named: dict[str, Value]

    @property
    def all(self) -> list[Value]:
        """All of them."""
        return [*self.positional, *self.named.values()]

    def __getitem__(self, position: int) -> Value:
        return self.positional[position] if position < len(self.positional) else UNKNOWN


_SAME: Final = frozenset({
    "typing.cast", "builtins.iter", "builtins.reversed", "builtins.filter", "itertools.chain", "itertools.islice", "itertools.cycle",
    "itertools.chain.from_iterable", "builtins.super", "builtins.aiter", "contextlib.nullcontext", "contextlib.closing",
})  # fmt: skip
_VIEWS: Final = frozenset(
    {
        "numpy.asarray",
        "numpy.asanyarray",
        "numpy.ravel",
        "numpy.reshape",
        "numpy.transpose",
        "numpy.squeeze",
    }
)
_SHALLOW: Final = frozenset({
    "builtins.list", "builtins.dict", "builtins.set", "builtins.tuple", "builtins.sorted", "collections.deque", "copy.copy",
    "collections.OrderedDict", "collections.defaultdict", "builtins.frozenset",
})  # fmt: skip
_PARTS: Final = frozenset(
    {"builtins.next", "builtins.min", "builtins.max", "builtins.anext", "random.choice"}
)
_SCALARS: Final = frozenset({
    f"builtins.{name}"
    for name in ("int", "float", "str", "bool", "len", "sum", "abs", "round", "repr", "hash", "id", "any", "all", "ord", "chr", "bytes")
})  # fmt: skip
_OUT: Final = ("numpy.", "scipy.")


class LibraryCalls(Expressions):
    """What calling a library does."""

    def call_library(self, name: str, node: ast.Call, given: Arguments) -> Value:
        """Follow a call of the library's function *name*."""
        self.summary.foreign_calls.setdefault(name, Site.of(self.module, node))
        position = mutations.ARGUMENT_MUTATORS.get(name)
        if position is not None:
            self._change_argument(name, given[position], node)
        if name in mutations.PROCESS_CALLS and not (
            self.warnings_are_kept and name.startswith("warnings.")
        ):
            self.record("DS111", Root(Sort.PROCESS, name), node)
        out = given.named.get("out")
        if out is not None and name.startswith(_OUT):
            self.mutate(out, "DS106", node)
        self._write(name, node)
        result = self._special(name, given) or self._reflective(name, node, given)
        if result is not None:
            return result
        self.call_loosely(given, node)
        return Value(
            kind=self.made(name),
            text=combined(given.all) if name.startswith(files.PATH_MAKERS) else None,
        )

    def call_loosely(self, given: Arguments, node: ast.AST) -> None:
        """Assume that functions that are handed to somebody unknown are called."""
        for place, value in enumerate(given.positional):
            if isinstance(value.kind, Routine):
                self.call_routine(value.kind, given.positional[place + 1 :], {}, node)
        for value in given.named.values():
            if isinstance(value.kind, Routine):
                self.call_routine(value.kind, [], {}, node)

    def _change_argument(self, name: str, value: Value, node: ast.Call) -> None:
        attribute = name.endswith(("setattr", "delattr"))
        if isinstance(value.kind, Type):
            self.record("DS107", Root(Sort.CLASS, value.kind.cls.name, value.kind.cls), node)
        else:
            self.mutate(value, "DS105" if attribute else "DS106", node)

    @staticmethod
    def _special(name: str, given: Arguments) -> Value | None:
        """Return what a function that hands out its arguments, or parts of them, returns."""
        first = given[0]
        if name in _SAME:
            return Value(first.roots, first.inner | given[1].roots | given[1].inner, None)
        if name in _VIEWS:
            return first if first.roots else Value(kind=Data("array"))
        if name in _SHALLOW:
            family = mutations.family_of(name)
            own = isinstance(first.kind, Data) and first.kind.family in {"frame", "series", "array"}
            kind = Data(family.name) if family else Data("tuple") if "tuple" in name else first.kind
            if name == "builtins.dict" and given.named and not given.positional:
                return Value(
                    inner=frozenset().union(*(each.held for each in given.all)),
                    kind=kind,
                    items=tuple(given.named.items()),
                )
            return Value(kind=kind) if own else first.copied(kind)
        if name in _PARTS:
            return (
                union(value.part() for value in given.positional) if given.positional else UNKNOWN
            )
        if name in _SCALARS:
            return Value(kind=SCALAR, text=first.text if name == "builtins.str" else None)
        return None

    def _reflective(self, name: str, node: ast.Call, given: Arguments) -> Value | None:
        first = given[0]
        match name.removeprefix("builtins."):
            case "zip" | "enumerate" | "map":
                return self._together(name, node, given)
            case "getattr" if len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                return self.attribute(first, str(node.args[1].value), node)
            case "getattr" | "vars":
                return first.part()
            case "type" if isinstance(first.kind, Instance):
                return Value(kind=Type(first.kind.cls))
            case "globals":
                return Value(kind=Foreign("builtins.globals()"))
            case "functools.partial" if isinstance(first.kind, Routine):
                routine = first.kind
                named = {**dict(routine.named), **given.named}
                return Value(
                    kind=Routine(
                        routine.function,
                        (*routine.bound, *given.positional[1:]),
                        tuple(named.items()),
                        routine.lasting,
                    )
                )
            case "super":
                return UNKNOWN
        return None

    def _together(self, name: str, node: ast.Call, given: Arguments) -> Value:
        """Return what goes through several things at once: `zip`, `enumerate` and `map`."""
        first = given[0]
        if isinstance(first.kind, Routine):
            result = self.call_routine(
                first.kind, [value.part() for value in given.positional[1:]], {}, node
            )
            return Value(inner=result.held, kind=Data("iterator"))
        if name.endswith("map"):
            return Value(kind=Data("iterator"))
        if name.endswith("enumerate"):
            return _tuples([Value(kind=SCALAR), first.part()])
        return _tuples([value.part() for value in given.positional])

    # Files

    def _write(self, name: str, node: ast.Call) -> None:
        if name in files.OPENERS and files.writes(node, 1):
            self.write_file(files.path_argument(node, 0), node)
        elif name in files.PATH_ARGUMENT:
            self.write_file(files.path_argument(node, files.PATH_ARGUMENT[name]), node)

    def write_file(self, path: ast.expr | None, node: ast.AST) -> None:
        """Note that a file is written, if it is the same in every call or the caller names it."""
        if path is not None:
            self.write_value(self.evaluate(path), node)

    def write_value(self, path: Value, node: ast.AST) -> None:
        """Note that the file at *path* is written."""
        for root in written(path):
            self.record("DS112", root, node)


def _tuples(parts: list[Value]) -> Value:
    """Return an iterator of tuples, in which each place is one of the parts."""
    inner = frozenset[Root]().union(*(part.held for part in parts))
    each = Value(inner=inner, kind=Data("tuple"), items=tuple(enumerate(parts)))
    return Value(inner=inner, kind=Data("iterator"), items=((EACH, each),))
