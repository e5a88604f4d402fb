"""Finds in a module's source what its names are bound to, and which of them its code changes."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from dash_stash.implementation import syntax

Namespace = dict[str, Any]

_CHANGING: Final = frozenset(
    [
        *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"),
        *("update", "setdefault", "popitem", "add", "discard", "difference_update"),
        *("intersection_update", "symmetric_difference_update", "subtract", "appendleft"),
        *("extendleft", "popleft", "rotate", "move_to_end", "__setitem__", "__delitem__"),
        *("__setattr__",),
    ]
)
"""Methods that change their object."""

_CHANGING_FIRST: Final = frozenset(
    [
        *("heappush", "heappop", "heapify", "heappushpop", "heapreplace", "insort"),
        *("insort_left", "insort_right", "shuffle"),
    ]
)
"""Functions of the standard library that change their first argument."""


@dataclass(slots=True)
class ModuleNames:
    """The names of a module, as its source uses them."""

    bindings: dict[str, dict[str, list[ast.AST | None]]] = field(default_factory=dict)
    """What each name is bound to, by scope: "" is the module, else the path of a class body.

    None stands for what is not written as a value.
    """

    rebound: set[str] = field(default_factory=set)
    """Names of the module that functions assign to."""

    changed: set[str] = field(default_factory=set)
    """Names of the module whose values are changed in place."""

    changed_attributes: set[tuple[str, str]] = field(default_factory=set)
    """Attributes that are assigned or changed in place: of `config.data`, "config" and "data"."""

    changed_inside: dict[str, set[str]] = field(default_factory=dict)
    """Names that functions change in place, by the path of the function: their own and others'."""

    changing_themselves: set[str] = field(default_factory=set)
    """Classes whose methods, besides `__init__` and `__post_init__`, assign to `self`."""

    changed_by_alias: set[str] = field(default_factory=set)
    """What functions change under another name, or in a loop over it: `config.data`."""

    imported_inside: dict[str, ast.ImportFrom] = field(default_factory=dict)
    """Names that functions import; `import a.b as c` as `from a import b as c`."""

    stars: list[ast.ImportFrom] = field(default_factory=list)

    def is_changed(self, function: str, name: str) -> bool:
        """Return whether a variable in or around a function is changed in place.

        *function* is the qualified name of the function.
        """
        inside = f"{function}.<locals>"
        return any(
            name in names and inside.startswith(path) for path, names in self.changed_inside.items()
        )


@dataclass(slots=True)
class _Block:
    """A module, class body or function that is being read."""

    path: str
    is_function: bool = False
    own: set[str] = field(default_factory=set)
    """Names that are bound here, in a function."""

    outside: set[str] = field(default_factory=set)
    """Names that are declared global or nonlocal."""

    changed: set[str] = field(default_factory=set)
    """Names whose values are changed in place."""

    aliases: list[tuple[str, ast.expr]] = field(default_factory=list)
    """Names that are assigned, each with the object that it then names."""


class _Reader:
    """Reads a module once, from top to bottom."""

    def __init__(self, tree: ast.Module) -> None:
        self.names = ModuleNames()
        self._blocks = [_Block("")]
        self._read_all(tree.body)
        self.names.changed |= self._blocks[0].changed

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
        block = self._blocks[-1]
        if block.is_function:
            block.own.add(name)
        else:
            self.names.bindings.setdefault(block.path, {}).setdefault(name, []).append(value)

    def _change(self, target: ast.AST) -> None:
        """Note that *target* is changed in place."""
        while isinstance(target, ast.Subscript):
            target = target.value
        if isinstance(target, ast.Name):
            self._blocks[-1].changed.add(target.id)
        elif isinstance(target, ast.Attribute):
            self._change_attribute(target)
            if ast.unparse(target.value) == "self":
                # The class's own value, which all instances share, if it has one.
                self.names.changed_by_alias.add(f"{self._class_path()}.{target.attr}")

    def _change_attribute(self, target: ast.Attribute) -> None:
        base = ast.unparse(target.value)
        if base in ("cls", "type(self)", "self.__class__"):
            base = self._class_path()
        self.names.changed_attributes.add((base, target.attr))
        root = _place(target.value).partition(".")[0]
        if root == "self" and not self._blocks[-1].path.endswith(
            ("__init__.<locals>", "__post_init__.<locals>")
        ):
            self.names.changing_themselves.add(self._class_path())
        elif root:
            self._blocks[-1].changed.add(root)

    def _class_path(self) -> str:
        return next((block.path for block in reversed(self._blocks) if not block.is_function), "")

    # What each kind of statement or expression binds or changes

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
            self._blocks[-1].aliases.append((target.id, value))
        elif isinstance(target, ast.Tuple | ast.List):
            for each, part in zip(target.elts, _parts_for(target, value), strict=True):
                self._assign_target(each, part)
        else:
            self._read(target)

    def _assign_inside(self, node: ast.NamedExpr) -> None:
        self._bind(node.target.id, node.value)
        self._read(node.value)

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
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if called in _CHANGING_FIRST and node.args:
            self._change(node.args[0])
        if (
            type(node.func) is ast.Name
            and node.func.id in ("setattr", "delattr")
            and len(node.args) > 1
        ):
            base, name = node.args[:2]
            if isinstance(name, ast.Constant):
                self._change_attribute(ast.Attribute(base, str(name.value)))
        self._read_children(node)

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        places = (
            node.iter.args
            if isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name)
            else [node.iter]
        )
        for name in ast.walk(node.target):
            if isinstance(name, ast.Name):
                self._blocks[-1].aliases += [(name.id, _without_view(place)) for place in places]
        self._read_children(node)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0], None)
            if alias.asname is not None and self._blocks[-1].is_function:
                package, _, name = alias.name.rpartition(".")
                self.names.imported_inside[alias.asname] = ast.ImportFrom(
                    package, [ast.alias(name)], 0
                )

    def _import_from(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.names.stars.append(node)
            else:
                single = ast.ImportFrom(node.module, [alias], node.level)
                self._bind(alias.asname or alias.name, single)
                if self._blocks[-1].is_function:
                    self.names.imported_inside[alias.asname or alias.name] = single
                    self._blocks[-1].aliases.append(
                        (alias.asname or alias.name, ast.Name(alias.asname or alias.name))
                    )

    def _declare(self, node: ast.Global | ast.Nonlocal) -> None:
        self._blocks[-1].outside.update(node.names)

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
        parameters = {
            parameter.arg for parameter in ast.walk(node.args) if isinstance(parameter, ast.arg)
        }
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        self._enter(f"{name}.<locals>", body, is_function=True, own=parameters)

    def _enter(
        self,
        name: str,
        body: list[Any],
        *,
        is_function: bool,
        own: Iterable[str] = (),
    ) -> None:
        around = self._blocks[-1]
        block = _Block(f"{around.path}.{name}".lstrip("."), is_function, set(own))
        self._blocks.append(block)
        self._read_all(body)
        self._blocks.pop()
        self.names.rebound |= block.own & block.outside
        for alias, value in block.aliases if is_function else ():
            if alias in block.changed and (place := _place(value)):
                self.names.changed_by_alias.add(place)
        if is_function and block.changed:
            self.names.changed_inside.setdefault(block.path, set()).update(block.changed)
        around.changed |= block.changed - (block.own - block.outside)

    _READERS: Final[dict[type, Any]] = {
        ast.Assign: _assign,
        ast.AnnAssign: _assign_annotated,
        ast.AugAssign: _assign_augmented,
        ast.NamedExpr: _assign_inside,
        ast.For: _loop,
        ast.AsyncFor: _loop,
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


def _without_view(node: ast.expr) -> ast.expr:
    """Return the `data` in `data.items()` or `data.values()`."""
    is_view = (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("items", "values")
    )
    return node.func.value if is_view else node  # type: ignore[attr-defined]


def _place(node: ast.expr) -> str:
    """Return the variable that an expression reads: `config.data` in `config.data["a"]`.

    "" if it makes a new object.
    """
    while isinstance(node, ast.Subscript):
        node = node.value
    inner = node
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return ast.unparse(node) if isinstance(inner, ast.Name) else ""


def _parts_for(target: ast.Tuple | ast.List, value: ast.expr) -> list[ast.expr]:
    """Return what each of several targets is bound to: a part, or the whole if unknown."""
    written = value.elts if isinstance(value, ast.Tuple | ast.List) else []
    is_one_each = len(written) == len(target.elts) and not any(
        isinstance(each, ast.Starred) for each in (*written, *target.elts)
    )
    return written if is_one_each else [value] * len(target.elts)


_known: weakref.WeakKeyDictionary[syntax.Source, ModuleNames] = weakref.WeakKeyDictionary()


def names_of(namespace: Namespace) -> ModuleNames | None:
    """Return what the source of a module says about its names, None if there is no source."""
    file = namespace.get("__file__")
    source = syntax.source(file, namespace) if isinstance(file, str) else None
    if source is None:
        return None
    found = _known.get(source)
    if found is None:
        found = _known[source] = _Reader(source.tree).names
    return found
