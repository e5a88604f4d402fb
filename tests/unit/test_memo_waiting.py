"""Once: one computation per entry, whoever calls meanwhile."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from dash_stash import (
    ComputeFailed,
    Stash,
)
from dash_stash.stores.base import Flight, Landed
from dash_stash.testing import ManualClock
from dash_stash.testing.wrapped import WrappedStore
from support import SECRET, must, wait_until
from unit.counting import Calls
from unit.visiting import at_once


def test_20_threads_on_a_cold_key_compute_once(stash: Stash, calls: Calls) -> None:
    entered, released = threading.Event(), threading.Event()

    @stash.memo(ignore=("calls", "entered", "released"))
    def slow() -> int:
        entered.set()
        assert released.wait(30)
        return calls()

    callers = at_once(20, lambda _: slow())
    assert entered.wait(30)
    released.set()
    assert [caller.result() for caller in callers] == [1] * 20
    info = slow.info()
    assert (info.misses, info.hits + info.waits) == (1, 19)


def test_different_keys_are_computed_side_by_side(stash: Stash) -> None:
    together = threading.Barrier(8)

    @stash.memo(ignore="together")
    def slow(n: int) -> int:
        together.wait(30)
        return n

    assert [caller.result() for caller in at_once(8, slow)] == list(range(8))


def _waiting(stash: Stash, calls: Calls, error: Exception) -> list[BaseException | None]:
    """Let ten callers meet at a function that fails, and return what each of them got."""
    entered, released = threading.Event(), threading.Event()

    @stash.memo(ignore=("calls", "entered", "released", "error"))
    def fails() -> None:
        calls()
        entered.set()
        assert released.wait(30)
        raise error

    (first,) = at_once(1, lambda _: fails())
    assert entered.wait(30)
    others = at_once(9, lambda _: fails())
    wait_until(lambda: _asleep(others), "all of them wait")
    released.set()
    errors = [caller.error for caller in (first, *others)]
    assert len(calls) == 1
    with pytest.raises(type(error)):
        fails()
    assert len(calls) == 2
    return errors


def _asleep(callers: list[Any]) -> bool:
    """Whether all of these threads are in the kernel, waiting for a lock."""
    with open("/proc/locks") as locks:
        return sum("->" in line for line in locks) >= len(callers)


def test_a_failing_function_raises_once_for_all_who_waited(stash: Stash, calls: Calls) -> None:
    errors = _waiting(stash, calls, LookupError("no such carrier", 42))
    assert [(type(error), must(error).args) for error in errors] == [
        (LookupError, ("no such carrier", 42))
    ] * 10


class Odd(Exception):
    """It pickles, and does not unpickle."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one)


def test_an_error_that_does_not_pickle_is_told_to_those_who_waited(
    stash: Stash, calls: Calls
) -> None:
    first, *others = _waiting(stash, calls, Odd("what happened", "else"))
    assert type(first) is Odd
    assert {type(error) for error in others} == {ComputeFailed}
    assert all("Odd: what happened" in str(error) for error in others)


class Silent(Exception):
    """It has no text."""

    def __str__(self) -> str:
        raise LookupError("no text")


class Loud(Exception):
    """It does not pickle either."""

    def __reduce__(self) -> Any:
        raise LookupError("no pickle")


class Changing(Exception):
    """It unpickles to something that is not an error."""

    def __reduce__(self) -> Any:
        return len, ("abc",)


class Ending(Exception):
    """It ends the program when it is unpickled."""

    def __reduce__(self) -> Any:
        return exit, ()


@pytest.mark.parametrize(
    "error",
    [Silent("secret"), Loud("text"), Changing("text"), Ending("text")],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_is_broken_is_told_to_those_who_waited_all_the_same(
    stash: Stash, calls: Calls, error: Exception
) -> None:
    first, *others = _waiting(stash, calls, error)
    assert type(first) is type(error)
    told = {type(other) for other in others}
    assert told == ({Silent} if isinstance(error, Silent) else {ComputeFailed})


def test_a_failure_that_is_told_for_another_key_is_not_believed(
    stash: Stash, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can write to the server could tell it, or rename a file of the folder."""
    entered, released = threading.Event(), threading.Event()

    @stash.memo(ignore=("entered", "released"))
    def half(n: int) -> float:
        if not n:
            entered.set()
            assert released.wait(30)
            raise LookupError("nothing to halve")
        return n / 2

    (failing,) = at_once(1, lambda _: half(0))
    assert entered.wait(30)
    (waiting,) = at_once(1, lambda _: stash._deployment.store.join(half._cache.locate((0,), {})[0]))
    wait_until(lambda: _asleep([waiting]), "the other waits")
    released.set()
    assert isinstance(failing.error, LookupError)
    failure = waiting.result()
    assert failure.outcome
    join, answers = stash._deployment.store.join, iter([failure])
    monkeypatch.setattr(
        stash._deployment.store,
        "join",
        lambda key, *, wait=True: next(answers, None) or join(key, wait=wait),
    )
    assert half(1) == 0.5


def test_only_coroutines_are_awaited(stash: Stash) -> None:
    @stash.memo
    def lazy(n: int) -> Lazy:
        return Lazy(n)

    assert lazy(3).n == 3


class Lazy:
    """A value that could be awaited, as a frame of Dask can."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __await__(self) -> Any:
        raise AssertionError("nobody asked for that")


def test_a_caller_that_is_interrupted_leaves_the_key_free(stash: Stash, calls: Calls) -> None:
    @stash.memo(ignore="calls")
    def interrupted() -> int:
        if calls() == 1:
            raise KeyboardInterrupt
        return len(calls)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    (other,) = at_once(1, lambda _: interrupted())
    assert other.result() == 2


class StoredMeanwhile(WrappedStore):
    """A store in which another worker stores a value just before a flight begins."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        if (store := self.shared.pop("store", None)) is not None:
            store()
        return super().join(key, wait=wait)


def test_a_value_that_came_before_the_flight_counts_as_waited_for(
    stash: Stash, url: str, clock: ManualClock
) -> None:
    def double(n: int) -> int:
        return 2 * n

    memo, other = stash.memo(double), Stash(url=url, secret=SECRET, clock=clock).memo(double)
    deployment = stash._deployment

    def store() -> None:
        (another,) = at_once(1, lambda _: other(1))
        another.result()

    deployment.store = StoredMeanwhile(deployment.store, {"store": store})
    assert memo(1) == 2
    info = memo.info()
    assert (info.waits, info.misses) == (1, 0)
