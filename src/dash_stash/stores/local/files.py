"""Entry files: written once with a temporary name, renamed, then only mapped and unlinked."""

from __future__ import annotations

import contextlib
import errno
import io
import mmap
import os
import pathlib
import secrets
import stat
import sys
from collections.abc import Iterator
from typing import Any

from dash_stash import entries
from dash_stash.entries import Entry, Packed
from dash_stash.errors import StoreUnsafe
from dash_stash.stores.local.locks import create_locked, open_as

_CHUNK = 2**20
_NETWORK = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "ceph",
    "glusterfs",
    "lustre",
    "fuse.sshfs",
    "afs",
)

# Without this, each map holds a file descriptor as long as it exists.
_UNTRACKED: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}

# What tells an entry file from all others: its entry's nonce, its inode, size and both times (ns).
Identity = tuple[bytes, int, int, int, int]


def identity(descriptor: int) -> Identity:
    """Return an identity of an open entry file, which differs for other files and after a change.

    Its status alone does not: a new file may have the inode of one that was just deleted, and
    before Linux 6.13, and on many file systems still, time stamps tick every 1 to 10 ms. Nor does
    the nonce: a file can be damaged after it was checked.
    """
    nonce = os.pread(descriptor, entries.NONCE_SIZE, entries.NONCE_AT)
    status = os.fstat(descriptor)
    return nonce, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


class Temporary:
    """A file with a temporary name. Its writer has its lock; without the lock it is abandoned."""

    def __init__(self, folder: pathlib.Path) -> None:
        """Create an empty file in *folder*."""
        file = None
        while file is None:
            self._path = folder / secrets.token_hex(16)
            file = create_locked(self._path)
        self._file = file

    def write(self, *chunks: bytes | memoryview) -> None:
        """Write all of *chunks*; one call of the kernel writes at most 2 GiB of them."""
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._file.descriptor, 0, sum(map(len, chunks)))
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest.nbytes:
                rest = rest[os.write(self._file.descriptor, rest) :]

    def make_read_only(self) -> None:
        """Make the file read-only."""
        os.fchmod(self._file.descriptor, 0o400)

    def link(self, path: pathlib.Path) -> None:
        """Give the file the name *path*; raise FileExistsError if it is taken."""
        os.link(self._path, path)

    def rename(self, path: str) -> None:
        """Replace *path* with the file."""
        try:
            self._path.rename(path)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                os.mkdir(os.path.dirname(path), mode=0o700)
            self._path.rename(path)

    @property
    def identity(self) -> Identity:
        """The identity of the file, which differs for all other files."""
        return identity(self._file.descriptor)

    def discard(self) -> None:
        """Remove the file, unless it was renamed, and close it."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def write_temporary(folder: pathlib.Path, packed: Packed) -> Temporary:
    """Write an entry to a new file in *folder*.

    Raises:
        OSError: There is no room; nothing is left behind.
    """
    temporary = Temporary(folder)
    try:
        temporary.write(packed.head, *packed.body)
        temporary.make_read_only()
    except BaseException:
        temporary.discard()
        raise
    return temporary


class EntryFile(io.FileIO):
    """An entry file, open for reading until nobody has this object any more."""

    identity: Identity

    __del__ = (
        io.FileIO.close
    )  # in C, as `locks` has it: an exception in a function of ours would leave the file open

    @property
    def descriptor(self) -> int:
        """The open file's number."""
        return self.fileno()

    @property
    def is_unlinked(self) -> bool:
        """Whether the file has lost its name: it still takes room until it is closed."""
        return os.fstat(self.descriptor).st_nlink == 0


def open_entry(path: str) -> EntryFile | None:
    """Open an entry file; return None if there is none, or if it is something else than a file."""
    try:
        file = open_as(EntryFile, path, os.O_RDONLY)
    except (FileNotFoundError, IsADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    if not stat.S_ISREG(os.fstat(file.descriptor).st_mode):
        return None
    file.identity = identity(file.descriptor)
    return file


def is_whole(descriptor: int) -> bool:
    """Return whether an entry file is as it was written.

    It is read, not mapped: if the disk cannot deliver a page of a map, the process is killed.
    """
    return entries.is_whole(_chunks(descriptor))


def read_head(descriptor: int, key: bytes, sealing_key: bytes) -> tuple[Entry, bytes] | None:
    """Read an entry file's description, and the head that it stands in.

    None if it is not our entry of *key*. The head is a copy: whoever may write to the file can
    change it after its seal was checked.
    """
    prefix = os.pread(descriptor, entries.PREFIX_SIZE, 0)
    file_size = os.fstat(descriptor).st_size
    if len(prefix) < entries.PREFIX_SIZE or entries.head_size(prefix) > file_size:
        return None
    head = b"".join(_chunks(descriptor, entries.head_size(prefix)))
    entry = entries.parse(head, sealing_key)
    return None if entry is None or entry.key != key or entry.size != file_size else (entry, head)


def _chunks(descriptor: int, end: int | None = None) -> Iterator[bytes]:
    position = 0
    while chunk := os.pread(
        descriptor, _CHUNK if end is None else min(_CHUNK, end - position), position
    ):
        yield chunk
        position += len(chunk)


def private_map(descriptor: int) -> memoryview:
    """Map a file into private memory: what the caller writes there never reaches the file."""
    return memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY, **_UNTRACKED))


def private_copy(descriptor: int) -> bytearray:
    """Read a file that is too small to be mapped."""
    return bytearray().join(_chunks(descriptor))


def make_private_folder(folder: pathlib.Path, *, network: bool) -> None:
    """Create *folder*, or check that only this user can use it and that it is on a local disk.

    Raises:
        StoreUnsafe: It is another's, others can write to it, it is no folder, or it is shared with
            other machines.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    status = os.lstat(folder)
    if not os.path.isdir(folder) or os.path.islink(folder):
        raise StoreUnsafe(str(folder), "it is not a folder (a link, or a file)")
    if status.st_uid != os.getuid():
        raise StoreUnsafe(
            str(folder), f"it belongs to user {status.st_uid}, but this is user {os.getuid()}"
        )
    if status.st_mode & 0o022:
        raise StoreUnsafe(
            str(folder), f"others can write to it (mode {status.st_mode & 0o777:o}): chmod 700 it"
        )
    kind = file_system(folder)
    if kind in _NETWORK and not network:
        raise StoreUnsafe(
            str(folder),
            f"it is on a network file system ({kind}), where locks and maps are not reliable. "
            "Use a folder on a local disk, or add ?network=1 to the URL to use it all the same",
        )


def file_system(folder: pathlib.Path) -> str:
    """Return the type of the file system of *folder*, or "" if the kernel does not tell it."""
    try:
        lines = (
            pathlib.Path("/proc/self/mountinfo")
            .read_text(encoding="utf-8", errors="surrogateescape")
            .splitlines()
        )
    except OSError:
        return ""
    path = folder.resolve()
    mounts = (
        (line.split()[4].replace("\\040", " "), line.partition(" - ")[2].split()[0])
        for line in lines
    )
    holding = [(point, kind) for point, kind in mounts if path.is_relative_to(point)]
    return max(holding, key=lambda mount: len(mount[0]), default=("", ""))[1]
