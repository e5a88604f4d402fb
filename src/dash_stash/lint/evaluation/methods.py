"""Follows calls of methods of data: lists, dicts, frames, arrays, figures."""

from __future__ import annotations

import ast
from typing import Final

from dash_stash import mutations
from dash_stash.lint.evaluation import files
from dash_stash.lint.evaluation.expressions import writes_columns
from dash_stash.lint.evaluation.frame import can_change
from dash_stash.lint.evaluation.libraries import Arguments, LibraryCalls
from dash_stash.lint.source.registration import last_name
from dash_stash.lint.values.value import (
    EACH,
    NONE,
    SCALAR,
    UNKNOWN,
    Data,
    Foreign,
    Made,
    Root,
    Routine,
    Sort,
    Value,
    combined,
    union,
)

_PARTS: Final = frozenset(
    {"get", "pop", "setdefault", "popleft", "popitem", "__getitem__", "get_group", "item"}
)
_CONTENTS: Final = frozenset({"items", "values", "keys", "elements", "iter_rows", "most_common"})
_VIEWS: Final = frozenset(
    {"view", "reshape", "ravel", "transpose", "swapaxes", "squeeze", "__iter__"}
)
_FRAMES: Final = frozenset({"frame", "frame slice"})
_TO_SCALAR: Final = frozenset(
    {
        "join",
        "strip",
        "lower",
        "upper",
        "format",
        "split",
        "replace",
        "title",
        "startswith",
        "encode",
        "decode",
        "isoformat",
        "strftime",
        "count",
        "index",
    }
)
_SAME_FAMILY: Final = frozenset({
    "copy", "query", "drop", "rename", "reset_index", "set_index", "sort_values", "sort_index", "fillna", "dropna", "merge", "join",
    "assign", "head", "tail", "sample", "round", "astype", "filter", "reindex", "drop_duplicates", "melt", "explode", "where", "mask",
    "clip", "diff", "shift",
})  # fmt: skip
_MASKS: Final = frozenset({
    "isin", "between", "isna", "isnull", "notna", "notnull", "duplicated", "contains", "eq", "ne", "gt", "lt", "ge", "le", "is_in",
    "is_between", "is_null", "is_not_null",
})  # fmt: skip
_ANSWERS: Final = frozenset({
    "json", "fetchall", "fetchone", "fetchmany", "fetchdf", "df", "hgetall", "lrange", "smembers", "get_all_records", "get_all_values",
    "to_dict", "to_list", "tolist", "to_pandas", "to_numpy",
})  # fmt: skip
"""What asks a connection for data: the answer is not the connection's."""
_APPS: Final = frozenset({"app", "dash_app"})
_EMPTY: Final = (ast.List, ast.Dict, ast.Set, ast.Constant)


class DataCalls(LibraryCalls):
    """What calling a method of data does."""

    def call_method(self, receiver: Value, name: str, node: ast.Call, given: Arguments) -> Value:
        """Follow `receiver.name(...)`, where the receiver is data, or nobody knows what it is."""
        self._write_to_path(receiver, name, node)
        if name in mutations.DATA_METHODS and isinstance(node.func, ast.Attribute):
            self.change_app(node.func.value, "DS106")
        if _is_in_place(node):
            if not writes_columns(receiver):
                self.mutate(receiver, "DS106", node)
            return Value(kind=NONE)
        if can_change(receiver, name):
            self._change(receiver, name, node)
        self._keep(node, name, given)
        if name == "pipe" and isinstance(given[0].kind, Routine):
            return self.call_routine(
                given[0].kind, [receiver, *given.positional[1:]], given.named, node
            )
        self._call_on_content(receiver, name, node, given)
        return self._result(receiver, name, node, given)

    def change_app(self, target: ast.expr, code: str) -> bool:
        """Note that `app.layout`, `app.config.title` or `app.anything` is changed.

        Return whether it is.
        """
        node: ast.expr = target
        while isinstance(node, ast.Attribute | ast.Subscript):
            if isinstance(node, ast.Attribute) and self._is_app(node.value):
                known = node.attr in mutations.APP_ATTRIBUTES
                if known or node is target:
                    root = Root(
                        Sort.PROCESS if known else Sort.GLOBAL,
                        f"{ast.unparse(node.value)}.{node.attr}",
                    )
                    self.record("DS111" if known else code, root, target)
                return known or node is target
            node = node.value
        return False

    def _is_app(self, node: ast.expr) -> bool:
        """Tell whether an expression is a Dash app: made as one, or of unknown kind and named like one."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return False
        match self.evaluate(node).kind:
            case Made(name) | Foreign(name):
                return (
                    name.rpartition(".")[2] in {"Dash", "DashProxy", "JupyterDash", "get_app()"}
                    or last_name(node) in _APPS
                )
            case None:
                return last_name(node) in _APPS
        return False

    def _change(self, receiver: Value, name: str, node: ast.Call) -> None:
        known = receiver.kind is not None
        code = "DS106"
        if name == "setdefault" and not _is_empty(node.args[-1]):
            code = "DS110"
        self.mutate(receiver, code, node, "" if known else name)

    def _keep(self, node: ast.Call, name: str, given: Arguments) -> None:
        """Remember that a local container now contains a shared object."""
        if name in {"append", "add", "insert", "setdefault", "appendleft"} and isinstance(
            node.func, ast.Attribute
        ):
            for value in given.all[-1:]:
                self.put_into(node.func.value, value)

    def put_into(self, container: ast.expr, value: Value, key: ast.expr | None = None) -> None:
        """Remember that a local container now contains *value*, under this key."""
        if not isinstance(container, ast.Name) or container.id not in self.env:
            return
        known = self.env[container.id]
        items = dict(known.items)
        if isinstance(key, ast.Constant):
            items[key.value] = value
        elif not known.roots and (items or not known.inner):
            items = {EACH: union((*items.values(), value))}
        else:
            items = {}
        if value.held or items != dict(known.items):
            self.env[container.id] = Value(
                known.roots, known.inner | value.held, known.kind, known.text, tuple(items.items())
            )

    def _call_on_content(
        self, receiver: Value, name: str, node: ast.Call, given: Arguments
    ) -> None:
        """Follow `frame.apply(function)`, where the function sees the rows.

        And whatever else is given a function.
        """
        if name in {"apply", "map", "applymap", "transform", "for_each_trace", "sort"}:
            for value in given.all:
                if isinstance(value.kind, Routine):
                    own = receiver.part() if name == "for_each_trace" else UNKNOWN
                    self.call_routine(value.kind, [own], {}, node)
        else:
            self.call_loosely(given, node)

    def _result(self, receiver: Value, name: str, node: ast.Call, given: Arguments) -> Value:
        kind = receiver.kind
        family = kind.family if isinstance(kind, Data) else None
        if name in _MASKS:
            return Value(kind=Data("mask"))
        if family == "figure" or (family == "estimator" and name == "fit"):
            return receiver  # these return the object itself
        if family in _FRAMES or family == "series":
            own = name in _SAME_FAMILY
            return (
                receiver.part(Data("series"))
                if name in {"pop", "get", "get_group"}
                else Value(kind=Data("frame") if own else None)
            )
        if family == "array":
            return (
                receiver
                if name in _VIEWS
                else Value(kind=kind if name in {"copy", "astype"} else None)
            )
        if name in _PARTS:
            part = receiver.item(_constant(node)) if name == "get" else receiver.part()
            return part.join(given[1]) if given[1].roots else part
        if name in _CONTENTS:
            return Value(inner=receiver.content, kind=Data("iterator"))
        if name == "copy":
            return (
                receiver.copied(kind)
                if family in {"list", "dict", "set", "deque"}
                else Value(kind=kind)
            )
        if name in _TO_SCALAR:
            return Value(
                kind=SCALAR if receiver.kind == SCALAR else None,
                text=combined((receiver, *given.all)),
            )
        made = (
            Made(f"{kind.name}.{name}()")
            if isinstance(kind, Made) and name not in _ANSWERS
            else None
        )
        return Value(kind=made, text=combined((receiver, *given.all)))

    def _write_to_path(self, receiver: Value, name: str, node: ast.Call) -> None:
        if name in files.PATH_METHODS:
            self.write_file(files.path_argument(node, 0), node)
        elif (
            name in files.OWN_PATH_METHODS or (name == "open" and files.writes(node, 0))
        ) and isinstance(receiver.kind, Made):
            self.write_value(receiver, node)


def _constant(node: ast.Call) -> object:
    """Return the first argument, if it is written out."""
    return node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None


def _is_in_place(node: ast.Call) -> bool:
    """Tell whether a call says `inplace=True`."""
    return any(
        keyword.arg in {"inplace", "in_place"}
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in node.keywords
    )


def _is_empty(node: ast.expr) -> bool:
    """Tell whether a default is a start to be filled, as in `groups.setdefault(key, []).append(x)`."""
    if isinstance(node, ast.Call):
        return not node.args and not node.keywords
    return isinstance(node, _EMPTY) and not ast.dump(node).count("Name(")
