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
    "--disable-features=LocalNetworkAccessChecks",  # a page that the test makes up may have a frame of a server on this machine
    # No cookie of another site in a frame, unless it is partitioned: as browsers do that protect
    # their users.
    "--test-third-party-cookie-phaseout",
]


# Not for longer: while Playwright runs, so does an event loop in this thread, which async callbacks
# of other tests would meet.
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
