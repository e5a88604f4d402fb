"""What the attribute of a value is."""

from __future__ import annotations

import ast
from typing import Final

from dash_stash.lint.effects.recorder import Recorder
from dash_stash.lint.evaluation.knowledge import Knowledge
from dash_stash.lint.evaluation.routines import Routines
from dash_stash.lint.source.definitions import Class, Module
from dash_stash.lint.values.environment import shared_variable
from dash_stash.lint.values.value import (
    NONE,
    SCALAR,
    Data,
    Foreign,
    Instance,
    Made,
    Namespace,
    Root,
    Routine,
    Sort,
    Type,
    Value,
)

_LOCATORS: Final = frozenset(
    ["loc", "iloc", "at", "iat", "values", "array", "T", "flat", "real", "imag", "base"]
)


class Attributes:
    """The attributes of modules, classes, objects and data."""

    def __init__(self, knowledge: Knowledge, recorder: Recorder, routines: Routines) -> None:
        """Note what is read in *recorder*; properties are called as *routines*."""
        self._knowledge, self._recorder, self._routines = knowledge, recorder, routines

    def get(self, value: Value, name: str, node: ast.AST) -> Value:
        """Return what an attribute of a value is."""
        match value.kind:
            case Namespace(module):
                return self._of_module(module, name, node)
            case Foreign(base):
                return Value(kind=Foreign(f"{base}.{name}"))
            case Made(base):
                return Value(value.content, value.content, Made(f"{base}.{name}"), value.text)
            case Type(cls):
                return self._of_class(cls, name, value)
            case Instance(cls):
                return self._of_instance(cls, name, value, node)
            case Data("frame") | Data("frame slice"):
                return value.part(Data("locator" if name in _LOCATORS else "series"))
            case Data("series" | "array") if name in _LOCATORS:
                return value.part(value.kind)
        return Value(value.content, value.content, None, value.text)

    def _of_module(self, module: Module, name: str, node: ast.AST) -> Value:
        variables = self._knowledge.variables(module)
        if name in variables:
            value = shared_variable(module, name, variables[name])
            self._recorder.note_read(value, node)
            return value
        found = self._knowledge.program.submodule(module, name)
        if found:
            return Value(kind=Namespace(found))
        return Value(frozenset({Root(Sort.GLOBAL, name, module)}))

    def _of_class(self, cls: Class, name: str, receiver: Value) -> Value:
        """Return what `Class.name` is."""
        classes = self._knowledge.classes
        method = classes.method(cls, name)
        if method is not None:
            is_bound = method.decorated("classmethod")
            return Value(kind=Routine(method, (Value(kind=Type(cls)),) if is_bound else ()))
        owner, value = classes.attribute(cls, name)
        if owner is not None:
            roots = _of_body(owner, name)
            return Value(roots, frozenset(), value.kind, value.text)
        if classes.has_unseen_attributes(cls):
            return receiver.part()
        return Value(_of_body(cls, name))

    def _of_instance(self, cls: Class, name: str, receiver: Value, node: ast.AST) -> Value:
        """Return what an attribute of an object of the program's class is."""
        if name == "__class__":
            return Value(kind=Type(cls))
        classes = self._knowledge.classes
        method = classes.method(cls, name)
        if method is not None:
            if method.decorated("property", "cached_property"):
                return self._routines.call(Routine(method, (receiver,)), [], {}, node)
            if method.decorated("staticmethod"):
                return Value(kind=Routine(method))
            owner = Value(kind=Type(cls)) if method.decorated("classmethod") else receiver
            return Value(kind=Routine(method, (owner,)))
        if classes.is_of_instance(cls, name):
            return receiver.part(classes.instance_kind(cls, name))
        body, value = classes.attribute(cls, name)
        if body is None:
            return receiver.part()
        if isinstance(value.kind, Data) and value.kind not in (SCALAR, NONE):
            return Value(_of_body(body, name), frozenset(), value.kind)
        return receiver.part(value.kind)


def _of_body(cls: Class, name: str) -> frozenset[Root]:
    return frozenset({Root(Sort.CLASS, f"{cls.name}.{name}", cls)})
