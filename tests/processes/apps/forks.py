"""Forks in the middle of what other threads do."""

from __future__ import annotations

import collections
import fcntl
import os
import pathlib
import signal
import threading
from collections.abc import Callable

from dash_stash import Stash
from support import NAME, wait_until

SECRET = "a secret for the tests only"
_WRITERS = 3


def _fork(call: Callable[[], object]) -> int:
    """Let a child make a call, for 60 s at most, and end; return its process."""
    child = os.fork()
    if not child:
        signal.alarm(60)
        status = 1
        try:
            call()
            status = 0
        finally:
            os._exit(status)
    return child


def _has_failed(child: int) -> bool:
    return os.waitpid(child, 0)[1] != 0


def while_threads_write(url: str, forks: int) -> list[str]:
    """Fork again and again, while threads write, children that write too.

    Return what went wrong.
    """
    stash = Stash(url=url, secret=SECRET)
    wrong: collections.Counter[str] = collections.Counter()
    counts, is_over = [0] * _WRITERS, threading.Event()

    @stash.memo
    def double(n: int) -> int:
        return 2 * n

    def use(owner: str) -> None:
        stash.app.modify(owner, lambda count: count + 1, default=0)
        assert double.refresh(1) == 2
        stash.put(owner, share=True)

    def write(number: int) -> None:
        while not is_over.is_set():
            try:
                use(f"thread {number}")
                counts[number] += 1
            except Exception as error:
                wrong[repr(error)] += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(_WRITERS)]
    for thread in threads:
        thread.start()
    for _ in range(forks):
        wrong["a child has failed, or hung"] += _has_failed(_fork(lambda: use("children")))
    is_over.set()
    for thread in threads:
        thread.join()
    stored = [stash.app[f"thread {number}"] for number in range(_WRITERS)]
    if stored != counts or stash.app["children"] != forks:
        wrong[f"{stored} of {counts} were stored, and {stash.app['children']} of {forks}"] += 1
    return [f"{count} times: {what}" for what, count in wrong.items() if count]


def while_a_thread_opens_the_index(folder: str) -> bool:
    """Fork while another thread is opening the index; return whether the child could use it."""
    stash = Stash(url=f"file://{folder}", secret=SECRET)
    assert "x" not in stash.app  # the folder is there now
    opening = os.open(pathlib.Path(folder) / NAME / "opening", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(opening, fcntl.LOCK_EX)
    thread = threading.Thread(target=lambda: stash.app.update(x=1), daemon=True)
    thread.start()

    def waits() -> bool:
        return (
            f"-> FLOCK  ADVISORY  WRITE {os.getpid()} " in pathlib.Path("/proc/locks").read_text()
        )

    wait_until(waits, "the thread waits for its turn to open the index")

    def use() -> None:
        os.close(opening)  # or it would wait for itself
        stash.app["y"] = 2

    child = _fork(use)
    os.close(opening)
    thread.join(30)
    return not _has_failed(child) and dict(stash.app) == {"x": 1, "y": 2}
