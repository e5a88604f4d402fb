"""Folders of this machine: where each app's data lies, and where this user's caches lie."""

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
    """Return the folder of the app that is written in *module*, however that was imported."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return (
        file_folder(pathlib.Path(file))
        if file
        else _caches() / f"{_plain(module)}-{short(os.getcwd())}"
    )


def file_folder(file: pathlib.Path) -> pathlib.Path:
    """Return the folder of the app that is written in *file*."""
    path = file.resolve()
    name = path.parent.name if path.stem == "__init__" else path.stem
    return _caches() / f"{_plain(name)}-{short(str(path))}"


def named_folder() -> pathlib.Path:
    """Return the folder of the apps that have a name: it does not matter where they are written."""
    return _caches() / "named"


def of_url(url: StoreURL) -> pathlib.Path:
    """Return the folder that a URL names, or that of what this machine has of a server.

    Apps of all names have theirs in it.
    """
    if url.scheme == "file":
        return url.file_path
    if url.scheme not in _REDIS:
        # Only its maker knows which options tell data apart.
        place = repr([url.hosts, url.path, sorted(url.options.items())])
        return _caches() / f"near-{url.scheme}-{short(place)}"
    # Not the password, nor how the server is spoken to: with another one the copies are as good.
    told_apart = [url.options.get(name) for name in ("db", "prefix")]
    lists = [text if text is None else [text] for text in told_apart]
    return _caches() / f"near-{short(repr([url.hosts, url.path, *lists]))}"


def of_app(file: pathlib.Path | None, name: str | None, url: StoreURL | None) -> list[pathlib.Path]:
    """Return where the app of that name, or written in *file*, stores its data.

    Without both, where all apps of this user have stored some. *url* is what DASH_STASH_URL says.

    Raises:
        ConfigError: The name cannot be one.
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
    # By another name if its Stash is made in another file than the app.
    return _used(own, "*") or [own / naming.of_file(file)]


def _used(folder: pathlib.Path, pattern: str) -> list[pathlib.Path]:
    """The folders of stores below a folder, of those that have stored something."""
    return sorted(slots.parent for slots in folder.glob(f"{pattern}/slots"))


def _caches() -> pathlib.Path:
    return _first_usable(os.environ.get("XDG_CACHE_HOME"), "~/.cache", "cache")


def states() -> pathlib.Path:
    """Return the folder for what is to stay, and is no cache."""
    return _first_usable(os.environ.get("XDG_STATE_HOME"), "~/.local/state", "state")


def _first_usable(*places: str | None) -> pathlib.Path:
    """The user's folder of that kind; for a user without a home, one beside the temporary files."""
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
        f"no folder of this user can be written to: set {urls.VARIABLE} and {SECRET_VARIABLE}"
    )


def _is_private(folder: pathlib.Path, within: str = "") -> bool:
    """Whether only this user can change what lies in *folder*.

    Of a parent it is asked only below the shared temporary folder.
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
