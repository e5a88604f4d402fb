"""A stash that has no store yet: memo functions can be defined, nothing can be stored."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from dash import Dash

from dash_stash import ConfigError, Stash


@pytest.fixture(autouse=True)
def cache_home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("DASH_STASH_URL", raising=False)


USES: dict[str, Callable[[Stash], Any]] = {
    "call": lambda stash: stash.memo(lambda: 1)(),
    "ref": lambda stash: stash.memo(share=True)(lambda: 1).ref(),
    "peek": lambda stash: stash.memo(lambda: 1).peek(),
    "forget": lambda stash: stash.memo(lambda: 1).forget(),
    "info": lambda stash: stash.memo(lambda: 1).info(),
    "forget a tag": lambda stash: stash.forget(tag="sales"),
    "put": lambda stash: stash.put(1, share=True),
    "open": lambda stash: stash.ref("stash:" + "A" * 60),
    "assign": lambda stash: stash.app.update(n=1),
    "read": lambda stash: stash.app.get("n"),
}


@pytest.mark.parametrize("use", USES)
def test_what_needs_the_store_says_how_to_get_one(use: str) -> None:
    with pytest.raises(
        ConfigError, match=r"no store yet: call stash.init_app.*or write Stash\(url"
    ):
        USES[use](Stash())


def test_a_memo_function_that_was_defined_before_stores_once_there_is_an_app() -> None:
    stash = Stash(name="later")
    calls: list[int] = []

    @stash.memo(ignore="calls")
    def double(n: int) -> int:
        calls.append(n)
        return 2 * n

    stash.init_app(Dash(__name__))
    assert double(4) == double(4) == 8
    assert calls == [4]


def test_an_empty_url_is_not_taken_for_none() -> None:
    for app in (None, Dash(__name__)):
        with pytest.raises(ConfigError, match="url"):
            Stash(app, "")
