"""What the source of a function says, whatever its layout and comments.

Byte code would depend on the layout: a comprehension on several lines compiles to other jumps than
the same one on a single line.
"""

from __future__ import annotations
import __future__

import ast
import bisect
import functools
import linecache
import operator
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import Any, Final

from dash_stash import keys

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_FUTURES: Final = functools.reduce(
    operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)
_DOCUMENTED: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_UNSEEN: Final = frozenset({"ctx", "kind", "type_comment", "annotation", "returns"})
_OUTSIDE: Final = frozenset({"name", "decorator_list", "defaults", "kw_defaults"})
"""Parts of a definition that the code around it runs: the walk looks at their results instead."""

_TRIES: Final = 100


def _parsed(text: str, file: str) -> ast.Module:
    """Parse a text, again if another thread has disturbed it.

    Threads that parse at the same time may do so before Python 3.11.8 and 3.12.2.

    Source: CPython's issue 106905, "AST constructor recursion depth mismatch".
    """
    for _ in range(_TRIES):
        try:
            return ast.parse(text, file)
        except SystemError:
            continue  # no lock would help: libraries and the app's own threads parse too
    return ast.parse(text, file)


class Source:
    """A file, or a notebook's cell, as it was parsed."""

    def __init__(self, lines: list[str], file: str) -> None:
        """Parse it.

        Raises:
            SyntaxError: It is not Python, or not any more.
            ValueError: It contains a null byte.
        """
        self.lines, self._file = lines, file
        self.tree = _parsed("".join(lines), file)
        self._starts = [_first_line(statement) for statement in self.tree.body]
        self._compiled: dict[int, frozenset[CodeType]] = {}
        self._digests: dict[CodeType, bytes | None] = {}
        self._definitions: dict[int, list[tuple[int, Definition]]] = {}

    def of_code(self, code: CodeType) -> bytes | None:
        """Return the digest of the definition that *code* was compiled from.

        None if it is not here: the file may have been edited since it was imported.
        """
        if code not in self._digests:
            self._digests[code] = self._look(code)
        return self._digests[code]

    def _look(self, code: CodeType) -> bytes | None:
        position = bisect.bisect_right(self._starts, code.co_firstlineno) - 1
        if position < 0:
            return None
        found = [
            node
            for line, node in self._definitions_in(position)
            if line == code.co_firstlineno and getattr(node, "name", "<lambda>") == code.co_name
        ]
        is_running = len(found) == 1 and code in self._codes(code.co_flags & _FUTURES)
        return of_tree(found[0]) if is_running else None

    def _definitions_in(self, position: int) -> list[tuple[int, Definition]]:
        """Return the definitions in one statement of the module, each with its first line."""
        if position not in self._definitions:
            nodes = (
                node for node in ast.walk(self.tree.body[position]) if isinstance(node, Definition)
            )
            self._definitions[position] = [(_first_line(node), node) for node in nodes]
        return self._definitions[position]

    def _codes(self, flags: int) -> frozenset[CodeType]:
        """All code objects of the file, compiled with these flags of `__future__`."""
        if flags not in self._compiled:
            # As a whole, which takes half the time of parsing; a notebook's cell may await.
            whole = compile(
                "".join(self.lines),
                self._file,
                "exec",
                flags=flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                dont_inherit=True,
            )
            self._compiled[flags] = frozenset(_nested(whole))
        return self._compiled[flags]


_sources: dict[str, Source | None] = {}


def source(file: str, namespace: dict[str, Any]) -> Source | None:
    """Return the source of the file of a module, whose *namespace* may load it; None if absent."""
    linecache.checkcache(file)
    lines = linecache.getlines(file, namespace)
    known = _sources.get(file)
    if known is None or known.lines is not lines:
        try:
            known = Source(lines, file) if lines else None
        except (SyntaxError, ValueError):
            known = None
        _sources[file] = known
    return known


def of_code(code: CodeType, namespace: dict[str, Any]) -> bytes | None:
    """Return the digest of the definition that *code* was compiled from, None without a source."""
    found = source(code.co_filename, namespace)
    return None if found is None else found.of_code(code)


def of_tree(node: Definition) -> bytes:
    """Return the digest of what a definition does when it is called."""
    chunks: list[str] = [type(node).__name__]
    for name in node._fields:
        value = getattr(node, name)
        if isinstance(value, ast.arguments):
            _write_fields(value, chunks, _UNSEEN | _OUTSIDE)
        elif name == "body" and isinstance(value, list):
            _write_list(_without_docstring(value), chunks)
        elif name not in _UNSEEN | _OUTSIDE:
            _write(value, chunks)
    return keys.digest("\0".join(chunks).encode("utf-8", "surrogatepass"))


def _write(value: Any, chunks: list[str]) -> None:
    if isinstance(value, ast.AST):
        chunks.append(type(value).__name__)
        _write_fields(value, chunks, _UNSEEN)
    elif isinstance(value, list):
        _write_list(value, chunks)
    else:
        # In hexadecimal, since Python refuses to write very large numbers in decimal.
        text = f"{value:x}" if type(value) is int else repr(value)
        chunks.append(f"{type(value).__name__} {text}")


def _write_fields(node: ast.AST, chunks: list[str], left_out: frozenset[str]) -> None:
    """Write the fields of a node, without empty ones: newer versions of Python add such."""
    for name in node._fields:
        value = getattr(node, name, None)
        if name == "body" and isinstance(node, _DOCUMENTED):
            value = _without_docstring(node.body)
        if (
            name in left_out
            or value == []
            or (value is None and not isinstance(node, ast.Constant))
        ):
            continue
        chunks.append(name)
        _write(value, chunks)
    chunks.append(")")


def _write_list(values: Iterable[Any], chunks: list[str]) -> None:
    chunks.append("[")
    for value in values:
        _write(value, chunks)
    chunks.append("]")


def _without_docstring(body: list[Any]) -> list[Any]:
    first = body[0]
    is_text = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return body[1:] if is_text else body


def _first_line(node: ast.stmt | Definition) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _nested(const)
