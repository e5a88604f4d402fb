"""`python -m bench.scale`: what a thousand machines would ask of Redis.

Unit costs are measured on a real server, the rest is simulated.

docs/scale.md tells what came out, and what follows.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import math
import pathlib
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import redis

from bench import contenders, machine
from dash_stash import Memo, Stash
from dash_stash.owner import Owner

KB, MB, GB = 10**3, 10**6, 10**9


@dataclass(frozen=True)
class Load:
    """What is asked of the app."""

    machines: int = 1000
    workers: int = 4
    """Processes of each machine."""

    sessions: int = 100_000
    """That are live at the same time."""

    pause: float = 10.0
    """Seconds from one callback of a session to its next, on average."""

    keys: int = 100_000
    """Different calls of memo functions, of which each callback opens one."""

    zipf: float = 1.0
    """The key of rank r is asked for as often as 1 / r ** zipf."""

    size: float = 100 * KB
    """Bytes of a value, the median; half of all lie between a third and three times that."""

    ttl: float = 600.0
    near: float = 2 * 2**30
    """Bytes of each machine's near cache."""

    variables: int = 5
    """Of a session, 1 kB each; every callback reads one, every fifth changes one."""

    changes: float = 0.2

    @property
    def rate(self) -> float:
        """Callbacks a second, over all machines."""
        return self.sessions / self.pause


@dataclass(frozen=True)
class Cost:
    """What one operation costs the server."""

    commands: float
    cpu: float
    """Seconds of the server's processor."""

    sent: float
    """Bytes that the server sends."""

    received: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.commands + other.commands,
            self.cpu + other.cpu,
            self.sent + other.sent,
            self.received + other.received,
        )

    def __mul__(self, times: float) -> Cost:
        return Cost(
            self.commands * times, self.cpu * times, self.sent * times, self.received * times
        )


_NOTHING = Cost(0, 0, 0, 0)


# Measuring


class Meter:
    """A server that tells what it has done."""

    def __init__(self, client: redis.Redis) -> None:
        """Take a client of the server."""
        self._client = client

    def now(self) -> Cost:
        """Return what the server has done since it started."""
        info = self._client.info("everything")
        cpu = info["used_cpu_sys"] + info["used_cpu_user"]
        return Cost(
            info["total_commands_processed"],
            cpu,
            info["total_net_output_bytes"],
            info["total_net_input_bytes"],
        )

    def memory_of(self, call: Callable[[], object], times: int) -> float:
        """Return the bytes that the server keeps for a call, the mean of many."""
        before = self._memory()
        for _ in range(times):
            call()
        return (self._memory() - before) / times

    def _memory(self) -> int:
        return int(self._client.info("memory")["used_memory"])

    def of(self, call: Callable[[], object], times: int) -> Cost:
        """Return what a call costs, the mean of many."""
        asking = self._of(lambda: None, 1)
        return self._of(call, times) + asking * (-1 / times)

    def _of(self, call: Callable[[], object], times: int) -> Cost:
        before = self.now()
        for _ in range(times):
            call()
        return (self.now() + before * -1) * (1 / times)


@dataclass(frozen=True)
class Costs:
    """What each operation costs the server, and what it keeps."""

    checked: Cost
    """A hit that is checked."""

    pushed: Cost
    """A hit that needs no check."""

    fetch: Cost
    """A value that a machine fetches, besides its bytes."""

    fetched_byte: Cost
    store: Cost
    """A value that is stored, besides its bytes."""

    stored_byte: Cost
    read: Cost
    """A variable of 1 kB that is read."""

    change: Cost
    """A variable of 1 kB that is modified."""

    session: Cost
    """A request that proves its session."""

    message: Cost
    """A process that is told that what it has read has changed, with pushed invalidation."""

    entry_memory: float
    """Bytes that the server keeps for a value, besides its own."""

    variable_memory: float
    process_memory: float


def measure(folder: pathlib.Path, address: str, *, quick: bool) -> Costs:
    """Measure on a real server, through the store that apps use."""
    times, rounds, listeners = (200, 5, 5) if quick else (2000, 30, 20)
    small, big = 10 * KB, 1000 * KB
    with redis.Redis.from_url(address) as client:
        meter = Meter(client)
        first, second = (contenders.machine(address, folder / name) for name in ("first", "second"))
        value, other = _value_of(first), _value_of(second)
        stored = [
            meter.of(_counting(functools.partial(_swapped, value, size)), times // 10)
            for size in (small, big)
        ]
        fetched = [
            meter.of(_counting(functools.partial(_swapped, other, size)), times // 10)
            for size in (small, big)
        ]
        checked = meter.of(lambda: other(0, small), times)
        entry_memory = meter.memory_of(_counting(lambda number: value(number, KB)), times) - KB
        write = _counting(lambda number: first.app.update({f"variable {number}": bytes(KB)}))
        variable_memory = meter.memory_of(write, times)
        read = meter.of(lambda: second.app["variable 0"], times)
        change = meter.of(lambda: second.app.modify("variable 0", lambda before: before), times)
        machines = [
            contenders.machine(f"{address}?push=1", folder / f"listener {number}")
            for number in range(listeners)
        ]
        hits = [_value_of(stash) for stash in machines]
        process_memory = meter.memory_of(
            _counting(lambda number: hits[number](0, small)), listeners
        )
        time.sleep(1)  # until all have heard what a hit without a check needs
        pushed = meter.of(lambda: hits[0](0, small), times)
        told = sum((_refreshed(meter, value, hits) for _ in range(rounds)), start=_NOTHING) * (
            1 / rounds
        )
        untold = sum((_refreshed(meter, value, []) for _ in range(rounds)), start=_NOTHING) * (
            1 / rounds
        )
        # The cookie, and the session that it is of: has either ended?
        session = meter.of(
            lambda: (
                first._deployment.store.has_ended(Owner("cookie:aa")),
                first._deployment.store.has_ended(Owner("session:aa")),
            ),
            times,
        )
    fetch, fetched_byte = _line(small, big, *fetched)
    store, stored_byte = _line(small, big, *stored)
    message = (told + untold * -1) * (1 / listeners)
    memory = entry_memory, variable_memory, process_memory
    return Costs(
        checked,
        pushed,
        fetch,
        fetched_byte,
        store,
        stored_byte,
        read,
        change,
        session,
        message,
        *memory,
    )


def _refreshed(
    meter: Meter, value: Memo[[int, int], bytes], hits: Sequence[Memo[[int, int], bytes]]
) -> Cost:
    """Return what a new version costs if all who looked at the old one are told."""
    for hit in hits:
        hit(0, 10 * KB)
        hit(0, 10 * KB)  # the first look fetches, the second is one that the server remembers
    return meter.of(lambda: value.refresh(0, 10 * KB), 1)


def _value_of(stash: Stash) -> Memo[[int, int], bytes]:
    @stash.memo
    def value(number: int, size: int) -> bytes:
        return number.to_bytes(8, "little") * (size // 8)

    return value


def _swapped(value: Callable[[int, int], object], size: int, number: int) -> None:
    value(number, size)


def _counting(call: Callable[[int], object]) -> Callable[[], object]:
    """Return what calls with 0, 1, 2 and so on."""
    numbers = itertools.count()
    return lambda: call(next(numbers))


def _line(small: int, big: int, of_small: Cost, of_big: Cost) -> tuple[Cost, Cost]:
    """Return what is spent once, and what for each byte."""
    a_byte = (of_big + of_small * -1) * (1 / (big - small))
    return of_small + a_byte * -small, a_byte


# Simulating


@dataclass(frozen=True)
class Outcome:
    """What happened when callbacks opened values."""

    near: float
    """The share that the machine's near cache had, and that was current."""

    again: float
    """The share of all that the same process had looked at within the last second.

    With pushed changes, it does not ask the server for those.
    """

    fetched: float
    """The share that came from Redis."""

    computed: float
    fetched_bytes: float
    """Of a callback, on average."""

    computed_bytes: float
    near_bytes: float
    """What the near cache of a machine has come to."""

    live_values: float
    """How many are stored at the same time."""

    live_bytes: float


class _NearCache:
    """Versions of values by key, least recently used first."""

    def __init__(self, room: float) -> None:
        self._room, self.size = room, 0.0
        self._kept: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def has(self, key: int, version: float) -> bool:
        kept = self._kept.get(key)
        if kept is None or kept[0] != version:
            return False
        self._kept.move_to_end(key)
        return True

    def keep(self, key: int, version: float, size: float) -> None:
        _, before = self._kept.pop(key, (0.0, 0.0))
        self._kept[key] = version, size
        self.size += size - before
        while self.size > self._room:
            _, (_, gone) = self._kept.popitem(last=False)
            self.size -= gone


def simulate(load: Load, *, sample: int, seconds: float) -> Outcome:
    """Let callbacks come at random, each to a random machine, and open a value.

    A *sample* of the machines is followed callback by callback for some seconds, after two times
    the ttl to warm up. Of the others only this matters: what they compute. They ask at random too,
    so the time until they next ask for a value that is over is drawn from the exponential
    distribution.
    """
    chance = np.random.default_rng(0)
    popularity = 1 / np.arange(1, load.keys + 1) ** load.zipf
    asked_for = load.rate * popularity / popularity.sum()
    sizes = load.size * np.exp(chance.normal(scale=_SPREAD, size=load.keys))
    sample = min(sample, load.machines)
    # Forever, if there are no others.
    pauses = (
        1 / asked_for / (1 - sample / load.machines)
        if sample < load.machines
        else np.full(load.keys, np.inf)
    )
    warm = 2 * load.ttl
    count = int(load.rate * sample / load.machines * (warm + seconds))
    times = np.sort(chance.uniform(0, warm + seconds, count))
    keys = chance.choice(load.keys, count, p=popularity / popularity.sum())
    places, workers = chance.integers(sample, size=count), chance.integers(load.workers, size=count)
    looked: dict[tuple[int, int, int], float] = {}
    again = 0
    caches = [_NearCache(load.near) for _ in range(sample)]
    made = np.full(load.keys, -np.inf)
    counts, volumes = np.zeros(3), np.zeros(3)
    for now, key, place, worker in zip(times, keys, places, workers, strict=True):
        version = made[key]
        while version + load.ttl <= now:
            # It has expired. Another machine may have computed it since, and that may have expired
            # too.
            version = max(version + load.ttl, 0.0) + chance.exponential(pauses[key])
        what = (
            _COMPUTED if version > now else _NEAR if caches[place].has(key, version) else _FETCHED
        )
        made[key] = min(version, now)
        if what != _NEAR:
            caches[place].keep(key, made[key], sizes[key])
        was_looked_at = (
            what == _NEAR and now - looked.get((key, place, worker), -np.inf) < _LOOKED_AT_LEAST
        )
        if not was_looked_at:
            looked[key, place, worker] = now
        if now >= warm:
            again += was_looked_at
            counts[what] += 1
            volumes[what] += sizes[key]
    near, fetched, computed = counts / counts.sum()
    again_share = again / counts.sum()
    volumes /= counts.sum()
    near_bytes = sum(cache.size for cache in caches) / sample
    # A value is there for its ttl, then gone until somebody asks.
    live = asked_for * load.ttl / (1 + asked_for * load.ttl)
    return Outcome(
        near,
        again_share,
        fetched,
        computed,
        volumes[_FETCHED],
        volumes[_COMPUTED],
        near_bytes,
        live.sum(),
        (live * sizes).sum(),
    )


_NEAR, _FETCHED, _COMPUTED = range(3)
_LOOKED_AT_LEAST = 1.0  # seconds after which a hit looks in any case
_SPREAD = (
    1.63  # of the logarithm: half of all sizes then lie between a third and three times the median
)


# Adding up


@dataclass(frozen=True)
class Demanded:
    """What is asked of Redis, each second, and what it keeps."""

    parts: dict[str, Cost]
    memory: dict[str, float]

    @property
    def total(self) -> Cost:
        """All of it."""
        return sum(self.parts.values(), start=_NOTHING)


def demand(load: Load, outcome: Outcome, costs: Costs, *, push: bool) -> Demanded:
    """Add up what the callbacks of a second cost, with or without pushed invalidation."""
    rate, processes = load.rate, load.machines * load.workers
    computed = rate * outcome.computed
    parts = {
        "hits of the near caches": costs.checked
        * (rate * (outcome.near - (outcome.again if push else 0.0))),
        "values fetched": costs.fetch * (rate * outcome.fetched)
        + costs.fetched_byte * (rate * outcome.fetched_bytes),
        "values computed": costs.store * computed
        + costs.stored_byte * (rate * outcome.computed_bytes),
        "sessions proven": costs.session * rate,
        "variables read": costs.read * rate,
        "variables changed": costs.change * (rate * load.changes),
    }
    if push:
        parts["hits of the near caches"] += costs.pushed * (rate * outcome.again)
        # A process is told when a value that it looked at ends: at most all workers of each machine
        # that has fetched the value.
        parts["messages"] = costs.message * (rate * outcome.fetched * load.workers)
    memory = {
        "values": outcome.live_bytes + outcome.live_values * costs.entry_memory,
        "variables": load.sessions * load.variables * costs.variable_memory,
        "connections": processes * costs.process_memory,
    }
    return Demanded(parts, memory)


# Telling


_CORE = 0.7
"""How busy one Redis may be: from here on answers begin to wait for each other."""

_LINE = 10e9 / 8


def main() -> None:
    """Measure, simulate, and print what docs/scale.md has."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer rounds and machines, for a first look"
    )
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="dash-stash-bench-") as name:
        folder = pathlib.Path(name)
        print(
            "\n".join(f"{fact:>12}  {value}" for fact, value in machine.describe(folder).items())
            + "\n"
        )
        with contenders.redis_server(folder / "redis") as address:
            costs = measure(folder, address, quick=quick)
    _tell_costs(costs)
    load = Load()
    for what, changed in _VARIANTS.items():
        varied = dataclasses.replace(load, **changed)
        outcome = simulate(varied, sample=20 if quick else 100, seconds=120 if quick else 600)
        print(f"\n## {what}\n")
        _tell_outcome(varied, outcome)
        for push in (False, True):
            _tell_demand(
                varied,
                demand(varied, outcome, costs, push=push),
                "pushed invalidation" if push else "pointer checks",
            )


_VARIANTS: dict[str, dict[str, Any]] = {
    "1,000 machines, 100,000 sessions": {},
    "The same with flatter popularity (zipf 0.7)": {"zipf": 0.7},
    "The same with near caches of 256 MiB": {"near": 2**28},
    "100 machines of 40 workers": {"machines": 100, "workers": 40},
    "10 machines, 1,000 sessions": {"machines": 10, "sessions": 1000},
}


def _tell_costs(costs: Costs) -> None:
    print("| one | commands | µs of the server | bytes in | bytes out |")
    print("| --- | --- | --- | --- | --- |")
    for what, cost in vars(costs).items():
        if isinstance(cost, Cost):
            scale, unit = (KB, "1,000 ") if what.endswith("byte") else (1, "")
            each = cost * scale
            name = f"{unit}{what.replace('_', ' ')}{'s' if unit else ''}"
            server = f"{each.commands:.2f} | {each.cpu * 1e6:.1f}"
            print(f"| {name} | {server} | {each.received:,.0f} | {each.sent:,.0f} |")
    entry, variable, process = costs.entry_memory, costs.variable_memory, costs.process_memory
    memory = f"{entry:,.0f} B a value, {variable:,.0f} B a variable, {process:,.0f} B a process"
    print(f"\nMemory: {memory}.")


def _tell_outcome(load: Load, outcome: Outcome) -> None:
    again = f"{outcome.again:.1%} within a second of the same process's last look"
    shares = (
        f"near {outcome.near:.1%} ({again}), "
        f"fetched {outcome.fetched:.1%}, computed {outcome.computed:.2%}"
    )
    print(
        f"{load.rate:,.0f} callbacks a second; {shares}; "
        f"near caches hold {outcome.near_bytes / MB:,.0f} MB each; "
        f"{outcome.live_values:,.0f} values are live.\n"
    )


def _tell_demand(load: Load, demanded: Demanded, how: str) -> None:
    total = demanded.total
    print(f"| {how} | commands/s | cores | MB/s in | MB/s out |\n| --- | --- | --- | --- | --- |")
    for what, cost in {**demanded.parts, "**all**": total}.items():
        traffic = f"{cost.received / MB:,.1f} | {cost.sent / MB:,.1f}"
        print(f"| {what} | {cost.commands:,.0f} | {cost.cpu:.2f} | {traffic} |")
    memory = ", ".join(f"{what} {size / GB:.2f} GB" for what, size in demanded.memory.items())
    most = load.rate / max(total.cpu / _CORE, total.sent / _LINE)
    shards = math.ceil(max(total.cpu / _CORE, total.sent / _LINE))
    print(
        f"\nMemory: {memory}. One server carries {most:,.0f} callbacks a second; "
        f"for these {load.rate:,.0f} take {shards}.\n"
    )


if __name__ == "__main__":
    main()
