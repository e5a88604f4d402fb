"""The names of one function, or of a module's top level, and what they are bound to."""

from __future__ import annotations

import ast
import builtins
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from dash_stash.lint.source.definitions import Class, Function, Module
from dash_stash.lint.values.sharing import is_exempt, is_lasting
from dash_stash.lint.values.value import (
    EACH,
    NONE,
    SCALAR,
    UNKNOWN,
    Foreign,
    Namespace,
    Root,
    Routine,
    Sort,
    Type,
    Value,
    union,
)

Variables = dict[str, Value]


def joined(states: Sequence[Variables]) -> Variables:
    """Return what is known where several ways meet."""
    first, *rest = states
    result = dict(first)
    for state in rest:
        for name, value in state.items():
            result[name] = result[name].join(value) if name in result else value
    return result


class Scopes(Protocol):
    """The variables of the modules, and of the functions around one."""

    def variables(self, module: Module) -> Variables:
        """Return the module's variables, as they are once it is imported."""
        ...

    def captured(self, function: Function, name: str) -> Value:
        """Return what a function's variable is for the functions written in it."""
        ...


class Environment:
    """The names of a function, or of a module's top level.

    It follows Python's scopes: a name is looked up and bound where Python would.
    """

    def __init__(self, scopes: Scopes, module: Module, function: Function | None = None) -> None:
        """Start without variables."""
        self.module, self.function = module, function
        self.cls: Class | None = None
        """The class whose body is followed."""
        self.variables: Variables = {}
        """The variables of its own."""
        self._scopes = scopes
        self._captured_by_inner: Variables = {}
        self._rebound: Variables = {}
        self._hiding: set[str] = set()

    def start(self, parameters: Mapping[str, Value], seen: Variables) -> None:
        """Bind the parameters, and from now on note in *seen* all that a variable is bound to.

        It is what the functions inside this one may find.
        """
        self.variables = dict(parameters)
        seen.update(parameters)
        self._captured_by_inner = seen

    def own(self, name: str) -> Value:
        """Return what its own variable of this name is."""
        return self.variables.get(name, UNKNOWN)

    # Looking up

    def lookup(self, name: str) -> Value:
        """Return what a name is here."""
        function = self.function
        if name in self._hiding:
            return self.variables[name]
        if function is None:
            return self._global(name)
        names = function.names
        if name in self.variables and name not in names.globals and name not in names.nonlocals:
            return self.variables[name]
        if name in self._rebound:
            known = self._global(name)
            kind = known.kind or self._rebound[name].kind
            return Value(known.roots, known.inner, kind, known.text)
        if name in names.local:
            return UNKNOWN
        scope = None if name in names.globals else function.outer
        while scope is not None:
            if name in scope.names.local:
                return self._captured(scope, name)
            if name in scope.names.globals:
                break
            scope = scope.outer
        return self._global(name)

    def _captured(self, scope: Function, name: str) -> Value:
        value = self._scopes.captured(scope, name)
        if is_exempt(value) or isinstance(value.kind, Routine | Type | Namespace | Foreign):
            return value
        kind = None if value.kind == NONE else value.kind
        return Value(frozenset({Root(Sort.CAPTURED, name, scope)}), frozenset(), kind)

    def _global(self, name: str) -> Value:
        is_top = self.function is None
        variables = self.variables if is_top else self._scopes.variables(self.module)
        if name in variables:
            return shared_variable(self.module, name, variables[name])
        if self.function and name in self.function.names.globals:
            # It may be bound nowhere else.
            return Value(frozenset({Root(Sort.GLOBAL, name, self.module)}))
        return Value(kind=Foreign(f"builtins.{name}")) if hasattr(builtins, name) else UNKNOWN

    # Binding

    def bind(self, name: str, value: Value) -> Root | None:
        """Bind a name, in the scope that it belongs to.

        Return the variable of another scope that this replaces; None if it is an own one, or
        something that is made to be shared.
        """
        names = self.function.names if self.function else None
        if names and name in names.globals:
            self._rebound[name] = value
            is_free = is_lasting(value) or is_exempt(self._global(name))
            return None if is_free else Root(Sort.GLOBAL, name, self.module)
        if names and name in names.nonlocals:
            owner = self.function.outer if self.function else None
            while owner is not None and name not in owner.names.local:
                owner = owner.outer
            return None if is_lasting(value) else Root(Sort.CAPTURED, name, owner)
        self.variables[name] = value
        if self.cls is None:
            known = self._captured_by_inner.get(name)
            self._captured_by_inner[name] = known.join(value) if known else value
        return None

    def belongs_elsewhere(self, name: str) -> bool:
        """Return whether the function declares a name `global` or `nonlocal`."""
        names = self.function.names if self.function else None
        return names is not None and (name in names.globals or name in names.nonlocals)

    def put_into(self, name: str, value: Value, key: ast.expr | None = None) -> None:
        """Note that the container in an own variable contains *value*, under this key."""
        known = self.variables.get(name)
        if known is None:
            return
        items = dict(known.items)
        if isinstance(key, ast.Constant):
            items[key.value] = value
        elif not known.roots and (items or not known.inner):
            items = {EACH: union((*items.values(), value))}
        else:
            items = {}
        if value.held or items != dict(known.items):
            inner = known.inner | value.held
            self.variables[name] = Value(
                known.roots, inner, known.kind, known.text, tuple(items.items())
            )

    # Scopes inside

    @contextlib.contextmanager
    def class_body(self, cls: Class) -> Iterator[None]:
        """Bind names in the body of a class, until this is left."""
        outer, outer_class = self.variables, self.cls
        self.variables, self.cls = dict(outer), cls
        yield
        self.variables, self.cls = outer, outer_class

    @contextlib.contextmanager
    def comprehension(self) -> Iterator[None]:
        """Bind names in a comprehension, until this is left."""
        outer, hiding = self.variables, self._hiding
        self.variables, self._hiding = dict(outer), set(hiding)
        yield
        self.variables, self._hiding = outer, hiding

    def hide(self, name: str, value: Value) -> None:
        """Bind a comprehension's own name, which hides that of every other scope."""
        self.variables[name] = value
        self._hiding.add(name)


def shared_variable(module: Module, name: str, value: Value) -> Value:
    """Return what a module's variable is for those who use it."""
    kind = value.kind
    if isinstance(kind, Routine):
        lasting = Routine(kind.function, kind.bound, kind.named, lasting=True)
        return Value(value.roots, value.inner, lasting)
    if isinstance(kind, Type | Namespace | Foreign) or is_exempt(value):
        return value
    # It was imported, or is another name for the same object, if it has roots already.
    others = value.roots if kind != SCALAR else frozenset()
    roots = others or frozenset({Root(Sort.GLOBAL, name, module)})
    items = tuple(
        (key, item.inside(roots))
        for key, item in value.items
        if key is not EACH or item.kind == SCALAR
    )
    return Value(roots, value.inner, None if kind == NONE else kind, value.text, items)
