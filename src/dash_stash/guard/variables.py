"""The variables outside a callback's scope: what each is called, and how to read it."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, Final

ABSENT: Final = "(nothing)"
"""Stands for the value of a variable that does not exist."""

CODE: Final = (
    *(FunctionType, MethodType, type, ModuleType),
    *(functools.partial, staticmethod, classmethod, property),
)
"""The types of what is run, not changed."""


class OwnAttributes(dict[str, Any]):
    """The attributes of a class or a function, as they are at one moment."""


@dataclass(frozen=True, slots=True)
class SharedVariable:
    """A variable outside a callback's scope."""

    key: tuple[int, str]
    """The same for all callbacks that reach it: the id of what holds it, and its name there."""

    label: str
    """What people call it: `data.df`."""

    name: str
    """What the code calls it: `df`."""

    read: Callable[[], object]
    """Returns its value as it is now."""


def global_variable(namespace: dict[str, Any], module: str, name: str) -> SharedVariable:
    """Return a global variable of a module."""
    read = functools.partial(namespace.get, name, ABSENT)
    return SharedVariable((id(namespace), name), f"{display_name(module)}.{name}", name, read)


def closure_variables(function: FunctionType) -> Iterator[tuple[SharedVariable, object]]:
    """Yield what a function closes over, with the values."""
    outside = _label(function).rpartition(".")[0]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        read = functools.partial(_cell_contents, cell)
        yield SharedVariable((id(cell), name), f"{outside}.{name}", name, read), read()


def _cell_contents(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return ABSENT


def default_variables(function: FunctionType) -> Iterator[tuple[SharedVariable, object]]:
    """Yield the defaults of a function's parameters, with the values."""
    if not function.__defaults__ and not function.__kwdefaults__:
        return
    for name, parameter in inspect.signature(function, follow_wrapped=False).parameters.items():
        default = parameter.default
        if default is not parameter.empty:
            yield _default_variable(function, name, default), default


def _default_variable(function: FunctionType, name: str, default: object) -> SharedVariable:
    label = f"{_label(function)}({name}=...)"
    return SharedVariable((id(function), f"{name}="), label, name, lambda: default)


def function_attributes(function: FunctionType) -> SharedVariable:
    """Return the attributes that the app has given a function."""
    read = functools.partial(_attributes_of_function, function)
    return SharedVariable((id(function), "."), _label(function), function.__name__, read)


def _attributes_of_function(function: FunctionType) -> OwnAttributes:
    return OwnAttributes(
        {name: value for name, value in vars(function).items() if not name.startswith("__")}
    )


def class_attributes(cls: type) -> SharedVariable:
    """Return the data among a class's attributes."""
    read = functools.partial(_data_of_class, cls)
    return SharedVariable((id(cls), "."), _label(cls), cls.__name__, read)


def _data_of_class(cls: type) -> OwnAttributes:
    attributes = list(vars(cls).items())
    # What starts with `_abc_` is kept by Python itself.
    own = [(name, value) for name, value in attributes if not name.startswith(("__", "_abc_"))]
    return OwnAttributes({name: value for name, value in own if not _is_run(value)})


def _is_run(value: object) -> bool:
    if isinstance(value, functools.partial):
        return False  # although Python 3.13 has it warn that it will be a descriptor
    is_descriptor = any("__get__" in vars(cls) for cls in type(value).__mro__)
    return is_descriptor or issubclass(type(value), CODE)


def _label(value: type | FunctionType) -> str:
    return f"{display_name(value.__module__)}.{value.__qualname__.replace('.<locals>', '')}"


def display_name(module: str) -> str:
    """Return the module's name as its author knows it: the program's instead of `__main__`."""
    if module != "__main__":
        return module
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is not None:
        return str(spec.name)
    file = str(getattr(sys.modules["__main__"], "__file__", "") or "")
    return file.rpartition("/")[2].removesuffix(".py") or "__main__"
