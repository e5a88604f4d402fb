"""Who is asking: sessions by a cookie, pages and tabs by an id, and what forged ones prove."""

from __future__ import annotations

import base64
import pathlib
import threading
from typing import Any
from urllib.parse import unquote

import dash
import flask
import pytest
from dash import Dash, Input, Output, dcc, html

from dash_stash import NoSession, Stash
from dash_stash.testing import ManualClock
from dash_stash.testing.calls import Caller
from servers import Server
from support import SECRET, sweep
from unit.pages import Page
from unit.visiting import at_once


@pytest.fixture
def stash(app: Dash, url: str, clock: ManualClock) -> Stash:
    """A stash, and callbacks that count what a session and a page did."""
    made = Stash(app, url, secret=SECRET, clock=clock)

    @app.callback(Output("session", "data"), Input("go", "n_clicks"))
    def count_in_session(_: int) -> int:
        counted: int = made.session.modify("n", lambda n: n + 1, default=0)
        return counted

    @app.callback(Output("page", "data"), Input("go", "n_clicks"))
    def count_in_page(_: int) -> int:
        counted: int = made.page.modify("n", lambda n: n + 1, default=0)
        return counted

    return made


def clicked(page: Page, output: str = "session") -> int:
    count: int = page.call(f"{output}.data", ("go", "n_clicks", 1))
    return count


# Cookies


def test_a_page_gives_its_browser_a_cookie_that_scripts_and_other_sites_cannot_use(
    app: Dash, stash: Stash
) -> None:
    (header,) = Page(app).loaded.headers.getlist("Set-Cookie")
    assert header.startswith("dash_stash_")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(header.split("; "))
    assert "Secure" not in header
    assert "Expires" not in header


def test_over_https_the_cookie_stays_there(app: Dash, stash: Stash) -> None:
    (header,) = (
        app.server.test_client()
        .get("/", base_url="https://example.org")
        .headers.getlist("Set-Cookie")
    )
    assert "Secure" in header.split("; ")


def test_a_browser_that_has_a_cookie_gets_no_other(app: Dash, stash: Stash) -> None:
    assert not Page(app).another().loaded.headers.getlist("Set-Cookie")


def test_a_page_is_kept_in_no_cache(app: Dash, stash: Stash) -> None:
    page = Page(app)
    for response in (page.loaded, page.another().loaded):
        assert response.headers["Cache-Control"] == "no-store"


def test_every_browser_is_a_session_of_its_own(app: Dash, stash: Stash) -> None:
    mine, theirs = Page(app), Page(app)
    assert mine.cookie.value != theirs.cookie.value
    assert [clicked(mine), clicked(mine), clicked(theirs), clicked(mine.another())] == [1, 2, 1, 3]


def test_an_id_has_128_random_bits_and_its_seal_as_many(app: Dash, stash: Stash) -> None:
    pages = [Page(app) for _ in range(8)]
    cookies = [_bytes(page.cookie.value) for page in pages]
    # Between them, the number of this cookie, and when it was issued.
    assert {len(cookie) for cookie in cookies} == {16 + 8 + 4 + 16}
    ids = [_bytes(text) for page in pages for text in (page.id, page.tab)]
    assert {len(one) for one in ids} == {16 + 16}
    for proofs in (cookies, ids):
        for place in (*range(16), *range(-16, 0)):
            assert len({proof[place] for proof in proofs}) > 1, "it is random"


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_cookies_of_apps_under_other_paths_do_not_meet(url: str) -> None:
    headers = []
    for prefix in ("/one/", "/two/"):
        app = Dash(__name__, url_base_pathname=prefix)
        app.layout = html.Div()
        Stash(app, url, secret=SECRET)
        (header,) = app.server.test_client().get(prefix).headers.getlist("Set-Cookie")
        assert f"Path={prefix}" in header.split("; ")
        headers.append(header.partition("=")[0])
    assert headers[0] != headers[1]


def test_only_pages_of_the_app_set_cookies(app: Dash, stash: Stash) -> None:
    @app.server.route("/other")
    def other() -> str:
        return "<html><body>mine</body></html>"

    page = Page(app)
    for path in (
        "/other",
        "/_dash-layout",
        "/_dash-dependencies",
        "/_favicon.ico",
        "/_dash-stash/page.js",
    ):
        response = app.server.test_client().get(path)
        assert "Set-Cookie" not in response.headers, path
    assert page.browser.get("/other").get_data(as_text=True) == "<html><body>mine</body></html>"


@pytest.mark.parametrize(
    "forge",
    [
        lambda value: "A" * len(value),
        lambda value: value[:-8],
        lambda value: value[:20] + ("B" if value[20] == "A" else "A") + value[21:],
    ],
)
def test_a_forged_cookie_is_no_session_and_the_next_page_gives_a_new_one(
    app: Dash, stash: Stash, forge: Any
) -> None:
    page = Page(app)
    assert clicked(page) == 1
    had = page.cookie
    forged = forge(had.value)
    page.browser.set_cookie(had.key, forged)
    response = page.post("session.data", ("go", "n_clicks", 1))
    assert response.status_code == 403
    again = page.another()
    assert again.loaded.headers.getlist("Set-Cookie")
    assert again.cookie.value not in (forged, had.value)
    assert clicked(again) == 1


@pytest.mark.parametrize("value", ["", "ä", "=", "A" * 3000, "!" * 43, "%00", "\x7f"])
def test_a_cookie_of_anything_is_no_session(app: Dash, stash: Stash, value: str) -> None:
    page = Page(app)
    page.browser.set_cookie(page.cookie.key, value)
    assert page.post("session.data", ("go", "n_clicks", 1)).status_code == 403
    assert page.another().loaded.status_code == 200


def test_a_callback_without_a_cookie_says_what_to_do(app: Dash, stash: Stash) -> None:
    page = Page(app)
    page.browser._cookies.clear()
    response = page.post("session.data", ("go", "n_clicks", 1))
    assert response.status_code == 403
    assert "reload the page" in response.get_data(as_text=True)
    assert "Set-Cookie" not in response.headers


def test_another_deployments_cookie_is_no_session(
    app: Dash, stash: Stash, tmp_path: pathlib.Path
) -> None:
    other = Dash(__name__)
    other.layout = html.Div()
    Stash(other, f"file://{tmp_path}/other")
    page = Page(app)
    page.browser.set_cookie(page.cookie.key, Page(other).cookie.value)
    assert page.post("session.data", ("go", "n_clicks", 1)).status_code == 403


def test_neither_the_store_nor_a_reference_holds_the_id_of_a_session(
    app: Dash, stash: Stash, url: str, folder: pathlib.Path, server: Server
) -> None:
    page = Page(app)
    clicked(page)
    clicked(page, "page")
    raw = base64.urlsafe_b64decode(page.cookie.value + "=")[:16]
    contents = (
        [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
        if url.startswith("file:")
        else server.dump()
    )
    assert len(contents) > 2
    for content in contents:
        assert raw not in content
        assert raw.hex().encode() not in content


# Pages


def test_each_load_of_a_page_is_a_page_of_its_own(app: Dash, stash: Stash) -> None:
    first = Page(app)
    second = first.another()
    assert first.id != second.id
    assert [
        clicked(first, "page"),
        clicked(first, "page"),
        clicked(second, "page"),
        clicked(first, "page"),
    ] == [1, 2, 1, 3]


@pytest.mark.parametrize(
    "forge",
    [
        lambda page: "",
        lambda page: "A" * 44,
        lambda page: page.id[:-8],
        lambda page: Page(page.app).id,
    ],
)
def test_a_page_id_that_is_forged_or_another_sessions_is_no_page(
    app: Dash, stash: Stash, forge: Any
) -> None:
    page = Page(app)
    page.id = forge(page)
    response = page.post("page.data", ("go", "n_clicks", 1))
    assert response.status_code == 403
    assert "stash.page needs a page" in response.get_data(as_text=True)
    assert clicked(page) == 1


def test_the_script_that_sends_the_page_id_comes_before_dashs_own(app: Dash, stash: Stash) -> None:
    page = Page(app)
    tag = f'<script src="/_dash-stash/page.js" data-ids="{page.ids}" data-prefix="/"></script>'
    assert tag in page.markup
    assert (
        page.markup.index(tag)
        < page.markup.index("_dash-config")
        < page.markup.index("_dash-renderer")
    )
    script = page.browser.get("/_dash-stash/page.js")
    assert script.status_code == 200
    assert script.mimetype == "text/javascript"
    assert "X-Dash-Stash" in script.get_data(as_text=True)
    assert page.id not in script.get_data(as_text=True)


def test_under_a_prefix_the_script_is_served_there(url: str) -> None:
    app = Dash(__name__, routes_pathname_prefix="/inner/", requests_pathname_prefix="/outer/inner/")
    app.layout = html.Div()
    Stash(app, url, secret=SECRET)
    markup = app.server.test_client().get("/inner/").get_data(as_text=True)
    assert 'src="/outer/inner/_dash-stash/page.js"' in markup
    assert 'data-prefix="/outer/inner/"' in markup
    assert app.server.test_client().get("/inner/_dash-stash/page.js").status_code == 200


def test_a_page_of_ones_own_index_string_works(app: Dash, stash: Stash) -> None:
    app.index_string = (
        "<!DOCTYPE html><html><head>{%css%}</head>"
        "<body>mine{%app_entry%}{%config%}{%scripts%}{%renderer%}</body></html>"
    )
    assert clicked(Page(app), "page") == 1


# Layouts


def test_a_layout_that_is_a_function_knows_session_and_page_from_the_first_request_on(
    url: str,
) -> None:
    """Dash also calls it before the first request, when that browser cannot have a cookie."""
    # Else it is called at the assignment, where nobody is asking.
    app = Dash(__name__, suppress_callback_exceptions=True)
    stash = Stash(app, url, secret=SECRET)

    def layout() -> Any:
        counts = [
            state.modify("loads", lambda n: n + 1, default=0)
            for state in (stash.session, stash.page)
        ]
        return html.Div(
            [
                dcc.Store(id="counts", data=counts),
                dcc.Store(id="signal", data=stash.put("for this session")),
            ]
        )

    app.layout = layout

    @app.callback(Output("shown", "data"), Input("signal", "data"))
    def show(value: Any) -> Any:
        return value

    page, fresh = Page(app), Page(app)
    assert (page.loaded.status_code, fresh.loaded.status_code) == (200, 200)
    first, second, third = (
        loaded["props"]["children"]
        for loaded in (page.layout(), page.layout(), page.another().layout())
    )
    (session, load), signal = (child["props"]["data"] for child in first)
    assert second[0]["props"]["data"] == [session + 1, load + 1]
    assert third[0]["props"]["data"] == [session + 2, 1]
    assert page.call("shown.data", ("signal", "data", signal)) == "for this session"
    assert fresh.post("shown.data", ("signal", "data", signal)).status_code == 403


def test_an_app_of_many_pages_works(url: str) -> None:
    dash.page_registry.clear()
    app = Dash(__name__, use_pages=True, pages_folder="", suppress_callback_exceptions=True)
    stash = Stash(app, url, secret=SECRET)

    def layout(**_: Any) -> Any:
        visits = (
            stash.session.modify("visits", lambda n: n + 1, default=0)
            if flask.has_request_context()
            else 0
        )
        return html.Div([dcc.Store(id="signal", data=stash.put(visits)) if visits else None])

    dash.register_page("home", path="/", layout=layout)
    dash.register_page("city", path_template="/city/<name>", layout=layout)
    app.layout = html.Div([dash.page_container])

    @app.callback(Output("shown", "data"), Input("signal", "data"))
    def show(value: Any) -> Any:
        return value

    page = Page(app, "/city/berlin")
    assert page.id
    outputs = ["_pages_content.children", "_pages_store.data"]
    signals = []
    for path in ("/", "/city/berlin"):
        content = page.call(
            outputs, ("_pages_location", "pathname", path), ("_pages_location", "search", "")
        )[0]
        signals.append(content["props"]["children"][0]["props"]["data"])
    assert [page.call("shown.data", ("signal", "data", signal)) for signal in signals] == [1, 2]
    dash.page_registry.clear()


# Beyond requests


def test_after_a_request_nobody_is_asking(app: Dash, stash: Stash) -> None:
    clicked(Page(app))
    with pytest.raises(NoSession):
        stash.session["n"]


def test_a_thread_that_a_callback_starts_is_nobody(app: Dash, stash: Stash) -> None:
    seen: list[object] = []

    def look() -> None:
        try:
            seen.append(dict(stash.session))
        except NoSession as error:
            seen.append(error.scope)

    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def use(_: int) -> None:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    Page(app).call("out.data", ("go", "n_clicks", 1))
    assert seen == ["session"]


def test_sessions_of_requests_at_the_same_time_do_not_mix(app: Dash, stash: Stash) -> None:
    together = threading.Barrier(8)

    @app.callback(Output("out", "data"), Input("name", "value"))
    def use(name: str) -> Any:
        stash.session["name"] = name
        together.wait(30)
        return stash.session["name"]

    pages = [Page(app) for _ in range(8)]
    callers = at_once(8, lambda n: pages[n].call("out.data", ("name", "value", f"visitor {n}")))
    assert [caller.result() for caller in callers] == [f"visitor {n}" for n in range(8)]


def test_a_request_made_within_a_callback_leaves_it_its_session(app: Dash, stash: Stash) -> None:
    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def use(_: int) -> Any:
        stash.session["a"] = 1
        app.server.test_client().get("/_dash-dependencies")
        return stash.session["a"]

    assert Page(app).call("out.data", ("go", "n_clicks", 1)) == 1


# Tabs


@pytest.fixture
def scoped(app: Dash, stash: Stash) -> Dash:
    """The app, with callbacks that count in a tab, log out and in, and work slowly."""

    @app.callback(Output("tab", "data"), Input("go", "n_clicks"))
    def count_in_tab(_: int) -> int:
        counted: int = stash.tab.modify("n", lambda n: n + 1, default=0)
        return counted

    @app.callback(Output("out", "data"), Input("logout", "n_clicks"))
    def log_out(_: int) -> str:
        stash.session.clear()
        return "bye"

    @app.callback(Output("in", "data"), Input("login", "n_clicks"))
    def log_in(_: int) -> str:
        stash.session.rotate()
        return "hello"

    @app.callback(Output("ref", "data"), Input("put", "n_clicks"))
    def put(_: int) -> str:
        return stash.put("mine")

    @app.callback(Output("value", "data"), Input("ref", "data"))
    def get(value: Any) -> Any:
        return value

    return app


def test_a_tab_keeps_its_data_when_it_is_reloaded_and_another_has_its_own(scoped: Dash) -> None:
    tab = Page(scoped)
    assert [
        clicked(tab, "tab"),
        clicked(tab.reloaded(), "tab"),
        clicked(tab.another(), "tab"),
        clicked(tab, "tab"),
    ] == [1, 2, 1, 3]


def test_the_tab_of_another_session_is_no_tab(scoped: Dash) -> None:
    mine, theirs = Page(scoped), Page(scoped)
    theirs.tab = mine.tab
    assert theirs.post("tab.data", ("go", "n_clicks", 1)).status_code == 403


# A server removes by its own clock: see the next test, and test_redis_sessions.py.
@pytest.mark.parametrize("url", ["folder"], indirect=True)
def test_the_data_of_a_closed_page_and_tab_goes_and_that_of_a_reloaded_tab_stays(
    scoped: Dash, stash: Stash, clock: ManualClock
) -> None:
    closed, reloaded = Page(scoped), Page(scoped)
    for page in (closed, reloaded):
        clicked(page, "tab")
        clicked(page, "page")
        assert page.tell("leave").status_code == 204
    clock.now += 29
    sweep(stash._deployment.store)
    assert len(stash._deployment.store.list()) == 4, "half a minute is not over"
    reloaded.reloaded().tell("stay")
    clock.now += 2
    sweep(stash._deployment.store)
    (left,) = stash._deployment.store.list()
    assert "/tab:" in left.owner
    assert clicked(reloaded, "tab") == 2


@pytest.mark.parametrize("url", ["server"], indirect=True)
def test_on_a_server_the_data_of_a_closed_page_lives_for_half_a_minute(
    scoped: Dash, stash: Stash, server: Server
) -> None:
    page = Page(scoped)
    clicked(page, "page")
    (stored,) = stash._deployment.store.list()
    assert page.tell("leave").status_code == 204
    with server.client() as client:
        names = list(client.scan_iter(f"*{stored.key.hex()}*", count=1000))
        lives = [client.pttl(name) for name in names]
    assert 29_000 < max(lives) <= 30_000


@pytest.mark.parametrize("body", ["", ".", "a.b", "A" * 43 + "." + "A" * 43, "x" * 10_000_000])
def test_nobody_closes_a_page_by_guessing(scoped: Dash, stash: Stash, body: str) -> None:
    page = Page(scoped)
    assert page.browser.post("/_dash-stash/leave", data=body).status_code == 204
    assert (
        scoped.server.test_client()
        .post("/_dash-stash/leave", data=f"{page.id}.{page.tab}")
        .status_code
        == 204
    )
    assert "data-ids" in page.browser.get("/_dash-stash/leave").get_data(
        as_text=True
    )  # Dash shows its page at every other path


# Logging in and out


def test_logging_out_deletes_everything_and_gives_the_browser_a_new_session(
    scoped: Dash, stash: Stash
) -> None:
    page = Page(scoped)
    ref = page.call("ref.data", ("put", "n_clicks", 1))
    for scope in ("session", "tab", "page"):
        assert clicked(page, scope) == 1
    before = page.cookie.value
    response = page.post("out.data", ("logout", "n_clicks", 1))
    assert page.cookie.value != before
    assert response.headers["Cache-Control"] == "no-store"
    assert list(stash._deployment.store.list()) == []
    page.id, page.tab, session = response.headers["X-Dash-Stash"].split(".")
    assert session != page.session
    for scope in ("session", "tab", "page"):
        assert clicked(page, scope) == 1
    assert page.post("value.data", ("ref", "data", ref)).status_code == 403


def test_what_is_stored_after_logging_out_in_the_same_request_is_the_new_sessions(
    scoped: Dash, stash: Stash
) -> None:
    @scoped.callback(Output("again", "data"), Input("go", "n_clicks"))
    def start_again(_: int) -> list[str]:
        stash.session["before"] = stash.page["before"] = 1
        stash.session.clear()
        stash.session["after"] = stash.page["after"] = 1
        return [*stash.session, *stash.page]

    page = Page(scoped)
    assert page.call("again.data", ("go", "n_clicks", 1)) == ["after", "after"]


def test_what_a_browser_had_before_logging_out_opens_nothing(scoped: Dash) -> None:
    page = Page(scoped)
    ref, old = page.call("ref.data", ("put", "n_clicks", 1)), page.cookie
    ids = page.id, page.tab
    page.call("out.data", ("logout", "n_clicks", 1))
    page.take(old)
    page.id, page.tab = ids
    for call in (
        ("value.data", ("ref", "data", ref)),
        ("session.data", ("go", "n_clicks", 1)),
        ("tab.data", ("go", "n_clicks", 1)),
    ):
        assert page.post(*call).status_code == 403
    assert page.another().loaded.headers.getlist("Set-Cookie"), "it gets a session of its own"


def test_a_slow_request_brings_nothing_back_after_logging_out(scoped: Dash, stash: Stash) -> None:
    entered, released = threading.Event(), threading.Event()

    @scoped.callback(Output("slow", "data"), Input("slowly", "n_clicks"))
    def work_slowly(_: int) -> str:
        stash.session["before"] = 1
        entered.set()
        assert released.wait(30)
        with pytest.raises(NoSession):
            stash.session["after"] = 1
        with pytest.raises(NoSession):
            stash.put("after")
        return "done"

    page = Page(scoped)
    slow = Caller(lambda: page.another().post("slow.data", ("slowly", "n_clicks", 1)))
    assert entered.wait(30)
    page.call("out.data", ("logout", "n_clicks", 1))
    released.set()
    assert slow.result().status_code == 200
    assert list(stash._deployment.store.list()) == []


def test_a_slow_request_that_renews_its_cookie_does_not_bring_it_back_after_logging_out(
    scoped: Dash, stash: Stash, clock: ManualClock
) -> None:
    entered, released = threading.Event(), threading.Event()

    @scoped.callback(Output("slow", "data"), Input("slowly", "n_clicks"))
    def work_slowly(_: int) -> str:
        entered.set()
        assert released.wait(30)
        return "done"

    page = Page(scoped)
    other = page.another()
    clock.now += stash._deployment.settings.limits.idle / 2
    slow = Caller(lambda: other.post("slow.data", ("slowly", "n_clicks", 1)))
    assert entered.wait(30)
    page.call("out.data", ("logout", "n_clicks", 1))
    after = page.cookie.value
    released.set()
    assert slow.result().headers.getlist("Set-Cookie") == []
    assert page.cookie.value == after


def test_logging_in_keeps_the_data_and_makes_a_planted_cookie_worthless(scoped: Dash) -> None:
    victim = Page(scoped)
    planted = victim.cookie
    ref = victim.call("ref.data", ("put", "n_clicks", 1))
    assert clicked(victim, "page") == 1
    victim.call("in.data", ("login", "n_clicks", 1))
    assert victim.cookie.value != planted.value
    assert (clicked(victim, "page"), victim.call("value.data", ("ref", "data", ref))) == (2, "mine")
    attacker = Page(scoped)
    attacker.take(planted)
    assert attacker.post("session.data", ("go", "n_clicks", 1)).status_code == 403
    assert attacker.post("value.data", ("ref", "data", ref)).status_code == 403


# Time


HOUR = 3600.0


# A server removes by its own clock.
@pytest.mark.parametrize("url", ["folder"], indirect=True)
def test_a_session_is_kept_for_twelve_hours_after_its_last_use(
    scoped: Dash, stash: Stash, clock: ManualClock
) -> None:
    page = Page(scoped)
    assert clicked(page) == 1
    for _ in range(3):
        clock.now += 12 * HOUR - 60
        sweep(stash._deployment.store)
        assert len(stash._deployment.store.list()) == 1
        page.another()
    clock.now += 12 * HOUR + 60
    sweep(stash._deployment.store)
    assert list(stash._deployment.store.list()) == []


def test_a_cookie_is_issued_anew_after_a_tenth_of_the_idle_time(
    scoped: Dash, clock: ManualClock
) -> None:
    page = Page(scoped)
    clock.now += 12 * HOUR / 10
    assert not page.another().loaded.headers.getlist("Set-Cookie")
    clock.now += 61
    assert page.another().loaded.headers.getlist("Set-Cookie")
    assert not page.another().loaded.headers.getlist("Set-Cookie")


def test_a_cookie_proves_its_session_for_a_tenth_longer_and_what_clocks_may_differ(
    scoped: Dash, clock: ManualClock
) -> None:
    page = Page(scoped)
    old, issued = page.cookie, clock.now
    assert clicked(page) == 1
    for later, status in ((13.2 * HOUR + 300, 200), (13.2 * HOUR + 301, 403)):
        clock.now = issued + later
        page.take(old)
        assert page.post("session.data", ("go", "n_clicks", 1)).status_code == status


@pytest.mark.parametrize(("ahead", "status"), [(299, 200), (301, 403)])
def test_a_cookie_from_more_than_5_minutes_ahead_proves_nothing(
    ahead: int, status: int, scoped: Dash, clock: ManualClock
) -> None:
    page = Page(scoped)
    clock.now -= ahead
    assert page.post("session.data", ("go", "n_clicks", 1)).status_code == status


@pytest.mark.parametrize("url", ["folder"], indirect=True)
def test_a_cookie_lasts_while_it_is_used_and_ends_when_it_is_not(
    url: str, clock: ManualClock
) -> None:
    app = Dash(__name__)
    app.layout = html.Div()
    stash = Stash(app, url, secret=SECRET, idle="1h", clock=clock)

    @app.callback(Output("session", "data"), Input("go", "n_clicks"))
    def count(_: int) -> int:
        counted: int = stash.session.modify("n", lambda n: n + 1, default=0)
        return counted

    page = Page(app)
    for number in range(10):
        assert clicked(page) == number + 1
        clock.now += 1500
        sweep(stash._deployment.store)
    clock.now += 3600
    sweep(stash._deployment.store)
    assert list(stash._deployment.store.list()) == []
    assert page.post("session.data", ("go", "n_clicks", 1)).status_code == 403


@pytest.mark.parametrize("url", ["folder"], indirect=True)
@pytest.mark.parametrize(("rotates", "cookies"), [(False, 0), (True, 1)])
def test_if_the_store_goes_away_during_a_request_only_a_cookie_that_replaces_another_is_set(
    scoped: Dash,
    stash: Stash,
    folder: pathlib.Path,
    clock: ManualClock,
    rotates: bool,
    cookies: int,
) -> None:
    """One that was only issued anew may have ended; without the other the browser has none."""

    @scoped.callback(Output("gone", "data"), Input("go", "n_clicks"))
    def lose_the_store(_: int) -> int:
        if rotates:
            stash.session.rotate()
        folder.rename(folder.with_name("elsewhere"))
        folder.write_text("a file where the folder was")
        clock.now += 5
        return 1

    page = Page(scoped)
    clock.now += 6 * HOUR
    response = page.post("gone.data", ("go", "n_clicks", 1))
    assert (response.status_code, len(response.headers.getlist("Set-Cookie"))) == (200, cookies)


# Users


def test_a_user_has_the_same_data_in_every_browser_and_nobody_has_none(url: str) -> None:
    app = Dash(__name__)
    app.layout = html.Div()
    stash = Stash(app, url, secret=SECRET, user=lambda: flask.request.headers.get("X-User"))

    @app.callback(Output("user", "data"), Input("go", "n_clicks"))
    def count(_: int) -> int:
        counted: int = stash.user.modify("n", lambda n: n + 1, default=0)
        return counted

    def clicked_as(user: str) -> int:
        page = Page(app)
        page.browser.environ_base["HTTP_X_USER"] = user
        return clicked(page, "user")

    assert [clicked_as("ann"), clicked_as("bob"), clicked_as("ann")] == [1, 1, 2]
    page = Page(app)
    page.browser.environ_base["HTTP_X_USER"] = ""
    response = page.post("user.data", ("go", "n_clicks", 1))
    assert (response.status_code, "Stash(user=...)" in response.get_data(as_text=True)) == (
        403,
        True,
    )
    assert not any("ann" in listed.owner for listed in stash._deployment.store.list())


# What the reader is told


def test_a_page_whose_data_is_gone_is_told_so(scoped: Dash, stash: Stash) -> None:
    page = Page(scoped)
    ref = page.call("ref.data", ("put", "n_clicks", 1))
    for listed in stash._deployment.store.list():
        stash._deployment.store.delete(listed.key)
    response = page.post("value.data", ("ref", "data", ref))
    assert response.status_code == 410
    assert (
        unquote(response.headers["X-Dash-Stash-Notice"])
        == "The data of this page has expired. Reload it to go on."
    )


def test_an_app_says_it_in_its_own_words(app: Dash, url: str) -> None:
    Stash(app, url, secret=SECRET, on_expired=lambda error: f"Zu spät: {type(error).__name__}")

    @app.callback(Output("value", "data"), Input("ref", "data"))
    def get(value: Any) -> Any:
        return value

    response = Page(app).post("value.data", ("ref", "data", "stash:" + "A" * 80))
    assert unquote(response.headers["X-Dash-Stash-Notice"]) == "Zu spät: RefInvalid"


def test_a_page_that_lost_the_race_for_the_first_cookie_is_loaded_again(scoped: Dash) -> None:
    browser = Page(scoped)
    late = Page(scoped, browser=browser.browser)
    late.id = Page(scoped).id  # as if it had been loaded before the browser had that cookie
    assert (
        late.browser.get("/_dash-layout", headers=late.headers).headers["X-Dash-Stash-Reload"]
        == "1"
    )
    assert (
        "X-Dash-Stash-Reload"
        not in browser.browser.get("/_dash-layout", headers=browser.headers).headers
    )


# Frames of other sites


def test_a_page_in_another_sites_frame_keeps_its_session_if_the_app_allows_that(
    app: Dash, url: str
) -> None:
    Stash(app, url, secret=SECRET, cross_site=True)
    (header,) = Page(app).loaded.headers.getlist("Set-Cookie")
    assert {"HttpOnly", "Secure", "SameSite=None", "Partitioned"} <= set(header.split("; "))
