"""The visitor of one request: what the browser proves, and what the answer gives to it."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Sequence
from contextvars import Context
from functools import cached_property
from typing import Literal, NamedTuple

import flask

from dash_stash import flight, keys, owner
from dash_stash.errors import NoSession, StoreUnavailable
from dash_stash.owner import Owner, Scope
from dash_stash.plugin.ids import PageIds, SessionCookie
from dash_stash.plugin.proofs import Proofs
from dash_stash.stores.base import Store, patiently
from dash_stash.visitor import Visitor

HEADER = "X-Dash-Stash"


class Paths(NamedTuple):
    """The beginnings of an app's paths, as the server sees them."""

    routes: str
    """The beginning of all paths: browsers send the cookie below it."""

    own: str
    """The beginning of paths that a page's scripts request: none of these opens a page."""

    def may_be_page(self, request: flask.Request) -> bool:
        """Return whether a request may open a page, by its path and method."""
        is_below = request.path.startswith(self.routes) and not request.path.startswith(self.own)
        return is_below and request.method in ("GET", "HEAD")


class BrowserVisitor:
    """A `Visitor` with a browser."""

    cookie_to_set: SessionCookie | None = None
    _renewed: SessionCookie | None = None
    """The browser's cookie, issued again."""

    new_ids = ""
    """The ids that the page must send from now on, if its present ids are worthless."""

    is_personal = False
    """Whether the answer contains ids for this browser only."""

    received: Sequence[object] = ()
    """What the browser has sent as the arguments of a callback."""

    has_begun = False
    """Whether the app's own code may have run."""

    was_replaced = False
    """Whether `rotate` has replaced the cookie that the browser sent: a newer one exists."""

    _has_replaced = False
    """Whether this request has ended the cookie that the browser sent."""

    _later: Context | None = None
    """The context of the request, if its answer has begun and its code runs in another thread."""

    def __init__(
        self,
        proofs: Proofs,
        paths: Paths,
        store: Store,
        request: flask.Request,
        before: Visitor | None,
    ) -> None:
        """Take the checker of proofs, and the visitor who is served again afterwards."""
        self.before, self.request = before, request
        self._proofs, self._paths, self._store = proofs, paths, store
        self._owners: dict[Scope, Owner | None] = {}
        self.asked: set[Scope] = set()
        """The scopes that the app's code has used."""

    # Who it is

    def owner(self, scope: Scope) -> Owner | None:
        """Return the visitor's user, session, tab or page, or None if it is not proven."""
        self.asked.add(scope)
        if scope == "user":  # asked each time: somebody may log in or out during the request
            ask = self._proofs.ask_user
            return self._proofs.user(ask() if self._later is None else self._later.copy().run(ask))
        if scope not in self._owners:
            with patiently():
                self._owners[scope] = self._owner_of(scope)
        return self._owners[scope]

    def _owner_of(self, scope: Scope) -> Owner | None:
        cookie = self.cookie
        if cookie is None or scope == "session":
            return None if cookie is None else cookie.owner
        identified = self._ids.page if scope == "page" else self._ids.tab
        if identified is None:
            return None
        return owner.make(scope, keys.digest(identified), cookie.owner)

    @property
    def cookie(self) -> SessionCookie | None:
        """The cookie that proves the session: the browser's, or the one that it will get.

        A browser gets a cookie when it loads its first page.
        """
        if self.proven_cookie is None and self.cookie_to_set is None and self._may_begin_session:
            new = self._proofs.new_cookie()
            # It cannot have ended, but this raises while the store is away: no session begins then.
            self._store.has_ended(new.owner)
            self.cookie_to_set = new
        return self.cookie_to_set or self.proven_cookie

    @cached_property
    def proven_cookie(self) -> SessionCookie | None:
        """The browser's cookie, if we have signed it recently and it has not ended."""
        cookie = self._signed_cookie
        if cookie is None or not self._proofs.is_accepted(cookie):
            return None
        if self._proofs.has_ended(cookie):
            self.was_replaced = not self._store.has_ended(cookie.owner)
            return None
        return cookie

    @property
    def _signed_cookie(self) -> SessionCookie | None:
        return self._proofs.signed(self.request.cookies)

    @property
    def has_session(self) -> bool:
        """Whether a session is proven; False while the store is out of reach."""
        with contextlib.suppress(StoreUnavailable):
            return self.cookie is not None
        return False

    def confirm(self) -> None:
        """Check that the browser's cookie was not replaced, unless the store is out of reach.

        Raises:
            NoSession: It was replaced. The callback has not run yet.
        """
        with contextlib.suppress(StoreUnavailable):
            if self.proven_cookie is None and self.was_replaced:
                raise NoSession("this callback", "session")

    @cached_property
    def _may_begin_session(self) -> bool:
        """Whether the request opens a page; requests that a page makes must prove their session.

        Outside the app's path, a browser does not send its cookie, and a new cookie would replace
        it.
        """
        return self._paths.may_be_page(self.request)

    # Pages and tabs

    @cached_property
    def _ids(self) -> PageIds:
        return self._read_ids(self.request.headers.get(HEADER, ""))

    def _read_ids(self, text: str) -> PageIds:
        """Return the ids of a page and its tab that *text* proves for the present session."""
        cookie = self.cookie
        return PageIds() if cookie is None else self._proofs.page_ids(text, cookie.session)

    def named_by(self, text: str) -> list[tuple[Literal["page", "tab"], Owner]]:
        """Take over the ids in *text*, and return the page and tab that they prove."""
        self._ids = self._read_ids(text)
        scopes: tuple[Literal["page", "tab"], ...] = ("page", "tab")
        found = [(scope, self._owner_of(scope)) for scope in scopes]
        return [(scope, whose) for scope, whose in found if whose is not None]

    @property
    def is_of_another_session(self) -> bool:
        """Whether the page was loaded in another session than the browser has now."""
        is_proven = self.cookie is None or self._ids.page is not None
        return HEADER in self.request.headers and not is_proven

    def open_page(self) -> str:
        """Return the ids for the page that is the answer to this request."""
        self._may_begin_session = True  # Dash answers every path without a route with its page
        self._owners.clear()
        self._ids = PageIds.new()
        try:
            cookie = self.cookie
        except StoreUnavailable:
            # The page still loads. Its ids are valid when the store is back and has confirmed the
            # cookie; a browser without a cookie gets neither.
            cookie = self._signed_cookie
        self.is_personal = True
        return "" if cookie is None else self._signed_ids(cookie)

    def _signed_ids(self, cookie: SessionCookie) -> str:
        """Return the signed ids of a page and of its tab; a tab that has an id keeps it."""
        page, tab = self._ids
        assert page is not None and tab is not None  # noqa: S101, PT018 (they are new)
        return self._proofs.signed_ids(page, tab, cookie.session)

    # After the answer has begun

    def outlive(self) -> None:
        """Let the code go on in any thread with the same request; it can no longer set a cookie."""
        self._later = contextvars.copy_context()

    # Changing who it is

    def slide(self) -> None:
        """Note that session, tab and page are in use, and let the cookie last longer."""
        cookie = self.proven_cookie
        if cookie is None:
            return
        scopes: tuple[Scope, ...] = ("session", "tab", "page")
        for scope in scopes:
            whose = self._owner_of(scope)
            if whose is not None:
                self._store.touch(whose)
        self._renewed = self._proofs.renewed(cookie)
        # The body of the request may arrive slowly: before the callback runs, another request may
        # have replaced the cookie.
        del self.proven_cookie

    def lasting_cookie(self) -> SessionCookie | None:
        """Return the cookie to set, if any, unless it has ended while the request was answered."""
        cookie = self.cookie_to_set or self._renewed
        try:
            return None if cookie is None or self._proofs.has_ended(cookie) else cookie
        except StoreUnavailable:
            # The browser keeps its cookie, unless this request has ended it.
            return cookie if self._has_replaced else None

    def rotate(self) -> None:
        """Give the browser a new cookie for the same session; the old cookie is worthless.

        Raises:
            NoSession: Another request has replaced the cookie since this one began (a cookie is
                replaced only once), or the answer to this request has begun.
        """
        if self._later is not None:
            raise NoSession("stash.session.rotate()", "new cookie", NoSession.BEGUN)
        cookie = self.cookie
        assert cookie is not None  # noqa: S101 (asked by `Session`, which has proven it)
        key = keys.digest(b"rotate", cookie.name.encode())
        flight.exclusively(
            self._store, key, "stash.session.rotate()", lambda _: self._replace(cookie)
        )
        self._has_replaced = True
        self.cookie_to_set = self._proofs.new_cookie(cookie.session)

    def _replace(self, cookie: SessionCookie) -> None:
        # Somebody who has planted the cookie may have begun a login with it, too, and that login
        # has waited for this one.
        if self._proofs.has_ended(cookie):
            raise NoSession("stash.session.rotate()", "session")
        self._store.end(cookie.name)

    def end(self) -> None:
        """Give the browser a new session, and its page and tab new ids."""
        self._has_replaced = True
        self._owners.clear()
        if self._later is not None:
            # It is too late to tell the browser: its next page begins a new session.
            self.proven_cookie, self._ids = None, PageIds()
            return
        self.cookie_to_set = self._proofs.new_cookie()
        self._ids = PageIds.new()
        self.is_personal = True
        self.new_ids = self._signed_ids(self.cookie_to_set)
