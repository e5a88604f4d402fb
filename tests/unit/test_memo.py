"""Memo functions: one entry per argument set, one computation per entry."""

# ruff: noqa: PLW0108 (a memo takes plain functions, and `calls` is none)

from __future__ import annotations

import datetime
import enum
import threading
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dash_stash import (
    ComputeFailed,
    ConfigError,
    FlightCycle,
    Memo,
    NoSession,
    PartMissing,
    Ref,
    RefExpired,
    Stash,
    UnhashableArgument,
    Unstorable,
)
from support import SECRET, FakeClock, must, wait_until
from unit.visiting import at_once, visit


class Calls(list[Any]):
    """What a function was called with."""

    def __call__(self, *arguments: Any) -> int:
        """Note a call, and return how many there were."""
        self.append(arguments)
        return len(self)


@pytest.fixture
def calls() -> Calls:
    return Calls()


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
    """Hypothesis calls a test many times, fixtures of a function are made once."""
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
    assert not list(stash.store.list())


def test_a_memo_looks_like_its_function(stash: Stash) -> None:
    @stash.memo
    def flights(carrier: str) -> str:
        """Return flights."""
        return carrier

    assert (vars(flights)["__name__"], flights.__doc__) == ("flights", "Return flights.")
    assert flights.function("AA") == "AA"


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

    assert Airport.square(3) == 9
    assert Airport().square(3) == 9  # type: ignore[call-arg]  # mypy takes it for a method


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

    kind, module = Size, datetime
    memo = stash.memo(lambda n: (helper(n), kind.SMALL.name, module.MINYEAR))
    assert memo(1) == (2014, "SMALL", 1)


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
    stash: Stash, clock: FakeClock, calls: Calls
) -> None:
    memo = stash.memo(ttl="1h", ignore="calls")(lambda: calls())
    assert memo() == 1
    clock.now += 3599.9
    assert memo() == 1
    clock.now += 0.1
    assert memo.peek() is None
    assert memo() == 2


def test_an_entry_from_a_clock_that_was_ahead_does_not_live_longer(
    stash: Stash, clock: FakeClock, calls: Calls
) -> None:
    memo = stash.memo(ttl=60, ignore="calls")(lambda: calls())
    clock.now += 3600
    assert memo() == 1
    clock.now -= 3600
    assert memo() == 2


def test_a_stale_value_is_served_while_one_caller_computes(
    stash: Stash, clock: FakeClock, calls: Calls
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
    stash: Stash, clock: FakeClock, calls: Calls
) -> None:
    memo = stash.memo(ttl=60, stale=600, ignore="calls")(lambda: calls())
    assert memo() == 1
    clock.now += 659.9
    assert memo.peek() == 1
    clock.now += 0.1
    assert memo.peek() is None
    assert memo() == 2


def test_a_refresh_that_fails_keeps_the_stale_value_for_the_others(
    stash: Stash, clock: FakeClock, calls: Calls
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


# References


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


# Once


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
    """It pickles, and does not come back."""

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
    """To pickle it fails, too."""

    def __reduce__(self) -> Any:
        raise LookupError("no pickle")


class Changing(Exception):
    """It comes back as what is no error."""

    def __reduce__(self) -> Any:
        return len, ("abc",)


class Ending(Exception):
    """It comes back by ending the program."""

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
    (waiting,) = at_once(1, lambda _: stash.store.join(half._locate((0,), {})[0]))
    wait_until(lambda: _asleep([waiting]), "the other waits")
    released.set()
    assert isinstance(failing.error, LookupError)
    failure = waiting.result()
    assert failure.outcome
    join, answers = stash.store.join, iter([failure])
    monkeypatch.setattr(
        stash.store, "join", lambda key, *, wait=True: next(answers, None) or join(key, wait=wait)
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
    stash.is_debug = True
    for amount in (2.0, 3.0):
        convert(amount)
    (said,) = caplog.messages
    assert "RATES (test_memo.py)" in said
    assert "version=" in said
