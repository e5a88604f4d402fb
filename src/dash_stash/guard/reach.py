"""What a callback can reach: the variables outside of its scope that its code, and the app's code that it calls, can see."""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from dash_stash import bytecode
from dash_stash.guard.introspection import is_app_class, is_app_code, is_proxy_class, own_dict
from dash_stash.origin import is_app_module

ABSENT: Final = "(nothing)"
"""In the place of a variable that is not there."""

_MOST_FUNCTIONS: Final = 5_000
_DEEPEST: Final = 2
_MOST_ELEMENTS: Final = 100
"""In so many elements of a container, and of those inside it, functions are looked for."""

_WITHOUT_CODE: Final = (bool, int, float, str, bytes, type(None))
_CODE: Final = (
    FunctionType,
    MethodType,
    type,
    ModuleType,
    functools.partial,
    staticmethod,
    classmethod,
    property,
)


class OwnAttributes(dict[str, Any]):
    """The attributes of a class or a function, as they are at the moment."""


@dataclass(frozen=True, slots=True)
class SharedVariable:
    """A variable outside of a callback's scope."""

    key: tuple[int, str]
    """The same for all callbacks that reach it."""

    label: str
    """What people call it: `data.df`."""

    name: str
    """What the code calls it: `df`."""

    read: Callable[[], object]
    """Returns its value as it is now."""


@dataclass(frozen=True)
class Reach:
    """The variables that a callback can reach, and the functions by which it does."""

    variables: list[SharedVariable]
    functions: list[FunctionType]


def reach(function: Callable[..., Any]) -> Reach:
    """Return what *function* can reach at this moment. Code of libraries is not looked into."""
    walk = _CodeSearch()
    walk.visit(function)
    walk.finish()
    return Reach(list(walk.variables.values()), list(walk.functions.values()))


class _CodeSearch:
    """Goes through all the code of the app that a function may run."""

    def __init__(self) -> None:
        self.variables: dict[tuple[int, str], SharedVariable] = {}
        self.functions: dict[int, FunctionType] = {}
        self._attributes: set[str] = set()
        self._stored_attributes: set[str] = set()
        self._classes: dict[int, type] = {}
        self._modules: dict[int, ModuleType] = {}
        self._seen: dict[int, object] = {}
        self._waiting: list[object] = []

    def visit(self, value: object) -> None:
        """Look for code in a value, later."""
        if _may_hold_code(value) and id(value) not in self._seen:
            self._waiting.append(value)

    def finish(self) -> None:
        """Go on until nothing new is found."""
        while self._waiting:
            while self._waiting:
                self._value(self._waiting.pop())
            # Another name that the code uses may be a method of a class, or a variable of a module,
            # that was found before.
            for cls in list(self._classes.values()):
                self._members(cls)
            for module in list(self._modules.values()):
                self._module(module)

    def _value(self, value: object, depth: int = 0) -> None:
        if not _may_hold_code(value) or id(value) in self._seen:
            return  # found twice before its turn came
        self._seen[id(value)] = value
        if isinstance(value, FunctionType):
            self._function(value)
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, ModuleType):
            if is_app_module(value.__name__) or value.__name__ == "os":
                self._modules[id(value)] = value
        else:
            for inner in _code_inside(value):
                self._value(inner, depth)
            if depth < _DEEPEST:
                for inner in _contents(value):
                    self._value(inner, depth + 1)
            if is_app_class(type(value)):
                self._value(type(value))

    def _function(self, function: FunctionType) -> None:
        wrapped = vars(function).get("__wrapped__")
        if wrapped is not None:
            self.visit(wrapped)
        if not is_app_code(function.__code__):
            if wrapped is None:  # some decorator of a library
                for _, _, value in _cells(function):
                    if issubclass(type(value), FunctionType | MethodType):
                        self.visit(value)
            return
        if len(self.functions) >= _MOST_FUNCTIONS:
            return
        self.functions[id(function)] = function
        names = bytecode.names(function.__code__)
        self._attributes |= names.attributes
        self._stored_attributes |= names.stored_attributes
        module, namespace = _display_name(function.__module__), function.__globals__
        for name in sorted(names.loaded | names.stored):
            self._name(namespace, module, name, is_stored=name in names.stored)
        for _, name, _ in names.imported:
            self._imported(name, namespace)
        self._own(function, f"{module}.{function.__qualname__.replace('.<locals>', '')}")

    def _own(self, function: FunctionType, label: str) -> None:
        """What the function itself keeps: what it closes over, its defaults, its attributes."""
        outside = label.rpartition(".")[0]
        for name, cell, value in _cells(function):
            self.visit(value)
            if not issubclass(type(value), _CODE):
                self._add(
                    id(cell), name, f"{outside}.{name}", functools.partial(_cell_contents, cell)
                )
        defaults = (
            inspect.signature(function, follow_wrapped=False).parameters
            if function.__defaults__ or function.__kwdefaults__
            else {}
        )
        for name, parameter in defaults.items():
            default = parameter.default
            if default is not parameter.empty and not issubclass(type(default), _CODE):
                self._add(
                    id(function),
                    f"{name}=",
                    f"{label}({name}=...)",
                    functools.partial(lambda value: value, default),
                    name,
                )
            self.visit(default)
        self._add(
            id(function),
            ".",
            label,
            functools.partial(_function_attributes, function),
            function.__name__,
        )

    def _name(
        self, namespace: dict[str, Any], module: str, name: str, *, is_stored: bool = False
    ) -> None:
        """A global variable."""
        value = namespace.get(name, ABSENT)
        if value is ABSENT and not is_stored:
            return
        self.visit(value)
        if is_stored or not issubclass(type(value), _CODE):
            self._add(
                id(namespace),
                name,
                f"{module}.{name}",
                functools.partial(namespace.get, name, ABSENT),
            )

    def _imported(self, name: str, namespace: dict[str, Any]) -> None:
        package = namespace.get("__package__") or ""
        for full_name in (name or package, f"{package}.{name}"):
            module = sys.modules.get(full_name)
            if module is not None:
                self.visit(module)
                # `import a.b` makes `a` a name.
                self.visit(sys.modules.get(full_name.partition(".")[0]))

    def _module(self, module: ModuleType) -> None:
        """The variables of a module that the code names as its attributes."""
        namespace = vars(module)
        if not is_app_module(module.__name__):
            if "environ" in self._attributes:
                self._name(namespace, "os", "environ")
            return
        for name in self._attributes & namespace.keys():
            self._name(
                namespace,
                _display_name(module.__name__),
                name,
                is_stored=name in self._stored_attributes,
            )
        for name in self._stored_attributes - namespace.keys():
            self._name(namespace, _display_name(module.__name__), name, is_stored=True)

    def _class(self, cls: type) -> None:
        for base in cls.__mro__:
            if base is not object and is_app_class(base):
                self._classes[id(base)] = base
                label = (
                    f"{_display_name(base.__module__)}.{base.__qualname__.replace('.<locals>', '')}"
                )
                self._add(
                    id(base), ".", label, functools.partial(_class_attributes, base), base.__name__
                )
                for name, value in list(vars(base).items()):
                    if name.startswith("__"):
                        self.visit(value)

    def _members(self, cls: type) -> None:
        for name, value in list(vars(cls).items()):
            if name in self._attributes:
                self.visit(value)

    def _add(
        self,
        holder: int,
        name: str,
        label: str,
        read: Callable[[], object],
        called: str | None = None,
    ) -> None:
        self.variables.setdefault(
            (holder, name), SharedVariable((holder, name), label, called or name, read)
        )


def _display_name(module: str) -> str:
    """The name of a module as its author knows it: that of the program instead of `__main__`."""
    if module != "__main__":
        return module
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    file = str(getattr(sys.modules["__main__"], "__file__", "") or "")
    return (
        spec.name if spec is not None else file.rpartition("/")[2].removesuffix(".py") or "__main__"
    )


def _cells(function: FunctionType) -> Iterator[tuple[str, CellType, object]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell, _cell_contents(cell)


def _cell_contents(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return ABSENT


def _function_attributes(function: FunctionType) -> OwnAttributes:
    return OwnAttributes(
        {name: value for name, value in vars(function).items() if not name.startswith("__")}
    )


def _class_attributes(cls: type) -> OwnAttributes:
    """The data among a class's attributes; what libraries register there is theirs."""
    own = [
        (name, value)
        for name, value in list(vars(cls).items())
        if not name.startswith(("__", "_abc_"))
    ]
    return OwnAttributes({name: value for name, value in own if not _is_code(value)})


def _is_code(value: object) -> bool:
    return issubclass(type(value), _CODE) or any(
        "__get__" in vars(cls) for cls in type(value).__mro__
    )


def _may_hold_code(value: object) -> bool:
    return not issubclass(type(value), _WITHOUT_CODE) and not is_proxy_class(type(value))


def _code_inside(value: object) -> Iterable[object]:
    """What an object runs when it is called or read."""
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


def _contents(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return list(itertools.islice(dict.values(value), _MOST_ELEMENTS))
    if isinstance(value, list):
        return list.__getitem__(value, slice(_MOST_ELEMENTS))
    if isinstance(value, tuple):
        return tuple.__getitem__(value, slice(_MOST_ELEMENTS))
    return list(own_dict(value).values()) if is_app_class(type(value)) else ()
