"""The names of modules as their place in the file system says: the same for a program that runs and for those who import it."""

from __future__ import annotations

import pathlib
import sys


def dotted(file: pathlib.Path) -> str:
    """Return the dotted name under which the module in *file*, a resolved path, is imported."""
    names = [file.stem]
    folder = file.parent
    while (folder / "__init__.py").exists():
        names.append(folder.name)
        folder = folder.parent
    return ".".join(name for name in reversed(names) if name != "__init__")


def main_name() -> str | None:
    """Return the name under which others import the program that runs as `__main__`.

    None for an interactive session.
    """
    file = getattr(sys.modules["__main__"], "__file__", None)
    return None if file is None else dotted(pathlib.Path(file).resolve())
