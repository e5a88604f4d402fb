"""References to the values of memo functions."""

# ruff: noqa: PLW0108 (a memo takes plain functions, and `calls` is none)

from __future__ import annotations

import threading

import numpy as np
import pytest

from dash_stash import (
    NoSession,
    PartMissing,
    Ref,
    RefExpired,
    Stash,
)
from support import SECRET, FakeClock
from unit.counting import Calls
from unit.visiting import at_once, visit


def test_a_reference_outlives_its_value(stash: Stash, clock: FakeClock, calls: Calls) -> None:
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
    stash: Stash, url: str, clock: FakeClock
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
