"""Small apps that tests write into folders, import, and run."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import types
from collections.abc import Callable

Deploy = Callable[..., types.FunctionType]
Files = dict[str, str]


def write(folder: pathlib.Path, files: Files) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def edited(files: Files, old: str, new: str) -> Files:
    changed = {name: text.replace(old, new) for name, text in files.items()}
    assert changed != files, f"{old!r} is not in the app"
    return changed


PRINT = (
    "from dash_stash.implementation import of_function, unseen; "
    "print(of_function(f).hex(), unseen(f))"
)


def answer(folder: pathlib.Path, *arguments: str, **environment: str) -> str:
    """Run Python in the app's folder, and return what it printed."""
    command = [sys.executable, *arguments]
    found = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return found.stdout.strip()
