"""Locks that the kernel releases when their holder dies, that a forked child does not keep alive, and that no interrupted call keeps.

`flock` belongs to the open file, not to the process: it excludes threads too, and a child that was forked while the lock was held
shares it. So one hook closes every such file in each new child.

A signal handler may raise (Ctrl-C, a soft time limit), and `PyThreadState_SetAsyncExc` lets another thread do so. Python delivers that
where a function begins, a loop begins anew, or a call has returned: never within a call of a function that is written in C, nor between
the end of a with block and the call of `__exit__`. So whatever takes a lock, or gives it back, is one such call, and the files are
`io.FileIO`: opened, closed at the end of a with block, and closed when nobody has them any more, without a line of Python.
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
from collections.abc import Iterator
from typing import TypeVar

from dash_stash.errors import ReentrantCall
from dash_stash.stores.base import caller

Path = pathlib.Path | str

_LONGEST_PAUSE = 0.05

# Both may be entered again by their own thread: a `__del__` or a signal handler that opens a file,
# or forks, meanwhile.
_forking = threading.RLock()
_open: set[weakref.ref[LockFile]] = set()


class LockFile(io.FileIO):
    """An open file that carries a lock, or waits for one, until it is closed or nobody has it any more."""

    caller: object = None
    """Who opened it (see `stores.base.caller`)."""

    @property
    def descriptor(self) -> int:
        """The open file's number."""
        return self.fileno()

    @property
    def is_unlinked(self) -> bool:
        """Whether the file has lost its name."""
        return os.fstat(self.fileno()).st_nlink == 0

    def take(self, *, wait: bool) -> bool:
        """Lock the file; without *wait*, return False if another holds it.

        Closes it when the lock is not had.

        Raises:
            ReentrantCall: The caller holds it already, and would wait for itself.
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
        # Outside of the kernel, which would keep all greenlets of this process waiting, the lock's
        # holder among them.
        pause = 0.0005
        while not self._take_at_once():
            time.sleep(pause)  # gevent's, which lets the others run
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _refuse_own(self) -> None:
        for reference in tuple(_open):
            other = reference()
            # Only who opened a file closes it, so the files of this caller are as they look.
            if other is None or other is self or other.caller != self.caller or other.closed:
                continue
            if os.path.sameopenfile(other.fileno(), self.fileno()):
                raise ReentrantCall


F = TypeVar("F", bound=io.FileIO)
L = TypeVar("L", bound=LockFile)


def open_as(kind: type[F], path: Path, flags: int, folder: int | None = None) -> F:
    """Open *path*, in the open *folder* if given, with *flags* of `os.open`.

    Links are not followed, and a pipe that lies in the place is not waited for.
    """
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    open_file = functools.partial(os.open, mode=0o600, dir_fd=folder)
    try:
        # Opened and owned within one step of the interpreter: an exception in between would leave
        # it open for ever.
        (file,) = map(kind, map(open_file, (path,), (flags,)))
    except IsADirectoryError as error:
        if isinstance(
            error.filename, int
        ):  # opened for reading, which folders can be; FileIO takes none
            os.close(error.filename)
        raise
    return file


def opened(kind: type[L], path: Path, flags: int, folder: int | None = None) -> L:
    """Open a file whose lock is not taken yet."""
    opener = caller()
    # No fork in between: the child would hold a file that its hook does not know. And before the
    # lock is taken: a child forked while this thread waits would share the lock that comes later.
    with _forking:
        file = open_as(kind, path, flags, folder)
        file.caller = opener
        _open.add(weakref.ref(file, _open.discard))
    return file


def _has_greenlets() -> bool:
    """Whether gevent has made this process's threads greenlets."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("time"))


def _close_in_child() -> None:
    for reference in tuple(_open):
        file = reference()
        if file is not None:
            file.close()


os.register_at_fork(after_in_child=_close_in_child)
os.register_at_fork(
    before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_forking.release
)


def unless_held(lock: threading.RLock) -> threading.RLock:
    """Return a lock of this process's threads, to be taken by a with statement.

    Raises:
        ReentrantCall: This thread holds it already, and is in the middle of what it guards.
    """
    if lock._is_owned():  # type: ignore[attr-defined]
        raise ReentrantCall
    return lock


def lock(path: Path, *, wait: bool = True) -> LockFile | None:
    """Lock *path*, which is created if need be.

    None if another holds it and the caller will not *wait*.
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
    """Hold the lock of *path* for the length of a with block.

    The block is told by None that it was not had.
    """
    return lock(path, wait=wait) or contextlib.nullcontext()


@contextlib.contextmanager
def opened_folder(root: Path, *steps: str) -> Iterator[int]:
    """Open a folder below *root*, step by step, none of which may be a link.

    What is listed and removed in it is then in this folder, whatever is laid in its place
    meanwhile.

    Raises:
        OSError: There is none, or something else lies in its place.
    """
    flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.ExitStack() as opened_steps:
        folder = os.open(root, flags)
        opened_steps.callback(os.close, folder)
        for step in steps:
            folder = os.open(step, flags, dir_fd=folder)
            opened_steps.callback(os.close, folder)
        yield folder


def remove_abandoned(name: str, folder: int, lock_of_name: Path | None = None) -> None:
    """Remove a file of an open folder that nobody holds: its owner is gone, whatever its age.

    With *lock_of_name*, under which others take the name away, the name cannot become another
    file's meanwhile.
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
