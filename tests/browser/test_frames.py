"""An app in a frame of another site's page, in a browser that refuses third-party cookies."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import trustme
from playwright.sync_api import Browser, FrameLocator, expect

from support import gunicorn


@contextlib.contextmanager
def served(place: pathlib.Path, **environment: Any) -> Iterator[str]:
    authority, root = trustme.CA(), place / "root.pem"
    certificate = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(root)
    certificate.private_key_pem.write_to_path(place / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(place / "certificate.pem")
    options = "--certfile", str(place / "certificate.pem"), "--keyfile", str(place / "key.pem")
    with gunicorn(
        "visits:server", place / "stash", *options, authority=str(root), **environment
    ) as address:
        yield address


@contextlib.contextmanager
def framed(chromium: Browser, address: str) -> Iterator[FrameLocator]:
    """Open a page of another site that has the app in a frame."""
    context = chromium.new_context(viewport={"width": 800, "height": 600})
    context.set_default_timeout(30_000)
    frame = f"<iframe src='{address}' width=700 height=500></iframe>"
    portal = f"<!doctype html><title>portal</title>{frame}"
    context.route(
        "https://portal.example/",
        lambda route: route.fulfill(body=portal, content_type="text/html"),
    )
    page = context.new_page()
    page.goto("https://portal.example/")
    yield page.frame_locator("iframe")
    context.close()


def test_an_app_that_allows_it_keeps_its_sessions_in_frames(
    chromium: Browser, tmp_path: pathlib.Path
) -> None:
    with served(tmp_path, STASH_TEST_CROSS_SITE="1") as address:
        with framed(chromium, address) as app:
            for number in (1, 2):
                app.get_by_text("count", exact=True).click()
                expect(app.locator("#counts")).to_have_text(
                    f"page:{number} tab:{number} session:{number} app:{number}"
                )
        with framed(chromium, address) as app:
            app.get_by_text("count", exact=True).click()
            expect(app.locator("#counts")).to_have_text("page:1 tab:1 session:1 app:3")


def test_another_app_works_in_frames_and_says_that_sessions_need_cookies(
    chromium: Browser, tmp_path: pathlib.Path
) -> None:
    with served(tmp_path) as address, framed(chromium, address) as app:
        app.get_by_text("count for all").click()
        expect(app.locator("#all")).to_have_text("clicks:1 app:1 memo:42")
        app.get_by_text("count", exact=True).click()
        expect(app.get_by_role("alert")).to_contain_text("it needs cookies")
        app.get_by_text("count for all").click()
        expect(app.locator("#all")).to_have_text("clicks:2 app:2 memo:42")
