"""Whoever can write to the server, but has no secret, makes misses and warnings, nothing else."""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib
import random
import struct
import time
from collections.abc import Callable
from typing import Any

import hypothesis
import numpy as np
import pytest
import xxhash
from hypothesis import strategies as st

from dash_stash import Memo, StashError
from dash_stash.codec import decode, encode
from dash_stash.entries import Facts
from dash_stash.owner import APP, Owner
from dash_stash.stores.base import Flight, Landed, Store, patiently
from dash_stash.stores.redis import RedisStore
from dash_stash.stores.redis.records import Pointer
from dash_stash.testing import ManualClock
from dash_stash.testing.calls import Caller
from processes.apps.machines import open_machine
from servers import Server
from support import LIMITS, NAME, SEALING_KEY, must, wait_until

KEY, OTHER = b"a key of 16 byte", b"another of these"
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
        store, variables = self.stash._deployment.store, self.stash.app
        facts = Facts("state", "name", 0.0, owner=Owner("session:aa"))
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
            lambda: store.touch(Owner("session:aa")),
            lambda: store.leave(Owner("session:aa")),
            lambda: store.has_ended(Owner("session:aa")),
            lambda: store.end(Owner("session:aa")),
        ]
        for call in calls:
            try:
                call()
            except StashError:
                continue


_POINTER = Pointer(b"i" * 16, 5, APP, 2e9, {"t": 3}, head_chunks=1, chunks=2).pack()
_LAID: dict[str, Callable[[Any, bytes], object]] = {
    "a list": lambda client, name: client.rpush(name, b"x"),
    "a hash": lambda client, name: client.hset(name, "field", "value"),
    "a sorted set": lambda client, name: client.zadd(name, {"member": 1}),
    "a text": lambda client, name: client.set(name, "hello"),
    "nothing": lambda client, name: client.set(name, ""),
    "noise": lambda client, name: client.set(name, CHANCE.randbytes(300)),
    "a pointer to nothing": lambda client, name: client.set(name, _POINTER),
    "a pointer to very much": lambda client, name: client.set(
        name, _POINTER[:16] + b"\xff" * 8 + _POINTER[24:]
    ),
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
    _store_for_a_session(app)
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


# Whatever there may be in what lies there

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.text(max_size=20)
    | st.integers()
    | st.floats()
    | st.sampled_from([10**4000, -1, 2**63, 1e308]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.just("t"), inner, max_size=3)
    ),
    max_leaves=6,
)
_SCOPES = st.sampled_from(
    [
        "",
        "session:aa",
        "session:aa/tab:b",
        "user:a",
        "user:",
        "app",
        "/",
        "session:" + "a" * 9999,
        "\ud800",
    ]
)
_COUNTS = st.sampled_from([0, 1, 2, 2**16, 2**16 + 1, 2**31, 2**32 - 1])


@st.composite
def _pointers(draw: st.DrawFn) -> bytes:
    """A pointer as we write it, of which some parts are anything."""
    tags = draw(_JSON | st.dictionaries(st.text(max_size=5), _JSON, max_size=2) | st.just({"t": 1}))
    parts = [
        draw(_JSON | st.integers(0, 10**4)),
        draw(_SCOPES | _JSON),
        draw(_JSON | st.none() | st.just(2e9)),
        tags,
        draw(_JSON),
    ]
    described = draw(
        st.just(json.dumps(parts).encode())
        | st.sampled_from([b"[" * 10**5, b"[" + b"9" * 5000 + b', "", null, {}, false]'])
        | st.binary(max_size=30)
        | st.just(json.dumps(draw(_JSON)).encode())
    )
    length = draw(st.just(len(described)) | _COUNTS)
    start = struct.pack(
        ">16sIII",
        draw(st.just(b"i" * 16) | st.binary(min_size=16, max_size=16)),
        draw(_COUNTS),
        draw(_COUNTS),
        length,
    )
    return start + described + draw(st.just(b"") | st.binary(max_size=400))


_NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 1.8e9, 4e9, 1e300, math.inf, -math.inf])
_TEXTS = (
    _pointers()
    | st.binary(max_size=60)
    | st.sampled_from(
        [b"", b"t", b"tx", b"l", b"c", b"1", b"-1", b"nan", b"inf", b"9" * 30, b"9" * 5000]
    )
)
_MEMBERS = _TEXTS | st.sampled_from(
    [
        b"k" * 16,
        KEY,
        KEY.hex().encode(),
        b"=",
        b"@session:aa",
        b"-session:aa",
        b"session:aa",
        b"\xff",
    ]
)
_NOTES = _TEXTS | st.sampled_from(
    [
        b"5 state 1.0 session:aa",
        b"x",
        b"1e9 memo nan x",
        b"9" * 400 + b" memo 1 session:aa",
        b"5 put inf session:aa",
    ]
)
_POINTERS = _pointers().map(lambda text: lambda client, name: client.set(name, text))
_THINGS = st.one_of(
    _TEXTS.map(lambda text: lambda client, name: client.set(name, text)),
    _TEXTS.map(lambda text: lambda client, name: client.set(name, text, px=10**12)),
    st.lists(_TEXTS, min_size=1, max_size=3).map(
        lambda texts: lambda client, name: client.rpush(name, *texts)
    ),
    st.dictionaries(_MEMBERS, _NUMBERS, min_size=1, max_size=3).map(
        lambda members: lambda client, name: client.zadd(name, members)
    ),
    st.dictionaries(_MEMBERS, _NOTES, min_size=1, max_size=3).map(
        lambda fields: lambda client, name: client.hset(name, mapping=fields)
    ),
    st.lists(_MEMBERS, min_size=1, max_size=3).map(
        lambda members: lambda client, name: client.sadd(name, *members)
    ),
)


@pytest.fixture(scope="module")
def tried(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[App, list[bytes]]:
    """An app, and the names of all kinds of things that it lays on the server."""
    server.ask("FLUSHALL")
    app = App(server.url, tmp_path_factory.mktemp("machine"))
    names = set(_all_names(server, app))
    flight = fly(app.stash._deployment.store)
    names |= set(_all_names(server, app))
    flight.land(b"outcome")
    return app, sorted(names | set(_all_names(server, app)))


def _store_for_a_session(app: App) -> None:
    facts = Facts("state", "name", 0.0, owner=Owner("session:aa"))
    with patiently():  # on a loaded machine the server takes its time
        app.stash._deployment.store.commit(None, KEY, facts, encode("x" * 2000))


def _all_names(server: Server, app: App) -> list[bytes]:
    big, small = app.memos
    big(1), small(1), app.stash.app.update(v=1)
    _store_for_a_session(app)
    with server.client() as client:
        return list(client.scan_iter(count=1000))


@hypothesis.settings(max_examples=60, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(data=st.data())
def test_nothing_that_lies_under_our_names_is_more_than_a_miss(
    data: st.DataObject, server: Server, tried: tuple[App, list[bytes]]
) -> None:
    app, names = tried
    with server.client() as client:
        client.flushall()
        _all_names(server, app)
        for name in data.draw(
            st.lists(st.sampled_from(names), min_size=1, max_size=5, unique=True)
        ):
            client.delete(name)
            data.draw(_POINTERS if b":p:" in name else _THINGS)(client, name)
    using = Caller(app.use)
    using.result(30)


def fly(store: Store) -> Flight:
    joined = store.join(KEY)
    assert joined is not None
    assert not isinstance(joined, Landed)
    return joined


def test_a_lease_that_has_no_end_keeps_nobody_waiting(
    server: Server, tmp_path: pathlib.Path
) -> None:
    first, second = (
        RedisStore(server.url, tmp_path / name, SEALING_KEY, LIMITS)
        for name in ("cache1", "cache2")
    )
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


@pytest.mark.parametrize("outcome", [None, b"", b"t", b"tx", b"t" + bytes(40), b"x", b"l"])
def test_a_lease_of_somebody_else_keeps_nobody_waiting(
    outcome: bytes | None, server: Server, tmp_path: pathlib.Path
) -> None:
    """Neither one that ends in years, nor one whose outcome is there although it has not ended."""
    app = App(server.url, tmp_path / "cache")
    assert app.memos[1](1) == 1
    with server.client() as client:
        (pointer,) = client.keys(f"dash-stash:{NAME}:p:*")
        lease = pointer.replace(b":p:", b":l:")
        client.delete(pointer)
        client.set(lease, b"somebody's token", px=10**11 if outcome is None else 5000)
        if outcome is not None:
            client.rpush(
                pointer.replace(b":p:", b":o:") + b":" + b"somebody's token".hex().encode(), outcome
            )
    began = time.monotonic()
    assert Caller(lambda: app.memos[1](1)).result(10) == 1
    assert time.monotonic() - began < 3


def test_an_outcome_that_is_not_ours_is_none(server: Server, tmp_path: pathlib.Path) -> None:
    app = App(server.url, tmp_path / "cache")
    app.memos[1](1)
    with server.client() as client:
        (pointer,) = client.keys(f"dash-stash:{NAME}:p:*")
        for number, outcome in enumerate((b"", b"t", b"tx", b"t" + bytes(40), b"x")):
            client.delete(pointer)
            lease = pointer.replace(b":p:", b":l:")
            token = b"token %d of somebody" % number
            client.set(lease, token, px=9000)
            calling = Caller(lambda: app.memos[1](1))
            wait_until(lambda: client.info("clients")["blocked_clients"], "it waits")
            client.rpush(pointer.replace(b":p:", b":o:") + b":" + token.hex().encode(), outcome)
            assert calling.result(10) == 1


def test_names_of_sessions_may_be_anything(server: Server, tmp_path: pathlib.Path) -> None:
    store = RedisStore(
        server.url, tmp_path / "cache", SEALING_KEY, dataclasses.replace(LIMITS, max_sessions=2)
    )
    with server.client() as client:
        client.zadd(
            "dash-stash:sessions",
            {b"\xff": 4e9, b"": 4e9, "session:": 5e9, "no session": 5e9, b"session:\x00": 5e9},
        )
        for number in range(8):
            assert store.commit(
                None,
                bytes([number]) * 16,
                Facts("state", "name", 0.0, owner=Owner(f"session:{number}")),
                encode("x" * 2000),
            )
        assert client.zcard("dash-stash:sessions") <= 3


@pytest.mark.parametrize("scope", ["", "user:a", "session:other", "/", "session:aa/tab:x"])
@pytest.mark.parametrize("gone_at", ["null", "NaN", "Infinity", "-1e308", "1e308", "2e9"])
def test_a_session_is_kept_in_use_whatever_its_pointers_say(
    gone_at: str, scope: str, server: Server, tmp_path: pathlib.Path, clock: ManualClock
) -> None:
    store = RedisStore(server.url, tmp_path / "cache", SEALING_KEY, LIMITS, clock=clock)
    for key in (KEY, OTHER):
        store.commit(
            None, key, Facts("state", "name", 0.0, owner=Owner("session:aa")), encode("x" * 2000)
        )
    described = f'[5, "{scope}", {gone_at}, {{}}, true]'.encode()
    with server.client() as client:
        client.set(
            f"dash-stash:p:{{{KEY.hex()}}}",
            struct.pack(">16sIII", b"i" * 16, 1, 2, len(described)) + described,
        )
        client.pexpire(f"dash-stash:p:{{{OTHER.hex()}}}", 60_000)
        clock.now += LIMITS.idle / 2
        store.touch(Owner("session:aa"))
        assert client.pttl(f"dash-stash:p:{{{OTHER.hex()}}}") > 60_000, (
            "what is ours is prolonged all the same"
        )
        store.leave(Owner("session:aa"))


def test_pieces_of_other_lengths_are_a_miss(server: Server, tmp_path: pathlib.Path) -> None:
    """Their checksums are not sealed, so somebody can make them fit."""
    array = np.arange(300_000)
    RedisStore(server.url, tmp_path / "cache1", SEALING_KEY, LIMITS).commit(
        None, KEY, Facts("put", "name", 0.0), encode({"a": array, "b": array})
    )
    with server.client() as client:
        (manifest,) = client.keys("*:m")
        first = manifest.removesuffix(b"m")
        count = len(client.get(manifest)) // 8
        sound = {
            first + str(number).encode(): client.get(first + str(number).encode())
            for number in range(count)
        }
        for name, chunk in sound.items():
            for other in (b"", chunk[:-1], chunk[:-8], chunk + b"x", chunk * 2):
                client.set(name, other)
                client.set(
                    manifest, b"".join(xxhash.xxh3_64(client.get(one)).digest() for one in sound)
                )
                for number, part in enumerate((None, "a", "b")):
                    reader = RedisStore(
                        server.url,
                        tmp_path / f"cache {number} {xxhash.xxh3_64(name + other).hexdigest()}",
                        SEALING_KEY,
                        LIMITS,
                    )
                    found = reader.read(KEY, part)
                    if found is not None:
                        got = decode(found.encoded, *([] if part is None else [part]))
                        for read in got.values() if part is None else [got]:
                            assert (read == array).all()
            client.set(name, chunk)


def test_a_listing_reads_no_more_than_there_is(server: Server, tmp_path: pathlib.Path) -> None:
    store = RedisStore(server.url, tmp_path / "cache", SEALING_KEY, LIMITS)
    store.commit(None, KEY, Facts("put", "name", 0.0), encode(1))
    described = b'[5, "", null, {}, false]'
    with server.client() as client:
        for number in range(300):
            packed = struct.pack(">16sIII", b"i" * 16, 2**16, 2**16, len(described)) + described
            client.set(f"dash-stash:p:{{{number:032x}}}", packed)
    assert [listed.key for listed in Caller(store.list).result(20)] == [KEY]


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
