"""Calls that an exception of a signal handler interrupts: at random, and at every byte code."""

from __future__ import annotations

import _thread
import collections
import contextlib
import dis
import functools
import gc
import os
import pathlib
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from dash_stash import Stash, StashError
from dash_stash.stores.local import LocalStore
from support import NAME, sweep

SECRET = "a secret for the tests only"


class Interrupted(Exception):
    """As Celery's soft limit is, this is an ordinary exception."""


def _interrupt(*_: object) -> None:
    raise Interrupted


# Python looks for signals after calls, where functions begin, and where loops begin anew.
_MOMENTS = {
    code for name, code in dis.opmap.items() if name.startswith(("CALL", "JUMP_BACKWARD", "RESUME"))
}

# To look up a key that is not there calls the factory without a call in Python: the signal is not
# found before the traced code goes on.
_arrives: dict[int, None] = collections.defaultdict(
    functools.partial(_thread.interrupt_main, signal.SIGALRM)
)


class At:
    """Lets the signal arrive at the moment of this number, within a with block."""

    def __init__(self, number: int) -> None:
        self.number, self.seen = number, 0

    def __enter__(self) -> None:
        _arrives.clear()
        sys.settrace(self._begin)

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)

    def _begin(self, frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename == __file__:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.seen += 1
        if self.seen == self.number:
            _arrives[self.number]
        return self._go_on

    def _go_on(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "opcode" and frame.f_code.co_code[frame.f_lasti] in _MOMENTS:
            self.seen += 1
            if self.seen == self.number:
                _arrives[self.number]
        return self._go_on


def _calls(stash: Stash) -> dict[str, Callable[[int], Any]]:
    """What is interrupted, by name; a number makes each call a new one."""

    @stash.memo(tags=["some"])
    def double(n: int) -> dict[str, Any]:
        return {"n": 2 * n, "array": np.zeros(1000)}

    def read(n: int) -> Any:
        if isinstance(stash._deployment.store, LocalStore):
            stash._deployment.store._cache.clear()  # so that the file is opened
        return stash.app.get("counter")

    def stale(n: int) -> Any:
        return double.refresh(n % 10)

    def delete(n: int) -> None:
        stash.app.setdefault(f"v{n}", n)
        stash.app.pop(f"v{n}", None)

    return {
        "modify": lambda n: stash.app.modify("counter", lambda count: count + 1, default=0),
        "memo": double,
        "refresh": stale,
        "read": read,
        "put": lambda n: stash.put([n], share=True).get(),
        "delete": delete,
        "forget one": double.forget,
        "forget all": lambda n: double.forget(),
    }


def at_every_moment(folder: str, name: str) -> int:
    """Interrupt a call at one moment after the other; return how many there are."""
    signal.signal(signal.SIGALRM, _interrupt)
    stash = Stash(url=f"file://{folder}", secret=SECRET)
    call = _calls(stash)[name]
    stash.app["counter"] = 0
    for n in range(3):
        call(-n)
    number, went_on = 0, 0
    while went_on < 3:  # the janitor's thread may make some calls shorter
        number += 1
        at = At(number)
        try:
            with at:
                call(number)
        except Interrupted as error:
            # Whoever keeps the error, as notebooks do, keeps all variables of the functions that it
            # came through.
            _must_be_free(stash, folder, call, number, error)
        went_on = went_on + 1 if at.seen < number else 0
    _must_be_tidy(stash, folder)
    return number


def _opened(folder: str) -> list[tuple[str, int]]:
    """The files of a folder that this process has open, by their names within it."""
    paths = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            paths.append((os.readlink(f"/proc/self/fd/{name}"), int(name)))
    return [
        (path.removeprefix(f"{folder}/"), descriptor)
        for path, descriptor in paths
        if path.startswith(f"{folder}/")
    ]


def _is_locked(descriptor: int) -> bool:
    try:
        return "FLOCK" in pathlib.Path(f"/proc/self/fdinfo/{descriptor}").read_text()
    except FileNotFoundError:  # the janitor's, closed meanwhile
        return False


def _must_be_free(
    stash: Stash, folder: str, call: Callable[[int], Any], moment: int, error: BaseException
) -> None:
    # Those that others wait for. A file that was being written stays locked too, but only as long
    # as the error is kept.
    shared = [
        number
        for path, number in _opened(f"{folder}/{NAME}")
        if path.startswith(("flights/", "commits/", "opening", "sweep"))
    ]
    held = [number for number in shared if _is_locked(number)]
    assert not held, f"moment {moment}: files {held} are locked"
    failures: list[BaseException] = []

    def again() -> None:
        try:
            call(moment)
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=again, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), f"moment {moment}: another thread waits for ever"
    assert not failures, f"moment {moment}: {failures[0]!r}"


def _must_be_tidy(stash: Stash, folder: str) -> None:
    gc.collect()
    assert isinstance(stash._deployment.store, LocalStore)
    stash._deployment.store._open_files.clear()
    sweep(stash._deployment.store)
    place = f"{folder}/{NAME}"
    opened = [path for path, _ in _opened(place)]
    assert set(opened) <= {"slots", "index.sqlite", "index.sqlite-wal", "index.sqlite-shm"}, opened
    assert opened.count("slots") <= 2, opened  # a map may hold a file of its own
    assert os.listdir(f"{place}/temporary") == []
    assert os.listdir(f"{place}/flights") == []


def at_random(url: str, seed: int, times: int) -> int:
    """Interrupt calls at random moments, so many times, then see that all is free.

    Return how many calls there were.
    """
    signal.signal(signal.SIGALRM, _interrupt)
    stash = Stash(url=url, secret=SECRET)
    chance, calls, interrupted = random.Random(seed), _calls(stash), 0
    for n in range(100):
        calls["modify"](n)
    began = time.perf_counter()
    for n in range(100):
        calls["modify"](n)
    longest = (time.perf_counter() - began) / 50
    number = 0
    while interrupted < times:
        number += 1
        name = chance.choice(list(calls))
        try:
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, longest))
            calls[name](number)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except Interrupted:
            interrupted += 1
        finally:
            with contextlib.suppress(Interrupted):
                signal.setitimer(signal.ITIMER_REAL, 0)
    if isinstance(stash._deployment.store, LocalStore):
        _must_be_tidy(stash, url.removeprefix("file://"))
    # All that was interrupted is free.
    for n in range(number + 1):
        calls["memo"](n)
    stash.app["counter"] = 0
    assert calls["modify"](0) == 1
    return number


def by_its_own_thread(folder: str, name: str) -> list[str]:
    """Use the stash at each moment of a call of its own thread, in a signal handler.

    Return what was raised.
    """
    raised: set[str] = set()
    is_busy = False

    def meddle(*_: object) -> None:
        nonlocal is_busy
        if is_busy:
            return
        is_busy = True
        tracer = sys.gettrace()
        sys.settrace(None)
        uses: list[Callable[[int], Any]] = [
            *calls.values(),
            lambda _: stash.app.modify("other", lambda count: count + 1, default=0),
        ]
        for call in uses:
            try:
                call(0)
            except StashError as error:
                raised.add(type(error).__name__ if "signal handler" in str(error) else repr(error))
        is_busy = False
        sys.settrace(tracer)

    signal.signal(signal.SIGALRM, meddle)
    stash = Stash(url=f"file://{folder}", secret=SECRET)

    @stash.memo
    def double(n: int) -> int:
        return 2 * n

    calls: dict[str, Callable[[int], Any]] = {
        "modify": lambda n: stash.app.modify("counter", lambda count: count + 1, default=0),
        "memo": lambda n: double.refresh(1),
        "delete": lambda n: double.forget(1),
    }
    stash.app["counter"] = 0
    number, went_on = 0, 0
    while went_on < 3:
        number += 1
        at = At(number)
        with at:
            calls[name](number)
        went_on = went_on + 1 if at.seen < number else 0
    return sorted(raised)
