"""Scripts of ours in the pages of one Dash app, however those pages are made."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Response

if TYPE_CHECKING:
    from dash import Dash

# Dash's renderer reads its configuration from here, so that a page without it does not run.
_CONFIG = re.compile(r"<script\b(?=[^>]*\bid=[\"']?_dash-config\b)[^>]*>")
_PREFIX = re.compile(r'"requests_pathname_prefix":\s*("[^"]*")')
_NONCE = re.compile(r"\bnonce=([\"']?)([^\"'\s>]+)\1")


class Pages:
    """The pages of one app.

    They are recognized by what is answered: `interpolate_index` and `index` may be replaced at any
    time, by the app or by whatever else wraps them.
    """

    def __init__(self, app: Dash) -> None:
        """Take the app.

        The prefix of what its pages request tells them from those of other apps.
        """
        self._app = app
        self.scripts: dict[str, Callable[[], dict[str, str]]] = {}
        """By a name, what returns the attributes of a script for the page that is being answered, or none."""

    def add_scripts(self, response: Response) -> Response:
        """Put the scripts before Dash's own, if the answer is a page of the app."""
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
        """The tags of the scripts.

        Where the page's own have a nonce, for its policy, they get it too.
        """
        nonce = _NONCE.search(config)
        more = {} if nonce is None else {"nonce": nonce[2]}
        return "".join(
            _tag(attributes | more) for script in self.scripts.values() if (attributes := script())
        )


def _tag(attributes: dict[str, str]) -> str:
    inside = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<script {inside}></script>"
