"""The walk through the code of the app that a function may run, and the constants it reads."""

from __future__ import annotations

import builtins
import dataclasses
import functools
import inspect
import itertools
import linecache
import os
import re
import secrets
import sys
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import EnumType
from types import FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any, Final

from dash_stash import bytecode, keys, modules
from dash_stash.implementation import bindings, constants, syntax
from dash_stash.implementation.bindings import Namespace
from dash_stash.implementation.callables import around, label, module_of, named_around, parts_of
from dash_stash.implementation.changes import Place, changes_of
from dash_stash.implementation.constants import ABSENT, RUN_TIME
from dash_stash.implementation.imports import imported_by
from dash_stash.implementation.values import STATE, ConstantDigests, Numbering
from dash_stash.origin import app_modules, belongs, is_app_file, is_app_module

_SILENT: Final = frozenset(
    [
        *("logging", "dash", "flask", "dash_stash", "typing", "types", "threading"),
        *("_thread", "_contextvars"),
    ]
)
"""Objects of these libraries keep nothing that a result depends on."""

_CODE_OF_CLASS: Final = (
    *(staticmethod, classmethod, property, functools.cached_property),
    *(functools.partialmethod, MethodType),
)
_FIELD_NOTES: Final = frozenset(
    [
        *("__match_args__", "__dataclass_fields__", "__attrs_attrs__"),
        *("__pydantic_fields__", "__tablename__"),
    ]
)
"""Where Python and libraries note in a class what its body says of its fields."""


@dataclass(slots=True)
class Implementation:
    """The result of a walk through a function's code."""

    digest: bytes = b""

    unseen: list[str] = field(default_factory=list)
    """Names that the code reads but that are not in the digest, each with the reason."""

    is_settled: bool = True
    """Whether the rest stays the same for as long as `watched` does."""

    watched: list[tuple[Namespace, str, object]] = field(default_factory=list)
    """The variables found in namespaces that people type into, or that are being imported."""

    def holds(self) -> bool:
        """Return whether another walk would find the same."""
        return self.is_settled and all(
            space.get(name, ABSENT) is value for space, name, value in self.watched
        )


_tokens: weakref.WeakKeyDictionary[FunctionType, bytes] = weakref.WeakKeyDictionary()
"""For functions in a namespace made for `exec` that read what has no digest: one for each."""


class Walk:
    """Walks through the app's code that something may run: each function and class once."""

    def __init__(self, package: str, excluded: set[Place], root: object) -> None:
        """Take the app's package, the places known to be changed, and where to begin.

        *excluded* grows: the walk adds what the modules on its way change.
        """
        self.found = Implementation()
        self.excluded, self.taken = excluded, set[Place]()
        self._package, self._root = package, root
        self._numbering = Numbering(root)
        self._digests = ConstantDigests(self._numbering)
        self._spaces = dict[int, Namespace]()
        self._told = dict[str, str]()
        self._attributes = set[str]()
        self._names = set[str]()

    def finish(self) -> None:
        """Walk until nothing new is found."""
        # The list grows meanwhile.
        parts = [
            self._function(node) if isinstance(node, FunctionType) else self._class(node)
            for node in self._numbering.nodes
        ]
        self._touch_others()
        self.found.digest = keys.digest(*parts)
        self.found.unseen = [
            text for text, name in self._told.items() if not name or name in self._attributes
        ]

    # Functions

    def _function(self, function: FunctionType) -> bytes:
        if not self._is_app_function(function):
            return self._library_function(function)
        space, code = function.__globals__, function.__code__
        self._touch(space)
        names = bytecode.names(code)
        self._attributes |= names.attributes
        parts = [syntax.of_code(code, space) or bytecode.digest(code)]
        for name in sorted(names.loaded):
            parts += name.encode(), self._variable(space, name, names.attributes, set())
        # Import all first: each module of a package is one more name in the package.
        for module in [
            module
            for statement in sorted(names.imported)
            for module in imported_by(space, statement, self._package)
        ]:
            parts.append(self._module(module, names.attributes, set()))
        if function is not self._root:
            parts += itertools.starmap(
                functools.partial(self._kept, function), named_around(function)
            )
        self._tell_attributes(function)
        return keys.digest(*parts, *self._wrapped(function))

    def _is_app_function(self, function: FunctionType) -> bool:
        file = function.__globals__.get("__file__")
        if not isinstance(file, str):
            return not function.__code__.co_filename.startswith("<frozen ")
        return is_app_file(file) or belongs(
            str(function.__globals__.get("__name__")), file, self._package
        )

    def _library_function(self, function: FunctionType) -> bytes:
        """Return the digest of its name, and of the functions of the app that it was given."""
        inner = [each for each in around(function) if isinstance(each, FunctionType | MethodType)]
        registry = vars(function).get("registry")  # of functools.singledispatch
        if isinstance(registry, MappingProxyType):
            inner += registry.values()
        return keys.digest(
            label(function), *map(self._digests.of_value, inner), *self._wrapped(function)
        )

    def _kept(self, function: FunctionType, name: str, value: object) -> bytes:
        """The digest of a default, or of what a function closes over: of data unless it changes."""
        if not _is_data(value):
            return self._digests.of_part(value)
        space, qualified_name = function.__globals__, function.__code__.co_qualname
        known = bindings.names_of(space)
        is_changed = known is None or known.is_changed(qualified_name, name)
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
        return () if wrapped is None else (self._digests.of_part(wrapped),)

    # Classes

    def _class(self, cls: Any) -> bytes:
        if not is_app_module(str(cls.__module__), self._package):
            return label(cls)
        of_part = self._digests.of_part
        parts = [cls.__qualname__.encode(), of_part(type(cls)), *map(of_part, cls.__bases__)]
        if isinstance(cls, EnumType):
            members: dict[str, Any] = dict(cls.__members__)
            parts += [self._digests.of_constant(each.value) or STATE for each in members.values()]
        for name, value in sorted(vars(cls).items()):
            if isinstance(value, (FunctionType, type, *_CODE_OF_CLASS)) or _is_wrapper(value):
                parts += name.encode(), of_part(value)
            elif name in _FIELD_NOTES or (
                not name.startswith(("__", "_abc_")) and _is_variable(value)
            ):
                parts += name.encode(), self._class_variable(cls, name, value)
        return keys.digest(*parts)

    def _class_variable(self, cls: type, name: str, value: object) -> bytes:
        if isinstance(cls, EnumType):
            return b""
        if name in _FIELD_NOTES:
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
        # An absent name may be defined further below, in a module that is still being imported.
        if "__file__" not in space or (value is ABSENT and not hasattr(builtins, name)):
            self.found.watched.append((space, name, value))
        if value is ABSENT:
            return b"builtin"
        if isinstance(value, ModuleType):
            return self._module(value, attributes, seen)
        self._touch(space)
        known = bindings.names_of(space)
        if known is not None and name in known.rebound:
            return self._data(space, (id(space), name), name, value, RUN_TIME)
        if isinstance(value, FunctionType | type) or _is_wrapper(value):
            return self._digests.of_value(value)
        if known is not None and _is_of_library(space, known, name):
            return b"library"
        return self._data(space, (id(space), name), name, value, self._why_not(space, name))

    def _why_not(self, space: Namespace, name: str) -> str | None:
        # Without the source, nobody knows which of its values are constants: all of them count.
        return None if self._is_own(space) else constants.why_not(space, name)

    def _is_own(self, space: Namespace) -> bool:
        """Return whether a namespace was made for `exec`, and the walk began in it."""
        is_around_root = isinstance(self._root, FunctionType) and space is self._root.__globals__
        return is_around_root and _is_loose(space)

    def _module(self, module: ModuleType, attributes: frozenset[str], seen: set[int]) -> bytes:
        """The digest of the variables of an app's module that the code names, a library's name."""
        if not is_app_module(module.__name__, self._package) or id(module) in seen:
            return label(module)
        seen.add(id(module))
        space = vars(module)
        # While it is imported it may still define more of what the code names.
        self.found.is_settled &= not getattr(module.__spec__, "_initializing", False)
        used = sorted(name for name in attributes & space.keys() if not name.startswith("__"))
        found = [(name.encode(), self._variable(space, name, attributes, seen)) for name in used]
        return keys.digest(*itertools.chain.from_iterable(found))

    # Data

    def _data(
        self,
        space: Namespace,
        place: Place,
        name: str,
        value: object,
        reason: str | None,
        attribute: str = "",
    ) -> bytes:
        """Return the digest of a variable that holds no code: of its value if that is a constant.

        Of others, for which there is a *reason*, the digest of the code that the object runs.
        """
        places = {place, (id(value), "")}
        if places & self.excluded:
            reason = RUN_TIME
        if reason is None:
            self.taken |= places
            self._names.add(attribute or name)
            digest = self._digests.of_constant(value)
            if digest is not None:
                self.found.is_settled &= constants.is_plain(value) or not _is_loose(space)
                return digest
            reason = "of which no key is made"
        self._tell(space, name, value, reason, attribute)
        if reason == RUN_TIME:
            return STATE  # by now it may be an object of another class than elsewhere
        if isinstance(self._root, FunctionType) and self._is_own(space):
            return _tokens.setdefault(self._root, secrets.token_bytes(keys.KEY_SIZE))
        return keys.digest(STATE, *map(self._digests.of_part, parts_of(value)))

    def _tell(
        self, space: Namespace, name: str, value: object, reason: str, attribute: str
    ) -> None:
        is_made_up = _is_loose(space) and not self._is_own(space)  # as by namedtuple
        if type(value).__module__.partition(".")[0] in _SILENT or is_made_up:
            return
        file = os.path.basename(str(space.get("__file__", space.get("__name__"))))
        self._told[f"{name} ({file}), {reason}"] = attribute

    def _touch(self, space: Namespace) -> None:
        """Note what a module's code changes, in itself and in others."""
        if id(space) not in self._spaces:
            self._spaces[id(space)] = space
            self.excluded.update(changes_of(space))

    def _touch_others(self) -> None:
        """Note what the app's other modules change: those whose source names a constant found."""
        named = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(self._names)))})\b")
        for module in app_modules(self._package) if self._names else ():
            space = vars(module)
            if id(space) not in self._spaces and named.search(
                "".join(linecache.getlines(space["__file__"], space))
            ):
                self._touch(space)


def _is_wrapper(value: object) -> bool:
    return callable(inspect.getattr_static(value, "__wrapped__", None))


def _is_data(value: object) -> bool:
    """Return whether a value is a container or record that could be changed."""
    is_record = isinstance(value, tuple) or (
        dataclasses.is_dataclass(value) and not isinstance(value, type)
    )
    is_container = type(value) in (list, set, frozenset, dict)
    return (is_record or is_container) and not constants.is_plain(value)


def _is_variable(value: object) -> bool:
    """Tell a class's variable from what Python, or a library, has put into the class."""
    if isinstance(value, functools.partial):
        return True  # although Python 3.13 has it warn that it will be a descriptor
    return not hasattr(type(value), "__get__") or is_app_module(type(value).__module__)


def _shown(value: object) -> bytes:
    """The text of an object, without addresses, the same in a script and for who imports it."""
    text = re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(value))
    return text.replace("__main__.", f"{modules.main_name()}.").encode()


def _is_loose(space: Namespace) -> bool:
    """Return whether a namespace was made for `exec`, and is no module's."""
    return "__file__" not in space and module_of(space) is None


def _is_of_library(space: Namespace, known: bindings.ModuleNames, name: str) -> bool:
    bound = known.bindings.get("", {}).get(name, [])
    origins = [constants.imported(space, node) for node in bound if constants.is_import(node)]
    return bool(origins) and all(
        each is not None and not constants.is_own(space, each.__name__) for each in origins
    )
