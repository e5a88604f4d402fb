"""How long `dash-stash check` takes to start, against Python with what it cannot do without."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

from bench.report import Demand, Section
from bench.timing import Call, race

_CHECK = "from dash_stash.cli import main; main(['check'], standalone_mode=False)"


def starting(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield the time of a check that finds no file, against that of its two imports."""
    empty = folder / "empty"
    empty.mkdir()
    calls = {
        "dash-stash check": _python(_CHECK, empty),
        "import ast, click": _python("import ast, click", empty),
    }
    timed = race(calls, 10 if quick else 40)
    ratio = timed.ratio("dash-stash check", "import ast, click")
    demand = Demand("against `import ast, click`", ratio, 2)
    yield Section("The start of dash-stash check", [demand], timed.spreads())


def _python(code: str, folder: pathlib.Path) -> Call:
    """Return a run of *code* in a process of its own, with compiled modules as users have them."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder.parent / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return lambda: subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, check=True
    )
