"""What makes a function the same function: where it is written, its code, and what it closes over."""

from __future__ import annotations

import contextlib
import dis
import functools
import importlib.util
import inspect
import operator
import os
import pathlib
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from dash_stash import keys


def module_name(function: Callable[..., Any]) -> str:
    """Return the dotted name of the function's module, as its place in the file system says.

    `python app.py` calls the module `__main__`, `gunicorn app:server` calls it `app`; both are to share what they store.
    """
    file = source_file(function)
    if file is None:
        return str(function.__module__)
    return dotted(file)


def dotted(file: pathlib.Path) -> str:
    """Return the dotted name of the module that *file* is, as its place in the file system says."""
    names = [file.stem]
    folder = file.parent
    while (folder / "__init__.py").exists():
        names.append(folder.name)
        folder = folder.parent
    return ".".join(name for name in reversed(names) if name != "__init__")


def main_name() -> str | None:
    """Return the name under which others import the program that runs as `__main__`; None for an interactive session."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    return None if file is None else dotted(pathlib.Path(file).resolve())


def alias_main() -> None:
    """Let an import of the program that runs as `__main__`, under its own name, find it instead of running it again."""
    name = main_name()
    if name is None or name in sys.modules:
        return
    with contextlib.suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None and os.path.samefile(spec.origin, str(sys.modules["__main__"].__file__)):
            sys.modules[name] = sys.modules["__main__"]


def find(module: str, qualified_name: str) -> Any:
    """Return a class or function of a module, also if that module is what runs as `__main__`."""
    owner = sys.modules["__main__"] if module == main_name() else importlib.import_module(module)
    return operator.attrgetter(qualified_name)(owner)


def source_file(function: Callable[..., Any]) -> pathlib.Path | None:
    """Return the file that the function is written in, None in an interactive session."""
    file = getattr(sys.modules.get(function.__module__), "__file__", None)
    return None if file is None else pathlib.Path(file).resolve()


def of_function(function: FunctionType) -> bytes:
    """Return the key of a function: it changes when its code does, not when it is moved within its file.

    Functions that it calls are not looked into; what a nested function takes from around it is a matter of `captured`.
    """
    code = function.__code__
    is_used = any(step.arg == 0 and step.opcode in dis.hasconst for step in dis.get_instructions(code))
    if code.co_consts and code.co_consts[0] == function.__doc__ and not is_used:
        code = code.replace(co_consts=(None, *code.co_consts[1:]))  # what it says of itself is not what it does
    return keys.digest(module_name(function).encode(), function.__qualname__.encode(), _of_code(code))


def captured(function: FunctionType) -> dict[str, object]:
    """Return the variables that a nested function took from around it, as they are now."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # not assigned yet
            found[name] = cell.cell_contents
    return found


def of_captured(value: object, path: str, within: frozenset[int] = frozenset()) -> bytes:  # noqa: PLR0911 (a kind of value each)
    """Return the key of such a variable: functions, classes and modules by what they are, all else by value.

    *within* are the ids of the functions that are being looked into.

    Raises:
        keys.NoKey: It has no value to make a key of.
    """
    if isinstance(value, FunctionType):
        if id(value) in within:
            return keys.digest(b"itself")
        inside = within | {id(value)}
        inner = [of_captured(child, f"{name!r}, used by {path}", inside) for name, child in captured(value).items()]
        return keys.digest(of_function(value), keys.of_value([value.__defaults__, value.__kwdefaults__], path), *inner)
    wrapped = getattr(value, "__wrapped__", None)
    if isinstance(wrapped, FunctionType):  # a memo function, or whatever else wraps one as functools does
        return _of_wrapper(getattr(value, "id", b""), wrapped, path, within)
    if isinstance(value, functools.partial):
        return keys.digest(of_captured(value.func, path, within), keys.of_value([value.args, value.keywords], path))
    if isinstance(value, type):
        return keys.digest(b"class", value.__module__.encode(), value.__qualname__.encode())
    if isinstance(value, ModuleType | BuiltinFunctionType):
        return keys.digest(b"module", value.__name__.encode())
    return keys.of_value(value, path)


_STARRED = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


def _of_wrapper(own: bytes, wrapped: FunctionType, path: str, within: frozenset[int]) -> bytes:
    """The key of what wraps a function: a memo function, which may ignore what that closes over, has an id of its own."""
    try:
        return keys.digest(own, of_captured(wrapped, path, within))
    except keys.NoKey:
        if not own:
            raise
        return own


def _of_code(code: CodeType) -> bytes:
    """The key of byte code, without file names and line numbers."""
    shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & _STARRED)
    return keys.digest(
        repr(shape).encode(),
        code.co_code,
        code.co_exceptiontable,
        *(name.encode() for name in (*code.co_names, *code.co_varnames, *code.co_freevars)),
        *(_of_code(const) if isinstance(const, CodeType) else keys.of_value(const, "a constant") for const in code.co_consts),
    )
