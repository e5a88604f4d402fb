"""The modules of a program, found on disk as Python's imports would find them."""

from __future__ import annotations

import ast
import os
import pathlib
import warnings
from dataclasses import dataclass

from dash_stash.lint.source.definitions import Module


@dataclass(frozen=True)
class UnreadableFile:
    """A file that cannot be read, or is not Python."""

    path: str
    line: int
    reason: str


class Program:
    """The modules that were given, and those that they import from beside them."""

    def __init__(self) -> None:
        """Start with no module."""
        self.unreadable: list[UnreadableFile] = []
        self._modules: dict[str, Module | None] = {}
        self._found: dict[tuple[str, str], Module | None] = {}
        self._roots: list[str] = []

    def add_root(self, folder: pathlib.Path) -> None:
        """Search *folder* for what the modules import."""
        for root in (str(folder), str(folder / "src")):
            if root not in self._roots and os.path.isdir(root):
                self._roots.append(root)

    def load(self, path: str, shown: str | None = None) -> Module | None:
        """Return the module in the file *path*; None, and a note, if it cannot be read."""
        if path not in self._modules:
            self._modules[path] = None
            self._modules[path] = self._read(path, shown or os.path.relpath(path))
        return self._modules[path]

    def _read(self, path: str, shown: str) -> Module | None:
        file = pathlib.Path(path)
        try:
            text = _decoded(file.read_bytes())
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what the compiler thinks of others' escapes
                return Module(file, shown, text, ast.parse(text))
        except SyntaxError as error:
            self.unreadable.append(UnreadableFile(shown, error.lineno or 1, error.msg))
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            self.unreadable.append(UnreadableFile(shown, 1, str(error) or type(error).__name__))
        return None

    def find(self, importer: Module, dotted: str, level: int = 0) -> Module | None:
        """Return the module that *importer* means by this name; None if it is a library's."""
        folder = str(importer.path.parent)
        if level:
            for _ in range(level - 1):
                folder = os.path.dirname(folder)
            return self._in(folder, dotted)
        return next(
            (
                found
                for base in self._bases(folder)
                if (found := self._in(base, dotted)) is not None
            ),
            None,
        )

    def _bases(self, folder: str) -> list[str]:
        """Return the folders in which absolute imports are looked up.

        The importer's folder and those around it, up to a root that was given.
        """
        bases = [folder]
        while any(folder.startswith(root + os.sep) for root in self._roots):
            folder = os.path.dirname(folder)
            bases.append(folder)
        return [*bases, *(root for root in self._roots if root not in bases)]

    def _in(self, folder: str, dotted: str) -> Module | None:
        if (folder, dotted) not in self._found:
            self._found[folder, dotted] = self._look(folder, dotted)
        return self._found[folder, dotted]

    def _look(self, folder: str, dotted: str) -> Module | None:
        path = os.path.join(folder, *dotted.split(".")) if dotted else folder
        for candidate in (os.path.join(path, "__init__.py"), path + ".py"):
            if os.path.isfile(candidate):
                return self.load(candidate)
        return self._package(path) if dotted and _is_package(path) else None

    def _package(self, folder: str) -> Module:
        """Return a package that has no file of its own."""
        path = os.path.join(folder, "__init__.py")
        known = self._modules.get(path)
        if known is None:
            known = self._modules[path] = Module(
                pathlib.Path(path), os.path.relpath(path), "", ast.parse("")
            )
        return known

    def submodule(self, package: Module, name: str) -> Module | None:
        """Return the module *name* of a package."""
        return (
            self._in(str(package.path.parent), name) if package.path.name == "__init__.py" else None
        )


def _is_package(path: str) -> bool:
    return os.path.isdir(path) and any(entry.endswith(".py") for entry in os.listdir(path))


def _decoded(source: bytes) -> str:
    """Return the text of a file of Python, of whatever encoding it says it has."""
    import io
    import tokenize

    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    return io.TextIOWrapper(io.BytesIO(source), encoding, newline=None).read()
