"""Jobs that tests run in processes of their own, with plain arguments and a plain result."""

from __future__ import annotations

import os
import pathlib
import random
import signal
import time
from collections.abc import Callable
from typing import Any

from dash_stash import Memo, RefExpired, Stash, StashError
from support import NAME, lines, sweep, wait_until

SECRET = "the secret of the jobs"


def open_stash(folder: str | pathlib.Path, **options: Any) -> Stash:
    """Open the store that the test and its jobs share."""
    return Stash(url=f"file://{folder}", secret=SECRET, **options)


def entries(folder: str | pathlib.Path) -> set[str]:
    """Return the names of the entry files, whatever the index says."""
    return {
        path.name for path in pathlib.Path(folder, NAME, "entries").rglob("*") if path.is_file()
    }


def listed(stash: Stash) -> set[str]:
    """Return the names of the entries that the index knows."""
    return {entry.key.hex() for entry in stash._deployment.store.list()}


def delete_index(folder: str | pathlib.Path, pattern: str = "index*") -> None:
    """Delete the index, which is disposable."""
    for path in pathlib.Path(folder, NAME).glob(pattern):
        path.unlink(missing_ok=True)


def increment(folder: str, times: int) -> int:
    """Count in a variable of the app."""
    stash = open_stash(folder)
    for _ in range(times):
        stash.app.modify("count", lambda count: count + 1, default=0)
    return os.getpid()


def write_until(folder: str, worker: int, stop: str) -> list[str]:
    """Write variables until the file *stop* is there; return the errors."""
    stash, errors, round_ = open_stash(folder), [], 0
    while not pathlib.Path(stop).exists():
        try:
            stash.app[f"{worker} {round_ % 50}"] = round_
        except StashError as error:
            errors.append(str(error))
        round_ += 1
    return errors[:3]


def read_until(folder: str, ref: str, started: str, stop: str) -> str:
    """Read a value, all the time, until the file *stop* is there."""
    value = open_stash(folder).ref(ref)
    value.get()
    pathlib.Path(started).touch()
    while not pathlib.Path(stop).exists():
        try:
            value.get()
        except RefExpired:
            return "evicted"
        time.sleep(0.0005)
    return "kept"


# Computations that last until the test lets them go


def open_slow(folder: str | pathlib.Path) -> tuple[Stash, Memo[[str], int]]:
    """Open the store with a function whose n-th computation waits for the file `go n`."""
    stash, place = open_stash(folder), pathlib.Path(folder).parent

    @stash.memo(tags=("slow",), ignore="place")
    def slow(key: str, place: pathlib.Path = place) -> int:
        with (place / "computed").open("a") as log:
            log.write(f"{key}\n")
        number = len(lines(place / "computed"))
        wait_until((place / f"go {number}").exists, f"computation {number} may end")
        return number

    return stash, slow


def call_slow(folder: str, key: str) -> int:
    """Call it."""
    return open_slow(folder)[1](key)


# Killing at random moments


def _kill_while(work: Callable[[], object], seconds: float) -> None:
    """Run *work* in a forked child, and kill the child after *seconds*, finished or not."""
    child = os.fork()
    if not child:
        work()
        signal.pause()
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def kill_while_opening(folder: str, seed: int, rounds: int) -> list[str]:
    """Kill processes that use new folders for the first time.

    Return all names that are there after the next one's use.
    """
    chance, names = random.Random(seed), set()
    for number in range(rounds):
        place = pathlib.Path(folder, str(number))
        _kill_while(
            lambda place=place: Stash(url=f"file://{place}").app.update(a=1),  # type: ignore[misc]
            chance.uniform(0, 0.015),
        )
        again = Stash(url=f"file://{place}")
        again.app["b"] = 2
        sweep(again._deployment.store)
        store = place / NAME
        names |= {path.name for path in store.iterdir()} | {
            f"{path.parent.name}/..." for path in store.glob("[ft]*/*")
        }
    return sorted(names)


def kill_while_indexing(folder: str, seed: int, rounds: int) -> int:
    """Kill processes that rebuild the index.

    Return how often what the next one lists is not what is stored.
    """
    chance, incomplete = random.Random(seed), 0
    for _ in range(rounds):
        delete_index(folder)
        _kill_while(lambda: open_stash(folder).app.update(a=1), chance.uniform(0, 0.06))
        stash = open_stash(folder)
        stash.app["b"] = 2
        incomplete += listed(stash) != entries(folder)
    return incomplete


def write_once(folder: str) -> str:
    """Write a variable; return the name of the error if that failed."""
    try:
        open_stash(folder).app["new"] = 1
    except StashError as error:
        return type(error).__name__
    return "written"


# A source that changes, and readers that must never see an old number


class Source:
    """A number per owner in a file; only its owner raises it, and says when all must see that."""

    def __init__(self, folder: str) -> None:
        self._descriptor = os.open(f"{folder}.source", os.O_RDWR | os.O_CREAT, 0o600)

    def _read(self, place: int) -> int:
        return int.from_bytes(os.pread(self._descriptor, 8, 8 * place), "little")

    def now(self, owner: int) -> int:
        return self._read(2 * owner)

    def least(self, owner: int) -> int:
        return self._read(2 * owner + 1)

    def raise_(self, owner: int) -> int:
        number = self.now(owner) + 1
        os.pwrite(self._descriptor, number.to_bytes(8, "little"), 8 * 2 * owner)
        return number

    def promise(self, owner: int) -> None:
        os.pwrite(self._descriptor, self.now(owner).to_bytes(8, "little"), 8 * (2 * owner + 1))


def _open_sourced(folder: str) -> tuple[Stash, Source, Memo[[int], int]]:
    stash, source = open_stash(folder), Source(folder)

    @stash.memo(tags=("sourced",), ignore="source")
    def sourced(owner: int, source: Source = source) -> int:
        number = source.now(owner)
        time.sleep(random.uniform(0, 0.004))  # so that others forget it meanwhile
        return number

    return stash, source, sourced


def forget_and_call(folder: str, how: str, owner: int, rounds: int) -> int:
    """Raise this owner's number, forget the value derived from it, and call.

    Return how often that gave an older one.
    """
    stash, source, sourced = _open_sourced(folder)
    outdated = 0
    for _ in range(rounds):
        number = source.raise_(owner)
        if how == "by key":
            sourced.forget(owner)
        elif how == "by function":
            sourced.forget()
        else:
            stash.forget(tag="sourced")
        source.promise(owner)
        outdated += sourced(owner) < number
    return outdated


def call_and_compare(folder: str, stop: str) -> int:
    """Call all the time; return how often the number was older than one promised before."""
    _, source, sourced = _open_sourced(folder)
    outdated = 0
    while not pathlib.Path(stop).exists():
        for owner in range(3):
            least = source.least(owner)
            outdated += sourced(owner) < least
    return outdated
