"""Follows calls: of the program's functions, classes and methods, and the decorators that they have."""

from __future__ import annotations

import ast

from dash_stash.lint.effects.summary import Site
from dash_stash.lint.evaluation.frame import can_change
from dash_stash.lint.evaluation.libraries import Arguments
from dash_stash.lint.evaluation.methods import DataCalls
from dash_stash.lint.source import registration
from dash_stash.lint.source.definitions import Class, Function
from dash_stash.lint.values.value import (
    UNKNOWN,
    Data,
    Foreign,
    Instance,
    Made,
    Root,
    Routine,
    Sort,
    Type,
    Value,
    combined,
    inside,
)

_CONTAINERS = frozenset(
    {
        "dict",
        "list",
        "set",
        "OrderedDict",
        "defaultdict",
        "UserDict",
        "UserList",
        "deque",
        "Counter",
    }
)


class Calls(DataCalls):
    """What a call does."""

    def call(self, node: ast.Call) -> Value:
        """Follow a call."""
        if isinstance(node.func, ast.Call) and registration.is_registration(
            node.func, self.module.tree
        ):
            return self._register(node)
        if isinstance(node.func, ast.Attribute):
            return self._call_attribute(node.func, node)
        return self.call_value(self.evaluate(node.func), node, self._arguments(node))

    def _register(self, node: ast.Call) -> Value:
        """Follow `app.callback(...)(function)`."""
        self.evaluate(node.func)
        given = self._arguments(node)
        for value in given.all:
            self.knowledge.register(value, "callback")
        return given[0]

    def _arguments(self, node: ast.Call) -> Arguments:
        positional = []
        for argument in node.args:
            positional.append(self.evaluate(argument))
            if isinstance(argument, ast.Starred):
                break  # what comes after it has no known position
        named = {
            keyword.arg: self.evaluate(keyword.value) for keyword in node.keywords if keyword.arg
        }
        for keyword in node.keywords:
            if keyword.arg is None:
                self.evaluate(keyword.value)
        return Arguments(positional, named)

    def _call_attribute(self, function: ast.Attribute, node: ast.Call) -> Value:
        if _is_super(function.value):
            return self._call_super(function.attr, node)
        receiver = self.evaluate(function.value)
        given = self._arguments(node)
        if function.attr == "register_page":
            self.knowledge.register(given.named.get("layout", UNKNOWN), "layout")
        match receiver.kind:
            case Foreign() if not receiver.roots or not can_change(receiver, function.attr):
                return self.call_value(
                    self.attribute(receiver, function.attr, function), node, given
                )
            case Instance(cls):
                value = self.attribute(receiver, function.attr, function)
                if (
                    not isinstance(value.kind, Routine | Type)
                    and _container(cls)
                    and self.find_method(cls, function.attr)[0] is None
                ):
                    return self.call_method(
                        Value(receiver.roots, receiver.inner, Data(_container(cls))),
                        function.attr,
                        node,
                        given,
                    )
                return self.call_value(value, node, given)
            case None | Data() | Made() | Foreign():
                return self.call_method(receiver, function.attr, node, given)
        return self.call_value(self.attribute(receiver, function.attr, function), node, given)

    def _call_super(self, name: str, node: ast.Call) -> Value:
        """Follow `super().name(...)`."""
        function, given = self.function, self._arguments(node)
        if function is None or function.owner is None or not function.parameters:
            return UNKNOWN
        receiver = self.lookup(function.parameters[0].arg)
        for cls in self.family(function.owner)[1:]:
            if name in cls.methods:
                return self.call_routine(
                    Routine(cls.methods[name], (receiver,)), given.positional, given.named, node
                )
        if _container(function.owner) and can_change(
            Value(kind=Data(_container(function.owner))), name.strip("_")
        ):
            self.mutate(receiver, "DS106", node)
        elif name in {"__setitem__", "__delitem__"}:
            self.mutate(receiver, "DS104", node)
        return UNKNOWN

    def call_value(self, value: Value, node: ast.Call, given: Arguments) -> Value:
        """Follow a call of *value*."""
        match value.kind:
            case Routine() as routine:
                return self.call_routine(routine, given.positional, given.named, node)
            case Type(cls):
                return self._construct(cls, given, node)
            case Foreign(name):
                return self.call_library(name, node, given)
            case Instance(cls):
                method, _ = self.find_method(cls, "__call__")
                if method is not None:
                    return self.call_routine(
                        Routine(method, (value,)), given.positional, given.named, node
                    )
            case Made(name):
                self.call_loosely(given, node)
                return Value(kind=Made(f"{name}()"))
        self.call_loosely(given, node)
        return UNKNOWN

    def _construct(self, cls: Class, given: Arguments, node: ast.AST) -> Value:
        made = Value(kind=Instance(cls))
        method, _ = self.find_method(cls, "__init__")
        if method is not None:
            self.call_routine(Routine(method, (made,)), given.positional, given.named, node)
        return made

    def call_routine(
        self, routine: Routine, arguments: list[Value], named: dict[str, Value], node: ast.AST
    ) -> Value:
        """Follow a call of one of the program's functions."""
        function = routine.function
        bound = self._bound(
            function, [*routine.bound, *arguments], {**dict(routine.named), **named}
        )
        self.knowledge.note_arguments(function, bound)
        summary = self.knowledge.summary(function)
        self.summary.calls.setdefault(function, Site.of(self.module, node))
        for effect in list(summary.effects.values()):
            self.pass_on(effect, bound, node, routine)
        for wrapper in function.wrappers:
            for effect in list(self.knowledge.summary(wrapper).effects.values()):
                self.pass_on(effect, {}, node, Routine(wrapper, lasting=True))
        if function.memo:
            roots = (
                {Root(Sort.CACHED, function.name, function)}
                if function.memo == "lasting"
                else set()
            )
            return Value(frozenset(roots), frozenset(), summary.returned.kind)
        return self._returned(summary.returned, bound, function)

    def _returned(self, value: Value, bound: dict[str, Value], function: Function) -> Value:
        """Return what a function's result is, seen from here."""
        roots, inner = (
            self._substituted(value.roots, bound, function),
            self._substituted(value.inner, bound, function),
        )
        kind = value.kind
        if kind is None and len(value.roots) == 1:
            root = next(iter(value.roots))
            if root.sort is Sort.PARAMETER and root.owner is function and not root.part:
                kind = bound.get(root.name, UNKNOWN).kind
        items = tuple((key, self._returned(item, bound, function)) for key, item in value.items)
        text = self._text(value, bound, function)
        return Value(roots, inner, kind, text, items)

    @staticmethod
    def _text(value: Value, bound: dict[str, Value], function: Function) -> frozenset[Root] | None:
        if value.text is None:
            return None
        own = {root for root in value.text if root.owner is function}
        given = combined(bound.get(root.name, UNKNOWN) for root in own)
        return None if given is None else given | (value.text - own)

    def _substituted(
        self, roots: frozenset[Root], bound: dict[str, Value], function: Function
    ) -> frozenset[Root]:
        found: set[Root] = set()
        for root in roots:
            if root.sort is Sort.PARAMETER and root.owner is function:
                value = bound.get(root.name, UNKNOWN)
                found |= value.content if root.part else value.roots
            elif root.sort is Sort.DEFAULT and root.owner is function and root.name in bound:
                continue
            elif root.sort is Sort.CAPTURED and root.owner is self.function:
                value = self.env.get(root.name, UNKNOWN)
                found |= set(inside(value.roots)) | value.inner if root.part else value.roots
            else:
                found.add(root)
        return frozenset(found)

    @staticmethod
    def _bound(
        function: Function, positional: list[Value], named: dict[str, Value]
    ) -> dict[str, Value]:
        """Return what each parameter is given."""
        arguments = function.node.args
        places = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        bound = dict(zip(places, positional, strict=False))
        known = {*places, *(argument.arg for argument in arguments.kwonlyargs)}
        bound |= {name: value for name, value in named.items() if name in known}
        if arguments.vararg:
            rest = positional[len(places) :]
            bound[arguments.vararg.arg] = Value(
                inner=frozenset().union(*(value.held for value in rest))
            )
        if arguments.kwarg:
            rest = [value for name, value in named.items() if name not in known]
            bound[arguments.kwarg.arg] = Value(
                inner=frozenset().union(*(value.held for value in rest))
            )
        return bound

    # Decorators

    def decorate(
        self, value: Value, decorator: ast.expr, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> Value:
        """Return what a decorated function is: the function itself, unless the program's decorator replaced it."""
        if registration.is_registration(decorator, self.module.tree):
            self.evaluate(decorator)
            self.knowledge.register(value, "callback")
            return value
        origin = self.evaluate(decorator.func if isinstance(decorator, ast.Call) else decorator)
        name = origin.kind.name if isinstance(origin.kind, Foreign | Made) else ""
        routine = value.kind
        if not isinstance(routine, Routine):
            return value
        routine.function.memo = routine.function.memo or registration.memo_sort(decorator, name)
        if isinstance(origin.kind, Routine):
            made = self.evaluate(decorator) if isinstance(decorator, ast.Call) else origin
            self._wrap(routine, made, node)
        return value

    def _wrap(self, routine: Routine, decorator: Value, node: ast.AST) -> None:
        """Remember the function that a decorator of the program puts around another."""
        if isinstance(decorator.kind, Routine):
            wrapper = self.call_routine(decorator.kind, [Value(kind=routine)], {}, node).kind
            known = [routine.function, *routine.function.wrappers]
            if (
                isinstance(wrapper, Routine)
                and wrapper.function.outer is not None
                and wrapper.function not in known
            ):
                routine.function.wrappers.append(wrapper.function)


def _is_super(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )


def _container(cls: Class) -> str:
    """Return the family of the built-in container that a class is derived from; "" for none."""
    names = [registration.last_name(base) for base in cls.node.bases]
    found = next((name for name in names if name in _CONTAINERS), "")
    return {
        "OrderedDict": "dict",
        "defaultdict": "dict",
        "UserDict": "dict",
        "Counter": "dict",
        "UserList": "list",
    }.get(found, found)
