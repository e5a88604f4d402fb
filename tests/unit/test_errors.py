"""Errors: they pickle, they say what to do, and the tree drawn of them is that of the classes."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

import dash_stash
from dash_stash import errors
from dash_stash.errors import StashError

EXAMPLES: dict[StashError, str] = {
    errors.ConfigError("ttl=0 must be more than 0 seconds"): "more than 0",
    errors.StoreUnsafe(
        "/srv/stash", "others can write to it (mode 777): chmod 700 it"
    ): "chmod 700",
    errors.StoreUnavailable("/srv/stash", "No space left on device"): "Nothing was stored",
    errors.BudgetExceeded(
        "/srv/stash", "one session", 700, "max_session_bytes=9"
    ): "raise the limit",
    errors.Unstorable("the value['db']", "sqlite3.Connection", "cannot pickle it"): "Leave it out",
    errors.UnhashableArgument("app.query", "db", "db.pool", "app.Pool"): "ignore='db'",
    errors.ComputeFailed("OddError", "no such carrier"): "no such carrier",
    errors.FlightCycle("app.flights"): "Call the undecorated function",
    errors.FlightCycle("stash.app['n']", errors.FlightCycle.CHANGING): "return the new value",
    errors.ReentrantCall(): "set a flag",
    errors.VariableUnreadable(
        "stash.session['cart']", "AttributeError: Can't get attribute 'Cart'"
    ): "del stash.session['cart']",
    errors.NoSession("stash.session", "session"): "reload the page",
    errors.NoSession("stash.put()", "session", errors.NoSession.OUTSIDE): "share=True",
    errors.NoSession("stash.put()", "session", errors.NoSession.UNSERVED): "stash.init_app(app)",
    errors.NoSession("stash.user", "user", errors.NoSession.NOBODY): "log in",
    errors.NoSession(
        "stash.page", "page", errors.NoSession.UNIDENTIFIED
    ): "use stash.session there",
    errors.NoSession(
        "stash.session.rotate()", "new cookie", errors.NoSession.BEGUN
    ): "a callback that returns",
    errors.ScopeTooWide("app.profile", "app", "stash.session", "session"): "pass it as an argument",
    errors.RefInvalid("forged", "signal.data"): "DASH_STASH_SECRET",
    errors.RefInvalid("foreign", "signal.data"): "share=True",
    errors.RefInvalid("cut", "signal.data"): "not whole",
    errors.RefInvalid("no reference", "the text given to stash.ref()"): "begins with stash:",
    errors.RefInvalid("made from text", "a Ref"): "write stash.ref(text)",
    errors.RefExpired("a value", "it cannot be computed again"): "Reload the page",
    errors.SharedStateChanged(
        "app.df was changed while the callback draw() ran"
    ): "app.df was changed",
    errors.PartMissing("df_3", "'df_1', 'df_2'"): "it has 'df_1', 'df_2'",
}


def _classes(base: type[StashError] = StashError) -> set[type[StashError]]:
    return {base}.union(*(_classes(child) for child in base.__subclasses__()))


def test_every_error_has_an_example_here() -> None:
    assert {type(error) for error in EXAMPLES} == _classes() - {StashError}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_pickles_with_what_it_knows(error: StashError) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        loaded = pickle.loads(pickle.dumps(error, protocol))
        assert (type(loaded), loaded.args, vars(loaded), str(loaded)) == (
            type(error),
            error.args,
            vars(error),
            str(error),
        )


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_can_be_copied(error: StashError) -> None:
    assert str(copy.copy(error)) == str(error)


@pytest.mark.parametrize(
    ("error", "advice"), EXAMPLES.items(), ids=lambda case: type(case).__name__
)
def test_an_error_says_what_to_do_and_what_it_is_about(error: StashError, advice: str) -> None:
    text = str(error)
    assert advice in text
    # The attributes are the facts, and the text tells each of them.
    assert all(str(fact) in text for fact in vars(error).values())


def test_the_tree_drawn_in_the_module_is_the_tree_of_the_classes() -> None:
    drawn, above = {}, [StashError]
    lines = (errors.__doc__ or "").partition("\nStashError\n")[2].splitlines()
    for line in lines:
        indent, name, builtin = re.fullmatch(r"([│ ]*)[├└]── (\w+) +\((\w+)\) +\S.*", line).groups()  # type: ignore[union-attr]
        depth = len(indent) // 4 + 1
        cls = getattr(errors, name)
        above[depth:] = [cls]
        drawn[cls] = above[depth - 1]
        assert builtin in {base.__name__ for base in cls.__mro__}, line
    assert drawn == {cls: cls.__mro__[1] for cls in _classes() - {StashError}}


def test_every_error_is_at_the_root_of_the_package() -> None:
    assert {cls.__name__ for cls in _classes()} <= set(dash_stash.__all__)
    assert all(hasattr(dash_stash, name) for name in dash_stash.__all__)
