"""What sessions have on a server: how long it is kept, and how much of it.

The server removes by its own clock.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from dash_stash.codec import encode
from dash_stash.entries import Facts, Kind
from dash_stash.owner import Owner
from dash_stash.stores.base import Limits
from dash_stash.stores.redis import RedisStore
from dash_stash.testing import ManualClock
from servers import Server
from support import SEALING_KEY, wait_until

HOUR = 3600.0
GRACE = 30.0
"""Seconds that the data of a closed page or tab stays."""

SESSION, TAB, PAGE = "session:aa", "session:aa/tab:bb", "session:aa/page:cc"
KEYS = {SESSION: b"1" * 16, TAB: b"2" * 16, PAGE: b"3" * 16}


@pytest.fixture(autouse=True)
def empty(server: Server) -> None:
    server.ask("FLUSHALL")


def open_store(
    server: Server, folder: pathlib.Path, clock: ManualClock, **limits: float
) -> RedisStore:
    standard: dict[str, float] = {
        "max_bytes": 10**8,
        "max_entries": 1000,
        "max_sessions": 3,
        "max_session_bytes": 10**6,
        "idle": HOUR,
    }
    return RedisStore(server.url, folder, SEALING_KEY, Limits(**standard | limits), clock=clock)  # type: ignore[arg-type]


@pytest.fixture
def store(server: Server, folder: pathlib.Path, clock: ManualClock) -> RedisStore:
    return open_store(server, folder, clock)


def put(store: RedisStore, scope: str, key: bytes, size: int = 5000, kind: Kind = "state") -> None:
    facts = Facts(kind, "name", 1_800_000_000.0, owner=Owner(scope))
    assert store.commit(None, key, facts, encode("x" * size))


def life(server: Server, key: bytes) -> set[float]:
    """For how long all that lies there of a key is still stored, in hours, or GRACE if less."""
    with server.client() as client:
        left = [client.pttl(name) / 1000 for name in client.scan_iter(f"*{key.hex()}*", count=1000)]
    assert left
    assert all(seconds > 0 for seconds in left), "it has an end"
    return {GRACE if GRACE - 5 < seconds <= GRACE else round(seconds / HOUR, 2) for seconds in left}


def test_what_nobody_uses_has_an_end_and_using_it_moves_that(
    store: RedisStore, server: Server, clock: ManualClock
) -> None:
    put(store, SESSION, KEYS[SESSION])
    assert life(server, KEYS[SESSION]) == {1.5}
    with server.client() as client:
        for name in client.scan_iter(f"*{KEYS[SESSION].hex()}*"):
            client.pexpire(name, 800_000)
    clock.now += HOUR / 4
    store.touch(Owner(SESSION))
    assert life(server, KEYS[SESSION]) == {1.5}
    with server.client() as client:
        for name in client.scan_iter(f"*{KEYS[SESSION].hex()}*"):
            client.pexpire(name, 1_800_000)
    clock.now += 60
    store.touch(Owner(SESSION))
    assert life(server, KEYS[SESSION]) == {0.5}, "not with each request"
    clock.now += HOUR / 4
    store.touch(Owner(TAB))
    assert life(server, KEYS[SESSION]) == {0.5}, "a tab is not its session"
    store.touch(Owner(SESSION))
    assert life(server, KEYS[SESSION]) == {1.5}


def test_what_a_user_has_is_kept_whoever_uses_it(store: RedisStore, server: Server) -> None:
    put(store, "user:aa", KEYS[SESSION])
    store.touch(Owner("user:aa"))
    store.leave(Owner("user:aa"))
    with server.client() as client:
        names = [
            name
            for name in client.scan_iter(count=1000)
            if b"user:aa" in name or KEYS[SESSION].hex().encode() in name
        ]
        assert len(names) > 3
        assert {client.ttl(name) for name in names} == {-1}


def test_a_time_to_live_of_its_own_is_not_prolonged(
    store: RedisStore, server: Server, clock: ManualClock
) -> None:
    facts = Facts("put", "name", clock.now, gone_at=clock.now + HOUR / 2, owner=Owner(SESSION))
    store.commit(None, KEYS[SESSION], facts, encode("x" * 5000))
    store.touch(Owner(SESSION))
    assert life(server, KEYS[SESSION]) == {0.5}


def test_what_a_closed_page_and_tab_have_goes_soon_unless_the_tab_comes_back(
    store: RedisStore, server: Server
) -> None:
    for scope, key in KEYS.items():
        put(store, scope, key)
    store.leave(Owner(TAB))
    store.leave(Owner(PAGE))
    assert (life(server, KEYS[TAB]), life(server, KEYS[PAGE]), life(server, KEYS[SESSION])) == (
        {GRACE},
        {GRACE},
        {1.5},
    )
    store.touch(Owner(TAB))
    assert (life(server, KEYS[TAB]), life(server, KEYS[PAGE])) == ({1.5}, {GRACE})


def test_what_nobody_uses_is_gone_from_the_server(
    server: Server, folder: pathlib.Path, clock: ManualClock
) -> None:
    store = open_store(server, folder, clock, idle=0.2)
    for scope, key in KEYS.items():
        put(store, scope, key)
    assert len(store.list(owner=Owner(SESSION))) == 1
    wait_until(lambda: server.ask("DBSIZE") in (0, 1), "nothing is left but the list of sessions")
    assert store.list() == []
    clock.now += 1
    put(store, "session:dd", b"4" * 16)
    assert server.ask("ZRANGE", "dash-stash:new-sessions", 0, -1) == [b"session:dd"]


def test_the_session_used_longest_ago_goes_when_there_are_too_many(
    store: RedisStore, clock: ManualClock
) -> None:
    keys = {f"session:{number}": bytes([number]) * 16 for number in range(5)}
    for scope, key in list(keys.items())[:3]:
        clock.now += 1
        store.touch(Owner(scope))
        put(store, scope, key)
    clock.now += 1
    store.touch(Owner("session:0"))
    for scope, key in list(keys.items())[3:]:
        clock.now += 1
        store.touch(Owner(scope))
        put(store, scope, key)
    assert [scope for scope, key in keys.items() if store.read(key)] == [
        "session:0",
        "session:3",
        "session:4",
    ]


def test_what_has_gone_by_itself_makes_room_in_the_budget_of_its_session(
    server: Server, folder: pathlib.Path, clock: ManualClock
) -> None:
    store = open_store(server, folder, clock, max_session_bytes=10_000)
    put(store, SESSION, KEYS[SESSION], 6000)
    server.ask(
        "DEL", f"dash-stash:p:{{{KEYS[SESSION].hex()}}}"
    )  # as it does with what is over, or for want of memory
    clock.now += 120
    put(store, SESSION, KEYS[TAB], 6000)
    put(store, SESSION, KEYS[PAGE], 2000)
    assert {listed.key for listed in store.list(owner=Owner(SESSION))} == {KEYS[TAB], KEYS[PAGE]}


def test_what_was_stored_in_place_of_something_counts_once(
    server: Server, folder: pathlib.Path, clock: ManualClock
) -> None:
    store = open_store(server, folder, clock, max_session_bytes=10_000)
    for _ in range(5):
        put(store, SESSION, KEYS[SESSION], 6000)
    store.delete(KEYS[SESSION])
    put(store, SESSION, KEYS[TAB], 6000)
    assert (
        server.ask("HGET", f"dash-stash:h:{{{SESSION}}}", "=2")
        == str(store.list(owner=Owner(SESSION))[0].size).encode()
    )


def test_listings_forget_what_the_server_has_evicted(store: RedisStore, server: Server) -> None:
    tags = store.epochs(["t"])
    for number in range(1000):
        key = number.to_bytes(16, "little")
        store.commit(None, key, Facts("memo", "f", 0.0, tags=tags), encode(number))
        server.ask("DEL", f"dash-stash:p:{{{key.hex()}}}")
    with server.client() as client:
        (listing,) = client.keys("dash-stash:t:*")
        assert client.zcard(listing) < 500


def names_of(server: Server) -> set[str]:
    with server.client() as client:
        return {name.decode() for name in client.scan_iter(count=1000)}


def test_pages_that_store_nothing_leave_nothing_on_the_server(
    store: RedisStore, server: Server
) -> None:
    put(store, SESSION, KEYS[SESSION])
    store.touch(Owner(SESSION))
    before = (
        names_of(server),
        server.ask("HLEN", f"dash-stash:h:{{{SESSION}}}"),
        server.ask("HLEN", f"dash-stash:s:{{{SESSION}}}"),
    )
    for number in range(50):
        for scope in (f"{SESSION}/page:{number}", f"{SESSION}/tab:{number}"):
            store.touch(Owner(scope))
            store.leave(Owner(scope))
            store.touch(Owner(scope))
    store.touch(Owner("session:bb"))
    store.leave(Owner("session:bb/page:1"))
    after = (
        names_of(server),
        server.ask("HLEN", f"dash-stash:h:{{{SESSION}}}"),
        server.ask("HLEN", f"dash-stash:s:{{{SESSION}}}"),
    )
    assert after == before


def test_what_pages_have_stored_and_closed_is_not_counted_for_ever(
    store: RedisStore, server: Server, clock: ManualClock
) -> None:
    put(store, SESSION, KEYS[SESSION])
    for number in range(1500):
        key = number.to_bytes(16, "little")
        put(store, f"{SESSION}/page:{number}", key, 10)
        store.leave(Owner(f"{SESSION}/page:{number}"))
        # What the server does half a minute later.
        server.ask(
            "DEL", f"dash-stash:p:{{{key.hex()}}}", f"dash-stash:s:{{{SESSION}}}/page:{number}"
        )
        clock.now += 61
    assert int(str(server.ask("HLEN", f"dash-stash:h:{{{SESSION}}}"))) < 500
    assert int(str(server.ask("ZCARD", f"dash-stash:r:{{{SESSION}}}"))) < 500


def commands_of(server: Server, ask: Callable[[], object]) -> float:
    """How much the server does, in microseconds."""

    def spent() -> float:
        with server.client() as client:
            return float(sum(one["usec"] for one in client.info("commandstats").values()))

    before = spent()
    ask()
    return spent() - before


def test_a_page_costs_the_same_however_much_its_session_has(
    store: RedisStore, server: Server
) -> None:
    def visit() -> None:
        for number in range(100):
            for scope in (SESSION, f"{SESSION}/page:{number}", f"{SESSION}/tab:{number}"):
                store.touch(Owner(scope))
            store.leave(Owner(f"{SESSION}/page:{number}"))

    put(store, SESSION, KEYS[SESSION], 10)
    few = commands_of(server, visit)
    fields = [
        text
        for number in range(50_000)
        for text in (number.to_bytes(16, "little").hex(), f"10 1 0.0 {SESSION}/page:0")
    ]
    for first in range(0, len(fields), 10_000):
        server.ask("HSET", f"dash-stash:h:{{{SESSION}}}", *fields[first : first + 10_000])
    assert commands_of(server, visit) < 5 * few


@pytest.mark.parametrize("lost", ["h", "s", "r"])
def test_whichever_list_the_server_evicts_variables_are_listed_and_ended_all_the_same(
    store: RedisStore, server: Server, clock: ManualClock, lost: str
) -> None:
    more = b"4" * 16
    for scope, key in KEYS.items():
        put(store, scope, key)
    server.ask("DEL", f"dash-stash:{lost}:{{{SESSION}}}")
    put(store, SESSION, more)
    assert {listed.key for listed in store.list(owner=Owner(SESSION), kind="state")} == {
        KEYS[SESSION],
        more,
    }
    assert [listed.key for listed in store.list(owner=Owner(PAGE), kind="state")] == [KEYS[PAGE]]
    store.end(Owner(SESSION))
    assert [
        name
        for name in names_of(server)
        if name.startswith(("dash-stash:p:", "dash-stash:v:", "dash-stash:h:"))
    ] == []


def test_a_session_whose_list_the_server_has_evicted_lives_on_while_it_is_used(
    store: RedisStore, server: Server, clock: ManualClock
) -> None:
    put(store, SESSION, KEYS[SESSION])
    server.ask("DEL", f"dash-stash:s:{{{SESSION}}}")
    for name in names_of(server):
        if KEYS[SESSION].hex() in name:
            server.ask("PEXPIRE", name, 800_000)
    clock.now += HOUR / 4
    store.touch(Owner(SESSION))
    assert life(server, KEYS[SESSION]) == {1.5}


def test_sessions_that_were_seen_in_one_request_only_are_a_tenth_at_most_and_go_first(
    server: Server, folder: pathlib.Path, clock: ManualClock
) -> None:
    store = open_store(server, folder, clock, max_sessions=20)
    keys = {f"session:{number}": number.to_bytes(16, "little") for number in range(100)}
    for number, (scope, key) in enumerate(keys.items()):
        clock.now += 1
        if 5 <= number < 10:
            store.touch(Owner(scope))
        put(store, scope, key, 10)
        if number < 5:
            store.touch(Owner(scope))
    there = [int(scope.partition(":")[2]) for scope, key in keys.items() if store.read(key)]
    assert there == [*range(10), 98, 99]


def test_a_session_came_back_if_it_was_used_in_the_minute_before_it_stored_something(
    server: Server, folder: pathlib.Path, clock: ManualClock
) -> None:
    store = open_store(server, folder, clock, max_sessions=2)
    keys = {"session:lately": b"1" * 16, "session:long ago": b"2" * 16, "session:once": b"3" * 16}
    for (scope, key), pause in zip(keys.items(), (59, 61, 0), strict=True):
        if pause:
            store.touch(Owner(scope))
        clock.now += pause
        put(store, scope, key, 10)
    there = {scope for scope, key in keys.items() if store.read(key)}
    assert there == {"session:lately", "session:once"}


def test_who_logs_out_again_and_again_fills_no_server(
    server: Server, folder: pathlib.Path, clock: ManualClock
) -> None:
    store = open_store(server, folder, clock, max_sessions=2)
    store.end(Owner("cookie:a"))
    for number in range(50):
        clock.now += 1
        store.end(Owner(f"session:{number}"))
    assert [number for number in range(50) if store.has_ended(Owner(f"session:{number}"))] == list(
        range(31, 50)
    )
    assert store.has_ended(Owner("cookie:a")), "its session may go on"
    assert len(names_of(server)) == 20 + 1


def test_what_was_used_longest_ago_goes_first_of_what_a_session_was_given(
    server: Server, folder: pathlib.Path, clock: ManualClock
) -> None:
    store = open_store(server, folder, clock, max_session_bytes=10_000)
    first, second, third = b"1" * 16, b"2" * 16, b"3" * 16
    put(store, SESSION, first, 4000, "put")
    put(store, SESSION, second, 4000, "put")

    def is_used_more_lately() -> bool:
        assert store.read(first) is not None
        return int(str(server.ask("OBJECT", "IDLETIME", f"dash-stash:p:{{{second.hex()}}}"))) > 1

    wait_until(is_used_more_lately, "the server notes seconds")
    put(store, SESSION, third, 4000, "put")
    assert [store.read(key) is not None for key in (first, second, third)] == [True, False, True]
