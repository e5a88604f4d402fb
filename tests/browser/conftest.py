"""A real browser, for all tests here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--ignore-certificate-errors",
    # A page that a test makes up may have a frame that a server on this machine serves.
    "--disable-features=LocalNetworkAccessChecks",
    # In a frame no cookie of another site, unless it is partitioned: as in browsers that protect
    # their users.
    "--test-third-party-cookie-phaseout",
]


# For one module only: while Playwright runs, an event loop runs in this thread, and async callbacks
# of other tests would meet it.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser with nothing kept yet, as wide as a phone."""
    made = chromium.new_context(viewport={"width": 390, "height": 700})
    made.set_default_timeout(30_000)
    yield made
    made.close()
