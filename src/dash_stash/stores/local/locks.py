"""Locks that the kernel releases when their holder dies, and that a forked child does not keep alive.

`flock` belongs to the open file, not to the process: it excludes threads too, and a child that was forked while the lock was held
shares it. So one hook closes every such file in each new child.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import sys
import threading
import time
from collections.abc import Iterator

Path = pathlib.Path | str

_LONGEST_PAUSE = 0.05

_open: set[LockFile] = set()
_forking = threading.Lock()


class LockFile:
    """An open file that carries a lock, or waits for one, until `close`."""

    def __init__(self, path: Path, flags: int) -> None:
        """Open *path* with *flags* of `os.open`; the lock is not taken yet."""
        # No fork in between: the child would hold a file that its hook does not know. And before the lock is taken:
        # a child forked while this thread waits would share the lock that comes later. Nor is a pipe waited for that lies in the place.
        with _forking:
            self.descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
            _open.add(self)

    def take(self, *, wait: bool) -> bool:
        """Lock the file; without *wait*, return False if another holds it. Closes it when the lock is not had."""
        try:
            if wait and _has_greenlets():
                self._take_among_greenlets()
            else:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            self.close()
            return False
        except BaseException:
            self.close()
            raise
        return True

    def _take_among_greenlets(self) -> None:
        """Wait for the lock outside of the kernel, which would keep all greenlets of this process waiting, its holder among them."""
        pause = 0.0005
        while True:
            try:
                return fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(pause)  # gevent's, which lets the others run
                pause = min(2 * pause, _LONGEST_PAUSE)

    @property
    def is_unlinked(self) -> bool:
        """Whether the file has lost its name."""
        return os.fstat(self.descriptor).st_nlink == 0

    def close(self) -> None:
        """Release the lock. Closing twice is fine."""
        with _forking:
            _open.discard(self)
            descriptor, self.descriptor = self.descriptor, -1
            if descriptor >= 0:
                os.close(descriptor)


def _has_greenlets() -> bool:
    """Whether gevent has made this process's threads greenlets."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("time"))


def _close_in_child() -> None:
    for lock_file in tuple(_open):
        os.close(lock_file.descriptor)
        lock_file.descriptor = -1
    _open.clear()
    _forking.release()


os.register_at_fork(before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_close_in_child)


def lock(path: Path, *, wait: bool = True) -> LockFile | None:
    """Lock *path*, which is created if need be; None if another holds it and the caller will not *wait*."""
    lock_file = LockFile(path, os.O_RDWR | os.O_CREAT)
    return lock_file if lock_file.take(wait=wait) else None


def create_locked(path: Path) -> LockFile | None:
    """Create *path* and lock it; None if `remove_abandoned` removed it before the lock was taken."""
    created = LockFile(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    created.take(wait=True)
    if created.is_unlinked:
        created.close()
        return None
    return created


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock of *path* for the length of a with block; the block is told whether it was had."""
    held = lock(path, wait=wait)
    try:
        yield held is not None
    finally:
        if held is not None:
            held.close()


def remove_abandoned(path: pathlib.Path, lock_of_name: Path | None = None) -> None:
    """Remove a file that nobody holds: its owner is gone, whatever its age.

    With *lock_of_name*, under which others take the name away, the name cannot become another file's meanwhile.
    """
    with contextlib.suppress(OSError):  # gone already, or laid there by somebody else: a link, a folder
        abandoned = LockFile(path, os.O_RDONLY)
        if abandoned.take(wait=False):
            # Whoever opens the file between our lock and our unlink finds it unlinked once the lock is theirs, and starts anew.
            with contextlib.closing(abandoned), locked(lock_of_name) if lock_of_name else contextlib.nullcontext():
                # Its name may have become another's since it was opened.
                if not abandoned.is_unlinked:
                    path.unlink()
