"""Locks that end with their holder: no fork and no interrupted call keeps them.

The kernel releases them. `flock` belongs to the open file, not to the process: it excludes threads
too, and a child that is forked while the lock is held shares it. So one hook closes every such file
in each new child.

A signal handler may raise (Ctrl-C, a soft time limit), and another thread may raise here by
`PyThreadState_SetAsyncExc`. Python raises such an error where a function begins, a loop begins
anew, or a call has returned: never inside a function that is written in C, nor between the end of
a with block and the call of `__exit__`. So whatever takes a lock, or gives it back, is one such
call, and the files are `io.FileIO`: they are opened, and closed at the end of a with block or when
nobody has them any more, without a line of Python.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import io
import os
import pathlib
import sys
import threading
import time
import weakref
from typing import TypeVar

from dash_stash.errors import ReentrantCall
from dash_stash.stores.base import caller

Path = pathlib.Path | str

_LONGEST_PAUSE = 0.05

# Its own thread may take this lock again: a `__del__` or a signal handler may open a file, or fork,
# meanwhile.
_forking = threading.RLock()
_open: set[weakref.ref[LockFile]] = set()


class LockFile(io.FileIO):
    """An open file that has a lock, or waits for it, until it is closed or collected."""

    caller: object = None
    """The caller that opened it (see `stores.base.caller`)."""

    opened: tuple[int, int, int] | None = None
    """Its number, and the device and inode of the file."""

    @property
    def descriptor(self) -> int:
        """The open file's number."""
        return self.fileno()

    @property
    def is_unlinked(self) -> bool:
        """Whether the file has lost its name."""
        return os.fstat(self.fileno()).st_nlink == 0

    def take(self, *, wait: bool) -> bool:
        """Lock the file; without *wait*, return False if another caller has the lock.

        If the lock is not taken, the file is closed.

        Raises:
            ReentrantCall: The caller already has the lock, and would wait for itself.
        """
        try:
            if self._take_at_once():
                return True
            if wait:
                self._refuse_own()
                self._wait()
                return True
        except BaseException:
            self.close()
            raise
        self.close()
        return False

    def _take_at_once(self) -> bool:
        try:
            fcntl.flock(self, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(self) -> None:
        if not _has_greenlets():
            fcntl.flock(self, fcntl.LOCK_EX)
            return
        # Do not wait in the kernel: all greenlets of this process would wait, including the one
        # that has the lock.
        pause = 0.0005
        while not self._take_at_once():
            time.sleep(pause)  # gevent's, which lets the others run
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _refuse_own(self) -> None:
        for reference in tuple(_open):
            other = reference()
            # Only the caller that opened a file closes it, so no file of this caller closes now.
            if other is None or other is self or other.caller != self.caller or other.closed:
                continue
            if os.path.sameopenfile(other.fileno(), self.fileno()):
                raise ReentrantCall


F = TypeVar("F", bound=io.FileIO)
L = TypeVar("L", bound=LockFile)


def open_as(kind: type[F], path: Path, flags: int, folder: int | None = None) -> F:
    """Open *path*, in the open *folder* if given, with *flags* of `os.open`.

    Links are not followed, and a pipe in its place is not waited for.
    """
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    open_file = functools.partial(os.open, mode=0o600, dir_fd=folder)
    try:
        # Opened and owned in one call of a C function: an exception in between would leave the
        # file open for ever.
        (file,) = map(kind, map(open_file, (path,), (flags,)))
    except IsADirectoryError as error:
        if isinstance(
            error.filename, int
        ):  # opened for reading, which folders can be; FileIO takes none
            os.close(error.filename)
        raise
    return file


def opened(kind: type[L], path: Path, flags: int, folder: int | None = None) -> L:
    """Open a file, without taking its lock yet."""
    opener = caller()
    # No fork in between: the child would hold a file that its hook does not know. And before the
    # lock is taken: a child that is forked while this thread waits would share the later lock.
    with _forking:
        file = open_as(kind, path, flags, folder)
        file.caller = opener
        status = os.fstat(file.fileno())
        file.opened = file.fileno(), status.st_dev, status.st_ino
        _open.add(weakref.ref(file, _open.discard))
    return file


def _has_greenlets() -> bool:
    """Return whether gevent has made this process's threads greenlets."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("time"))


def _close_in_child() -> None:
    for reference in tuple(_open):
        file = reference()
        if file is not None:
            file.close()
            _close_unfinished(file)


def _close_unfinished(file: LockFile) -> None:
    """Close what another thread was closing when this process was forked.

    The file says that it is closed just before the kernel closes it: a fork in between leaves the
    child a lock that nobody knows of.
    """
    if file.opened is None:
        return
    number, *opened_file = file.opened
    with contextlib.suppress(OSError):
        status = os.fstat(number)
        if [status.st_dev, status.st_ino] == opened_file:
            os.close(number)


os.register_at_fork(after_in_child=_close_in_child)
os.register_at_fork(
    before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_forking.release
)


def unless_held(lock: threading.RLock) -> threading.RLock:
    """Return a lock of this process's threads, to be taken by a with statement.

    Raises:
        ReentrantCall: This thread already has it, and was interrupted in what the lock guards.
    """
    if lock._is_owned():  # type: ignore[attr-defined]
        raise ReentrantCall
    return lock


def lock(path: Path, *, wait: bool = True) -> LockFile | None:
    """Lock *path*, and create it if it does not exist.

    Return None if another caller has the lock, without *wait*.
    """
    return lock_as(LockFile, path, wait=wait)


def lock_as(kind: type[L], path: Path, *, wait: bool) -> L | None:
    """Lock *path* as a file of this kind."""
    file = opened(kind, path, os.O_RDWR | os.O_CREAT)
    return file if file.take(wait=wait) else None


def create_locked(path: Path) -> LockFile | None:
    """Create *path* and lock it.

    None if `remove_abandoned` removed it before the lock was taken.
    """
    created = opened(LockFile, path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    created.take(wait=True)
    if not created.is_unlinked:
        return created
    created.close()
    return None


def locked(path: Path, *, wait: bool = True) -> contextlib.AbstractContextManager[LockFile | None]:
    """Hold the lock of *path* during a with block; the block gets None without the lock."""
    return lock(path, wait=wait) or contextlib.nullcontext()


def remove_abandoned(name: str, folder: int, lock_of_name: Path | None = None) -> None:
    """Remove a file of an open folder whose lock nobody has: its owner is gone, whatever its age.

    Others take the name away under *lock_of_name*: with it, the name cannot become another file's
    meanwhile.
    """
    with contextlib.suppress(
        OSError
    ):  # gone already, or laid there by somebody else: a link, a folder
        abandoned = opened(LockFile, name, os.O_RDONLY, folder)
        if abandoned.take(wait=False):
            # Whoever opens the file between our lock and our unlink finds it unlinked once the lock
            # is theirs, and starts anew.
            with abandoned, locked(lock_of_name) if lock_of_name else contextlib.nullcontext():
                # Its name may have become another's since it was opened.
                if not abandoned.is_unlinked:
                    os.unlink(name, dir_fd=folder)
