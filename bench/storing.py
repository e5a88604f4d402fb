"""Storing a frame, against writing the same bytes to a file."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

from bench import contenders
from bench.frame import MILLION, frame
from bench.report import Demand, Section
from bench.timing import race
from dash_stash import Ref
from dash_stash.codec import encode
from dash_stash.entries import Facts, pack


def storing(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield how long `put` and a memo function's miss take."""
    stash = contenders.stash_in(folder / "storing")
    value = frame(MILLION)
    packed = pack(bytes(16), Facts("put", "", 0.0), encode(value), bytes(32))
    plain = folder / "plain"
    refs: list[Ref[object]] = []

    def put() -> None:
        refs.append(stash.put(value, share=True))

    def write() -> None:
        with plain.open("wb", buffering=0) as file:
            for chunk in (packed.head, *packed.body):
                file.write(chunk)

    miss, forget = contenders.memo_miss(stash, value)
    calls = {"put": put, "memo, miss": miss, "a plain file": write}
    undo = {
        "put": lambda: stash._deployment.store.delete(refs.pop()._target.key),
        "memo, miss": forget,
        "a plain file": plain.unlink,
    }
    timed = race(calls, 15 if quick else 60, undo=undo)
    demands = [
        Demand(f"{name} against a plain file", timed.ratio(name, "a plain file"), 2)
        for name in ("put", "memo, miss")
    ]
    yield Section("Storing the 48 MB frame", demands, timed.spreads())
