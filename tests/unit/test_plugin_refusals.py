"""What a browser is told with a refusal.

Which references are dead, and whether it may send the request once more.
"""

from __future__ import annotations

import asyncio
import pathlib
import time
import types
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, unquote

import flask
import pytest
from dash import Dash, Input, Output, State, html
from dash._utils import AttributeDict

from dash_stash import NoSession, Ref, Stash
from dash_stash.testing import ManualClock
from servers import running
from support import SECRET, must, wait_until
from unit.pages import Page


@pytest.fixture
def stash(app: Dash, url: str, clock: ManualClock) -> Stash:
    """A stash, and callbacks that put, show, keep references, and log in."""
    made = Stash(app, url, secret=SECRET, clock=clock)

    @app.callback(Output("made", "data"), Input("make", "n_clicks"))
    def make(_: int) -> Any:
        return made.put("value")

    @app.callback(Output("out", "data"), Input("a", "data"), State("b", "data"))
    def show(a: Any, b: Any) -> Any:
        return [a, b]

    @app.callback(Output("late", "data"), Input("a", "data"))
    def open_late(a: Ref[Any]) -> Any:
        return a.get()

    @app.callback(Output("text", "data"), Input("a", "data"))
    def open_text(a: str) -> Any:
        return made.ref(a).get()

    @app.callback(Output("in", "data"), Input("login", "n_clicks"))
    def log_in(_: int) -> str:
        made.session.rotate()
        return "hello"

    return made


def put(page: Page) -> str:
    return str(page.call("made.data", ("make", "n_clicks", 1)))


def told(response: Any) -> list[str]:
    """The references that a refusal calls dead."""
    return str(response.headers.get("X-Dash-Stash-Dead", "")).split(" ")[2:]


FORGED = "stash:" + "A" * 80


def test_all_that_cannot_be_opened_is_told_at_once(app: Dash, stash: Stash) -> None:
    foreign, page = put(Page(app)), Page(app)
    good = put(page)
    response = page.post(
        "out.data", ("a", "data", [good, {"x": foreign}]), state=[("b", "data", FORGED)]
    )
    assert response.status_code == 403
    assert sorted(told(response)) == sorted([foreign, FORGED])


@pytest.mark.parametrize("output", ["out.data", "late.data", "text.data"])
def test_what_is_gone_is_told_wherever_it_was_opened(app: Dash, stash: Stash, output: str) -> None:
    page = Page(app)
    dead = put(page)
    for listed in stash._deployment.store.list():
        stash._deployment.store.delete(listed.key)
    response = page.post(
        output, ("a", "data", dead), state=[("b", "data", None)] if output == "out.data" else []
    )
    assert (response.status_code, told(response)) == (410, [dead])


class Order:
    """A class that only the new deployment has."""


def test_what_only_this_program_cannot_read_is_not_called_dead(
    app: Dash, stash: Stash, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a deploy is under way, workers of the new code can."""

    @app.callback(Output("order", "data"), Input("make", "n_clicks"))
    def order(_: int) -> Any:
        return stash.put(Order())

    @app.callback(Output("kind", "data"), Input("a", "data"))
    def kind(order: Any) -> str:
        return type(order).__name__

    page = Page(app)
    mine = str(page.call("order.data", ("make", "n_clicks", 1)))
    with monkeypatch.context() as older:
        older.delattr(f"{__name__}.Order")
        response = page.post("late.data", ("a", "data", mine))
        assert (response.status_code, told(response)) == (410, [])
    assert page.call("kind.data", ("a", "data", mine)) == "Order"


def test_a_reference_that_the_browser_has_not_sent_is_not_told_to_it(
    app: Dash, stash: Stash
) -> None:
    secret = put(Page(app))
    stash.app["of somebody"] = secret

    @app.callback(Output("other", "data"), Input("go", "n_clicks"))
    def open_anothers(_: int) -> Any:
        return stash.ref(str(stash.app["of somebody"])).get()

    response = Page(app).post("other.data", ("go", "n_clicks", 1))
    assert response.status_code == 403
    assert secret not in str(response.headers)
    assert secret not in response.get_data(as_text=True)


def test_without_a_session_nothing_is_called_dead_for_being_refused(
    app: Dash, stash: Stash
) -> None:
    """The next page begins a session, and that will know."""
    page = Page(app)
    mine = put(page)
    page.browser._cookies.clear()
    response = page.post("out.data", ("a", "data", mine), state=[("b", "data", None)])
    assert (response.status_code, told(response)) == (403, [])


def test_a_refusal_says_which_secrets_it_knows_and_since_when(
    app: Dash, stash: Stash, clock: ManualClock
) -> None:
    page = Page(app)
    clock.now += 30
    response = page.post("out.data", ("a", "data", FORGED), state=[("b", "data", None)])
    uptime, known, *_ = response.headers["X-Dash-Stash-Dead"].split(" ")
    assert (uptime, known) == ("30", response.headers["X-Dash-Stash-Key"])
    again = page.browser.get("/_dash-layout", headers={"X-Dash-Stash-Key": known})
    assert "X-Dash-Stash-Key" not in again.headers


@pytest.mark.parametrize("paths", [("/one/", "/two/"), ("/", "/two/"), ("/two/", "/")])
def test_of_two_apps_on_one_server_each_tells_its_own_pages(
    tmp_path: pathlib.Path, paths: tuple[str, str]
) -> None:
    server = flask.Flask("server")
    keys = set()
    for path in paths:
        app = Dash(path, server=server, url_base_pathname=path)
        Stash(
            app,
            (tmp_path / quote(path, "")).as_uri(),
            secret=SECRET,
            on_expired=f"words of {path}: {{}}".format,
        )
        app.callback(Output("out", "data"), Input("a", "data"))(lambda value: value)
        app.layout = html.Div()
    browser = server.test_client()
    for path in paths:
        page = Page(app, path, browser)
        inputs = [{"id": "a", "property": "data", "value": FORGED}]
        body = {
            "output": "out.data",
            "outputs": {"id": "out", "property": "data"},
            "changedPropIds": ["a.data"],
            "inputs": inputs,
        }
        response = browser.post(f"{path}_dash-update-component", json=body, headers=page.headers)
        assert (response.status_code, told(response)) == (403, [FORGED])
        assert unquote(response.headers["X-Dash-Stash-Notice"]).startswith(f"words of {path}: ")
        assert (
            response.headers["X-Dash-Stash-Key"]
            == response.headers["X-Dash-Stash-Dead"].split(" ")[1]
        ), "else no page believes it"
        keys.add(response.headers["X-Dash-Stash-Key"])
    assert len(keys) == 2


def test_so_many_that_no_header_holds_them_are_told_as_far_as_there_is_room(
    app: Dash, stash: Stash
) -> None:
    many = [f"stash:{n:03}" + "A" * 80 for n in range(200)]
    response = Page(app).post("out.data", ("a", "data", many), state=[("b", "data", None)])
    assert 20 < len(told(response)) < 200
    assert len(response.headers["X-Dash-Stash-Dead"]) < 4200


def test_while_the_store_is_away_callbacks_are_refused_within_milliseconds(
    app: Dash, tmp_path: pathlib.Path
) -> None:
    """The first may wait for a second, as the server was there a moment ago."""
    with running(tmp_path / "server") as server:
        stash = Stash(app, server.url, secret=SECRET)
        app.callback(Output("out", "data"), Input("a", "data"))(lambda _: stash.session["n"])
        page = Page(app)

        def refused() -> float:
            """For how many seconds a callback was waited for."""
            begun = time.perf_counter()
            assert page.post("out.data", ("a", "data", 1)).status_code == 503
            return time.perf_counter() - begun

        with server.stopped():
            wait_until(lambda: refused() < 0.5, "nobody waits any more", 10)
            assert sorted(refused() for _ in range(9))[4] < 0.05


# Logging in


def test_a_callback_whose_cookie_was_replaced_has_not_run_and_may_be_sent_once_more(
    app: Dash, stash: Stash
) -> None:
    ran = []

    @app.callback(Output("slow", "data"), Input("go", "n_clicks"))
    def ask(_: int) -> Any:
        ran.append(1)
        return stash.session.get("name")

    page = Page(app)
    old = page.cookie
    page.call("in.data", ("login", "n_clicks", 1))
    new = page.cookie
    page.take(old)
    for _ in range(2):
        response = page.post("slow.data", ("go", "n_clicks", 1))
        assert (response.status_code, response.headers["X-Dash-Stash-Replaced"]) == (403, "1")
    assert not ran
    page.take(new)
    assert page.post("slow.data", ("go", "n_clicks", 1)).status_code == 200


def test_a_reference_that_may_be_none_is_refused_too_when_the_cookie_was_replaced(
    app: Dash, stash: Stash
) -> None:
    @app.callback(Output("optional", "data"), Input("a", "data"))
    def use(a: dict[str, Any] | None) -> Any:
        return a

    page = Page(app)
    mine = put(page)
    old = page.cookie
    page.call("in.data", ("login", "n_clicks", 1))
    page.take(old)
    response = page.post("optional.data", ("a", "data", mine))
    assert (response.status_code, response.headers["X-Dash-Stash-Replaced"]) == (403, "1")


def test_a_callback_that_never_asks_who_is_there_is_not_kept_waiting(
    app: Dash, stash: Stash
) -> None:
    app.callback(Output("plain", "data"), Input("go", "n_clicks"))(lambda clicks: clicks)
    page = Page(app)
    assert page.call("plain.data", ("go", "n_clicks", 1)) == 1
    old = page.cookie
    page.call("in.data", ("login", "n_clicks", 1))
    page.take(old)
    assert page.call("plain.data", ("go", "n_clicks", 2)) == 2


def test_a_callback_that_is_awaited_may_ask_later_so_that_it_waits_for_the_proof(
    app: Dash, stash: Stash
) -> None:
    @app.callback(Output("later", "data"), Input("go", "n_clicks"))
    async def ask_later(_: int) -> Any:
        await asyncio.sleep(0)
        return stash.session.get("name")

    page = Page(app)
    old = page.cookie
    assert page.call("later.data", ("go", "n_clicks", 1)) is None
    page.call("in.data", ("login", "n_clicks", 1))
    page.take(old)
    response = page.post("later.data", ("go", "n_clicks", 2))
    assert (response.status_code, response.headers["X-Dash-Stash-Replaced"]) == (403, "1")


def test_what_has_run_is_not_to_be_sent_once_more(app: Dash, stash: Stash) -> None:
    @app.callback(Output("both", "data"), Input("go", "n_clicks"))
    def use(clicks: int) -> Any:
        return stash.session.get("name") if clicks > 1 else None

    page = Page(app)
    old = page.cookie
    page.call("both.data", ("go", "n_clicks", 1))
    page.call("in.data", ("login", "n_clicks", 1))
    page.take(old)
    response = page.post("both.data", ("go", "n_clicks", 2))
    assert response.status_code == 403
    assert "X-Dash-Stash-Replaced" not in response.headers


def test_a_cookie_that_was_logged_out_is_not_replaced(app: Dash, stash: Stash) -> None:
    @app.callback(Output("bye", "data"), Input("logout", "n_clicks"))
    def log_out(_: int) -> None:
        stash.session.clear()

    page = Page(app)
    old = page.cookie
    page.post("bye.data", ("logout", "n_clicks", 1))
    page.take(old)
    response = page.post("made.data", ("make", "n_clicks", 1))
    assert response.status_code == 403
    assert "X-Dash-Stash-Replaced" not in response.headers


# Streams


async def _numbers(stash: Stash) -> AsyncGenerator[Any, None]:
    yield stash.session.modify("n", lambda n: n + 1, default=0)
    yield [
        stash.user.modify("n", lambda n: n + 1, default=0),
        stash.page.modify("n", lambda n: n + 1, default=0),
    ]
    with pytest.raises(NoSession, match="has begun"):
        stash.session.rotate()
    stash.session.clear()
    with pytest.raises(NoSession):
        stash.session["n"] = 1


def test_a_stream_keeps_its_visitor_on_threads_of_dashs_own(url: str) -> None:
    """As in Dash 4.5: the callback returns a generator, which is read elsewhere."""
    app = Dash(__name__)
    app.layout = html.Div()
    stash = Stash(app, url, secret=SECRET, user=lambda: flask.request.headers["X-User"])
    page = Page(app)
    cookie = page.cookie

    async def streams(*_: Any, **__: Any) -> Any:
        return types.SimpleNamespace(frames=_numbers(stash))

    app.callback_map["out.data"] = {"callback": streams, "stream": True, "inputs_state_indices": []}
    headers = {"Cookie": f"{cookie.key}={cookie.value}", "X-User": "ann", **page.headers}
    with app.server.test_request_context(
        "/_dash-update-component", method="POST", headers=headers, json={}
    ):
        app.server.preprocess_request()
        context = AttributeDict(inputs_list=[], states_list=[], background_callback_manager=None)
        streamed = asyncio.run(app._execute_callback(streams, [], [], context)())

    async def taken() -> list[Any]:
        # Each in a task of its own, as Dash does to keep the connection alive meanwhile.
        frames = []
        while (frame := await asyncio.create_task(_next(streamed.frames))) is not None:
            frames.append(frame)
        return frames

    with ThreadPoolExecutor(1) as elsewhere:
        assert must(elsewhere.submit(lambda: asyncio.run(taken())).result(30)) == [1, [1, 1]]


async def _next(frames: Any) -> Any:
    return await anext(frames, None)
