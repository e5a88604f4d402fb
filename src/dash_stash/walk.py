"""The way through all the code of the app that a function may run, and the constants on it."""

from __future__ import annotations

import builtins
import dataclasses
import functools
import importlib
import importlib.util
import inspect
import itertools
import os
import re
import secrets
import sys
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, EnumType
from types import (
    BuiltinFunctionType,
    FunctionType,
    MappingProxyType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, Final

from dash_stash import bindings, bytecode, constants, keys, syntax
from dash_stash.bindings import Namespace
from dash_stash.constants import ABSENT, RUN_TIME
from dash_stash.origin import belongs, is_app_file, is_app_module

_MOST_ELEMENTS: Final = 10_000
_STATE: Final = b"state"
_SILENT: Final = frozenset({"logging", "dash", "flask", "dash_stash", "typing", "types", "threading", "_thread", "_contextvars"})
"""Objects of these libraries keep nothing that a result depends on."""


@dataclass(slots=True)
class Found:
    """What is known of a function's code in one namespace."""

    digest: bytes = b""
    unseen: list[str] = field(default_factory=list)
    is_settled: bool = True
    """Whether it stays so for as long as `watched` does."""

    watched: list[tuple[Namespace, str, object]] = field(default_factory=list)
    """What was found in namespaces that people type into."""

    def holds(self) -> bool:
        """Tell whether it need not be found out again."""
        return self.is_settled and all(space.get(name, ABSENT) is value for space, name, value in self.watched)


_tokens: weakref.WeakKeyDictionary[FunctionType, bytes] = weakref.WeakKeyDictionary()


def module_of(namespace: Namespace) -> ModuleType | None:
    """The module of a namespace; None for one that was made for `exec`."""
    module = sys.modules.get(str(namespace.get("__name__")))
    return module if module is not None and vars(module) is namespace else None


def around(function: FunctionType) -> Iterator[object]:
    """What a function closes over, and its defaults."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not assigned yet
            yield None
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


def parts_of(value: object) -> list[Any]:  # noqa: PLR0911 (a kind of value each)
    """What is run when a value is called or read, in an order that every process agrees upon."""
    if isinstance(value, MethodType):
        return [value.__func__, *([] if isinstance(value.__self__, type) else parts_of(value.__self__)), type(value.__self__)]
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, staticmethod | classmethod):
        return [value.__func__]
    if isinstance(value, property):
        return [value.fget, value.fset, value.fdel]
    if isinstance(value, functools.cached_property | functools.partialmethod):
        return [value.func]
    # Looked up without running any code: mocks and proxies have whatever they are asked for.
    wrapped = inspect.getattr_static(value, "__wrapped__", None)
    if callable(wrapped):
        return [wrapped, type(value), *_own_functions(value)]
    if is_app_module(type(value).__module__) and not isinstance(value, type | FunctionType):
        return [type(value), *(_own_functions(value) if callable(value) else ())]
    return []


def _own_functions(value: object) -> list[object]:
    own = getattr(value, "__dict__", {}) if is_app_module(type(value).__module__) else {}
    return [each for _, each in sorted(own.items()) if isinstance(each, FunctionType | MethodType | type)]


def label(value: object) -> bytes:
    """Return what a library's function, class or module is called; a memo function has an id."""
    own = inspect.getattr_static(value, "id", None)
    if isinstance(own, bytes):
        return own
    if isinstance(value, FunctionType):
        return f"{value.__globals__.get('__name__')}.{value.__code__.co_qualname}".encode()
    if isinstance(value, ModuleType):
        return value.__name__.encode()
    if isinstance(value, type | BuiltinFunctionType | MethodDescriptorType):
        return f"{getattr(value, '__module__', '')}.{value.__qualname__}".encode()
    # Wrappers call themselves as what they wrap, and a script's module is called otherwise than the same imported.
    return type(value).__qualname__.encode()


class Walk:
    """Goes through all the code of the app that something may run, each function and class once.

    They are numbered as they are come by, and known by their numbers to those that call them, so
    that functions may call each other.
    """

    def __init__(self, package: str, excluded: set[tuple[int, str]], root: object) -> None:
        self.found = Found()
        self.excluded, self.taken = excluded, set[tuple[int, str]]()
        self._package, self._root = package, root
        self._nodes, self._numbers = list[object](), dict[int, int]()
        self._spaces = dict[int, Namespace]()
        self._elements = 0
        self._told = dict[str, str]()
        self._attributes = set[str]()
        self._number(root)

    def finish(self) -> None:
        """Go on until nothing new is found."""
        # The list grows meanwhile.
        parts = [self._function(node) if isinstance(node, FunctionType) else self._class(node) for node in self._nodes]
        self.found.digest = keys.digest(*parts)
        self.found.unseen = [text for text, name in self._told.items() if not name or name in self._attributes]

    def _number(self, node: object) -> bytes:
        if id(node) not in self._numbers:
            self._numbers[id(node)] = len(self._nodes)
            self._nodes.append(node)
        return b"#%d" % self._numbers[id(node)]

    def _function(self, function: FunctionType) -> bytes:
        if not self._is_app_function(function):
            inner = [each for each in around(function) if isinstance(each, FunctionType | MethodType)]
            registry = vars(function).get("registry")  # of functools.singledispatch
            if isinstance(registry, MappingProxyType):
                inner += registry.values()
            return keys.digest(label(function), *map(self._value, inner), *self._wrapped(function))
        space, code = function.__globals__, function.__code__
        self._touch(space)
        names = bytecode.names(code)
        self._attributes |= names.attributes
        parts = [syntax.of_code(code, space) or bytecode.digest(code)]
        for name in sorted(names.loaded):
            parts += name.encode(), self._variable(space, name, names.attributes, set())
        for module in itertools.chain.from_iterable(self._imported(space, name) for name in sorted(names.imported)):
            parts.append(self._module(module, names.attributes, set()))
        if function is not self._root:
            parts += map(self._part, around(function))
        return keys.digest(*parts, *self._wrapped(function))

    def _wrapped(self, function: FunctionType) -> Iterable[bytes]:
        wrapped = vars(function).get("__wrapped__")
        return () if wrapped is None else (self._part(wrapped),)

    def _class(self, cls: Any) -> bytes:
        if not self._is_app_class(cls):
            return label(cls)
        parts = [cls.__qualname__.encode(), self._part(type(cls)), *map(self._part, cls.__bases__)]
        if isinstance(cls, EnumType):
            members: dict[str, Any] = dict(cls.__members__)
            parts += [self._constant(each.value) or _STATE for each in members.values()]
        for name, value in sorted(vars(cls).items()):
            if isinstance(value, FunctionType | type) or parts_of(value):
                parts += name.encode(), self._part(value)
            elif not name.startswith(("__", "_abc_")) and not hasattr(type(value), "__get__"):
                parts += name.encode(), self._class_variable(cls, name, value)
        return keys.digest(*parts)

    def _class_variable(self, cls: type, name: str, value: object) -> bytes:
        if isinstance(cls, EnumType):
            return b""
        space = getattr(sys.modules.get(cls.__module__), "__dict__", {})
        self._touch(space)
        reason = constants.why_not(space, name, cls.__qualname__)
        return self._data(space, (id(cls), name), f"{cls.__name__}.{name}", value, reason, name)

    # Names

    def _variable(self, space: Namespace, name: str, attributes: frozenset[str], seen: set[int]) -> bytes:
        value = space.get(name, ABSENT)
        # A name that is not there may be defined further below, in a module that is being imported.
        if "__file__" not in space or (value is ABSENT and not hasattr(builtins, name)):
            self.found.watched.append((space, name, value))
        if value is ABSENT:
            return b"builtin"
        if isinstance(value, ModuleType):
            return self._module(value, attributes, seen)
        self._touch(space)
        facts = bindings.facts(space)
        if facts is not None and name in facts.rebound:
            return self._data(space, (id(space), name), name, value, RUN_TIME)
        if isinstance(value, FunctionType | type) or callable(inspect.getattr_static(value, "__wrapped__", None)):
            return self._value(value)
        if facts is not None and _is_of_library(space, facts, name):
            return b"library"
        return self._data(space, (id(space), name), name, value, self._why_not(space, name))

    def _why_not(self, space: Namespace, name: str) -> str | None:
        # Of a namespace that was made for `exec` nobody knows what it is, and two of them are two.
        return None if self._is_around_root(space) and _is_loose(space) else constants.why_not(space, name)

    def _is_around_root(self, space: Namespace) -> bool:
        return isinstance(self._root, FunctionType) and space is self._root.__globals__

    def _data(self, space: Namespace, place: tuple[int, str], name: str, value: object, reason: str | None, attribute: str = "") -> bytes:
        """A variable that holds no code: its value if it is a constant, else the code that its object runs."""
        if place in self.excluded:
            reason = RUN_TIME
        if reason is None:
            self.taken.add(place)
            digest = self._constant(value)
            if digest is not None:
                self.found.is_settled &= constants.is_plain(value) or not _is_loose(space)
                return digest
            reason = "of which no key is made"
        is_made_up = _is_loose(space) and not self._is_around_root(space)  # by namedtuple and its like
        if type(value).__module__.partition(".")[0] not in _SILENT and not is_made_up:
            self._told[f"{name} ({os.path.basename(str(space.get('__file__', space.get('__name__'))))}), {reason}"] = attribute
        if reason == RUN_TIME:
            return _STATE  # by now it may be an object of another class than elsewhere
        if _is_loose(space) and isinstance(self._root, FunctionType) and self._is_around_root(space):
            return _tokens.setdefault(self._root, secrets.token_bytes(keys.KEY_SIZE))
        return keys.digest(_STATE, *map(self._part, parts_of(value)))

    def _module(self, module: ModuleType, attributes: frozenset[str], seen: set[int]) -> bytes:
        """What is used of a module: the app's variables that the code names, a library's name."""
        if not is_app_module(module.__name__, self._package) or id(module) in seen:
            return label(module)
        seen.add(id(module))
        space = vars(module)
        used = sorted(name for name in attributes & space.keys() if not name.startswith("__"))
        found = [(name.encode(), self._variable(space, name, attributes, seen)) for name in used]
        return keys.digest(*itertools.chain.from_iterable(found))

    def _imported(self, space: Namespace, name: str) -> Iterator[ModuleType]:
        """The modules of the app that an `import` within a function may mean."""
        package = space.get("__package__") or ""
        for full_name in dict.fromkeys((f"{package}.{name}".strip("."), name)):
            module = sys.modules.get(full_name) or self._import(full_name)
            if module is not None and is_app_module(module.__name__, self._package):
                yield module

    def _import(self, name: str) -> ModuleType | None:
        """Import a module of the app as the function will, so that all processes see the same."""
        top = name.partition(".")[0]
        try:
            spec = importlib.util.find_spec(top) if top else None
            if spec is None or not (top == self._package or is_app_file(spec.origin or "")):
                return None
            return importlib.import_module(name)
        except Exception:  # noqa: BLE001 (whatever the module raises, the function itself will meet it)
            return None

    def _touch(self, space: Namespace) -> None:
        """Note what a module's code changes in others."""
        if id(space) not in self._spaces:
            self._spaces[id(space)] = space
            self.excluded.update(constants.changes_elsewhere(space))

    # Values

    def _constant(self, value: object) -> bytes | None:
        """The digest of a constant's value, None if it has none or is too large."""
        self._elements = 0
        try:
            return self._value(value)
        except (keys.NoKey, OverflowError, RecursionError):
            return None

    def _part(self, value: object) -> bytes:
        """The digest of what code keeps: other code, or what cannot change."""
        if constants.is_plain(value) or isinstance(value, FunctionType | type | ModuleType):
            return self._constant(value) or _STATE
        parts = parts_of(value)
        return keys.digest(label(value), *map(self._part, parts)) if parts else _STATE

    def _value(self, value: Any) -> bytes:  # noqa: PLR0911 (a kind of value each)
        if isinstance(value, FunctionType | type):
            return self._number(value)
        if isinstance(value, ModuleType):
            return label(value)
        if type(value) in (list, tuple, set, frozenset, dict):
            return self._container(value)
        if isinstance(value, BuiltinFunctionType | MethodDescriptorType):
            receiver = getattr(value, "__self__", None)
            return keys.digest(label(value), b"" if isinstance(receiver, ModuleType) else self._value(receiver))
        record = self._record(value)
        if record is not None:
            return record
        parts = parts_of(value)
        if isinstance(value, functools.partial):
            return keys.digest(*map(self._value, parts), *map(str.encode, value.keywords))
        if parts and callable(value):
            return keys.digest(label(value), *map(self._part, parts))
        return keys.of_value(value, "a constant")

    def _record(self, value: Any) -> bytes | None:
        """An enum's member, a named tuple, a dataclass, by its class and fields; a pattern; None if it is none of these."""
        if isinstance(value, Enum):
            return keys.digest(self._number(type(value)), str(value.name).encode())
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return keys.digest(self._number(type(value)), *map(self._value, value))
        if dataclasses.is_dataclass(value):
            each = (getattr(value, each.name) for each in dataclasses.fields(value))
            return keys.digest(self._number(type(value)), *map(self._value, each))
        if isinstance(value, re.Pattern):
            return keys.of_value([value.pattern, value.flags], "a constant")
        return None

    def _container(self, value: Any) -> bytes:
        self._elements += len(value)
        if self._elements > _MOST_ELEMENTS:
            raise OverflowError
        kind = type(value).__name__.encode()
        if isinstance(value, dict):
            return keys.digest(kind, *map(self._value, itertools.chain.from_iterable(value.items())))
        if isinstance(value, set | frozenset):
            # By name first: functions are numbered as they are come by.
            return keys.digest(kind, *sorted(map(self._value, sorted(value, key=label))))
        return keys.digest(kind, *map(self._value, value))

    # Whose code

    def _is_app_function(self, function: FunctionType) -> bool:
        file = function.__globals__.get("__file__")
        if not isinstance(file, str):
            return not function.__code__.co_filename.startswith("<frozen ")
        return is_app_file(file) or belongs(str(function.__globals__.get("__name__")), file, self._package)

    def _is_app_class(self, cls: type) -> bool:
        return is_app_module(str(cls.__module__), self._package)


def _is_loose(space: Namespace) -> bool:
    return "__file__" not in space and module_of(space) is None


def _is_of_library(space: Namespace, facts: bindings.Facts, name: str) -> bool:
    bound = facts.bindings.get("", {}).get(name, [])
    origins = [constants.imported(space, node) for node in bound if constants.is_import(node)]
    return bool(origins) and all(each is not None and not constants.is_own(space, each.__name__) for each in origins)
