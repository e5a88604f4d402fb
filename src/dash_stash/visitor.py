"""The visitor of the present request, and the data that a memo function may read for them."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from contextvars import Context, ContextVar
from typing import NamedTuple, Protocol, TypeVar

from dash_stash.errors import ConfigError, NoSession, ScopeTooWide
from dash_stash.owner import APP, Owner, Scope

T = TypeVar("T")

# What a value of each scope may be made from. User and session may not read each other: after a
# login in the same browser, a session's value would still be made from the previous user's data.
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


# For a thread or task, not for one Stash: a memo function of one Stash can use another Stash.
_computation: ContextVar[Computation | None] = ContextVar("dash_stash_computation", default=None)


class Request(Protocol):
    """The web framework's request: a value for the whole app must not depend on it."""

    def hidden(self) -> AbstractContextManager[Context]:
        """Copy the present context without its request, for use inside a with block."""
        ...

    def is_missed_by(self, error: Exception) -> bool:
        """Return whether the framework raised *error* because it needs a request."""
        ...


class Visitor(Protocol):
    """The user and browser that make one request.

    The proof is checked only when it is needed: most callbacks do not need it.
    """

    before: Visitor | None
    """The visitor that is served again afterwards: a callback may call its own app."""

    def owner(self, scope: Scope) -> Owner | None:
        """Return the visitor's user, session, tab or page, or None if it is not proven."""
        ...

    def rotate(self) -> None:
        """Give the browser a new cookie for the same session; the old cookie is worthless."""
        ...

    def end(self) -> None:
        """Give the browser a new session; its old cookie and ids are worthless."""
        ...


class CurrentVisitor:
    """The visitor that this thread or task is serving."""

    serves_app = False
    """Whether there is an app whose requests have visitors."""

    def __init__(
        self, find_request: Callable[[], Request | None], *, knows_users: bool = False
    ) -> None:
        """Begin without a visitor.

        Take a function that finds the framework's request, and whether the app knows users.
        """
        self._find_request, self._knows_users = find_request, knows_users
        self._current: ContextVar[Visitor | None] = ContextVar("dash_stash_visitor", default=None)

    @property
    def request(self) -> Request | None:
        """The web framework's request; None if the program has not loaded a framework."""
        return self._find_request()

    @property
    def current(self) -> Visitor | None:
        """The visitor; None outside a request."""
        return self._current.get()

    def enter(self, visitor: Visitor | None) -> None:
        """Serve *visitor*, or nobody."""
        self._current.set(visitor)

    def owner(self, scope: Scope, what: str) -> Owner:
        """Return the owner of *what* in *scope*: the app, or the visitor's user, session or page.

        Raises:
            NoSession: *scope* is not the app, and there is no session, tab, page or user.
            ScopeTooWide: A memo function is running, and its value would show *what* to others.
            ConfigError: *scope* is the user, and the Stash has no `user=`.
        """
        if scope == "app":
            return APP
        self.check(scope, what)
        owner = self.proven(scope)
        if owner is None:
            raise self.missing(what, scope)
        return owner

    def check(self, scope: Scope, what: str) -> None:
        """Check that *what*, which has *scope*, may be read now.

        Raises:
            ScopeTooWide: A memo function is running, and its value would show *what* to others.
        """
        running = _computation.get()
        if running is not None and scope not in _MAY_READ[running.scope]:
            raise ScopeTooWide(running.name, running.scope, what, scope)

    def proven(self, scope: Scope) -> Owner | None:
        """Return the owner that the visitor proves, or None.

        Unlike `owner`, it does not check whether a running memo function may know the owner.
        """
        visitor = self._current.get()
        # Aside, because the function `user=` may read the session.
        return None if visitor is None else self.aside(lambda: visitor.owner(scope))

    def missing(self, what: str, scope: Scope) -> NoSession | ConfigError:
        """Return the error that says why there is no session, tab, page or user."""
        if scope == "user" and not self._knows_users:
            return ConfigError(
                f"{what} needs a user, but this Stash does not know users: pass a function that "
                "returns the user's id, as in Stash(app, user=current_user_id)"
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

    # Computing for more than this visitor

    @property
    def is_computing(self) -> bool:
        """Whether a memo function is running."""
        return _computation.get() is not None

    def aside(self, call: Callable[[], T]) -> T:
        """Run *call* in the visitor's own context, outside all memo functions."""
        running = _computation.get()
        return call() if running is None else running.around.copy().run(call)

    @contextlib.contextmanager
    def computing(self, name: str, scope: Scope) -> Iterator[Context]:
        """Make the context for a memo function: it can read nothing narrower than its scope.

        A function for the whole app cannot see the request either: its value is for every visitor.
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
