"""Follows decorators: of callbacks, of cached functions, and the program's own."""

from __future__ import annotations

import ast

from dash_stash.lint.evaluation.expressions import Evaluator
from dash_stash.lint.evaluation.knowledge import Knowledge
from dash_stash.lint.source.registration import is_registration, memo_sort
from dash_stash.lint.values.value import Foreign, Made, Routine, Value


class Decorators:
    """The decorators of the functions that are defined in one function, or in a module."""

    def __init__(self, knowledge: Knowledge, evaluator: Evaluator, module: ast.Module) -> None:
        """Evaluate the decorators with *evaluator*."""
        self._knowledge, self._evaluator, self._module = knowledge, evaluator, module

    def apply(
        self, routine: Routine, decorator: ast.expr, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> None:
        """Note what a decorator makes of a function."""
        evaluate, is_call = self._evaluator.evaluate, isinstance(decorator, ast.Call)
        if is_registration(decorator, self._module):
            evaluate(decorator)
            self._knowledge.register(Value(kind=routine), "callback")
            return
        origin = evaluate(decorator.func if isinstance(decorator, ast.Call) else decorator)
        name = origin.kind.name if isinstance(origin.kind, Foreign | Made) else ""
        function = routine.function
        function.memo = function.memo or memo_sort(decorator, name)
        if isinstance(origin.kind, Routine):
            made = evaluate(decorator) if is_call else origin
            if isinstance(made.kind, Routine):
                self._evaluator.routines.wrap(routine, made.kind, node)
