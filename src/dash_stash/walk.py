"""The way through all the code of the app that a function may run, and the constants on it."""

from __future__ import annotations

import builtins
import dataclasses
import functools
import importlib
import importlib.util
import inspect
import itertools
import linecache
import os
import re
import secrets
import sys
import weakref
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, EnumType
from types import (
    BuiltinFunctionType,
    FunctionType,
    MappingProxyType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any, Final

from dash_stash import bindings, bytecode, constants, keys, modules, syntax
from dash_stash.bindings import Namespace
from dash_stash.constants import ABSENT, RUN_TIME
from dash_stash.origin import app_modules, belongs, is_app_file, is_app_module

_MOST_ELEMENTS: Final = 10_000
_STATE: Final = b"state"
_SILENT: Final = frozenset(
    {
        "logging",
        "dash",
        "flask",
        "dash_stash",
        "typing",
        "types",
        "threading",
        "_thread",
        "_contextvars",
    }
)
"""Objects of these libraries keep nothing that a result depends on."""


_CODE_OF_CLASS: Final = (
    staticmethod,
    classmethod,
    property,
    functools.cached_property,
    functools.partialmethod,
    MethodType,
)
_NOTED: Final = frozenset(
    {
        "__match_args__",
        "__dataclass_fields__",
        "__attrs_attrs__",
        "__pydantic_fields__",
        "__tablename__",
    }
)
"""Where Python and libraries note of a class what its body says of its fields."""


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
        return self.is_settled and all(
            space.get(name, ABSENT) is value for space, name, value in self.watched
        )


_tokens: weakref.WeakKeyDictionary[FunctionType, bytes] = weakref.WeakKeyDictionary()


def module_of(namespace: Namespace) -> ModuleType | None:
    """The module of a namespace; None for one that was made for `exec`."""
    module = sys.modules.get(str(namespace.get("__name__")))
    return module if module is not None and vars(module) is namespace else None


def around(function: FunctionType, ignore: Container[str] = ()) -> Iterator[object]:
    """What a function closes over, but for the variables of these names, and its defaults."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name in ignore:
            continue
        try:
            yield cell.cell_contents
        except ValueError:  # not assigned yet
            yield None
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


def parts_of(value: object) -> list[Any]:  # noqa: PLR0911 (a kind of value each)
    """What is run when a value is called or read, in an order that every process agrees upon."""
    if isinstance(value, MethodType):
        return [
            value.__func__,
            *([] if isinstance(value.__self__, type) else parts_of(value.__self__)),
            type(value.__self__),
        ]
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
    return [
        each
        for _, each in sorted(own.items())
        if isinstance(each, FunctionType | MethodType | type)
    ]


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
    # Wrappers call themselves as what they wrap, and a script's module is called otherwise than the
    # same imported.
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
        self._names = set[str]()
        self._number(root)

    def finish(self) -> None:
        """Go on until nothing new is found."""
        # The list grows meanwhile.
        parts = [
            self._function(node) if isinstance(node, FunctionType) else self._class(node)
            for node in self._nodes
        ]
        self._touch_others()
        self.found.digest = keys.digest(*parts)
        self.found.unseen = [
            text for text, name in self._told.items() if not name or name in self._attributes
        ]

    def _number(self, node: object) -> bytes:
        if id(node) not in self._numbers:
            self._numbers[id(node)] = len(self._nodes)
            self._nodes.append(node)
        return b"#%d" % self._numbers[id(node)]

    def _function(self, function: FunctionType) -> bytes:
        if not self._is_app_function(function):
            inner = [
                each for each in around(function) if isinstance(each, FunctionType | MethodType)
            ]
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
        # All are imported first: with a module of a package there is one name more in the package.
        for module in [
            each for wanted in sorted(names.imported) for each in self._imported(space, *wanted)
        ]:
            parts.append(self._module(module, names.attributes, set()))
        if function is not self._root:
            parts += itertools.starmap(
                functools.partial(self._kept, function), _named_around(function)
            )
        self._tell_attributes(function)
        return keys.digest(*parts, *self._wrapped(function))

    def _kept(self, function: FunctionType, name: str, value: object) -> bytes:
        """A default of a function, or what it closes over.

        With data that the code changes no constant.
        """
        if not _is_data(value):
            return self._part(value)
        space, qualified_name = function.__globals__, function.__code__.co_qualname
        facts = bindings.facts(space)
        is_changed = facts is None or facts.is_changed(qualified_name, name)
        return self._data(
            space,
            (id(function), name),
            f"{name} of {function.__name__}",
            value,
            RUN_TIME if is_changed else None,
        )

    def _tell_attributes(self, function: FunctionType) -> None:
        file = os.path.basename(function.__code__.co_filename)
        for name, value in vars(function).items():
            if name != "__wrapped__" and (constants.is_plain(value) or _is_data(value)):
                self._told[f"{function.__name__}.{name} ({file}), {RUN_TIME}"] = name

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
            if isinstance(value, (FunctionType, type, *_CODE_OF_CLASS)) or callable(
                inspect.getattr_static(value, "__wrapped__", None)
            ):
                parts += name.encode(), self._part(value)
            elif name in _NOTED or (not name.startswith(("__", "_abc_")) and _is_variable(value)):
                parts += name.encode(), self._class_variable(cls, name, value)
        return keys.digest(*parts)

    def _class_variable(self, cls: type, name: str, value: object) -> bytes:
        if isinstance(cls, EnumType):
            return b""
        if name in _NOTED:
            if name == "__pydantic_fields__" and not getattr(cls, "__pydantic_complete__", True):
                # As its first use would do, if it names classes that are defined further below.
                cls.model_rebuild(raise_errors=False)  # type: ignore[attr-defined]
                value = vars(cls)[name]
            return _shown(value)
        space = getattr(sys.modules.get(cls.__module__), "__dict__", {})
        self._touch(space)
        reason = constants.why_not(space, name, cls.__qualname__)
        return self._data(space, (id(cls), name), f"{cls.__name__}.{name}", value, reason, name)

    # Names

    def _variable(
        self, space: Namespace, name: str, attributes: frozenset[str], seen: set[int]
    ) -> bytes:
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
        if isinstance(value, FunctionType | type) or callable(
            inspect.getattr_static(value, "__wrapped__", None)
        ):
            return self._value(value)
        if facts is not None and _is_of_library(space, facts, name):
            return b"library"
        return self._data(space, (id(space), name), name, value, self._why_not(space, name))

    def _why_not(self, space: Namespace, name: str) -> str | None:
        # Of a namespace that was made for `exec` nobody knows what it is, and two of them are two.
        return (
            None
            if self._is_around_root(space) and _is_loose(space)
            else constants.why_not(space, name)
        )

    def _is_around_root(self, space: Namespace) -> bool:
        return isinstance(self._root, FunctionType) and space is self._root.__globals__

    def _data(
        self,
        space: Namespace,
        place: tuple[int, str],
        name: str,
        value: object,
        reason: str | None,
        attribute: str = "",
    ) -> bytes:
        """A variable that holds no code: its value if it is a constant, else the code that its object runs."""
        places = {place, (id(value), "")}
        if places & self.excluded:
            reason = RUN_TIME
        if reason is None:
            self.taken |= places
            self._names.add(attribute or name)
            digest = self._constant(value)
            if digest is not None:
                self.found.is_settled &= constants.is_plain(value) or not _is_loose(space)
                return digest
            reason = "of which no key is made"
        is_made_up = _is_loose(space) and not self._is_around_root(
            space
        )  # by namedtuple and its like
        if type(value).__module__.partition(".")[0] not in _SILENT and not is_made_up:
            self._told[
                f"{name} ({os.path.basename(str(space.get('__file__', space.get('__name__'))))}), {reason}"
            ] = attribute
        if reason == RUN_TIME:
            return _STATE  # by now it may be an object of another class than elsewhere
        if (
            _is_loose(space)
            and isinstance(self._root, FunctionType)
            and self._is_around_root(space)
        ):
            return _tokens.setdefault(self._root, secrets.token_bytes(keys.KEY_SIZE))
        return keys.digest(_STATE, *map(self._part, parts_of(value)))

    def _module(self, module: ModuleType, attributes: frozenset[str], seen: set[int]) -> bytes:
        """What is used of a module: the app's variables that the code names, a library's name."""
        if not is_app_module(module.__name__, self._package) or id(module) in seen:
            return label(module)
        seen.add(id(module))
        space = vars(module)
        # It may define more of what the code names.
        self.found.is_settled &= not getattr(module.__spec__, "_initializing", False)
        used = sorted(name for name in attributes & space.keys() if not name.startswith("__"))
        found = [(name.encode(), self._variable(space, name, attributes, seen)) for name in used]
        return keys.digest(*itertools.chain.from_iterable(found))

    def _imported(
        self, space: Namespace, level: int, name: str, wanted: tuple[str, ...]
    ) -> Iterator[ModuleType]:
        """The modules of the app that an `import` within a function means: also a package's, as in `from . import rates`."""
        try:
            full_name = importlib.util.resolve_name(
                "." * level + name, space.get("__package__") or ""
            )
        except ImportError:
            return
        for each in (full_name, *(f"{full_name}.{part}" for part in wanted)):
            module = sys.modules.get(each) or self._import(each)
            if module is None:
                continue
            if is_app_module(module.__name__, self._package):
                yield module
            if not hasattr(module, "__path__"):
                return

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

    def _touch_others(self) -> None:
        """Note what is changed by modules that are not on the way: of those, only they matter that name a constant found."""
        named = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(self._names)))})\b")
        for module in app_modules(self._package) if self._names else ():
            space = vars(module)
            if id(space) not in self._spaces and named.search(
                "".join(linecache.getlines(space["__file__"], space))
            ):
                self._touch(space)

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
        if isinstance(value, MappingProxyType):
            return self._container(dict(value))
        if isinstance(value, SimpleNamespace):
            return self._container(vars(value))
        if isinstance(value, BuiltinFunctionType | MethodDescriptorType):
            receiver = getattr(value, "__self__", None)
            return keys.digest(
                label(value), b"" if isinstance(receiver, ModuleType) else self._value(receiver)
            )
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
        """An enum's member, a named tuple, a dataclass, by its class and fields.

        A pattern; None if it is none of these.
        """
        if isinstance(value, Enum):
            return keys.digest(self._number(type(value)), str(value.name).encode())
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return keys.digest(self._number(type(value)), *map(self._value, value))
        if dataclasses.is_dataclass(value):
            if constants.changes_itself(type(value)):
                raise keys.NoKey("", "record that changes")
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
            return keys.digest(
                kind, *map(self._value, itertools.chain.from_iterable(value.items()))
            )
        if isinstance(value, set | frozenset):
            # By name first: functions are numbered as they are come by.
            return keys.digest(kind, *sorted(map(self._value, sorted(value, key=_place))))
        return keys.digest(kind, *map(self._value, value))

    # Whose code

    def _is_app_function(self, function: FunctionType) -> bool:
        file = function.__globals__.get("__file__")
        if not isinstance(file, str):
            return not function.__code__.co_filename.startswith("<frozen ")
        return is_app_file(file) or belongs(
            str(function.__globals__.get("__name__")), file, self._package
        )

    def _is_app_class(self, cls: type) -> bool:
        return is_app_module(str(cls.__module__), self._package)


def _place(element: object) -> tuple[bytes, ...]:
    """What an element of a set is ordered by: no address, and no hash, which each process has of its own."""
    if type(element) in (tuple, frozenset):
        places = [part for each in element for part in _place(each)]  # type: ignore[attr-defined]
        return tuple(places if type(element) is tuple else sorted(places))
    code = (
        b"%d" % element.__code__.co_firstlineno + bytecode.digest(element.__code__)
        if isinstance(element, FunctionType)
        else b""
    )
    return label(element), repr(element).encode() if constants.is_plain(element) else b"", code


def _named_around(function: FunctionType) -> Iterator[tuple[str, object]]:
    """What a function closes over, and its defaults, with the names that they have in it."""
    code, own = function.__code__, function.__kwdefaults__ or {}
    positional = code.co_varnames[
        code.co_argcount - len(function.__defaults__ or ()) : code.co_argcount
    ]
    return zip((*code.co_freevars, *positional, *own), around(function), strict=True)


def _is_data(value: object) -> bool:
    """Tell whether a value is what literals may stand for, beyond what nothing can change."""
    is_record = isinstance(value, tuple) or (
        dataclasses.is_dataclass(value) and not isinstance(value, type)
    )
    return (is_record or type(value) in (list, set, frozenset, dict)) and not constants.is_plain(
        value
    )


def _is_variable(value: object) -> bool:
    """Tell it from what Python, or a library, has put into a class."""
    if isinstance(value, functools.partial):
        return True  # although Python 3.13 has it warn that it will be a descriptor
    return not hasattr(type(value), "__get__") or is_app_module(type(value).__module__)


def _shown(value: object) -> bytes:
    """How something is shown, without addresses, and by the name under which others import what a script defines."""
    text = re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(value))
    return text.replace("__main__.", f"{modules.main_name()}.").encode()


def _is_loose(space: Namespace) -> bool:
    return "__file__" not in space and module_of(space) is None


def _is_of_library(space: Namespace, facts: bindings.Facts, name: str) -> bool:
    bound = facts.bindings.get("", {}).get(name, [])
    origins = [constants.imported(space, node) for node in bound if constants.is_import(node)]
    return bool(origins) and all(
        each is not None and not constants.is_own(space, each.__name__) for each in origins
    )
