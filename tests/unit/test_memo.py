"""Memo functions: which calls are one call, and what its value is for each caller."""

# ruff: noqa: PLW0108 (a memo takes plain functions, and `calls` is none)

from __future__ import annotations

import datetime
import enum
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dash_stash import (
    ConfigError,
    Stash,
    UnhashableArgument,
    Unstorable,
)
from unit.counting import Calls

# Spellings


def test_every_spelling_of_a_call_is_one_entry(stash: Stash, calls: Calls) -> None:
    @stash.memo(ignore="calls")
    def flights(carrier: str, month: int = 1, *, late: bool = False) -> int:
        return calls(carrier, month, late)

    assert {
        flights("AA"),
        flights("AA", 1),
        flights(carrier="AA"),
        flights(month=1, carrier="AA"),
        flights("AA", late=False),
    } == {1}
    assert {flights("AA", 2), flights("AA", month=2), flights("AA", 2, late=False)} == {2}
    assert flights("AA", late=True) == 3
    assert flights("UA") == 4
    assert flights.info().entries == 4


def test_arguments_of_any_number_are_told_apart(stash: Stash, calls: Calls) -> None:
    @stash.memo(ignore="calls")
    def everything(*args: object, **kwargs: object) -> int:
        return calls(args, kwargs)

    different: list[Callable[[], int]] = [
        lambda: everything(),
        lambda: everything(1),
        lambda: everything(1, 2),
        lambda: everything((1, 2)),
        lambda: everything([1, 2]),
        lambda: everything(a=1),
        lambda: everything(1, a=1),
        lambda: everything(a=1, b=2),
        lambda: everything(a=2, b=1),
        lambda: everything(True),
        lambda: everything(1.0),
        lambda: everything("1"),
        lambda: everything(None),
    ]
    first = [call() for call in different]
    assert first == list(range(1, len(different) + 1))
    assert [call() for call in reversed(different)] == list(reversed(first))
    assert everything(b=2, a=1) != everything(a=1, b=2)  # a function sees the order of its **kwargs


def test_positional_only_arguments_may_share_a_name_with_others(stash: Stash, calls: Calls) -> None:
    @stash.memo(ignore="calls")
    def tricky(a: int, /, **kwargs: int) -> int:
        return calls(a, kwargs)

    assert tricky(1, a=2) != tricky(2, a=1)
    assert tricky(1, a=2) == 1


_PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from(["", "1", "a", b"1", b"", 0.0, -0.0, 1.0])
)


@given(_PLAIN, _PLAIN)
def test_two_arguments_are_one_only_if_they_are_equal_and_of_one_type(
    one: object, other: object
) -> None:
    memo = _STASH.memo(lambda value: repr(value))
    assert memo(one) == repr(one)
    assert memo(other) == repr(other)
    assert memo(one) == memo(value=one) == repr(one)


@pytest.fixture(scope="module", autouse=True)
def _shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Make one stash for all examples: Hypothesis does not renew a function's fixtures."""
    global _STASH  # noqa: PLW0603
    _STASH = Stash(url=f"file://{tmp_path_factory.mktemp('memo')}/stash")


_STASH: Stash


class Size(enum.Enum):
    SMALL = 1


def test_arguments_of_every_promised_type_work(stash: Stash, calls: Calls) -> None:
    @stash.memo(ignore="calls")
    def used(value: object) -> int:
        return calls(value)

    make: list[Callable[[], object]] = [
        lambda: datetime.date(2013, 1, 1),
        lambda: Size.SMALL,
        lambda: np.arange(3),
        lambda: pd.DataFrame({"a": [1, 2]}),
        lambda: {"nested": [(1, {2, 3})]},
    ]
    assert [used(one()) for one in make] == [used(one()) for one in make] == [1, 2, 3, 4, 5]


def test_a_wrong_call_fails_as_the_function_would(stash: Stash) -> None:
    memo: Any = stash.memo(lambda carrier: carrier)
    for wrong in (
        memo,
        lambda: memo(1, 2),
        lambda: memo(city="x"),
        lambda: memo.ref(),
        lambda: memo.peek(),
    ):
        with pytest.raises(TypeError, match="argument"):
            wrong()


def test_an_argument_without_a_value_is_refused_by_its_parameters_name(stash: Stash) -> None:
    @stash.memo
    def query(db: object, carrier: str) -> str:
        return carrier

    with pytest.raises(UnhashableArgument, match=r"ignore='db'") as caught:
        query(object(), "AA")
    assert (caught.value.parameter, caught.value.kind) == ("db", "builtins.object")
    with pytest.raises(UnhashableArgument, match=r"carrier\['x'\]\[0\]"):
        query(1, {"x": [object()]})  # type: ignore[arg-type]


def test_an_ignored_argument_does_not_matter(stash: Stash, calls: Calls) -> None:
    @stash.memo(ignore=("db", "calls"))
    def query(db: object, carrier: str) -> int:
        return calls(db, carrier)

    assert (
        query(object(), "AA") == query(threading.Lock(), "AA") == query(db=None, carrier="AA") == 1
    )
    assert query(object(), "UA") == 2


def test_a_name_that_is_ignored_has_to_be_a_parameter(stash: Stash) -> None:
    with pytest.raises(ConfigError, match="'database'"):
        stash.memo(ignore="database")(lambda db: db)


# Values


def test_none_is_a_value_like_any_other(stash: Stash, calls: Calls) -> None:
    @stash.memo(ignore="calls")
    def nothing() -> None:
        calls()

    assert [nothing(), nothing()] == [None, None]
    assert len(calls) == 1


def test_every_caller_gets_a_private_copy_the_first_one_too(stash: Stash) -> None:
    source: dict[str, Any] = {"a": [1], "b": np.zeros(10), "c": np.zeros(10**5)}

    @stash.memo(ignore="source")
    def shared() -> dict[str, Any]:
        return source

    for _ in range(3):
        loaded = shared()
        assert (loaded["a"], loaded["b"].sum(), loaded["c"].sum()) == ([1], 0, 0)
        if loaded is not source:
            loaded["a"].append(2)
            loaded["b"][:] = 1
            loaded["c"][:] = 1
    loaded = shared()
    assert (loaded["a"], loaded["b"].sum(), loaded["c"].sum()) == ([1], 0, 0)


def test_what_was_changed_after_the_call_is_not_stored(stash: Stash) -> None:
    value: Callable[[], dict[str, Any]] = lambda: {"big": np.zeros(10**5), "small": [1]}  # noqa: E731
    memo = stash.memo(value)
    first = memo()
    first["big"][:] = 9
    first["small"].append(2)
    again = memo()
    assert (again["big"].sum(), again["small"]) == (0, [1])


def test_an_error_is_raised_and_not_stored(stash: Stash, calls: Calls) -> None:
    @stash.memo(ignore="calls")
    def fails() -> int:
        if calls() < 3:
            raise LookupError(f"no flights, attempt {len(calls)}")
        return 7

    for attempt in (1, 2):
        with pytest.raises(LookupError, match=f"attempt {attempt}"):
            fails()
    assert fails() == fails() == 7
    assert len(calls) == 3


def test_a_value_that_cannot_be_stored_is_refused_and_nothing_is_left(stash: Stash) -> None:
    memo = stash.memo(lambda: {"lock": threading.Lock()})
    with pytest.raises(Unstorable, match=r"the value\['lock'\]"):
        memo()
    assert not list(stash._deployment.store.list())


def test_a_memo_looks_like_its_function(stash: Stash) -> None:
    @stash.memo
    def flights(carrier: str) -> str:
        """Return flights."""
        return carrier

    assert (vars(flights)["__name__"], flights.__doc__) == ("flights", "Return flights.")
    assert flights._cache.function("AA") == "AA"
