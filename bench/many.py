"""A hit with very many entries stored, against one with few."""

from __future__ import annotations

import hashlib
import multiprocessing
import pathlib
import random
import statistics
import time
from collections.abc import Iterator

from bench import contenders
from bench.frame import MILLION
from bench.report import Demand, Section
from bench.timing import Call, race
from dash_stash import Stash
from dash_stash.codec import encode
from dash_stash.entries import Facts
from dash_stash.keys import KEY_SIZE
from dash_stash.owner import Owner
from dash_stash.stores.base import Store
from dash_stash.stores.local import LocalStore
from dash_stash.stores.local.janitor import AT_ONCE, SWEEP_EVERY

_FEW = 1000
_FILLERS = 2
_KEYS = 25
_SESSIONS = 10_000
_SWEEPS = 10
_SOON = 300.0


def many(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield hits of entries that the process reads for the first time, and of one read again."""
    count = MILLION // 10 if quick else MILLION
    began = time.perf_counter()
    _fill_together(folder / "many", count)
    took = time.perf_counter() - began
    _fill(folder / "few", range(_FEW))
    names = f"{count:,} entries", f"{_FEW:,} entries"
    each = took * _FILLERS / count * 1e6
    note = (
        f"storing {count:,} entries took {took:.0f} s in {_FILLERS} processes, {each:.0f} µs each"
    )

    rounds = 40 if quick else 150
    first = {
        names[0]: _first_hits(folder / "many", count, rounds),
        names[1]: _first_hits(folder / "few", _FEW, rounds),
    }
    timed = race(first, rounds)
    demand = Demand(f"{names[0]} against {names[1]}", timed.ratio(*names), 1.5)
    yield Section(
        f"First hits in a process, {_KEYS} random entries", [demand], timed.spreads(), [note]
    )

    yield _janitor(folder / "many", count)

    hits = [
        contenders.memo_hit(contenders.stash_in(folder / name), 1.0) for name in ("many", "few")
    ]
    again = dict(zip(names, hits, strict=True))
    timed = race(again, 200, repeat=50)
    demand = Demand(f"{names[0]} against {names[1]}", timed.ratio(*names), 1.5)
    yield Section("Warm hit of one small entry", [demand], timed.spreads())


def _janitor(folder: pathlib.Path, count: int) -> Section:
    """Return what the sweeps cost that one process makes every ten seconds.

    While all entries are in use, and while many have expired.
    """
    idle = _shares(contenders.stash_in(folder)._deployment.store)
    _fill(folder, range(count, count + _SWEEPS * AT_ONCE), gone_at=time.time() + _SOON)
    url, name, secret = f"file://{folder}", contenders.NAME, contenders.SECRET
    later = Stash(
        url=url,
        name=name,
        secret=secret,
        clock=lambda: time.time() + 2 * _SOON,
        max_entries=2 * count,
    )
    demands = [
        Demand("of a core, while all is in use", idle, 1, "%"),
        Demand(
            f"of a core, while {AT_ONCE:,} entries expire each time",
            _shares(later._deployment.store),
            1,
            "%",
        ),
    ]
    return Section(f"The janitor's share, {count:,} entries, {_SESSIONS:,} sessions", demands)


def _shares(store: Store) -> float:
    """Return the median time of a sweep, in percent of the time between two."""
    assert isinstance(store, LocalStore)
    shares = []
    for _ in range(_SWEEPS):
        began = time.thread_time()
        assert store.janitor.sweep()
        shares.append((time.thread_time() - began) / SWEEP_EVERY)
    return 100 * statistics.median(shares)


def _key(number: int) -> bytes:
    return hashlib.blake2b(number.to_bytes(8, "little"), digest_size=KEY_SIZE).digest()


def _fill_together(folder: pathlib.Path, count: int) -> None:
    processes = multiprocessing.get_context("spawn")
    fillers = [
        processes.Process(target=_fill, args=(folder, range(start, count, _FILLERS)))
        for start in range(_FILLERS)
    ]
    for filler in fillers:
        filler.start()
    for filler in fillers:
        filler.join()
        assert filler.exitcode == 0


def _fill(folder: pathlib.Path, numbers: range, gone_at: float = float("inf")) -> None:
    """Store a small value under the key of each number."""
    store = contenders.stash_in(folder)._deployment.store
    encoded = encode({f"key {number}": float(number) for number in range(10)})
    for number in numbers:
        # A tenth of them belongs to sessions.
        session = f"session:{_key(number // 10 % _SESSIONS).hex()}" if number % 10 == 0 else ""
        store.commit(
            None,
            _key(number),
            Facts("put", "dict", time.time(), gone_at=gone_at, owner=Owner(session)),
            encoded,
        )


def _first_hits(folder: pathlib.Path, count: int, rounds: int) -> Call:
    """Return a call that reads random entries for the first time, each time in a new store."""
    turns = []
    for _ in range(2 * rounds + 1):
        store = contenders.stash_in(folder)._deployment.store
        keys = [_key(number) for number in random.sample(range(count), _KEYS + 1)]
        store.read(keys.pop())  # opens the store
        turns.append((store, keys))
    other = contenders.stash_in(folder)._deployment.store
    # All entries are in memory, however many there are: the disk is not measured.
    for _, keys in turns:
        assert all(other.read(key) for key in keys)
    supply = iter(turns)

    def call() -> None:
        store, keys = next(supply)
        for key in keys:
            store.read(key)

    return call
