"""A table in one shared file, in which each process sees without a system call what has changed.

Three columns of 64-bit values, each at a slot that the hash of a key or tag names:

- versions: changes whenever an entry is written or deleted, so what a process keeps in memory is
  current while the version is;
- epochs: changes when a tag is forgotten, so entries that carry an older epoch are misses, those
  still being computed included;
- uses: when an entry was last read, for the eviction of the least recently used, or a
  session, tab or page was last in use, so that its data goes once it is idle.

Keys that share a slot only cost each other a look at the file, or a recomputation. The table is
read through a shared map and written by `pwrite`: a full disk is then an error instead of the
signal that a write through the map would get.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import pathlib
import secrets
import struct
import zlib

from dash_stash import keys
from dash_stash.stores.local.files import Temporary

VERSIONS, EPOCHS, USES = 2**15, 2**14, 2**17
_SIZE = 8 * (VERSIONS + EPOCHS + USES)


class Slots:
    """The open table."""

    def __init__(self, path: pathlib.Path) -> None:
        """Open the table at *path*, and create it if there is none.

        Raises:
            OSError: There is no room for it.
        """
        self._descriptor = _open_or_create(path)
        status = os.fstat(self._descriptor)
        self.identity = status.st_dev, status.st_ino
        table = memoryview(mmap.mmap(self._descriptor, _SIZE, access=mmap.ACCESS_READ))
        self.values = table[: 8 * (VERSIONS + EPOCHS)].cast("Q")
        """Versions and epochs, by `version_slot` and `epoch_slot`."""
        self._times = table[8 * (VERSIONS + EPOCHS) :].cast("d")

    def __del__(self) -> None:
        """Close the file; the map goes with the views of it."""
        with contextlib.suppress(AttributeError, OSError):
            os.close(self._descriptor)

    def version(self, key: bytes) -> int:
        """Return the version of the slot of *key*."""
        return self.values[version_slot(key)]

    def change_version(self, key: bytes) -> None:
        """Tell every process that the entry of *key* has changed."""
        self._write(version_slot(key))

    def epoch(self, tag: str) -> int:
        """Return the epoch of the slot of *tag*."""
        return self.values[epoch_slot(tag)]

    def change_epoch(self, tag: str) -> None:
        """Begin a new epoch of *tag*."""
        self._write(epoch_slot(tag))

    def last_use(self, key: bytes) -> float:
        """Return when what has *key* was last used, in seconds since the epoch; 0 if never.

        It is later if others share all of its slots.
        """
        return min(self._times[slot] for slot in _use_slots(key))

    def use(self, key: bytes, now: float) -> None:
        """Note that what has *key* is used."""
        for slot in _use_slots(key):
            os.pwrite(self._descriptor, struct.pack("=d", now), 8 * (VERSIONS + EPOCHS + slot))

    def _write(self, slot: int) -> None:
        # Random, not one more: two writers need no lock, and no version ever comes back.
        os.pwrite(self._descriptor, secrets.token_bytes(8), 8 * slot)


def version_slot(key: bytes) -> int:
    """Where the version of the entry of *key* stands."""
    return int.from_bytes(key[:2], "little") % VERSIONS


def epoch_slot(tag: str) -> int:
    """Where the epoch of *tag* stands."""
    return VERSIONS + zlib.crc32(tag.encode("utf-8", "surrogatepass")) % EPOCHS


def _use_slots(key: bytes) -> list[int]:
    """Where the uses of *key*, made of one or more digests, stand: in a slot for each."""
    return [
        int.from_bytes(key[start : start + 4], "little") % USES
        for start in range(2, len(key), keys.KEY_SIZE)
    ]


def _open_or_create(path: pathlib.Path) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    with contextlib.suppress(FileNotFoundError):
        return _sound(os.open(path, flags), path)
    temporary = Temporary(path.parent / "temporary")
    try:
        # Epochs start at random: entries that outlived the table may have been forgotten, and must
        # not match it. Every byte is written, so that none needs room on the disk later.
        temporary.write(bytes(8 * VERSIONS), secrets.token_bytes(8) * EPOCHS, bytes(8 * USES))
        with contextlib.suppress(FileExistsError):
            temporary.link(path)
    finally:
        temporary.discard()
    return _sound(os.open(path, flags), path)


def _sound(descriptor: int, path: pathlib.Path) -> int:
    """Return *descriptor* if its file is as long as the table: a map of a shorter one can crash."""
    if os.fstat(descriptor).st_size != _SIZE:
        os.close(descriptor)
        os.unlink(path)
        raise OSError(f"{path} was damaged and has been removed")
    return descriptor
