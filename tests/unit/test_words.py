"""Mistakes that users make, and the words that tell what is wrong and what to do."""

from __future__ import annotations

import logging
import pathlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
import pytest
from dash import Dash, Input, Output, callback, dcc, html
from dash._callback import GLOBAL_CALLBACK_LIST, GLOBAL_CALLBACK_MAP
from dash.exceptions import InvalidCallbackReturnValue

from dash_stash import (
    ConfigError,
    FlightCycle,
    NoSession,
    PartMissing,
    Ref,
    RefExpired,
    RefInvalid,
    Stash,
)
from dash_stash.stores.base import Limits
from dash_stash.testing import ManualClock
from support import SECRET
from unit.pages import Page
from unit.visiting import visit

Mistake = Callable[[Any], Any]


def plain(n: int = 1) -> int:
    return n


def counting(n: int) -> Iterator[int]:
    yield from range(n)


async def streaming(n: int) -> AsyncIterator[int]:
    yield n


class Klass:
    @property
    def shown(self) -> int:
        return 1

    @staticmethod
    def alone() -> int:
        return 1

    @classmethod
    def of_class(cls) -> int:
        return 1


_MISTAKES: dict[str, tuple[Mistake, type[Exception], list[str]]] = {
    "ttl without its name": (lambda s: s.memo("1h"), ConfigError, ["ttl='1h'"]),
    "seconds without their name": (lambda s: s.memo(60), ConfigError, ["ttl=60"]),
    "Flask-Caching's timeout": (
        lambda s: s.memo(timeout=60),
        ConfigError,
        ["no option timeout", "write ttl"],
    ),
    "an option that there is not": (
        lambda s: s.memo(color=1),
        ConfigError,
        ["no option color", "ttl, stale, scope"],
    ),
    "a builtin": (
        lambda s: s.memo(len),
        ConfigError,
        ["builtin_function_or_method len", "above the def of that function"],
    ),
    "a class": (
        lambda s: s.memo(Klass),
        ConfigError,
        ["the class Klass", "above the def of that function"],
    ),
    "a staticmethod": (
        lambda s: s.memo(vars(Klass)["alone"]),
        ConfigError,
        ["staticmethod alone", "@staticmethod above @stash.memo"],
    ),
    "a classmethod": (
        lambda s: s.memo(vars(Klass)["of_class"]),
        ConfigError,
        ["classmethod of_class", "function of the module"],
    ),
    "a property": (
        lambda s: s.memo(vars(Klass)["shown"]),
        ConfigError,
        ["property shown", "@property above @stash.memo"],
    ),
    "a memo function": (
        lambda s: s.memo(s.memo(plain)),
        ConfigError,
        ["plain", "a memo function already", "once"],
    ),
    "a value in the place of its function": (
        lambda s: s.memo(pd.DataFrame({"x": [1]})),
        ConfigError,
        ["not a DataFrame", "above the def"],
    ),
    "a generator function": (
        lambda s: s.memo(counting),
        ConfigError,
        ["counting() is a generator", "return list("],
    ),
    "an asynchronous generator": (
        lambda s: s.memo(streaming),
        ConfigError,
        ["streaming() is an async generator", "return a list"],
    ),
    "a scope without its name": (lambda s: s.memo("session"), ConfigError, ["scope='session'"]),
    "stale without ttl": (lambda s: s.memo(stale="1h"), ConfigError, ["stale=", "give ttl= too"]),
    "a number as tags": (lambda s: s.memo(tags=5), ConfigError, ["tags=5", 'tags=("sales",)']),
    "numbers as tags": (lambda s: s.memo(tags=[5]), ConfigError, ["tags=[5]", 'tags=("sales",)']),
    "a list of tags to forget": (
        lambda s: s.forget(tag=["a"]),
        ConfigError,
        ["tag=['a']", "one tag"],
    ),
    "a number to ignore": (
        lambda s: s.memo(ignore=5),
        ConfigError,
        ["ignore=5", "name of a parameter"],
    ),
    "an object as version": (
        lambda s: s.memo(version=s)(plain),
        ConfigError,
        ["version=", "a dash_stash.stash.Stash", "version=2"],
    ),
    "ttl=True": (lambda s: s.memo(ttl=True), ConfigError, ["ttl=True is a bool", '"1h"']),
    "a function as ttl": (
        lambda s: s.memo(ttl=plain),
        ConfigError,
        ["ttl=", "is a function", '"1h"'],
    ),
    "ttl=True of a put": (
        lambda s: s.put(1, ttl=True, share=True),
        ConfigError,
        ["ttl=True is a bool"],
    ),
    "a path as URL": (
        lambda s: Stash(url=pathlib.Path("/srv/cache")),  # type: ignore[arg-type]
        ConfigError,
        ["a path", "url='file:///srv/cache'"],
    ),
    "a number as URL": (lambda s: Stash(url=6379), ConfigError, ["url= is a int", "file:///"]),  # type: ignore[arg-type]
    "the URL as the app": (
        lambda s: Stash("redis://:hidden@cache"),
        ConfigError,
        ["is a dash.Dash", "first", "Stash(url=...)"],
    ),
    "a path as the app": (
        lambda s: Stash(pathlib.Path("/srv")),
        ConfigError,
        ["is a dash.Dash", "first", "Stash(url=...)"],
    ),
    "a bare path": (
        lambda s: Stash(url="/srv/my cache"),
        ConfigError,
        ["is a path", "'file:///srv/my%20cache'"],
    ),
    "a relative path": (lambda s: Stash(url="cache"), ConfigError, ["is a path", "/cache'"]),
    "a URL of Windows": (
        lambda s: Stash(url="file:///C:/cache"),
        ConfigError,
        ["Windows", "linux", "file:///an/absolute"],
    ),
    "a path of Windows": (
        lambda s: Stash(url="C:\\cache"),
        ConfigError,
        ["Windows", "linux", "file:///an/absolute"],
    ),
    "a size without a unit": (
        lambda s: Stash(max_bytes="2"),
        ConfigError,
        ["max_bytes='2'", '"500MB"'],
    ),
    "a size that is none": (
        lambda s: Stash(max_session_bytes="much"),
        ConfigError,
        ["max_session_bytes='much'", '"2GiB"'],
    ),
    "True as a size": (lambda s: Stash(max_bytes=True), ConfigError, ["max_bytes=True", '"500MB"']),
    "a size that is no number": (
        lambda s: Stash(max_bytes=float("nan")),
        ConfigError,
        ["max_bytes=nan", '"500MB"'],
    ),
    "a size without end": (
        lambda s: Stash(max_bytes=float("inf")),
        ConfigError,
        ["max_bytes=inf", '"500MB"'],
    ),
    "a count as text": (
        lambda s: Stash(max_entries="many"),  # type: ignore[arg-type]
        ConfigError,
        ["max_entries='many'", "a whole number"],
    ),
    "a count that is none": (
        lambda s: Stash(max_sessions=True),
        ConfigError,
        ["max_sessions=True", "a whole number"],
    ),
    "a user in the place of a function": (
        lambda s: Stash(user="ann"),  # type: ignore[arg-type]
        ConfigError,
        ["user='ann'", "a function"],
    ),
    "a text in the place of a function": (
        lambda s: Stash(on_expired="Sorry"),  # type: ignore[arg-type]
        ConfigError,
        ["on_expired='Sorry'", "a function"],
    ),
    "a number as secret": (
        lambda s: Stash(secret=10**20),  # type: ignore[arg-type]
        ConfigError,
        ["secret= is a int", "text or bytes"],
    ),
    "a short secret": (
        lambda s: Stash(secret="short"),
        ConfigError,
        ["secret=", "5 bytes", "at least 16", "dash-stash secret"],
    ),
    "no secret in the list": (
        lambda s: Stash(secret=[]),
        ConfigError,
        ["secret=", "no secret", "dash-stash secret"],
    ),
    "a name with a blank": (
        lambda s: Stash(name="my app"),
        ConfigError,
        ["name='my app'", "letters", 'name="sales-report"'],
    ),
    "no app": (
        lambda s: s.put(1),
        NoSession,
        ["serves no app", "stash.init_app(app)", "share=True"],
    ),
    "no app, and a reference": (
        lambda s: s.memo(plain).ref(),
        NoSession,
        ["a reference", "stash.init_app(app)"],
    ),
    "no app, and the session": (
        lambda s: s.session["x"],
        NoSession,
        ["stash.session", "stash.init_app(app)"],
    ),
    "the user without user=": (lambda s: s.user["x"], ConfigError, ["stash.user", "user="]),
}

_AT_WORK: dict[str, tuple[Mistake, type[Exception], list[str]]] = {
    "an argument too many": (lambda s: s.memo(plain)(1, 2), TypeError, ["plain(): ", "too many"]),
    "an argument that there is not": (
        lambda s: s.memo(plain).peek(m=1),
        TypeError,
        ["plain(): ", "'m'"],
    ),
    "session as an attribute": (
        lambda s: setattr(s.session, "cart", []),
        AttributeError,
        ["stash.session['cart'] = ..."],
    ),
    "app as an attribute": (lambda s: s.app.count, AttributeError, ["stash.app['count']"]),
    "another session": (
        lambda s: setattr(s, "session", {}),
        AttributeError,
        ['stash.session["name"] = ...', "every visitor"],
    ),
    "modify without a function": (
        lambda s: s.app.modify("n", 5),
        TypeError,
        ["stash.app['n']", "a function of the old value", "not int"],
    ),
    "modify with its arguments swapped": (
        lambda s: s.app.modify(plain, "n"),
        TypeError,
        ["names of variables are text, not function"],
    ),
    "modify within modify": (
        lambda s: s.app.modify("n", lambda _: s.app.modify("n", lambda _: 1)),
        FlightCycle,
        ["stash.app['n']", "while it is being changed", "return the new value"],
    ),
    "a column as a part": (
        lambda s: s.put(pd.DataFrame({"x": [1]}), share=True)["x"].get(),
        PartMissing,
        ["neither", "whole reference"],
    ),
    "a part of an empty dict": (
        lambda s: s.put({}, share=True)["x"].get(),
        PartMissing,
        ["it is empty"],
    ),
    "a reference as its value": (
        lambda s: s.put(pd.DataFrame(), share=True).shape,
        AttributeError,
        ["'shape'", "get().shape"],
    ),
    "a Ref of text": (
        lambda s: Ref("stash:abc").get(),
        RefInvalid,
        ["made from text", "stash.ref(text)"],
    ),
    "text that is no reference": (
        lambda s: s.ref("hello"),
        RefInvalid,
        ["stash.ref()", "no reference", "stash:"],
    ),
    "nothing as a reference": (lambda s: s.ref(None), RefInvalid, ["stash.ref()", "no reference"]),
    "a value that was deleted": (lambda s: _deleted(s).get(), RefExpired, ["deleted"]),
}


def _deleted(stash: Stash) -> Ref[int]:
    ref: Ref[int] = stash.put(1, share=True)
    ref.delete()
    return ref


@pytest.mark.parametrize("mistake", _AT_WORK)
def test_a_mistake_at_work_is_told_with_what_to_do(mistake: str, url: str) -> None:
    make, kind, words = _AT_WORK[mistake]
    text = _text(lambda: make(Stash(url=url, secret=SECRET)), kind)
    for word in words:
        assert word in text
    for wrong in ("cookie", "undecorated", "callback did not run"):
        assert wrong not in text


@pytest.mark.parametrize("mistake", _MISTAKES)
def test_a_mistake_is_told_with_what_to_do(mistake: str, url: str) -> None:
    make, kind, words = _MISTAKES[mistake]
    with pytest.raises(kind) as told:
        make(Stash(url=url, secret=SECRET))
    assert type(told.value) is kind
    for word in words:
        assert word in str(told.value)
    for wrong in ("cookie", "hidden"):
        assert wrong not in str(told.value)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GB", 2 * 10**9),
        ("500 MB", 5 * 10**8),
        ("2GiB", 2**31),
        ("1.5kib", 1536),
        ("9b", 9),
        (700, 700),
        (2e9, 2 * 10**9),
    ],
)
def test_sizes_may_be_text(text: str | float, size: int) -> None:
    limits: Limits = Stash(max_bytes=text, max_session_bytes=text)._settings.limits
    assert (limits.max_bytes, limits.max_session_bytes) == (size, size)


def test_a_secret_has_sixteen_bytes_at_least(url: str) -> None:
    enough: list[Any] = ["x" * 16, "é" * 8, [b"x" * 16, "y" * 16]]
    for secret in enough:
        assert Stash(url=url, secret=secret).put(1, share=True).get() == 1
    too_short: list[Any] = ["x" * 15, b"x" * 15, ["x" * 16, "y" * 15]]
    for short in too_short:
        with pytest.raises(ConfigError, match="15 bytes"):
            Stash(url=url, secret=short)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DASH_STASH_SECRET", "tiny", ["DASH_STASH_SECRET", "4 bytes", "at least 16"]),
        ("DASH_STASH_SECRET", f"{SECRET}, ", ["DASH_STASH_SECRET", "1 byte,", "comma"]),
        ("DASH_STASH_NAME", "my app", ["DASH_STASH_NAME='my app'", "letters"]),
        (
            "DASH_STASH_URL",
            "redsi://:hidden@cache",
            ["redsi://cache", "redis://host:6379/0", "DASH_STASH_URL"],
        ),
    ],
)
def test_a_mistake_in_the_environment_is_told_by_the_variables_name(
    variable: str, value: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as told:
        Stash()
    text = "".join([str(told.value), *getattr(told.value, "__notes__", [])])
    for word in words:
        assert word in text
    assert "hidden" not in text


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("DASH_STASH_URI", "DASH_STASH_URL"), ("DASH_STASH_SECRETS", "DASH_STASH_SECRET")],
)
def test_a_variable_of_the_environment_that_is_misspelt_is_warned_of(
    variable: str,
    meant: str,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(variable, "redis://:hidden@cache:6379")
    Stash(url=url, secret=SECRET)
    assert f"{variable} is not read: {meant} is" in caplog.text
    assert "hidden" not in caplog.text


@pytest.mark.parametrize(
    "variable",
    ["DASH_STASH_SERVICE_HOST", "DASH_STASH_PORT", "DASH_STASH_GALLERY_CACHE", "DASH_STASH_URL"],
)
def test_other_variables_of_the_environment_are_nobodys_mistake(
    variable: str, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(variable, url)
    Stash(url=url, secret=SECRET)
    assert caplog.text == ""


def test_modify_without_a_default_says_that_there_was_nothing_to_change(url: str) -> None:
    stash = Stash(url=url, secret=SECRET)
    with pytest.raises(TypeError) as told:
        stash.app.modify("n", lambda n: n + 1)
    assert "There is no stash.app['n'] yet" in told.value.__notes__[0]
    assert "default=" in told.value.__notes__[0]


def test_modify_that_returns_none_is_warned_of_the_first_time_too(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    stash = Stash(url=url, secret=SECRET)
    stash._deployment.is_debug = True
    stash.app.modify("cart", lambda cart: cart.append(1), default=[])
    assert "list.append and the like return None" in caplog.text


# Memo and callback


@pytest.fixture
def app() -> Dash:
    app = Dash(__name__)
    app.layout = html.Div([dcc.Store(id="out"), dcc.Store(id="ref"), html.Div(id="shown")])
    return app


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("of_app", [False, True])
def test_a_memo_above_a_callback_is_refused_and_below_it_works(
    is_async: bool,
    of_app: bool,
    app: Dash,
    url: str,
) -> None:
    stash = Stash(app, url, secret=SECRET)

    async def later(n: int) -> int:
        return n

    def now(n: int) -> int:
        return n

    function: Any = later if is_async else now
    register: Any = app.callback if of_app else callback
    try:
        registered = register(Output("out", "data"), Input("go", "n_clicks"))(function)
        with pytest.raises(ConfigError, match=r"above @callback.*below @callback"):
            stash.memo(registered)
        with pytest.raises(ConfigError, match="above @callback"):
            stash.memo(ttl="1h")(registered)
        register(Output("ref", "data"), Input("go", "n_clicks"))(stash.memo(plain))
    finally:
        GLOBAL_CALLBACK_MAP.clear()
        GLOBAL_CALLBACK_LIST.clear()


# Sessions, users and references


def _text(make: Callable[[], Any], kind: type[Exception]) -> str:
    with pytest.raises(kind) as told:
        make()
    return str(told.value)


def test_nobody_is_logged_in_is_not_blamed_on_cookies(app: Dash, url: str) -> None:
    stash = Stash(app, url, secret=SECRET, user=lambda: None)

    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def mine(_: int) -> object:
        return stash.user["x"]

    refused = Page(app).post("out.data", ("go", "n_clicks", 1))
    text = refused.get_data(as_text=True)
    assert (refused.status_code, "nobody is logged in" in text, "cookie" in text) == (
        403,
        True,
        False,
    )
    assert "log%20in" in refused.headers["X-Dash-Stash-Notice"]


def test_a_user_function_that_finds_no_key_is_told_instead_of_an_empty_variable(
    app: Dash, url: str
) -> None:
    stash = Stash(
        app, url, secret=SECRET, user=lambda: dict[str, str]()["user"]
    )  # as flask.session["user"] with nobody logged in
    app.server.config["PROPAGATE_EXCEPTIONS"] = True

    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def mine(_: int) -> object:
        return stash.user.get("x", "nothing")

    text = _text(lambda: Page(app).post("out.data", ("go", "n_clicks", 1)), ConfigError)
    for word in ("user=", "KeyError: 'user'", "return None", "nobody is logged in"):
        assert word in text


def test_on_expired_that_has_nothing_to_say_leaves_the_notice_as_it_is(app: Dash, url: str) -> None:
    stash = Stash(app, url, secret=SECRET, user=lambda: None, on_expired=lambda _: None)  # type: ignore[arg-type, return-value]

    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def mine(_: int) -> object:
        return stash.user["x"]

    refused = Page(app).post("out.data", ("go", "n_clicks", 1))
    assert (refused.status_code, "log%20in" in refused.headers["X-Dash-Stash-Notice"]) == (
        403,
        True,
    )


def test_a_thread_of_a_callback_is_told_to_pass_on_what_it_needs(app: Dash, url: str) -> None:
    stash = Stash(app, url, secret=SECRET)

    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def later(_: int) -> str:
        with ThreadPoolExecutor(1) as pool:
            return str(pool.submit(_text, lambda: stash.session["x"], NoSession).result())

    text = Page(app).call("out.data", ("go", "n_clicks", 1))
    for word in ("thread", "background callback", "pass"):
        assert word in str(text)


def test_a_browser_without_a_cookie_is_told_of_every_cause(app: Dash, url: str) -> None:
    stash = Stash(app, url, secret=SECRET)

    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def mine(_: int) -> object:
        return stash.session["x"]

    page = Page(app)
    page.browser._cookies.clear()
    text = page.post("out.data", ("go", "n_clicks", 1)).get_data(as_text=True)
    for word in (
        "reload the page",
        "cookie",
        "cross_site=True",
        "several machines",
        "DASH_STASH_URL",
    ):
        assert word in text


def test_an_ordinary_call_of_a_callback_in_a_test_says_how_to_call_it(app: Dash, url: str) -> None:
    stash = Stash(app, url, secret=SECRET)

    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def clean(_: int) -> str:
        return stash.put(1)

    text = _text(lambda: clean(1), NoSession)
    for word in ("no request", "app.server.test_client()", "share=True"):
        assert word in text
    assert "cookie" not in text


def test_somebody_elses_reference_and_one_of_an_old_secret_are_told_apart(url: str) -> None:
    stash, old = Stash(url=url, secret=SECRET), Stash(url=url, secret="the secret before")
    with visit(stash, "ann"), visit(old, "ann"):
        mine, before = stash.put(1), old.put(1)
    with visit(stash, "bob"):
        foreign = _text(lambda: stash.ref(mine), RefInvalid)
        forged = _text(lambda: stash.ref(before), RefInvalid)
        cut = _text(lambda: stash.ref(mine[:30]), RefInvalid)
    assert "another browser session" in foreign
    assert "secret" not in foreign
    for word in ("secret", "several machines", "DASH_STASH_URL"):
        assert word in forged
    assert "not whole" in cut


def test_an_expired_put_says_why_it_is_gone(url: str, clock: ManualClock) -> None:
    stash = Stash(url=url, secret=SECRET, clock=clock)
    ref: Ref[int] = stash.put(1, ttl="1h", share=True)
    clock.now += 3601
    text = _text(ref.get, RefExpired)
    for word in ("stash.put()", "ttl", "max_bytes", "another machine", "computed again"):
        assert word in text


@pytest.mark.parametrize("is_async", [False, True])
def test_a_frame_returned_from_a_callback_is_told_of_references(
    is_async: bool,
    app: Dash,
    url: str,
) -> None:
    Stash(app, url, secret=SECRET)
    app.server.config["PROPAGATE_EXCEPTIONS"] = True

    async def later(_: int) -> pd.DataFrame:
        return pd.DataFrame({"x": [1]})

    def now(_: int) -> pd.DataFrame:
        return pd.DataFrame({"x": [1]})

    app.callback(Output("out", "data"), Input("go", "n_clicks"))(later if is_async else now)
    with pytest.raises(InvalidCallbackReturnValue) as told:
        Page(app).post("out.data", ("go", "n_clicks", 1))
    notes = "".join(told.value.__notes__)
    assert "stash.put(value)" in notes
    assert ".ref(...)" in notes


@pytest.mark.parametrize("debug", [True, False])
def test_a_reference_that_the_reader_sees_is_told_in_debug_mode(
    debug: bool,
    app: Dash,
    url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stash = Stash(app, url, secret=SECRET, guard="off")
    if debug:
        app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)

    @app.callback(Output("shown", "children"), Input("go", "n_clicks"))
    def shown(_: int) -> str:
        return stash.put(1)

    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def stored(_: int) -> str:
        return stash.put(1)

    page = Page(app)
    with caplog.at_level(logging.WARNING, "dash_stash"):
        page.call("out.data", ("go", "n_clicks", 1))
        assert caplog.text == ""
        page.call("shown.children", ("go", "n_clicks", 1))
    assert ("dcc.Store" in caplog.text) is debug


@pytest.mark.parametrize(
    ("out", "prop"),
    [("shown", "figure"), ("shown", "options"), ("shown", "rowData"), ("shown", "children")],
)
def test_a_reference_where_the_browser_needs_the_value_is_told_in_debug_mode(
    out: str, prop: str, app: Dash, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    stash = Stash(app, url, secret=SECRET, guard="off")
    app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)
    app.callback(Output(out, prop), Input("go", "n_clicks"))(lambda _: stash.put(1))
    Page(app).call(f"{out}.{prop}", ("go", "n_clicks", 1))
    assert f"as the {prop} of a component" in caplog.text
    assert "dcc.Store" in caplog.text
