"""Whoever can write to the server, but has no secret, makes misses and warnings: no other error, and no other value."""

from __future__ import annotations

import pathlib
import random
from collections.abc import Callable
from typing import Any

import pytest

from dash_stash import Memo, StashError
from dash_stash.codec import decode, encode
from dash_stash.layout import Facts
from dash_stash.stores.base import Flight, Landed, Store
from dash_stash.stores.redis import RedisStore
from dash_stash.stores.redis.records import Pointer
from processes.apps.machines import open_machine
from servers import Server
from support import LIMITS, SEALING_KEY, must

KEY = b"a key of 16 byte"
CHANCE = random.Random(1)


@pytest.fixture(autouse=True)
def empty(server: Server) -> None:
    server.ask("FLUSHALL")


class App:
    """What uses each verb of a store."""

    def __init__(self, url: str, cache: pathlib.Path) -> None:
        self.stash = stash = open_machine(url, cache)

        @stash.memo(tags=["t"])
        def big(number: int) -> dict[str, Any]:
            return {"number": number, "bytes": bytes(5000)}

        @stash.memo
        def small(number: int) -> int:
            return number

        self.memos: tuple[Memo[[int], dict[str, Any]], Memo[[int], int]] = big, small

    def use(self) -> None:
        """Call everything: memo functions have their values, and nothing raises what it may not."""
        big, small = self.memos
        assert (big(1)["number"], small(1), big.refresh(1)["number"]) == (1, 1, 1)
        store, variables = self.stash.store, self.stash.app
        facts = Facts("state", "name", 0.0, scope="session:aa")
        calls: list[Callable[[], object]] = [
            lambda: variables.__setitem__("v", 1),
            lambda: variables.get("v"),
            lambda: variables.modify("v", lambda value: value),
            lambda: list(variables),
            lambda: big.peek(1),
            lambda: big.forget(1),
            big.forget,
            lambda: self.stash.forget(tag="t"),
            big.info,
            lambda: self.stash.put(1, share=True).get(),
            store.list,
            lambda: store.commit(None, KEY, facts, encode("x" * 2000)),
            lambda: store.touch("session:aa"),
            lambda: store.leave("session:aa"),
            lambda: store.has_ended("session:aa"),
            lambda: store.end("session:aa"),
        ]
        for call in calls:
            try:
                call()
            except StashError:
                continue


_POINTER = Pointer(b"i" * 16, 5, "", 2e9, {"t": 3}, head_pieces=1, pieces=2).pack()
_LAID: dict[str, Callable[[Any, bytes], object]] = {
    "a list": lambda client, name: client.rpush(name, b"x"),
    "a hash": lambda client, name: client.hset(name, "field", "value"),
    "a sorted set": lambda client, name: client.zadd(name, {"member": 1}),
    "a text": lambda client, name: client.set(name, "hello"),
    "nothing": lambda client, name: client.set(name, ""),
    "noise": lambda client, name: client.set(name, CHANCE.randbytes(300)),
    "a pointer to nothing": lambda client, name: client.set(name, _POINTER),
    "a pointer to very much": lambda client, name: client.set(name, _POINTER[:16] + b"\xff" * 8 + _POINTER[24:]),
}


@pytest.mark.parametrize("push", ["", "?push=1"], ids=["checked", "pushed"])
@pytest.mark.parametrize("what", _LAID)
def test_what_somebody_else_has_laid_under_our_names_is_no_more_than_a_miss(
    what: str, push: str, server: Server, tmp_path: pathlib.Path
) -> None:
    app = App(server.url + push, tmp_path / "cache1")
    app.use()
    big, small = app.memos
    big(1), small(1), app.stash.app.update(v=1)
    app.stash.store.commit(None, KEY, Facts("state", "name", 0.0, scope="session:aa"), encode("x" * 2000))
    with server.client() as client:
        names = list(client.scan_iter(count=1000))
        assert len(names) > 8
        for name in names:
            client.delete(name)
            _LAID[what](client, name)
    App(server.url + push, tmp_path / "cache2").use()
    app.use()
    server.ask("FLUSHALL")
    app.use()
    app.stash.app["v"] = 2
    assert app.stash.app["v"] == 2


def fly(store: Store) -> Flight:
    joined = store.join(KEY)
    assert joined is not None
    assert not isinstance(joined, Landed)
    return joined


def test_a_lease_that_has_no_end_keeps_nobody_waiting(server: Server, tmp_path: pathlib.Path) -> None:
    first, second = (RedisStore(server.url, tmp_path / name, SEALING_KEY, LIMITS) for name in ("cache1", "cache2"))
    flight = fly(first)
    with server.client() as client:
        (lease,) = client.keys("dash-stash:l:*")
        assert client.pttl(lease) > 0
        client.set(lease, "somebody else")
        other = fly(second)
        assert client.pttl(lease) > 0
    assert not first.commit(flight, KEY, Facts("memo", "name", 0.0), encode(1))
    flight.close()
    other.close()


def test_no_pointer_leads_to_another_keys_value(server: Server, folder: pathlib.Path) -> None:
    store = RedisStore(server.url, folder, SEALING_KEY, LIMITS)
    keys = b"1" * 16, b"2" * 16
    for sizes in ((10, 10), (5000, 5000)):
        for key, size in zip(keys, sizes, strict=True):
            store.commit(None, key, Facts("put", "name", 0.0), encode(key * size))
            assert decode(must(store.read(key)).encoded) == key * size
        with server.client() as client:
            names = [f"dash-stash:p:{{{key.hex()}}}" for key in keys]
            pointers = client.mget(names)
            client.mset(dict(zip(names, reversed(pointers), strict=True)))
        for other in (store, RedisStore(server.url, folder, SEALING_KEY, LIMITS)):
            assert [other.read(key) for key in keys] == [None, None]
