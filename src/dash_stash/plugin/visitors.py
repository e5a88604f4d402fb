"""The visitors of one app: each request is a visit, each browser gets its session, each page and tab its id."""

from __future__ import annotations

import contextlib
import hashlib
import html
import importlib.resources
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import flask
from flask import Response

from dash_stash import seal
from dash_stash.errors import StoreUnavailable
from dash_stash.plugin.visit import HEADER, BrowserVisit, Desk
from dash_stash.stores.base import TOUCHED_EVERY

if TYPE_CHECKING:
    from dash import Dash

    from dash_stash.stash import Stash

_PAGES = 4096
_LONGEST = 200  # bytes of two ids


class Visitors:
    """Knows the users, sessions, tabs and pages of one app."""

    def __init__(self, app: Dash, stash: Stash) -> None:
        """Take the app and the stash whose secret signs ids."""
        self._app, self._visits, self._cross_site = app, stash.visits, stash.cross_site
        self._prefix = app.config.requests_pathname_prefix
        # Also the component suites and the reload hash: none of them shows a page.
        routes = f"{app.config.routes_pathname_prefix}_"
        self._route, self._layout = f"{routes}dash-stash/", f"{routes}dash-layout"
        self._desk = Desk(
            cookies=tuple(map(self._cookie_name, seal.parts(stash.seal.key("cookie")))),
            own_requests=routes,
            session_key=stash.seal.key("session"),
            tab_key=stash.seal.key("tab"),
            page_key=stash.seal.key("page"),
            user_key=stash.seal.key("user"),
            user=stash.user_id,
            store=stash.store,
            clock=stash.clock,
            limits=stash.limits,
        )
        self._slid: dict[int, float] = {}

    def _cookie_name(self, key: bytes) -> str:
        # Several apps may share a host; cookies know no ports.
        return f"dash_stash_{hashlib.sha256(key + self._prefix.encode()).hexdigest()[:8]}"

    def arrive(self) -> None:
        """Note who is asking; it is proven when somebody wants to know, or has not been for a while."""
        request: flask.Request = flask.request._get_current_object()  # type: ignore[attr-defined]
        visit = BrowserVisit(self._desk, request, self._visits.current)
        self._visits.enter(visit)
        cookies = request.environ.get("HTTP_COOKIE")
        if cookies is None:
            return
        page = hash((cookies, request.environ.get("HTTP_X_DASH_STASH")))
        now = self._desk.clock()
        if not 0 <= now - self._slid.get(page, 0) < TOUCHED_EVERY:
            if len(self._slid) >= _PAGES:
                self._slid.clear()
            self._slid[page] = now
            with contextlib.suppress(StoreUnavailable):
                visit.slide()

    def leave(self, error: BaseException | None = None) -> None:  # noqa: ARG002 (Flask's signature)
        """Forget who was asking."""
        visit = self._visits.current
        self._visits.enter(None if visit is None else visit.before)

    def with_page(self, interpolate: Callable[..., str]) -> Callable[..., str]:
        """Return Dash's `interpolate_index`, so that each page gets its id and the script that sends it along."""

        def interpolate_with_page(**parts: Any) -> str:
            source, prefix = html.escape(f"{self._prefix}_dash-stash/page.js"), html.escape(self._prefix)
            script = f'<script src="{source}" data-ids="{self._visit.open_page()}" data-prefix="{prefix}"></script>'
            return interpolate(**parts | {"config": script + parts.get("config", "")})

        return interpolate_with_page

    def answer(self, response: Response) -> Response:
        """Give a browser its cookie and a page its ids; no cache may keep either."""
        visit = self._visits.current
        if isinstance(visit, BrowserVisit):
            cookie = visit.lasting_cookie()
            if cookie is not None:
                value = cookie.sign(self._desk.session_key)
                response.set_cookie(self._desk.cookies[0], value, path=self._prefix, httponly=True, **self._where_sent())
            if visit.new_ids:
                response.headers[HEADER] = visit.new_ids
            if cookie is not None or visit.is_personal:
                response.headers["Cache-Control"] = "no-store"
            with contextlib.suppress(StoreUnavailable):
                if visit.request.path == self._layout and visit.is_of_another_session:
                    response.headers[f"{HEADER}-Reload"] = "1"
        return response

    def _where_sent(self) -> dict[str, Any]:
        if self._cross_site:
            return {"samesite": "None", "secure": True, "partitioned": True}
        return {"samesite": "Lax", "secure": flask.request.is_secure}

    def serve(self) -> None:
        """Serve the script that sends the ids along, and listen to what it tells."""
        script = importlib.resources.files("dash_stash.plugin").joinpath("page.js").read_text(encoding="utf-8")

        def page_script() -> Response:
            response = Response(script, mimetype="text/javascript")
            response.headers["Cache-Control"] = "max-age=3600"
            return response

        def tell(what: str) -> Response:
            """A page says that it is being left, or that its tab is there again."""
            visit, store = self._visit, self._desk.store
            ids = flask.request.stream.read(_LONGEST).decode("ascii", "replace")
            with contextlib.suppress(StoreUnavailable):  # what is not noted now goes when nobody uses it
                for scope in visit.left_by(ids):
                    if what == "leave":
                        store.leave(scope)
                    elif "/tab:" in scope:
                        store.touch(scope)
            return Response(status=204)

        server = self._app.server
        server.add_url_rule(f"{self._route}page.js", endpoint=f"{self._route}page.js", view_func=page_script)
        server.add_url_rule(f"{self._route}<any(leave, stay):what>", endpoint=f"{self._route}tell", view_func=tell, methods=["POST"])

    @property
    def _visit(self) -> BrowserVisit:
        return cast(BrowserVisit, self._visits.current)  # in a request of this app
