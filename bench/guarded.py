"""What the guard adds to a callback while it is on."""

from __future__ import annotations

import os
import pathlib
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bench.report import Demand, Section
from bench.timing import Call, race, spread
from dash_stash.guard.callback import WatchedCallback
from dash_stash.guard.runtime import BUDGET, Guard

_frame = pd.DataFrame({f"c{number}": np.arange(1_000_000.0) for number in range(6)})
_settings: dict[str, Any] = {f"key {number}": list(range(10)) for number in range(1000)}
_names = ["ann", "bob"]


def guarded(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield what it takes to watch three callbacks that do nothing, and each of the gallery's."""
    rounds = 20 if quick else 100
    calls: dict[str, Call] = {}
    for what, function in (
        ("a short list", _short),
        ("1,000 lists in a dict", _lists),
        ("a frame of 48 MB", _big),
    ):
        calls[what] = _watched(function)
    timed = race(calls, rounds)
    demands = [
        Demand(f"reaching {what}", timed.median(what) * 1e3, 1e3 * BUDGET, "ms") for what in calls
    ]
    yield Section("The guard: what it adds to a callback", demands, timed.spreads())
    yield _gallery(folder / "gallery", rounds)


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


def _short() -> object:
    return _names[0]


def _lists() -> object:
    return _settings["key 1"]


def _big() -> object:
    return _frame.shape
