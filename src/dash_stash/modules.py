"""The names of modules by their place in the file system: also of the program that runs."""

from __future__ import annotations

import pathlib
import sys


def dotted(file: pathlib.Path) -> str:
    """Return the dotted name by which the module in *file*, a resolved path, is imported."""
    names = [file.stem]
    folder = file.parent
    while (folder / "__init__.py").exists():
        names.append(folder.name)
        folder = folder.parent
    return ".".join(name for name in reversed(names) if name != "__init__")


def main_name() -> str | None:
    """Return the name by which others import the program that runs as `__main__`.

    None in an interactive session.
    """
    file = getattr(sys.modules["__main__"], "__file__", None)
    return None if file is None else dotted(pathlib.Path(file).resolve())
