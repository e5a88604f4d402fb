"""What the guard adds to a callback while it is on."""

from __future__ import annotations

import collections
import os
import pathlib
import statistics
import time
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from bench.report import Demand, Section
from bench.timing import Call, race, spread
from dash_stash.guard.callback import WatchedCallback
from dash_stash.guard.runtime import BUDGET, Guard

_frame = pd.DataFrame({f"c{number}": np.arange(1_000_000.0) for number in range(6)})
_small_frame = _frame.head(80_000).copy()
_list, _small_list = list(range(1_000_000)), list(range(10_000))
_dict, _small_dict = dict.fromkeys(_list, 0), dict.fromkeys(_small_list, 0)
_deque, _small_deque = collections.deque(_list), collections.deque(_small_list)
_settings: dict[str, Any] = {f"key {number}": list(range(10)) for number in range(1000)}
_names = ["ann", "bob"]


def guarded(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield what it takes to watch callbacks that do nothing, and each of the gallery's."""
    rounds = 20 if quick else 100
    calls = {what: _watched(function) for what, function in _REACHING.items()}
    timed = race(calls, rounds)
    demands = [
        Demand(f"reaching {what}", timed.median(what) * 1e3, 1e3 * BUDGET, "ms") for what in calls
    ]
    yield Section("The guard: what it adds to a callback", demands, timed.spreads())
    yield _samples(rounds)
    yield _gallery(folder / "gallery", rounds)


def _samples(rounds: int) -> Section:
    """Compare big values, of which a sample is looked at, with the biggest that are read whole."""
    calls = {what: _watched(function) for pair in _BIG_AND_SMALL for what, function in pair}
    timed = race(calls, rounds)
    demands = [
        Demand(f"{big}, against {small}", timed.ratio(big, small), 1.0)
        for (big, _), (small, _) in _BIG_AND_SMALL
    ]
    return Section("The guard: big values, of which it looks at samples", demands, timed.spreads())


def _gallery(folder: pathlib.Path, rounds: int) -> Section:
    from dash_stash.demo import CACHE_VARIABLE

    os.environ |= {"DASH_STASH_URL": f"file://{folder}", CACHE_VARIABLE: str(folder / "chapter")}
    from dash_stash.demo.app import app

    functions = [entry["callback"] for entry in app.callback_map.values() if "callback" in entry]
    guard, medians = Guard(), []
    for function in functions:
        callback, times = WatchedCallback(function, ""), []
        for _ in range(rounds):
            began = time.perf_counter()
            assert guard.begin(callback).end() == []
            times.append(time.perf_counter() - began)
        medians.append(statistics.median(times))
    demand = Demand("the slowest", max(medians) * 1e3, 1e3 * BUDGET, "ms")
    return Section(
        f"The guard: the {len(functions)} callbacks of the gallery",
        [demand],
        {"a callback": spread(medians)},
    )


def _watched(function: Call) -> Call:
    guard, callback = Guard(), WatchedCallback(function, "out.children")

    def call() -> None:
        watch = guard.begin(callback)
        function()
        assert watch.end() == []

    return call


_REACHING: Final[dict[str, Call]] = {
    "a short list": lambda: _names[0],
    "1,000 lists in a dict": lambda: _settings["key 1"],
    "a frame of 48 MB": lambda: _frame.shape,
}

_BIG_AND_SMALL: Final[tuple[tuple[tuple[str, Call], tuple[str, Call]], ...]] = (
    (("frame, 48 MB", lambda: _frame.shape), ("frame, 3.8 MB", lambda: _small_frame.shape)),
    (("list, 1,000,000", lambda: _list[0]), ("list, 10,000", lambda: _small_list[0])),
    (("dict, 1,000,000", lambda: _dict[0]), ("dict, 10,000", lambda: _small_dict[0])),
    (("deque, 1,000,000", lambda: _deque[0]), ("deque, 10,000", lambda: _small_deque[0])),
)
