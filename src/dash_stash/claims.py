"""Claims of folders: warns if two apps use the same folder, and removes dead folders.

A folder with a name for one process only is dead when that process has ended.
"""

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

# Held until this process ends.
_alive: list[LockFile] = []


@dataclass(frozen=True, slots=True)
class _Claim:
    """The app that claimed a folder first."""

    file: str
    is_given: bool


def claim(place: pathlib.Path, name: Name) -> None:
    """Note which app stores in *place*; log a warning if another app has the same name.

    Apps differ by their files. The note is not sealed, because only the warning depends on it.
    """
    with contextlib.suppress(OSError):  # an app starts even on a full disk
        if name.is_passing:
            _stay_alive(place)
            _remove_left(place)
        elif name.file is not None:
            _note(place / "owner", _Claim(str(name.file), name.is_given))


def _note(path: pathlib.Path, own: _Claim) -> None:
    other = _read(path)
    if other == own:
        return
    if other is not None and _is_another(own, other):
        _log.warning(
            "two apps on this machine have the name %r and share the data in %s: %s, and this "
            "one, %s. Give them different names with Stash(name=...) or %s; if they are one app, "
            "give both the same name there.",
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


def _is_another(own: _Claim, other: _Claim) -> bool:
    """Return whether *other* is a different app that still exists, with the same name by chance."""
    is_agreed = own.is_given and other.is_given
    return own.file != other.file and not is_agreed and os.path.exists(other.file)


def _read(path: pathlib.Path) -> _Claim | None:
    try:
        file, is_given = json.loads(private_files.read_file(path, _LONGEST))
    except (OSError, ValueError, TypeError):
        return None
    is_ours = isinstance(file, str) and file.isprintable() and isinstance(is_given, bool)
    return _Claim(file, is_given) if is_ours else None


def _stay_alive(place: pathlib.Path) -> None:
    held = lock(place / "alive", wait=False)
    if held is not None:  # else another Stash of this process holds it
        _alive.append(held)


def _remove_left(place: pathlib.Path) -> None:
    """Remove the folders beside *place* whose processes have ended: nobody can use them."""
    for left in place.parent.glob(f"{naming.PASSING}*"):
        with contextlib.suppress(OSError):  # removed meanwhile, or not a folder of ours
            file = opened(LockFile, left / "alive", os.O_RDONLY)
            if file.take(wait=False):
                with contextlib.closing(file):
                    shutil.rmtree(left, ignore_errors=True)
