"""Finds in the source which names of a module, or of a class body, are constants.

A constant is bound once, to an expression of literals and other constants, and never changed in
place: its value belongs to what the code says, and is no state of the program.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import os
import pathlib
import re
import sys
import textwrap
import uuid
from collections import OrderedDict
from types import BuiltinFunctionType, FunctionType, MappingProxyType, ModuleType, SimpleNamespace
from typing import Any, Final, TypeGuard

from dash_stash.implementation.bindings import ModuleNames, Namespace, names_of
from dash_stash.origin import is_app_module

ABSENT: Final = object()

_PLAIN: Final = (
    *(bool, int, float, complex, str, bytes, type(None), type(...), range, slice, re.Pattern),
    *(datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction),
    *(uuid.UUID, pathlib.PurePath, enum.Enum),
)
_CODE: Final = (FunctionType, BuiltinFunctionType, type, ModuleType)
_PURE_FUNCTIONS: Final = (
    *(dict, list, tuple, set, frozenset, range, slice, int, float, complex, str, bytes, bool),
    *(sorted, len, sum, min, max, abs, round, zip, enumerate, reversed, divmod, pow, ord, chr),
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, OrderedDict, MappingProxyType, re.compile),
    *(SimpleNamespace, textwrap.dedent, os.path.join, dataclasses.field, functools.partial),
    *(pathlib.PurePath, pathlib.PurePosixPath, pathlib.Path),
)
_PURE: Final = frozenset(map(id, _PURE_FUNCTIONS))
"""By identity: a class may have a metaclass with an equality of its own."""


def is_plain(value: object) -> bool:
    """Return whether nothing in a value can change: a number, text, a date, or a tuple of these."""
    if type(value) in (tuple, frozenset):
        return all(map(is_plain, value))  # type: ignore[call-overload]
    return isinstance(value, _PLAIN)


RUN_TIME: Final = "which is changed at run time"
TWICE: Final = "which is bound more than once"
COMPUTED: Final = "which is computed"


def why_not(  # noqa: PLR0911 (a reason each)
    namespace: Namespace, name: str, scope: str = "", within: frozenset[Any] = frozenset()
) -> str | None:
    """Return why a name of a module is not a constant, or None if it is a constant.

    *scope* is the class body that the name is in, if it is in one; *within* are the names that are
    being asked for already.
    """
    known = names_of(namespace)
    if known is None:
        value = namespace.get(name, ABSENT)
        return None if scope == "" and is_plain(value) else RUN_TIME
    if not scope and (name in known.rebound or name in known.changed):
        return RUN_TIME
    bound = known.bindings.get(scope, {}).get(name)
    if bound is None:
        return COMPUTED if scope else _why_not_starred(namespace, known, name, within)
    if len(bound) > 1:
        return TWICE
    place = (id(namespace), scope, name)
    if place in within or bound[0] is None:
        return COMPUTED
    if isinstance(bound[0], ast.ImportFrom):
        return _why_not_imported(namespace, bound[0], within | {place})
    if not _Judge(namespace, scope, within | {place}).holds(bound[0]):
        return COMPUTED
    return RUN_TIME if _is_empty(bound[0]) else None


def _is_empty(node: ast.AST) -> bool:
    """Return whether it makes an empty list or dict, which is there to be filled."""
    if isinstance(node, ast.Call):
        names = ("dict", "list", "set", "OrderedDict", "defaultdict", "deque")
        return (
            isinstance(node.func, ast.Name)
            and node.func.id in names
            and not node.args
            and not node.keywords
        )
    return (isinstance(node, ast.List) and not node.elts) or (
        isinstance(node, ast.Dict) and not node.values
    )


def _why_not_imported(
    namespace: Namespace, node: ast.ImportFrom, within: frozenset[Any]
) -> str | None:
    origin = imported(namespace, node)
    if origin is None:
        return COMPUTED
    if not is_own(namespace, origin.__name__):
        return None if is_plain(vars(origin).get(node.names[0].name, ABSENT)) else COMPUTED
    return why_not(vars(origin), node.names[0].name, within=within)


def is_own(namespace: Namespace, name: str) -> bool:
    """Return whether a module is the app's, as the module of *namespace* is."""
    return is_app_module(name, str(namespace.get("__name__")).partition(".")[0])


def _why_not_starred(
    namespace: Namespace, known: ModuleNames, name: str, within: frozenset[Any]
) -> str | None:
    for node in reversed(known.stars):
        origin = imported(namespace, node)
        if origin is not None and name in vars(origin):
            return why_not(vars(origin), name, within=within)
    return RUN_TIME


def is_import(node: object) -> TypeGuard[ast.ImportFrom]:
    """Return whether a name is bound by `from ... import`."""
    return isinstance(node, ast.ImportFrom)


def imported(namespace: Namespace, node: ast.ImportFrom) -> ModuleType | None:
    """Return the module that a `from ... import` names, if it is loaded."""
    name = node.module or ""
    if node.level:
        package = (namespace.get("__package__") or "").rsplit(".", node.level - 1)[0]
        name = f"{package}.{name}".strip(".")
    return sys.modules.get(name)


class _Judge:
    """Tells whether an expression of a module or class body consists of literals and constants."""

    def __init__(self, namespace: Namespace, scope: str, within: frozenset[Any]) -> None:
        self._namespace, self._scope, self._within = namespace, scope, within
        self._own: set[str] = set()

    def holds(self, node: ast.AST) -> bool:  # noqa: PLR0911 (a kind of node each)
        """Tell it of a node and of everything in it."""
        if isinstance(node, _LITERALS):
            return True
        if isinstance(node, ast.Name):
            return node.id in self._own or self._is_constant(node.id)
        if isinstance(node, ast.Attribute):
            return self._is_constant_attribute(node)
        if isinstance(node, ast.Call):
            return self._is_pure(node.func) and all(map(self.holds, [*node.args, *node.keywords]))
        if isinstance(node, ast.comprehension):
            self._own |= {each.id for each in ast.walk(node.target) if isinstance(each, ast.Name)}
            return all(map(self.holds, [node.iter, *node.ifs]))
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            return all(map(self.holds, node.generators)) and all(map(self.holds, _results(node)))
        if isinstance(node, _PARTS):
            return all(map(self.holds, ast.iter_child_nodes(node)))
        return False

    def _is_constant(self, name: str) -> bool:
        if self._scope and name in (self._bindings() or {}):
            return why_not(self._namespace, name, self._scope, self._within) is None
        value = self._namespace.get(name, ABSENT)
        if value is ABSENT:
            return isinstance(getattr(builtins, name, ABSENT), type)
        known = names_of(self._namespace)
        if isinstance(value, _CODE):
            return known is None or name not in known.rebound
        return why_not(self._namespace, name, within=self._within) is None

    def _bindings(self) -> dict[str, Any] | None:
        known = names_of(self._namespace)
        return None if known is None else known.bindings.get(self._scope)

    def _is_constant_attribute(self, node: ast.Attribute) -> bool:
        base = self.resolve(node.value)
        if isinstance(base, ModuleType):
            value = vars(base).get(node.attr, ABSENT)
            if isinstance(value, _CODE) or not is_own(self._namespace, base.__name__):
                # As math.pi, numpy.nan, re.ASCII, string.digits.
                return isinstance(value, (float, enum.Enum, *_CODE)) or base.__name__ == "string"
            return why_not(vars(base), node.attr, within=self._within) is None
        if isinstance(base, enum.EnumType):
            return node.attr in base.__members__
        if isinstance(base, type):
            value = base.__dict__.get(node.attr, ABSENT)
            owner = getattr(sys.modules.get(base.__module__), "__dict__", {})
            return (
                isinstance(value, _CODE)
                or why_not(owner, node.attr, base.__qualname__, self._within) is None
            )
        return self.holds(node.value)

    def _is_pure(self, function: ast.expr) -> bool:
        """Return whether a function returns the same for the same arguments."""
        found = self.resolve(function)
        if found is not ABSENT:
            return id(found) in _PURE or isinstance(found, enum.EnumType) or _is_record(found)
        # A method of a constant, such as "a b".split().
        return (
            isinstance(function, ast.Attribute)
            and self.resolve(function.value) is ABSENT
            and self.holds(function.value)
        )

    def resolve(self, node: ast.expr) -> Any:
        """Return the function, class or module that an expression names, else ABSENT."""
        if isinstance(node, ast.Name):
            value = self._namespace.get(node.id, getattr(builtins, node.id, ABSENT))
        elif isinstance(node, ast.Attribute):
            base = self.resolve(node.value)
            value = (
                vars(base).get(node.attr, ABSENT) if isinstance(base, ModuleType | type) else ABSENT
            )
        else:
            return ABSENT
        return value if isinstance(value, _CODE) else ABSENT


_LITERALS: Final = (
    *(ast.Constant, ast.Lambda, ast.expr_context),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_PARTS: Final = (
    *(ast.Tuple, ast.List, ast.Set, ast.Dict, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare),
    *(ast.IfExp, ast.Subscript, ast.Slice, ast.JoinedStr, ast.FormattedValue, ast.Starred),
    ast.keyword,
)
"""Constant if everything in them is."""


def _results(node: ast.AST) -> list[ast.expr]:
    return [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]  # type: ignore[attr-defined]


def _is_record(kind: object) -> bool:
    """Return whether a class only keeps what it is given.

    Named tuples do, and dataclasses whose instances are made without code of the app.
    """
    if not isinstance(kind, type):
        return False
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return True
    fields = getattr(kind, "__dataclass_fields__", None)
    return (
        fields is not None
        and not hasattr(kind, "__post_init__")
        and all(
            each.default_factory is dataclasses.MISSING or id(each.default_factory) in _PURE
            for each in fields.values()
        )
    )
