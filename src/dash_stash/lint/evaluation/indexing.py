"""Which indexes give a view of a frame or an array, and which a copy."""

from __future__ import annotations

import ast

from dash_stash.lint.values.value import Data


def is_basic(node: ast.expr) -> bool:
    """Return whether an index into an array gives a view.

    Slices and numbers do, masks and lists do not.
    """
    if isinstance(node, ast.Tuple):
        return all(map(is_basic, node.elts))
    return isinstance(node, ast.Slice) or (
        isinstance(node, ast.Constant) and node.value is not None
    )


def shared_rows(kind: Data, index: ast.expr) -> Data | None:
    """Return what an index into a frame shares with it: one column, or some rows.

    None if it copies.
    """
    if kind.family == "locator":
        match index:
            case ast.Tuple(elts=[ast.Slice(), ast.Constant()]):
                return Data("series")
    elif isinstance(index, ast.Constant) and isinstance(index.value, str):
        return Data("series")
    return Data("frame slice") if isinstance(index, ast.Slice) else None
