"""What proves who asks: cookies, ids of pages and tabs, and what the app's `user=` says."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping

from dash_stash import keys, owner, seal
from dash_stash.clock import SKEW
from dash_stash.deployment import Deployment
from dash_stash.errors import ConfigError
from dash_stash.owner import Owner
from dash_stash.plugin.ids import ID_SIZE, PageIds, SessionCookie, proven, sign

_RENEW_AFTER = 0.1
"""The part of `idle` after which a cookie is issued anew."""


class Proofs:
    """Makes and checks the proofs of one app's visitors."""

    def __init__(self, deployment: Deployment, path: str) -> None:
        """Take whose secret signs, and the path that the browsers send the cookie to."""
        key = deployment.seal.key
        self._store, self._clock = deployment.store, deployment.clock
        self._limits, self._ask_user = deployment.settings.limits, deployment.settings.user
        self._session_key, self._user_key = key("session"), key("user")
        self._page_key, self._tab_key = key("page"), key("tab")
        self._cookies = [_cookie_name(part, path) for part in seal.parts(key("cookie"))]
        self.key_ids = [name.rpartition("_")[2] for name in self._cookies]
        """What tells the secrets of deployments apart, the present one first.

        Everybody may know it.
        """

    # Cookies

    @property
    def cookie_name(self) -> str:
        """The name of the cookie that is set; those of older secrets are only read."""
        return self._cookies[0]

    def new_cookie(self, session: bytes | None = None) -> SessionCookie:
        """Return another cookie, of a new session unless *session* is given."""
        return SessionCookie.new(self._clock(), session)

    def value_of(self, cookie: SessionCookie) -> str:
        """Return the text that the browser keeps."""
        return cookie.sign(self._session_key)

    def signed(self, cookies: Mapping[str, str]) -> SessionCookie | None:
        """Return the one of the browser's cookies that we signed, at whatever time."""
        sent = next((value for name in self._cookies if (value := cookies.get(name))), "")
        return SessionCookie.proven(sent, self._session_key)

    def is_accepted(self, cookie: SessionCookie) -> bool:
        """Return whether a cookie was issued lately, by clocks that may differ."""
        return -SKEW <= self._clock() - cookie.issued <= self._limits.accepted

    def renewed(self, cookie: SessionCookie) -> SessionCookie | None:
        """Return a cookie issued anew, so that it lasts longer; None if it was issued lately."""
        now = self._clock()
        is_due = now - cookie.issued > _RENEW_AFTER * self._limits.idle
        return dataclasses.replace(cookie, issued=int(now)) if is_due else None

    def has_ended(self, cookie: SessionCookie) -> bool:
        """Return whether a cookie was replaced, or its session has ended."""
        return self._store.has_ended(cookie.name) or self._store.has_ended(cookie.owner)

    # Ids of pages and tabs

    def page_ids(self, text: str, session: bytes) -> PageIds:
        """Return the ids in *text* that were signed for a session."""
        page, _, tab = text.partition(".")
        return PageIds(
            proven(page, self._page_key, ID_SIZE, session),
            proven(tab, self._tab_key, ID_SIZE, session),
        )

    def signed_ids(self, page: bytes, tab: bytes, session: bytes) -> str:
        """Return the ids as a page sends them, and a mark that differs for each session."""
        signed = sign(page, self._page_key, session), sign(tab, self._tab_key, session)
        return ".".join((*signed, keys.digest(b"shown", session).hex()[:8]))

    # Users

    def ask_user(self) -> object:
        """Return the result of `user=`; None if there is no such function."""
        try:
            return None if self._ask_user is None else self._ask_user()
        except KeyError as error:  # otherwise `stash.user.get(...)` would return its default
            raise ConfigError(
                f"user= raised KeyError: {error}. Let it return None while nobody is logged in, "
                "as session.get(...) does"
            ) from error

    def user(self, said: object) -> Owner | None:
        """Return the user with the id *said*, or None for nobody.

        Raises:
            ConfigError: *said* cannot be an id.
        """
        if said is None or said in ("", b""):
            return None
        if not isinstance(said, str | bytes | int) or isinstance(said, bool):
            raise ConfigError(
                f"user= returned a {type(said).__qualname__}: return the user's id as text, "
                "bytes or a number, or None"
            )
        if isinstance(said, int):  # in hexadecimal digits: of a very long number there is no str()
            kind, raw = b"int", f"{said:x}".encode()
        elif isinstance(said, str):
            kind, raw = b"str", said.encode("utf-8", "surrogatepass")
        else:
            kind, raw = b"bytes", said
        # Made with a key, because the ids of users can be guessed.
        return owner.make("user", seal.make(self._user_key, kind, b":", raw, size=keys.KEY_SIZE))


def _cookie_name(key: bytes, path: str) -> str:
    # Several apps may share a host, and cookies do not depend on the port.
    return f"dash_stash_{hashlib.sha256(key + path.encode()).hexdigest()[:8]}"
