"""The hooks before and after each request of an app: they note the visitor, and send ids."""

from __future__ import annotations

import contextlib
import importlib.resources
from typing import TYPE_CHECKING, Any

import flask
from flask import Response

from dash_stash.bounded import BoundedTable
from dash_stash.deployment import Deployment
from dash_stash.errors import StoreUnavailable
from dash_stash.plugin.page import Pages
from dash_stash.plugin.proofs import Proofs
from dash_stash.plugin.visitor import HEADER, BrowserVisitor, Paths
from dash_stash.stores.base import TOUCHED_EVERY

if TYPE_CHECKING:
    from dash import Dash

_MOST_NOTED = 4096
_LONGEST = 200  # bytes of two ids


class RequestHooks:
    """The functions that Flask calls for each request of one app."""

    def __init__(self, app: Dash, deployment: Deployment, pages: Pages) -> None:
        """Take the app, its deployment, and its pages."""
        self._app, self._pages = app, pages
        self._store, self._clock = deployment.store, deployment.clock
        self._current, self._cross_site = deployment.visitor, deployment.settings.cross_site
        self._prefix = app.config.requests_pathname_prefix
        routes = app.config.routes_pathname_prefix
        # The component suites and the reload hash have this beginning, too: they show no page.
        self._paths = Paths(routes, f"{routes}_")
        self._layout = f"{routes}_dash-layout"
        self.proofs = Proofs(deployment, self._prefix)
        self._neighbours: list[RequestHooks] = app.server.extensions.setdefault("dash_stash", [])
        """The hooks of all apps of the server."""
        self._neighbours.append(self)
        self._slid: BoundedTable[int, float] = BoundedTable(_MOST_NOTED)
        pages.scripts["page"] = self._page_script

    @property
    def is_addressed(self) -> bool:
        """Whether the request is for this app: among several on a server, the longest path wins."""
        if len(self._neighbours) == 1:
            return True
        path = flask.request.path
        prefixes = [one._paths.routes for one in self._neighbours]
        lengths = [len(prefix) if path.startswith(prefix) else 0 for prefix in prefixes]
        return self is self._neighbours[lengths.index(max(lengths))]

    def arrive(self) -> None:
        """Note the visitor of a request.

        The proof is checked when it is needed, or once a minute.
        """
        request: flask.Request = flask.request._get_current_object()  # type: ignore[attr-defined]
        before = self._current.current
        visitor = BrowserVisitor(self.proofs, self._paths, self._store, request, before)
        self._current.enter(visitor)
        if request.method in ("GET", "HEAD"):
            flask.after_this_request(self._pages.add_scripts)  # here: before it is compressed
        cookies = request.environ.get("HTTP_COOKIE")
        if cookies is None:
            return
        page = hash((cookies, request.environ.get("HTTP_X_DASH_STASH")))
        now = self._clock()
        if not 0 <= now - (self._slid.get(page) or 0) < TOUCHED_EVERY:
            self._slid[page] = now
            with contextlib.suppress(StoreUnavailable):
                visitor.slide()

    def leave(self, error: BaseException | None = None) -> None:  # noqa: ARG002 (Flask's signature)
        """Forget the visitor of a request."""
        visitor = self._current.current
        self._current.enter(None if visitor is None else visitor.before)

    def answer(self, response: Response) -> Response:
        """Send the browser its cookie and the page its ids; no cache may keep them."""
        visitor = self._current.current
        if isinstance(visitor, BrowserVisitor):
            cookie = visitor.lasting_cookie()
            if cookie is not None:
                value = self.proofs.value_of(cookie)
                name, where = self.proofs.cookie_name, self._where_sent()
                response.set_cookie(name, value, path=self._prefix, httponly=True, **where)
            if cookie is not None or visitor.is_personal:
                response.headers["Cache-Control"] = "no-store"
            elif visitor.asked:
                response.headers.setdefault("Cache-Control", "no-store")
            if self.is_addressed:
                self._tell_page(visitor, response)
        return response

    def _where_sent(self) -> dict[str, Any]:
        if self._cross_site:
            return {"samesite": "None", "secure": True, "partitioned": True}
        return {"samesite": "Lax", "secure": flask.request.is_secure}

    def _tell_page(self, visitor: BrowserVisitor, response: Response) -> None:
        key_id = self.proofs.key_ids[0]
        if visitor.new_ids:
            response.headers[HEADER] = visitor.new_ids
        if visitor.request.environ.get("HTTP_X_DASH_STASH_KEY") != key_id:
            response.headers[f"{HEADER}-Key"] = key_id
        if visitor.request.path == self._layout:
            with contextlib.suppress(StoreUnavailable):
                if visitor.is_of_another_session:
                    response.headers[f"{HEADER}-Reload"] = "1"

    # The page's script

    def _page_script(self) -> dict[str, str]:
        """Return the attributes of the script that sends the page's ids with each request."""
        return {
            "src": f"{self._prefix}_dash-stash/page.js",
            "data-ids": self._visitor.open_page(),
            "data-prefix": self._prefix,
        }

    def serve(self) -> None:
        """Serve the page's script, and the addresses that it calls when a page is closed."""
        route, server = f"{self._paths.own}dash-stash/", self._app.server
        name, script = f"{route}page.js", importlib.resources.files("dash_stash.plugin")
        text = script.joinpath("page.js").read_text(encoding="utf-8")

        def page_script() -> Response:
            response = Response(text, mimetype="text/javascript")
            response.headers["Cache-Control"] = "max-age=3600"
            return response

        server.add_url_rule(name, endpoint=name, view_func=page_script)
        server.add_url_rule(
            f"{route}<any(leave, stay):what>",
            endpoint=f"{route}tell",
            view_func=self._hear,
            methods=["POST"],
        )

    def _hear(self, what: str) -> Response:
        """Note that a page is being closed, or that its tab is in use again."""
        ids = flask.request.stream.read(_LONGEST).decode("ascii", "replace")
        # If the store cannot note it now, the data is removed later, when it was unused for long
        # enough.
        with contextlib.suppress(StoreUnavailable):
            for scope, owner in self._visitor.named_by(ids):
                if what == "leave":
                    self._store.leave(owner)
                elif scope == "tab":
                    self._store.touch(owner)
        return Response(status=204)

    @property
    def _visitor(self) -> BrowserVisitor:
        visitor = self._current.current
        assert isinstance(visitor, BrowserVisitor)  # noqa: S101 (in a request of this app)
        return visitor
