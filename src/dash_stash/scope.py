"""Whose data it is: the whole app's, one browser session's, or one page load's."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import cached_property
from typing import Literal, get_args

from dash_stash import keys
from dash_stash.errors import ConfigError, NoSession

Scope = Literal["app", "session", "page"]

APP = ""
"""The owner of what belongs to the whole app."""


class Visit:
    """Who is asking, proven only when somebody wants to know: most callbacks do not."""

    def __init__(
        self,
        prove_session: Callable[[], bytes | None],
        prove_page: Callable[[bytes], bytes | None],
        before: Visit | None = None,
    ) -> None:
        """Take functions that return the session's id, and the id of a page of that session, or None if not proven.

        *before* is the visit that this one interrupts: a callback may make a request to its own app.
        """
        self._prove_session, self._prove_page, self.before = prove_session, prove_page, before
        self.minted: dict[str, bytes] = {}
        """Ids that were made in this visit, by what they are of: "session" or "page"."""

    @cached_property
    def session(self) -> bytes | None:
        """The hash of the session's id: what is stored, logged or listed never is the id itself."""
        session = self._prove_session()
        return None if session is None else keys.digest(b"session", session)

    @cached_property
    def page(self) -> bytes | None:
        """The hash of the page's id."""
        session = self._prove_session()
        page = None if session is None else self._prove_page(session)
        return None if page is None or session is None else keys.digest(b"page", session, page)


class Visits:
    """The visit that this thread or task is serving."""

    def __init__(self) -> None:
        """Begin with none."""
        self._current: ContextVar[Visit | None] = ContextVar("dash_stash_visit", default=None)

    @property
    def current(self) -> Visit | None:
        """The visit, None outside a request."""
        return self._current.get()

    def enter(self, visit: Visit | None) -> None:
        """Serve *visit*, or nobody."""
        self._current.set(visit)

    def id(self, scope: Scope) -> bytes | None:
        """The hashed id of the present session or page, None if there is none (or *scope* is the app)."""
        visit = self._current.get()
        return None if visit is None or scope == "app" else visit.session if scope == "session" else visit.page

    def owner(self, scope: Scope, what: str) -> str:
        """Return whose *what* is, as text: "" for the app, else the scope and the hashed id.

        Raises:
            NoSession: *scope* is the session or page, and there is none.
        """
        if scope == "app":
            return APP
        identified = self.id(scope)
        if identified is None:
            raise NoSession(what, scope)
        return f"{scope}:{identified.hex()}"


def check_scope(scope: str) -> None:
    """See that *scope* is one that there is.

    Raises:
        ConfigError: It is not.
    """
    if scope not in get_args(Scope):
        raise ConfigError(f"scope={scope!r} is not one of {', '.join(map(repr, get_args(Scope)))}")
