"""References to the values of memo functions."""

# ruff: noqa: PLW0108 (a memo takes plain functions, and `calls` is none)

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from dash_stash import (
    AsyncMemo,
    NoSession,
    PartMissing,
    Ref,
    RefExpired,
    Stash,
)
from dash_stash.testing import ManualClock
from support import SECRET, wait_until
from unit.counting import Calls, CountingStore, Unpickled
from unit.visiting import at_once, visit


def test_a_reference_outlives_its_value(stash: Stash, clock: ManualClock, calls: Calls) -> None:
    memo = stash.memo(ttl=60, share=True, ignore="calls")(lambda n: calls(n))
    ref = memo.ref(5)
    assert (ref.get(), len(calls)) == (1, 1)
    memo.forget(5)
    assert ref.get() == 2
    clock.now += 60
    assert ref.get() == 3
    assert stash.ref(str(ref)).get() == memo(5) == 3


def test_equal_calls_have_equal_references(stash: Stash) -> None:
    memo = stash.memo(share=True)(lambda n, m=1: n)
    assert memo.ref(1) == memo.ref(n=1, m=1) != memo.ref(2)


def test_a_reference_to_a_value_made_from_a_reference_outlives_it(stash: Stash) -> None:
    @stash.memo(share=True)
    def total(numbers: Ref[list[int]]) -> int:
        return sum(numbers.get())

    ref = total.ref(stash.put([1, 2, 3], share=True))
    assert ref.get() == 6
    total.forget()
    assert ref.get() == 6


def test_the_same_value_is_one_argument_whoever_may_open_the_reference(
    stash: Stash, calls: Calls
) -> None:
    source = stash.memo(lambda: [1, 2])
    memo = stash.memo(ignore="calls")(lambda ref: calls(ref))
    for session in ("mine", "another's"):
        with visit(stash, session):
            assert memo(source.ref()) == 1
    with visit(stash):
        assert memo(source.ref()[0]) == 2
        assert memo(source.ref()[1]) == 3


def test_a_part_of_a_memos_value_outlives_it_too(stash: Stash) -> None:
    memo = stash.memo(share=True)(lambda: {"a": np.arange(3000), "b": [7, 8]})
    part = memo.ref()["b"][1]
    memo.forget()
    assert part.get() == 8
    assert memo.ref()["a"].get().sum() == sum(range(3000))
    with pytest.raises(PartMissing, match="'a', 'b'"):
        memo.ref()["c"].get()


def test_a_reference_of_a_session_scope_computes_for_its_owner(stash: Stash) -> None:
    memo = stash.memo(scope="session")(lambda n: n * 2)
    with visit(stash):
        ref = memo.ref(4)
        memo.forget(4)
        assert stash.ref(ref).get() == 8
        assert memo.peek(4) == 8


def test_a_reference_needs_a_session_or_share(stash: Stash, calls: Calls) -> None:
    memo = stash.memo(ignore="calls")(lambda: calls())
    with pytest.raises(NoSession, match="share=True"):
        memo.ref()
    assert not calls


def test_a_reference_to_a_function_that_is_gone_says_so(
    stash: Stash, url: str, clock: ManualClock
) -> None:
    memo = stash.memo(share=True)(lambda: 1)
    ref = memo.ref()
    memo.forget()
    with pytest.raises(RefExpired, match="has changed, or is not part of this program"):
        Stash(url=url, secret=SECRET, clock=clock).ref(ref).get()


def test_an_ignored_argument_that_cannot_be_stored_does_not_matter_while_the_value_is_there(
    stash: Stash,
) -> None:
    memo = stash.memo(share=True, ignore="lock")(lambda lock, n: n)
    ref = memo.ref(threading.Lock(), 3)
    assert ref.get() == 3
    memo.forget()
    with pytest.raises(RefExpired):
        ref.get()


def test_a_reference_computes_once_for_many_who_open_it(stash: Stash, calls: Calls) -> None:
    memo = stash.memo(share=True, ignore="calls")(lambda: calls())
    ref = memo.ref()
    memo.forget()
    assert {caller.result() for caller in at_once(20, lambda _: ref.get())} == {2}


# What a reference costs


def _minting(stash: Stash, kind: str) -> Callable[[], Any]:
    """Return what mints a reference to the value of a memo function of either kind."""
    if kind == "synchronous":
        return stash.memo(share=True)(lambda: Unpickled()).ref

    @stash.memo(share=True)
    async def memo() -> Unpickled:
        return Unpickled()

    return lambda: asyncio.run(_ref_of(memo))


async def _ref_of(memo: AsyncMemo[[], Unpickled]) -> Ref[Unpickled]:
    return await memo.ref()


def _unpickled_by(call: Callable[[], object]) -> int:
    before = Unpickled.count
    call()
    return Unpickled.count - before


@pytest.fixture(params=["synchronous", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_cold_reference_looks_once_at_recipe_and_value_and_unpickles_nothing(
    stash: Stash, kind: str
) -> None:
    trials = _unpickled_by(lambda: stash.put(Unpickled(), share=True))
    mint, store = _minting(stash, kind), CountingStore(stash)
    assert _unpickled_by(mint) == trials, "but for the trial whether it can be stored"
    assert store.taken() == {"read": 2, "join": 1, "commit": 2}


def test_a_warm_reference_stores_and_unpickles_nothing(stash: Stash, kind: str) -> None:
    mint = _minting(stash, kind)
    mint()
    store = CountingStore(stash)
    assert _unpickled_by(mint) == 0
    assert store.taken() == {"read": 2}


def test_a_reference_to_a_value_without_a_recipe_stores_the_recipe_only(stash: Stash) -> None:
    memo = stash.memo(share=True)(lambda: Unpickled())
    memo()
    store = CountingStore(stash)
    assert _unpickled_by(memo.ref) == 0
    assert store.taken() == {"read": 2, "join": 1, "commit": 1}
    assert (memo.info().misses, memo.info().waits) == (1, 0)
    (again,) = at_once(1, lambda _: memo.refresh())
    assert isinstance(again.result(), Unpickled), "the key is free"


def test_a_reference_after_the_ttl_unpickles_nothing_either(
    stash: Stash, clock: ManualClock
) -> None:
    memo = stash.memo(share=True, ttl=60)(lambda: Unpickled())
    trials = _unpickled_by(lambda: stash.put(Unpickled(), share=True))
    memo.ref()
    clock.now += 60
    store = CountingStore(stash)
    assert _unpickled_by(memo.ref) == trials
    # Its recipe is there, so the value is looked for before somebody is waited for, and after.
    assert store.taken() == {"read": 3, "join": 1, "commit": 1}


@dataclass(frozen=True)
class Stubborn:
    """Has a value to make a key of, and cannot be pickled."""

    n: int

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError


def test_a_reference_whose_recipe_cannot_be_stored_waits_for_nobody_when_it_is_warm(
    stash: Stash,
) -> None:
    memo = stash.memo(share=True)(lambda stubborn: stubborn.n)
    memo.ref(Stubborn(1))
    store = CountingStore(stash)
    memo.ref(Stubborn(1))
    assert store.taken() == {"read": 2}


def test_20_who_want_a_reference_to_a_cold_value_compute_it_once(
    stash: Stash, calls: Calls
) -> None:
    @stash.memo(share=True, ignore=("calls", "store"))
    def slow() -> int:
        wait_until(lambda: store.asked["join"] >= 20, "all others have come")
        return calls()

    store = CountingStore(stash)
    refs = [caller.result() for caller in at_once(20, lambda _: slow.ref())]
    assert len(set(refs)) == len(calls) == 1
    assert slow.info().misses == 1


def test_who_waits_for_a_value_that_a_reference_needs_is_counted(stash: Stash) -> None:
    entered, released = threading.Event(), threading.Event()

    @stash.memo(share=True, ignore=("entered", "released"))
    def slow() -> int:
        entered.set()
        assert released.wait(30)
        return 1

    (first,) = at_once(1, lambda _: slow.ref())
    assert entered.wait(30)
    store = CountingStore(stash)
    (second,) = at_once(1, lambda _: slow.ref())
    wait_until(lambda: store.asked["join"] == 1, "the second waits")
    released.set()
    assert first.result() == second.result()
    assert (slow.info().misses, slow.info().waits, slow.info().hits) == (1, 1, 0)


def test_a_fresh_value_gets_a_reference_while_it_is_refreshed(stash: Stash, calls: Calls) -> None:
    """The caller neither waits for the refresh nor gets its error."""
    entered, released = threading.Event(), threading.Event()

    @stash.memo(share=True, ignore=("calls", "entered", "released"))
    def slow() -> int:
        if calls() == 2:
            entered.set()
            assert released.wait(30)
            raise ConnectionError
        return len(calls)

    assert slow() == 1
    (refreshing,) = at_once(1, lambda _: slow.refresh())
    assert entered.wait(30)
    (asking,) = at_once(1, lambda _: slow.ref())
    assert asking.result().get() == 1
    released.set()
    assert isinstance(refreshing.error, ConnectionError)
    assert len(calls) == 2


def test_an_error_is_raised_by_the_reference_and_leaves_the_key_free(
    stash: Stash, calls: Calls
) -> None:
    @stash.memo(share=True, ignore="calls")
    def fragile() -> int:
        if calls() == 1:
            raise ConnectionError
        return len(calls)

    with pytest.raises(ConnectionError):
        fragile.ref()
    (again,) = at_once(1, lambda _: fragile.ref())
    assert again.result().get() == 2


# References to values past their ttl


def test_a_reference_to_a_value_past_its_ttl_computes_it_again(
    stash: Stash, clock: ManualClock, calls: Calls
) -> None:
    memo = stash.memo(ttl=60, share=True, ignore="calls")(lambda: calls())
    ref = memo.ref()
    clock.now += 59.9
    assert ref.get() == 1
    clock.now += 0.1
    assert ref.get() == ref.get() == 2


def test_a_reference_to_a_stale_value_computes_it_again_too(
    stash: Stash, clock: ManualClock, calls: Calls
) -> None:
    """The first who opens it after its ttl refreshes it, as a call would."""
    memo = stash.memo(ttl=60, stale=600, share=True, ignore="calls")(lambda: calls())
    ref = memo.ref()
    clock.now += 60
    assert memo.peek() == 1
    assert ref.get() == 2
    assert (ref.get(), memo(), len(calls)) == (2, 2, 2)


@pytest.mark.parametrize(("later", "got"), [(60, 1), (659.9, 1), (660, 2)])
def test_a_reference_to_a_stale_value_is_served_it_while_another_computes_until_it_is_too_stale(
    stash: Stash, clock: ManualClock, calls: Calls, later: float, got: int
) -> None:
    entered, released = threading.Event(), threading.Event()

    @stash.memo(ttl=60, stale=600, share=True, ignore=("calls", "entered", "released"))
    def slow() -> int:
        count = calls()
        if count > 1:
            entered.set()
            assert released.wait(30)
        return count

    ref = slow.ref()
    clock.now += later
    (refreshing,) = at_once(1, lambda _: ref.get())
    assert entered.wait(30)
    store = CountingStore(stash)
    others = at_once(5, lambda _: ref.get())
    wait_until(lambda: store.asked["join"] == 5, "all have seen that somebody computes")
    if got == 1:
        assert [caller.result() for caller in others] == [1] * 5
    released.set()
    assert [caller.result() for caller in others] == [got] * 5
    assert refreshing.result() == ref.get() == 2
    assert len(calls) == 2


def test_minting_a_reference_to_a_stale_value_computes_it_again(
    stash: Stash, clock: ManualClock, calls: Calls
) -> None:
    memo = stash.memo(ttl=60, stale=600, share=True, ignore="calls")(lambda: calls())
    memo.ref()
    clock.now += 60
    ref = memo.ref()
    assert memo.peek() == len(calls) == 2
    assert ref.get() == 2
