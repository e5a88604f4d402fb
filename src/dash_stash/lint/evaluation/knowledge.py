"""What is known of the program while one of its functions is followed."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Protocol

from dash_stash.lint.effects.summary import Summary
from dash_stash.lint.evaluation.classes import Classes, TopLevel
from dash_stash.lint.source.definitions import Function
from dash_stash.lint.source.program import Program
from dash_stash.lint.values.environment import Scopes
from dash_stash.lint.values.value import Value

Evaluate = Callable[[ast.expr | None], Value]
"""What an expression is in the function that is followed, whose effects are noted."""


class Knowledge(Scopes, TopLevel, Protocol):
    """What is known of the other functions, classes and modules, and is learnt of them."""

    program: Program
    classes: Classes

    def summary(self, function: Function) -> Summary:
        """Return what calling *function* does."""
        ...

    def register(self, value: Value, kind: str) -> None:
        """Note that Dash will call *value*."""
        ...

    def note_arguments(self, function: Function, arguments: dict[str, Value]) -> None:
        """Note what a function is given somewhere."""
        ...
