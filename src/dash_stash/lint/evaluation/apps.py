"""Recognises changes of a Dash app: of its layout, its title, or whatever is kept on it."""

from __future__ import annotations

import ast
from typing import Final

from dash_stash import mutations
from dash_stash.lint.evaluation.knowledge import Evaluate
from dash_stash.lint.source.registration import last_name
from dash_stash.lint.values.value import Foreign, Made, Root, Sort

_NAMES: Final = frozenset({"app", "dash_app"})
_MAKERS: Final = frozenset({"Dash", "DashProxy", "JupyterDash", "get_app()"})


def app_change(target: ast.expr, code: str, evaluate: Evaluate) -> tuple[str, Root] | None:
    """Return what changing *target* changes, if that is a Dash app's: the code, and the object.

    *code* is that of the change if it is an attribute that Dash does not know: `app.anything`.
    """
    node: ast.expr = target
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute) and _is_app(node.value, evaluate):
            name = f"{ast.unparse(node.value)}.{node.attr}"
            if node.attr in mutations.APP_ATTRIBUTES:
                return "DS111", Root(Sort.PROCESS, name)
            return (code, Root(Sort.GLOBAL, name)) if node is target else None
        node = node.value
    return None


def _is_app(node: ast.expr, evaluate: Evaluate) -> bool:
    """Return whether an expression was made as a Dash app, or is unknown and named like one."""
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    match evaluate(node).kind:
        case Made(name) | Foreign(name):
            return name.rpartition(".")[2] in _MAKERS or last_name(node) in _NAMES
        case None:
            return last_name(node) in _NAMES
    return False
