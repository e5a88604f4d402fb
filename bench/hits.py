"""Warm hits: of a big frame, of one ten times as big, of a small value."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pandas as pd

from bench import contenders
from bench.frame import MILLION, frame, read
from bench.report import Demand, Section
from bench.timing import Call, race

OURS = "dash-stash"
FILES, REDIS, DISKCACHE, RAY = "Flask-Caching, files", "Flask-Caching, Redis", "diskcache", "Ray"


def frames(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield a hit of the 48 MB frame against the others, the floor, and the 478 MB frame."""
    value = frame(MILLION)
    stash = contenders.stash_in(folder / "frame")
    hit = contenders.memo_hit(stash, value)
    calls = {
        OURS: hit,
        FILES: contenders.flask_caching_files_hit(folder / "frame-flask", value),
        DISKCACHE: contenders.diskcache_hit(folder / "frame-diskcache", value),
    }
    with (
        contenders.ray_hit(value) as ray_hit,
        contenders.redis_server(folder / "frame-redis") as address,
    ):
        calls |= {RAY: ray_hit, REDIS: contenders.flask_caching_redis_hit(address, value)}
        del value
        # One hit a turn, as in an app: another contender has used the processor's caches before.
        timed = race(calls, 10 if quick else 50)
        demands = [
            Demand(f"against {name}", timed.ratio(OURS, name), limit)
            for name, limit in _LIMITS.items()
        ]
        yield Section("Warm hit of the 48 MB frame", demands, timed.spreads())
        timed = race(calls, 4 if quick else 30, repeat=5)
        ratios = ", ".join(f"{name} 1/{1 / timed.ratio(OURS, name):.3g}" for name in _LIMITS)
        yield Section(
            "The same, five hits in a row", (), timed.spreads(), [f"against {ratios}: no demand"]
        )
        timed = race({name: _and_read(call) for name, call in calls.items()}, 5 if quick else 20)
        yield Section("Warm hit of the 48 MB frame, and every byte of it read", (), timed.spreads())
    timed = race({OURS: hit, "by hand": contenders.by_hand(stash)}, 50 if quick else 300, repeat=5)
    demand = Demand("against the floor: open, map, unpickle", timed.ratio(OURS, "by hand"), 2)
    yield Section("Warm hit of the 48 MB frame, by hand", [demand], timed.spreads())
    if quick:
        return
    bigger = contenders.memo_hit(contenders.stash_in(folder / "big"), frame(10 * MILLION))
    timed = race({"478 MB": bigger, "48 MB": hit}, 300, repeat=5)
    yield Section(
        "Warm hit of the 478 MB frame",
        [Demand("against 48 MB", timed.ratio("478 MB", "48 MB"), 1.5)],
        timed.spreads(),
    )


_LIMITS = {FILES: 1 / 20, DISKCACHE: 1 / 8, RAY: 1 / 3}


def _and_read(call: Call) -> Call:
    def hit_and_read() -> None:
        value = call()
        assert isinstance(value, pd.DataFrame)
        read(value)

    return hit_and_read


def small(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield a hit of a dict of ten floats."""
    value = {f"key {number}": float(number) for number in range(10)}
    calls = {
        OURS: contenders.memo_hit(contenders.stash_in(folder / "small"), value),
        FILES: contenders.flask_caching_files_hit(folder / "small-flask", value),
        DISKCACHE: contenders.diskcache_hit(folder / "small-diskcache", value),
    }
    with contenders.redis_server(folder / "small-redis") as address:
        calls[REDIS] = contenders.flask_caching_redis_hit(address, value)
        timed = race(calls, 50 if quick else 200, repeat=50)
    demands = [
        Demand(f"against {DISKCACHE}", timed.ratio(OURS, DISKCACHE), 1 / 10),
        Demand("in itself", timed.median(OURS) * 1e6, 10, "µs"),
    ]
    yield Section("Warm hit of a dict of ten floats", demands, timed.spreads())
