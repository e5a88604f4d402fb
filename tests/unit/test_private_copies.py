"""What a caller does to a value is seen by nobody else, also when the value could not be stored."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dash_stash import Memo, Stash
from dash_stash.testing import ManualClock
from unit.visiting import at_once

Make = Callable[[Stash, Callable[[], Any]], Memo[..., Any]]


def forgotten_meanwhile(stash: Stash, function: Callable[[], Any]) -> Memo[..., Any]:
    memos: list[Memo[..., Any]] = []

    @stash.memo(ignore=["memos", "function"])
    def compute() -> Any:
        memos[0].forget()
        return function()

    memos.append(compute)
    return compute


def computed_by_itself(stash: Stash, function: Callable[[], Any]) -> Memo[..., Any]:
    return stash.memo(ignore="function")(lambda: function())  # noqa: PLW0108 (a memo takes plain functions)


def expired_at_once(stash: Stash, function: Callable[[], Any]) -> Memo[..., Any]:
    return stash.memo(ignore="function", ttl=1e-9)(lambda: function())  # noqa: PLW0108 (as above)


VALUES: dict[str, Callable[[], Any]] = {
    "dict": lambda: {"n": [1]},
    "frame": lambda: pd.DataFrame({"a": np.ones(100_000), "b": ["x"] * 100_000}),
    "array": lambda: np.ones(100_000),
    "parts": lambda: {"one": np.ones(100_000), "other": [np.ones(10)]},
}


def spoil(value: Any) -> None:
    if isinstance(value, pd.DataFrame):
        value["a"] = 2.0
        value.loc[0, "b"] = "y"
    elif isinstance(value, np.ndarray):
        value += 1
    else:
        for child in value.values():
            child[0] = 5


def folder_stash(folder: pathlib.Path, way: str, clock: ManualClock) -> Stash:
    return Stash(url=f"file://{folder}", clock=clock, max_bytes=1 if way == "too large" else 2**30)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    ("way", "make"),
    [
        ("too large", computed_by_itself),
        ("folder gone", computed_by_itself),
        ("forgotten meanwhile", forgotten_meanwhile),
        ("expired at once", expired_at_once),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_value_that_is_not_stored_is_a_private_copy_all_the_same(
    folder: pathlib.Path, clock: ManualClock, way: str, make: Make, value: str
) -> None:
    stash = folder_stash(folder, way, clock)
    if way == "folder gone":
        stash._deployment.store.read(bytes(16))
        for path in folder.iterdir():
            path.rename(folder.parent / f"moved {path.name}")
        folder.rmdir()
        folder.write_text("a file lies in its place")
    kept = VALUES[value]()
    memo = make(stash, lambda: kept)
    expected = repr(VALUES[value]())
    for result in (
        memo(),
        memo.refresh(),
        *(caller.result() for caller in at_once(4, lambda _: memo())),
    ):
        assert repr(result) == expected
        spoil(result)
    assert repr(kept) == expected


def test_an_asynchronous_function_too(folder: pathlib.Path, clock: ManualClock) -> None:
    stash = folder_stash(folder, "too large", clock)
    kept = {"n": [1]}

    @stash.memo(ignore="kept")
    async def compute() -> dict[str, list[int]]:
        return kept

    asyncio.run(compute())["n"].append(2)
    assert kept == {"n": [1]}
