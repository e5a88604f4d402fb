"""What the source of a function says, whatever its layout and comments.

Byte code would not do where there is a source: a comprehension over several lines is compiled
into other jumps than the same on one line.
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
"""What of a definition is run by what is around it: those are looked at as they turned out."""


_TRIES: Final = 100


def _parsed(text: str, file: str) -> ast.Module:
    """Parse a text.

    Before Python 3.11.8 and 3.12.2, threads that parse at the same time may disturb each other.

    Source: CPython's issue 106905, "AST constructor recursion depth mismatch".
    """
    for _ in range(_TRIES):
        try:
            return ast.parse(text, file)
        except SystemError:
            continue  # a lock would not do: the app's own threads, and libraries, parse too
    return ast.parse(text, file)


class Source:
    """A file, or a notebook's cell, as it was parsed."""

    def __init__(self, lines: list[str], file: str) -> None:
        """Parse it.

        Raises:
            SyntaxError: It is no Python, or no longer.
            ValueError: It holds a null byte.
        """
        self.lines, self._file = lines, file
        self.tree = _parsed("".join(lines), file)
        self._starts = [_first_line(statement) for statement in self.tree.body]
        self._compiled: dict[int, frozenset[CodeType]] = {}
        self._digests: dict[CodeType, bytes | None] = {}
        self._definitions: dict[int, list[tuple[int, Definition]]] = {}

    def of_code(self, code: CodeType) -> bytes | None:
        """Return the digest of the definition that was compiled into *code*.

        None if it is not here, or no longer: the file may have been edited since it was imported.
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
        """What one statement of the module defines, with the line that each begins in."""
        if position not in self._definitions:
            nodes = (
                node for node in ast.walk(self.tree.body[position]) if isinstance(node, Definition)
            )
            self._definitions[position] = [(_first_line(node), node) for node in nodes]
        return self._definitions[position]

    def _codes(self, flags: int) -> frozenset[CodeType]:
        """All code objects in the file: compiled as a whole, in half the time that it took to parse it for us."""
        if flags not in self._compiled:
            # A notebook's cell may await.
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
    """Return the source of a file, None if there is none; *namespace* is that of its module."""
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
    """Return the digest of the definition that *code* was compiled from, None if its source is not there."""
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
        chunks.append(
            f"{type(value).__name__} {value:x}"
            if type(value) is int
            else f"{type(value).__name__} {value!r}"
        )


def _write_fields(node: ast.AST, chunks: list[str], left_out: frozenset[str]) -> None:
    """Write what a node consists of; what is empty is not written, since Python adds to it."""
    for name in node._fields:
        value = getattr(node, name, None)
        if name == "body" and isinstance(node, _DOCUMENTED):
            value = _without_docstring(node.body)
        if (
            name not in left_out
            and (value is not None or isinstance(node, ast.Constant))
            and value != []
        ):
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
