"""Jobs that read damaged entries."""

from __future__ import annotations

import os
import pathlib
import random
import signal
from typing import Any

import numpy as np
import pandas as pd

from dash_stash import Ref, RefExpired, Stash
from dash_stash.testing import ManualClock
from support import NAME

SECRET = "the secret of the damaged store"


def samples() -> dict[str, Any]:
    """Small entries and mapped ones (over 64 KiB), with buffers, without, and in parts."""
    return {
        "small": {"a": [1.5, None, "text"], "b": {"c": (1, 2)}},
        "small with a buffer": np.arange(500.0),
        "mapped": "text " * 30_000,
        "mapped with a buffer": np.arange(20_000.0),
        "mapped frame": pd.DataFrame(
            {"n": range(5_000), "at": pd.date_range("2013", periods=5_000), "s": ["ä"] * 5_000}
        ),
        "mapped parts": {"first": np.arange(10_000), "second": "text", "third": np.zeros(5)},
    }


def is_same(left: Any, right: Any) -> bool:
    """Tell whether two of the samples are equal."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(is_same(left[name], right[name]) for name in left)
        )
    if isinstance(left, np.ndarray):
        return np.array_equal(left, right)
    return (
        left.equals(right)
        if isinstance(left, pd.DataFrame)
        else type(left) is type(right) and bool(left == right)
    )


def read_damaged(folder: str, seed: int, rounds: int) -> dict[str, int]:
    """Damage an entry and read it, *rounds* times; count what came of it."""
    chance = random.Random(seed)
    clock = ManualClock()
    warm = Stash(url=f"file://{folder}", secret=SECRET, clock=clock)
    kept = [(value, warm.put(value, share=True)) for value in samples().values()]
    counts = {"miss": 0, "whole from memory": 0, "wrong": 0, "whole": 0}
    for _ in range(rounds):
        value, ref = chance.choice(kept)
        clock.now += 10  # nothing from the round before is trusted any more
        assert is_same(ref.get(), value), "the entry is whole again"
        path = entry_path(folder, ref)
        pristine = path.read_bytes()
        _damage(path, chance)
        if chance.random() < 0.5:
            cold = Stash(url=f"file://{folder}", secret=SECRET, clock=clock)
            counts[_read(cold.ref(ref), value)] += 1
        else:
            # This process has read the entry before. What it still has in memory is right; it finds
            # the damage on disk.
            counts["whole from memory" if _read(ref, value) == "whole" else "miss"] += 1
            clock.now += 10
            counts[_read(ref, value)] += 1
        _restore(path, pristine)
    return counts


def _read(ref: Ref[Any], value: Any) -> str:
    try:
        return "whole" if is_same(ref.get(), value) else "wrong"
    except RefExpired:
        return "miss"


def entry_path(folder: str, ref: Ref[Any]) -> pathlib.Path:
    """Return the file of the value of *ref*."""
    name = ref._target.key.hex()
    return pathlib.Path(folder) / NAME / "entries" / name[:2] / name


def _damage(path: pathlib.Path, chance: random.Random) -> None:
    """Flip a byte, or cut the file, in its place."""
    path.chmod(0o600)
    before = path.stat()
    size = before.st_size
    # The head is small and holds all code: half of the damage goes there.
    position = chance.randrange(size if chance.random() < 0.5 else min(size, 700))
    with path.open("r+b") as file:
        if chance.random() < 0.3:
            file.truncate(position)
        else:
            file.seek(position)
            (byte,) = file.read(1)
            file.seek(position)
            file.write(bytes([byte ^ chance.randrange(1, 256)]))
    while path.stat().st_mtime_ns == before.st_mtime_ns:
        os.utime(path)  # until the file system's clock has ticked


def _restore(path: pathlib.Path, pristine: bytes) -> None:
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(pristine)
    fresh.replace(path)


def crash(_folder: str) -> None:
    """Die like a process that reads a map behind the end of its file."""
    os.kill(os.getpid(), signal.SIGBUS)
