"""A daemon thread in each process, which works for an object until that is collected."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class BackgroundThread(Generic[T]):
    """Calls a function with an object again and again, in a thread of each process.

    The thread holds the object only while the function runs, so keep that short. It ends when the
    object is collected, when the function returns None, and when the interpreter exits.
    """

    def __init__(self, name: str, subject: T, step: Callable[[T], float | None]) -> None:
        """Take the function, which returns the seconds until its next call, and its argument.

        The function must not hold *subject* itself: pass `Class.method`, not a bound method.
        """
        self._name, self._subject, self._step = name, weakref.ref(subject), step
        # By process: a forked child has none of its parent's threads, and starts its own.
        self._runs: dict[int, _Run] = {}

    def start(self) -> bool:
        """Start the thread, unless this process has it already.

        Returns:
            Whether there is one now. There is not when the interpreter is about to exit, or the
            system has no thread left.
        """
        process = os.getpid()
        if process in self._runs:
            return True
        if sys.is_finalizing():  # in Python 3.11 Thread.start would wait for ever
            return False
        run = _Run()
        try:
            if self._runs.setdefault(process, run) is run:  # else another thread was faster
                threading.Thread(
                    target=self._work, args=(run,), name=self._name, daemon=True
                ).start()
        except RuntimeError:
            self._end(run)
            return False
        except BaseException:
            # A signal handler raised. The thread may run all the same: it ends, and the next call
            # starts another.
            self._end(run)
            raise
        return True

    def wake(self) -> None:
        """Have the function called now."""
        run = self._runs.get(os.getpid())
        if run is not None:
            run.wake()

    def _work(self, run: _Run) -> None:
        try:
            while not run.is_over and (subject := self._subject()) is not None:
                run.end_with(subject)
                pause = self._step(subject)
                del subject
                if pause is None:
                    return
                run.wait(pause)
        finally:
            self._end(run)

    def _end(self, run: _Run) -> None:
        """Let a thread end, and let another be started."""
        run.end()
        if self._runs.get(os.getpid()) is run:
            self._runs.pop(os.getpid(), None)


class _Run:
    """One thread's life: whether it is to end, and what wakes it."""

    def __init__(self) -> None:
        self.is_over = False
        self._finalizer: weakref.finalize[[], object] | None = None
        # A lock that is released to wake its one waiter. Not an Event: the garbage collector may
        # call `end` at any moment, also while the same thread is inside Event.wait and holds the
        # lock of its condition.
        self._bell = threading.Lock()
        self._bell.acquire()

    def wait(self, seconds: float) -> None:
        """Return after *seconds*, or when somebody wakes this."""
        self._bell.acquire(timeout=min(max(seconds, 0), threading.TIMEOUT_MAX))

    def wake(self) -> None:
        """End the present wait, or the next one."""
        with contextlib.suppress(RuntimeError):  # somebody else woke it already
            self._bell.release()

    def end_with(self, subject: object) -> None:
        """Let the thread end when *subject* is collected, or the interpreter exits."""
        if self._finalizer is None:
            self._finalizer = weakref.finalize(subject, self.end)

    def end(self) -> None:
        """Let the thread end."""
        self.is_over = True
        self.wake()
        if self._finalizer is not None:
            self._finalizer.detach()
