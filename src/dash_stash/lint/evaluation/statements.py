"""Follows statements: in order, through branches and loops."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from dash_stash.lint.effects.recorder import Recorder
from dash_stash.lint.evaluation.decorators import Decorators
from dash_stash.lint.evaluation.expressions import Evaluator
from dash_stash.lint.evaluation.knowledge import Knowledge
from dash_stash.lint.evaluation.targets import Targets
from dash_stash.lint.source.definitions import Module
from dash_stash.lint.values.environment import Environment, Variables, joined, shared_variable
from dash_stash.lint.values.value import UNKNOWN, Foreign, Namespace, Routine, Type, Value

_LOOPS: Final = 2
"""How often a loop's body is followed: one round sees what the round before has bound."""


class Statements:
    """The statements of one function, or of a module's top level."""

    def __init__(self, knowledge: Knowledge, environment: Environment, recorder: Recorder) -> None:
        """Bind names in *environment*, and note in *recorder* what the statements do."""
        self._knowledge, self._environment, self._recorder = knowledge, environment, recorder
        self._evaluator = Evaluator(knowledge, environment, recorder)
        self._targets = Targets(knowledge, environment, recorder, self._evaluator)
        self._decorators = Decorators(knowledge, self._evaluator, environment.module.tree)
        self._is_left = False
        """Whether this point is never reached, as after `return`."""
        self._loops: list[list[Variables]] = []
        """For each loop around this point, the variables where it was left or begun again."""

    def run(self, body: Sequence[ast.stmt]) -> None:
        """Follow statements in order, up to one that leaves."""
        for statement in body:
            if self._is_left:
                return
            handler = _HANDLERS.get(type(statement))
            if handler is not None:
                handler(self, statement)

    # Assignments

    def _assign(self, node: ast.Assign) -> None:
        value = self._evaluator.evaluate(node.value)
        for target in node.targets:
            self._targets.unpack(target, node.value, value)

    def _ann_assign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._targets.assign(node.target, self._evaluator.evaluate(node.value))

    def _aug_assign(self, node: ast.AugAssign) -> None:
        self._targets.augment(node.target, self._evaluator.evaluate(node.value))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._targets.assign(target, UNKNOWN)

    # Definitions

    def _function_def(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        environment = self._environment
        function = environment.module.function(node, environment.function, environment.cls)
        routine = Routine(function)
        for decorator in reversed(node.decorator_list):
            self._decorators.apply(routine, decorator, node)
        for default in (*node.args.defaults, *(each for each in node.args.kw_defaults if each)):
            self._evaluator.evaluate(default)
        self._targets.bind(node.name, Value(kind=routine), node)

    def _class_def(self, node: ast.ClassDef) -> None:
        cls = self._environment.module.cls(node, self._environment.function)
        with self._environment.class_body(cls):
            self.run(node.body)
        self._targets.bind(node.name, Value(kind=Type(cls)), node)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            # `import a.b` binds `a`, but both are modules of the program.
            whole = self._found(alias.name)
            if alias.asname:
                self._targets.bind(alias.asname, whole, node)
            else:
                head = alias.name.partition(".")[0]
                self._targets.bind(head, self._found(head), node)

    def _found(self, dotted: str) -> Value:
        found = self._knowledge.program.find(self._environment.module, dotted)
        return Value(kind=Namespace(found) if found else Foreign(dotted))

    def _import_from(self, node: ast.ImportFrom) -> None:
        name = node.module or ""
        source = self._knowledge.program.find(self._environment.module, name, node.level)
        for alias in node.names:
            if alias.name == "*":
                self._import_all(source)
                continue
            if source is None:
                value = Value(kind=Foreign(f"{name}.{alias.name}"))
            else:
                whole = Value(kind=Namespace(source))
                value = self._evaluator.attributes.get(whole, alias.name, node)
            self._targets.bind(alias.asname or alias.name, value, node)

    def _import_all(self, source: Module | None) -> None:
        if source is not None:
            for name, value in self._knowledge.variables(source).items():
                if not name.startswith("_"):
                    self._environment.variables[name] = shared_variable(source, name, value)

    # Ways through

    def _expr(self, node: ast.Expr) -> None:
        self._evaluator.evaluate(node.value)

    def _return(self, node: ast.Return) -> None:
        self._recorder.note_returned(self._evaluator.evaluate(node.value))
        self._is_left = True

    def _raise(self, node: ast.Raise) -> None:
        self._evaluator.evaluate(node.exc)
        self._is_left = True

    def _assert(self, node: ast.Assert) -> None:
        self._evaluator.evaluate(node.test)

    def _break(self, _: ast.Break | ast.Continue) -> None:
        if self._loops:
            self._loops[-1].append(dict(self._environment.variables))
        self._is_left = True

    def _go_on(self, variables: Variables) -> None:
        """Go on from a point at which the variables are these."""
        self._environment.variables, self._is_left = variables, False

    def _ends(self) -> list[Variables]:
        """Return the variables at this point, if it is reached."""
        return [] if self._is_left else [self._environment.variables]

    def _branch(self, before: Variables, *bodies: Sequence[ast.stmt]) -> None:
        """Follow alternatives from the same point, to where they meet."""
        ends = []
        for body in bodies:
            self._go_on(dict(before))
            self.run(body)
            ends += self._ends()
        self._go_on(joined(ends) if ends else before)
        self._is_left = not ends

    def _if(self, node: ast.If) -> None:
        self._evaluator.evaluate(node.test)
        self._branch(self._environment.variables, node.body, node.orelse)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        source = self._evaluator.evaluate(node.iter)
        self._loop(node, lambda: self._targets.assign(node.target, source.part()))

    def _while(self, node: ast.While) -> None:
        self._loop(node, lambda: self._evaluator.evaluate(node.test))

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, start: Callable[[], object]) -> None:
        for _ in range(_LOOPS):
            before = dict(self._environment.variables)
            self._loops.append([])
            start()
            self.run(node.body)
            self._go_on(joined([before, *self._loops.pop(), *self._ends()]))
        self.run(node.orelse)

    def _try(self, node: ast.Try) -> None:
        before = dict(self._environment.variables)
        self.run(node.body)
        inside = joined([before, self._environment.variables])
        ends = []
        if not self._is_left:
            self.run(node.orelse)
            ends += self._ends()
        for clause in node.handlers:
            self._go_on(dict(inside))
            if clause.name:
                self._environment.variables[clause.name] = UNKNOWN
            self.run(clause.body)
            ends += self._ends()
        self._go_on(joined(ends or [inside]))
        self.run(node.finalbody)
        self._is_left = self._is_left or not ends

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self._evaluator.evaluate(item.context_expr)
            if item.optional_vars is not None:
                self._targets.assign(item.optional_vars, value)
        outer = self._recorder.warnings_are_kept
        self._recorder.warnings_are_kept = outer or any(
            "catch_warnings" in ast.unparse(item.context_expr) for item in node.items
        )
        self.run(node.body)
        self._recorder.warnings_are_kept = outer

    def _match(self, node: ast.Match) -> None:
        subject = self._evaluator.evaluate(node.subject)
        before = dict(self._environment.variables)
        for case in node.cases:
            for pattern in ast.walk(case.pattern):
                name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
                if isinstance(pattern, ast.MatchAs | ast.MatchStar | ast.MatchMapping) and name:
                    before[name] = subject.join(subject.part())
        guarded = (
            [ast.Expr(case.guard), *case.body] if case.guard else case.body for case in node.cases
        )
        self._branch(before, *guarded, [])


_HANDLERS: Final[dict[type[ast.stmt], Callable[[Statements, Any], None]]] = {
    ast.AnnAssign: Statements._ann_assign,
    ast.Assert: Statements._assert,
    ast.Assign: Statements._assign,
    ast.AsyncFor: Statements._for,
    ast.AsyncFunctionDef: Statements._function_def,
    ast.AsyncWith: Statements._with,
    ast.AugAssign: Statements._aug_assign,
    ast.Break: Statements._break,
    ast.ClassDef: Statements._class_def,
    ast.Continue: Statements._break,
    ast.Delete: Statements._delete,
    ast.Expr: Statements._expr,
    ast.For: Statements._for,
    ast.FunctionDef: Statements._function_def,
    ast.If: Statements._if,
    ast.Import: Statements._import,
    ast.ImportFrom: Statements._import_from,
    ast.Match: Statements._match,
    ast.Raise: Statements._raise,
    ast.Return: Statements._return,
    ast.Try: Statements._try,
    ast.TryStar: Statements._try,
    ast.While: Statements._while,
    ast.With: Statements._with,
}
"""How each kind of statement is followed; others say nothing of objects."""
