"""Follows calls: of whatever the called expression is."""

from __future__ import annotations

import ast

from dash_stash.lint.effects.recorder import Recorder
from dash_stash.lint.evaluation.attributes import Attributes
from dash_stash.lint.evaluation.classes import container
from dash_stash.lint.evaluation.knowledge import Evaluate, Knowledge
from dash_stash.lint.evaluation.libraries import Libraries
from dash_stash.lint.evaluation.methods import Methods
from dash_stash.lint.evaluation.routines import Passed, Routines
from dash_stash.lint.source.definitions import Class
from dash_stash.lint.source.registration import is_registration
from dash_stash.lint.values.environment import Environment
from dash_stash.lint.values.sharing import can_change
from dash_stash.lint.values.value import (
    UNKNOWN,
    Data,
    Foreign,
    Instance,
    Made,
    Routine,
    Type,
    Value,
)


class Calls:
    """The calls that one function makes."""

    def __init__(
        self,
        knowledge: Knowledge,
        environment: Environment,
        recorder: Recorder,
        routines: Routines,
        attributes: Attributes,
    ) -> None:
        """Note in *recorder* what the calls change."""
        self._knowledge, self._environment, self._recorder = knowledge, environment, recorder
        self._routines, self._attributes = routines, attributes
        self._libraries = Libraries(recorder, routines, attributes)
        self._methods = Methods(environment, recorder, routines)

    def call(self, node: ast.Call, evaluate: Evaluate) -> Value:
        """Follow a call, and return what it returns."""
        if isinstance(node.func, ast.Call) and is_registration(
            node.func, self._environment.module.tree
        ):
            return self._register(node, evaluate)
        if not isinstance(node.func, ast.Attribute):
            called = evaluate(node.func)
            return self._call_value(called, node, _passed(node, evaluate), evaluate)
        if _is_super(node.func.value):
            return self._call_super(node.func.attr, node, _passed(node, evaluate))
        return self._call_attribute(node.func, node, evaluate)

    def _register(self, node: ast.Call, evaluate: Evaluate) -> Value:
        """Follow `app.callback(...)(function)`."""
        evaluate(node.func)
        given = _passed(node, evaluate)
        for value in given.all:
            self._knowledge.register(value, "callback")
        return given[0]

    def _call_attribute(self, function: ast.Attribute, node: ast.Call, evaluate: Evaluate) -> Value:
        receiver, name = evaluate(function.value), function.attr
        given = _passed(node, evaluate)
        if name == "register_page":
            self._knowledge.register(given.named.get("layout", UNKNOWN), "layout")
        kind, is_shared = receiver.kind, bool(receiver.roots) and can_change(receiver, name)
        if (
            kind is None
            or isinstance(kind, Data | Made)
            or (isinstance(kind, Foreign) and is_shared)
        ):
            return self._methods.call(receiver, name, node, given, evaluate)
        value = self._attributes.get(receiver, name, function)
        if isinstance(kind, Instance) and self._is_inherited(kind.cls, name, value):
            data = Value(receiver.roots, receiver.inner, Data(container(kind.cls)))
            return self._methods.call(data, name, node, given, evaluate)
        return self._call_value(value, node, given, evaluate)

    def _is_inherited(self, cls: Class, name: str, method: Value) -> bool:
        """Tell whether a class has a method from the built-in container that it is derived from."""
        return (
            not isinstance(method.kind, Routine | Type)
            and container(cls) != ""
            and self._knowledge.classes.method(cls, name) is None
        )

    def _call_super(self, name: str, node: ast.Call, given: Passed) -> Value:
        """Follow `super().name(...)`."""
        function = self._environment.function
        if function is None or function.owner is None or not function.parameters:
            return UNKNOWN
        receiver = self._environment.lookup(function.parameters[0].arg)
        method = self._knowledge.classes.inherited(function.owner, name)
        if method is not None:
            routine = Routine(method, (receiver,))
            return self._routines.call(routine, given.positional, given.named, node)
        family = container(function.owner)
        if family and can_change(Value(kind=Data(family)), name.strip("_")):
            self._recorder.mutate(receiver, "DS106", node)
        elif name in {"__setitem__", "__delitem__"}:
            self._recorder.mutate(receiver, "DS104", node)
        return UNKNOWN

    def _call_value(self, value: Value, node: ast.Call, given: Passed, evaluate: Evaluate) -> Value:
        match value.kind:
            case Routine() as routine:
                return self._routines.call(routine, given.positional, given.named, node)
            case Type(cls):
                return self._construct(cls, given, node)
            case Foreign(name):
                return self._libraries.call(name, node, given, evaluate)
            case Instance(cls):
                method = self._knowledge.classes.method(cls, "__call__")
                if method is not None:
                    routine = Routine(method, (value,))
                    return self._routines.call(routine, given.positional, given.named, node)
        self._routines.call_passed(given, node)
        return Value(kind=Made(f"{value.kind.name}()")) if isinstance(value.kind, Made) else UNKNOWN

    def _construct(self, cls: Class, given: Passed, node: ast.AST) -> Value:
        made = Value(kind=Instance(cls))
        method = self._knowledge.classes.method(cls, "__init__")
        if method is not None:
            routine = Routine(method, (made,))
            self._routines.call(routine, given.positional, given.named, node)
        return made


def _passed(node: ast.Call, evaluate: Evaluate) -> Passed:
    positional = []
    for argument in node.args:
        positional.append(evaluate(argument))
        if isinstance(argument, ast.Starred):
            break  # what comes after it has no known position
    named = {keyword.arg: evaluate(keyword.value) for keyword in node.keywords if keyword.arg}
    for keyword in node.keywords:
        if keyword.arg is None:
            evaluate(keyword.value)
    return Passed(positional, named)


def _is_super(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )
