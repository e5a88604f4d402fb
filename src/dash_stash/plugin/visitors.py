"""The visitors of one app: each request is a visit, each browser gets its session, each page and tab its id."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.resources
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import flask
from flask import Response

from dash_stash import seal
from dash_stash.bounded import BoundedTable
from dash_stash.errors import PartMissing, RefExpired, RefInvalid, StashError, StoreUnavailable
from dash_stash.plugin.page import Pages
from dash_stash.plugin.visit import HEADER, BrowserVisit, Desk
from dash_stash.stores.base import TOUCHED_EVERY

if TYPE_CHECKING:
    from dash import Dash

    from dash_stash.stash import Stash

_PAGES = 4096
_LONGEST = 200  # bytes of two ids
_LONGEST_HEADER = 4_000


class Visitors:
    """Knows the users, sessions, tabs and pages of one app."""

    def __init__(self, app: Dash, stash: Stash, pages: Pages) -> None:
        """Take the app, the stash whose secret signs ids, and the app's pages."""
        self._app, self._visits, self._cross_site = app, stash.visits, stash.cross_site
        self._prefix = app.config.requests_pathname_prefix
        routes = app.config.routes_pathname_prefix
        # Also the component suites and the reload hash: none of them shows a page.
        own = f"{routes}_"
        self._route, self._layout = f"{own}dash-stash/", f"{own}dash-layout"
        self._desk = Desk(
            cookies=tuple(map(self._cookie_name, seal.parts(stash.seal.key("cookie")))),
            routes=routes,
            own_requests=own,
            session_key=stash.seal.key("session"),
            tab_key=stash.seal.key("tab"),
            page_key=stash.seal.key("page"),
            user_key=stash.seal.key("user"),
            user=stash.user_id,
            store=stash.store,
            clock=stash.clock,
            limits=stash.limits,
        )
        self._neighbours: list[Visitors] = app.server.extensions.setdefault("dash_stash", [])
        """Those of all apps of the server."""
        self._neighbours.append(self)
        self._slid: BoundedTable[int, float] = BoundedTable(_PAGES)
        self._pages, self._started = pages, stash.clock()
        pages.scripts["page"] = self._page_script
        self._key_ids = [name.rpartition("_")[2] for name in self._desk.cookies]
        """What tells the secrets of deployments apart, the present one first.

        Everybody may know it.
        """

    def _cookie_name(self, key: bytes) -> str:
        # Several apps may share a host; cookies know no ports.
        return f"dash_stash_{hashlib.sha256(key + self._prefix.encode()).hexdigest()[:8]}"

    @property
    def is_addressed(self) -> bool:
        """Whether the request is to this app: of several on one server, the one with the longest path that fits."""
        if len(self._neighbours) == 1:
            return True
        path = flask.request.path
        return self is max(
            self._neighbours,
            key=lambda one: len(one._desk.routes) if path.startswith(one._desk.routes) else 0,
        )

    def arrive(self) -> None:
        """Note who is asking.

        It is proven when somebody wants to know, or has not been for a while.
        """
        request: flask.Request = flask.request._get_current_object()  # type: ignore[attr-defined]
        visit = BrowserVisit(self._desk, request, self._visits.current)
        self._visits.enter(visit)
        if request.method in ("GET", "HEAD"):
            flask.after_this_request(self._pages.add_scripts)  # so: before an answer is compressed
        cookies = request.environ.get("HTTP_COOKIE")
        if cookies is None:
            return
        page = hash((cookies, request.environ.get("HTTP_X_DASH_STASH")))
        now = self._desk.clock()
        if not 0 <= now - (self._slid.get(page) or 0) < TOUCHED_EVERY:
            self._slid[page] = now
            with contextlib.suppress(StoreUnavailable):
                visit.slide()

    def leave(self, error: BaseException | None = None) -> None:  # noqa: ARG002 (Flask's signature)
        """Forget who was asking."""
        visit = self._visits.current
        self._visits.enter(None if visit is None else visit.before)

    def _page_script(self) -> dict[str, str]:
        """The script that sends a page's id along with its requests."""
        return {
            "src": f"{self._prefix}_dash-stash/page.js",
            "data-ids": self._visit.open_page(),
            "data-prefix": self._prefix,
        }

    def answer(self, response: Response) -> Response:
        """Give a browser its cookie and a page its ids; no cache may keep either."""
        visit = self._visits.current
        if isinstance(visit, BrowserVisit):
            cookie = visit.lasting_cookie()
            if cookie is not None:
                value = cookie.sign(self._desk.session_key)
                response.set_cookie(
                    self._desk.cookies[0],
                    value,
                    path=self._prefix,
                    httponly=True,
                    **self._where_sent(),
                )
            if cookie is not None or visit.is_personal:
                response.headers["Cache-Control"] = "no-store"
            elif visit.asked:
                response.headers.setdefault("Cache-Control", "no-store")
            if self.is_addressed:
                self._tell_page(visit, response)
        return response

    def _tell_page(self, visit: BrowserVisit, response: Response) -> None:
        if visit.new_ids:
            response.headers[HEADER] = visit.new_ids
        if visit.request.environ.get("HTTP_X_DASH_STASH_KEY") != self._key_ids[0]:
            response.headers[f"{HEADER}-Key"] = self._key_ids[0]
        if visit.request.path == self._layout:
            with contextlib.suppress(StoreUnavailable):
                if visit.is_of_another_session:
                    response.headers[f"{HEADER}-Reload"] = "1"

    def told_along(self, error: StashError) -> dict[str, str]:
        """What the page's script is told with a refusal: which references are dead, or that the request may be sent once more."""
        visit = self._visits.current
        if not isinstance(visit, BrowserVisit):
            return {}
        told = {}
        if visit.was_replaced and not visit.has_begun:
            told[f"{HEADER}-Replaced"] = "1"
        if isinstance(error, RefExpired | PartMissing) or (
            isinstance(error, RefInvalid) and visit.has_session
        ):
            # Only what this browser has sent: it is told no others.
            received = str(visit.received)
            dead = _fitting([text for text in dict.fromkeys(error.references) if text in received])
            # During a deploy workers of two secrets may answer: whether this one's word counts, the
            # script decides.
            uptime = max(0, int(self._desk.clock() - self._started))
            told[f"{HEADER}-Dead"] = " ".join([str(uptime), ",".join(self._key_ids), *dead])
        return told

    def _where_sent(self) -> dict[str, Any]:
        if self._cross_site:
            return {"samesite": "None", "secure": True, "partitioned": True}
        return {"samesite": "Lax", "secure": flask.request.is_secure}

    def serve(self) -> None:
        """Serve the script that sends the ids along, and listen to what it tells."""
        script = (
            importlib.resources.files("dash_stash.plugin")
            .joinpath("page.js")
            .read_text(encoding="utf-8")
        )

        def page_script() -> Response:
            response = Response(script, mimetype="text/javascript")
            response.headers["Cache-Control"] = "max-age=3600"
            return response

        def tell(what: str) -> Response:
            """A page says that it is being left, or that its tab is there again."""
            visit, store = self._visit, self._desk.store
            ids = flask.request.stream.read(_LONGEST).decode("ascii", "replace")
            with contextlib.suppress(
                StoreUnavailable
            ):  # what is not noted now goes when nobody uses it
                for scope in visit.left_by(ids):
                    if what == "leave":
                        store.leave(scope)
                    elif "/tab:" in scope:
                        store.touch(scope)
            return Response(status=204)

        server = self._app.server
        server.add_url_rule(
            f"{self._route}page.js", endpoint=f"{self._route}page.js", view_func=page_script
        )
        server.add_url_rule(
            f"{self._route}<any(leave, stay):what>",
            endpoint=f"{self._route}tell",
            view_func=tell,
            methods=["POST"],
        )

    @property
    def _visit(self) -> BrowserVisit:
        return cast(BrowserVisit, self._visits.current)  # in a request of this app


def _fitting(texts: Sequence[str]) -> list[str]:
    """As many texts as a header has room for that every server passes on."""
    lengths = itertools.accumulate(len(text) + 1 for text in texts)
    return [text for text, length in zip(texts, lengths, strict=True) if length <= _LONGEST_HEADER]
