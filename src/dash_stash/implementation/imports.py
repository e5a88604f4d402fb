"""The modules that an `import` within a function means, imported before the function runs."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType

from dash_stash.bytecode import Import
from dash_stash.implementation.bindings import Namespace
from dash_stash.origin import is_app_file, is_app_module


def imported_by(namespace: Namespace, statement: Import, package: str) -> Iterator[ModuleType]:
    """Yield the modules of the app that an `import` in the code of a module means.

    They are imported, so that all processes see the same, whether the function has run or not.
    `from . import rates` may mean a variable of the package, or a module in it.
    """
    level, name, wanted = statement
    try:
        full_name = importlib.util.resolve_name(
            "." * level + name, namespace.get("__package__") or ""
        )
    except ImportError:
        return
    for each in (full_name, *(f"{full_name}.{part}" for part in wanted)):
        module = sys.modules.get(each) or _import(each, package)
        if module is None:
            continue
        if is_app_module(module.__name__, package):
            yield module
        if not hasattr(module, "__path__"):
            return


def _import(name: str, package: str) -> ModuleType | None:
    top = name.partition(".")[0]
    try:
        spec = importlib.util.find_spec(top) if top else None
        if spec is None or not (top == package or is_app_file(spec.origin or "")):
            return None
        return importlib.import_module(name)
    except Exception:  # noqa: BLE001 (whatever the module raises, the function will meet it itself)
        return None
