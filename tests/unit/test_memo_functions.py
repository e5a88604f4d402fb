"""Which functions can be memo functions, and what is part of their keys."""

# ruff: noqa: PLW0108 (a memo takes plain functions, and `calls` is none)

from __future__ import annotations

import datetime
import threading
from typing import Any

import pytest

from dash_stash import (
    ConfigError,
    FlightCycle,
    Memo,
    Stash,
    UnhashableArgument,
)
from unit.counting import Calls

# Functions


def test_methods_are_refused_unless_self_is_ignored(stash: Stash) -> None:
    with pytest.raises(ConfigError, match="ignore='self'"):

        class Refused:
            @stash.memo
            def flights(self) -> None: ...

    with pytest.raises(ConfigError, match="ignore='cls'"):

        class RefusedToo:
            @stash.memo
            def flights(cls) -> None: ...  # noqa: N805


def test_a_method_whose_self_is_ignored_works(stash: Stash, calls: Calls) -> None:
    class Airport:
        @stash.memo(ignore=("self", "calls"), share=True)
        def flights(self, carrier: str = "AA") -> int:
            return calls(self, carrier)

    one, other = Airport(), Airport()
    assert one.flights("AA") == other.flights() == other.flights(carrier="AA") == 1
    assert one.flights.peek("UA") is None
    assert one.flights.ref("UA").get() == 2
    assert one.flights.refresh("AA") == 3
    one.flights.forget("AA")
    assert other.flights.peek("AA") is None
    other.flights.forget()
    assert one.flights.peek("UA") is None
    assert one.flights.info().entries == 0


def test_static_methods_work(stash: Stash) -> None:
    class Airport:
        @staticmethod
        @stash.memo
        def square(n: int) -> int:
            return n * n

    assert Airport.square(3) == Airport().square(3) == 9  # type: ignore[call-arg]  # mypy takes it for a method


def test_an_ordinary_function_may_call_its_argument_self(stash: Stash) -> None:
    @stash.memo
    def describe(self: str) -> str:
        return self

    assert describe("me") == "me"


@pytest.mark.parametrize("function", [len, "text", 3, print, dict, [].append])
def test_what_is_no_plain_function_is_refused(stash: Stash, function: Any) -> None:
    with pytest.raises(ConfigError, match="takes a function"):
        stash.memo(function)


def test_a_closure_counts_with_what_it_took_from_around_it(stash: Stash) -> None:
    def make(factor: int) -> Memo[[int], int]:
        return stash.memo(lambda n: n * factor)

    double, triple = make(2), make(3)
    assert (double(5), triple(5), make(2)(5)) == (10, 15, 10)


def test_a_reference_to_a_closures_value_computes_with_that_closure(stash: Stash) -> None:
    def make(factor: int) -> Memo[[int], int]:
        @stash.memo(share=True)
        def times(n: int) -> int:
            return n * factor

        return times

    double, triple = make(2), make(3)
    refs = [double.ref(5), triple.ref(5)]
    double.forget()
    triple.forget()
    assert [ref.get() for ref in refs] == [10, 15]
    assert (double(5), triple(5)) == (10, 15)


def test_a_variable_from_around_that_changes_is_seen(stash: Stash) -> None:
    factor = 2
    times = stash.memo(lambda n: n * factor)
    assert times(5) == 10
    factor = 3
    assert times(5) == 15


def test_a_closure_over_something_without_a_value_is_refused_by_its_name(stash: Stash) -> None:
    connection = object()
    memo = stash.memo(lambda: id(connection))
    with pytest.raises(UnhashableArgument, match="ignore='connection'"):
        memo()
    assert stash.memo(ignore="connection")(lambda: connection is None)() is False


def test_a_closure_over_functions_classes_and_modules_works(stash: Stash) -> None:
    def helper(n: int) -> int:
        return n + datetime.date(2013, 1, 1).year

    kind, module = threading.Event, datetime
    memo = stash.memo(lambda n: (helper(n), kind.__name__, module.MINYEAR))
    assert memo(1) == (2014, "Event", 1)


def test_a_closure_over_a_function_that_calls_itself_works(stash: Stash) -> None:
    def depth(tree: list[Any]) -> int:
        return 1 + max(map(depth, tree), default=0)

    assert stash.memo(lambda tree: depth(tree))([[], [[]]]) == 3


def test_a_memo_function_may_use_another(stash: Stash) -> None:
    square = stash.memo(lambda n: n * n)
    quad = stash.memo(lambda n: square(square(n)))
    assert quad(3) == 81


def test_a_memo_function_may_call_itself_with_other_arguments(stash: Stash, calls: Calls) -> None:
    @stash.memo(ignore="calls")
    def factorial(n: int) -> int:
        calls(n)
        return 1 if n == 0 else n * factorial(n - 1)

    assert factorial(10) == 3628800
    assert len(calls) == 11


def test_a_memo_function_that_needs_its_own_result_is_told(stash: Stash) -> None:
    @stash.memo
    def chicken(n: int) -> int:
        return egg(n)

    @stash.memo
    def egg(n: int) -> int:
        return chicken(n)

    with pytest.raises(FlightCycle, match="chicken"):
        chicken(1)
    with pytest.raises(FlightCycle, match="egg"):
        egg(1)  # and neither key is stuck


# What is not in a key

RATES = {"EUR": 1.1}
RATES["GBP"] = 1.3


def _converted(amount: float) -> float:
    return amount * RATES["EUR"]


def test_debug_mode_says_once_what_a_function_reads_that_is_not_in_its_key(
    stash: Stash, caplog: pytest.LogCaptureFixture
) -> None:
    convert = stash.memo(lambda amount: _converted(amount))
    convert(1.0)
    assert not caplog.messages, "not in production"
    stash._deployment.is_debug = True
    for amount in (2.0, 3.0):
        convert(amount)
    (said,) = caplog.messages
    assert "RATES (test_memo_functions.py)" in said
    assert "version=" in said


def test_a_method_forgets_one_call_or_all(stash: Stash, calls: Calls) -> None:
    class Airport:
        @stash.memo(ignore=("self", "calls"))
        def flights(self, carrier: str) -> int:
            return calls(carrier)

    airport = Airport()
    assert [airport.flights(carrier) for carrier in ("AA", "UA")] == [1, 2]
    airport.flights.forget("AA")
    assert [airport.flights.peek(carrier) for carrier in ("AA", "UA")] == [None, 2]
