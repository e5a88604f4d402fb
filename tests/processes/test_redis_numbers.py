"""The numbers that docs/scale.md promises of a server: each test fails if its number grows."""

from __future__ import annotations

import contextlib
import pathlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from dash_stash import StoreUnavailable
from dash_stash.codec import decode, encode
from dash_stash.entries import Facts
from dash_stash.stores.base import Flight, Landed, Store, patiently
from dash_stash.stores.redis import RedisStore, pointers, records
from dash_stash.stores.redis import server as server_module
from dash_stash.testing.calls import Caller
from processes.apps.machines import block_of, open_machine
from proxy import Proxy
from servers import Server
from support import LIMITS, SEALING_KEY, free_port, must, wait_until

KEY = b"a key of 16 byte"
MB = 10**6
QUIET = 60.0
"""Seconds of a lease that is not renewed during a test."""

# Pushed messages, which say that a key has changed; answers never begin so.
_MESSAGES = re.compile(rb">.*", re.DOTALL)


def open_store(url: str, cache: pathlib.Path, lease: float = QUIET) -> RedisStore:
    return RedisStore(url, cache, SEALING_KEY, LIMITS, lease=lease)


def put(store: Store, value: object, flight: Flight | None = None) -> bool:
    return store.commit(flight, KEY, Facts("memo", "f", 0.0), encode(value))


def fly(store: Store) -> Flight:
    flight = store.join(KEY, wait=False)
    assert flight is not None
    assert not isinstance(flight, Landed)
    return flight


def took(call: Callable[[], object]) -> float:
    """Return the seconds until a call came back, with or without the server."""
    began = time.monotonic()
    with contextlib.suppress(StoreUnavailable):
        call()
    return time.monotonic() - began


def last_success(call: Callable[[], object], seconds: float) -> float:
    """Call until nothing comes back any more; return when the last call began that got something.

    So a busy machine makes the time shorter, never longer.
    """
    last, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            found = call()
        except StoreUnavailable:
            found = None
        if found is None:
            return last
        last = began
    raise AssertionError(f"something still comes after {seconds} s")


# A machine that cannot reach the server


@pytest.mark.parametrize("size", [10, 5000], ids=["in the pointer", "in the folder"])
def test_a_machine_that_lost_its_server_serves_what_it_has_looked_at_for_2_s(
    size: int, server: Server, tmp_path: pathlib.Path
) -> None:
    store = open_store(server.url, tmp_path / "cache")
    put(store, "x" * size)
    assert store.read(KEY) is not None
    looked = time.monotonic()
    server.kill()
    assert must(store.read(KEY)), "what it has looked at just now is served"
    assert last_success(lambda: store.read(KEY), 10) - looked < 2


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds by which the steady clock of this process is set ahead."""
    steady, passed = server_module.steady_clock, [0.0]
    for module in (server_module, pointers):
        monkeypatch.setattr(module, "steady_clock", lambda: steady() + passed[0])
    return passed


@pytest.mark.parametrize(("seconds", "is_there"), [(1.2, True), (2.0, False)])
def test_by_its_clock_it_serves_both_for_more_than_a_second_and_less_than_2(
    seconds: float,
    is_there: bool,
    server: Server,
    tmp_path: pathlib.Path,
    passed: list[float],
) -> None:
    store = open_store(server.url, tmp_path / "cache")
    put(store, "looked at")
    assert store.read(KEY) is not None
    server.kill()
    passed[0] += seconds
    assert (_read(store) == "looked at") == is_there
    with fly(store) as flight:
        assert put(store, "computed", flight)
    passed[0] += seconds
    assert (_read(store) == "computed") == is_there


def _read(store: Store) -> object:
    with contextlib.suppress(StoreUnavailable):
        found = store.read(KEY)
        return found and decode(found.encoded)
    return None


def test_what_a_machine_computes_without_its_server_is_shared_there_for_2_s(
    server: Server, tmp_path: pathlib.Path
) -> None:
    first, second = (open_store(server.url, tmp_path / "cache") for _ in range(2))
    server.kill()
    with fly(first) as flight:
        assert put(first, "computed here", flight)
    stored = time.monotonic()
    assert decode(must(second.read(KEY)).encoded) == "computed here"
    assert last_success(lambda: second.read(KEY), 10) - stored < 2


def test_a_variable_is_never_served_without_its_server(
    server: Server, tmp_path: pathlib.Path
) -> None:
    stash = open_machine(server.url, tmp_path / "cache")
    stash.app["name"] = 1
    assert stash.app["name"] == 1
    server.kill()
    with pytest.raises(StoreUnavailable):
        assert stash.app["name"]


@pytest.fixture
def deaf() -> Iterator[str]:
    """The URL of a machine that takes no connections: their requests get lost on the way."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", free_port()))
        listening.listen(0)
        for _ in range(2):  # as many as the kernel takes for it
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


def test_a_server_that_takes_no_connection_is_noticed_within_250_ms(
    deaf: str, tmp_path: pathlib.Path
) -> None:
    store = open_store(deaf, tmp_path / "cache")
    assert 0.2 < took(lambda: store.read(KEY)) < 0.35


def test_a_server_that_hangs_is_noticed_within_250_ms(
    server: Server, tmp_path: pathlib.Path
) -> None:
    store = open_store(server.url, tmp_path / "cache")
    put(store, "value")
    assert store.read(KEY) is not None
    with server.stopped():
        assert 0.2 < took(lambda: store.read(KEY)) < 0.45


def test_a_server_that_hangs_while_something_is_stored_is_noticed_within_2_s(
    server: Server, tmp_path: pathlib.Path
) -> None:
    store = open_store(server.url, tmp_path / "cache")
    with fly(store) as flight, server.stopped():
        assert 1.5 < took(lambda: put(store, np.arange(MB), flight)) < 2.5
        assert took(lambda: store.read(KEY)) < 0.1, "from then on nobody waits"


def test_a_pause_of_a_second_while_something_is_stored_costs_nothing_but_the_wait(
    server: Server, tmp_path: pathlib.Path
) -> None:
    first, second = (open_store(server.url, tmp_path / f"cache{number}") for number in (1, 2))
    with fly(first) as flight:
        with server.stopped():
            storing = Caller(lambda: put(first, np.arange(MB), flight))
            time.sleep(1)  # the pause
        assert storing.result()
    assert must(second.read(KEY)).entry.size > MB


def test_who_has_no_other_way_waits_for_a_second_at_most_and_after_2_s_not_at_all(
    server: Server, tmp_path: pathlib.Path
) -> None:
    store = open_store(server.url, tmp_path / "cache")
    store.read(KEY)
    server.kill()
    began = time.monotonic()
    with patiently():
        assert 0.9 < took(lambda: store.read(KEY)) < 1.6
        wait_until(lambda: time.monotonic() - began > 2.1, "it was no pause")
        assert took(lambda: store.read(KEY)) < 0.2


def test_a_second_after_it_has_begun_an_outage_may_still_be_a_pause_but_not_after_2_s(
    server: Server, tmp_path: pathlib.Path, passed: list[float]
) -> None:
    store = open_store(server.url, tmp_path / "cache")
    put(store, "value")
    with server.stopped():
        took(lambda: store.read(KEY))
        with patiently():
            passed[0] = 1.0
            assert took(lambda: store.read(KEY)) > 0.3
            passed[0] = 2.0
            assert took(lambda: store.read(KEY)) < 0.5


def test_a_thread_looks_every_half_second_whether_the_server_is_back(
    line: Proxy, tmp_path: pathlib.Path
) -> None:
    store = open_store(line.url, tmp_path / "cache")
    store.read(KEY)
    with line.down():
        took(lambda: store.read(KEY))
        time.sleep(4)  # the outage, long enough for the longest pause
        before, began = line.refused, time.monotonic()
        wait_until(lambda: line.refused >= before + 4, "it looks twice, and tries each time twice")
        assert 0.4 < time.monotonic() - began < 1.6


# Invalidations


def test_a_lost_message_costs_a_second(server: Server, line: Proxy, tmp_path: pathlib.Path) -> None:
    first = open_store(server.url, tmp_path / "cache1")
    second = open_store(line.url + "?push=1", tmp_path / "cache2")
    put(first, "value")
    wait_until(lambda: _asks_nothing(line, second), "changes are pushed to it")
    line.swallows = _MESSAGES
    first.delete(KEY)
    deleted = time.monotonic()
    assert last_success(lambda: second.read(KEY), 10) - deleted < 1


def test_while_changes_are_pushed_a_hit_looks_once_a_second(
    server: Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(pointers, "steady_clock", lambda: now[0])
    store = open_store(server.url + "?push=1", tmp_path / "cache")
    put(store, "value")

    def looks() -> int:
        before = _commands(server).get("cmdstat_mget", 0)
        assert store.read(KEY) is not None
        return _commands(server).get("cmdstat_mget", 0) - before

    wait_until(lambda: not looks(), "changes are pushed to it")
    for seconds, times in ((0.99, 0), (1.0, 1), (1.99, 0), (2.0, 1)):
        now[0] = 1000.0 + seconds
        assert looks() == times


def _asks_nothing(line: Proxy, store: Store) -> bool:
    before = line.passed
    assert store.read(KEY) is not None
    return line.passed == before


def test_a_hit_that_looks_is_one_small_command(server: Server, tmp_path: pathlib.Path) -> None:
    store = open_store(server.url, tmp_path / "cache")
    put(store, "x" * 5000)
    store.read(KEY)
    before = _commands(server)
    for _ in range(100):
        assert store.read(KEY) is not None
    asked = {name: count - before.get(name, 0) for name, count in _commands(server).items()}
    assert asked.pop("cmdstat_mget") == 100
    assert sum(asked.values()) < 10, asked


def _commands(server: Server) -> dict[str, int]:
    """How many of each command the server has been sent, but for ours that ask."""
    with server.client() as client:
        stats = client.info("commandstats")
    ours = "cmdstat_info", "cmdstat_client|setinfo"
    return {name: one["calls"] for name, one in stats.items() if name not in ours}


# Leases


def test_a_lease_lasts_10_s_and_is_renewed_every_third_of_that(
    server: Server, tmp_path: pathlib.Path
) -> None:
    store = RedisStore(server.url, tmp_path / "cache", SEALING_KEY, LIMITS)
    with fly(store), server.client() as client:
        (name,) = client.keys("dash-stash:l:*")
        assert 9 < client.pttl(name) / 1000 <= 10
        renewals: list[float] = []
        last, until = 10_000, time.monotonic() + 8
        while time.monotonic() < until and len(renewals) < 2:
            left = client.pttl(name)
            if left > last:
                renewals.append(last / 1000)
            last = left
            time.sleep(0.02)
    assert len(renewals) == 2
    assert min(renewals) > 10 * 2 / 3 - 1
    assert renewals[-1] < 10 * 2 / 3 + 1, "nor more often"


def test_who_waits_for_an_outcome_that_got_lost_looks_again_within_a_second_or_so(
    server: Server, tmp_path: pathlib.Path
) -> None:
    first, second = (open_store(server.url, tmp_path / f"cache{number}") for number in (1, 2))
    with fly(first), server.client() as client:
        waiting = Caller(lambda: second.join(KEY))
        wait_until(lambda: client.info("clients")["blocked_clients"], "it waits")
        client.delete(*client.keys("dash-stash:l:*"))
        evicted = time.monotonic()
        flight = waiting.result()
        assert time.monotonic() - evicted < 1.6
        assert not isinstance(flight, Landed)
        flight.close()


# What lies there


def test_a_value_may_have_64_gib_and_goes_in_chunks_of_1_mib() -> None:
    assert records.MOST_CHUNKS * records.CHUNK == 64 * 2**30
    assert records.CHUNK == 2**20


def test_chunks_that_no_pointer_names_go_away_within_10_minutes(
    server: Server, tmp_path: pathlib.Path
) -> None:
    store = open_store(server.url, tmp_path / "cache")
    flight = fly(store)
    with server.client() as client:
        client.delete(*client.keys("dash-stash:l:*"))
        # What is left of a writer that dies before it has published.
        seen = Caller(lambda: _lives_of_chunks(client))
        while seen.is_alive():
            assert not put(store, np.arange(MB), flight)
        lives = seen.result()
    flight.close()
    assert 0 < max(lives) <= 600_000


def _lives_of_chunks(client: object) -> list[int]:
    return wait_until(
        lambda: [
            life
            for name in client.keys("dash-stash:v:*")  # type: ignore[attr-defined]
            if (life := client.pttl(name)) != -2  # type: ignore[attr-defined]
        ],
        "chunks lie there",
    )


# The clock


def test_the_servers_clock_is_asked_for_once_a_minute(
    server: Server, tmp_path: pathlib.Path, passed: list[float]
) -> None:
    store = open_store(server.url, tmp_path / "cache")
    for seconds, times in ((0, 1), (50, 1), (61, 2), (110, 2), (122, 3)):
        passed[0] = seconds
        store.clock()
        store.clock()
        assert _commands(server).get("cmdstat_time") == times


# Threads


@pytest.mark.parametrize(
    ("push", "more"),
    [("", set()), ("?push=1", {"dash-stash listener"})],
    ids=["checked", "pushed"],
)
def test_a_process_has_two_threads_more_and_three_with_push(
    push: str, more: set[str], server: Server, tmp_path: pathlib.Path
) -> None:
    before = set(threading.enumerate())
    block = block_of(open_machine(server.url + push, tmp_path / "cache"))
    for _ in range(2):
        block(1, 8000)
    started = {thread.name for thread in set(threading.enumerate()) - before}
    assert started == {"dash-stash janitor", "dash-stash leases"} | more
