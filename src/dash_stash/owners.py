"""Whose a folder is: apps that meet in one are warned, and what its process left is removed."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pathlib
import shutil
from dataclasses import dataclass

from dash_stash import naming, private_files
from dash_stash.naming import Name
from dash_stash.stores.local.locks import LockFile, lock, opened

_log = logging.getLogger("dash_stash")

_LONGEST = 2**14  # bytes of a record

# As long as this process lives.
_alive: list[LockFile] = []


@dataclass(frozen=True, slots=True)
class _Owner:
    """The app that was the first in a place."""

    file: str
    is_given: bool


def claim(place: pathlib.Path, name: Name) -> None:
    """Note who stores in *place*; log a warning if another app, by its file, has come by that name.

    What stands there was not sealed: it decides about nothing but that warning.
    """
    with contextlib.suppress(OSError):  # no room for a note is no reason not to start
        if name.is_passing:
            _stay_alive(place)
            _remove_left(place)
        elif name.file is not None:
            _note(place / "owner", _Owner(str(name.file), name.is_given))


def _note(path: pathlib.Path, own: _Owner) -> None:
    other = _read(path)
    if other == own:
        return
    if other is not None and _is_another(own, other):
        _log.warning(
            "two apps are called %r on this machine and share what they store in %s: %s, and this "
            "one, %s. Give each a name of its own, Stash(name=...) or %s; if they are one app, give "
            "both the same.",
            path.parent.name,
            path.parent,
            other.file,
            own.file,
            naming.VARIABLE,
        )
        if not own.is_given:
            return
    path.unlink(missing_ok=True)
    with contextlib.suppress(FileExistsError):  # another worker was faster
        private_files.create_whole(path, json.dumps([own.file, own.is_given]).encode())


def _is_another(own: _Owner, other: _Owner) -> bool:
    """Whether *other* is a different app, which is still there and has not chosen to be the same."""
    is_agreed = own.is_given and other.is_given
    return own.file != other.file and not is_agreed and os.path.exists(other.file)


def _read(path: pathlib.Path) -> _Owner | None:
    try:
        file, is_given = json.loads(private_files.read_file(path, _LONGEST))
    except (OSError, ValueError, TypeError):
        return None
    is_ours = isinstance(file, str) and file.isprintable() and isinstance(is_given, bool)
    return _Owner(file, is_given) if is_ours else None


def _stay_alive(place: pathlib.Path) -> None:
    held = lock(place / "alive", wait=False)
    if held is not None:  # else by another Stash of this process
        _alive.append(held)


def _remove_left(place: pathlib.Path) -> None:
    """Remove the places beside *place* whose processes are gone: nobody will ask for them again."""
    for left in place.parent.glob(f"{naming.PASSING}*"):
        with contextlib.suppress(OSError):  # not there any more, or no folder of ours
            file = opened(LockFile, left / "alive", os.O_RDONLY)
            if file.take(wait=False):
                with contextlib.closing(file):
                    shutil.rmtree(left, ignore_errors=True)
