"""Tabs of a browser."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page


def visit(context: BrowserContext, address: str) -> Page:
    """Open an address in a new tab."""
    page = context.new_page()
    page.goto(address)
    return page
