"""A server that pauses for less than a second costs variables nothing but the wait.

One that refuses costs one computation a machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dash_stash import Memo, Stash, StoreUnavailable
from dash_stash.testing import ManualClock
from processes.apps import machines
from processes.apps.machines import block_of, is_whole, open_machine
from processes.running import result, start
from servers import Server, refusing
from support import lines, must, wait_until
from unit.visiting import at_once

# Pauses


@pytest.mark.parametrize("pause", [0.1, 0.3, 0.8])
def test_a_pause_costs_variables_and_put_nothing_but_the_wait(
    pause: float, server: Server, tmp_path: pathlib.Path
) -> None:
    first, second = (open_machine(server.url, tmp_path / f"cache{number}") for number in (1, 2))
    stop = threading.Event()

    def work(number: int) -> tuple[int, float]:
        stash, times, longest = (first, second)[number % 2], 0, 0.0
        while not stop.is_set():
            began = time.monotonic()
            stash.app.modify(f"count {number // 4}", lambda count: count + 1, default=0)
            assert stash.ref(str(stash.put(number, share=True))).get() == number
            times, longest = times + 1, max(longest, time.monotonic() - began)
        return times, longest

    workers = at_once(16, work)
    for _ in range(3):
        time.sleep(0.5)  # they work
        with server.stopped():
            time.sleep(pause)
    time.sleep(0.5)
    stop.set()
    done = [worker.result() for worker in workers]
    counts = [first.app[f"count {number}"] for number in range(4)]
    assert counts == [
        sum(times for times, _ in done[4 * number : 4 * number + 4]) for number in range(4)
    ], "each counted once"
    assert max(longest for _, longest in done) < pause + 1.5


def test_who_has_been_idle_waits_too(server: Server, tmp_path: pathlib.Path) -> None:
    stash = open_machine(server.url, tmp_path / "cache")
    stash.app["name"] = 1
    time.sleep(2.5)  # longer than a pause may last
    with server.stopped():
        reading, calling = at_once(
            2,
            lambda number: (time.monotonic(), (lambda: stash.app["name"], block_of(stash))[number]),
        )
        (began, read), (_, block) = reading.result(), calling.result()
        (reader,) = at_once(1, lambda _: read())
        assert is_whole(block(1, 8000), 8000)
        assert time.monotonic() - began < 0.6, "a memo function does not wait"
    assert reader.result() == 1


_WITHOUT_ANOTHER_WAY: dict[str, Callable[[Stash, Memo[[int, int], Any], str, str], object]] = {
    "whether there is a variable": lambda stash, _block, _old, _put: "name" in stash.app,
    "deleting what was put": lambda stash, _block, _old, put: stash.ref(put).delete(),
    "a new reference": lambda _stash, block, _old, _put: block.ref(2, 8000),
    "another reference to the same": lambda _stash, block, _old, _put: block.ref(1, 8000),
    "opening a reference": lambda stash, _block, old, _put: stash.ref(old).get(),
    "forgetting a value": lambda _stash, block, _old, _put: block.forget(1, 8000),
    "forgetting a function's values": lambda _stash, block, _old, _put: block.forget(),
    "forgetting a tag": lambda stash, _block, _old, _put: stash.forget(tag="sales"),
}


@pytest.mark.parametrize("what", _WITHOUT_ANOTHER_WAY)
def test_what_has_no_other_way_waits_for_a_pause_to_end(
    what: str, server: Server, tmp_path: pathlib.Path
) -> None:
    stash = open_machine(server.url, tmp_path / "cache")
    block = block_of(stash, share=True)
    old, put = str(block.ref(1, 8000)), str(stash.put(1, share=True))
    stash.app["name"] = 1
    time.sleep(2.0)  # nothing is served any more that was looked at before the pause
    with server.stopped():
        assert is_whole(block(3, 8000), 8000), "by which the process knows of the pause"
        (caller,) = at_once(1, lambda _: _WITHOUT_ANOTHER_WAY[what](stash, block, old, put))
        time.sleep(0.3)
    caller.result()


def test_a_long_outage_makes_nobody_wait(server: Server, tmp_path: pathlib.Path) -> None:
    stash = open_machine(server.url, tmp_path / "cache")
    with server.stopped():
        began = time.monotonic()
        workers = at_once(8, lambda _: stash.put(1, share=True))
        assert {type(worker.error) for worker in workers} == {StoreUnavailable}
        assert time.monotonic() - began < 2.6
        time.sleep(max(0, began + 2.5 - time.monotonic()))
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            stash.put(1, share=True)
        assert time.monotonic() - began < 0.1


def test_a_computation_that_ends_in_a_pause_keeps_no_other_machine_waiting(
    server: Server, tmp_path: pathlib.Path
) -> None:
    first, second = (
        machines.slow_of(open_machine(server.url, tmp_path / f"cache{number}"), tmp_path)
        for number in (1, 2)
    )
    (leader,) = at_once(1, lambda _: first("key"))
    wait_until(lambda: lines(tmp_path / "computed"), "it computes")
    (waiter,) = at_once(1, lambda _: second("key"))
    time.sleep(0.3)  # it begins to wait
    with server.stopped():
        (tmp_path / "go").touch()
        assert leader.result() == 1
    began = time.monotonic()
    assert waiter.result() in (1, 2)
    assert time.monotonic() - began < 3, "not until the lease ends"


# One computation on each machine


@contextlib.contextmanager
def _killed(server: Server) -> Iterator[str]:
    server.kill()
    yield server.url


@contextlib.contextmanager
def _hanging(server: Server) -> Iterator[str]:
    with server.stopped():
        yield server.url


@contextlib.contextmanager
def _full(server: Server) -> Iterator[str]:
    server.ask("CONFIG", "SET", "maxmemory", "1mb")
    server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    yield server.url


@contextlib.contextmanager
def _read_only(server: Server) -> Iterator[str]:
    server.ask("REPLICAOF", "127.0.0.1", "1")
    server.ask("CONFIG", "SET", "replica-serve-stale-data", "yes")
    yield server.url


_ERRORS = (
    "LOADING the dataset",
    "READONLY replica",
    "OOM command",
    "NOAUTH required",
    "MISCONF errors",
    "MASTERDOWN link",
    "ERR no",
)
_AWAY = {"killed": _killed, "hanging": _hanging, "full": _full, "read-only": _read_only}


@pytest.mark.parametrize("how", [*_AWAY, *_ERRORS])
def test_one_of_all_processes_of_a_machine_computes(
    how: str, server: Server, tmp_path: pathlib.Path
) -> None:
    with _AWAY[how](server) if how in _AWAY else refusing(how) as url:
        jobs = [start(machines.call_slow, url, tmp_path / "cache", tmp_path, 5) for _ in range(2)]
        wait_until(
            lambda: len(lines(tmp_path / "asked")) == 10 and lines(tmp_path / "computed"),
            "all have asked",
        )
        time.sleep(1)  # the last of them begins to wait
        (tmp_path / "go").touch()
        assert {number for job in jobs for number, _ in result(job)} == {1}
    assert len(lines(tmp_path / "computed")) == 1


@pytest.mark.parametrize("how", ["killed", "hanging"])
def test_who_waits_gets_the_value_when_the_server_goes_in_mid_computation(
    how: str, server: Server, tmp_path: pathlib.Path
) -> None:
    jobs = [
        start(machines.call_slow, server.url, tmp_path / "cache", tmp_path, 5) for _ in range(2)
    ]
    wait_until(
        lambda: len(lines(tmp_path / "asked")) == 10 and lines(tmp_path / "computed"),
        "all have asked",
    )
    time.sleep(1)  # the last of them begins to wait
    with _AWAY[how](server):
        (tmp_path / "go").touch()
        assert {number for job in jobs for number, _ in result(job)} == {1}
    assert len(lines(tmp_path / "computed")) == 1


def test_one_of_many_tasks_computes(server: Server, tmp_path: pathlib.Path) -> None:
    stash, calls = open_machine(server.url, tmp_path / "cache"), []
    server.kill()

    @stash.memo(ignore="calls")
    async def slow(number: int) -> int:
        calls.append(number)
        await asyncio.sleep(0.3)
        return number

    async def main() -> list[int]:
        return await asyncio.gather(*(slow(7) for _ in range(20)))

    assert asyncio.run(main()) == [7] * 20
    assert calls == [7]


def test_what_has_expired_is_computed_by_one_who_serves_the_others(
    server: Server, tmp_path: pathlib.Path
) -> None:
    clock, calls = ManualClock(), []
    stash = open_machine(server.url, tmp_path / "cache", clock=clock)

    @stash.memo(ttl=60, stale=600, ignore="calls")
    def slow(number: int) -> int:
        calls.append(number)
        time.sleep(0.2)  # for the others to come
        return len(calls)

    assert slow(1) == slow(1) == 1
    clock.now += 60
    server.kill()
    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(slow, [1] * 16)) <= {1, 2}
    assert must(slow.peek(1)) == slow(1) == 2
    assert len(calls) == 2


def test_that_nothing_is_shared_is_told(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    with refusing("OOM command not allowed") as url:
        block = block_of(open_machine(url, tmp_path / "cache"))
        for number in range(5):
            block(number, 8000)
    (warning,) = [record for record in caplog.records if record.name == "dash_stash"]
    assert "command not allowed" in warning.getMessage()
