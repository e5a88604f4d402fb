"""Recognises a dict that is filled as a cache: where nothing was found in it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from dash_stash.lint.source.definitions import FunctionNode


@functools.lru_cache(maxsize=4096)
def cache_fills(function: FunctionNode) -> frozenset[ast.AST]:
    """Return the targets `CACHE[key]` that are assigned because the key was missing."""
    if isinstance(function, ast.Lambda):
        return frozenset()
    nodes = list(ast.walk(function))
    asked = set(_asked(nodes))
    if not asked:
        return frozenset()
    targets = (target for node in nodes if isinstance(node, ast.Assign) for target in node.targets)
    return frozenset(
        target
        for target in targets
        if isinstance(target, ast.Subscript) and _key(target.value, target.slice) in asked
    )


def _asked(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """Return the containers and keys whose absence leads somewhere."""
    for node in nodes:
        match node:
            case ast.If(test=test, body=body, orelse=orelse):
                yield from _missing(test, leaves=_leaves(body) or bool(orelse))
            case ast.IfExp(test=test):
                yield from _missing(test, leaves=True)
            case ast.Try(body=body, handlers=handlers) if any(
                _catches_key_error(handler) for handler in handlers
            ):
                yield from (key for part in body for each in ast.walk(part) for key in _read(each))
            case ast.Assign(
                value=ast.Call(func=ast.Attribute(value=base, attr="get"), args=[key, *_]),
                targets=[ast.Name()],
            ):
                yield _key(base, key)
            case ast.NamedExpr(
                value=ast.Call(func=ast.Attribute(value=base, attr="get"), args=[key, *_])
            ):
                yield _key(base, key)


def _missing(test: ast.expr, *, leaves: bool) -> Iterator[tuple[str, str]]:
    """Return what is missing where a test holds, or where it does not if what holds *leaves*."""
    match test:
        case ast.Compare(left=key, ops=[ast.NotIn()], comparators=[base]):
            yield _key(_keys_of(base), key)
        case ast.Compare(left=key, ops=[ast.In()], comparators=[base]) if leaves:
            yield _key(_keys_of(base), key)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _missing(operand, leaves=True)
        case ast.Compare(
            left=ast.Call(func=ast.Attribute(value=base, attr="get"), args=[key, *_]),
            ops=[ast.Is() | ast.Eq()],
        ):
            yield _key(base, key)
        case ast.Compare(
            left=ast.Subscript(value=base, slice=key),
            ops=[ast.Is()],
            comparators=[ast.Constant(value=None)],
        ) if not isinstance(
            key,
            ast.Constant,  # `state["start"] is None` asks for a state
        ):
            yield _key(base, key)
        case ast.Call(func=ast.Attribute(value=base, attr="get"), args=[key, *_]) if leaves:
            yield _key(base, key)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _missing(value, leaves=leaves)


def _keys_of(node: ast.expr) -> ast.expr:
    """Return D for `D.keys()`."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "keys"
    ):
        return node.func.value
    return node


def _leaves(body: list[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Return | ast.Raise | ast.Continue)


def _catches_key_error(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or "KeyError" in ast.unparse(handler.type)


def _read(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield _key(node.value, node.slice)


def _key(base: ast.expr, key: ast.expr) -> tuple[str, str]:
    return ast.unparse(base), ast.unparse(key)
