"""Which line of a function changes a variable: for the report of a change, and to tell apart who may have made it."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Final

from dash_stash.guard import bytecode
from dash_stash.guard.mutation import DATA_METHODS, FAMILIES
from dash_stash.guard.reach import Reach, Variable

_METHODS: Final = frozenset[str]().union(*(family.methods for family in FAMILIES), DATA_METHODS, {"at", "iat", "loc", "iloc", "inplace"})


@dataclass(frozen=True)
class Place:
    """A line of the app."""

    file: str
    line: int

    def __str__(self) -> str:
        path = os.path.relpath(self.file) if self.file.startswith(os.path.join(os.getcwd(), "")) else self.file
        return f"{path}:{self.line}"

    @property
    def text(self) -> str:
        """What the line says."""
        return linecache.getline(self.file, self.line).strip()


def can_change(reach: Reach, variable: Variable) -> bool:
    """Tell whether the code of a callback looks as if it may change a variable that it reaches.

    Code that neither assigns the variable, nor assigns items or attributes of anything, nor calls a method that changes data,
    does not.
    """
    all_names = [(function, bytecode.names(function.__code__)) for function in reach.functions]
    if any(variable.name in names.stored for _, names in all_names):
        return True
    sees = any(variable.name in names.attributes or variable.name in function.__code__.co_freevars for function, names in all_names)
    return sees and any(names.stores_items or names.stored_attributes or names.attributes & _METHODS for _, names in all_names)


def place_of_change(functions: list[FunctionType], *names: str) -> Place | None:
    """Return the line where one of the functions changes a variable, or an attribute, that it calls by one of the names."""
    for name in names:
        for function in functions:
            code = function.__code__
            if name in bytecode.names(code).attributes or name in code.co_varnames + code.co_freevars:
                for line in _lines(function, name):
                    return Place(code.co_filename, line)
    return None


def _lines(function: FunctionType, name: str) -> Iterator[int]:
    try:
        lines, first = inspect.getsourcelines(function.__code__)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError):  # no file, or a lambda within an expression
        return
    declared = {declared for node in ast.walk(tree) if isinstance(node, ast.Global | ast.Nonlocal) for declared in node.names}
    for node in ast.walk(tree):
        if any(_changes(target, name, declared) for target in _targets(node)) or (isinstance(node, ast.Call) and _calls(node, name)):
            yield first + getattr(node, "lineno", 1) - 1


def _targets(node: ast.AST) -> Iterable[ast.expr]:
    if isinstance(node, ast.Assign | ast.Delete):
        return node.targets
    return (node.target,) if isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For) else ()


def _changes(target: ast.expr, name: str, declared: set[str]) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return any(_changes(element, name, declared) for element in target.elts)
    if isinstance(target, ast.Name):
        return target.id == name and name in declared
    return _is_within(target, name)


def _calls(node: ast.Call, name: str) -> bool:
    is_in_place = any(keyword.arg == "inplace" for keyword in node.keywords)
    return isinstance(node.func, ast.Attribute) and (is_in_place or node.func.attr in _METHODS) and _is_within(node.func.value, name)


def _is_within(node: ast.expr, name: str) -> bool:
    """Whether an expression is the variable, or an item or attribute of it."""
    while True:
        if (isinstance(node, ast.Attribute) and node.attr == name) or (isinstance(node, ast.Name) and node.id == name):
            return True
        if not isinstance(node, ast.Attribute | ast.Subscript):
            return False
        node = node.value
