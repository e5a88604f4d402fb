"""Jobs of the tests of many machines.

Each machine is one process or several, with a near cache in a folder of its own.
"""

from __future__ import annotations

import bisect
import itertools
import operator
import os
import pathlib
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from dash_stash import Memo, Stash, StashError
from support import lines, wait_until

SECRET = "the secret of all machines"


def open_machine(url: str, cache: str | pathlib.Path, **options: Any) -> Stash:
    """Open the store at *url* as the machine whose near cache is below *cache*."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        return Stash(url=url, secret=SECRET, **options)


def log(path: pathlib.Path, text: object) -> None:
    """Append a line, which other processes see at once."""
    with path.open("a") as file:
        file.write(f"{text}\n")


# A slow function, which runs until the test lets it return


def slow_of(stash: Stash, place: str | pathlib.Path) -> Memo[[str], int]:
    """Return a function whose n-th computation over all machines returns n.

    It waits until the file `go n` or `go` is in *place*.
    """
    folder = pathlib.Path(place)

    @stash.memo(tags=("slow",), ignore="folder")
    def slow(key: str, folder: pathlib.Path = folder) -> int:
        log(folder / "computed", key)
        number = len(lines(folder / "computed"))
        wait_until(
            lambda: (folder / f"go {number}").exists() or (folder / "go").exists(),
            f"computation {number} may end",
        )
        log(folder / "ended", time.monotonic())
        return number

    return slow


def call_slow(url: str, cache: str, place: str, clients: int) -> list[tuple[int, float]]:
    """Let some clients of one process call it at the same time; return what each got, and when."""
    slow = slow_of(open_machine(url, cache), place)

    def call(_client: int) -> tuple[int, float]:
        log(pathlib.Path(place) / "asked", os.getpid())
        return slow("key"), time.monotonic()

    with ThreadPoolExecutor(clients) as threads:
        return list(threads.map(call, range(clients)))


def call_failing(url: str, cache: str, place: str, clients: int) -> list[str]:
    """Let some clients call, at the same time, a function that fails once the file `go` is there.

    Return their errors.
    """
    stash, folder = open_machine(url, cache), pathlib.Path(place)

    @stash.memo(ignore="folder")
    def failing(key: str, folder: pathlib.Path = folder) -> int:
        log(folder / "computed", key)
        wait_until((folder / "go").exists, "the computation may fail")
        raise ValueError(f"no such key: {key}")

    def call(_client: int) -> str:
        log(folder / "asked", os.getpid())
        try:
            return str(failing("key"))
        except ValueError as error:
            return f"{type(error).__name__}: {error}"

    with ThreadPoolExecutor(clients) as threads:
        return list(threads.map(call, range(clients)))


# Big values

Block = Memo[[int, int], dict[str, Any]]


def block_of(stash: Stash, *, share: bool = False) -> Block:
    """Return a function whose values say whether they are whole: each is one number, repeated."""

    @stash.memo(share=share)
    def block(number: int, size: int) -> dict[str, Any]:
        return {"number": number, "array": np.full(size // 8, number, "int64")}

    return block


def is_whole(value: dict[str, Any], size: int) -> bool:
    """Tell whether a value is as it was returned."""
    array = value["array"]
    return bool(len(array) == size // 8 and (array == value["number"]).all())


def read_block(url: str, cache: str, size: int) -> bool:
    """Read a block that another machine has stored; return whether it is whole."""
    value = block_of(open_machine(url, cache)).peek(1, size)
    return value is not None and is_whole(value, size)


def put_huge(url: str, cache: str, size: int) -> str:
    """Store a value of *size* bytes, and return the reference to it."""
    return open_machine(url, cache).put(np.arange(size // 8), share=True)


def read_huge(url: str, cache: str, reference: str) -> list[int]:
    """Read it; return its length and three of its numbers."""
    array = open_machine(url, cache).ref(reference).get()
    return [len(array), int(array[0]), int(array[len(array) // 2]), int(array[-1])]


def write_blocks(url: str, cache: str, size: int) -> None:
    """Write blocks until killed."""
    block, number = block_of(open_machine(url, cache)), 0
    print("ready", flush=True)
    while True:
        number += 1
        block.refresh(number % 3, size)


# State


def increment(url: str, cache: str, writers: int, times: int) -> int:
    """Let some writers of one process count in a variable of the app.

    Return how often that was refused.
    """
    stash = open_machine(url, cache)

    def write(_writer: int) -> int:
        return [
            outcome(lambda: stash.app.modify("count", lambda count: count + 1, default=0))
            for _ in range(times)
        ].count("StoreUnavailable")

    with ThreadPoolExecutor(writers) as threads:
        return sum(threads.map(write, range(writers)))


# Forks


def use_after_fork(url: str, cache: str, children: int) -> list[str]:
    """Use the store, fork, and use it in parent and children at the same time.

    Return what went wrong.
    """
    stash = open_machine(url, cache)
    block = block_of(stash)
    block(1, 80_000)
    stash.app["count"] = 0

    def use(owner: int) -> None:
        for number in range(20):
            assert is_whole(block(owner, 80_000), 80_000)
            assert is_whole(block.refresh(owner, 80_000 + 8 * number), 80_000 + 8 * number)
            stash.app.modify("count", lambda count: count + 1)

    pids = []
    for owner in range(children):
        pid = os.fork()
        if not pid:
            status = 1
            try:
                use(owner)
                status = 0
            finally:
                os._exit(status)
        pids.append(pid)
    use(children)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    expected = 20 * (children + 1)
    return [f"child: {status}" for status in statuses if status] + (
        [f"{stash.app['count']}"] if stash.app["count"] != expected else []
    )


def use_in_greenlets(url: str, cache: str, place: str, clients: int) -> dict[str, Any]:
    """Let greenlets ask for the same key at the same time.

    Return what they got, and whether others ran meanwhile.
    """
    from gevent import monkey

    monkey.patch_all()
    import gevent

    stash, folder = open_machine(url, cache), pathlib.Path(place)

    @stash.memo
    def slow(key: str) -> int:
        log(folder / "computed", key)
        gevent.sleep(0.3)
        return 7

    ticks = []

    def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            gevent.sleep(0.01)

    ticker = gevent.spawn(tick)
    asked = [gevent.spawn(slow, "key") for _ in range(clients)]
    counted = [
        gevent.spawn(stash.app.modify, "count", lambda count: count + 1, default=0)
        for _ in range(clients)
    ]
    gevent.joinall([*asked, *counted], raise_error=True, timeout=60)
    ticker.kill()
    longest = max(later - earlier for earlier, later in itertools.pairwise(ticks))
    return {
        "values": [greenlet.value for greenlet in asked],
        "count": stash.app["count"],
        "longest pause": longest,
    }


# Sources that change


class Source:
    """Numbers that processes share, each at its place in a file."""

    def __init__(self, path: str | pathlib.Path) -> None:
        """Take the file, which begins with zeros."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def read(self, place: int) -> int:
        """Return a number; 0 at first."""
        return int.from_bytes(os.pread(self._descriptor, 8, 8 * place), "little")

    def write(self, place: int, number: int) -> None:
        """Change a number."""
        os.pwrite(self._descriptor, number.to_bytes(8, "little"), 8 * place)


def dated_of(stash: Stash, place: str | pathlib.Path, go: str) -> Memo[[int], int]:
    """Return a function whose value is the source's number when it began.

    It ends once the file *go* is there.
    """
    folder = pathlib.Path(place)
    source = Source(folder / "source")

    @stash.memo(ignore=("folder", "source", "go"))
    def dated(
        key: int, folder: pathlib.Path = folder, source: Source = source, go: str = go
    ) -> int:
        number = source.read(0)
        log(folder / "computed", key)
        wait_until((folder / go).exists, "the computation may end", 100)
        time.sleep(key * 0.005)  # so that a proxy in Python can carry the messages
        return number

    return dated


def call_dated(url: str, cache: str, place: str, go: str, keys: int) -> list[int]:
    """Call it with all keys at the same time."""
    dated = dated_of(open_machine(url, cache), place, go)
    with ThreadPoolExecutor(keys) as threads:
        return list(threads.map(dated, range(keys)))


def _quick_of(stash: Stash, place: str) -> Memo[[], int]:
    source = Source(pathlib.Path(place) / "source")

    @stash.memo(ignore="source")
    def quick(source: Source = source) -> int:
        number = source.read(0)
        time.sleep(random.uniform(0, 0.01))  # so that the lease is evicted meanwhile
        return number

    return quick


def refresh_until(url: str, cache: str, place: str) -> int:
    """Refresh a value until the file `stop` is there; return how often."""
    quick, folder, times = _quick_of(open_machine(url, cache), place), pathlib.Path(place), 0
    log(folder / "ready", cache)
    while not (folder / "stop").exists():
        quick.refresh()
        times += 1
    return times


def look_until(url: str, cache: str, place: str) -> tuple[int, int]:
    """Look at that value until the file `stop` is there.

    Return how many there were, and how often an older one came after a newer.
    """
    quick, folder = _quick_of(open_machine(url, cache), place), pathlib.Path(place)
    log(folder / "ready", cache)
    seen, newest, older = set(), -1, 0
    while not (folder / "stop").exists():
        number = quick.peek()
        if number is not None:
            seen.add(number)
            older += number < newest
            newest = max(newest, number)
    return len(seen), older


# Updates that every machine must see

_BOUND = 2.0


def update(url: str, cache: str, place: str, how: str, updates: int) -> int:
    """Raise the source's number, forget or refresh the derived value, and promise that.

    Return how often.
    """
    quick, source = (
        _quick_of(open_machine(url, cache), place),
        Source(pathlib.Path(place) / "source"),
    )
    for number in range(1, updates + 1):
        source.write(0, number)
        while outcome(quick.refresh if how == "refresh" else quick.forget) != "done":
            pass  # it did not return
        source.write(1, number)
    return updates


def compare_until(url: str, cache: str, place: str) -> dict[str, float]:
    """Call until the file `stop` is there.

    Return how often, how often that gave a number older than what was promised 2 s before, how
    often one older than was promised when the call began, and by how many seconds at most."""
    quick, folder = _quick_of(open_machine(url, cache), place), pathlib.Path(place)
    source, promised = Source(folder / "source"), [(0.0, 0)]
    calls = outdated = late = 0
    latest = 0.0
    log(folder / "ready", cache)
    while not (folder / "stop").exists():
        now, number = time.monotonic(), source.read(1)
        if number > promised[-1][1]:
            promised.append((now, number))
        got = quick()
        calls += 1
        # When was something newer than this promised?
        first_newer = bisect.bisect_right(promised, got, key=operator.itemgetter(1))
        newer = promised[first_newer][0] if first_newer < len(promised) else now
        late += newer < now
        latest = max(latest, now - newer)
        outdated += now - newer > _BOUND
        while len(promised) > 1 and promised[1][0] < now - 10:
            promised.pop(0)
    return {"calls": calls, "outdated": outdated, "late": late, "latest": latest}


def in_background(work: Callable[[], object]) -> threading.Thread:
    """Run *work* in a thread until it returns."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def outcome(call: Callable[[], object]) -> str:
    """Call something that may be refused, and return the name of the error, or "done"."""
    try:
        call()
    except StashError as error:
        return type(error).__name__
    return "done"
