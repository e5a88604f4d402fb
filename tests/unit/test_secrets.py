"""One secret takes the place of another while the app runs: the first seals, all open."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import pytest
from click.testing import CliRunner
from dash import Dash, Input, Output, dcc, html

from dash_stash import ConfigError, Ref, RefInvalid, Stash
from dash_stash.cli import main
from dash_stash.testing import ManualClock
from unit.pages import Page

OLD, NEW = "the old secret of the tests", "the new secret of the tests"


def test_the_command_makes_a_secret_that_no_one_has() -> None:
    made = {CliRunner().invoke(main, ["secret"]).output.strip() for _ in range(3)}
    assert len(made) == 3
    assert min(map(len, made)) >= 43
    assert not any("," in secret for secret in made)


def test_what_the_old_secret_has_sealed_opens_and_what_is_new_needs_the_new_one(url: str) -> None:
    before = Stash(url=url, secret=OLD)
    old = before.put([1], share=True)
    before.app["name"] = "value"
    between = Stash(url=url, secret=[NEW, OLD.encode()])
    assert between.ref(old).get() == [1]
    assert between.app["name"] == "value"
    new = between.put([2], share=True)
    assert between.app.modify("name", lambda value: value + "!") == "value!"
    after = Stash(url=url, secret=NEW)
    assert after.ref(new).get() == [2]
    assert after.app["name"] == "value!"
    with pytest.raises(RefInvalid):
        after.ref(old).get()
    with pytest.raises(RefInvalid):
        before.ref(new).get()
    assert "name" not in before.app


def test_the_environment_gives_several_with_commas_between_them(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref: Ref[int] = Stash(url=url, secret=OLD).put(1, share=True)
    monkeypatch.setenv("DASH_STASH_SECRET", f"{NEW},{OLD}")
    assert Stash(url=url).ref(ref).get() == 1
    monkeypatch.setenv("DASH_STASH_SECRET", f"{NEW},short")
    with pytest.raises(ConfigError, match="at least 16"):
        Stash(url=url)


def test_browsers_keep_their_sessions(url: str, clock: ManualClock) -> None:
    def serve(*secrets: str) -> Dash:
        app = Dash(__name__)
        app.layout = html.Div([dcc.Store(id="n")])
        stash = Stash(app, url, secret=secrets, clock=clock)

        @app.callback(Output("n", "data"), Input("go", "n_clicks"))
        def count(_: int) -> int:
            counted: int = stash.session.modify("n", lambda n: n + 1, default=0)
            return counted

        return app

    def click(app: Dash, page: Page) -> Any:
        page.browser.application = app.server  # the same browser, after a deploy
        return page.call("n.data", ("go", "n_clicks", 1))

    apps = [serve(OLD), serve(NEW, OLD), serve(NEW)]
    page = Page(apps[0])
    assert [click(app, page) for app in apps[:2]] == [1, 2]
    clock.now += 2 * 3600  # it gets its cookie anew, under the new secret
    assert click(apps[1], page) == 3
    page = page.another()
    assert click(apps[2], page) == 4


def test_a_server_needs_a_secret(home: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match=r"DASH_STASH_SECRET.*dash-stash secret"):
        Stash(url="redis://127.0.0.1:1/0")
    assert not list(home.rglob("*.secret"))


def test_a_server_needs_redis_py(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("redis.", "dash_stash.stores.redis"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigError, match=r"dash-stash\[redis\]"):
        Stash(url="redis://127.0.0.1:1/0", secret=OLD)
