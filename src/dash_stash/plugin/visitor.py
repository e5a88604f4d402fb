"""One request's visitor: what the browser has proven, and what it is given with the answer."""

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
    """How the paths of an app begin, as the server sees them."""

    routes: str
    """All of them: below it browsers send the cookie."""

    own: str
    """Those of the requests that a page makes by itself: none of them opens a page."""

    def may_be_page(self, request: flask.Request) -> bool:
        """Whether a request may be for a page, by its path and method."""
        is_below = request.path.startswith(self.routes) and not request.path.startswith(self.own)
        return is_below and request.method in ("GET", "HEAD")


class BrowserVisitor:
    """A `Visitor` with a browser."""

    cookie_to_set: SessionCookie | None = None
    _renewed: SessionCookie | None = None
    """The cookie that the browser has, issued anew."""

    new_ids = ""
    """The ids that the page is to send from now on, if those that it has prove nothing any more."""

    is_personal = False
    """Whether the answer holds ids that are this browser's alone."""

    received: Sequence[object] = ()
    """What the browser has sent as the arguments of a callback."""

    has_begun = False
    """Whether the app's own code may have run."""

    was_replaced = False
    """Whether `rotate` has replaced the cookie that the browser sent: it has, or gets, a newer one.
    """

    _has_replaced = False
    """Whether this request has ended the cookie that the browser sent."""

    _later: Context | None = None
    """The context of the request, once its answer has begun and its code goes on elsewhere."""

    def __init__(
        self,
        proofs: Proofs,
        paths: Paths,
        store: Store,
        request: flask.Request,
        before: Visitor | None,
    ) -> None:
        """Take what checks the request's proofs, and who is served again afterwards."""
        self.before, self.request = before, request
        self._proofs, self._paths, self._store = proofs, paths, store
        self._owners: dict[Scope, Owner | None] = {}
        self.asked: set[Scope] = set()
        """The scopes that the app's code has asked for."""

    # Who it is

    def owner(self, scope: Scope) -> Owner | None:
        """Return the visitor's user, session, tab or page, None if it is not proven."""
        self.asked.add(scope)
        if scope == "user":  # asked anew each time: somebody may log in or out within the request
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
        """What proves the session: the browser's cookie, or the one that it will get.

        A browser that loads its first page gets one.
        """
        if self.proven_cookie is None and self.cookie_to_set is None and self._may_begin_session:
            new = self._proofs.new_cookie()
            # It has not ended; but while the store is away no session begins.
            self._store.has_ended(new.owner)
            self.cookie_to_set = new
        return self.cookie_to_set or self.proven_cookie

    @cached_property
    def proven_cookie(self) -> SessionCookie | None:
        """The browser's cookie, if we signed it lately and it has not ended."""
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
        """Whether a session is proven, as far as the store can be asked."""
        with contextlib.suppress(StoreUnavailable):
            return self.cookie is not None
        return False

    def confirm(self) -> None:
        """See that the browser's cookie has not been replaced, as far as the store can be asked.

        Raises:
            NoSession: It has, and nothing has been done yet.
        """
        with contextlib.suppress(StoreUnavailable):
            if self.proven_cookie is None and self.was_replaced:
                raise NoSession("this callback", "session")

    @cached_property
    def _may_begin_session(self) -> bool:
        """Whether the request is for a page, not made by one: a page's has to prove its session.

        Elsewhere than below the app's path a browser does not send the cookie that it has, and
        would replace it by a new one.
        """
        return self._paths.may_be_page(self.request)

    # Pages and tabs

    @cached_property
    def _ids(self) -> PageIds:
        return self._read_ids(self.request.headers.get(HEADER, ""))

    def _read_ids(self, text: str) -> PageIds:
        """The ids of a page and its tab that *text* proves for the present session."""
        cookie = self.cookie
        return PageIds() if cookie is None else self._proofs.page_ids(text, cookie.session)

    def named_by(self, text: str) -> list[tuple[Literal["page", "tab"], Owner]]:
        """Return the page and the tab that the ids in *text* prove, from now on the visitor's."""
        self._ids = self._read_ids(text)
        scopes: tuple[Literal["page", "tab"], ...] = ("page", "tab")
        found = [(scope, self._owner_of(scope)) for scope in scopes]
        return [(scope, whose) for scope, whose in found if whose is not None]

    @property
    def is_of_another_session(self) -> bool:
        """Whether the page that asks was loaded in another session than the browser has now."""
        is_proven = self.cookie is None or self._ids.page is not None
        return HEADER in self.request.headers and not is_proven

    def open_page(self) -> str:
        """Return the ids for the page that this request is answered with."""
        self._may_begin_session = True  # Dash answers any path that is nobody else's with its page
        self._owners.clear()
        self._ids = PageIds.new()
        try:
            cookie = self.cookie
        except StoreUnavailable:
            # The page loads all the same. Its ids prove something once the store is back and has
            # confirmed the cookie; a browser without a cookie gets neither.
            cookie = self._signed_cookie
        self.is_personal = True
        return "" if cookie is None else self._signed_ids(cookie)

    def _signed_ids(self, cookie: SessionCookie) -> str:
        """The ids of a page and of its tab; a tab that has one keeps it."""
        page, tab = self._ids
        assert page is not None and tab is not None  # noqa: S101, PT018 (they are new)
        return self._proofs.signed_ids(page, tab, cookie.session)

    # After the answer has begun

    def outlive(self) -> None:
        """Go on in whatever thread: with the same request, but no cookie can be set any more."""
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
        # The browser's body may arrive slowly: by the time that the callback asks, another request
        # may have replaced the cookie.
        del self.proven_cookie

    def lasting_cookie(self) -> SessionCookie | None:
        """Return the cookie to set, if any, unless it has ended while the request was answered."""
        cookie = self.cookie_to_set or self._renewed
        try:
            return None if cookie is None or self._proofs.has_ended(cookie) else cookie
        except StoreUnavailable:
            # The browser keeps the cookie that it has, unless this request has ended that one.
            return cookie if self._has_replaced else None

    def rotate(self) -> None:
        """Give the browser another cookie for the same session; the old one proves nothing.

        Raises:
            NoSession: Another request has done so since this one began, as there is one new cookie
                for an old one; or the answer to this one has begun.
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
        # Somebody who has planted the cookie may have begun a login with it, too, which has waited
        # for this one.
        if self._proofs.has_ended(cookie):
            raise NoSession("stash.session.rotate()", "session")
        self._store.end(cookie.name)

    def end(self) -> None:
        """Give the browser a new session, and its page and tab new ids."""
        self._has_replaced = True
        self._owners.clear()
        if self._later is not None:
            # The browser cannot be told any more: its next page begins a session.
            self.proven_cookie, self._ids = None, PageIds()
            return
        self.cookie_to_set = self._proofs.new_cookie()
        self._ids = PageIds.new()
        self.is_personal = True
        self.new_ids = self._signed_ids(self.cookie_to_set)
