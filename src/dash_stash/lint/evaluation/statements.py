"""Follows statements: in order, through branches and loops."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dash_stash.lint.evaluation.calls import Calls
from dash_stash.lint.evaluation.expressions import writes_columns
from dash_stash.lint.evaluation.frame import Environment, can_change, handler
from dash_stash.lint.source.definitions import Class, Function
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

_LOOPS = 2
"""How often a loop's body is followed: what a variable was given in one round is seen in the next."""


def joined(states: Sequence[Environment]) -> Environment:
    """Return what is known where several ways meet."""
    first, *rest = states
    result = dict(first)
    for state in rest:
        for name, value in state.items():
            result[name] = result[name].join(value) if name in result else value
    return result


class Statements(Calls):
    """What statements do."""

    def run(self, body: Sequence[ast.stmt]) -> None:
        """Follow statements in order, up to one that leaves."""
        for statement in body:
            if self.dead:
                return
            method = getattr(self, handler("do", type(statement).__name__), None)
            if method is not None:
                method(statement)

    # Assignments

    def _do_assign(self, node: ast.Assign) -> None:
        value = self.evaluate(node.value)
        for target in node.targets:
            self._unpack(target, node.value, value)

    def _unpack(self, target: ast.expr, written: ast.expr, value: Value) -> None:
        """Bind a target; `a, b = x, y` binds each to its own."""
        if (
            isinstance(target, ast.Tuple | ast.List)
            and isinstance(written, ast.Tuple | ast.List)
            and len(target.elts) == len(written.elts)
            and not any(isinstance(each, ast.Starred) for each in (*target.elts, *written.elts))
        ):
            for each, source in zip(
                target.elts, [self.evaluate(part) for part in written.elts], strict=True
            ):
                self.assign(each, source)
        else:
            self.assign(target, value)

    def _do_ann_assign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value))

    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a target to a value."""
        match target:
            case ast.Name(id=name):
                self._bind(name, value, target, "DS101", "DS102")
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for place, part in enumerate(parts):
                    self.assign(part, value.item(place))
            case ast.Starred(value=part):
                self.assign(part, value.copied(Data("list")))
            case ast.Subscript():
                self._change_item(target, value, "DS104")
            case ast.Attribute(attr=name):
                if name == "layout":
                    self.knowledge.register(
                        value, "layout"
                    )  # if it is a function, Dash calls it for each page load
                self._change_attribute(target, value, "DS105")

    def _bind(
        self, name: str, value: Value, node: ast.AST, of_global: str, of_nonlocal: str
    ) -> None:
        """Bind a name, in the scope that it belongs to."""
        names = self.function.names if self.function else None
        if names and name in names.globals:
            self.rebound[name] = value
            if not self.is_lasting(value) and not self.is_exempt(self.global_variable(name)):
                self.record(of_global, Root(Sort.GLOBAL, name, self.module), node)
        elif names and name in names.nonlocals:
            owner = self.function.outer if self.function else None
            while owner is not None and name not in owner.names.local:
                owner = owner.outer
            if not self.is_lasting(value):
                self.record(of_nonlocal, Root(Sort.CAPTURED, name, owner), node)
        else:
            self.env[name] = value
            if self.cls is None:
                self.seen[name] = self.seen[name].join(value) if name in self.seen else value

    def _change_item(self, target: ast.Subscript, value: Value, code: str) -> None:
        base = self.evaluate(target.value)
        self.evaluate(target.slice)
        if isinstance(base.kind, Foreign) and base.kind.name == "builtins.globals()":
            self.record("DS101", Root(Sort.GLOBAL, "globals()", self.module), target)
        elif self.change_app(target, code):
            pass
        elif isinstance(base.kind, Type):
            self.mutate(
                Value(frozenset({Root(Sort.CLASS, base.kind.cls.name, base.kind.cls)})),
                "DS107",
                target,
            )
        elif isinstance(base.kind, Instance) and (
            method := self.find_method(base.kind.cls, "__setitem__")[0]
        ):
            self.call_routine(Routine(method, (base,)), [UNKNOWN, value], {}, target)
        elif not self.is_lasting(value) and not writes_columns(base):
            self.mutate(base, code, target)
        self.put_into(target.value, value, target.slice)

    def _change_attribute(self, target: ast.Attribute, value: Value, code: str) -> None:
        base = self.evaluate(target.value)
        match base.kind:
            case _ if self.change_app(target, code):
                pass
            case Type(cls):
                self.record("DS107", Root(Sort.CLASS, f"{cls.name}.{target.attr}", cls), target)
            case Namespace(module):
                if not self.is_lasting(value):
                    self.record(code, Root(Sort.GLOBAL, target.attr, module), target)
            case Routine(function):
                if not function.is_inside(self.function) if self.function else True:
                    self.record(code, Root(Sort.GLOBAL, function.name, function.module), target)
            case Instance(cls) if (setter := self._setter(cls, target.attr)) is not None:
                self.call_routine(Routine(setter, (base,)), [value], {}, target)
            case Data("frame slice"):
                pass
            case _ if not self.is_lasting(value):
                self.mutate(base, code, target)

    def _setter(self, cls: Class, name: str) -> Function | None:
        return next((each.setters[name] for each in self.family(cls) if name in each.setters), None)

    def _do_aug_assign(self, node: ast.AugAssign) -> None:
        added = self.evaluate(node.value)
        match node.target:
            case ast.Name(id=name):
                self._augment_name(node, name, added)
            case ast.Subscript():
                self._change_item(node.target, UNKNOWN, "DS103")
            case ast.Attribute():
                self._augment_attribute(node.target)

    def _augment_name(self, node: ast.AugAssign, name: str, added: Value) -> None:
        names = self.function.names if self.function else None
        if names and name in names.globals | names.nonlocals:
            self._bind(name, UNKNOWN, node.target, "DS103", "DS103")
            return
        value = self.lookup(name)
        if can_change(value, "+="):
            self.mutate(value, "DS103", node.target, "+=" if value.kind is None else "")
            self.env[name] = Value(value.roots, value.inner | added.content, value.kind)
        else:
            self.env[name] = Value(
                inner=value.inner, kind=value.kind, text=combined((value, added))
            )

    def _augment_attribute(self, target: ast.Attribute) -> None:
        base = self.evaluate(target.value)
        if isinstance(base.kind, Instance) and not any(
            target.attr in each.instance_names for each in self.family(base.kind.cls)
        ):
            value = self.attribute(base, target.attr, target)
            if any(root.sort is Sort.CLASS for root in value.roots):
                self.mutate(value, "DS103", target)
                return
        self._change_attribute(target, UNKNOWN, "DS103")

    def _do_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._bind(target.id, UNKNOWN, target, "DS101", "DS102")
            else:
                self.assign(target, UNKNOWN)

    # Definitions

    def _do_function_def(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        function = self.module.function(node, self.function, self.cls)
        value = Value(kind=Routine(function))
        for decorator in reversed(node.decorator_list):
            value = self.decorate(value, decorator, node)
        for default in (*node.args.defaults, *(each for each in node.args.kw_defaults if each)):
            self.evaluate(default)
        self._bind(node.name, value, node, "DS101", "DS102")

    _do_async_function_def = _do_function_def

    def _do_class_def(self, node: ast.ClassDef) -> None:
        cls = self.module.cls(node, self.function)
        outer_env, outer_class = self.env, self.cls
        self.env, self.cls = dict(self.env), cls
        self.run(node.body)
        self.env, self.cls = outer_env, outer_class
        self._bind(node.name, Value(kind=Type(cls)), node, "DS101", "DS102")

    def _do_import(self, node: ast.Import) -> None:
        for alias in node.names:
            found = self.knowledge.program.find(self.module, alias.name)
            head = alias.name.partition(".")[0]
            name, top = (
                (alias.asname, found)
                if alias.asname
                else (head, self.knowledge.program.find(self.module, head))
            )
            dotted = alias.name if alias.asname else head
            self._bind(
                name or head,
                Value(kind=Namespace(top) if top else Foreign(dotted)),
                node,
                "DS101",
                "DS102",
            )

    def _do_import_from(self, node: ast.ImportFrom) -> None:
        program = self.knowledge.program
        source = program.find(self.module, node.module or "", node.level)
        for alias in node.names:
            if alias.name == "*":
                self._import_all(source)
                continue
            if source is None:
                value = Value(kind=Foreign(f"{node.module or ''}.{alias.name}"))
            else:
                value = self.attribute(Value(kind=Namespace(source)), alias.name, node)
            self._bind(alias.asname or alias.name, value, node, "DS101", "DS102")

    def _import_all(self, source: object) -> None:
        from dash_stash.lint.source.program import Module

        if isinstance(source, Module):
            for name, value in self.knowledge.variables(source).items():
                if not name.startswith("_"):
                    self.env[name] = self.shared(source, name, value)

    # Ways through

    def _do_expr(self, node: ast.Expr) -> None:
        self.evaluate(node.value)

    def _do_return(self, node: ast.Return) -> None:
        value = self.evaluate(node.value)
        self.returned.append(value)
        self.dead = True

    def _do_raise(self, node: ast.Raise) -> None:
        self.evaluate(node.exc)
        self.dead = True

    def _do_assert(self, node: ast.Assert) -> None:
        self.evaluate(node.test)

    def _do_break(self, _: ast.Break) -> None:
        if self.loops:
            self.loops[-1].append(dict(self.env))
        self.dead = True

    _do_continue = _do_break

    def _branch(self, before: Environment, *bodies: Sequence[ast.stmt]) -> None:
        """Follow alternatives from the same point, to where they meet."""
        ends = []
        for body in bodies:
            self.env, self.dead = dict(before), False
            self.run(body)
            if not self.dead:
                ends.append(self.env)
        self.env, self.dead = (joined(ends), False) if ends else (before, True)

    def _do_if(self, node: ast.If) -> None:
        self.evaluate(node.test)
        self._branch(self.env, node.body, node.orelse)

    def _do_for(self, node: ast.For | ast.AsyncFor) -> None:
        source = self.evaluate(node.iter)
        self._loop(node, lambda: self.assign(node.target, source.part()))

    _do_async_for = _do_for

    def _do_while(self, node: ast.While) -> None:
        self._loop(node, lambda: self.evaluate(node.test))

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, start: object) -> None:
        for _ in range(_LOOPS):
            before = dict(self.env)
            self.loops.append([])
            if callable(start):
                start()
            self.run(node.body)
            ends = [before, *self.loops.pop(), *([] if self.dead else [self.env])]
            self.env, self.dead = joined(ends), False
        self.run(node.orelse)

    def _do_try(self, node: ast.Try) -> None:
        before = dict(self.env)
        self.run(node.body)
        inside = joined([before, self.env])
        ends = []
        if not self.dead:
            self.run(node.orelse)
            ends += [] if self.dead else [self.env]
        for clause in node.handlers:
            self.env, self.dead = dict(inside), False
            if clause.name:
                self.env[clause.name] = UNKNOWN
            self.run(clause.body)
            ends += [] if self.dead else [self.env]
        self.env, self.dead = joined(ends or [inside]), False
        self.run(node.finalbody)
        self.dead = self.dead or not ends

    _do_try_star = _do_try

    def _do_with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self.evaluate(item.context_expr)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value)
        outer = self.warnings_are_kept
        self.warnings_are_kept = outer or any(
            "catch_warnings" in ast.unparse(item.context_expr) for item in node.items
        )
        self.run(node.body)
        self.warnings_are_kept = outer

    _do_async_with = _do_with

    def _do_match(self, node: ast.Match) -> None:
        subject = self.evaluate(node.subject)
        before = dict(self.env)
        for case in node.cases:
            for pattern in ast.walk(case.pattern):
                name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
                if isinstance(pattern, ast.MatchAs | ast.MatchStar | ast.MatchMapping) and name:
                    before[name] = subject.join(subject.part())
        guarded = (
            [ast.Expr(case.guard), *case.body] if case.guard else case.body for case in node.cases
        )
        self._branch(before, *guarded, [])
