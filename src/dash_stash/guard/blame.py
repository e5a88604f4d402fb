"""Which line of a function changes a variable: for the report of a change, and to tell apart who may have made it."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import textwrap
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Final

from dash_stash import bytecode
from dash_stash.guard.reach import Reach, SharedVariable
from dash_stash.mutations import DATA_METHODS, FAMILIES

_METHODS: Final = frozenset[str]().union(
    *(family.methods for family in FAMILIES), DATA_METHODS, {"at", "iat", "loc", "iloc", "inplace"}
)


@dataclass(frozen=True)
class SourceLine:
    """A line of the app."""

    file: str
    line: int

    def __str__(self) -> str:
        path = (
            os.path.relpath(self.file)
            if self.file.startswith(os.path.join(os.getcwd(), ""))
            else self.file
        )
        return f"{path}:{self.line}"

    @property
    def text(self) -> str:
        """What the line says."""
        return linecache.getline(self.file, self.line).strip()


def can_change(reach: Reach, variable: SharedVariable) -> bool:
    """Tell whether the code of a callback looks as if it may change a variable that it reaches.

    Code that neither assigns the variable, nor assigns items or attributes of anything, nor calls a
    method that changes data, does not.
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
    """What seems to have changed a variable."""

    place: SourceLine
    code: str
    """Of the linter's rule against it."""


def likely_cause(functions: list[FunctionType], path: str, *names: str) -> LikelyCause | None:
    """Return where one of the functions changes a variable, or an attribute, that it calls by one of the names.

    Of several such places, the first that names the last key or attribute in *path* is the likeliest.
    """
    key = path.rpartition("[")[2].rpartition(".")[2].rstrip("]")
    for name in names:
        found = []
        # What makes an object seldom changes it later.
        for function in sorted(functions, key=lambda function: function.__name__ == "__init__"):
            code = function.__code__
            if (
                name in bytecode.names(code).attributes
                or name in code.co_varnames + code.co_freevars
            ):
                found += list(_likely_causes(function, name))
        if found:
            return next((suspect for suspect, text in found if key and key in text), found[0][0])
    return None


def _likely_causes(function: FunctionType, name: str) -> Iterator[tuple[LikelyCause, str]]:
    try:
        lines, first = inspect.getsourcelines(function.__code__)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError):  # no file, or a lambda within an expression
        return
    declared = {
        each: type(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Global | ast.Nonlocal)
        for each in node.names
    }
    defaults = {
        argument.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.arguments)
        for argument in (*node.args, *node.kwonlyargs)
    }
    for node in ast.walk(tree):
        code = _code(node, name, declared, defaults)
        if code:
            line = first + getattr(node, "lineno", 1) - 1
            yield (
                LikelyCause(SourceLine(function.__code__.co_filename, line), code),
                ast.unparse(node),
            )


def _code(node: ast.AST, name: str, declared: dict[str, type], defaults: set[str]) -> str:
    """The rule that a statement or call breaks by changing what is called *name*.

    None if it does not.
    """
    if isinstance(node, ast.Call):
        code = "DS106" if _calls(node, name) else ""
    else:
        changed = [target for target in _targets(node) if _changes(target, name, declared)]
        code = (
            ""
            if not changed
            else "DS103"
            if isinstance(node, ast.AugAssign)
            else _code_of_target(changed[0], declared.get(name))
        )
    return "DS108" if code and name in defaults else code


def _code_of_target(target: ast.expr, declared: type | None) -> str:
    if isinstance(target, ast.Attribute):
        return "DS105"
    return (
        "DS104"
        if isinstance(target, ast.Subscript)
        else "DS102"
        if declared is ast.Nonlocal
        else "DS101"
    )


def _targets(node: ast.AST) -> Iterable[ast.expr]:
    if isinstance(node, ast.Assign | ast.Delete):
        return node.targets
    return (node.target,) if isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For) else ()


def _changes(target: ast.expr, name: str, declared: Container[str]) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return any(_changes(element, name, declared) for element in target.elts)
    if isinstance(target, ast.Name):
        return target.id == name and name in declared
    return _is_within(target, name)


def _calls(node: ast.Call, name: str) -> bool:
    is_in_place = any(keyword.arg == "inplace" for keyword in node.keywords)
    return (
        isinstance(node.func, ast.Attribute)
        and (is_in_place or node.func.attr in _METHODS)
        and _is_within(node.func.value, name)
    )


def _is_within(node: ast.expr, name: str) -> bool:
    """Whether an expression is the variable, or an item or attribute of it."""
    while True:
        if (isinstance(node, ast.Attribute) and node.attr == name) or (
            isinstance(node, ast.Name) and node.id == name
        ):
            return True
        if not isinstance(node, ast.Attribute | ast.Subscript):
            return False
        node = node.value
