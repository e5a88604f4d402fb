"""Whose code a file holds: the app's, or a library's."""

from __future__ import annotations

import functools
import os
import pathlib
import site
import sys
import sysconfig
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
    """Tell whether the code in the file is the app's.

    Code without a file (a notebook's, an interactive one's) is.
    """
    if path.startswith("<frozen "):
        return False
    real = os.path.realpath(path)
    # The gallery is an app, which happens to be installed with the library.
    return os.path.dirname(real).startswith(_DEMO) or not (
        real.startswith(_library_folders()) or _FOLDERS.intersection(pathlib.PurePath(real).parts)
    )


def is_app_module(name: str, package: str = "") -> bool:
    """Tell whether the module of this name is the app's, or belongs to *package*."""
    if name == "builtins" or name in sys.builtin_module_names:
        return False
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is None or is_app_file(file) or belongs(name, file, package)


def belongs(module: str, file: str, package: str) -> bool:
    """Tell whether a module is a part of *package*, which is an app wherever it is installed."""
    is_ours = os.path.realpath(file).startswith(os.path.join(os.path.realpath(_OWN), ""))
    return module.partition(".")[0] == package and not is_ours
