"""Follows calls of methods of data: lists, dicts, frames, arrays, figures."""

from __future__ import annotations

import ast
from typing import Final

from dash_stash import mutations
from dash_stash.lint.effects.recorder import Recorder
from dash_stash.lint.evaluation import files
from dash_stash.lint.evaluation.apps import app_change
from dash_stash.lint.evaluation.knowledge import Evaluate
from dash_stash.lint.evaluation.routines import Passed, Routines
from dash_stash.lint.values.environment import Environment
from dash_stash.lint.values.sharing import can_change, writes_columns
from dash_stash.lint.values.value import (
    NONE,
    SCALAR,
    UNKNOWN,
    Data,
    Kind,
    Made,
    Routine,
    Value,
    combined,
)

_KEEPING: Final = frozenset({"append", "add", "insert", "setdefault", "appendleft"})
_CALLING: Final = frozenset({"apply", "map", "applymap", "transform", "for_each_trace", "sort"})
_PARTS: Final = frozenset(
    ["get", "pop", "setdefault", "popleft", "popitem", "__getitem__", "get_group", "item"]
)
_CONTENTS: Final = frozenset(["items", "values", "keys", "elements", "iter_rows", "most_common"])
_VIEWS: Final = frozenset(
    ["view", "reshape", "ravel", "transpose", "squeeze", "swapaxes", "__iter__"]
)
_FRAMES: Final = frozenset({"frame", "frame slice", "series"})
_COPIED: Final = frozenset({"list", "dict", "set", "deque"})
_TO_SCALAR: Final = frozenset(
    [
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
    ]
)
_SAME_FAMILY: Final = frozenset(
    [
        "copy",
        "query",
        "drop",
        "rename",
        "reset_index",
        "set_index",
        "sort_values",
        "sort_index",
        "fillna",
        "dropna",
        "merge",
        "join",
        "assign",
        "head",
        "tail",
        "sample",
        "round",
        "astype",
        "filter",
        "reindex",
        "drop_duplicates",
        "melt",
        "explode",
        "where",
        "mask",
        "clip",
        "diff",
        "shift",
    ]
)
_MASKS: Final = frozenset(
    [
        "isin",
        "between",
        "isna",
        "isnull",
        "notna",
        "notnull",
        "duplicated",
        "contains",
        "eq",
        "ne",
        "gt",
        "lt",
        "ge",
        "le",
        "is_in",
        "is_between",
        "is_null",
        "is_not_null",
    ]
)
_ANSWERS: Final = frozenset(
    [
        "json",
        "fetchall",
        "fetchone",
        "fetchmany",
        "fetchdf",
        "df",
        "hgetall",
        "lrange",
        "smembers",
        "get_all_records",
        "get_all_values",
        "to_dict",
        "to_list",
        "tolist",
        "to_pandas",
        "to_numpy",
    ]
)
"""What asks a connection for data: the answer is not the connection's."""
_EMPTY: Final = (ast.List, ast.Dict, ast.Set, ast.Constant)


class Methods:
    """The methods of data, as the function that is followed calls them."""

    def __init__(self, environment: Environment, recorder: Recorder, routines: Routines) -> None:
        """Note in *recorder* what the methods change."""
        self._environment, self._recorder, self._routines = environment, recorder, routines

    def call(
        self, receiver: Value, name: str, node: ast.Call, given: Passed, evaluate: Evaluate
    ) -> Value:
        """Follow `receiver.name(...)` on data, or on something unknown."""
        self._write(receiver, name, node, evaluate)
        if name in mutations.DATA_METHODS and isinstance(node.func, ast.Attribute):
            change = app_change(node.func.value, "DS106", evaluate)
            if change is not None:
                self._recorder.record(*change, node.func.value)
        if _is_in_place(node):
            if not writes_columns(receiver):
                self._recorder.mutate(receiver, "DS106", node)
            return Value(kind=NONE)
        if can_change(receiver, name):
            self._change(receiver, name, node)
        self._keep(name, node, given)
        if name == "pipe" and isinstance(given[0].kind, Routine):
            positional = [receiver, *given.positional[1:]]
            return self._routines.call(given[0].kind, positional, given.named, node)
        self._call_passed(receiver, name, node, given)
        return _result(receiver, name, node, given)

    def _write(self, receiver: Value, name: str, node: ast.Call, evaluate: Evaluate) -> None:
        if name in files.PATH_METHODS:
            path = files.path_argument(node, 0)
            if path is not None:
                self._recorder.write(evaluate(path), node)
        elif isinstance(receiver.kind, Made) and files.writes_own_path(name, node):
            self._recorder.write(receiver, node)

    def _change(self, receiver: Value, name: str, node: ast.Call) -> None:
        is_cache = name == "setdefault" and bool(node.args) and not _is_empty(node.args[-1])
        via = name if receiver.kind is None else ""
        self._recorder.mutate(receiver, "DS110" if is_cache else "DS106", node, via)

    def _keep(self, name: str, node: ast.Call, given: Passed) -> None:
        """Note that an own container now contains the last argument."""
        if name in _KEEPING and given.all:
            container = node.func.value if isinstance(node.func, ast.Attribute) else None
            if isinstance(container, ast.Name):
                self._environment.put_into(container.id, given.all[-1])

    def _call_passed(self, receiver: Value, name: str, node: ast.Call, given: Passed) -> None:
        """Follow the functions that are passed: `frame.apply(function)` passes it the rows."""
        if name not in _CALLING:
            self._routines.call_passed(given, node)
            return
        own = receiver.part() if name == "for_each_trace" else UNKNOWN
        for value in given.all:
            if isinstance(value.kind, Routine):
                self._routines.call(value.kind, [own], {}, node)


def _result(receiver: Value, name: str, node: ast.Call, given: Passed) -> Value:
    """Return what a method of data returns."""
    kind = receiver.kind
    family = kind.family if isinstance(kind, Data) else ""
    if name in _MASKS:
        return Value(kind=Data("mask"))
    if family == "figure" or (family == "estimator" and name == "fit"):
        return receiver  # these return the object itself
    if family in _FRAMES:
        return _of_frame(receiver, name)
    if family == "array":
        is_copy = name in {"copy", "astype"}
        return receiver if name in _VIEWS else Value(kind=kind if is_copy else None)
    if name in _PARTS:
        part = receiver.item(_constant(node)) if name == "get" else receiver.part()
        return part.join(given[1]) if given[1].roots else part
    if name in _CONTENTS:
        return Value(inner=receiver.content, kind=Data("iterator"))
    if name == "copy":
        return receiver.copied(kind) if family in _COPIED else Value(kind=kind)
    return Value(kind=_derived(kind, name), text=combined((receiver, *given.all)))


def _of_frame(frame: Value, name: str) -> Value:
    if name in {"pop", "get", "get_group"}:
        return frame.part(Data("series"))
    return Value(kind=Data("frame") if name in _SAME_FAMILY else None)


def _derived(kind: Kind | None, name: str) -> Kind | None:
    """Return what kind of thing a method makes that is known by its name alone."""
    if name in _TO_SCALAR:
        return SCALAR if kind == SCALAR else None
    return (
        Made(f"{kind.name}.{name}()") if isinstance(kind, Made) and name not in _ANSWERS else None
    )


def _constant(node: ast.Call) -> object:
    """Return the first argument, if it is written out."""
    return node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None


def _is_in_place(node: ast.Call) -> bool:
    """Return whether a call says `inplace=True`."""
    return any(
        keyword.arg in {"inplace", "in_place"}
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in node.keywords
    )


def _is_empty(node: ast.expr) -> bool:
    """Return whether a default is a start to be filled: `groups.setdefault(key, []).append(x)`."""
    if isinstance(node, ast.Call):
        return not node.args and not node.keywords
    return isinstance(node, _EMPTY) and not ast.dump(node).count("Name(")
