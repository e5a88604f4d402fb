"""What `Stash(app)` takes, and what it refuses at start-up."""

from __future__ import annotations

import pathlib
from typing import Any, Literal

import flask
import pytest
from dash import Dash, Input, Output, html

from dash_stash import ConfigError, Ref, Stash
from unit.pages import Page


class AnotherBackend:
    """A server that is no Flask app, as Dash has with its other backends."""


def test_an_apps_second_stash_is_refused(folder: pathlib.Path) -> None:
    app = Dash(__name__)
    Stash(app, f"file://{folder}")
    with pytest.raises(ConfigError, match="already has a Stash"):
        Stash(app, f"file://{folder}")


@pytest.mark.parametrize("url", [None, "here"])
@pytest.mark.parametrize(
    "app",
    [flask.Flask("server"), "file:///srv/cache", 7, AnotherBackend()],
    ids=lambda app: type(app).__name__,
)
def test_what_is_no_dash_app_is_refused(app: Any, url: str | None, folder: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match=rf"a dash.Dash, not a {type(app).__name__}"):
        Stash(app, url and f"file://{folder}")


def test_another_backend_is_refused(folder: pathlib.Path) -> None:
    app = Dash(__name__)
    app.server = AnotherBackend()
    with pytest.raises(ConfigError, match=r'AnotherBackend is not supported yet.*backend="flask"'):
        Stash(app, f"file://{folder}")


def test_a_dash_without_the_seam_is_refused(folder: pathlib.Path) -> None:
    class OldDash(Dash):
        @property
        def _execute_callback(self) -> Any:
            raise AttributeError

    with pytest.raises(ConfigError, match=r"needs dash 3\.2 or newer"):
        Stash(OldDash(__name__), f"file://{folder}")


def test_a_refused_app_is_left_as_it_was(folder: pathlib.Path) -> None:
    app = Dash(__name__)
    server, app.server = app.server, AnotherBackend()
    with pytest.raises(ConfigError):
        Stash(app, f"file://{folder}")
    app.server = server
    Stash(app, f"file://{folder}")


def test_the_secret_of_the_wrong_app_is_not_made(home: pathlib.Path) -> None:
    with pytest.raises(ConfigError):
        Stash(flask.Flask("server"))
    assert not list(home.rglob("*.secret"))


def test_two_apps_in_one_process_have_their_own(tmp_path: pathlib.Path) -> None:
    apps = []
    for name in ("one", "two"):
        app = Dash(name)
        app.layout = html.Div()
        stash = Stash(app, f"file://{tmp_path}/{name}")
        app.callback(Output("out", "data"), Input("a", "data"))(lambda value: value)
        apps.append((app, stash.put(name, share=True)))
    (one, its), (two, others) = apps
    assert Page(one).call("out.data", ("a", "data", str(its))) == "one"
    assert Page(two).call("out.data", ("a", "data", str(others))) == "two"
    assert Page(one).post("out.data", ("a", "data", str(others))).status_code == 403


def test_an_app_of_somebody_elses_server_works(folder: pathlib.Path) -> None:
    server = flask.Flask("server")

    @server.route("/health")
    def health() -> str:
        return "well"

    app = Dash(__name__, server=server, url_base_pathname="/dash/")
    app.layout = html.Div()
    Stash(app, f"file://{folder}")
    response = server.test_client().get("/health")
    assert (response.get_data(as_text=True), "Set-Cookie" in response.headers) == ("well", False)
    assert "data-ids" in server.test_client().get("/dash/").get_data(as_text=True)


def test_an_app_that_gets_its_server_later_works(folder: pathlib.Path) -> None:
    app = Dash(__name__, server=False)
    app.layout = html.Div()
    server = flask.Flask("server")
    app.init_app(server)
    Stash(app, f"file://{folder}")
    assert "data-ids" in server.test_client().get("/").get_data(as_text=True)


def test_two_apps_that_get_their_places_later_cannot_have_one_stash(folder: pathlib.Path) -> None:
    """The second one's cookies would be asked for on the pages of the first."""
    first, second = Dash("first", server=False), Dash("second", server=False)
    stash, server = Stash(first, f"file://{folder}"), flask.Flask("server")
    stash.init_app(second)
    first.init_app(server, routes_pathname_prefix="/a/", requests_pathname_prefix="/a/")
    with pytest.raises(
        ConfigError, match=r"serves the app at /a: make another Stash for the app at /b"
    ):
        second.init_app(server, routes_pathname_prefix="/b/", requests_pathname_prefix="/b/")


def test_a_stash_may_be_made_before_the_app(folder: pathlib.Path) -> None:
    stash = Stash(url=f"file://{folder}")
    square = stash.memo(share=True)(lambda n: n * n)
    signal: Ref[int] = square.ref(3)
    app = Dash(__name__)
    app.layout = html.Div(signal, id="signal")
    stash.init_app(app)
    app.callback(Output("out", "data"), Input("signal", "children"))(lambda value: value)
    page = Page(app)
    assert page.call("out.data", ("signal", "children", page.layout()["props"]["children"])) == 9


def test_the_other_errors_of_an_app_are_its_own(folder: pathlib.Path) -> None:
    app = Dash(__name__)
    app.layout = html.Div()
    Stash(app, f"file://{folder}")

    @app.callback(
        Output("out", "data"), Input("a", "data"), on_error=lambda error: f"handled {error}"
    )
    def fails(_: Any) -> Any:
        raise PermissionError("mine")

    assert Page(app).call("out.data", ("a", "data", 1)) == "handled mine"


@pytest.mark.parametrize("guard", [None, "warn", "off"])
@pytest.mark.parametrize("when", ["before the stash", "after it"])
def test_a_stash_knows_whether_its_app_is_in_debug_mode(
    folder: pathlib.Path, guard: Literal["warn", "off"] | None, when: str
) -> None:
    app = Dash(__name__)
    if when == "before the stash":
        app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)
    stash = Stash(app, f"file://{folder}", guard=guard)
    assert stash._deployment.is_debug is (when == "before the stash")
    app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)
    assert stash._deployment.is_debug
    other = Stash(Dash(__name__), f"file://{folder}", guard=guard)
    assert not other._deployment.is_debug
