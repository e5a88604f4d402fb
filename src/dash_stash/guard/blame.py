"""Finds the code of a callback that changes a variable, or that can."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Final

from dash_stash import bytecode
from dash_stash.guard.reach import Reach
from dash_stash.guard.source import SourceLine
from dash_stash.guard.variables import SharedVariable
from dash_stash.mutations import (
    ATTRIBUTE_ASSIGNED,
    AUGMENTED,
    DATA_METHODS,
    FAMILIES,
    GLOBAL_REBOUND,
    ITEM_ASSIGNED,
    MUTABLE_DEFAULT,
    MUTATING_CALL,
    NONLOCAL_REBOUND,
)

_METHODS: Final = frozenset[str]().union(
    *(family.methods for family in FAMILIES), DATA_METHODS, {"at", "iat", "loc", "iloc", "inplace"}
)


def can_change(reach: Reach, variable: SharedVariable) -> bool:
    """Return whether the code of a callback looks as if it may change a variable that it reaches.

    It does not if it neither assigns the variable, nor items or attributes of anything, nor calls
    a method that changes data.
    """
    all_names = [(function, bytecode.names(function.__code__)) for function in reach.functions]
    if any(variable.name in names.stored for _, names in all_names):
        return True
    sees = any(
        variable.name in names.attributes or variable.name in function.__code__.co_freevars
        for function, names in all_names
    )
    return sees and any(
        names.stores_items or names.stored_attributes or names.attributes & _METHODS
        for _, names in all_names
    )


@dataclass(frozen=True)
class LikelyCause:
    """A line that seems to have changed a variable."""

    line: SourceLine
    rule: str
    """The code of the linter's rule against it."""


def likely_cause(functions: list[FunctionType], path: str, *names: str) -> LikelyCause | None:
    """Return where one of the functions changes a variable, or an attribute, of one of the names.

    Of several such lines it is the first that names the last key or attribute in *path*, or else
    the first.
    """
    key = path.rpartition("[")[2].rpartition(".")[2].rstrip("]")
    # What makes an object seldom changes it later.
    functions = sorted(functions, key=lambda function: function.__name__ == "__init__")
    for name in names:
        found = [
            cause
            for function in functions
            if _mentions(function, name)
            for cause in _causes(function, name)
        ]
        if found:
            return next((cause for cause, text in found if key and key in text), found[0][0])
    return None


def _mentions(function: FunctionType, name: str) -> bool:
    code = function.__code__
    return name in bytecode.names(code).attributes or name in code.co_varnames + code.co_freevars


def _causes(function: FunctionType, name: str) -> Iterator[tuple[LikelyCause, str]]:
    """Yield each statement or call that changes what the function calls *name*, and its text."""
    try:
        lines, first = inspect.getsourcelines(function.__code__)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError):  # no file, or a lambda within an expression
        return
    declared, is_parameter = _declarations(tree).get(name), name in _parameters(tree)
    for node in ast.walk(tree):
        rule = _broken_rule(node, name, declared)
        if rule is not None:
            line = SourceLine(function.__code__.co_filename, first + getattr(node, "lineno", 1) - 1)
            yield LikelyCause(line, MUTABLE_DEFAULT if is_parameter else rule), ast.unparse(node)


def _declarations(tree: ast.AST) -> dict[str, type]:
    """Return the names that are declared as global or nonlocal, and by which statement."""
    return {
        name: type(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Global | ast.Nonlocal)
        for name in node.names
    }


def _parameters(tree: ast.AST) -> Container[str]:
    return {
        argument.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.arguments)
        for argument in (*node.args, *node.kwonlyargs)
    }


def _broken_rule(node: ast.AST, name: str, declared: type | None) -> str | None:
    """Return the rule that a node breaks by changing what is called *name*, or None."""
    if isinstance(node, ast.Call):
        return MUTATING_CALL if _is_mutating_call(node, name) else None
    for target in _targets(node):
        if _is_changed(target, name, is_declared=declared is not None):
            return AUGMENTED if isinstance(node, ast.AugAssign) else _rule_of(target, declared)
    return None


def _rule_of(target: ast.expr, declared: type | None) -> str:
    if isinstance(target, ast.Attribute):
        return ATTRIBUTE_ASSIGNED
    if isinstance(target, ast.Subscript):
        return ITEM_ASSIGNED
    return NONLOCAL_REBOUND if declared is ast.Nonlocal else GLOBAL_REBOUND


def _targets(node: ast.AST) -> Iterable[ast.expr]:
    if isinstance(node, ast.Assign | ast.Delete):
        return node.targets
    return (node.target,) if isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For) else ()


def _is_changed(target: ast.expr, name: str, *, is_declared: bool) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return any(_is_changed(each, name, is_declared=is_declared) for each in target.elts)
    if isinstance(target, ast.Name):
        return is_declared and target.id == name
    return _is_within(target, name)


def _is_mutating_call(node: ast.Call, name: str) -> bool:
    is_in_place = any(keyword.arg == "inplace" for keyword in node.keywords)
    return (
        isinstance(node.func, ast.Attribute)
        and (is_in_place or node.func.attr in _METHODS)
        and _is_within(node.func.value, name)
    )


def _is_within(node: ast.expr, name: str) -> bool:
    """Return whether an expression is the variable, or an item or attribute of it."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute) and node.attr == name:
            return True
        node = node.value
    return isinstance(node, ast.Name) and node.id == name
