"""One request: whose it is, as its cookie, its page's and its tab's id prove."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import secrets
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import cached_property

import flask

from dash_stash import flight, keys, seal
from dash_stash.clock import SKEW, Clock
from dash_stash.errors import ConfigError, NoSession, StoreUnavailable
from dash_stash.plugin.ids import ID_SIZE, Cookie, proven, sign
from dash_stash.scope import Scope, Visit
from dash_stash.stores.base import Limits, Store, patiently

HEADER = "X-Dash-Stash"

_RENEW_AFTER = 0.1


@dataclass(frozen=True, slots=True)
class Desk:
    """What is needed to know the visitors of one app."""

    cookies: tuple[str, ...]
    """The names of the cookie, one per secret: the first is set, all are read."""

    routes: str
    """How the paths begin that browsers send the cookie to, without what a proxy has taken away."""

    own_requests: str
    """How the paths begin of the requests that a page makes, not who opens one."""

    session_key: bytes
    tab_key: bytes
    page_key: bytes
    user_key: bytes
    user: Callable[[], str | bytes | int | None] | None
    store: Store
    clock: Clock
    limits: Limits


class BrowserVisit:
    """A `Visit` by a browser."""

    def __init__(self, desk: Desk, request: flask.Request, before: Visit | None) -> None:
        """Take what is known of the app's visitors, the request, and the visit that this one interrupts."""
        self.before, self.request = before, request
        self._desk = desk
        self._owners: dict[Scope, str | None] = {}
        self.cookie_to_set: Cookie | None = None
        self._renewed: Cookie | None = None
        """The cookie that the browser has, issued anew."""
        self.new_ids = ""
        """The ids that the page is to send from now on, if those that it has are worth nothing any more."""
        self._is_replaced = False
        """Whether the cookie that the browser had is worth nothing any more."""
        self.is_personal = False
        """Whether the answer holds ids that are this browser's alone."""
        self.asked: set[Scope] = set()
        """Whose data was asked for."""
        self.was_replaced = False
        """Whether the browser has sent a cookie that `rotate` has replaced: the one that it gets, or has got by now, is better."""
        self.received: Sequence[object] = ()
        """What the browser has sent as the arguments of a callback."""
        self.has_begun = False
        """Whether the app's own code may have run."""
        self._context: Context | None = None
        """Where the request goes on when it has been answered."""

    def owner(self, scope: Scope) -> str | None:
        """Return whose the data of *scope* is, None if that is not proven."""
        self.asked.add(scope)
        if scope == "user":  # asked anew each time: somebody may log in or out within the request
            return self._user()
        if scope not in self._owners:
            with patiently():
                self._owners[scope] = self._owner_of(scope)
        return self._owners[scope]

    def _owner_of(self, scope: Scope) -> str | None:
        cookie = self.cookie
        if cookie is None or scope == "session":
            return None if cookie is None else cookie.holder
        identified = self._ids[0 if scope == "page" else 1]
        return (
            None
            if identified is None
            else f"{cookie.holder}/{scope}:{keys.digest(identified).hex()}"
        )

    @property
    def cookie(self) -> Cookie | None:
        """The session that the cookie proves.

        For a browser that loads its first page, the one that it will get.
        """
        if self.proven_cookie is None and self.cookie_to_set is None and self._may_begin_session:
            new = Cookie.new(self._desk.clock())
            self._desk.store.has_ended(
                new.holder
            )  # it has not; but while the store is away no session begins
            self.cookie_to_set = new
        return self.cookie_to_set or self.proven_cookie

    @cached_property
    def proven_cookie(self) -> Cookie | None:
        """What the browser has sent, if we signed it lately and it has not been replaced."""
        cookie = self._signed_cookie
        if (
            cookie is None
            or not -SKEW <= self._desk.clock() - cookie.issued <= self._desk.limits.accepted
        ):
            return None
        if self._has_ended(cookie):
            self.was_replaced = not self._desk.store.has_ended(cookie.holder)
            return None
        return cookie

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

    @property
    def _signed_cookie(self) -> Cookie | None:
        sent = next(
            (value for name in self._desk.cookies if (value := self.request.cookies.get(name))), ""
        )
        return Cookie.proven(sent, self._desk.session_key)

    def _has_ended(self, cookie: Cookie) -> bool:
        """Whether the cookie was replaced, or its session is over."""
        return self._desk.store.has_ended(cookie.mark) or self._desk.store.has_ended(cookie.holder)

    @cached_property
    def _ids(self) -> tuple[bytes | None, bytes | None]:
        """The ids of page and tab that the request proves."""
        return self._read_ids(self.request.headers.get(HEADER, ""))

    def left_by(self, text: str) -> list[str]:
        """Whose the data of the page and the tab is whose ids *text* proves."""
        self._ids = self._read_ids(text)
        return [owner for scope in ("page", "tab") if (owner := self._owner_of(scope)) is not None]

    def _read_ids(self, text: str) -> tuple[bytes | None, bytes | None]:
        """The ids of a page and its tab that *text* proves for the present session."""
        cookie = self.cookie
        if cookie is None:
            return None, None
        page, _, tab = text.partition(".")
        desk = self._desk
        return proven(page, desk.page_key, ID_SIZE, cookie.session), proven(
            tab, desk.tab_key, ID_SIZE, cookie.session
        )

    @property
    def is_of_another_session(self) -> bool:
        """Whether the page that asks was loaded in another session than the browser has now."""
        return HEADER in self.request.headers and self.cookie is not None and self._ids[0] is None

    def open_page(self) -> str:
        """Return what the page that this request is answered with gets to send along."""
        self._may_begin_session = True  # Dash answers any path that is nobody else's with its page
        self._owners.clear()
        self._ids = secrets.token_bytes(ID_SIZE), secrets.token_bytes(ID_SIZE)
        try:
            cookie = self.cookie
        except StoreUnavailable:
            # The page loads all the same. Its ids are worth something once the store is back and
            # the cookie proven; a browser without a cookie gets neither.
            cookie = self._signed_cookie
        self.is_personal = True
        return "" if cookie is None else self._signed_ids(cookie)

    def _signed_ids(self, cookie: Cookie) -> str:
        """The page's id, one for its tab if that has none yet, and what tells sessions apart."""
        page, tab = self._ids
        assert page is not None and tab is not None  # noqa: S101, PT018 (a page that is being loaded)
        signed = (
            sign(page, self._desk.page_key, cookie.session),
            sign(tab, self._desk.tab_key, cookie.session),
        )
        return ".".join((*signed, keys.digest(b"shown", cookie.session).hex()[:8]))

    @cached_property
    def _may_begin_session(self) -> bool:
        """Whether the request is for a page, not made by one: those have to prove what they belong to.

        Outside of the app's path a browser does not send the cookie that it has, and a new one would take its place.
        """
        path = self.request.path
        is_below = path.startswith(self._desk.routes) and not path.startswith(
            self._desk.own_requests
        )
        return is_below and self.request.method in ("GET", "HEAD")

    def _user(self) -> str | None:
        ask = self._desk.user or (lambda: None)
        try:
            user = ask() if self._context is None else self._context.copy().run(ask)
        except KeyError as error:  # for which `stash.user.get(...)` would return its default
            raise ConfigError(
                f"user= raised KeyError: {error}: let it return None while nobody is logged in, as session.get(...) does"
            ) from error
        if user is None or user in ("", b""):
            return None
        if not isinstance(user, str | bytes | int) or isinstance(user, bool):
            raise ConfigError(
                f"user= returned a {type(user).__qualname__}: return the user's id as text, bytes or a number, or None"
            )
        if isinstance(user, int):
            kind, raw = (
                b"int",
                f"{user:x}".encode(),
            )  # of a number with thousands of digits there is no str()
        elif isinstance(user, str):
            kind, raw = b"str", user.encode("utf-8", "surrogatepass")
        else:
            kind, raw = b"bytes", user
        # With a key: ids of users can be guessed.
        digest = seal.make(self._desk.user_key, kind, b":", raw, size=keys.KEY_SIZE)
        return f"user:{digest.hex()}"

    def outlive(self) -> None:
        """Go on after the answer has begun, in whatever thread: with the same request, and no cookie any more to set."""
        self._context = contextvars.copy_context()

    # Changing who it is

    def slide(self) -> None:
        """Note that the session, tab and page are in use, and let the cookie last longer."""
        cookie = self.proven_cookie
        if cookie is None:
            return
        for scope in ("session", "tab", "page"):
            owner = self._owner_of(scope)
            if owner is not None:
                self._desk.store.touch(owner)
        now = self._desk.clock()
        if now - cookie.issued > _RENEW_AFTER * self._desk.limits.idle:
            self._renewed = dataclasses.replace(cookie, issued=int(now))
        # What the browser sends may arrive slowly: by the time that somebody asks, another request
        # may have replaced the cookie.
        del self.proven_cookie

    def lasting_cookie(self) -> Cookie | None:
        """The cookie to set, if any: not one that was issued anew and has ended while the request was answered."""
        cookie = self.cookie_to_set or self._renewed
        try:
            return None if cookie is None or self._has_ended(cookie) else cookie
        except StoreUnavailable:
            # What the browser has goes on, unless it was replaced in this request, so that it is
            # worth nothing.
            return cookie if self._is_replaced else None

    def rotate(self) -> None:
        """Give the browser another cookie of the same session.

        The one that it had is worth nothing from now on.

        Raises:
            NoSession: Another request has done so since this one began, or its answer has begun:
                there is one new cookie for an old one.
        """
        if self._context is not None:
            raise NoSession("stash.session.rotate()", "new cookie", NoSession.BEGUN)
        cookie = self.cookie
        assert cookie is not None  # noqa: S101 (asked by `Session`, which has proven it)
        key = keys.digest(b"rotate", cookie.mark.encode())
        flight.exclusively(
            self._desk.store, key, "stash.session.rotate()", lambda _: self._replace(cookie)
        )
        self._is_replaced = True
        self.cookie_to_set = Cookie.new(self._desk.clock(), cookie.session)

    def _replace(self, cookie: Cookie) -> None:
        # Who planted the cookie may have begun a login of their own with it, and let that wait for
        # this one.
        if self._has_ended(cookie):
            raise NoSession("stash.session.rotate()", "session")
        self._desk.store.end(cookie.mark)

    def end(self) -> None:
        """Give the browser a new session, and its page and tab new ids."""
        self._is_replaced = True
        self._owners.clear()
        if (
            self._context is not None
        ):  # nothing that the browser could be told: its next page begins a session
            self.proven_cookie, self._ids = None, (None, None)
            return
        self.cookie_to_set = Cookie.new(self._desk.clock())
        self._ids = secrets.token_bytes(ID_SIZE), secrets.token_bytes(ID_SIZE)
        self.is_personal = True
        self.new_ids = self._signed_ids(self.cookie_to_set)
