"""A hit with very many entries stored, against one with few."""

from __future__ import annotations

import hashlib
import multiprocessing
import pathlib
import random
import time
from collections.abc import Iterator

from bench import contenders
from bench.frame import MILLION
from bench.report import Demand, Section
from bench.timing import Call, race
from dash_stash.codec import encode
from dash_stash.keys import KEY_SIZE
from dash_stash.layout import Facts

_FEW = 1000
_FILLERS = 2
_KEYS = 25


def many(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield hits of entries that the process never read before, and hits of one that it reads again and again."""
    count = MILLION // 10 if quick else MILLION
    began = time.perf_counter()
    _fill_together(folder / "many", count)
    took = time.perf_counter() - began
    _fill(folder / "few", range(_FEW))
    names = f"{count:,} entries", f"{_FEW:,} entries"
    note = f"storing {count:,} entries took {took:.0f} s in {_FILLERS} processes, {took * _FILLERS / count * 1e6:.0f} µs each"

    rounds = 40 if quick else 150
    first = dict(zip(names, (_first_hits(folder / "many", count, rounds), _first_hits(folder / "few", _FEW, rounds)), strict=True))
    timed = race(first, rounds)
    demand = Demand(f"{names[0]} against {names[1]}", timed.ratio(*names), 1.5)
    yield Section(f"First hits in a process, {_KEYS} random entries", [demand], timed.spreads(), [note])

    hits = [contenders.memo_hit(contenders.stash_in(folder / name), 1.0) for name in ("many", "few")]
    again = dict(zip(names, hits, strict=True))
    timed = race(again, 200, repeat=50)
    demand = Demand(f"{names[0]} against {names[1]}", timed.ratio(*names), 1.5)
    yield Section("Warm hit of one small entry", [demand], timed.spreads())


def _key(number: int) -> bytes:
    return hashlib.blake2b(number.to_bytes(8, "little"), digest_size=KEY_SIZE).digest()


def _fill_together(folder: pathlib.Path, count: int) -> None:
    processes = multiprocessing.get_context("spawn")
    fillers = [processes.Process(target=_fill, args=(folder, range(start, count, _FILLERS))) for start in range(_FILLERS)]
    for filler in fillers:
        filler.start()
    for filler in fillers:
        filler.join()
        assert filler.exitcode == 0


def _fill(folder: pathlib.Path, numbers: range) -> None:
    """Store a small value under the key of each number."""
    store = contenders.stash_in(folder).store
    encoded = encode({f"key {number}": float(number) for number in range(10)})
    for number in numbers:
        store.commit(None, _key(number), Facts("put", "dict", time.time()), encoded)


def _first_hits(folder: pathlib.Path, count: int, rounds: int) -> Call:
    """Return a call that reads random entries with a store that never read them: another store and others each time."""
    turns = []
    for _ in range(2 * rounds + 1):
        store = contenders.stash_in(folder).store
        keys = [_key(number) for number in random.sample(range(count), _KEYS + 1)]
        store.read(keys.pop())  # the store is open
        turns.append((store, keys))
    other = contenders.stash_in(folder).store
    for _, keys in turns:  # in memory, whatever the number of entries: the disk is not what is measured
        assert all(other.read(key) for key in keys)
    supply = iter(turns)

    def call() -> None:
        store, keys = next(supply)
        for key in keys:
            store.read(key)

    return call
