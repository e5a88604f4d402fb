"""How a function becomes a callback, a layout or a memo function."""

from __future__ import annotations

import ast
from typing import Final

_CALLBACK: Final = frozenset({"callback", "long_callback", "expanded_callback"})
_DEPENDENCY: Final = frozenset(
    {"Output", "Input", "State", "Trigger", "ServersideOutput", "OperatorOutput", "Event"}
)
_NOT_PYTHON: Final = frozenset({"clientside_callback", "ClientsideFunction"})
_LASTING: Final = frozenset({
    "lru_cache", "cache", "cached", "cachedmethod", "alru_cache", "memoize", "ttl_cache",
    "lfu_cache", "fifo_cache", "rr_cache",
})  # fmt: skip
_MEMO: Final = frozenset(
    {"memo", "memoize", "memoize_stampede", "cached", "cache", "cache_data", "cache_on_arguments"}
)
_LIBRARIES: Final = ("dash", "jupyter_dash", "django_plotly_dash")


def is_registration(call: ast.expr, module: ast.Module) -> bool:
    """Return whether an expression is `app.callback(...)`, or what stands for it in this app."""
    if not isinstance(call, ast.Call):
        return False
    name = last_name(call.func)
    if name in _NOT_PYTHON or name in _DEPENDENCY:
        return False
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    return (name in _CALLBACK and imports_dash(module)) or (
        any(map(_is_dependency, arguments)) and _is_name(call.func)
    )


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)


def last_name(node: ast.expr) -> str:
    """Return `callback` for `self.app.callback`."""
    return (
        node.attr
        if isinstance(node, ast.Attribute)
        else node.id
        if isinstance(node, ast.Name)
        else ""
    )


def _is_dependency(node: ast.expr) -> bool:
    """Return whether an argument is an `Output(...)`, an `Input(...)`, or contains one."""
    match node:
        case ast.Call(func=function):
            return last_name(function) in _DEPENDENCY
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return any(map(_is_dependency, items))
        case ast.Dict(values=items):
            return any(map(_is_dependency, items))
        case ast.Starred(value=item):
            return _is_dependency(item)
        case ast.ListComp(elt=item):
            return _is_dependency(item)
    return False


def imports_dash(module: ast.Module) -> bool:
    """Return whether a module imports Dash, or an app: `from app import app`."""
    known: bool | None = getattr(module, "imports_dash", None)
    if known is None:
        known = any(_is_dash_import(node) for node in ast.walk(module))
        module.imports_dash = known  # type: ignore[attr-defined] # a note beside the tree
    return known


def _is_dash_import(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=aliases):
            return any(alias.name.startswith(_LIBRARIES) for alias in aliases)
        case ast.ImportFrom(module=name, names=aliases, level=level):
            own = bool(level) or not str(name).startswith(("typer", "click"))
            return str(name).startswith(_LIBRARIES) or (
                own and any(alias.name in {"app", "dash_app", "callback"} for alias in aliases)
            )
    return False


def memo_sort(decorator: ast.expr, origin: str) -> str:
    """Return how a decorator caches results.

    "lasting": all callers get one object. "memo": each gets a copy. "": not at all.
    """
    name = last_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
    if (
        origin.startswith(("functools.", "cachetools.", "async_lru.", "toolz."))
        and name in _LASTING
    ):
        return "lasting"
    return (
        "memo"
        if name in _MEMO
        and isinstance(
            decorator.func if isinstance(decorator, ast.Call) else decorator, ast.Attribute
        )
        else ""
    )
