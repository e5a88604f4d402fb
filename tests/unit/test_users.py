"""Who the user is, as the libraries that log users in say it."""

from __future__ import annotations

import base64
import re
from typing import Any

import dash_auth
import flask
import flask_login
from dash import Dash, Input, Output, dcc, html
from werkzeug.middleware.proxy_fix import ProxyFix

from dash_stash import Stash
from support import SECRET
from unit.pages import Page


def _count(app: Dash, stash: Stash) -> list[str]:
    """Let the app's callback count for the user and in the session.

    Return whom its memo function was computed for.
    """
    computed: list[str] = []

    @stash.memo(scope="user", ignore="computed")
    def name() -> str:
        computed.append("somebody")
        return "computed once for each"

    @app.callback(Output("seen", "data"), Input("go", "n_clicks"))
    def count(_: int) -> list[int]:
        name()
        return [
            scope.modify("n", lambda n: n + 1, default=0) for scope in (stash.user, stash.session)
        ]

    return computed


def _seen(page: Page) -> Any:
    return page.call("seen.data", ("go", "n_clicks", 1))


class _Member(flask_login.UserMixin):
    def __init__(self, name: str) -> None:
        self.id = name


def test_flask_login(app: Dash, url: str) -> None:
    flask_login.LoginManager(app.server).user_loader(_Member)
    stash = Stash(app, url, secret=SECRET, user=lambda: flask_login.current_user.get_id())  # noqa: PLW0108 (who is current changes)
    computed = _count(app, stash)

    @app.callback(Output("in", "data"), Input("name", "value"))
    def log_in(name: str) -> bool:
        stash.session.rotate()
        return bool(flask_login.login_user(_Member(name)))

    @app.callback(Output("out", "data"), Input("leave", "n_clicks"))
    def log_out(_: int) -> bool:
        stash.session.clear()
        return bool(flask_login.logout_user())

    def stash_cookie(page: Page) -> str:
        (value,) = (
            cookie.value
            for cookie in page.browser._cookies.values()
            if cookie.key.startswith("dash_stash")
        )
        return str(value)

    ann, bob, ann_elsewhere = Page(app), Page(app), Page(app)
    assert ann.post("seen.data", ("go", "n_clicks", 1)).status_code == 403, "nobody is logged in"
    for page, name in ((ann, "ann"), (bob, "bob"), (ann_elsewhere, "ann")):
        before = stash_cookie(page)
        assert page.call("in.data", ("name", "value", name)) is True
        assert stash_cookie(page) != before
    assert [_seen(page) for page in (ann, bob, ann_elsewhere, ann)] == [
        [1, 1],
        [1, 1],
        [2, 1],
        [3, 2],
    ]
    assert len(computed) == 2
    response = ann.post("out.data", ("leave", "n_clicks", 1))
    ann.id, ann.tab, _ = response.headers["X-Dash-Stash"].split(".")
    assert ann.post("seen.data", ("go", "n_clicks", 1)).status_code == 403
    assert ann.call("in.data", ("name", "value", "ann")) is True
    assert _seen(ann) == [4, 1], "the user is the same, the session is new"


def test_dash_auth(app: Dash, url: str) -> None:
    # Flask's session would do as well; what the browser sends is what BasicAuth has checked.
    stash = Stash(
        app, url, secret=SECRET, user=lambda: (flask.session.get("user") or {}).get("email")
    )
    computed = _count(app, stash)
    dash_auth.BasicAuth(app, {"ann": "secret of ann", "bob": "secret of bob"})

    def logged_in(name: str, password: str) -> Page:
        browser = app.server.test_client()
        browser.environ_base["HTTP_AUTHORIZATION"] = (
            "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
        )
        return Page(app, browser=browser)

    ann, bob, ann_elsewhere = (
        logged_in(name, f"secret of {name}") for name in ("ann", "bob", "ann")
    )
    assert [_seen(page) for page in (ann, bob, ann_elsewhere, ann)] == [
        [1, 1],
        [1, 1],
        [2, 1],
        [3, 2],
    ]
    assert len(computed) == 2
    intruder = logged_in("ann", "guessed")
    assert (intruder.loaded.status_code, intruder.ids) == (401, "")


def test_a_proxy_that_says_who_it_is_and_serves_the_app_under_a_path_over_https(url: str) -> None:
    app = Dash(__name__, requests_pathname_prefix="/sales/", routes_pathname_prefix="/")
    app.layout = html.Div([dcc.Store(id="seen")])
    app.server.wsgi_app = ProxyFix(app.server.wsgi_app)
    stash = Stash(
        app, url, secret=SECRET, user=lambda: flask.request.headers.get("X-Forwarded-User")
    )
    _count(app, stash)

    def behind_proxy(name: str) -> Page:
        browser = app.server.test_client(use_cookies=False)
        browser.environ_base |= {
            "HTTP_X_FORWARDED_USER": name,
            "HTTP_X_FORWARDED_PROTO": "https",
            "HTTP_X_FORWARDED_FOR": "192.0.2.1",
        }
        page = Page(app, browser=browser)
        set_cookie = page.loaded.headers["Set-Cookie"]
        assert re.search("; Secure; HttpOnly; Path=/sales/; SameSite=Lax", set_cookie)
        browser.environ_base["HTTP_COOKIE"] = set_cookie.partition(";")[0]
        return page

    ann, bob, ann_elsewhere = (behind_proxy(name) for name in ("ann", "bob", "ann"))
    assert 'src="/sales/_dash-stash/page.js"' in ann.markup
    assert [_seen(page) for page in (ann, bob, ann_elsewhere, ann)] == [
        [1, 1],
        [1, 1],
        [2, 1],
        [3, 2],
    ]
    assert ann.tell("leave").status_code == 204
