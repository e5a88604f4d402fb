"""Whose data it is: the whole app's, a user's, one browser session's, one tab's, or one page load's."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Literal, Protocol, get_args

from dash_stash.errors import ConfigError, NoSession

Scope = Literal["app", "user", "session", "tab", "page"]

APP = ""
"""The owner of what belongs to the whole app."""


class Visit(Protocol):
    """Who is asking, proven only when somebody wants to know: most callbacks do not."""

    before: Visit | None
    """The visit that this one interrupts: a callback may make a request to its own app."""

    def owner(self, scope: Scope) -> str | None:
        """Return whose the data of *scope* is in this visit: the kind and the hashed id, which is never the id itself.

        "user:...", "session:...", and of a session "session:.../tab:..." and "session:.../page:..."; None if not proven.
        """
        ...

    def rotate(self) -> None:
        """Give the browser another proof of the same session; the one that it had is worth nothing from now on."""
        ...

    def end(self) -> None:
        """Give the browser a new session; what it had proves nothing from now on."""
        ...


class Visits:
    """The visit that this thread or task is serving."""

    serves_app = False
    """Whether there is an app whose requests are visits."""

    def __init__(self, *, knows_users: bool = False) -> None:
        """Begin with none; take whether visits tell users apart."""
        self._knows_users = knows_users
        self._current: ContextVar[Visit | None] = ContextVar("dash_stash_visit", default=None)

    @property
    def current(self) -> Visit | None:
        """The visit, None outside a request."""
        return self._current.get()

    def enter(self, visit: Visit | None) -> None:
        """Serve *visit*, or nobody."""
        self._current.set(visit)

    def session(self) -> bytes | None:
        """The hashed id of the present session, None if there is none."""
        visit = self._current.get()
        owner = None if visit is None else visit.owner("session")
        return None if owner is None else bytes.fromhex(owner.partition(":")[2])

    def owner(self, scope: Scope, what: str) -> str:
        """Return whose *what* is: "" for the app, else the owner that the visit proves.

        Raises:
            NoSession: *scope* is not the app, and there is no session, tab, page or user.
            ConfigError: It is the user, and nothing says who that is.
        """
        if scope == "app":
            return APP
        visit = self._current.get()
        owner = None if visit is None else visit.owner(scope)
        if owner is None:
            raise self.missing(what, scope)
        return owner

    def missing(self, what: str, scope: Scope) -> NoSession | ConfigError:
        """Return the error that says why there is no session, tab, page or user."""
        if scope == "user" and not self._knows_users:
            return ConfigError(f"{what} needs a user, and this Stash knows none: say who asks, as in Stash(app, user=current_user_id)")
        if self.current is None:
            return NoSession(what, scope, NoSession.OUTSIDE if self.serves_app else NoSession.UNSERVED)
        return NoSession(what, scope, NoSession.NOBODY if scope == "user" else NoSession.UNPROVEN)


def check_scope(scope: str) -> None:
    """See that *scope* is one that there is.

    Raises:
        ConfigError: It is not.
    """
    if scope not in get_args(Scope):
        raise ConfigError(f"scope={scope!r} is not one of {', '.join(map(repr, get_args(Scope)))}")
