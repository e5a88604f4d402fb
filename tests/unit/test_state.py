"""State on the server: mappings with atomic updates."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dash_stash import (
    FlightCycle,
    NoSession,
    RefInvalid,
    Stash,
    Unstorable,
    Variables,
    VariableUnreadable,
)
from dash_stash.codec import encode
from support import SECRET, must
from unit.visiting import at_once, visit


@pytest.fixture(params=["app", "session", "page"])
def state(request: pytest.FixtureRequest, stash: Stash) -> Iterator[Variables]:
    with visit(stash):
        yield getattr(stash, request.param)


def test_it_is_a_mapping(state: Variables) -> None:
    assert isinstance(state, MutableMapping)
    assert (len(state), list(state), "a" in state, state.get("a"), bool(state)) == (
        0,
        [],
        False,
        None,
        False,
    )
    state["b"] = [2]
    state["a"] = 1
    state.update(c=None)
    assert dict(state) == {"a": 1, "b": [2], "c": None}
    assert (sorted(state), len(state), "c" in state, "d" in state) == (
        ["a", "b", "c"],
        3,
        True,
        False,
    )
    assert (
        state.pop("a"),
        state.pop("a", 0),
        state.setdefault("b", 0),
        state.setdefault("n", 5),
    ) == (1, 0, [2], 5)
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
    for use in (
        lambda: state[name],
        lambda: state.__setitem__(name, 1),
        lambda: state.modify(name, lambda n: n),
    ):
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
        assert (dict(stash.app), dict(stash.session), dict(stash.page)) == (
            {"a": 1},
            {"a": 2},
            {"a": 3},
        )


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
def test_outside_a_request_there_is_no_session(
    stash: Stash, scope: Literal["session", "page"]
) -> None:
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
    with pytest.raises(FlightCycle, match=r"\['n'\] cannot be changed while it is being changed"):
        state.modify("n", lambda _: state.modify("n", lambda n: n))
    assert state.modify("n", lambda _: state.modify("other", lambda _: 1)) == 1


def test_what_cannot_be_stored_is_refused_and_the_old_value_stays(state: Variables) -> None:
    state["a"] = 1
    with pytest.raises(Unstorable, match=r"the value\['lock'\]"):
        state["a"] = {"lock": threading.Lock()}
    assert state["a"] == 1


# As a dict does it, but atomically


def test_of_many_who_pop_a_variable_one_gets_it_and_nobody_an_error(stash: Stash, url: str) -> None:
    workers = [Stash(url=url, secret=SECRET) for _ in range(4)]
    for number in range(10):
        stash.app["x"] = number
        got = [caller.result() for caller in at_once(4, lambda n: workers[n].app.pop("x", None))]
        assert sorted(got, key=str) == [number, None, None, None]


def test_of_many_who_pop_some_variable_each_gets_another(stash: Stash, url: str) -> None:
    workers = [Stash(url=url, secret=SECRET) for _ in range(4)]
    stash.app.update({f"v{number}": number for number in range(8)})

    def take_two(number: int) -> list[tuple[str, int]]:
        return [workers[number].app.popitem() for _ in range(2)]

    got = [item for caller in at_once(4, take_two) for item in caller.result()]
    assert sorted(got) == [(f"v{number}", number) for number in range(8)]
    with pytest.raises(KeyError, match="there are no variables"):
        stash.app.popitem()


def test_many_who_set_a_default_get_the_one_that_is_stored(stash: Stash, url: str) -> None:
    workers = [Stash(url=url, secret=SECRET) for _ in range(4)]
    for number in range(5):
        got = {
            caller.result()
            for caller in at_once(
                4,
                lambda n, number=number: workers[n].app.setdefault(f"v{number}", n),  # type: ignore[misc]
            )
        }
        assert got == {stash.app[f"v{number}"]}


def test_many_clear_and_go_through_the_variables_while_they_come_and_go(
    stash: Stash, url: str
) -> None:
    workers = [Stash(url=url, secret=SECRET) for _ in range(4)]

    def use(number: int) -> None:
        state = workers[number].app
        for _ in range(5):
            state.update(a=1, b=2, c=3)
            assert set(state.items()) <= {("a", 1), ("b", 2), ("c", 3)}
            assert set(state.values()) <= {1, 2, 3}
            state.clear()

    for caller in at_once(4, use):
        caller.result()
    assert dict(stash.app) == {}


def test_a_pop_that_was_delayed_takes_nothing_that_another_has_stored_meanwhile(
    stash: Stash, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine may have been stopped for longer than its lease lasts."""
    stash.app["x"] = "old"
    delete = stash._deployment.store.delete

    def late(key: bytes, flight: Any = None) -> bool:
        monkeypatch.undo()
        facts = must(stash._deployment.store.read(key)).entry.facts
        delete(key)  # which ends the flight, and so does the end of a lease
        stash._deployment.store.commit(None, key, facts, encode("new"))
        return delete(key, flight)

    monkeypatch.setattr(stash._deployment.store, "delete", late)
    assert stash.app.pop("x") == "new"
    assert "x" not in stash.app


# Whose objects they are


def test_a_default_is_nobodys_but_the_callers(state: Variables) -> None:
    default: dict[str, Any] = {"list": [], "array": np.zeros(10**5)}

    def change(value: dict[str, Any]) -> dict[str, Any]:
        value["list"].append(1)
        value["array"][:] = 1
        return value

    state.modify("one", change, default=default)
    state.setdefault("two", default)["list"].append(2)
    assert (default["list"], default["array"].sum()) == ([], 0)
    assert state["two"]["list"] == []


def test_what_modify_returns_is_a_private_copy_of_what_is_stored(state: Variables) -> None:
    kept: dict[str, Any] = {"list": [1], "array": np.zeros(10**5)}
    returned = state.modify("a", lambda _: kept)
    returned["list"].append(2)
    returned["array"][:] = 1
    for value in (kept, state["a"]):
        assert (value["list"], value["array"].sum()) == ([1], 0)


def test_a_default_that_cannot_be_stored_is_refused(state: Variables) -> None:
    with pytest.raises(Unstorable):
        state.modify("a", lambda value: 1, default=threading.Lock())
    with pytest.raises(Unstorable):
        state.setdefault("a", threading.Lock())
    assert "a" not in state


@pytest.fixture
def unreadable(stash: Stash, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a variable of a class that was renamed since."""
    module = ModuleType("an_app_before_the_deploy")
    exec("class Cart:\n    pass", vars(module))
    with monkeypatch.context() as before:
        before.setitem(sys.modules, module.__name__, module)
        stash.app["cart"] = object.__new__(vars(module)["Cart"])
    return "cart"


@pytest.mark.parametrize(
    "use",
    [
        lambda state: state["cart"],
        lambda state: state.pop("cart"),
        lambda state: state.pop("cart", None),
        lambda state: state.popitem(),
        lambda state: state.setdefault("cart", 1),
        lambda state: state.modify("cart", lambda _: 1, default=1),
        lambda state: dict(state.items()),
    ],
)
def test_what_this_program_cannot_read_is_told_and_stays(
    stash: Stash,
    unreadable: str,
    use: Callable[[Variables], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(
        VariableUnreadable,
        match=r"stash.app\['cart'\] is stored, .*an_app_before_the_deploy.*del stash.app\['cart'\]",
    ):
        use(stash.app)
    assert (unreadable in stash.app, stash.app.get(unreadable, "absent")) == (True, "absent")


def test_what_this_program_cannot_read_can_be_replaced_and_deleted(
    stash: Stash, unreadable: str
) -> None:
    del stash.app[unreadable]
    assert unreadable not in stash.app


def test_what_this_program_cannot_read_can_be_replaced(stash: Stash, unreadable: str) -> None:
    stash.app[unreadable] = 1
    assert stash.app[unreadable] == 1


def test_in_debug_mode_a_function_that_returns_none_where_there_was_a_value_is_told(
    stash: Stash, caplog: pytest.LogCaptureFixture
) -> None:
    for stash._deployment.is_debug, told in ((False, []), (True, ["cart", "new"])):
        stash.app.update(cart=[1], empty=None)
        with caplog.at_level(logging.WARNING):
            stash.app.modify("cart", lambda cart: cart.append(2))
            stash.app.modify("empty", lambda _: None)
            stash.app.modify("new", lambda _: None, default=[1])
            del stash.app["new"]
        assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
            f"stash.app.modify({name!r}, ...) replaces a list with None" for name in told
        ]
        assert stash.app["cart"] is None


# References among the values


def test_a_reference_in_a_variable_comes_back_as_one(stash: Stash, url: str) -> None:
    with visit(stash):
        ref = stash.put({"a": [1]})
        stash.app["one"], stash.app["many"] = ref, {"refs": [ref, (ref["a"],)], "text": str(ref)}
        one, many = stash.app["one"], stash.app["many"]
        assert (type(one), one, one.get(), one["a"].get()) == (type(ref), ref, {"a": [1]}, [1])
        assert (many["refs"][0].get(), many["refs"][1][0].get()) == ({"a": [1]}, [1])
        assert type(many["text"]) is str
    other = Stash(url=url, secret=SECRET)
    with visit(other):
        assert other.app["one"].get() == {"a": [1]}


def test_a_reference_in_a_variable_opens_for_nobody_else(stash: Stash) -> None:
    with visit(stash, "mine"):
        stash.app["ref"] = stash.put([1])
    with visit(stash, "another's"):
        ref = stash.app["ref"]
        for use in (ref.get, lambda: ref[0], lambda: ref.target, lambda: ref.lasting(1)):
            with pytest.raises(RefInvalid, match="foreign"):
                use()


def test_references_in_what_is_put_or_returned_by_a_memo_function_come_back_as_such(
    stash: Stash,
) -> None:
    part = stash.put([1], share=True)

    @stash.memo(share=True)
    def both(n: int) -> dict[str, Any]:
        return {"n": n, "part": part}

    for value in (both(1), both(1), both.ref(1).get(), stash.put({"part": part}, share=True).get()):
        assert value["part"].get() == [1]


def test_a_variable_that_is_changed_while_it_is_being_changed_is_told_so(stash: Stash) -> None:
    stash.app["n"] = 1
    with pytest.raises(FlightCycle, match="cannot be changed while it is being changed"):
        stash.app.modify("n", lambda n: stash.app.modify("n", lambda m: m + n))


def test_a_private_attribute_that_is_missing_is_told_without_advice(stash: Stash) -> None:
    with pytest.raises(AttributeError, match=r"^_repr_html_$"):
        stash.app._repr_html_  # type: ignore[attr-defined]  # noqa: B018
