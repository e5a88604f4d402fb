"""Which names of a module, or of a class body, are constants, as its source says.

A constant is bound once, to an expression of literals and other constants, and neither bound
again nor changed in place: its value is a part of what the code says, and no state of the program.
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
import pathlib
import re
import sys
import uuid
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType, MappingProxyType, ModuleType
from typing import Any, Final, TypeGuard

from dash_stash import syntax
from dash_stash.origin import is_app_module

Namespace = dict[str, Any]

ABSENT: Final = object()

_PLAIN: Final = (
    *(bool, int, float, complex, str, bytes, type(None), type(...), range, slice, re.Pattern),
    *(datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction),
    *(uuid.UUID, pathlib.PurePath, enum.Enum),
)
_CODE: Final = (FunctionType, BuiltinFunctionType, type, ModuleType)
_PURE: Final = frozenset(
    map(
        id,
        (
            *(dict, list, tuple, set, frozenset, range, slice, int, float, complex, str, bytes, bool),
            *(sorted, len, sum, min, max, abs, round, zip, enumerate, reversed, divmod, pow, ord, chr),
            *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone),
            *(decimal.Decimal, fractions.Fraction, uuid.UUID, OrderedDict, MappingProxyType, re.compile),
            *(pathlib.PurePath, pathlib.PurePosixPath, pathlib.Path, functools.partial),
        ),
    )
)
_CHANGING: Final = frozenset(
    [
        *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "setdefault", "popitem"),
        *("add", "discard", "difference_update", "intersection_update", "symmetric_difference_update", "subtract"),
        *("appendleft", "extendleft", "popleft", "rotate", "move_to_end", "__setitem__", "__delitem__", "__setattr__"),
    ]
)


def is_plain(value: object) -> bool:
    """Tell whether nothing of a value can change: a number, text, a date, or a tuple of such."""
    if type(value) in (tuple, frozenset):
        return all(map(is_plain, value))  # type: ignore[call-overload]
    return isinstance(value, _PLAIN)


@dataclass(slots=True)
class Facts:
    """What a module's source says of its names."""

    bindings: dict[str, dict[str, list[ast.AST | None]]] = field(default_factory=dict)
    """What the names of the module, "", and of each class body are bound to; None for what is no value."""

    rebound: set[str] = field(default_factory=set)
    """Names of the module that functions assign."""

    changed: set[str] = field(default_factory=set)
    """Names of the module whose values are changed in place."""

    changed_attributes: set[tuple[str, str]] = field(default_factory=set)
    """Attributes that are assigned or changed in place, and what those are attributes of: `config.data`."""

    stars: list[ast.ImportFrom] = field(default_factory=list)


@dataclass(slots=True)
class _Frame:
    """A module, class body or function that is being read."""

    path: str
    is_function: bool = False
    own: set[str] = field(default_factory=set)
    """Names that are bound here."""

    outside: set[str] = field(default_factory=set)
    """Names that are declared global or nonlocal."""

    changed: set[str] = field(default_factory=set)


class _Reader:
    """Reads a module once, from top to bottom."""

    def __init__(self, tree: ast.Module) -> None:
        self.facts = Facts()
        self._frames = [_Frame("")]
        self._read_all(tree.body)
        self.facts.changed |= self._frames[0].changed

    def _read(self, node: ast.AST) -> None:
        kind = type(node)
        if kind is ast.Constant:
            return
        if kind is ast.Name:
            if type(node.ctx) is not ast.Load:  # type: ignore[attr-defined]
                self._bind(node.id, None)  # type: ignore[attr-defined]
            return
        read = self._READERS.get(kind)
        if read is None:
            self._read_children(node)
        else:
            read(self, node)

    def _read_children(self, node: ast.AST) -> None:
        for name in node._fields:
            value = getattr(node, name, None)
            if type(value) is list:
                self._read_all(value)
            elif isinstance(value, ast.AST):
                self._read(value)

    def _read_all(self, nodes: list[Any]) -> None:
        for node in nodes:
            if isinstance(node, ast.AST):
                self._read(node)

    def _bind(self, name: str, value: ast.AST | None) -> None:
        frame = self._frames[-1]
        if frame.is_function:
            frame.own.add(name)
        else:
            self.facts.bindings.setdefault(frame.path, {}).setdefault(name, []).append(value)

    def _change(self, target: ast.AST) -> None:
        """What *target* says is changed in place."""
        while isinstance(target, ast.Subscript):
            target = target.value
        if isinstance(target, ast.Name):
            self._frames[-1].changed.add(target.id)
        elif isinstance(target, ast.Attribute):
            self._change_attribute(target)

    def _change_attribute(self, target: ast.Attribute) -> None:
        base = ast.unparse(target.value)
        if base in ("cls", "type(self)", "self.__class__"):
            base = next((frame.path for frame in reversed(self._frames) if not frame.is_function), "")
        self.facts.changed_attributes.add((base, target.attr))

    # Statements and expressions that matter

    def _assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._assign_target(target, node.value)
        self._read(node.value)

    def _assign_annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assign_target(node.target, node.value)
            self._read(node.value)

    def _assign_target(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, value)
        else:
            self._read(target)

    def _attribute(self, node: ast.Attribute) -> None:
        if type(node.ctx) is not ast.Load:
            self._change_attribute(node)
        self._read(node.value)

    def _subscript(self, node: ast.Subscript) -> None:
        if type(node.ctx) is not ast.Load:
            self._change(node.value)
        self._read_children(node)

    def _assign_augmented(self, node: ast.AugAssign) -> None:
        self._change(node.target)
        self._read_children(node)

    def _call(self, node: ast.Call) -> None:
        if type(node.func) is ast.Attribute and node.func.attr in _CHANGING:
            self._change(node.func.value)
        self._read_children(node)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0], None)

    def _import_from(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.facts.stars.append(node)
            else:
                self._bind(alias.asname or alias.name, ast.ImportFrom(node.module, [alias], node.level))

    def _declare(self, node: ast.Global | ast.Nonlocal) -> None:
        self._frames[-1].outside.update(node.names)

    def _caught(self, node: ast.ExceptHandler) -> None:
        if node.name is not None:
            self._bind(node.name, None)
        self._read_children(node)

    def _matched(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name is not None:
            self._bind(node.name, None)
        self._read_children(node)

    def _class(self, node: ast.ClassDef) -> None:
        self._bind(node.name, node)
        self._read_all([*node.decorator_list, *node.bases, *node.keywords])
        self._enter(node.name, node.body, is_function=False)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        name = getattr(node, "name", "<lambda>")
        if not isinstance(node, ast.Lambda):
            self._bind(name, node)
            self._read_all(node.decorator_list)
        self._read_all([*node.args.defaults, *node.args.kw_defaults])
        parameters = {parameter.arg for parameter in ast.walk(node.args) if isinstance(parameter, ast.arg)}
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        self._enter(f"{name}.<locals>", body, is_function=True, own=parameters)

    def _enter(self, name: str, body: list[Any], *, is_function: bool, own: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        around = self._frames[-1]
        frame = _Frame(f"{around.path}.{name}".lstrip("."), is_function, set(own))
        self._frames.append(frame)
        self._read_all(body)
        self._frames.pop()
        self.facts.rebound |= frame.own & frame.outside
        around.changed |= frame.changed - (frame.own - frame.outside)

    _READERS: Final[dict[type, Any]] = {
        ast.Assign: _assign,
        ast.AnnAssign: _assign_annotated,
        ast.AugAssign: _assign_augmented,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.Call: _call,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.Global: _declare,
        ast.Nonlocal: _declare,
        ast.ExceptHandler: _caught,
        ast.MatchAs: _matched,
        ast.MatchStar: _matched,
        ast.ClassDef: _class,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.Lambda: _function,
    }


_facts: weakref.WeakKeyDictionary[syntax.Source, Facts] = weakref.WeakKeyDictionary()


def facts(namespace: Namespace) -> Facts | None:
    """Return what the source of a module says of its names, None if there is no source."""
    file = namespace.get("__file__")
    source = syntax.source(file, namespace) if isinstance(file, str) else None
    if source is None:
        return None
    found = _facts.get(source)
    if found is None:
        found = _facts[source] = _Reader(source.tree).facts
    return found


RUN_TIME: Final = "which is changed at run time"
TWICE: Final = "which is bound more than once"
COMPUTED: Final = "which is computed"


def why_not(namespace: Namespace, name: str, scope: str = "", within: frozenset[Any] = frozenset()) -> str | None:  # noqa: PLR0911 (to each reason its return)
    """Return why a name of a module, or of the class *scope* in it, is no constant; None if it is one."""
    known = facts(namespace)
    if known is None:
        value = namespace.get(name, ABSENT)
        return None if scope == "" and is_plain(value) else RUN_TIME
    if not scope and (name in known.rebound or name in known.changed):
        return RUN_TIME
    bound = known.bindings.get(scope, {}).get(name)
    if bound is None:
        return _why_not_starred(namespace, known, name, within) if not scope else COMPUTED
    if len(bound) > 1:
        return TWICE
    place = (id(namespace), scope, name)
    if place in within or bound[0] is None:
        return COMPUTED
    if isinstance(bound[0], ast.ImportFrom):
        return _why_not_imported(namespace, bound[0], within | {place})
    is_constant = _Judge(namespace, scope, within | {place}).holds(bound[0])
    return None if is_constant and not _is_empty(bound[0]) else COMPUTED if not is_constant else RUN_TIME


def _is_empty(node: ast.AST) -> bool:
    """A list or dict that begins empty is there to be filled."""
    if isinstance(node, ast.Call):
        names = ("dict", "list", "set", "OrderedDict", "defaultdict", "deque")
        return isinstance(node.func, ast.Name) and node.func.id in names and not node.args and not node.keywords
    return (isinstance(node, ast.List) and not node.elts) or (isinstance(node, ast.Dict) and not node.values)


def _why_not_imported(namespace: Namespace, node: ast.ImportFrom, within: frozenset[Any]) -> str | None:
    origin = imported(namespace, node)
    if origin is None:
        return COMPUTED
    if not is_own(namespace, origin.__name__):
        return None if is_plain(vars(origin).get(node.names[0].name, ABSENT)) else COMPUTED
    return why_not(vars(origin), node.names[0].name, within=within)


def is_own(namespace: Namespace, name: str) -> bool:
    """Tell whether a module is the app's, as the module of *namespace* is."""
    return is_app_module(name, str(namespace.get("__name__")).partition(".")[0])


def _why_not_starred(namespace: Namespace, known: Facts, name: str, within: frozenset[Any]) -> str | None:
    for node in reversed(known.stars):
        origin = imported(namespace, node)
        if origin is not None and name in vars(origin):
            return why_not(vars(origin), name, within=within)
    return RUN_TIME


def is_import(node: object) -> TypeGuard[ast.ImportFrom]:
    """Tell whether a name is bound by `from ... import`."""
    return isinstance(node, ast.ImportFrom)


def imported(namespace: Namespace, node: ast.ImportFrom) -> ModuleType | None:
    """Return the module that a `from ... import` names, if it is loaded."""
    name = node.module or ""
    if node.level:
        package = (namespace.get("__package__") or "").rsplit(".", node.level - 1)[0]
        name = f"{package}.{name}".strip(".")
    return sys.modules.get(name)


class _Judge:
    """Tells whether an expression consists of literals and constants."""

    def __init__(self, namespace: Namespace, scope: str, within: frozenset[Any]) -> None:
        self._namespace, self._scope, self._within = namespace, scope, within
        self._own: set[str] = set()

    def holds(self, node: ast.AST) -> bool:  # noqa: PLR0911 (a kind of node each)
        """Tell it for a node, and all that it consists of."""
        if isinstance(node, ast.Constant | ast.Lambda | ast.expr_context | ast.operator | ast.unaryop | ast.boolop | ast.cmpop):
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
        known = facts(self._namespace)
        if isinstance(value, _CODE):
            return known is None or name not in known.rebound
        return why_not(self._namespace, name, within=self._within) is None

    def _bindings(self) -> dict[str, Any] | None:
        known = facts(self._namespace)
        return None if known is None else known.bindings.get(self._scope)

    def _is_constant_attribute(self, node: ast.Attribute) -> bool:
        base = self.resolve(node.value)
        if isinstance(base, ModuleType):
            value = vars(base).get(node.attr, ABSENT)
            if isinstance(value, _CODE) or not is_own(self._namespace, base.__name__):
                return isinstance(value, (float, *_CODE)) or base.__name__ == "string"  # such as math.pi and numpy.nan
            return why_not(vars(base), node.attr, within=self._within) is None
        if isinstance(base, enum.EnumType):
            return node.attr in base.__members__
        if isinstance(base, type):
            value = base.__dict__.get(node.attr, ABSENT)
            owner = getattr(sys.modules.get(base.__module__), "__dict__", {})
            return isinstance(value, _CODE) or why_not(owner, node.attr, base.__qualname__, self._within) is None
        return self.holds(node.value)

    def _is_pure(self, function: ast.expr) -> bool:
        """Tell whether a call gives the same for the same arguments."""
        found = self.resolve(function)
        if found is not ABSENT:
            return id(found) in _PURE or isinstance(found, enum.EnumType) or _is_record(found)
        # A method of a constant, such as "a b".split().
        return isinstance(function, ast.Attribute) and self.resolve(function.value) is ABSENT and self.holds(function.value)

    def resolve(self, node: ast.expr) -> Any:
        """Return the function, class or module that an expression names, ABSENT if it names another value."""
        if isinstance(node, ast.Name):
            value = self._namespace.get(node.id, getattr(builtins, node.id, ABSENT))
        elif isinstance(node, ast.Attribute):
            base = self.resolve(node.value)
            value = vars(base).get(node.attr, ABSENT) if isinstance(base, ModuleType | type) else ABSENT
        else:
            return ABSENT
        return value if isinstance(value, _CODE) else ABSENT


_PARTS: Final = (
    *(ast.Tuple, ast.List, ast.Set, ast.Dict, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp),
    *(ast.Subscript, ast.Slice, ast.JoinedStr, ast.FormattedValue, ast.Starred, ast.keyword),
)


def _results(node: ast.AST) -> list[ast.expr]:
    return [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]  # type: ignore[attr-defined]


def _is_record(kind: object) -> bool:
    """Tell whether a class only keeps what it is given: a named tuple, or a dataclass without code of its own."""
    if not isinstance(kind, type):
        return False
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return True
    fields = getattr(kind, "__dataclass_fields__", None)
    return (
        fields is not None
        and not hasattr(kind, "__post_init__")
        and all(each.default_factory is dataclasses.MISSING or id(each.default_factory) in _PURE for each in fields.values())
    )


def changes_elsewhere(namespace: Namespace) -> Iterator[tuple[int, str]]:
    """Yield the attributes of modules and classes that the code of a module assigns or changes in place.

    They are given by the id of the module's namespace, or of the class, and the attribute's name.
    """
    known = facts(namespace)
    for base, attribute in () if known is None else known.changed_attributes:
        owner = _find(namespace, base)
        if isinstance(owner, ModuleType):
            yield id(vars(owner)), attribute
        elif isinstance(owner, type):
            yield id(owner), attribute


def _find(namespace: Namespace, path: str) -> object:
    first, *rest = path.split(".")
    # A module that is imported within a function is none of the module's names.
    found = namespace.get(first, sys.modules.get(first))
    for name in rest:
        found = vars(found).get(name) if isinstance(found, ModuleType | type) else None
    return found
