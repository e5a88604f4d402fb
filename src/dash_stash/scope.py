"""Whose data it is: the whole app's, a user's, one browser session's, one tab's, or one page load's."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from contextvars import Context, ContextVar
from typing import Literal, NamedTuple, Protocol, TypeVar, get_args

from dash_stash.errors import ConfigError, NoSession, ScopeTooWide

T = TypeVar("T")

Scope = Literal["app", "user", "session", "tab", "page"]

APP = ""
"""The owner of what belongs to the whole app."""

# What a value of each scope may be made from. Users and sessions are not comparable: the next login
# of the browser would be served a session's value that was made from the user before.
_MAY_READ: dict[Scope, tuple[Scope, ...]] = {
    "app": ("app",),
    "user": ("app", "user"),
    "session": ("app", "session"),
    "tab": ("app", "session", "tab"),
    "page": ("app", "session", "page"),
}


class Computation(NamedTuple):
    """The innermost memo function that is running."""

    name: str
    scope: Scope
    around: Context
    """The visitor's own context, outside of all memo functions."""


# Of a thread or task, not of one Stash: a function of one may read what another knows of the
# visitor.
_computation: ContextVar[Computation | None] = ContextVar("dash_stash_computation", default=None)


class Request(Protocol):
    """The web framework's request, as far as it is in the way of sharing a value."""

    def hidden(self) -> AbstractContextManager[Context]:
        """Return a copy of the present context in which there is no request, for the length of a with block."""
        ...

    def is_missed_by(self, error: Exception) -> bool:
        """Whether *error* is what the framework raises where a request is needed and there is none."""
        ...


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
        """Give the browser another proof of the same session.

        The one that it had is worth nothing from now on.
        """
        ...

    def end(self) -> None:
        """Give the browser a new session; what it had proves nothing from now on."""
        ...


class Visits:
    """The visit that this thread or task is serving."""

    serves_app = False
    """Whether there is an app whose requests are visits."""

    def __init__(
        self, find_request: Callable[[], Request | None], *, knows_users: bool = False
    ) -> None:
        """Begin with none.

        Take what finds the framework's request, and whether visits tell users apart.
        """
        self._find_request, self._knows_users = find_request, knows_users
        self._current: ContextVar[Visit | None] = ContextVar("dash_stash_visit", default=None)

    @property
    def request(self) -> Request | None:
        """The web framework's request; None in a program that has not loaded one."""
        return self._find_request()

    @property
    def current(self) -> Visit | None:
        """The visit, None outside a request."""
        return self._current.get()

    def enter(self, visit: Visit | None) -> None:
        """Serve *visit*, or nobody."""
        self._current.set(visit)

    def owner(self, scope: Scope, what: str) -> str:
        """Return whose *what* is: "" for the app, else the owner that the visit proves.

        Raises:
            NoSession: *scope* is not the app, and there is no session, tab, page or user.
            ScopeTooWide: A memo function is running whose value would show it to others.
            ConfigError: It is the user, and nothing says who that is.
        """
        if scope == "app":
            return APP
        self.check(scope, what)
        owner = self.proven(scope)
        if owner is None:
            raise self.missing(what, scope)
        return owner

    def check(self, scope: Scope, what: str) -> None:
        """See that *what*, which is of *scope*, may be asked for now.

        Raises:
            ScopeTooWide: A memo function is running whose value would show it to others.
        """
        running = _computation.get()
        if running is not None and scope not in _MAY_READ[running.scope]:
            raise ScopeTooWide(running.name, running.scope, what, scope)

    def proven(self, scope: Scope) -> str | None:
        """Return the owner that the visit proves, None if there is none.

        For what is known to be the visitor's already.
        """
        visit = self._current.get()
        # Aside: what says who the user is may read the session.
        return None if visit is None else self.aside(lambda: visit.owner(scope))

    def missing(self, what: str, scope: Scope) -> NoSession | ConfigError:
        """Return the error that says why there is no session, tab, page or user."""
        if scope == "user" and not self._knows_users:
            return ConfigError(
                f"{what} needs a user, and this Stash knows none: say who asks, as in Stash(app, user=current_user_id)"
            )
        if self.current is None:
            return NoSession(
                what, scope, NoSession.OUTSIDE if self.serves_app else NoSession.UNSERVED
            )
        if scope == "user":
            return NoSession(what, scope, NoSession.NOBODY)
        return NoSession(
            what, scope, NoSession.UNIDENTIFIED if self.proven("session") else NoSession.UNPROVEN
        )

    # Computing for more than this visit

    @property
    def is_computing(self) -> bool:
        """Whether a memo function is running."""
        return _computation.get() is not None

    def aside(self, call: Callable[[], T]) -> T:
        """Return what *call* returns where the visitor is known, and no memo function that is running holds it back."""
        running = _computation.get()
        return call() if running is None else running.around.copy().run(call)

    @contextlib.contextmanager
    def computing(self, name: str, scope: Scope) -> Iterator[Context]:
        """Make the context for a memo function to run in: nothing narrower than its scope can be read.

        For the whole app there is no request either: its value is for every visitor.
        """
        running, request = _computation.get(), self.request
        around = contextvars.copy_context() if running is None else running.around
        hides = scope == "app" and request is not None
        with (
            request.hidden()
            if hides and request
            else contextlib.nullcontext(contextvars.copy_context()) as context
        ):
            context.run(_computation.set, Computation(name, scope, around))
            yield context


def check_scope(scope: str) -> None:
    """See that *scope* is one that there is.

    Raises:
        ConfigError: It is not.
    """
    if scope not in get_args(Scope):
        raise ConfigError(f"scope={scope!r} is not one of {', '.join(map(repr, get_args(Scope)))}")
