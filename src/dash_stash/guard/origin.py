"""Whose code something is: the app's, or a library's."""

from __future__ import annotations

import functools
import os
import site
import sys
import sysconfig
from types import CodeType
from typing import Final

_OWN: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_DEMO: Final = os.path.join(_OWN, "demo")


@functools.cache
def _library_folders() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {sysconfig.get_path(name) for name in names} | {*site.getsitepackages(), site.getusersitepackages(), _OWN}
    return tuple(sorted({os.path.join(os.path.realpath(folder), "") for folder in folders}))


@functools.lru_cache(4096)
def is_app_file(path: str) -> bool:
    """Tell whether the code in the file is the app's; code without a file (a notebook's, an interactive one's) is."""
    if path.startswith("<frozen "):
        return False
    real = os.path.realpath(path)
    # The gallery is an app, which happens to be installed with the library.
    return os.path.dirname(real).startswith(_DEMO) or not real.startswith(_library_folders())


def is_app_code(code: CodeType) -> bool:
    """Tell whether the code is the app's."""
    return is_app_file(code.co_filename)


@functools.lru_cache(4096)
def is_app_module(name: str) -> bool:
    """Tell whether the module of this name is the app's."""
    if name == "builtins" or name in sys.builtin_module_names:
        return False
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is None or is_app_file(file)


def is_app_class(cls: type) -> bool:
    """Tell whether the class is written in the app."""
    return is_app_module(cls.__module__)


def own_dict(value: object) -> dict[str, object]:
    """Return the attributes that an object keeps in a dict, without running its own way to look them up."""
    try:
        found: dict[str, object] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found


def is_proxy_class(cls: type) -> bool:
    """Tell whether objects of the class say that they are of another one: proxies and mocks run code whatever they are asked."""
    return any("__class__" in vars(base) for base in cls.__mro__ if base is not object)
