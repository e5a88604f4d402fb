"""Finds the files of Python under the paths that are given."""

from __future__ import annotations

import fnmatch
import os
import pathlib
from collections.abc import Iterator, Sequence

SKIPPED = frozenset(
    {"node_modules", "__pycache__", "site-packages", "venv", "env", "build", "dist"}
)
"""Folders that hold other people's code, or no source; hidden ones are skipped too."""


def files(path: pathlib.Path, exclude: Sequence[str] = ()) -> Iterator[pathlib.Path]:
    """Return the files to check under *path*.

    A file that is given by name is always one of them.
    """
    if path.is_file():
        yield path
        return
    for folder, names, entries in os.walk(path):
        here = pathlib.Path(folder)
        names[:] = sorted(
            name
            for name in names
            if not _is_skipped(here / name) and not matches(here / name, exclude)
        )
        for entry in sorted(entries):
            if entry.endswith(".py") and not matches(here / entry, exclude):
                yield here / entry


def _is_skipped(folder: pathlib.Path) -> bool:
    return (
        folder.name.startswith(".") or folder.name in SKIPPED or (folder / "pyvenv.cfg").is_file()
    )


def matches(path: pathlib.Path, patterns: Sequence[str]) -> bool:
    """Return whether a path, or the end of one, matches one of the patterns."""
    text = path.as_posix()
    return any(
        fnmatch.fnmatch(text, pattern) or fnmatch.fnmatch(text, f"*/{pattern}")
        for pattern in (p.rstrip("/") for p in patterns)
    )


def is_test(path: pathlib.Path, given: pathlib.Path) -> bool:
    """Return whether a file is test code, by its name and the folders below the given path."""
    name = path.name
    inside = (
        path.relative_to(given).parent.parts
        if given != path and path.is_relative_to(given)
        else path.parent.parts
    )
    if path.is_absolute() and given == path:
        inside = ()
    return (
        name.startswith("test_")
        or name.endswith("_test.py")
        or name == "conftest.py"
        or not {"tests", "test"}.isdisjoint(inside)
    )
