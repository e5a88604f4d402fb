"""Follows assignments: to names, items and attributes."""

from __future__ import annotations

import ast

from dash_stash.lint.effects.recorder import Recorder
from dash_stash.lint.evaluation.apps import app_change
from dash_stash.lint.evaluation.expressions import Evaluator
from dash_stash.lint.evaluation.knowledge import Knowledge
from dash_stash.lint.values.environment import Environment
from dash_stash.lint.values.sharing import can_change, is_lasting, writes_columns
from dash_stash.lint.values.value import (
    UNKNOWN,
    Data,
    Foreign,
    Instance,
    Namespace,
    Root,
    Routine,
    Sort,
    Type,
    Value,
    combined,
)


class Targets:
    """What one function assigns to."""

    def __init__(
        self,
        knowledge: Knowledge,
        environment: Environment,
        recorder: Recorder,
        evaluator: Evaluator,
    ) -> None:
        """Bind names in *environment*, and note in *recorder* what else is changed."""
        self._knowledge, self._environment = knowledge, environment
        self._recorder, self._evaluator = recorder, evaluator

    def bind(self, name: str, value: Value, node: ast.AST) -> None:
        """Bind a name."""
        self._recorder.rebind(self._environment.bind(name, value), node)

    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a target to a value."""
        match target:
            case ast.Name(id=name):
                self.bind(name, value, target)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for place, part in enumerate(parts):
                    self.assign(part, value.item(place))
            case ast.Starred(value=part):
                self.assign(part, value.copied(Data("list")))
            case ast.Subscript():
                self._change_item(target, value, "DS104")
            case ast.Attribute(attr=name):
                if name == "layout":
                    # If it is a function, Dash calls it for each page load.
                    self._knowledge.register(value, "layout")
                self._change_attribute(target, value, "DS105")

    def unpack(self, target: ast.expr, written: ast.expr, value: Value) -> None:
        """Bind a target to what is *written*; `a, b = x, y` binds each to its own."""
        if (
            isinstance(target, ast.Tuple | ast.List)
            and isinstance(written, ast.Tuple | ast.List)
            and len(target.elts) == len(written.elts)
            and not any(isinstance(each, ast.Starred) for each in (*target.elts, *written.elts))
        ):
            sources = [self._evaluator.evaluate(part) for part in written.elts]
            for each, source in zip(target.elts, sources, strict=True):
                self.assign(each, source)
        else:
            self.assign(target, value)

    def augment(self, target: ast.expr, added: Value) -> None:
        """Follow `target += added`, or another operator."""
        match target:
            case ast.Name(id=name):
                self._augment_name(target, name, added)
            case ast.Subscript():
                self._change_item(target, UNKNOWN, "DS103")
            case ast.Attribute():
                self._augment_attribute(target)

    def _augment_name(self, target: ast.Name, name: str, added: Value) -> None:
        environment = self._environment
        if environment.belongs_elsewhere(name):
            self._recorder.rebind(environment.bind(name, UNKNOWN), target, "DS103")
            return
        value = environment.lookup(name)
        if can_change(value, "+="):
            self._recorder.mutate(value, "DS103", target, "+=" if value.kind is None else "")
            changed = Value(value.roots, value.inner | added.content, value.kind)
        else:
            changed = Value(inner=value.inner, kind=value.kind, text=combined((value, added)))
        environment.variables[name] = changed

    def _augment_attribute(self, target: ast.Attribute) -> None:
        base = self._evaluator.evaluate(target.value)
        if isinstance(base.kind, Instance) and not self._knowledge.classes.is_of_instance(
            base.kind.cls, target.attr
        ):
            value = self._evaluator.attributes.get(base, target.attr, target)
            if any(root.sort is Sort.CLASS for root in value.roots):
                self._recorder.mutate(value, "DS103", target)
                return
        self._change_attribute(target, UNKNOWN, "DS103")

    def _change_item(self, target: ast.Subscript, value: Value, code: str) -> None:
        base = self._evaluator.evaluate(target.value)
        self._evaluator.evaluate(target.slice)
        self._set_item(base, target, value, code)
        if isinstance(target.value, ast.Name):
            self._environment.put_into(target.value.id, value, target.slice)

    def _set_item(self, base: Value, target: ast.Subscript, value: Value, code: str) -> None:
        match base.kind:
            case Foreign("builtins.globals()"):
                root = Root(Sort.GLOBAL, "globals()", self._environment.module)
                self._recorder.record("DS101", root, target)
            case _ if self._is_app_change(target, code):
                pass
            case Type(cls):
                self._recorder.record("DS107", Root(Sort.CLASS, cls.name, cls), target)
            case Instance(cls) if method := self._knowledge.classes.method(cls, "__setitem__"):
                routine = Routine(method, (base,))
                self._evaluator.routines.call(routine, [UNKNOWN, value], {}, target)
            case _ if not is_lasting(value) and not writes_columns(base):
                self._recorder.mutate(base, code, target)

    def _change_attribute(self, target: ast.Attribute, value: Value, code: str) -> None:
        base = self._evaluator.evaluate(target.value)
        record, name = self._recorder.record, target.attr
        match base.kind:
            case _ if self._is_app_change(target, code):
                pass
            case Type(cls):
                record("DS107", Root(Sort.CLASS, f"{cls.name}.{name}", cls), target)
            case Namespace(module):
                if not is_lasting(value):
                    record(code, Root(Sort.GLOBAL, name, module), target)
            case Routine(function):
                around = self._environment.function
                if around is None or not function.is_inside(around):
                    record(code, Root(Sort.GLOBAL, function.name, function.module), target)
            case Instance(cls) if setter := self._knowledge.classes.setter(cls, name):
                self._evaluator.routines.call(Routine(setter, (base,)), [value], {}, target)
            case Data("frame slice"):
                pass
            case _ if not is_lasting(value):
                self._recorder.mutate(base, code, target)

    def _is_app_change(self, target: ast.expr, code: str) -> bool:
        """Note that a Dash app is changed; return whether it is."""
        change = app_change(target, code, self._evaluator.evaluate)
        if change is not None:
            self._recorder.record(*change, target)
        return change is not None
