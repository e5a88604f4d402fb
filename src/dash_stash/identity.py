"""The identity of a function: its name, its module, and the variables that it closes over."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import importlib.util
import inspect
import operator
import os
import pathlib
import re
import sys
from collections.abc import Callable
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, Final

from dash_stash import bytecode, keys, modules


def module_name(function: Callable[..., Any]) -> str:
    """Return the dotted name of the function's module, by its place in the file system.

    `python app.py` calls the module `__main__`, `gunicorn app:server` calls it `app`; both shall
    share what they store.
    """
    file = source_file(function)
    if file is None:
        return str(function.__module__)
    return modules.dotted(file)


def alias_main() -> None:
    """Make imports of the program that runs as `__main__` find it instead of running it again."""
    name = modules.main_name()
    if name is None or name in sys.modules:
        return
    with contextlib.suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(name)
        if (
            spec is not None
            and spec.origin is not None
            and os.path.samefile(spec.origin, str(sys.modules["__main__"].__file__))
        ):
            sys.modules[name] = sys.modules["__main__"]


def find(module: str, qualified_name: str) -> Any:
    """Return a class or function of a module, even if the module runs as `__main__`."""
    owner = (
        sys.modules["__main__"]
        if module == modules.main_name()
        else importlib.import_module(module)
    )
    return operator.attrgetter(qualified_name)(owner)


def source_file(function: Callable[..., Any]) -> pathlib.Path | None:
    """Return the file of the function's module, or None in an interactive session."""
    file = getattr(sys.modules.get(function.__module__), "__file__", None)
    return None if file is None else pathlib.Path(file).resolve()


def of_function(function: Callable[..., Any]) -> bytes:
    """Return the key of the name of a function or class; references contain it.

    It does not contain what the function does (see `implementation`), or what it closes over.
    """
    # All lambdas of a module have the name "<lambda>": their code tells them apart.
    code = getattr(function, "__code__", None) if function.__name__ == "<lambda>" else None
    own = b"" if code is None else bytecode.digest(code)
    return keys.digest(module_name(function).encode(), function.__qualname__.encode(), own)


def captured(function: FunctionType) -> dict[str, object]:
    """Return the variables that a nested function closes over, with their present values."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # not assigned yet
            found[name] = cell.cell_contents
    return found


def of_captured(value: object, path: str, within: tuple[int, ...] = ()) -> bytes:
    """Return the key of a variable that a function closes over, without the code that it runs.

    A function, class or module that can be found by its name is known by that. Callable objects,
    and the objects in them, are known by their class and attributes, everything else by its value.
    *within* are the ids of the objects that contain it.

    Raises:
        keys.NoKey: It is, or holds, something that no key can be made from.
    """
    if id(value) in within:
        return keys.digest(b"itself", b"%d" % within.index(id(value)))
    writer = next((writer for kinds, writer in _WRITERS if isinstance(value, kinds)), None)
    if writer is None and (callable(value) or within) and _is_written_in_python(type(value)):
        # Within another object a plain object counts too.
        writer = _of_memo if type(value).__module__ == "dash_stash.memo" else _of_state
    if type(value).__module__ in _OWN:
        writer = _of_own
    if writer is None or (dataclasses.is_dataclass(value) and not callable(value)):
        return keys.of_value(value, path)
    return writer(value, path, (*within, id(value)))


_Within = tuple[int, ...]


def _is_named(value: Any) -> bool:
    """Return whether a function or class is the one that its module has by that name."""
    found: object = sys.modules.get(value.__module__)
    for name in value.__qualname__.split("."):
        found = inspect.getattr_static(found, name, None)
    return found is value


def _of_each(values: dict[str, Any], path: str, within: _Within) -> bytes:
    names = sorted(values)
    return keys.digest(
        *(
            part
            for name in names
            for part in (name.encode(), of_captured(values[name], f"{path}.{name}", within))
        )
    )


def _of_code(value: FunctionType, path: str, within: _Within) -> bytes:
    if _is_named(value):
        return keys.digest(b"function", of_function(value))
    around = [
        of_captured(child, f"{name!r}, used by {path}", within)
        for name, child in captured(value).items()
    ]
    defaults = [
        of_captured(child, f"a default of {path}", within) for child in value.__defaults__ or ()
    ]
    named = _of_each(value.__kwdefaults__ or {}, f"a default of {path}", within)
    own = _of_each(vars(value), path, within)
    return keys.digest(
        b"nested", of_function(value), keys.digest(*around), keys.digest(*defaults), named, own
    )


def _of_class(value: type, path: str, within: _Within) -> bytes:
    if _is_named(value):
        return keys.digest(b"class", of_function(value))
    bases = [
        of_captured(base, f"a base of {path}", within) for base in (*value.__bases__, type(value))
    ]
    if issubclass(value, enum.Enum):
        return keys.digest(
            b"enum",
            *bases,
            *(keys.of_value([name, each.value], path) for name, each in value.__members__.items()),
        )
    own = {
        name: each
        for name, each in vars(value).items()
        if callable(each) or _is_data_of_class(name, each)
    }
    return keys.digest(b"class", of_function(value), *bases, _of_each(own, path, within))


def _is_data_of_class(name: str, value: object) -> bool:
    """Tell data of a class from its slots, and from what Python notes in it."""
    is_noted = name.startswith(("__", "_abc_")) or isinstance(value, _FIELDS)
    return not is_noted or isinstance(value, _INNER)


def _of_method(value: MethodType, path: str, within: _Within) -> bytes:
    return keys.digest(
        b"method",
        of_captured(value.__func__, path, within),
        of_captured(value.__self__, path, within),
    )


def _of_builtin(value: Any, path: str, within: _Within) -> bytes:
    """`len`, `math.sin`, `dict.fromkeys`, `{...}.get`."""
    receiver = value.__self__
    if receiver is None or isinstance(receiver, ModuleType):
        return keys.digest(b"builtin", str(value.__module__).encode(), value.__qualname__.encode())
    return keys.digest(
        b"bound", value.__name__.encode(), of_captured(receiver, f"{path}.__self__", within)
    )


def _of_descriptor(value: Any, path: str, within: _Within) -> bytes:
    return keys.digest(
        b"descriptor", value.__name__.encode(), of_captured(value.__objclass__, path, within)
    )


def _of_partial(value: functools.partial[Any], path: str, within: _Within) -> bytes:
    """A partial, with its attributes and those that a subclass adds."""
    parts = [of_captured(child, path, within) for child in (type(value), value.func, *value.args)]
    return keys.digest(
        b"partial",
        *parts,
        _of_each(value.keywords, path, within),
        _of_each(vars(value), path, within),
    )


def _of_getter(value: Any, path: str, within: _Within) -> bytes:
    """`operator.itemgetter(1)` and its like, by the arguments that they are pickled with."""
    return keys.digest(
        type(value).__qualname__.encode(),
        *(of_captured(part, path, within) for part in _reduced(value)),
    )


def _reduced(value: Any) -> tuple[Any, ...]:
    kind, arguments = value.__reduce__()[:2]
    if isinstance(kind, functools.partial):  # of a methodcaller with keywords
        return (kind.args, kind.keywords, *arguments)
    return tuple(arguments)


def _of_inner(value: Any, path: str, within: _Within) -> bytes:
    """A static method, a property and their like, by the functions in them."""
    names = ("__func__", "fget", "fset", "fdel", "func", "__wrapped__")
    found = {name: getattr(value, name) for name in names if getattr(value, name, None) is not None}
    return keys.digest(type(value).__qualname__.encode(), _of_each(found, path, within))


def _of_own(value: Any, path: str, within: _Within) -> bytes:  # noqa: ARG001 (a writer's signature)
    """A stash, or a scope's variables: not the data behind them, which changes."""
    return keys.digest(b"stash", str(getattr(value, "_scope", "")).encode())


def _of_memo(value: Any, path: str, within: _Within) -> bytes:
    """A memo function, by its id, and by what its function closes over if that has a key."""
    wrapped = inspect.getattr_static(value, "__wrapped__", None)
    if not isinstance(wrapped, FunctionType):
        return _of_state(value, path, within)
    try:
        return keys.digest(value._dash_stash_id, of_captured(wrapped, path, within))
    except keys.NoKey:
        return bytes(value._dash_stash_id)


def _of_state(value: object, path: str, within: _Within) -> bytes:
    """An object by its class and its attributes."""
    state = dict(getattr(value, "__dict__", {}))
    for base in type(value).__mro__:
        slots = {
            name for name, slot in vars(base).items() if isinstance(slot, MemberDescriptorType)
        }
        state |= {
            f"{base.__name__}.{name}": getattr(value, name)
            for name in slots
            if hasattr(value, name)
        }
    return keys.digest(
        b"object", of_captured(type(value), path, within), _of_each(state, path, within)
    )


def _is_written_in_python(kind: type) -> bool:
    """Return whether objects of the class have attributes only: those of a class in C have more."""
    return kind is not object and not any(
        isinstance(each, _WRITTEN_IN_C)
        for base in kind.__mro__[:-1]
        if base.__module__
        != "typing"  # Generic is written in C since Python 3.12, and keeps nothing
        for each in vars(base).values()
    )


_OWN: Final = ("dash_stash.stash", "dash_stash.state")
_INNER: Final = (
    staticmethod,
    classmethod,
    property,
    functools.cached_property,
    functools.partialmethod,
    type(functools.cache(len)),
)
_FIELDS: Final = (
    MemberDescriptorType,
    GetSetDescriptorType,
    type(vars(inspect.FullArgSpec)["args"]),
)
_WRITTEN_IN_C: Final = (MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType)
_WRITERS: Final[list[tuple[Any, Callable[[Any, str, _Within], bytes]]]] = [
    (FunctionType, _of_code),
    (type, _of_class),
    (ModuleType, lambda value, path, within: keys.digest(b"module", value.__name__.encode())),
    (MethodType, _of_method),
    ((BuiltinFunctionType, MethodWrapperType), _of_builtin),
    ((*_WRITTEN_IN_C, MemberDescriptorType, GetSetDescriptorType), _of_descriptor),
    (functools.partial, _of_partial),
    ((operator.itemgetter, operator.attrgetter, operator.methodcaller), _of_getter),
    (
        re.Pattern,
        lambda value, path, within: keys.digest(
            b"pattern", keys.of_value([value.pattern, value.flags], path)
        ),
    ),
    (_INNER, _of_inner),
]
