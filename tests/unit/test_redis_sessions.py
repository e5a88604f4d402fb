"""What sessions have on a server: how long it is kept, and how much of it. The server removes by its own clock."""

from __future__ import annotations

import pathlib

import pytest

from dash_stash.codec import encode
from dash_stash.layout import Facts
from dash_stash.stores.base import Limits
from dash_stash.stores.redis import RedisStore
from dash_stash.stores.redis.holders import GRACE
from servers import Server
from support import SEALING_KEY, FakeClock, wait_until

HOUR = 3600.0
SESSION, TAB, PAGE = "session:aa", "session:aa/tab:bb", "session:aa/page:cc"
KEYS = {SESSION: b"1" * 16, TAB: b"2" * 16, PAGE: b"3" * 16}


@pytest.fixture(autouse=True)
def empty(server: Server) -> None:
    server.ask("FLUSHALL")


def open_store(server: Server, folder: pathlib.Path, clock: FakeClock, **limits: float) -> RedisStore:
    standard: dict[str, float] = {"max_bytes": 10**8, "max_entries": 1000, "max_sessions": 3, "max_session_bytes": 10**6, "idle": HOUR}
    return RedisStore(server.url, folder, SEALING_KEY, Limits(**standard | limits), clock=clock)  # type: ignore[arg-type]


@pytest.fixture
def store(server: Server, folder: pathlib.Path, clock: FakeClock) -> RedisStore:
    return open_store(server, folder, clock)


def put(store: RedisStore, scope: str, key: bytes, size: int = 5000, kind: str = "state") -> None:
    facts = Facts(kind, "name", 1_800_000_000.0, scope=scope)
    assert store.commit(None, key, facts, encode("x" * size))


def life(server: Server, key: bytes) -> set[float]:
    """For how many seconds all that lies there of a key is still stored, in quarters of an hour rounded up, or less than one."""
    with server.client() as client:
        left = [client.pttl(name) / 1000 for name in client.scan_iter(f"*{key.hex()}*", count=1000)]
    assert left
    assert all(seconds > 0 for seconds in left), "it has an end"
    return {round(seconds / HOUR, 2) if seconds > GRACE else GRACE for seconds in left}


def test_what_nobody_uses_has_an_end_and_using_it_moves_that(store: RedisStore, server: Server, clock: FakeClock) -> None:
    put(store, SESSION, KEYS[SESSION])
    assert life(server, KEYS[SESSION]) == {1.5}
    with server.client() as client:
        for name in client.scan_iter(f"*{KEYS[SESSION].hex()}*"):
            client.pexpire(name, 800_000)
    store.touch(SESSION)
    assert life(server, KEYS[SESSION]) == {1.5}
    with server.client() as client:
        for name in client.scan_iter(f"*{KEYS[SESSION].hex()}*"):
            client.pexpire(name, 1_800_000)
    clock.now += 60
    store.touch(SESSION)
    assert life(server, KEYS[SESSION]) == {0.5}, "not with each request"
    clock.now += HOUR / 4
    store.touch(TAB)
    assert life(server, KEYS[SESSION]) == {0.5}, "a tab is not its session"
    store.touch(SESSION)
    assert life(server, KEYS[SESSION]) == {1.5}


def test_what_a_user_has_is_kept_whoever_uses_it(store: RedisStore, server: Server) -> None:
    put(store, "user:aa", KEYS[SESSION])
    store.touch("user:aa")
    store.leave("user:aa")
    with server.client() as client:
        names = [name for name in client.scan_iter(count=1000) if b"user:aa" in name or KEYS[SESSION].hex().encode() in name]
        assert len(names) > 3
        assert {client.ttl(name) for name in names} == {-1}


def test_a_time_to_live_of_its_own_is_not_prolonged(store: RedisStore, server: Server, clock: FakeClock) -> None:
    facts = Facts("put", "name", clock.now, gone_at=clock.now + HOUR / 2, scope=SESSION)
    store.commit(None, KEYS[SESSION], facts, encode("x" * 5000))
    store.touch(SESSION)
    assert life(server, KEYS[SESSION]) == {0.5}


def test_what_a_closed_page_and_tab_have_goes_soon_unless_the_tab_comes_back(store: RedisStore, server: Server) -> None:
    for scope, key in KEYS.items():
        put(store, scope, key)
    store.leave(TAB)
    store.leave(PAGE)
    assert (life(server, KEYS[TAB]), life(server, KEYS[PAGE]), life(server, KEYS[SESSION])) == ({GRACE}, {GRACE}, {1.5})
    store.touch(TAB)
    assert (life(server, KEYS[TAB]), life(server, KEYS[PAGE])) == ({1.5}, {GRACE})


def test_what_nobody_uses_is_gone_from_the_server(server: Server, folder: pathlib.Path, clock: FakeClock) -> None:
    store = open_store(server, folder, clock, idle=0.2)
    for scope, key in KEYS.items():
        put(store, scope, key)
    assert len(store.list(scope=SESSION)) == 1
    wait_until(lambda: server.ask("DBSIZE") in (0, 1), "nothing is left but the list of sessions")
    assert store.list() == []
    clock.now += 1
    put(store, "session:dd", b"4" * 16)
    assert server.ask("ZRANGE", "dash-stash:sessions", 0, -1) == [b"session:dd"]


def test_the_session_used_longest_ago_goes_when_there_are_too_many(store: RedisStore, clock: FakeClock) -> None:
    keys = {f"session:{number}": bytes([number]) * 16 for number in range(5)}
    for scope, key in list(keys.items())[:3]:
        clock.now += 1
        put(store, scope, key)
    clock.now += 1
    store.touch("session:0")
    for scope, key in list(keys.items())[3:]:
        clock.now += 1
        put(store, scope, key)
    assert [scope for scope, key in keys.items() if store.read(key)] == ["session:0", "session:3", "session:4"]


def test_what_has_gone_by_itself_makes_room_in_the_budget_of_its_session(server: Server, folder: pathlib.Path, clock: FakeClock) -> None:
    store = open_store(server, folder, clock, max_session_bytes=10_000)
    put(store, SESSION, KEYS[SESSION], 6000)
    server.ask("DEL", f"dash-stash:p:{{{KEYS[SESSION].hex()}}}")  # as it does with what is over, or for want of memory
    put(store, SESSION, KEYS[TAB], 6000)
    put(store, SESSION, KEYS[PAGE], 2000)
    assert {listed.key for listed in store.list(scope=SESSION)} == {KEYS[TAB], KEYS[PAGE]}


def test_what_was_stored_in_place_of_something_counts_once(server: Server, folder: pathlib.Path, clock: FakeClock) -> None:
    store = open_store(server, folder, clock, max_session_bytes=10_000)
    for _ in range(5):
        put(store, SESSION, KEYS[SESSION], 6000)
    store.delete(KEYS[SESSION])
    put(store, SESSION, KEYS[TAB], 6000)
    assert server.ask("HGET", f"dash-stash:h:{{{SESSION}}}", "=") == str(store.list(scope=SESSION)[0].size).encode()


def test_listings_forget_what_the_server_has_evicted(store: RedisStore, server: Server) -> None:
    tags = store.epochs(["t"])
    for number in range(1000):
        key = number.to_bytes(16, "little")
        store.commit(None, key, Facts("memo", "f", 0.0, tags=tags), encode(number))
        server.ask("DEL", f"dash-stash:p:{{{key.hex()}}}")
    with server.client() as client:
        (listing,) = client.keys("dash-stash:t:*")
        assert client.zcard(listing) < 500
