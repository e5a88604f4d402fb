"""With the store away, pages load, and callbacks that need memo values only are answered.

Nothing is lost for those who are here already.
"""

from __future__ import annotations

import contextlib
import pathlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from dash import Dash, Input, Output, dcc, html

from dash_stash import Ref, Stash, StashError, StoreUnavailable
from dash_stash.testing import ManualClock
from servers import running
from support import SECRET, wait_until
from unit.pages import Page

Away = Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["folder", "server"])
def away_at(
    request: pytest.FixtureRequest, folder: pathlib.Path, tmp_path: pathlib.Path, clock: ManualClock
) -> Iterator[tuple[str, Away]]:
    """A store, and how to take it away for the length of a with block."""
    if request.param == "folder":

        @contextlib.contextmanager
        def without_folder() -> Iterator[None]:
            folder.rename(tmp_path / "elsewhere")
            folder.write_text("a file where the folder was")
            clock.now += 5
            yield
            folder.unlink()
            (tmp_path / "elsewhere").rename(folder)
            clock.now += 5

        yield f"file://{folder}", without_folder
        return
    with running(tmp_path / "redis") as server:
        yield server.url, server.stopped


@pytest.fixture
def away(away_at: tuple[str, Away]) -> Away:
    return away_at[1]


@pytest.fixture
def stash(away_at: tuple[str, Away], clock: ManualClock) -> Stash:
    app = Dash(__name__)
    app.layout = html.Div([dcc.Input(id="i"), html.Div(id="o")])
    stash = Stash(app, away_at[0], secret=SECRET, clock=clock)

    @stash.memo
    def double(text: str) -> str:
        return 2 * text

    @app.callback(Output("o", "children"), Input("i", "value"))
    def show(text: str) -> str:
        return double(text)

    @app.callback(Output("count", "data"), Input("i", "value"))
    def count(_: str) -> int:
        return stash.session.modify("n", lambda n: n + 1, default=0) + 10 * stash.page.modify(
            "n", lambda n: n + 1, default=0
        )

    @app.callback(Output("ref", "data"), Input("i", "value"))
    def put(_: str) -> Ref[int]:
        return stash.put(1)

    @app.callback(Output("rotated", "data"), Input("i", "value"))
    def rotate(_: str) -> int:
        stash.session.rotate()
        return 1

    @app.callback(Output("cleared", "data"), Input("i", "value"))
    def clear(_: str) -> int:
        stash.session.clear()
        return 1

    stash.served = app
    return stash


@pytest.fixture
def app(stash: Stash) -> Dash:
    served: Dash = stash.served  # type: ignore[attr-defined]
    return served


def is_back(page: Page) -> None:
    wait_until(
        lambda: page.post("ref.data", ("i", "value", "a")).status_code == 200,
        "the store is back",
        10,
    )


def test_pages_load_and_memo_callbacks_are_answered(app: Dash, away: Away) -> None:
    old = Page(app)
    assert old.call("count.data", ("i", "value", "a")) == 11
    had = [cookie.value for cookie in old.browser._cookies.values()]
    with away():
        again, new = old.another(), Page(app)
        for page in (again, new):
            assert page.loaded.status_code == 200
            assert page.loaded.headers["Cache-Control"] == "no-store"
            assert not page.loaded.headers.getlist("Set-Cookie"), (
                "no session begins, and none is prolonged"
            )
            layout = page.browser.get("/_dash-layout", headers=page.headers)
            assert (layout.status_code, "X-Dash-Stash-Reload" in layout.headers) == (200, False)
            assert page.call("o.children", ("i", "value", "b")) == "bb"
            assert (
                page.post("count.data", ("i", "value", "a")).status_code == 503
                if page is again
                else 403
            )
            assert page.tell("leave").status_code == page.tell("stay").status_code == 204
        assert again.ids
        assert not new.ids
    is_back(old)
    assert [cookie.value for cookie in old.browser._cookies.values()] == had
    assert again.call("count.data", ("i", "value", "a")) == 12, (
        "the page that was loaded meanwhile belongs to the session"
    )
    assert new.post("count.data", ("i", "value", "a")).status_code == 403
    assert new.another().call("count.data", ("i", "value", "a")) == 11


def test_a_callback_that_needs_the_store_is_refused_in_milliseconds(app: Dash, away: Away) -> None:
    page = Page(app)
    assert page.call("count.data", ("i", "value", "a")) == 11

    def refused() -> float:
        began = time.monotonic()
        assert page.post("count.data", ("i", "value", "a")).status_code == 503
        return time.monotonic() - began

    with away():
        # At first it may be a pause, for which a session waits.
        wait_until(lambda: refused() < 0.05, "nobody waits any more", 3)
        assert min(refused() for _ in range(5)) < 0.05


def test_a_visitor_who_was_here_long_ago_keeps_the_cookie(
    app: Dash, stash: Stash, away: Away, clock: ManualClock
) -> None:
    page = Page(app)
    clock.now += stash._deployment.settings.limits.idle / 2
    with away():
        answer = page.post("o.children", ("i", "value", "b"))
        assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (200, [])
    is_back(page)
    assert page.another().loaded.headers.getlist("Set-Cookie"), "now it lasts longer"


@pytest.mark.parametrize("what", ["rotated", "cleared"])
def test_who_logs_in_or_out_is_told_that_it_could_not_be_done(
    what: str, app: Dash, away: Away
) -> None:
    page = Page(app)
    assert page.call("count.data", ("i", "value", "a")) == 11
    with away():
        answer = page.post(f"{what}.data", ("i", "value", "a"))
        assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (503, [])
    wait_until(
        lambda: page.post(f"{what}.data", ("i", "value", "a")).status_code != 503,
        "the store is back",
        10,
    )


def test_a_layout_that_uses_the_session_says_that_the_store_is_away(
    app: Dash, stash: Stash, away: Away
) -> None:
    told = []

    def layout() -> html.Div:
        try:
            stash.session["seen"] = 1
        except StashError as error:
            told.append(type(error))
        return html.Div()

    page = Page(app)
    app.layout = layout
    with away():
        assert page.browser.get("/_dash-layout", headers=page.headers).status_code == 200
        assert told[-1] is StoreUnavailable


def test_no_answer_shows_a_browser_where_the_store_is(
    url: str, folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = Dash(__name__)
    app.layout = html.Div()
    stash = Stash(app, url, secret=SECRET, max_session_bytes=10_000, max_bytes=50_000)

    @app.callback(Output("ref", "data"), Input("size", "value"))
    def put(size: int) -> Ref[bytes]:
        return stash.put(bytes(size))

    for size in (20_000, 60_000):
        answer = Page(app).post("ref.data", ("size", "value", size))
        assert answer.status_code == 503
        told = f"{answer.get_data(as_text=True)} {answer.headers}"
        assert not any(place in told for place in (str(folder), "127.0.0.1", "redis:"))
        assert "max_session_bytes" in told or "max_bytes" in told
    where = url.removeprefix("file://")
    assert where in caplog.text, "the log has it"
