"""Repairs mutable defaults: the default becomes None, and the function makes a new object."""

from __future__ import annotations

import ast
import difflib
import io
import pathlib
import tokenize
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dash_stash.lint.report.findings import Report
from dash_stash.lint.source.definitions import Function, Module

_MAKERS: Final = frozenset({"list", "dict", "set"})


@dataclass(frozen=True)
class Fix:
    """A file as it is, and as it is to be."""

    module: Module
    text: str

    @property
    def diff(self) -> str:
        """What changes, as a patch."""
        shown = self.module.shown
        return "".join(
            difflib.unified_diff(_lines(self.module.text), _lines(self.text), shown, shown)
        )

    def write(self) -> None:
        """Write the file, in its encoding and with its line ends."""
        path = pathlib.Path(self.module.path)
        source = path.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        end = "\r\n" if b"\r\n" in source else "\n"
        path.write_bytes(self.text.replace("\n", end).encode(encoding))


def fixes(report: Report) -> list[Fix]:
    """Return the repairs of the findings in the checked files, where they are certain."""
    wanted: dict[Module, set[tuple[Function, str]]] = defaultdict(set)
    for finding in report.findings:
        owner = finding.root.owner
        if (
            finding.rule.code == "DS108"
            and isinstance(owner, Function)
            and owner.module in report.modules
        ):
            wanted[owner.module].add((owner, finding.root.name))
    made = (Fix(module, _repaired(module, parameters)) for module, parameters in wanted.items())
    return [fix for fix in made if fix.text != fix.module.text]


def _repaired(module: Module, parameters: Iterable[tuple[Function, str]]) -> str:
    lines = _lines(module.text)
    # From the bottom up, so that what is still to be edited stays where it is.
    ordered = sorted(
        parameters, key=lambda each: (each[0].node.lineno, _place(*each)), reverse=True
    )
    for function, name in ordered:
        _repair(lines, function, name)
    return "".join(lines)


def _place(function: Function, name: str) -> int:
    return next(
        place for place, parameter in enumerate(function.parameters) if parameter.arg == name
    )


def _repair(lines: list[str], function: Function, name: str) -> None:
    """Replace the default of one parameter in the lines of its file, if that is certain."""
    node, default = function.node, _default(function, name)
    annotated = function.parameters[_place(function, name)].annotation is not None
    if (
        isinstance(node, ast.Lambda)
        or default is None
        or annotated
        or not _is_new(default)
        or default.lineno != default.end_lineno
    ):
        return
    first = next((statement for statement in node.body if not _is_text(statement)), node.body[-1])
    start = min(
        [first.lineno, *(decorator.lineno for decorator in getattr(first, "decorator_list", []))]
    )
    own = lines[node.lineno - 1]
    outer, indent = _indent(own), _indent(lines[start - 1])
    if (
        lines[start - 1].encode()[: first.col_offset].strip(b" \t@")
        or not indent.startswith(outer)
        or indent == outer
    ):
        return  # the body stands on the line of the `def`
    line = lines[default.lineno - 1].encode()
    written = line[default.col_offset : default.end_col_offset].decode()
    lines[start - 1 : start - 1] = [
        f"{indent}if {name} is None:\n",
        f"{indent}{indent[len(outer) :]}{name} = {written}\n",
    ]
    lines[default.lineno - 1] = (
        line[: default.col_offset] + b"None" + line[default.end_col_offset :]
    ).decode()


def _default(function: Function, name: str) -> ast.expr | None:
    arguments = function.node.args
    places = [*arguments.posonlyargs, *arguments.args]
    pairs = [*zip(reversed(places), reversed(arguments.defaults), strict=False)]
    pairs += [
        (place, value)
        for place, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if value
    ]
    return next((value for place, value in pairs if place.arg == name), None)


def _is_new(node: ast.expr) -> bool:
    """Return whether an expression makes the same new object whenever it is evaluated.

    A display of constants does, and `list()`.
    """
    match node:
        case ast.List(elts=items) | ast.Set(elts=items) | ast.Tuple(elts=items):
            return all(map(_is_new, items))
        case ast.Dict(keys=keys, values=values):
            return all(key is not None and _is_new(key) for key in keys) and all(
                map(_is_new, values)
            )
        case ast.Call(func=ast.Name(id=name), args=[], keywords=[]):
            return name in _MAKERS
    return isinstance(node, ast.Constant)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _lines(text: str) -> list[str]:
    """Return the lines with their ends, as Python counts them."""
    return io.StringIO(text).readlines()
