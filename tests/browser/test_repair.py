"""Pages that keep references in the browser: Reload removes the dead ones and no others."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from browser.windows import visit
from proxy import between
from support import free_port, gunicorn, lines

PLACES = ("local", "session", "pattern")


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    os.mkfifo(tmp_path / "login")
    return tmp_path / "stash"


def opened(context: BrowserContext, address: str) -> Page:
    page = visit(context, address)
    expect(page.locator("#shown-local")).to_contain_text("local:")
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def put(page: Page, place: str) -> None:
    press(page, f"put {place}")
    shows(page, place, "value")


def shows(page: Page, place: str, text: str) -> None:
    expect(page.locator(f"#shown-{place}")).to_have_text(f"{place}: {text}", timeout=30_000)


def kept(page: Page) -> str:
    """Return all that Dash keeps in the browser for the page."""
    return str(page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])"))


def refused(page: Page) -> None:
    """Load the page again, and see its data refused."""
    page.reload()
    expect(page.get_by_role("alert")).to_be_visible()


def repaired_by_one_press(page: Page, place: str) -> None:
    press(page, "Reload")
    shows(page, place, "None")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert "stash:" not in kept(page)
    put(page, place)
    page.reload()
    shows(page, place, "value")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("cause", ["expire", "log out"])
def test_what_has_expired_or_was_logged_out_is_removed(
    context: BrowserContext, folder: pathlib.Path, cause: str, place: str
) -> None:
    with gunicorn("kept:server", folder, workers=1) as address:
        page = opened(context, address)
        put(page, place)
        press(page, cause)
        expect(
            page.get_by_text("expired", exact=True).or_(page.get_by_text("logged out", exact=True))
        ).to_have_count(1)
        refused(page)
        repaired_by_one_press(page, place)


@pytest.mark.parametrize("place", PLACES)
def test_what_a_session_stored_that_was_idle_for_too_long_is_removed(
    context: BrowserContext, folder: pathlib.Path, place: str
) -> None:
    with gunicorn("kept:server", folder, workers=1) as address:
        page = opened(context, address)
        put(page, place)
        (folder.parent / "later").write_text(str(14 * 3600))
        refused(page)
        repaired_by_one_press(page, place)


@pytest.mark.parametrize("place", PLACES)
def test_what_an_old_secret_has_sealed_is_removed(
    context: BrowserContext, folder: pathlib.Path, place: str
) -> None:
    port = free_port()
    with gunicorn("kept:server", folder, workers=1, port=port) as address:
        page = opened(context, address)
        put(page, place)
    with gunicorn(
        "kept:server", folder, workers=1, port=port, DASH_STASH_SECRET="quite another secret"
    ) as address:
        refused(page)
        repaired_by_one_press(page, place)


@pytest.mark.parametrize("cause", ["expire", "log out"])
def test_what_is_kept_in_memory_goes_with_the_page(
    context: BrowserContext, folder: pathlib.Path, cause: str
) -> None:
    with gunicorn("kept:server", folder, workers=1) as address:
        page = opened(context, address)
        put(page, "memory")
        press(page, cause)
        expect(
            page.get_by_text("expired", exact=True).or_(page.get_by_text("logged out", exact=True))
        ).to_have_count(1)
        page.reload()
        shows(page, "memory", "None")
        page.wait_for_load_state("networkidle")
        expect(page.get_by_role("alert")).to_have_count(0)


def test_a_page_that_is_open_is_repaired_too(context: BrowserContext, folder: pathlib.Path) -> None:
    port = free_port()
    with gunicorn("kept:server", folder, workers=1, port=port) as address:
        page = opened(context, address)
        put(page, "local")
    with gunicorn(
        "kept:server", folder, workers=1, port=port, DASH_STASH_SECRET="quite another secret"
    ) as address:
        press(page, "ask")
        expect(page.get_by_role("alert")).to_be_visible()
        repaired_by_one_press(page, "local")


def test_of_a_store_of_many_things_only_the_dead_ones_become_null(
    context: BrowserContext, folder: pathlib.Path
) -> None:
    with gunicorn("kept:server", folder, workers=1) as address:
        page = opened(context, address)
        page.evaluate("localStorage.setItem('mine', JSON.stringify('stash:' + 'A'.repeat(80)))")
        press(page, "nest")
        expect(page.get_by_role("alert")).to_be_visible()
        press(page, "Reload")
        shows(page, "local", "{'good': 'value', 'bad': [None, 1], 'worse': None, 'rest': 'text'}")
        page.wait_for_load_state("networkidle")
        expect(page.get_by_role("alert")).to_have_count(0)
        assert "stash:AAAA" in page.evaluate("localStorage.getItem('mine')"), (
            "what is nobody's store is left alone"
        )


def test_what_is_typed_and_persisted_is_repaired(
    context: BrowserContext, folder: pathlib.Path
) -> None:
    with gunicorn("kept:server", folder, workers=1) as address:
        page = opened(context, address)
        page.locator("#typed").fill("stash:" + "A" * 80)
        page.locator("#typed").press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        page.reload()
        shows(page, "typed", "None")  # refused once more, and removed
        page.wait_for_load_state("networkidle")
        expect(page.get_by_role("alert")).to_have_count(0)
        assert "stash:" not in kept(page)


def test_a_colleagues_reference_opens_nothing_before_or_after_the_repair(
    chromium: Browser, context: BrowserContext, folder: pathlib.Path
) -> None:
    with gunicorn("kept:server", folder, workers=1) as address:
        page = opened(context, address)
        put(page, "local")
        leaked = page.evaluate("localStorage.getItem('local')")
        other = chromium.new_context()
        theirs = opened(other, address)
        theirs.evaluate(
            """text => {
                localStorage.setItem("local", text);
                localStorage.setItem("local-timestamp", 1);
            }""",
            leaked,
        )
        refused(theirs)
        repaired_by_one_press(theirs, "local")
        other.close()
        page.reload()
        shows(page, "local", "value")


def test_during_a_deploy_with_two_secrets_nothing_good_is_removed(
    context: BrowserContext, folder: pathlib.Path
) -> None:
    """Both answer for a while, and those with the old secret alone call good references dead."""
    secrets, ports = (
        ("the secret until today", "the secret from now on,the secret until today"),
        (free_port(), free_port()),
    )
    with (
        gunicorn("kept:server", folder, workers=1, port=ports[0], DASH_STASH_SECRET=secrets[0]),
        gunicorn("kept:server", folder, workers=1, port=ports[1], DASH_STASH_SECRET=secrets[1]),
        between(ports[1]) as proxy,
    ):
        page = opened(context, f"http://127.0.0.1:{proxy.port}")
        put(page, "local")
        before = page.evaluate("localStorage.getItem('local')")
        proxy.lead_to(ports[0])
        refused(page)
        for _ in range(2):
            press(page, "Reload")
            page.wait_for_load_state("networkidle")
            expect(page.get_by_role("alert")).to_be_visible()
            assert page.evaluate("localStorage.getItem('local')") == before
        proxy.lead_to(ports[1])
        press(page, "Reload")
        shows(page, "local", "value")
        press(page, "expire")
        expect(page.locator("#said-expire")).to_have_text("expired")
        refused(page)
        repaired_by_one_press(page, "local")


# Logging in


def asked(folder: pathlib.Path) -> list[str]:
    return lines(folder.parent / "asked")


@contextlib.contextmanager
def logging_in(page: Page, folder: pathlib.Path) -> Iterator[None]:
    """Log in: in the with block the cookie is replaced already, but the answer not sent yet."""
    press(page, "log in")
    with (folder.parent / "login").open("w"):  # waits until the callback reads
        yield
    expect(page.locator("#said-in")).to_have_text("logged in")


def ask_too_early(page: Page) -> None:
    """Ask, and see that refused: the page will send it once more."""
    with page.expect_response(lambda response: response.status == 403):
        press(page, "ask")


def test_what_is_asked_while_a_login_is_under_way_is_answered_after_it(
    context: BrowserContext, folder: pathlib.Path
) -> None:
    with gunicorn("kept:server", folder, "--threads", "4", workers=2) as address:
        page = opened(context, address)
        put(page, "local")
        for number in range(1, 4):
            with logging_in(page, folder):
                ask_too_early(page)
            expect(page.locator("#said-ask")).to_have_text(f"{number}: ann")
        assert page.get_by_role("alert").count() == 0
        assert asked(folder) == ["1", "2", "3"], "what was refused had not run"


def test_so_is_what_another_tab_asks(context: BrowserContext, folder: pathlib.Path) -> None:
    with gunicorn("kept:server", folder, "--threads", "4", workers=2) as address:
        page, other = opened(context, address), opened(context, address)
        put(page, "local")
        with logging_in(page, folder):
            ask_too_early(other)
        expect(other.locator("#said-ask")).to_have_text("1: ann")
        assert [one.get_by_role("alert").count() for one in (page, other)] == [0, 0]
        assert asked(folder) == ["1"]


# Requests of the page's own scripts


def test_an_xmlhttprequest_says_which_tab_asks_and_shows_the_notice_too(
    context: BrowserContext, folder: pathlib.Path
) -> None:
    asking = """path => new Promise((resolve) => {
        const request = new XMLHttpRequest();
        request.open("GET", path);
        request.onload = () => resolve([request.status, request.responseText]);
        request.send();
    })"""
    with gunicorn("kept:server", folder, workers=1) as address:
        page, other = opened(context, address), opened(context, address)
        assert [one.evaluate(asking, "/visits") for one in (page, page, other)] == [
            [200, "1"],
            [200, "2"],
            [200, "1"],
        ]
        assert page.evaluate("fetch('/visits').then((answer) => answer.text())") == "3"
        context.clear_cookies()
        status, _ = page.evaluate(asking, "/_dash-stash/none")
        assert status == 200, "what is not ours is let through"
        page.evaluate(asking, "/visits")
        expect(page.get_by_role("alert")).to_be_visible()


def test_what_dash_lets_a_worker_send_for_a_stream_says_which_tab_asks(
    context: BrowserContext, folder: pathlib.Path
) -> None:
    """The message is that of Dash 4.5, and an iframe stands for its worker."""
    streaming = """message => new Promise((resolve) => {
        const {port1, port2} = new MessageChannel();
        const frame = document.body.appendChild(document.createElement("iframe"));
        port2.onmessage = async ({data}) => {
            const answer = await frame.contentWindow.fetch(data.url, data.init);
            resolve(await answer.text());
        };
        port1.postMessage(message);
    })"""
    message = {
        "type": "stream",
        "url": "/visits",
        "init": {"method": "GET", "headers": {"Accept": "text/plain"}},
    }
    with gunicorn("kept:server", folder, workers=1) as address:
        page = opened(context, address)
        assert [page.evaluate(streaming, message) for _ in range(2)] == ["1", "2"]
        assert page.evaluate("fetch('/visits').then((answer) => answer.text())") == "3"
