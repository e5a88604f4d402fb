"""The frame, and everybody who serves it."""

from __future__ import annotations

import functools
import mmap
import pathlib
import pickle
from collections.abc import Callable

import numpy as np
import pandas as pd

from dash_stash import Stash, layout
from dash_stash.stores.local import LocalStore


def frame(rows: int) -> pd.DataFrame:
    """Return a frame of float64, float64, int64, datetime64, str and category: 48 bytes a row."""
    chance = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": chance.normal(size=rows),
            "y": chance.normal(size=rows),
            "n": np.arange(rows),
            "time": pd.date_range("2013", periods=rows, freq="s"),
            "name": pd.Series(np.char.add("n", (np.arange(rows) % 10_000).astype(str)), dtype="str"),
            "kind": pd.Series(pd.Categorical(np.array(list("abcde"))[chance.integers(0, 5, rows)])),
        },
    )


def stash_in(folder: pathlib.Path) -> Stash:
    """Return a stash of its own."""
    return Stash(url=f"file://{folder}", secret="only for measuring", max_bytes=20 * 2**30, max_entries=2_000_000)


def memo_hit(stash: Stash, value: object) -> Callable[[], object]:
    """Return a call of a memo function whose value is stored."""

    @stash.memo(ignore="value")
    def stored(key: str) -> object:  # noqa: ARG001 (one entry, whatever the value)
        return value

    stored("key")
    return functools.partial(stored, "key")


def flask_caching_hit(folder: pathlib.Path, value: object) -> Callable[[], object]:
    """Return the same with Flask-Caching's files."""
    from flask import Flask
    from flask_caching import Cache

    cache = Cache(Flask(__name__), config={"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": str(folder), "CACHE_DEFAULT_TIMEOUT": 0})

    @cache.memoize()
    def stored(key: str) -> object:  # noqa: ARG001 (one entry, whatever the value)
        return value

    app = cache.app

    def call() -> object:
        with app.app_context():
            return stored("key")

    call()
    return call


def diskcache_hit(folder: pathlib.Path, value: object) -> Callable[[], object]:
    """Return the same with diskcache."""
    import diskcache

    cache = diskcache.Cache(str(folder), size_limit=10**10)

    @cache.memoize()
    def stored(key: str) -> object:  # noqa: ARG001 (one entry, whatever the value)
        return value

    stored("key")
    return functools.partial(stored, "key")


def ray_hit(value: object) -> Callable[[], object]:
    """Return a get from Ray's object store (which gives read-only views)."""
    import ray

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR", object_store_memory=2**30)
    return functools.partial(ray.get, ray.put(value))


def floor(stash: Stash) -> Callable[[], object]:
    """Return the least that can be done: open the only entry's file, map it privately, unpickle the same header, by hand."""
    store = stash.store
    assert isinstance(store, LocalStore)
    (path,) = (path for path in (store.folder / "entries").rglob("*") if path.is_file())
    with path.open("rb") as file:
        head = file.read(layout.head_size(file.read(layout.PREFIX_SIZE)) - file.seek(0))
    entry = layout.parse(head, stash.seal.key("entry"))
    assert entry is not None
    ((header, buffers),) = entry.segments
    pickled = head[header]

    def call() -> object:
        with path.open("rb", buffering=0) as file:
            body = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        return pickle.loads(pickled, buffers=[body[buffer] for buffer in buffers])

    return call
