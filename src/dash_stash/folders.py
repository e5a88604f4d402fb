"""The folders on this machine for the data of each app, and for the caches of this user."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import re
import stat
import sys
import tempfile

from dash_stash import naming, urls
from dash_stash.errors import ConfigError
from dash_stash.seal import SECRET_VARIABLE
from dash_stash.urls import StoreURL

_REDIS = frozenset({"redis", "rediss", "valkey", "valkeys", "unix"})


def app_folder(module: str) -> pathlib.Path:
    """Return the folder of the app in *module*, whatever name the module was imported by."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return (
        file_folder(pathlib.Path(file))
        if file
        else _caches() / f"{_plain(module)}-{short(os.getcwd())}"
    )


def file_folder(file: pathlib.Path) -> pathlib.Path:
    """Return the folder of the app in *file*."""
    path = file.resolve()
    name = path.parent.name if path.stem == "__init__" else path.stem
    return _caches() / f"{_plain(name)}-{short(str(path))}"


def named_folder() -> pathlib.Path:
    """Return the parent folder of apps with a given name, wherever their code is."""
    return _caches() / "named"


def of_url(url: StoreURL) -> pathlib.Path:
    """Return the folder of a `file:` URL, or the folder of a server's near cache.

    Each app has its own folder inside it.
    """
    if url.scheme == "file":
        return url.file_path
    if url.scheme not in _REDIS:
        # Only the store's author knows which options separate data.
        place = repr([url.hosts, url.path, sorted(url.options.items())])
        return _caches() / f"near-{url.scheme}-{short(place)}"
    # The password and the kind of connection do not matter: the copies are the same.
    told_apart = [url.options.get(name) for name in ("db", "prefix")]
    lists = [text if text is None else [text] for text in told_apart]
    return _caches() / f"near-{short(repr([url.hosts, url.path, *lists]))}"


def of_app(file: pathlib.Path | None, name: str | None, url: StoreURL | None) -> list[pathlib.Path]:
    """Return the folders where the app called *name*, or the app in *file*, stores its data.

    Without both, return all folders where apps of this user have stored data. *url* is the value
    of DASH_STASH_URL.

    Raises:
        ConfigError: *name* cannot be a name.
    """
    folder = None if url is None else of_url(url)
    name = naming.chosen(name)
    if name is not None:
        return [(folder or named_folder()) / name]
    if file is None:
        return _used(folder, "*") if folder else _used(_caches(), "*/*")
    if folder:
        return [folder / naming.of_file(file)]
    own = file_folder(file)
    # The name differs if another file than the app's makes the Stash.
    return _used(own, "*") or [own / naming.of_file(file)]


def _used(folder: pathlib.Path, pattern: str) -> list[pathlib.Path]:
    """Return the folders of stores below a folder, if they have stored something."""
    return sorted(slots.parent for slots in folder.glob(f"{pattern}/slots"))


def _caches() -> pathlib.Path:
    return _first_usable(os.environ.get("XDG_CACHE_HOME"), "~/.cache", "cache")


def states() -> pathlib.Path:
    """Return the folder for data that must stay: it is not a cache."""
    return _first_usable(os.environ.get("XDG_STATE_HOME"), "~/.local/state", "state")


def _first_usable(*places: str | None) -> pathlib.Path:
    """Return the user's folder of this kind; without a home, one beside the temporary files."""
    *wanted, kind = places
    lasting = (
        pathlib.Path("/var/tmp")  # noqa: S108
        if os.path.isdir("/var/tmp")  # noqa: S108
        else pathlib.Path(tempfile.gettempdir())
    )
    for place in (*wanted, str(lasting / f"dash-stash-{os.getuid()}" / str(kind))):
        if place:
            folder = pathlib.Path(place).expanduser() / "dash-stash"
            with contextlib.suppress(OSError, RuntimeError):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if (
                    os.access(folder, os.W_OK | os.X_OK)
                    and _is_private(folder)
                    and _is_private(folder.parent.parent, place)
                ):
                    return folder
    raise ConfigError(
        f"this user cannot write to any folder: set {urls.VARIABLE} and {SECRET_VARIABLE}"
    )


def _is_private(folder: pathlib.Path, within: str = "") -> bool:
    """Return whether only this user can change what is in *folder*.

    A parent folder is checked only below the shared temporary folder.
    """
    if within and not within.startswith("/var/tmp/"):  # noqa: S108 (others share it)
        return True
    status = folder.lstat()
    return (
        stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
    )


def short(text: str) -> str:
    """Return a short digest, for names of files."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip(".-") or "app"
