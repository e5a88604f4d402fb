"""State on the server: mappings with atomic updates."""

from __future__ import annotations

import threading
from collections.abc import Iterator, MutableMapping
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dash_stash import FlightCycle, NoSession, Stash, Unstorable, Variables
from support import SECRET
from unit.visiting import at_once, visit


@pytest.fixture(params=["app", "session", "page"])
def state(request: pytest.FixtureRequest, stash: Stash) -> Iterator[Variables]:
    with visit(stash):
        yield getattr(stash, request.param)


def test_it_is_a_mapping(state: Variables) -> None:
    assert isinstance(state, MutableMapping)
    assert (len(state), list(state), "a" in state, state.get("a"), bool(state)) == (0, [], False, None, False)
    state["b"] = [2]
    state["a"] = 1
    state.update(c=None)
    assert dict(state) == {"a": 1, "b": [2], "c": None}
    assert (sorted(state), len(state), "c" in state, "d" in state) == (["a", "b", "c"], 3, True, False)
    assert (state.pop("a"), state.pop("a", 0), state.setdefault("b", 0), state.setdefault("n", 5)) == (1, 0, [2], 5)
    state["b"] = 3
    assert state["b"] == 3
    del state["b"]
    assert state == {"c": None, "n": 5}
    state.clear()
    assert dict(state) == {}


def test_a_variable_that_is_not_there_is_a_key_error(state: Variables) -> None:
    for use in (lambda: state["a"], lambda: state.pop("a"), lambda: state.__delitem__("a")):
        with pytest.raises(KeyError, match="a"):
            use()


@given(st.dictionaries(st.text(), st.integers() | st.text(), max_size=5))
def test_it_keeps_any_name(variables: dict[str, Any]) -> None:
    _STASH.app.clear()
    for name, value in variables.items():
        _STASH.app[name] = value
    assert dict(_STASH.app) == variables


@pytest.fixture(scope="module", autouse=True)
def _shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Hypothesis calls a test many times, fixtures of a function are made once."""
    global _STASH  # noqa: PLW0603
    _STASH = Stash(url=f"file://{tmp_path_factory.mktemp('state')}/stash")


_STASH: Stash


def test_a_name_that_came_broken_over_the_network_works_too(stash: Stash) -> None:
    """Half of a surrogate pair: JSON has it, UTF-8 has not."""
    stash.app["\ud800"] = 1
    assert stash.app["\ud800"] == 1
    assert list(stash.app) == ["\ud800"]
    stash.forget(tag="\ud800")


@pytest.mark.parametrize("name", [1, None, ("a",), b"a"])
def test_names_are_text(state: Variables, name: Any) -> None:
    for use in (lambda: state[name], lambda: state.__setitem__(name, 1), lambda: state.modify(name, lambda n: n)):
        with pytest.raises(TypeError, match="names of variables are text"):
            use()


def test_every_read_is_a_private_copy(state: Variables) -> None:
    given_: dict[str, Any] = {"list": [1], "array": np.zeros(10), "big": np.zeros(10**5)}
    state["a"] = given_
    given_["list"].append(2)
    for _ in range(2):
        loaded = state["a"]
        assert (loaded["list"], loaded["array"].sum(), loaded["big"].sum()) == ([1], 0, 0)
        loaded["list"].append(3)
        loaded["array"][:] = 1
        loaded["big"][:] = 1


def test_another_worker_sees_it_at_once(stash: Stash, url: str) -> None:
    other = Stash(url=url, secret=SECRET)
    stash.app["a"] = 1
    assert other.app["a"] == 1
    other.app["a"] = 2
    assert stash.app["a"] == 2
    del stash.app["a"]
    assert "a" not in other.app


# Scopes


def test_scopes_are_apart(stash: Stash) -> None:
    with visit(stash):
        stash.app["a"], stash.session["a"], stash.page["a"] = 1, 2, 3
        assert (dict(stash.app), dict(stash.session), dict(stash.page)) == ({"a": 1}, {"a": 2}, {"a": 3})


def test_nobody_sees_another_sessions_variables(stash: Stash) -> None:
    with visit(stash, "mine", "one"):
        stash.session["a"] = stash.page["a"] = 1
    with visit(stash, "mine", "two"):
        assert (dict(stash.session), dict(stash.page)) == ({"a": 1}, {})
    with visit(stash, "another's", "one"):
        assert (dict(stash.session), dict(stash.page)) == ({}, {})
        stash.session["a"] = 2
    with visit(stash, "mine", "one"):
        assert (stash.session["a"], stash.page["a"]) == (1, 1)


@pytest.mark.parametrize("scope", ["session", "page"])
def test_outside_a_request_there_is_no_session(stash: Stash, scope: Literal["session", "page"]) -> None:
    state: Variables = getattr(stash, scope)
    uses = (
        lambda: state["a"],
        lambda: state.get("a"),
        lambda: state.__setitem__("a", 1),
        lambda: list(state),
        lambda: "a" in state,
        lambda: state.modify("a", lambda n: n),
        state.clear,
    )
    for use in uses:
        with pytest.raises(NoSession, match=f"stash.{scope}"):
            use()
    assert repr(state) == f"<dash_stash state of the {scope}>"


# Updates


def test_modify_replaces_the_value_and_returns_it(state: Variables) -> None:
    assert state.modify("n", lambda n: n + 1, default=0) == 1
    assert state.modify("n", lambda n: n + 1, default=0) == 2
    assert state.modify("new", lambda value: [value]) == [None]
    assert dict(state) == {"n": 2, "new": [None]}


def test_no_update_of_many_threads_is_lost(stash: Stash, url: str) -> None:
    workers = [Stash(url=url, secret=SECRET) for _ in range(4)]

    def count(number: int) -> None:
        for _ in range(10):
            workers[number % 4].app.modify("clicks", lambda n: n + 1, default=0)

    for caller in at_once(8, count):
        caller.result()
    assert stash.app["clicks"] == 80


def test_an_assignment_waits_for_an_update_under_way(stash: Stash) -> None:
    entered, released = threading.Event(), threading.Event()

    def slow(value: int) -> int:
        entered.set()
        assert released.wait(30)
        return value + 1

    stash.app["n"] = 1
    (updating,) = at_once(1, lambda _: stash.app.modify("n", slow))
    assert entered.wait(30)
    (assigning,) = at_once(1, lambda _: stash.app.__setitem__("n", 10))
    assigning.join(0.1)
    assert stash.app["n"] == 1
    released.set()
    assigning.result()
    assert (updating.result(), stash.app["n"]) == (2, 10)


def test_different_variables_are_updated_side_by_side(stash: Stash) -> None:
    together = threading.Barrier(5)

    def meet(_: object) -> bool:
        return together.wait(30) >= 0

    callers = at_once(5, lambda number: stash.app.modify(f"v{number}", meet))
    assert [caller.result() for caller in callers] == [True] * 5


def test_an_update_that_fails_changes_nothing(state: Variables) -> None:
    state["n"] = 1

    def fail(value: int) -> int:
        raise LookupError("no")

    with pytest.raises(LookupError):
        state.modify("n", fail)
    with pytest.raises(Unstorable):
        state.modify("n", lambda n: threading.Lock())
    assert state["n"] == 1
    assert state.modify("n", lambda n: n + 1) == 2


def test_an_update_of_the_variable_that_is_being_updated_is_told(state: Variables) -> None:
    with pytest.raises(FlightCycle, match="n needs its own result"):
        state.modify("n", lambda _: state.modify("n", lambda n: n))
    assert state.modify("n", lambda _: state.modify("other", lambda _: 1)) == 1


def test_what_cannot_be_stored_is_refused_and_the_old_value_stays(state: Variables) -> None:
    state["a"] = 1
    with pytest.raises(Unstorable, match=r"the value\['lock'\]"):
        state["a"] = {"lock": threading.Lock()}
    assert state["a"] == 1
