"""Nobody gets what is another's.

The text that names an owner has one meaning; who the user is may change within a request; and a
reference opens for the value's owner alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
import pytest
from dash import Dash, html
from hypothesis import given
from hypothesis import strategies as st

from dash_stash import RefInvalid, Stash, owner
from dash_stash.owner import APP, Parts, Scope
from dash_stash.testing import ManualClock
from support import SECRET
from unit.pages import Page
from unit.visiting import visit

# The text of an owner

DIGESTS = st.binary(min_size=1, max_size=20)
ACCOUNTS: st.SearchStrategy[Scope] = st.sampled_from(["user", "session"])
WITHIN: st.SearchStrategy[Scope] = st.sampled_from(["tab", "page"])


@given(ACCOUNTS, DIGESTS)
def test_a_user_or_session_is_read_as_it_was_made(scope: Scope, digest: bytes) -> None:
    made = owner.make(scope, digest)
    assert owner.parse(made) == Parts(scope, digest.hex(), made)
    assert owner.account_of(made) == made


@given(WITHIN, DIGESTS, DIGESTS)
def test_a_tab_or_page_is_read_as_it_was_made(scope: Scope, digest: bytes, session: bytes) -> None:
    account = owner.make("session", session)
    made = owner.make(scope, digest, account)
    assert owner.parse(made) == Parts(scope, digest.hex(), account)
    assert owner.account_of(made) == account


def test_the_app_is_an_owner_and_its_own_account() -> None:
    assert owner.parse(APP) == Parts("app", "", APP)
    assert owner.account_of(APP) == APP


def remade(parts: Parts) -> str:
    if parts.scope == "app":
        return ""
    session = APP if parts.scope in ("user", "session") else parts.account
    digits = f"{parts.scope}:{parts.id}"
    return f"{session}/{digits}" if session else digits


PIECES = st.sampled_from(
    ["user", "session", "tab", "page", "app", "cookie", ":", "/", "0", "af", "A", " ", "\n", "é"]
)


@given(st.lists(PIECES, max_size=9).map("".join))
def test_a_text_is_malformed_or_the_one_text_of_its_owner(text: str) -> None:
    parts = owner.parse(text)
    assert parts is None or remade(parts) == text


@pytest.mark.parametrize(
    "text",
    [
        *("app", "user:", "user:A", "user:a/tab:b", "user:a/", "session:a/user:b", "tab:a"),
        *("session:a/tab:b/page:c", "session:/tab:a", "/tab:a", "cookie:a", " user:a", "user:a\n"),
    ],
)
def test_what_is_no_owner_does_not_parse(text: str) -> None:
    assert owner.parse(text) is None


# Who gets what


class App:
    """An app whose routes run what a test says, for one of its browsers."""

    def __init__(self, url: str, clock: ManualClock) -> None:
        self.dash = Dash(__name__)
        self.dash.layout = html.Div()
        self.dash.server.secret_key = "a secret for the tests only"
        self.stash = Stash(
            self.dash, url, secret=SECRET, user=lambda: flask.session.get("user"), clock=clock
        )
        self._work: Callable[[], Any] = dict
        self._answer: Any = None
        self.dash.server.add_url_rule("/work", view_func=self._run, methods=["POST"])

    def _run(self) -> str:
        self._answer = self._work()
        return ""

    def do(self, page: Page, work: Callable[[], Any]) -> Any:
        """Run *work* in a request that a page makes."""
        self._work = work
        assert page.browser.post("/work", headers=page.headers).status_code == 200
        return self._answer

    def log_in(self, page: Page, name: str) -> None:
        def work() -> None:
            self.stash.session.rotate()
            flask.session["user"] = name

        self.do(page, work)


@pytest.fixture
def app(url: str, clock: ManualClock) -> App:
    return App(url, clock)


def is_refused(app: App, page: Page, text: str) -> bool:
    def attempt() -> bool:
        try:
            app.stash.ref(text).get()
        except RefInvalid as error:
            return error.reason == "foreign"
        return False

    return bool(app.do(page, attempt))


def test_who_logs_in_within_a_request_that_knew_another_user_writes_to_the_new_one(
    app: App,
) -> None:
    page, other = Page(app.dash), Page(app.dash)

    def switch(name: str, *, rotates: bool) -> Callable[[], str]:
        def work() -> str:
            before = app.stash.user.get("name", "nobody") if flask.session.get("user") else "nobody"
            if rotates:
                app.stash.session.rotate()
            flask.session["user"] = name
            app.stash.user["name"] = name
            return str(before)

        return work

    assert app.do(page, switch("xavier", rotates=True)) == "nobody"
    assert app.do(page, switch("yvonne", rotates=True)) == "xavier"
    assert app.do(page, switch("zoe", rotates=False)) == "yvonne"
    for name in ("xavier", "yvonne", "zoe"):
        app.log_in(other, name)
        assert app.do(other, lambda: dict(app.stash.user)) == {"name": name}


def test_who_logs_out_within_a_request_has_no_user_any_more(app: App) -> None:
    page = Page(app.dash)
    app.log_in(page, "xavier")

    def work() -> bool:
        app.stash.user["cart"] = 1
        flask.session.clear()
        with pytest.raises(Exception, match="user"):
            app.stash.user["cart"] = 2
        return True

    assert app.do(page, work)


def test_the_next_user_of_a_browser_opens_nothing_of_the_last_one(
    app: App, clock: ManualClock
) -> None:
    """Nor after its ttl, when opening it would compute for the wrong user."""

    @app.stash.memo(scope="user", ttl=60)
    def salary() -> str:
        return f"salary of {flask.session['user']}"

    browser, elsewhere = Page(app.dash), Page(app.dash)
    for page in (browser, elsewhere):
        app.log_in(page, "xavier")
    ref = app.do(browser, salary.ref)
    app.log_in(browser, "yvonne")
    assert is_refused(app, browser, ref)
    clock.now += 120
    assert is_refused(app, browser, ref)
    assert app.do(elsewhere, salary) == "salary of xavier"
    assert app.do(browser, salary) == "salary of yvonne"
    app.log_in(browser, "xavier")
    assert app.do(browser, lambda: app.stash.ref(ref).get()) == "salary of xavier"


@pytest.mark.parametrize("scope", ["tab", "page"])
def test_a_reference_of_a_tab_or_page_opens_in_no_other(
    app: App, clock: ManualClock, scope: Scope
) -> None:
    mine = app.stash.memo(scope=scope, ttl=60)(lambda: 5)
    page = Page(app.dash)
    other = page.another()
    ref = app.do(page, mine.ref)
    for _ in ("fresh", "expired"):
        assert is_refused(app, other, ref)
        assert app.do(page, lambda: app.stash.ref(ref).get()) == 5
        clock.now += 120


def test_an_opened_reference_ends_with_the_login_that_it_was_opened_for(app: App) -> None:
    salary = app.stash.memo(scope="user")(lambda: 5)
    page = Page(app.dash)
    app.log_in(page, "xavier")

    def work() -> int:
        ref = salary.ref()
        value = ref.get()
        flask.session["user"] = "yvonne"
        for open_it in (ref.get, ref["part"].get):
            with pytest.raises(RefInvalid, match="foreign"):
                open_it()
        return value

    assert app.do(page, work) == 5


def test_a_value_of_the_whole_app_and_one_of_the_session_stay_open_over_a_login(app: App) -> None:
    for_all = app.stash.memo(lambda: 5)
    page = Page(app.dash)
    refs = app.do(page, lambda: [for_all.ref(), app.stash.put(5)])
    app.log_in(page, "xavier")
    assert app.do(page, lambda: [app.stash.ref(ref).get() for ref in refs]) == [5, 5]
    other = Page(app.dash)
    app.log_in(other, "xavier")
    assert all(is_refused(app, other, ref) for ref in refs)


def test_who_may_open_a_reference_is_sealed(stash: Stash) -> None:
    """A reference made for one scope cannot be turned into one for another."""
    memos = {
        scope: stash.memo(scope=scope)(lambda: 5)
        for scope in ("app", "session", "tab", "page", "user")
    }
    ids = {"session": "mine", "page": "first", "tab": "first", "user": "me"}
    with visit(stash, **ids):
        refs = {scope: memo.ref() for scope, memo in memos.items()}
        assert all(stash.ref(ref).get() == 5 for ref in refs.values())
    for changed, opening in {
        "user": {"user"},
        "tab": {"tab"},
        "page": {"page"},
        "session": set(refs),
    }.items():
        with visit(stash, **ids | {changed: "another's"}):
            for scope, ref in refs.items():
                if scope in opening:
                    with pytest.raises(RefInvalid, match="foreign"):
                        stash.ref(ref)
                else:
                    assert stash.ref(ref).get() == 5


def test_a_change_that_was_begun_for_one_user_is_not_the_next_ones(app: App) -> None:
    """Who logs in while variables are changed or read gets nothing of them."""
    page = Page(app.dash)
    app.log_in(page, "xavier")

    def work() -> list[tuple[str, str]]:
        def change(_: object) -> str:
            flask.session["user"] = "yvonne"
            return "xavier's"

        app.stash.user["a"] = "also xavier's"
        app.stash.user.modify("b", change)
        yvonnes = dict(app.stash.user)
        flask.session["user"] = "xavier"
        seen = []
        for name, value in app.stash.user.items():
            seen.append((name, value))
            flask.session["user"] = "yvonne"
        return [*yvonnes.items(), *seen]

    assert app.do(page, work) == [("a", "also xavier's"), ("b", "xavier's")]
