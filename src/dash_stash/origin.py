"""Whether a file or module is the app's, or a library's."""

from __future__ import annotations

import functools
import os
import pathlib
import site
import sys
import sysconfig
from types import ModuleType
from typing import Final

_OWN: Final = os.path.dirname(os.path.abspath(__file__))
_DEMO: Final = os.path.join(_OWN, "demo")
_FOLDERS: Final = frozenset({"site-packages", "dist-packages"})


@functools.cache
def _library_folders() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {sysconfig.get_path(name) for name in names}
    folders |= {*site.getsitepackages(), site.getusersitepackages(), _OWN}
    return tuple(sorted({os.path.join(os.path.realpath(folder), "") for folder in folders}))


@functools.lru_cache(4096)
def is_app_file(path: str) -> bool:
    """Return whether the code of a file is the app's, and not a library's.

    Code without a file is the app's: that of a notebook or an interactive session.
    """
    if path.startswith("<frozen "):
        return False
    real = os.path.realpath(path)
    # The gallery is an app, although it is installed with the library.
    return os.path.dirname(real).startswith(_DEMO) or not (
        real.startswith(_library_folders()) or _FOLDERS.intersection(pathlib.PurePath(real).parts)
    )


def is_app_module(name: str, package: str = "") -> bool:
    """Return whether the module of this name is the app's, or belongs to *package*."""
    if name == "builtins" or name in sys.builtin_module_names:
        return False
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is None or is_app_file(file) or belongs(name, file, package)


def app_modules(package: str) -> list[ModuleType]:
    """Return the modules of the app, and of *package*, that are loaded from files."""
    found = []
    for module in tuple(sys.modules.values()):
        # Not by `vars`: it would load a module that is loaded when it is first used.
        space = (
            object.__getattribute__(module, "__dict__")
            if issubclass(type(module), ModuleType)
            else {}
        )
        name, file = space.get("__name__"), space.get("__file__")
        if isinstance(file, str) and (
            _is_app_folder(os.path.dirname(file)) or belongs(str(name), file, package)
        ):
            found.append(module)
    return found


@functools.lru_cache(4096)
def _is_app_folder(path: str) -> bool:
    return is_app_file(os.path.join(path, "module.py"))


def belongs(module: str, file: str, package: str) -> bool:
    """Return whether a module is in *package*, which is an app, wherever it is installed."""
    if module.partition(".")[0] != package:
        return False
    return not os.path.realpath(file).startswith(os.path.join(os.path.realpath(_OWN), ""))
