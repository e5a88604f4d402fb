"""The name of an app: given by the user, or else the module that makes its Stash.

Apps with one name are one app.
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
"""The beginning of a name for one process only, whose code has no known file."""

_LONGEST = 100
_FORM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_OURS = frozenset({__name__, "dash_stash.stash"})


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an app, and where it comes from."""

    text: str
    """Letters, digits and _ . -; a name that nobody gave may contain a ~."""

    file: pathlib.Path | None
    """The file that makes the Stash; None if it is unknown."""

    is_given: bool = False
    """Whether the user gave it: then different files with one name are one app on purpose."""

    @property
    def is_passing(self) -> bool:
        """Whether it ends with this process."""
        return self.text.startswith(PASSING)


def find(given: str | None) -> Name:
    """Return the *given* name, else DASH_STASH_NAME, else the name of the calling module.

    Raises:
        ConfigError: The text cannot be a name.
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
    """Return the *given* name, else DASH_STASH_NAME; None if there is neither.

    Raises:
        ConfigError: The text cannot be a name.
    """
    text = os.environ.get(VARIABLE) or None if given is None else given
    if text is None or (isinstance(text, str) and _is_name(text)):
        return text
    raise ConfigError(
        f"{VARIABLE if given is None else 'name'}={text!r} cannot be a name: "
        f"write at most {_LONGEST} letters from A to Z, digits and _ . -, "
        'and begin with a letter, a digit or _, as in name="sales-report"'
    )


def of_file(file: pathlib.Path) -> str:
    """Return the name of an app whose Stash is made in *file*, run as a script or imported."""
    name = modules.dotted(file.resolve())
    return name if _is_name(name) else _distinct(name, name)


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST and _FORM.fullmatch(text) is not None


def _maker() -> Mapping[str, Any]:
    """Return the variables of the module that makes the Stash: the first caller outside of ours."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") in _OURS:
        frame = frame.f_back
    return {} if frame is None else frame.f_globals


def _notebook(variables: Mapping[str, Any]) -> pathlib.Path | None:
    """Return the notebook that this process is the kernel of, or None if it is unknown."""
    file = variables.get("__vsc_ipynb_file__")  # VS Code
    if file is None:
        file = os.environ.get("JPY_SESSION_NAME")  # Jupyter's server
        if file is None or _is_inherited("JPY_SESSION_NAME", file):
            return None
    return pathlib.Path(file)


def _is_inherited(name: str, value: str) -> bool:
    """Return whether the parent of this process has the same environment variable.

    A process that a kernel has started is not the kernel of the notebook itself.
    """
    try:
        environment = pathlib.Path(f"/proc/{os.getppid()}/environ").read_bytes()
    except OSError:
        return True  # unknown
    return os.fsencode(f"{name}={value}") in environment.split(b"\0")


@functools.cache
def _token() -> str:
    """Return a text that only this process has, and the processes that it forks from now on."""
    return secrets.token_hex(6)


def _distinct(name: str, whole: str) -> str:
    """Return a readable name that is unique for *whole*."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip(".-")[:80] or "app"
    return f"{plain}~{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
