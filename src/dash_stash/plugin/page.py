"""Adds scripts to the pages of a Dash app, in whatever way the app makes them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Response

if TYPE_CHECKING:
    from dash import Dash

# Dash's renderer reads its configuration from this tag: every page has it.
_CONFIG = re.compile(r"<script\b(?=[^>]*\bid=[\"']?_dash-config\b)[^>]*>")
_PREFIX = re.compile(r'"requests_pathname_prefix":\s*("[^"]*")')
_NONCE = re.compile(r"\bnonce=([\"']?)([^\"'\s>]+)\1")


class Pages:
    """The pages of one app.

    They are recognized in the answers: the app, and others that wrap it, may replace
    `interpolate_index` and `index` at any time.
    """

    def __init__(self, app: Dash) -> None:
        """Take the app: the prefix of its requests tells its pages from those of other apps."""
        self._app = app
        self.scripts: dict[str, Callable[[], dict[str, str]]] = {}
        """By name, what returns a script's attributes for the present page, or no attributes."""

    def add_scripts(self, response: Response) -> Response:
        """Put our scripts before Dash's own, if the answer is a page of the app."""
        if (
            response.mimetype == "text/html"
            and response.is_sequence
            and not response.content_encoding
        ):
            text = response.get_data(as_text=True)
            config = _CONFIG.search(text)
            if config is not None and self._is_ours(text[config.end() :]):
                response.set_data(
                    text[: config.start()] + self._tags(config[0]) + text[config.start() :]
                )
        return response

    def _is_ours(self, config: str) -> bool:
        said = _PREFIX.search(config)
        return said is not None and json.loads(said[1]) == self._app.config.requests_pathname_prefix

    def _tags(self, config: str) -> str:
        """Return the tags of the scripts, with the nonce of the page's scripts if needed."""
        nonce = _NONCE.search(config)
        more = {} if nonce is None else {"nonce": nonce[2]}
        return "".join(
            _tag(attributes | more) for script in self.scripts.values() if (attributes := script())
        )


def _tag(attributes: dict[str, str]) -> str:
    inside = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<script {inside}></script>"
