"""Pages and layouts, however and whenever an app makes them."""

from __future__ import annotations

import contextlib
import gzip
import pathlib
from collections.abc import Callable
from typing import Any

import dash
import flask
import pytest
from dash import Dash, Input, Output, dcc, html

from dash_stash import NoSession, Stash
from support import SECRET
from unit.pages import Page


def counting(app: Dash, stash: Stash) -> Dash:
    """Give *app* a callback that counts in its page."""
    app.layout = html.Div(dcc.Store(id="out"))

    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def count(_: int) -> int:
        counted: int = stash.page.modify("n", lambda n: n + 1, default=0)
        return counted

    return app


def counted(page: Page) -> int:
    count: int = page.call("out.data", ("go", "n_clicks", 1))
    return count


# Pages


def _own_page(**parts: Any) -> str:
    body = "".join(parts[name] for name in ("app_entry", "config", "scripts", "renderer"))
    return f"<html><body>mine{body}</body></html>"


class OwnInterpolation(Dash):
    def interpolate_index(self, **parts: Any) -> str:
        return _own_page(**parts)


class OwnIndex(Dash):
    def index(self, *args: Any, **kwargs: Any) -> Any:
        return str(super().index(*args, **kwargs)).replace("<body>", "<body>mine")


def _interpolate_later(app: Dash) -> None:
    app.interpolate_index = _own_page


def _index_string_later(app: Dash) -> None:
    app.index_string = (
        "<html><body>mine{%app_entry%}{%config%}{%scripts%}{%renderer%}</body></html>"
    )


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (OwnInterpolation, None),
        (OwnIndex, None),
        (Dash, _interpolate_later),
        (Dash, _index_string_later),
    ],
    ids=[
        "interpolate_index of a subclass",
        "index of a subclass",
        "interpolate_index set later",
        "index_string set later",
    ],
)
def test_a_page_of_ones_own_gets_the_script(
    kind: type[Dash], change: Callable[[Dash], None] | None, folder: pathlib.Path
) -> None:
    app = kind(__name__)
    counting(app, Stash(app, f"file://{folder}", secret=SECRET))
    if change is not None:
        change(app)
    page = Page(app)
    assert "mine" in page.markup
    assert page.markup.count("page.js") == 1
    assert page.markup.index("page.js") < page.markup.index('id="_dash-config"')
    assert (counted(page), counted(page)) == (1, 2)


def test_a_route_of_ones_own_that_answers_with_the_page_works(folder: pathlib.Path) -> None:
    app = Dash(__name__)
    counting(app, Stash(app, f"file://{folder}", secret=SECRET))
    app.server.add_url_rule("/behind-a-login", view_func=app.index)
    assert counted(Page(app, "/behind-a-login")) == 1


def test_a_page_that_is_compressed_gets_the_script_before(folder: pathlib.Path) -> None:
    app = Dash(__name__)
    counting(app, Stash(app, f"file://{folder}", secret=SECRET))

    @app.server.after_request
    def compress(response: flask.Response) -> flask.Response:
        response.set_data(gzip.compress(response.get_data()))
        response.content_encoding = "gzip"
        return response

    loaded = app.server.test_client().get("/")
    assert b"page.js" in gzip.decompress(loaded.get_data())


def test_a_script_gets_the_nonce_of_the_pages_own(folder: pathlib.Path) -> None:
    app = Dash(__name__)
    counting(app, Stash(app, f"file://{folder}", secret=SECRET))
    interpolate = app.interpolate_index
    app.interpolate_index = lambda **parts: interpolate(**parts).replace(
        "<script", '<script nonce="abc123"'
    )
    script = Page(app).markup.partition("page.js")[2].partition(">")[0]
    assert 'nonce="abc123"' in script


def test_a_head_request_is_answered_like_the_page(folder: pathlib.Path) -> None:
    app = Dash(__name__)
    counting(app, Stash(app, f"file://{folder}", secret=SECRET))
    browser = app.server.test_client()
    head = browser.head("/")
    assert (head.status_code, head.get_data()) == (200, b"")
    assert head.headers["Cache-Control"] == "no-store"
    assert head.headers.getlist("Set-Cookie")


def test_pages_of_other_apps_and_other_answers_stay_as_they_are(folder: pathlib.Path) -> None:
    server = flask.Flask("server")
    app = Dash(__name__, server=server)
    counting(app, Stash(app, f"file://{folder}", secret=SECRET))
    other = Dash("other", server=server, url_base_pathname="/other/")
    other.layout = html.Div()
    quoted = "<html><script id='_dash-config'>this is what Dash has</script></html>"
    streamed = (part for part in ("<script id='_dash-config'>", "</script>"))
    server.add_url_rule("/quoted", "quoted", lambda: quoted)
    server.add_url_rule("/streamed", "streamed", lambda: flask.Response(streamed))
    browser = server.test_client()
    assert "page.js" in browser.get("/").get_data(as_text=True)
    assert "page.js" not in browser.get("/other/").get_data(as_text=True)
    assert browser.get("/quoted").get_data(as_text=True) == quoted
    assert "page.js" not in browser.get("/streamed").get_data(as_text=True)


# Servers that come later


@pytest.mark.parametrize("options", [{}, {"url_base_pathname": "/inner/"}], ids=str)
def test_a_stash_made_before_the_app_has_its_server_works(
    options: dict[str, str], folder: pathlib.Path
) -> None:
    app = Dash(__name__, server=False)
    counting(app, Stash(app, f"file://{folder}", secret=SECRET))
    server = flask.Flask("server")
    app.init_app(
        server,
        **options
        | (
            {"routes_pathname_prefix": "/inner/", "requests_pathname_prefix": "/inner/"}
            if options
            else {}
        ),
    )
    with contextlib.suppress(ValueError):  # Dash 3 registers nothing twice
        app.init_app(server)  # as the pattern of `flask run` does
    path = options.get("url_base_pathname", "/")
    page = Page(app, path)
    assert page.loaded.status_code == 200
    assert f'src="{path}_dash-stash/page.js"' in page.markup
    (header,) = page.loaded.headers.getlist("Set-Cookie")
    assert f"Path={path}" in header.split("; ")


def test_an_app_that_is_moved_to_another_server_works_there(folder: pathlib.Path) -> None:
    app = Dash(__name__)
    counting(app, Stash(app, f"file://{folder}", secret=SECRET))
    app.init_app(flask.Flask("server"))
    assert counted(Page(app)) == 1


# Layouts


def test_a_layout_function_may_use_every_scope_though_dash_calls_it_without_a_request(
    url: str,
) -> None:
    app = Dash(__name__)
    stash = Stash(app, url, secret=SECRET, user=lambda: flask.request.headers["X-User"])
    seen = []

    def layout() -> Any:
        counts = [
            state.modify("n", lambda n: n + 1, default=0)
            for state in (stash.user, stash.session, stash.tab, stash.page)
        ]
        seen.append(counts)
        return html.Div(
            [dcc.Store(id="signal", data=stash.put("mine")), dcc.Store(id="counts", data=counts)]
        )

    app.layout = layout
    assert seen == [[1, 1, 1, 1]]
    assert list(stash._deployment.store.list()) == [], "what was stored for nobody is gone"
    page = Page(app)
    page.browser.environ_base["HTTP_X_USER"] = "ann"
    assert page.layout()["props"]["children"][1]["props"]["data"] == [1, 1, 1, 1]
    assert page.layout()["props"]["children"][1]["props"]["data"] == [2, 2, 2, 2]
    assert seen == [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1], [2, 2, 2, 2]]


def test_the_first_visitor_of_a_process_is_not_the_one_whose_pages_are_validated(url: str) -> None:
    """Dash calls every page's layout in the first request.

    A layout that logs out must not log that visitor out, and none may show that visitor's data.
    """

    def made() -> tuple[Dash, Stash]:
        dash.page_registry.clear()
        app = Dash(__name__, use_pages=True, pages_folder="")
        stash = Stash(app, url, secret=SECRET)

        def goodbye(**_: Any) -> Any:
            stash.session.clear()
            return html.Div("bye")

        def profile(**_: Any) -> Any:
            return html.Div([stash.session.get("name"), stash.put("mine")])

        dash.register_page("home", path="/", layout=profile)
        dash.register_page("logout", path="/logout", layout=goodbye)
        app.layout = html.Div(dash.page_container)
        app.callback(Output("name", "data"), Input("go", "n_clicks"))(
            lambda _: stash.session.setdefault("name", "Ann Onymous")
        )
        return app, stash

    app, _ = made()
    page = Page(app)
    assert page.call("name.data", ("go", "n_clicks", 1)) == "Ann Onymous"
    restarted, _ = made()
    browser = restarted.server.test_client()
    for cookie in page.browser._cookies.values():
        browser.set_cookie(cookie.key, cookie.value)
    again = Page(restarted, browser=browser)
    assert "Ann" not in again.markup
    assert again.call("name.data", ("go", "n_clicks", 1)) == "Ann Onymous", "still logged in"
    dash.page_registry.clear()


def test_a_layout_function_of_ones_own_calling_has_no_session(folder: pathlib.Path) -> None:
    app = Dash(__name__, suppress_callback_exceptions=True)
    stash = Stash(app, f"file://{folder}", secret=SECRET)

    def layout() -> Any:
        return html.Div(stash.session.get("name"))

    app.layout = layout
    with pytest.raises(NoSession):
        layout()


# Routes of ones own


@pytest.fixture
def routed(folder: pathlib.Path) -> tuple[Dash, Stash]:
    app = Dash(__name__)
    stash = Stash(app, f"file://{folder}", secret=SECRET)
    counting(app, stash)

    @app.server.route("/report/<scope>")
    def report(scope: str) -> str:
        return str(getattr(stash, scope).modify("reports", lambda n: n + 1, default=0))

    return app, stash


@pytest.mark.parametrize("scope", ["tab", "page"])
def test_a_route_that_is_followed_by_a_link_has_no_tab_and_page_and_says_so(
    routed: tuple[Dash, Stash], scope: str
) -> None:
    page = Page(routed[0])
    response = page.browser.get(f"/report/{scope}")
    assert response.status_code == 403
    assert f"stash.{scope} needs a {scope}" in response.get_data(as_text=True)
    assert "stash.session" in response.get_data(as_text=True)


@pytest.mark.parametrize("scope", ["session", "tab", "page"])
def test_a_route_that_a_pages_script_asks_knows_its_tab_and_page(
    routed: tuple[Dash, Stash], scope: str
) -> None:
    page = Page(routed[0])
    answers = [
        page.browser.get(f"/report/{scope}", headers=page.headers).get_data(as_text=True)
        for _ in range(2)
    ]
    assert answers == ["1", "2"]


@pytest.mark.parametrize("scope", ["session", "tab", "page"])
def test_a_route_beside_an_apps_path_ends_no_session_and_says_why_it_has_none(
    folder: pathlib.Path, scope: str
) -> None:
    """Browsers send the cookie below the app's path only, but accept another one anywhere."""
    app = Dash(__name__, url_base_pathname="/sales/")
    stash = Stash(app, f"file://{folder}", secret=SECRET)
    counting(app, stash)

    @app.server.route("/report")
    @app.server.route("/sales/report")
    def report() -> str:
        return str(getattr(stash, scope).modify("reports", lambda n: n + 1, default=0))

    page = Page(app, "/sales/")
    assert page.browser.get("/sales/report", headers=page.headers).text == "1"
    beside = page.browser.get("/report", headers=page.headers)
    assert (beside.status_code, beside.headers.getlist("Set-Cookie")) == (403, [])
    assert "url_base_pathname" in beside.text
    assert page.browser.get("/sales/report", headers=page.headers).text == "2"


def test_an_answer_made_of_a_visitors_data_is_kept_in_no_cache_unless_the_app_says_otherwise(
    folder: pathlib.Path,
) -> None:
    app = Dash(__name__)
    stash = Stash(app, f"file://{folder}", secret=SECRET, user=lambda: "ann")
    app.layout = lambda: html.Div(stash.session.get("name"))
    app.callback(Output("out", "data"), Input("go", "n_clicks"))(
        lambda _: stash.session.get("name")
    )

    @app.server.route("/<whose>")
    def report(whose: str) -> Any:
        return str(getattr(stash, whose).get("report")) if whose != "none" else "the same for all"

    @app.server.route("/mine")
    def mine() -> Any:
        response = flask.Response(str(stash.session.get("report")))
        response.headers["Cache-Control"] = "private, max-age=60"
        return response

    page = Page(app)
    said = {
        path: page.browser.get(path).headers.get("Cache-Control")
        for path in ("/_dash-layout", "/session", "/user", "/mine")
    }
    assert said == {
        "/_dash-layout": "no-store",
        "/session": "no-store",
        "/user": "no-store",
        "/mine": "private, max-age=60",
    }
    assert page.post("out.data", ("go", "n_clicks", 1)).headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in page.browser.get("/none").headers
    assert "Cache-Control" not in page.browser.get("/_dash-dependencies").headers
