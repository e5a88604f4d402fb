"""Finds what a callback can reach: variables outside its scope, and the functions of the app."""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FunctionType, MethodType, ModuleType
from typing import Any, Final

from dash_stash import bytecode
from dash_stash.guard.introspection import is_app_class, is_proxy_class, own_dict
from dash_stash.guard.variables import (
    CODE,
    SharedVariable,
    class_attributes,
    closure_variables,
    default_variables,
    function_attributes,
    global_variable,
)
from dash_stash.origin import is_app_file, is_app_module

_MOST_FUNCTIONS: Final = 5_000
_DEEPEST: Final = 2
_MOST_ELEMENTS: Final = 100
"""Functions are looked for in this many elements of a container, and of those inside it."""

_WITHOUT_CODE: Final = (bool, int, float, str, bytes, type(None))


@dataclass(frozen=True)
class Reach:
    """The variables that a callback can reach, and the functions by which it does."""

    variables: list[SharedVariable]
    functions: list[FunctionType]


def reach(function: Callable[..., Any]) -> Reach:
    """Return what *function* can reach at this moment.

    Code of libraries is not looked into.
    """
    search = _CodeSearch()
    search.add(function)
    search.finish()
    return Reach(list(search.variables.values()), list(search.functions.values()))


class _CodeSearch:
    """Goes through all the code of the app that a function may run."""

    def __init__(self) -> None:
        self.variables: dict[tuple[int, str], SharedVariable] = {}
        self.functions: dict[int, FunctionType] = {}
        self._attributes: set[str] = set()
        """All names of attributes in the code that was found, and those that it assigns."""
        self._stored_attributes: set[str] = set()
        self._classes: dict[int, type] = {}
        self._modules: dict[int, ModuleType] = {}
        self._seen: dict[int, object] = {}
        self._waiting: list[object] = []

    def add(self, value: object) -> None:
        """Look for code in a value, later."""
        if _may_hold_code(value) and id(value) not in self._seen:
            self._waiting.append(value)

    def finish(self) -> None:
        """Go on until nothing new is found."""
        while self._waiting:
            while self._waiting:
                self._visit(self._waiting.pop())
            # A name that was found later may be a method of a class, or a variable of a module,
            # that was found before.
            for cls in list(self._classes.values()):
                self._visit_methods(cls)
            for module in list(self._modules.values()):
                self._visit_names(module)

    def _visit(self, value: object, depth: int = 0) -> None:
        if not _may_hold_code(value) or id(value) in self._seen:
            return  # found twice before its turn came
        self._seen[id(value)] = value
        if isinstance(value, FunctionType):
            self._visit_function(value)
        elif isinstance(value, type):
            self._visit_class(value)
        elif isinstance(value, ModuleType):
            if is_app_module(value.__name__) or value.__name__ == "os":
                self._modules[id(value)] = value
        else:
            self._visit_object(value, depth)

    def _visit_object(self, value: object, depth: int) -> None:
        for inner in _code_inside(value):
            self._visit(inner, depth)
        if depth < _DEEPEST:
            for inner in _elements(value):
                self._visit(inner, depth + 1)
        if is_app_class(type(value)):
            self._visit(type(value))

    def _visit_function(self, function: FunctionType) -> None:
        wrapped = vars(function).get("__wrapped__")
        if wrapped is not None:
            self.add(wrapped)
        if not is_app_file(function.__code__.co_filename):
            if wrapped is None:
                self._visit_decorated(function)
        elif len(self.functions) < _MOST_FUNCTIONS:
            self.functions[id(function)] = function
            self._visit_code(function)
            self._visit_own_variables(function)

    def _visit_decorated(self, function: FunctionType) -> None:
        """Look into what some decorator of a library has closed over."""
        for _, value in closure_variables(function):
            if issubclass(type(value), FunctionType | MethodType):
                self.add(value)

    def _visit_code(self, function: FunctionType) -> None:
        names, namespace = bytecode.names(function.__code__), function.__globals__
        self._attributes |= names.attributes
        self._stored_attributes |= names.stored_attributes
        for name in sorted(names.loaded | names.stored):
            is_stored = name in names.stored
            self._add_global(namespace, function.__module__, name, is_stored=is_stored)
        for _, name, _ in names.imported:
            self._add_imported(name, namespace)

    def _visit_own_variables(self, function: FunctionType) -> None:
        """Look at what the function closes over, its defaults and its attributes."""
        for variable, value in (*closure_variables(function), *default_variables(function)):
            if not issubclass(type(value), CODE):
                self._add_variable(variable)
            self.add(value)
        self._add_variable(function_attributes(function))

    def _visit_class(self, cls: type) -> None:
        for base in cls.__mro__:
            if base is not object and is_app_class(base):
                self._classes[id(base)] = base
                self._add_variable(class_attributes(base))
                for name, value in list(vars(base).items()):
                    if name.startswith("__"):
                        self.add(value)

    def _visit_methods(self, cls: type) -> None:
        """Look into the methods that the code names."""
        for name, value in list(vars(cls).items()):
            if name in self._attributes:
                self.add(value)

    def _visit_names(self, module: ModuleType) -> None:
        """Add the variables of a module that the code names as its attributes."""
        namespace = vars(module)
        if is_app_module(module.__name__):
            for name in (self._attributes & namespace.keys()) | self._stored_attributes:
                is_stored = name in self._stored_attributes
                self._add_global(namespace, module.__name__, name, is_stored=is_stored)
        elif "environ" in self._attributes:
            self._add_global(namespace, "os", "environ")

    def _add_global(
        self, namespace: dict[str, Any], module: str, name: str, *, is_stored: bool = False
    ) -> None:
        if name not in namespace and not is_stored:
            return
        value = namespace.get(name)
        self.add(value)
        if is_stored or not issubclass(type(value), CODE):
            self._add_variable(global_variable(namespace, module, name))

    def _add_imported(self, name: str, namespace: dict[str, Any]) -> None:
        package = namespace.get("__package__") or ""
        for full_name in (name or package, f"{package}.{name}"):
            module = sys.modules.get(full_name)
            if module is not None:
                self.add(module)
                # `import a.b` makes `a` a name.
                self.add(sys.modules.get(full_name.partition(".")[0]))

    def _add_variable(self, variable: SharedVariable) -> None:
        self.variables.setdefault(variable.key, variable)


def _may_hold_code(value: object) -> bool:
    return not issubclass(type(value), _WITHOUT_CODE) and not is_proxy_class(type(value))


def _code_inside(value: object) -> Iterable[object]:
    """Return what an object runs when it is called or read."""
    if isinstance(value, MethodType):
        return (value.__func__, value.__self__)
    if isinstance(value, functools.partial):
        return (value.func, *value.args, *value.keywords.values())
    if isinstance(value, staticmethod | classmethod):
        return (value.__func__,)
    if isinstance(value, property):
        return (value.fget, value.fset, value.fdel)
    # A memo function, functools.lru_cache, and whatever else wraps a function as functools does.
    # Looked up without running any code: mocks and proxies have whatever attribute they are asked
    # for, or raise.
    wrapped = inspect.getattr_static(value, "__wrapped__", None)
    return (wrapped,) if isinstance(wrapped, FunctionType | MethodType | functools.partial) else ()


def _elements(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return list(itertools.islice(dict.values(value), _MOST_ELEMENTS))
    if isinstance(value, list):
        return list.__getitem__(value, slice(_MOST_ELEMENTS))
    if isinstance(value, tuple):
        return tuple.__getitem__(value, slice(_MOST_ELEMENTS))
    return list(own_dict(value).values()) if is_app_class(type(value)) else ()
