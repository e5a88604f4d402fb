"""Running functions in processes of their own, and small disks."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from support import must, start_python

_RUN = """
import importlib, json, sys
module, name, arguments = sys.argv[1:]
answer = getattr(importlib.import_module(module), name)(*json.loads(arguments))
print(json.dumps(answer), flush=True)
"""


def start(
    job: Callable[..., Any], *arguments: object, within: Sequence[str] = (), **environment: str
) -> subprocess.Popen[str]:
    """Start a process that calls *job*, a function of a module in apps/, with plain *arguments*.

    *within* what the command says.
    """
    texts = json.dumps(arguments, default=str)
    return start_python(_RUN, job.__module__, job.__name__, texts, within=within, **environment)


def result(process: subprocess.Popen[str], seconds: float = 120) -> Any:
    """Wait for the job's end and return what it returned."""
    try:
        printed, _ = process.communicate(timeout=seconds)
    finally:
        process.kill()
    assert process.returncode == 0, f"the job ended with {process.returncode}"
    return json.loads(printed.splitlines()[-1])


def ask(process: subprocess.Popen[str], line: str = "") -> str:
    """Send a line to a job that answers lines by lines."""
    must(process.stdin).write(f"{line}\n")
    must(process.stdin).flush()
    return must(process.stdout).readline().rstrip("\n")


class Ballast:
    """A file that takes all room of a small disk, or none."""

    def __init__(self, disk: pathlib.Path) -> None:
        self._file = disk / "ballast"

    def fill(self) -> None:
        with self._file.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def empty(self) -> None:
        self._file.unlink(missing_ok=True)


@contextlib.contextmanager
def full_disk(place: pathlib.Path, size: str = "8m") -> Iterator[Ballast]:
    """Mount a small disk, full for now.

    This needs root, and where tests are the gate it must be there.
    """
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        ballast = Ballast(place)
        ballast.fill()
        yield ballast
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
