"""Who is asking: the session by a signed cookie, the page by a signed id that it sends along."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import flask
from flask import Response

from dash_stash import seal
from dash_stash.scope import Visit

if TYPE_CHECKING:
    from dash import Dash

    from dash_stash.stash import Stash

_ID_SIZE = 16
_SEAL_SIZE = 16
_HEADER = "X-Dash-Stash-Page"

# Where the page's own requests are made: Dash calls `fetch` for its layout and for every callback.
_SCRIPT = f"""\
(() => {{
  const page = document.currentScript.dataset.page;
  const prefix = document.currentScript.dataset.prefix;
  const fetch = window.fetch;
  window.fetch = (resource, options = {{}}) => {{
    const url = new URL(resource.url ?? resource, document.baseURI);
    if (url.origin !== location.origin || !url.pathname.startsWith(prefix)) return fetch(resource, options);
    const headers = new Headers(options.headers ?? resource.headers);
    headers.set({_HEADER!r}, page);
    return fetch(resource, {{...options, headers}});
  }};
}})();
"""


class Visitors:
    """Knows the sessions and pages of one app."""

    def __init__(self, app: Dash, stash: Stash) -> None:
        """Take the app and the stash whose secret signs ids."""
        self._app, self._visits = app, stash.visits
        self._session_key, self._page_key = stash.seal.key("session"), stash.seal.key("page")
        self._prefix = app.config.requests_pathname_prefix
        # Several apps may share a host; cookies know no ports.
        self._cookie = f"dash_stash_{hashlib.sha256(stash.seal.key('cookie') + self._prefix.encode()).hexdigest()[:8]}"
        # Also the component suites and the reload hash: none of them shows a page.
        self._own_requests = f"{app.config.routes_pathname_prefix}_"
        self._script = f"{app.config.routes_pathname_prefix}_dash-stash/page.js"

    def arrive(self) -> None:
        """Note who is asking; it is proven when somebody wants to know."""
        self._visits.enter(Visit(self._session, self._page, self._visits.current))

    def leave(self, error: BaseException | None = None) -> None:  # noqa: ARG002 (Flask's signature)
        """Forget who was asking."""
        visit = self._visits.current
        self._visits.enter(None if visit is None else visit.before)

    def with_page(self, interpolate: Callable[..., str]) -> Callable[..., str]:
        """Return Dash's `interpolate_index`, so that each page gets its id and the script that sends it along."""

        def interpolate_with_page(**parts: Any) -> str:
            page = _sign(self._minted("page"), self._page_key, self._session() or b"")
            source = f"{self._prefix}_dash-stash/page.js"
            script = f'<script src="{html.escape(source)}" data-page="{page}" data-prefix="{html.escape(self._prefix)}"></script>'
            return interpolate(**parts | {"config": script + parts.get("config", "")})

        return interpolate_with_page

    def answer(self, response: Response) -> Response:
        """Give a browser that has none its session; no cache may keep that, nor a page with its id."""
        visit = self._visits.current
        if visit is not None and visit.minted:
            if "session" in visit.minted:
                self._set_cookie(response, visit.minted["session"])
            response.headers["Cache-Control"] = "no-store"
        return response

    def serve_script(self) -> None:
        """Serve the script that sends the page's id along."""

        def page_script() -> Response:
            response = Response(_SCRIPT, mimetype="text/javascript")
            response.headers["Cache-Control"] = "max-age=3600"
            return response

        self._app.server.add_url_rule(self._script, endpoint=f"{self._script}:dash-stash", view_func=page_script)

    def _set_cookie(self, response: Response, session: bytes) -> None:
        value = _sign(session, self._session_key)
        response.set_cookie(self._cookie, value, path=self._prefix, httponly=True, samesite="Lax", secure=flask.request.is_secure)

    def _session(self) -> bytes | None:
        """The session that the cookie proves; for a browser that loads its first page, the one that it will get."""
        proven = _proven(flask.request.cookies.get(self._cookie, ""), self._session_key)
        return self._minted("session") if proven is None and self._is_page_load() else proven

    def _page(self, session: bytes) -> bytes | None:
        if self._is_page_load():
            return self._minted("page")
        return _proven(flask.request.headers.get(_HEADER, ""), self._page_key, session)

    def _is_page_load(self) -> bool:
        """Whether the request is for a page, not made by one: those have to prove what they belong to."""
        return flask.request.method in ("GET", "HEAD") and not flask.request.path.startswith(self._own_requests)

    def _minted(self, what: str) -> bytes:
        visit = self._visits.current
        assert visit is not None  # noqa: S101 (a request is a visit)
        return visit.minted.setdefault(what, secrets.token_bytes(_ID_SIZE))


def _sign(identified: bytes, key: bytes, *context: bytes) -> str:
    return base64.urlsafe_b64encode(identified + seal.make(key, identified, *context, size=_SEAL_SIZE)).decode()


def _proven(text: str, key: bytes, *context: bytes) -> bytes | None:
    """The id in *text*, if we signed it."""
    if len(text) > 4 * (_ID_SIZE + _SEAL_SIZE):
        return None
    try:
        raw = base64.urlsafe_b64decode(text)
    except (binascii.Error, ValueError):
        return None
    identified, sealed = raw[:_ID_SIZE], raw[_ID_SIZE:]
    return identified if len(sealed) == _SEAL_SIZE and seal.matches(sealed, key, identified, *context) else None
