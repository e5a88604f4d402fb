"""The options of memo functions, and forgetting, peeking, refreshing, counting."""

# ruff: noqa: PLW0108 (a memo takes plain functions, and `calls` is none)

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from dash_stash import (
    ConfigError,
    Memo,
    NoSession,
    Stash,
)
from dash_stash.testing import ManualClock
from unit.counting import Calls
from unit.visiting import at_once, visit

# Options


def test_another_version_is_another_function(stash: Stash, calls: Calls) -> None:
    def versioned(version: object) -> Memo[[], int]:
        @stash.memo(version=version, ignore="calls")
        def report() -> int:
            return calls()

        return report

    assert [
        versioned(None)(),
        versioned(1)(),
        versioned(2)(),
        versioned("1")(),
        versioned(1)(),
    ] == [1, 2, 3, 4, 2]


def test_a_value_is_computed_anew_after_its_ttl(
    stash: Stash, clock: ManualClock, calls: Calls
) -> None:
    memo = stash.memo(ttl="1h", ignore="calls")(lambda: calls())
    assert memo() == 1
    clock.now += 3599.9
    assert memo() == 1
    clock.now += 0.1
    assert memo.peek() is None
    assert memo() == 2


def test_an_entry_from_a_clock_that_was_ahead_does_not_live_longer(
    stash: Stash, clock: ManualClock, calls: Calls
) -> None:
    memo = stash.memo(ttl=60, ignore="calls")(lambda: calls())
    clock.now += 3600
    assert memo() == 1
    clock.now -= 3600
    assert memo() == 2


def test_a_stale_value_is_served_while_one_caller_computes(
    stash: Stash, clock: ManualClock, calls: Calls
) -> None:
    entered, released = threading.Event(), threading.Event()

    @stash.memo(ttl=60, stale=600, ignore=("calls", "entered", "released"))
    def slow() -> int:
        count = calls()
        if count > 1:
            entered.set()
            assert released.wait(30)
        return count

    assert slow() == 1
    clock.now += 60
    (refreshing,) = at_once(1, lambda _: slow())
    assert entered.wait(30)
    assert [caller.result() for caller in at_once(10, lambda _: slow())] == [1] * 10
    assert slow.peek() == 1
    released.set()
    assert refreshing.result() == 2
    assert slow() == 2
    assert len(calls) == 2


def test_a_value_that_is_too_stale_is_not_served(
    stash: Stash, clock: ManualClock, calls: Calls
) -> None:
    memo = stash.memo(ttl=60, stale=600, ignore="calls")(lambda: calls())
    assert memo() == 1
    clock.now += 659.9
    assert memo.peek() == 1
    clock.now += 0.1
    assert memo.peek() is None
    assert memo() == 2


def test_a_refresh_that_fails_keeps_the_stale_value_for_the_others(
    stash: Stash, clock: ManualClock, calls: Calls
) -> None:
    @stash.memo(ttl=60, stale=600, ignore="calls")
    def fragile() -> int:
        if calls() == 2:
            raise ConnectionError("down")
        return len(calls)

    assert fragile() == 1
    clock.now += 60
    with pytest.raises(ConnectionError):
        fragile()
    assert fragile.peek() == 1
    assert fragile() == 3


@pytest.mark.parametrize("scope", ["session", "page"])
def test_each_session_or_page_has_its_own_entries(
    stash: Stash, calls: Calls, scope: Literal["session", "page"]
) -> None:
    memo = stash.memo(scope=scope, ignore="calls")(lambda n: calls(n))
    with visit(stash, "mine", "one"):
        assert memo(1) == memo(n=1) == 1
    with visit(stash, "another's", "one"):
        assert memo(1) == 2
    with visit(stash, "mine", "two"):
        assert memo(1) == (1 if scope == "session" else 3)
    with visit(stash, "mine", "one"):
        assert memo(1) == 1
    with pytest.raises(NoSession, match=scope):
        memo(1)


def test_forgetting_in_one_session_leaves_the_others(stash: Stash, calls: Calls) -> None:
    memo = stash.memo(scope="session", ignore="calls")(lambda n: calls(n))
    for session in ("mine", "another's"):
        with visit(stash, session):
            memo(1)
    with visit(stash, "mine"):
        memo.forget(1)
        assert memo.peek(1) is None
    with visit(stash, "another's"):
        assert memo.peek(1) == 2


def test_a_session_without_a_cookie_computes_nothing(stash: Stash, calls: Calls) -> None:
    memo = stash.memo(scope="session", ignore="calls")(lambda: calls())
    with pytest.raises(NoSession):
        memo()
    assert not calls


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"scope": "browser"}, "'session'"),
        ({"ttl": 0}, "ttl=0"),
        ({"ttl": "soon"}, "90s"),
        ({"stale": "-1s"}, "stale="),
        ({"tags": "flights"}, r"tags=\('flights',\)"),
        ({"share": True, "scope": "session"}, "choose one"),
    ],
    ids=lambda one: str(one) if isinstance(one, dict) else "",
)
def test_options_that_cannot_be_used_are_refused_at_once(
    stash: Stash, options: Any, advice: str
) -> None:
    with pytest.raises(ConfigError, match=advice):
        stash.memo(**options)


# Forgetting, peeking, refreshing, counting


def test_forgetting_with_arguments_forgets_that_call_alone(stash: Stash, calls: Calls) -> None:
    memo = stash.memo(ignore="calls")(lambda n: calls(n))
    assert (memo(1), memo(2)) == (1, 2)
    memo.forget(n=1)
    assert (memo(2), memo(1)) == (2, 3)


def test_forgetting_without_arguments_forgets_all_calls_of_the_function(
    stash: Stash, calls: Calls
) -> None:
    memo = stash.memo(ignore="calls")(lambda n=0: calls(n))
    other = stash.memo(ignore="calls", version=2)(lambda n=0: calls(n))
    assert (memo(1), memo(2), other(1)) == (1, 2, 3)
    memo.forget()
    assert (memo(1), memo(2), other(1)) == (4, 5, 3)
    assert stash.memo(ignore="calls")(lambda: calls())() == 6


def test_a_function_without_parameters_can_be_forgotten(stash: Stash, calls: Calls) -> None:
    memo = stash.memo(ignore="calls")(lambda: calls())
    assert memo() == 1
    memo.forget()
    assert memo() == 2


def test_a_tag_forgets_values_of_several_functions(stash: Stash, calls: Calls) -> None:
    one = stash.memo(tags=["flights", "a"], ignore="calls")(lambda n: calls("one", n))
    two = stash.memo(tags=("flights",), ignore="calls")(lambda n: calls("two", n))
    three = stash.memo(tags=["weather"], ignore="calls")(lambda n: calls("three", n))
    assert (one(1), two(1), three(1)) == (1, 2, 3)
    stash.forget(tag="flights")
    assert (one.peek(1), two.peek(1), three.peek(1)) == (None, None, 3)
    stash.forget(tag="nobody's")
    assert three(1) == 3


@pytest.mark.parametrize("how", ["call", "all", "tag"])
def test_what_is_forgotten_while_it_is_computed_stays_forgotten(
    stash: Stash, calls: Calls, how: str
) -> None:
    entered, released = threading.Event(), threading.Event()

    @stash.memo(tags=["t"], ignore=("calls", "entered", "released"))
    def slow(n: int) -> int:
        count = calls()
        entered.set()
        assert released.wait(30)
        return count

    (computing,) = at_once(1, lambda _: slow(1))
    assert entered.wait(30)
    {
        "call": lambda: slow.forget(1),
        "all": lambda: slow.forget(),
        "tag": lambda: stash.forget(tag="t"),
    }[how]()
    released.set()
    assert computing.result() == 1
    assert slow.peek(1) is None
    assert slow(1) == 2


def test_peeking_never_computes(stash: Stash, calls: Calls) -> None:
    memo = stash.memo(ignore="calls")(lambda n: calls(n))
    assert memo.peek(1) is None
    assert not calls
    memo(1)
    assert memo.peek(n=1) == 1


def test_peeking_tells_a_stored_none_from_nothing_by_the_default(stash: Stash) -> None:
    nothing = object()
    memo = stash.memo(lambda n: None)
    assert memo.peek(1, default=nothing) is nothing
    assert memo.peek(1, default=None) is memo.peek(1) is None
    memo(1)
    assert memo.peek(1, default=nothing) is memo.peek(default=nothing, n=1) is None


def test_peeking_with_a_default_works_for_async_functions_and_methods(stash: Stash) -> None:
    class Airport:
        @stash.memo(ignore="self")
        def name(self, code: str) -> str:
            return code

    @stash.memo
    async def awaited(n: int) -> None:
        return None

    assert Airport().name.peek("JFK", default="nothing") == "nothing"
    assert awaited.peek(1, default="nothing") == "nothing"
    asyncio.run(awaited(1))
    assert awaited.peek(1, default="nothing") is None


def test_a_default_that_the_function_itself_takes_is_its_own_when_peeking(stash: Stash) -> None:
    """As in a call: what `f(default=1)` computes is what `f.peek(default=1)` finds."""

    def by_name(n: int, default: int = 0) -> tuple[int, int]:
        return n, default

    def among_others(n: int, **others: int) -> tuple[int, int]:
        return n, others.get("default", 0)

    functions: list[Callable[..., tuple[int, int]]] = [by_name, among_others]
    for memo in map(stash.memo, functions):
        assert memo(1) == (1, 0)
        assert memo.peek(1, default=7) is None
        assert memo(1, default=7) == memo.peek(1, default=7) == (1, 7)
        assert memo.peek(1) == (1, 0)


def test_a_parameter_that_no_keyword_reaches_leaves_the_default_to_peek(stash: Stash) -> None:
    def by_position(default: int, /) -> int:
        return default

    def rest(*default: int) -> int:
        return len(default)

    assert stash.memo(by_position).peek(3, default=7) == stash.memo(rest).peek(3, default=7) == 7


def test_refreshing_computes_in_any_case(stash: Stash, calls: Calls) -> None:
    memo = stash.memo(ignore="calls")(lambda n: calls(n))
    assert [memo.refresh(1), memo.refresh(n=1), memo(1)] == [1, 2, 2]


def test_a_refresh_that_fails_leaves_what_was_stored(stash: Stash, calls: Calls) -> None:
    @stash.memo(ignore="calls")
    def fragile() -> int:
        if calls() == 2:
            raise ConnectionError
        return len(calls)

    assert fragile() == 1
    with pytest.raises(ConnectionError):
        fragile.refresh()
    assert fragile() == 1


def test_it_counts_hits_misses_waits_and_what_is_stored(stash: Stash) -> None:
    memo = stash.memo(lambda n: np.zeros(n))
    for n in (1000, 1000, 1000, 2000):
        memo(n)
    info = memo.info()
    assert (info.hits, info.misses, info.waits, info.entries) == (2, 2, 0, 2)
    assert info.bytes > 24_000
    assert info.seconds_saved > 0
    memo.forget()
    assert (memo.info().entries, memo.info().misses) == (0, 2)
