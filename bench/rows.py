"""The demands, row by row."""

from __future__ import annotations

import os
import pathlib
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench import contenders
from bench.measure import Row, race
from dash_stash import Stash
from dash_stash.codec import encode
from dash_stash.layout import Facts, pack
from dash_stash.stores.local import LocalStore

_MILLION = 1_000_000


def frames(folder: pathlib.Path, *, quick: bool) -> Iterator[Row]:
    """A warm hit of the 48 MB frame against the others, the floor, and the 478 MB frame."""
    small = contenders.frame(_MILLION)
    stash, big_stash = contenders.stash_in(folder / "48"), contenders.stash_in(folder / "478")
    ours = contenders.memo_hit(stash, small)
    calls = {
        "dash-stash": ours,
        "floor": contenders.floor(stash),
        "Flask-Caching, files": contenders.flask_caching_hit(folder / "flask", small),
        "diskcache": contenders.diskcache_hit(folder / "diskcache", small),
        "Ray": contenders.ray_hit(small),
    }
    timed = race(calls, 20 if quick else 100)
    yield Row(
        "warm hit, 48 MB frame / Flask-Caching, files", timed.ratio("dash-stash", "Flask-Caching, files"), 1 / 20, times=timed.medians()
    )
    yield Row("the same / diskcache", timed.ratio("dash-stash", "diskcache"), 1 / 8)
    yield Row("the same / Ray", timed.ratio("dash-stash", "Ray"), 1 / 3)
    import ray

    ray.shutdown()
    timed = race({"dash-stash": ours, "floor": calls["floor"]}, 100, repeat=5)
    yield Row("the same / the floor (open, map, unpickle by hand)", timed.ratio("dash-stash", "floor"), 2, times=timed.medians())
    if not quick:
        big = contenders.memo_hit(big_stash, contenders.frame(10 * _MILLION))
        timed = race({"478 MB": big, "48 MB": ours}, 100, repeat=5)
        yield Row("478 MB frame / 48 MB frame", timed.ratio("478 MB", "48 MB"), 1.5, times=timed.medians())


_HOLDER = """
import pathlib, sys
import numpy as np
from bench import contenders

def read(frame):
    # Every page of it, without memory for results, which the allocators would keep.
    columns = [frame[name].to_numpy() for name in ("x", "y", "n", "time")] + [frame["kind"].cat.codes.to_numpy()]
    buffers = [buffer for chunk in frame["name"].array._pa_array.chunks for buffer in chunk.buffers() if buffer]
    for memory in [column.view("uint8") for column in columns] + [np.frombuffer(buffer, "uint8") for buffer in buffers]:
        memory[::1024].max()

def pss():
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))

stash = contenders.stash_in(pathlib.Path(sys.argv[1]))
warm_up, wanted = map(stash.ref, sys.argv[2:])
read(warm_up.get())  # with all libraries loaded that reading takes
for line in sys.stdin:
    if line.strip() == "load":
        held = wanted.get()
        read(held)
    print(pss(), flush=True)
"""


def memory(folder: pathlib.Path, *, quick: bool) -> Iterator[Row]:
    """Four processes that each hold and read the frame."""
    stash = contenders.stash_in(folder / "memory")
    value = contenders.frame(_MILLION if quick else 10 * _MILLION)
    size = sum(len(buffer) for segment in encode(value).segments for buffer in segment.buffers)
    refs = [str(stash.put(stored, share=True)) for stored in (contenders.frame(1000), value)]
    del value
    command = [sys.executable, "-c", _HOLDER, str(folder / "memory"), *refs]
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    def ask(question: str) -> int:
        def answer(worker: subprocess.Popen[str]) -> int:
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdin.write(question + "\n")
            worker.stdin.flush()
            return int(worker.stdout.readline())

        return sum(answer(worker) for worker in workers)

    idle = ask("idle")
    ask("load")
    loaded = ask("again")
    for worker in workers:
        worker.communicate()
    yield Row(f"memory of 4 workers with the {size / 1e6:.0f} MB frame / one copy", (loaded - idle) / size, 1.2)


def small(folder: pathlib.Path, *, quick: bool) -> Iterator[Row]:
    """A warm hit of a dict of ten floats."""
    value = {f"key {n}": float(n) for n in range(10)}
    calls = {
        "dash-stash": contenders.memo_hit(contenders.stash_in(folder / "small"), value),
        "diskcache": contenders.diskcache_hit(folder / "small-diskcache", value),
        "Flask-Caching, files": contenders.flask_caching_hit(folder / "small-flask", value),
    }
    timed = race(calls, 50 if quick else 200, repeat=50)
    yield Row("warm hit, ten floats / diskcache", timed.ratio("dash-stash", "diskcache"), 1 / 10, times=timed.medians())
    yield Row("the same, in µs", timed.median("dash-stash") * 1e6, 10, "µs")


def store(folder: pathlib.Path, *, quick: bool) -> Iterator[Row]:
    """Storing the frame against writing the same bytes to a file."""
    stash = contenders.stash_in(folder / "store")
    value = contenders.frame(_MILLION)
    packed = pack(bytes(16), Facts("put", "", 0.0), encode(value), bytes(32))
    chunks = [packed.head, *packed.body]
    path = folder / "plain"
    made: list[Any] = []

    def put() -> None:
        made.append(stash.put(value, share=True))

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            for chunk in chunks:
                file.write(chunk)

    def race_once() -> Iterator[tuple[float, float]]:
        for _ in range(10 if quick else 40):
            began = time.perf_counter()
            put()
            put_took = time.perf_counter() - began
            stash.store.delete(made.pop()._target.key)
            began = time.perf_counter()
            write()
            write_took = time.perf_counter() - began
            path.unlink()
            yield put_took, write_took

    rounds = sorted(race_once(), key=lambda pair: pair[0] / pair[1])
    middle = rounds[len(rounds) // 2]
    times = {
        "dash-stash": sorted(put for put, _ in rounds)[len(rounds) // 2],
        "a plain file": sorted(w for _, w in rounds)[len(rounds) // 2],
    }
    yield Row("storing the 48 MB frame / writing its bytes", middle[0] / middle[1], 2, times=times)


def callback(folder: pathlib.Path, *, quick: bool) -> Iterator[Row]:
    """A callback that uses no reference, in an app with a Stash and in one without, given the same request."""
    from dash import Dash, Input, Output, dcc, html

    def client(*, with_stash: bool) -> Callable[[], object]:
        app = Dash(__name__, use_async=False)
        app.layout = html.Div([dcc.Input(id="in"), html.Div(id="out")])
        if with_stash:
            Stash(app, f"file://{folder / 'callback'}", secret="only for measuring")

        @app.callback(Output("out", "children"), Input("in", "value"))
        def show(text: str) -> str:
            return text

        page = app.server.test_client().get("/")
        cookie = page.headers.get("Set-Cookie", "dash_stash_0=none").partition(";")[0]
        body = {
            "output": "out.children",
            "outputs": {"id": "out", "property": "children"},
            "inputs": [{"id": "in", "property": "value", "value": "text"}],
            "changedPropIds": ["in.value"],
        }
        requests = app.server.test_client(use_cookies=False)
        # Padded to one length: a cookie of whatever origin costs the same to parse.
        headers = {"Cookie": cookie.ljust(80, "0")}
        return lambda: requests.post("/_dash-update-component", json=body, headers=headers)

    calls = {"with Stash": client(with_stash=True), "without": client(with_stash=False)}
    timed = race(calls, 500 if quick else 5000)
    yield Row(
        "a callback without references, more than without Stash", timed.difference("with Stash", "without") * 1e6, 20, "µs", timed.medians()
    )


_FILLER = """
import os, pathlib, sys
from bench import contenders, rows
rows.fill(contenders.stash_in(pathlib.Path(sys.argv[1])), int(sys.argv[2]))
"""


def fill(stash: Stash, count: int) -> None:
    """Store *count* small values under random keys."""
    encoded = encode({f"key {n}": float(n) for n in range(10)})
    for _ in range(count):
        stash.store.commit(None, secrets.token_bytes(16), Facts("put", "dict", time.time()), encoded)


def many(folder: pathlib.Path, *, quick: bool) -> Iterator[Row]:
    """A hit with a million entries stored against a thousand: of keys this process never read, and of one it reads again."""
    count = 50_000 if quick else _MILLION
    began = time.perf_counter()
    command = [sys.executable, "-c", _FILLER, str(folder / "many"), str(count // 2)]
    for filler in [subprocess.Popen(command) for _ in range(2)]:
        filler.wait()
    print(f"    (filled with {count:,} entries in {time.perf_counter() - began:.0f} s)")
    few_stash, many_stash = contenders.stash_in(folder / "few"), contenders.stash_in(folder / "many")
    fill(few_stash, 1000)
    rounds = 400
    fresh = {"1,000 entries": _fresh_keys(few_stash, rounds), f"{count:,} entries": _fresh_keys(many_stash, rounds)}
    timed = race(fresh, rounds)
    yield Row("a first hit, more entries / 1,000", timed.ratio(f"{count:,} entries", "1,000 entries"), 1.5, times=timed.medians())
    value = {"a": 1.0}
    warm = {"1,000 entries": contenders.memo_hit(few_stash, value), f"{count:,} entries": contenders.memo_hit(many_stash, value)}
    timed = race(warm, 200, repeat=50)
    yield Row("a warm hit, more entries / 1,000", timed.ratio(f"{count:,} entries", "1,000 entries"), 1.5, times=timed.medians())


def _fresh_keys(stash: Stash, count: int) -> Callable[[], object]:
    """Return a call that reads another entry each time, none of them read before by this process."""
    store = stash.store
    assert isinstance(store, LocalStore)
    paths = (path.name for part in os.scandir(store.folder / "entries") for path in os.scandir(part.path))
    keys = [bytes.fromhex(name) for _, name in zip(range(3 * count), paths, strict=False)]
    for key in keys:  # in the page cache, and their directory entries too
        (store.folder / "entries" / key.hex()[:2] / key.hex()).read_bytes()
    store = contenders.stash_in(store.folder).store
    supply = iter(keys)
    return lambda: store.read(next(supply))


ALL: dict[str, Callable[..., Iterator[Row]]] = {
    "frames": frames,
    "memory": memory,
    "small": small,
    "store": store,
    "callback": callback,
    "many": many,
}
