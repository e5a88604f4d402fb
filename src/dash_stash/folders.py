"""Where things lie on this machine: each app's folder, and the secret that seals what is in it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import pathlib
import re
import secrets
import stat
import sys
import tempfile
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from dash_stash import naming
from dash_stash.errors import ConfigError

URL_VARIABLE = "DASH_STASH_URL"
SECRET_VARIABLE = "DASH_STASH_SECRET"  # noqa: S105 (a variable's name)

FORMS = 'write "file:///an/absolute/folder", or "redis://host:6379/0"'

_OF_WINDOWS = re.compile(r"(file:/*)?[A-Za-z]:[\\/]")
_SERVER = re.compile(r"(redis|valkey)s?(\+\w+)?://|unix://", re.IGNORECASE)


def app_folder(module: str) -> pathlib.Path:
    """Return the folder of the app that is written in *module*, however that was imported."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return (
        file_folder(pathlib.Path(file))
        if file
        else _caches() / f"{_plain(module)}-{_short(os.getcwd())}"
    )


def file_folder(file: pathlib.Path) -> pathlib.Path:
    """Return the folder of the app that is written in *file*."""
    place = file.resolve()
    return (
        _caches()
        / f"{_plain(place.parent.name if place.stem == '__init__' else place.stem)}-{_short(str(place))}"
    )


def named_folder() -> pathlib.Path:
    """Return the folder of the apps that were given a name: it does not depend on where they are written."""
    return _caches() / "named"


def stores(file: pathlib.Path | None, name: str | None) -> list[pathlib.Path]:
    """Return where the app of that name, or written in *file*, stores its data.

    Without both, where all apps of this user have.

    Raises:
        ConfigError: DASH_STASH_URL is set and is no store, or the name cannot be one.
    """
    url = os.environ.get(URL_VARIABLE)
    folder = None if not url else near_folder(url) if is_server(url) else parse_url(url)[0]
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
    """The stores below a folder in which something was stored."""
    return sorted(slots.parent for slots in folder.glob(f"{pattern}/slots"))


def is_server(url: str) -> bool:
    """Whether a URL names a server that many machines share, not a folder."""
    return _SERVER.match(url) is not None


def parse_url(url: str) -> tuple[pathlib.Path, bool]:
    """Return the folder that a `file:` URL names, and whether it may be on a network file system (`?network=1`).

    Raises:
        ConfigError: It is no such URL.
    """
    parts = split_url(url)
    folder = pathlib.Path(unquote(parts.path))
    if _OF_WINDOWS.match(url):
        raise ConfigError(
            f"url={url!r} names a folder of Windows, and this is {sys.platform}: {FORMS}"
        )
    if url and not parts.scheme and "@" not in url:  # else perhaps with a password
        raise ConfigError(
            f"url={url!r} is a path, and should be a URL: write {pathlib.Path(url).expanduser().absolute().as_uri()!r}"
        )
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not folder.is_absolute():
        raise ConfigError(f"url={shown(url)!r} is not a store: {FORMS}")
    options = parse_qs(parts.query)
    unknown = options.keys() - {"network"}
    if unknown:
        raise ConfigError(
            f"url={shown(url)!r}: there is no option {', '.join(sorted(unknown))}; there is network=1"
        )
    return folder, options.get("network") == ["1"]


def shown(url: str) -> str:
    """Return a URL for people: without passwords and options, also if it is written wrongly."""
    scheme, separator, rest = url.partition("://") if "://" in url else ("", "", url)
    place = re.split("[?#]", rest, maxsplit=1)[0]
    if scheme.lower() == "file" and place.partition("/")[0] in ("", "localhost"):
        return f"{scheme}://{place}"
    if "@" in rest[len(place) :]:
        return f"{scheme}{separator}..."  # perhaps of a password that has a question mark
    return f"{scheme}{separator}{place.rpartition('@')[2]}"


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL.

    Raises:
        ConfigError: It has none, or a password that must be written otherwise.
    """
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme == "file" or "@" not in parts.path + parts.fragment:
            return parts
    letters = "%2F for /, %3F for ?, %23 for #, %40 for @, %5B for ["
    raise ConfigError(
        f"url={shown(url)!r} cannot be read. In a name, a password or a path, write {letters}"
    ) from None


def near_folder(url: str) -> pathlib.Path:
    """Return the folder in which this machine keeps what it has of the server at *url*, for all names of apps."""
    parts = split_url(url)
    options = parse_qs(parts.query)
    # What tells data apart: not the password, nor how the server is spoken to.
    place = [parts.netloc.rpartition("@")[2], parts.path, options.get("db"), options.get("prefix")]
    return _caches() / f"near-{_short(repr(place))}"


def secret_of(folder: pathlib.Path) -> bytes:
    """Return the secret of the store in *folder*, which is made at first use.

    It lies elsewhere: who can write to one cannot forge.

    Raises:
        ConfigError: There is no place for it, or something else lies there.
    """
    path = _states() / f"{_short(str(folder.resolve()))}.secret"
    try:
        with contextlib.suppress(FileNotFoundError):
            return read_file(path)
        # Of several workers that start at once, one gives its file the name, whole; all read what
        # that one wrote.
        with contextlib.suppress(FileExistsError):
            create_whole(path, secrets.token_bytes(32))
        return read_file(path)
    except OSError as error:
        raise ConfigError(
            f"no secret can be kept in {path.parent} ({error.strerror}): set {SECRET_VARIABLE}"
        ) from error


def read_file(path: pathlib.Path, at_most: int = -1) -> bytes:
    """Read a file, or that many bytes of it.

    A link that lies in its place is not followed, nor is a pipe waited for.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)  # `open` leaves that of a folder open
        raise OSError(errno.EINVAL, f"{path.name} is not a file")
    with open(descriptor, "rb") as file:
        return file.read(at_most)


def create_whole(path: pathlib.Path, content: bytes) -> None:
    """Create a file with all of its content, or raise FileExistsError."""
    try:
        # Without a name until it is whole: one who is killed meanwhile leaves nothing.
        descriptor = os.open(path.parent, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
        temporary = None
    except (AttributeError, OSError):  # not on every system, nor on every file system
        temporary = path.with_suffix(f".{secrets.token_hex(8)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, content)
        # Python follows a link, as the one in /proc is, only if it is given a folder too (any, for
        # an absolute path).
        os.link(temporary or f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)
    finally:
        os.close(descriptor)
        if temporary is not None:
            temporary.unlink()


def _caches() -> pathlib.Path:
    return _first_usable(os.environ.get("XDG_CACHE_HOME"), "~/.cache", "cache")


def _states() -> pathlib.Path:
    return _first_usable(os.environ.get("XDG_STATE_HOME"), "~/.local/state", "state")


def _first_usable(*places: str | None) -> pathlib.Path:
    """The user's folder for such things, or, for a user without a home, one beside the temporary files."""
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
        f"no folder of this user can be written to: set {URL_VARIABLE} and {SECRET_VARIABLE}"
    )


def _is_private(folder: pathlib.Path, within: str = "") -> bool:
    """Whether only this user can change what lies in *folder*.

    Asked of a parent only below the shared temporary folder.
    """
    if within and not within.startswith("/var/tmp/"):  # noqa: S108 (that is the one that others share)
        return True
    status = folder.lstat()
    return (
        stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
    )


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip(".-") or "app"
