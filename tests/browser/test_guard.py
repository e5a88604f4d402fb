"""The guard's reports in Dash's own error panel."""

from __future__ import annotations

import pathlib
import sys

from playwright.sync_api import Browser, expect

from support import TESTS, free_port, serving


def test_the_error_panel_shows_what_a_callback_changed_and_the_callbacks_value_arrives(
    chromium: Browser, tmp_path: pathlib.Path
) -> None:
    port = free_port()
    command = [sys.executable, str(TESTS / "processes" / "apps" / "breaks_the_rule.py"), str(port)]
    with serving(command, port, {"STASH_TEST_FOLDER": str(tmp_path / "stash")}) as address:
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(address)
        page.get_by_text("fine").click()
        expect(page.locator("#fine-out")).to_have_text("3 rows")
        page.get_by_text("break").click()
        expect(page.locator("#break-out")).to_have_text("2 rows")
        expect(
            page.locator(".dash-debug-menu__error-count, .test-devtools-error-count")
        ).to_have_text("1")
        page.get_by_text("Errors").first.click()
        page.get_by_text("break_rule() ran and breaks_the_rule.df changed").first.click()
        expect(page.get_by_text("dash-stash check --explain DS101")).to_be_visible()
        context.close()
