"""What an app is called: as told, or as the module that makes its Stash.

Apps of one name are one.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pathlib
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

from dash_stash import modules
from dash_stash.errors import ConfigError

VARIABLE = "DASH_STASH_NAME"

PASSING = "interactive~"
"""How names begin that nobody else will have: of a process that no file is known of."""

_LONGEST = 100
_FORM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_OURS = frozenset({__name__, "dash_stash.stash"})


@dataclass(frozen=True, slots=True)
class Name:
    """What an app is called, and why."""

    text: str
    """Letters, digits and _ . -, or with a ~ that no name has that somebody gave."""

    file: pathlib.Path | None
    """The file that makes the Stash; None if it is not known."""

    is_given: bool = False
    """Whether somebody has chosen it: then different files mean to be one app."""

    @property
    def is_passing(self) -> bool:
        """Whether it ends with this process."""
        return self.text.startswith(PASSING)


def find(given: str | None) -> Name:
    """Return the name that is *given*, or DASH_STASH_NAME, or that of the module that makes a Stash.

    Raises:
        ConfigError: It cannot be a name.
    """
    variables = _maker()
    file = variables.get("__file__")
    place = pathlib.Path(file).resolve() if isinstance(file, str) else None
    text = chosen(given)
    if text is not None:
        return Name(text, place, is_given=True)
    if place is not None:
        return Name(of_file(place), place)
    notebook = _notebook(variables)
    if notebook is None:
        return Name(PASSING + _token(), None)
    return Name(_distinct(notebook.name, str(notebook)), notebook)


def chosen(given: str | None) -> str | None:
    """Return the name that is *given*, or that DASH_STASH_NAME gives; None if neither.

    Raises:
        ConfigError: It cannot be a name.
    """
    text = os.environ.get(VARIABLE) or None if given is None else given
    if text is None or (isinstance(text, str) and _is_name(text)):
        return text
    raise ConfigError(
        f"{VARIABLE if given is None else 'name'}={text!r} cannot be a name: write letters from A to Z, digits and _ . -, "
        f'{_LONGEST} at most, the first of them a letter, a digit or _, as in name="sales-report"'
    )


def of_file(file: pathlib.Path) -> str:
    """Return the name of an app whose Stash is made in *file*, run as a script or imported."""
    name = modules.dotted(file.resolve())
    return name if _is_name(name) else _distinct(name, name)


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST and _FORM.fullmatch(text) is not None


def _maker() -> Mapping[str, Any]:
    """The variables of the module whose code makes the Stash, somewhere below us on the stack."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") in _OURS:
        frame = frame.f_back
    return {} if frame is None else frame.f_globals


def _notebook(variables: Mapping[str, Any]) -> pathlib.Path | None:
    """The notebook that this process is the kernel of, where that is known."""
    file = variables.get("__vsc_ipynb_file__")  # VS Code
    if file is None:
        file = os.environ.get("JPY_SESSION_NAME")  # Jupyter's server
        if file is None or _is_inherited("JPY_SESSION_NAME", file):
            return None
    return pathlib.Path(file)


def _is_inherited(name: str, value: str) -> bool:
    """Whether an environment variable was this process's parent's already.

    What a kernel has started is not that kernel's notebook.
    """
    try:
        environment = pathlib.Path(f"/proc/{os.getppid()}/environ").read_bytes()
    except OSError:
        return True  # not known
    return os.fsencode(f"{name}={value}") in environment.split(b"\0")


@functools.cache
def _token() -> str:
    """What tells this process, and those that it forks from now on, from all others."""
    return secrets.token_hex(6)


def _distinct(name: str, whole: str) -> str:
    """A name that tells what it stands for and is that of *whole* alone."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip(".-")[:80] or "app"
    return f"{plain}~{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
