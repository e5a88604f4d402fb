"""Small files of this user alone: written whole, read without following links; secrets are such."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import secrets
import stat

from dash_stash import folders
from dash_stash.errors import ConfigError
from dash_stash.seal import SECRET_VARIABLE


def secret_of(folder: pathlib.Path) -> bytes:
    """Return the secret of the store in *folder*, which is made at first use.

    It lies elsewhere: whoever can write to the folder cannot seal what lies there.

    Raises:
        ConfigError: There is no place for it, or something else lies there.
    """
    path = folders.states() / f"{folders.short(str(folder.resolve()))}.secret"
    try:
        with contextlib.suppress(FileNotFoundError):
            return read_file(path)
        # Several workers may start at once: one names its file, and all read that one.
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
