"""Follows expressions: what each may be."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, Final

from dash_stash.lint.effects.recorder import Recorder
from dash_stash.lint.evaluation.attributes import Attributes
from dash_stash.lint.evaluation.calls import Calls
from dash_stash.lint.evaluation.indexing import is_basic, shared_rows
from dash_stash.lint.evaluation.knowledge import Knowledge
from dash_stash.lint.evaluation.routines import Routines
from dash_stash.lint.values.environment import Environment
from dash_stash.lint.values.sharing import is_lasting
from dash_stash.lint.values.value import (
    CONSTANT,
    EACH,
    NONE,
    SCALAR,
    UNKNOWN,
    Data,
    Foreign,
    Made,
    Root,
    Routine,
    Sort,
    Value,
    combined,
    union,
)

_DISPLAYS: Final = {ast.List: "list", ast.Set: "set", ast.Tuple: "tuple"}
_COMPREHENSIONS: Final = {ast.ListComp: "list", ast.SetComp: "set", ast.GeneratorExp: "iterator"}
_FIXED_NAMES: Final = frozenset({"__file__", "__name__"})


class Evaluator:
    """The expressions of one function, or of a module's top level.

    It looks names up in the environment, and notes what evaluating does in the recorder.
    """

    def __init__(self, knowledge: Knowledge, environment: Environment, recorder: Recorder) -> None:
        """Evaluate where the names mean what they mean in *environment*."""
        self._environment, self._recorder = environment, recorder
        self.routines = Routines(knowledge, environment, recorder)
        self.attributes = Attributes(knowledge, recorder, self.routines)
        self._calls = Calls(knowledge, environment, recorder, self.routines, self.attributes)

    def evaluate(self, node: ast.expr | None) -> Value:
        """Return what is known of the expression's value."""
        if node is None:
            return UNKNOWN
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            return handler(self, node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.evaluate(child)
        return UNKNOWN

    def _constant(self, node: ast.Constant) -> Value:
        return Value(
            kind=NONE if node.value is None else SCALAR,
            text=CONSTANT if isinstance(node.value, str | bytes | int) else None,
        )

    def _joined_str(self, node: ast.JoinedStr) -> Value:
        parts = [
            self.evaluate(part.value if isinstance(part, ast.FormattedValue) else part)
            for part in node.values
        ]
        return Value(kind=SCALAR, text=combined(parts))

    def _name(self, node: ast.Name) -> Value:
        if node.id in _FIXED_NAMES:
            return Value(kind=SCALAR, text=CONSTANT)
        value = self._environment.lookup(node.id)
        self._recorder.note_read(value, node)
        return value

    def _call(self, node: ast.Call) -> Value:
        return self._calls.call(node, self.evaluate)

    def _await(self, node: ast.Await) -> Value:
        return self.evaluate(node.value)

    def _starred(self, node: ast.Starred) -> Value:
        return self.evaluate(node.value).part()

    def _named_expr(self, node: ast.NamedExpr) -> Value:
        value = self.evaluate(node.value)
        replaced = self._environment.bind(node.target.id, value)
        self._recorder.rebind(replaced, node.target)
        return value

    def _lambda(self, node: ast.Lambda) -> Value:
        outer = self._environment.function
        return Value(kind=Routine(self._environment.module.function(node, outer, None)))

    def _yield(self, node: ast.Yield) -> Value:
        value = self.evaluate(node.value)
        self._recorder.note_returned(Value(inner=value.held, kind=Data("iterator")))
        return UNKNOWN

    def _yield_from(self, node: ast.YieldFrom) -> Value:
        self._recorder.note_returned(self.evaluate(node.value).copied(Data("iterator")))
        return UNKNOWN

    # Operators

    def _if_exp(self, node: ast.IfExp) -> Value:
        self.evaluate(node.test)
        return self.evaluate(node.body).join(self.evaluate(node.orelse))

    def _bool_op(self, node: ast.BoolOp) -> Value:
        values = [self.evaluate(value) for value in node.values]
        return next((value for value in values if is_lasting(value)), union(values))

    def _compare(self, node: ast.Compare) -> Value:
        for operand in (node.left, *node.comparators):
            self.evaluate(operand)
        return Value(kind=Data("mask"))

    def _unary_op(self, node: ast.UnaryOp) -> Value:
        value = self.evaluate(node.operand)
        return Value(kind=value.kind if isinstance(value.kind, Data) else None, text=value.text)

    def _bin_op(self, node: ast.BinOp) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        if isinstance(left.kind, Made) and isinstance(node.op, ast.Div):
            return Value(kind=left.kind, text=combined((left, right)))  # a path
        kind = next((each for each in (left.kind, right.kind) if isinstance(each, Data)), None)
        inner = left.content | right.content if kind == Data("list") else frozenset()
        return Value(inner=inner, kind=kind, text=combined((left, right)))

    # Containers

    def _display(self, node: ast.List | ast.Set | ast.Tuple) -> Value:
        items = [self.evaluate(item) for item in node.elts]
        starred = [isinstance(written, ast.Starred) for written in node.elts]
        inner = frozenset[Root]().union(
            *(
                item.content if star else item.held
                for item, star in zip(items, starred, strict=True)
            )
        )
        known: tuple[tuple[object, Value], ...] = ()
        if any(starred):
            pass
        elif isinstance(node, ast.Tuple):
            known = tuple(enumerate(items))
        elif items and not any(item.roots for item in items):
            known = ((EACH, union(items)),)
        return Value(frozenset(), inner, Data(_DISPLAYS[type(node)]), combined(items), known)

    def _dict(self, node: ast.Dict) -> Value:
        inner: frozenset[Root] = frozenset()
        items: dict[object, Value] = {}
        for key, written in zip(node.keys, node.values, strict=True):
            self.evaluate(key)
            value = self.evaluate(written)
            inner |= value.held if key else value.content
            if isinstance(key, ast.Constant):
                items[key.value] = value
            else:
                items.clear()  # it may have replaced any of those before it
        return Value(inner=inner, kind=Data("dict"), items=tuple(items.items()))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
        item = self._generated(node.generators, [node.elt])
        return Value(inner=item.held, kind=Data(_COMPREHENSIONS[type(node)]), items=item.among())

    def _dict_comp(self, node: ast.DictComp) -> Value:
        item = self._generated(node.generators, [node.key, node.value])
        return Value(inner=item.held, kind=Data("dict"), items=item.among())

    def _generated(self, generators: Iterable[ast.comprehension], items: list[ast.expr]) -> Value:
        """Return what the last of *items* is, in the scope of a comprehension."""
        with self._environment.comprehension():
            for generator in generators:
                source = self.evaluate(generator.iter)
                self._hide(generator.target, source.part())
                for test in generator.ifs:
                    self.evaluate(test)
            return [self.evaluate(item) for item in items][-1]

    def _hide(self, target: ast.expr, value: Value) -> None:
        """Bind a comprehension's target."""
        if isinstance(target, ast.Name):
            self._environment.hide(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List | ast.Starred):
            children = [
                child for child in ast.iter_child_nodes(target) if isinstance(child, ast.expr)
            ]
            for place, child in enumerate(children):
                self._hide(child, value.item(place))

    # Parts

    def _attribute(self, node: ast.Attribute) -> Value:
        value = self.attributes.get(self.evaluate(node.value), node.attr, node)
        if isinstance(value.kind, Foreign) or any(root.sort is Sort.CLASS for root in value.roots):
            self._recorder.note_read(value, node)
        return value

    def _subscript(self, node: ast.Subscript) -> Value:
        value, index = self.evaluate(node.value), self.evaluate(node.slice)
        if value.items and isinstance(node.slice, ast.Constant):
            return value.item(node.slice.value)
        match value.kind:
            case Foreign(name) if not value.roots:
                return Value(kind=Foreign(f"{name}[]"))
            case Made(name):
                return Value(value.content, value.content, Made(f"{name}[]"))
            case Data("frame" | "frame slice" | "locator") as kind:
                shared = shared_rows(kind, node.slice)
                return value.part(shared) if shared else UNKNOWN
            case Data("series" | "array"):
                return value.part(value.kind) if is_basic(node.slice) else UNKNOWN
            case Data("list" | "tuple" | "deque") if isinstance(node.slice, ast.Slice):
                return value.copied(value.kind)
            case Data("dict" | "list" | "tuple" | "deque" | "iterator"):
                return value.part()
        return Value(inner=value.inner) if self._copies(node.slice, index) else value.part()

    def _copies(self, node: ast.expr, index: Value) -> bool:
        """Return whether an index into an object of unknown type makes a new one.

        A slice of a list does, and a selection from a frame.
        """
        if isinstance(node, ast.Tuple):
            return any(
                not isinstance(each, ast.Slice) and self._copies(each, self.evaluate(each))
                for each in node.elts
            )
        return isinstance(node, ast.Slice) or index.kind in (Data("mask"), Data("list"))


_HANDLERS: Final[dict[type[ast.expr], Callable[[Evaluator, Any], Value]]] = {
    ast.Attribute: Evaluator._attribute,
    ast.Await: Evaluator._await,
    ast.BinOp: Evaluator._bin_op,
    ast.BoolOp: Evaluator._bool_op,
    ast.Call: Evaluator._call,
    ast.Compare: Evaluator._compare,
    ast.Constant: Evaluator._constant,
    ast.Dict: Evaluator._dict,
    ast.DictComp: Evaluator._dict_comp,
    ast.GeneratorExp: Evaluator._comprehension,
    ast.IfExp: Evaluator._if_exp,
    ast.JoinedStr: Evaluator._joined_str,
    ast.Lambda: Evaluator._lambda,
    ast.List: Evaluator._display,
    ast.ListComp: Evaluator._comprehension,
    ast.Name: Evaluator._name,
    ast.NamedExpr: Evaluator._named_expr,
    ast.Set: Evaluator._display,
    ast.SetComp: Evaluator._comprehension,
    ast.Starred: Evaluator._starred,
    ast.Subscript: Evaluator._subscript,
    ast.Tuple: Evaluator._display,
    ast.UnaryOp: Evaluator._unary_op,
    ast.Yield: Evaluator._yield,
    ast.YieldFrom: Evaluator._yield_from,
}
"""How each kind of expression is followed; of others, only the parts."""
