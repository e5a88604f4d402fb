"""A value that many get is made of nothing that belongs to one of them."""

from __future__ import annotations

import asyncio
import contextvars
import pathlib
from collections.abc import Callable
from typing import Any

import flask
import pytest
from dash import Dash, Input, Output, ctx, dcc, html

from dash_stash import NoSession, Ref, RefInvalid, ScopeTooWide, Stash
from dash_stash.owner import Scope
from dash_stash.testing import ManualClock
from support import SECRET
from unit.pages import Page
from unit.visiting import visit

IDS = {"session": "mine", "page": "first", "tab": "first", "user": "me"}
SCOPES: tuple[Scope, ...] = ("app", "user", "session", "tab", "page")
ALLOWED = {
    "app": {"app"},
    "user": {"app", "user"},
    "session": {"app", "session"},
    "tab": {"app", "session", "tab"},
    "page": {"app", "session", "page"},
}


def reading(stash: Stash, scope: Scope) -> list[Callable[[], Any]]:
    """All ways to ask for something of a scope."""
    variables = getattr(stash, scope)
    ways: list[Callable[[], Any]] = [
        lambda: variables.get("name"),
        lambda: variables.__setitem__("name", 1),
        lambda: variables.modify("name", lambda _: 1),
        lambda: list(variables),
        stash.memo(scope=scope)(lambda: 1),
    ]
    if scope == "session":
        ways += [lambda: stash.put(1), stash.memo(lambda: 2).ref]
    return ways


@pytest.mark.parametrize("outer", SCOPES)
@pytest.mark.parametrize("inner", SCOPES)
def test_a_memo_function_reads_what_is_as_wide_as_itself_or_wider(
    stash: Stash, outer: Scope, inner: Scope
) -> None:
    for number, read in enumerate(reading(stash, inner)):

        @stash.memo(scope=outer, version=number, ignore="read")
        def compute() -> str:
            read()  # noqa: B023 (called at once)
            return "computed"

        with visit(stash, **IDS):
            if inner in ALLOWED[outer]:
                assert compute() == "computed"
            else:
                told = rf"compute\(\).*'{outer}'.*one {inner}.*as an argument.*scope='{inner}'"
                with pytest.raises(ScopeTooWide, match=told):
                    compute()


def test_it_is_an_error_in_helpers_too_and_nothing_is_stored(stash: Stash) -> None:
    def helper() -> str:
        return f"Hello {stash.session['name']}"

    greeting = stash.memo(ignore="helper")(lambda: helper())  # noqa: PLW0108 (a memo takes plain functions)
    for name in ("anna", "bob"):
        with visit(stash, name):
            stash.session["name"] = name
            with pytest.raises(ScopeTooWide, match=r"stash\.session"):
                greeting()
    assert greeting.info().entries == 0


def test_what_is_the_visitors_is_free_after_and_around_a_computation(stash: Stash) -> None:
    double = stash.memo(lambda n: 2 * n)
    with visit(stash):
        stash.session["n"] = double(4)
        assert stash.session.modify("n", double) == 16

        @stash.memo
        def failing() -> int:
            raise LookupError

        with pytest.raises(LookupError):
            failing()
        assert stash.session["n"] == 16


def test_the_innermost_computation_counts(stash: Stash) -> None:
    name = stash.memo(scope="session")(lambda: stash.session["name"])
    for_all = stash.memo(ignore="name")(lambda: name())  # noqa: PLW0108 (a memo takes plain functions)
    for_session = stash.memo(scope="session", ignore="for_all")(lambda: for_all())  # noqa: PLW0108 (as above)
    with visit(stash):
        stash.session["name"] = "anna"
        with pytest.raises(ScopeTooWide, match="scope='app'"):
            for_session()


def test_references_that_are_passed_as_arguments_are_free(stash: Stash) -> None:
    """Also their parts: the right to open them came with them."""

    @stash.memo
    def size(frame: Ref[dict[str, list[int]]]) -> int:
        return len(frame["rows"].get()) + len(frame.get())

    mine = stash.memo(scope="user")(lambda: {"rows": [1, 2, 3]})
    with visit(stash, **IDS):
        assert size(stash.put({"rows": [1, 2]})) == 3
        assert size(mine.ref()) == 4


def test_a_reference_that_came_as_text_or_was_found_somewhere_opens_nothing_for_everybody(
    stash: Stash,
) -> None:
    """Who may not open it would be served what is behind it."""
    given = stash.memo(lambda text: stash.ref(text).get())
    found = stash.memo(lambda: stash.app["newest"].get())  # noqa: PLW0108 (asked each time)
    with visit(stash, "anna"):
        text = str(stash.put("Anna's"))
        stash.app["newest"] = stash.ref(text)
        for load in (lambda: given(text), found):
            with pytest.raises(ScopeTooWide, match=r"what is behind a reference.*one session"):
                load()
        mine = stash.memo(scope="session")(lambda text: stash.ref(text).get())
        assert mine(text) == "Anna's"
        stash.app["newest"] = stash.put("everybody's", share=True)
    assert found() == "everybody's"


def test_a_reference_of_somebody_else_is_no_argument(stash: Stash) -> None:
    """Whatever variable of the program it was left in."""
    load = stash.memo(lambda refs: refs[0].get())
    with visit(stash, "anna"):
        left = stash.put("Anna's")
    with visit(stash, "bob"), pytest.raises(RefInvalid, match="foreign"):
        load([left])


def test_an_argument_that_has_expired_is_computed_again_for_whom_it_is(
    stash: Stash, clock: ManualClock
) -> None:
    mine = stash.memo(scope="session", ttl=60)(lambda: stash.session["name"])
    loud = stash.memo(lambda name: name.get().upper())
    with visit(stash, "anna"):
        stash.session["name"] = "anna"
        ref = mine.ref()
        clock.now += 120
        assert loud(ref) == "ANNA"


def test_a_function_of_another_stash_is_held_to_it_too(stash: Stash, folder: pathlib.Path) -> None:
    big = Stash(url=f"file://{folder}/big", secret=SECRET)
    greeting = big.memo(lambda: f"Hello {stash.session['name']}")
    with visit(stash, "anna"):
        stash.session["name"] = "anna"
        with pytest.raises(ScopeTooWide, match=r"stash\.session"):
            greeting()


def test_a_reference_that_a_memo_shares_is_free(stash: Stash) -> None:
    source = stash.memo(share=True)(lambda: [1, 2])
    memo = stash.memo(ignore="source")(lambda: [source.ref(), stash.put(3, share=True)])
    with visit(stash):
        assert [stash.ref(text).get() for text in memo()] == [[1, 2], 3]


def test_asynchronous_functions_are_held_to_it_too(stash: Stash) -> None:
    @stash.memo
    async def profile() -> Any:
        await asyncio.sleep(0)
        return stash.session["name"]

    @stash.memo(ignore="inner")
    def by_hand() -> Any:
        return inner()

    async def inner() -> Any:
        await asyncio.sleep(0)
        return stash.session["name"]

    with visit(stash):
        stash.session["name"] = "anna"
        for call in (profile, by_hand):
            with pytest.raises(ScopeTooWide):
                asyncio.run(_awaited(call))


async def _awaited(call: Callable[[], Any]) -> Any:
    result = call()
    return await result if asyncio.iscoroutine(result) else result


def test_a_refresh_and_an_opened_reference_are_held_to_it_too(
    stash: Stash, clock: ManualClock
) -> None:
    reads: list[bool] = []
    memo = stash.memo(ttl=60, ignore="reads")(lambda: [stash.session.get("name") for _ in reads])
    with visit(stash):
        ref = memo.ref()
        reads.append(True)
        clock.now += 120
        for call in (ref.get, memo.refresh, memo.ref, stash.ref(ref).get):
            with pytest.raises(ScopeTooWide):
                call()


def test_without_a_visitor_it_says_that_there_is_no_session(stash: Stash) -> None:
    """What is wrong is said where it is: not that a scope is too wide when nobody computes."""
    with pytest.raises(NoSession):
        stash.session.get("name")


# The request itself

VARIABLE = contextvars.ContextVar("VARIABLE", default="")


@pytest.fixture
def app(url: str) -> tuple[Dash, Stash]:
    app = Dash(__name__)
    app.server.secret_key = "a secret for the tests only"
    app.layout = html.Div([dcc.Store(id="out"), dcc.Input(id="in")])
    return app, Stash(app, url, secret=SECRET, user=lambda: "me")


def answer(app: Dash, read: Callable[[], Any]) -> Any:
    """What an asynchronous callback returns that calls *read*, or the error."""
    errors: list[Exception] = []

    @app.callback(Output("out", "data"), Input("in", "value"))
    async def out(_: str) -> Any:
        VARIABLE.set("kept")
        flask.g.kept = True
        try:
            return await _awaited(read)
        except Exception as error:
            errors.append(error)
            return None

    value = Page(app).call("out.data", ("in", "value", "q"))
    return errors[0] if errors else value


@pytest.mark.parametrize(
    "read",
    [
        lambda: flask.request.args.get("carrier"),
        lambda: flask.session.get("user"),
        lambda: ctx.triggered_id,
        lambda: ctx.cookies,
        lambda: flask.g.kept,
    ],
    ids=["request", "session", "triggered_id", "cookies", "g"],
)
@pytest.mark.parametrize("kind", ["plain", "async"])
def test_an_app_wide_value_cannot_be_made_of_the_request(
    app: tuple[Dash, Stash], read: Callable[[], Any], kind: str
) -> None:
    dash, stash = app

    def compute() -> Any:
        return read()

    async def compute_async() -> Any:
        return read()

    memo = stash.memo(ignore="read")(compute_async if kind == "async" else compute)
    error = answer(dash, memo)
    assert isinstance(error, Exception)
    assert "pass it as an argument" in "".join(error.__notes__)
    assert "compute" in "".join(error.__notes__)


def test_guarded_uses_of_the_request_and_the_app_itself_go_on(app: tuple[Dash, Stash]) -> None:
    dash, stash = app

    @stash.memo
    def compute() -> list[Any]:
        return [
            flask.has_request_context(),
            flask.current_app.name,
            bool(flask.request),
            "kept" in flask.g,
            VARIABLE.get(),
        ]

    assert answer(dash, compute) == [False, dash.server.name, False, False, "kept"]


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_what_a_computation_opens_for_itself_is_closed_with_it(
    app: tuple[Dash, Stash], kind: str
) -> None:
    """As a connection that the app keeps in `g` is at the end of a request."""
    dash, stash = app
    closed: list[str | None] = []
    dash.server.teardown_appcontext(lambda _: closed.append(flask.g.get("connection")))

    def compute() -> str:
        flask.g.connection = "open"
        return "computed"

    async def compute_async() -> str:
        return compute()

    memo = stash.memo(compute_async if kind == "async" else compute)
    assert answer(dash, memo) == "computed"
    assert closed[-2:] == ["open", None]  # the request itself comes last


def test_a_stash_without_an_app_hides_the_request_too(
    app: tuple[Dash, Stash], folder: pathlib.Path
) -> None:
    big = Stash(url=f"file://{folder}/big", secret=SECRET)
    error = answer(app[0], big.memo(lambda: flask.request.path))
    assert isinstance(error, Exception)
    assert "pass it as an argument" in "".join(error.__notes__)


def test_who_the_user_is_may_be_known_by_the_session(url: str) -> None:
    """What `user=` reads is no part of the value."""
    dash = Dash(__name__)
    dash.layout = html.Div([dcc.Store(id="out"), dcc.Input(id="in")])
    stash = Stash(dash, url, secret=SECRET, user=lambda: stash.session.get("name"))
    name = stash.memo(scope="user")(lambda: stash.user["name"])

    def log_in() -> str:
        stash.session["name"] = "anna"
        stash.user["name"] = "Anna"
        return name()

    assert answer(dash, log_in) == "Anna"


def test_a_value_of_a_session_may_be_made_of_the_request(app: tuple[Dash, Stash]) -> None:
    dash, stash = app
    memo = stash.memo(scope="session")(lambda: [flask.request.path, ctx.triggered_id])
    assert answer(dash, memo) == ["/_dash-update-component", "in"]


def test_an_error_of_the_function_itself_gets_no_note(app: tuple[Dash, Stash]) -> None:
    dash, stash = app

    @stash.memo
    def compute() -> None:
        raise RuntimeError("out of context")

    assert not hasattr(answer(dash, compute), "__notes__")
