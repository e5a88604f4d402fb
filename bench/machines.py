"""Many machines on one Redis: first fetch, later hits, pushed hits, many clients on a cold key."""

from __future__ import annotations

import functools
import multiprocessing
import pathlib
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

import redis

from bench import contenders
from bench.frame import MILLION, frame
from bench.hits import OURS, REDIS
from bench.report import Demand, Section
from bench.timing import Call, race
from dash_stash.codec import encode
from dash_stash.entries import Facts, pack

PUSHED = "dash-stash, pushed"
GET, LOCAL, BOTH = "a raw GET", "a local hit", "a small GET, a local hit"

_MACHINES = 2
_CLIENTS = 10
_PUSH = "?push=1"


def machines(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield a machine's first fetch, its later hits, and how long it waits for another machine."""
    with (
        contenders.redis_server(folder / "machines") as address,
        redis.Redis.from_url(address) as client,
    ):
        value = frame(MILLION)
        yield from _first_fetch(folder / "first", address, client, value, quick=quick)
        client.flushall()  # the functions of the next section have the same names
        yield from _later_hits(
            "the 48 MB frame",
            folder / "frames",
            address,
            client,
            value,
            rounds=10 if quick else 50,
            repeat=5,
        )
        client.flushall()
        small = {f"key {number}": float(number) for number in range(10)}
        yield from _later_hits(
            "a dict of ten floats",
            folder / "dicts",
            address,
            client,
            small,
            rounds=20 if quick else 100,
            repeat=50,
        )
        yield _cold(folder / "cold", address, rounds=3 if quick else 20)


def _first_fetch(
    folder: pathlib.Path, address: str, client: redis.Redis, value: object, *, quick: bool
) -> Iterator[Section]:
    """Yield the fetch of the frame by a machine that has nothing yet, against a plain GET."""
    contenders.memo_hit(contenders.machine(address, folder / "writer"), value)
    packed = pack(bytes(16), Facts("memo", "", 0.0), encode(value), bytes(32))
    client.set("raw", b"".join((packed.head, *packed.body)))
    fetch = _Newcomer(address, folder / "newcomer", value)
    timed = race(
        {OURS: fetch, GET: lambda: client.get("raw")}, 5 if quick else 25, undo={OURS: fetch.leave}
    )
    demand = Demand("against a raw GET of the same bytes", timed.ratio(OURS, GET), 1.5)
    yield Section("First fetch of the 48 MB frame on a machine", [demand], timed.spreads())
    client.delete("raw")


class _Newcomer:
    """A machine that has fetched nothing: another one after each call."""

    def __init__(self, address: str, cache: pathlib.Path, value: object) -> None:
        self._address, self._cache, self._value = address, cache, value
        self._arrive()

    def _arrive(self) -> None:
        stash = contenders.machine(self._address, self._cache)
        stash.app.get("name")  # connects
        self._hit = contenders.memo_of(stash, self._value)

    def __call__(self) -> object:
        return self._hit()

    def leave(self) -> None:
        shutil.rmtree(self._cache)
        self._arrive()


def _later_hits(
    what: str,
    folder: pathlib.Path,
    address: str,
    client: redis.Redis,
    value: object,
    *,
    rounds: int,
    repeat: int,
) -> Iterator[Section]:
    """Yield hits of a value that the machine has: checked with the server, and pushed by it."""
    local = contenders.memo_hit(contenders.stash_in(folder / "local"), value)
    client.set("small", bytes(100))

    def both() -> None:
        client.get("small")
        local()

    calls: dict[str, Call] = {
        OURS: contenders.memo_hit(contenders.machine(address, folder / "checked"), value),
        PUSHED: contenders.memo_hit(contenders.machine(address + _PUSH, folder / "pushed"), value),
        LOCAL: local,
        BOTH: both,
        REDIS: contenders.flask_caching_redis_hit(address, value),
    }
    timed = race(calls, rounds, repeat=repeat)
    demands = [
        Demand("checked, against a small GET and a local hit", timed.ratio(OURS, BOTH), 1.5),
        Demand("pushed, against a local hit", timed.ratio(PUSHED, LOCAL), 2),
    ]
    if repeat < 50:
        demands.append(Demand(f"checked, against {REDIS}", timed.ratio(OURS, REDIS), 1 / 50))
    yield Section(f"Later hits of {what} on a machine", demands, timed.spreads())


def _cold(folder: pathlib.Path, address: str, *, rounds: int) -> Section:
    """Return when the clients of two machines have the value that one of them computes."""
    processes = multiprocessing.get_context("spawn")
    pipes = []
    for number in range(_MACHINES):
        ours, theirs = processes.Pipe()
        processes.Process(
            target=_clients, args=(theirs, address, folder / str(number)), daemon=True
        ).start()
        pipes.append(ours)
    latest, computed = [], 0
    for round_ in range(rounds):
        for pipe in pipes:
            pipe.send(round_)
        answers = [pipe.recv() for pipe in pipes]
        ended = [end for ends, _ in answers for end in ends]
        computed += len(ended)
        latest.append(max(got for _, gots in answers for got in gots) - max(ended))
    for pipe in pipes:
        pipe.send(None)
    demands = [
        Demand("the last client after the computation", max(latest) * 1000, 50, "ms"),
        Demand("computations a round", computed / rounds, 1, "times"),
    ]
    half = sorted(latest)[rounds // 2] * 1000
    note = f"the last of all in {rounds} rounds; in half of them less than {half:.1f} ms"
    return Section(
        f"{_MACHINES * _CLIENTS} clients over {_MACHINES} machines, cold key", demands, notes=[note]
    )


def _clients(pipe: Connection, address: str, cache: pathlib.Path) -> None:
    """Let all clients of a machine call with each number that comes.

    Answer with the times at which computations ended, and at which clients had the value.
    """
    stash = contenders.machine(address, cache)
    ended: list[float] = []

    @stash.memo(ignore="ended")
    def slow(number: int, ended: list[float] = ended) -> int:
        time.sleep(0.3)
        ended.append(time.monotonic())
        return number

    def call(number: int, together: threading.Barrier) -> float:
        together.wait()
        slow(number)
        return time.monotonic()

    with ThreadPoolExecutor(_CLIENTS) as threads:
        while (number := pipe.recv()) is not None:
            ended.clear()
            gots = list(
                threads.map(
                    functools.partial(call, together=threading.Barrier(_CLIENTS)),
                    [number] * _CLIENTS,
                )
            )
            pipe.send((ended, gots))
