"""Sessions, tabs and pages in a real browser."""

from __future__ import annotations

import contextlib
import pathlib
import re
import sqlite3
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from browser.windows import visit
from dash_stash import owner
from support import NAME, gunicorn, must, wait_until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("visits") / "stash"


@pytest.fixture(scope="module")
def address(folder: pathlib.Path) -> Iterator[str]:
    with gunicorn("visits:server", folder) as served:
        yield served


def counts(page: Page) -> dict[str, int]:
    """Count once more, and return what the page shows then."""
    before = page.locator("#counts").inner_text()
    page.get_by_text("count", exact=True).click()
    expect(page.locator("#counts")).not_to_have_text(before or "nothing")
    expect(page.locator("#counts")).to_have_text(re.compile("page:"))
    return {
        scope: int(number)
        for scope, number in (
            part.split(":") for part in page.locator("#counts").inner_text().split()
        )
    }


def test_a_reload_is_the_same_tab_and_another_page(context: BrowserContext, address: str) -> None:
    page = visit(context, address)
    counts(page)
    for number in (2, 3):
        page.reload()
        shown = counts(page)
        assert (shown["session"], shown["tab"], shown["page"]) == (number, number, 1)


def test_other_tabs_and_windows_that_a_tab_opens_are_tabs_of_their_own(
    context: BrowserContext, address: str
) -> None:
    first = visit(context, address)
    assert counts(first)["tab"] == 1
    assert counts(visit(context, address))["tab"] == 1
    with context.expect_page() as window:
        # The new window gets a copy of this tab's sessionStorage.
        first.evaluate("window.open(location.href)")
    window.value.wait_for_load_state()
    shown = counts(window.value)
    assert (shown["session"], shown["tab"]) == (3, 1)
    assert counts(first)["tab"] == 2
    window.value.reload()
    assert counts(window.value)["tab"] == 2


def test_two_browsers_share_what_is_the_apps_and_nothing_else(
    chromium: Browser, context: BrowserContext, address: str
) -> None:
    mine = counts(visit(context, address))
    other = chromium.new_context()
    theirs = counts(visit(other, address))
    other.close()
    assert theirs["app"] == mine["app"] + 1
    assert (theirs["session"], theirs["tab"], theirs["page"]) == (1, 1, 1)


def test_after_logging_out_a_page_goes_on_in_a_new_session_and_other_tabs_are_told(
    context: BrowserContext, address: str
) -> None:
    page, other = visit(context, address), visit(context, address)
    counts(page)
    counts(other)
    page.get_by_text("log out").click()
    expect(page.locator("#said")).to_have_text("logged out")
    shown = counts(page)
    assert (shown["session"], shown["tab"], shown["page"]) == (1, 1, 1)
    other.get_by_text("count", exact=True).click()
    notice = other.get_by_role("alert")
    expect(notice).to_contain_text("This page has no session any more. Reload it to go on")
    box = notice.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    notice.get_by_role("button").click()
    expect(notice).to_have_count(0)
    assert counts(other)["session"] == 2


def left(folder: pathlib.Path) -> set[str]:
    """The tabs and pages that have said that they are left, and not come back."""
    with contextlib.closing(sqlite3.connect(folder / NAME / "index.sqlite")) as index:
        return {text for (text,) in index.execute("SELECT owner FROM leaving")}


def test_a_page_says_goodbye(context: BrowserContext, address: str, folder: pathlib.Path) -> None:
    page = visit(context, address)
    counts(page)
    before = left(folder)
    page.close()

    def scopes_left() -> list[str]:
        # Those of earlier tests are forgotten meanwhile.
        return sorted(must(owner.parse(text)).scope for text in left(folder) - before)

    wait_until(lambda: scopes_left() == ["page", "tab"], "page and tab were left", 30)


def test_the_back_button_comes_back_to_the_tab(context: BrowserContext, address: str) -> None:
    page = visit(context, address)
    counts(page)
    page.goto("about:blank")
    page.go_back()
    after = counts(page)
    assert (after["page"], after["tab"]) == (1, 2), "pages that no cache may keep are loaded again"


def test_a_page_that_is_kept_for_the_back_button_does_not_say_goodbye(
    context: BrowserContext, address: str, folder: pathlib.Path
) -> None:
    page = visit(context, address)
    counts(page)
    before = left(folder)
    # Safari does this with every page, and Chromium with those that it may keep.
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    assert (counts(page)["page"], counts(page)["tab"]) == (2, 3)
    assert left(folder) <= before
    duplicate = context.new_page()
    duplicate.goto(address)
    assert counts(duplicate)["tab"] == 1


def test_without_cookies_a_page_works_and_is_told_what_needs_them(
    chromium: Browser, address: str
) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.route(
        "**/*",
        lambda route: route.continue_(
            headers={k: v for k, v in route.request.headers.items() if k != "cookie"}
        ),
    )
    page = visit(context, address)
    page.route(
        "**/_dash-update-component", lambda route: (context.clear_cookies(), route.continue_())[1]
    )
    context.clear_cookies()
    page.get_by_text("count", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("it needs cookies")
    context.close()
