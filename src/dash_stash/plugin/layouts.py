"""Layout functions that Dash calls while nobody asks for a page: at the assignment, and all of them at the first request."""

from __future__ import annotations

import contextlib
import functools
import inspect
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from dash_stash import keys
from dash_stash.deployment import Deployment
from dash_stash.errors import StoreUnavailable
from dash_stash.scope import Scope, Visit, Visits

if TYPE_CHECKING:
    from dash import Dash


class Nobody:
    """A visit without a browser: its session, user, tab and page are empty, and nothing outlives it."""

    def __init__(self, before: Visit | None) -> None:
        """Take the visit that it interrupts."""
        self.before = before
        self.owners: dict[Scope, str] = {}

    def owner(self, scope: Scope) -> str:
        """Return an owner that nobody else is."""
        if scope not in self.owners:
            identified = f"{scope}:{secrets.token_hex(keys.KEY_SIZE)}"
            self.owners[scope] = (
                f"{self.owner('session')}/{identified}" if scope in ("tab", "page") else identified
            )
        return self.owners[scope]

    def rotate(self) -> None:
        """There is no cookie."""

    def end(self) -> None:
        """Be somebody else."""
        self.owners.clear()


def serve_layouts(app: Dash, stash: Deployment) -> None:
    """Let layout functions find an empty session while Dash only validates what they return.

    A layout that shows what a visitor has must not be validated with it, and one that logs out must
    not log that visitor out.
    """
    value = app._layout_value

    def layout_value() -> Any:
        if stash.visitor.current is not None:
            return value()
        with _nobody(stash):
            return value()

    app._layout_value = layout_value


def prepare_as_nobody(app: Dash, stash: Deployment) -> None:
    """Let what Dash has registered to be called before requests, to validate layouts among others, be called for nobody."""
    before = app.server.before_request_funcs.setdefault(None, [])
    before[:] = [
        _as_nobody(prepare, app, stash) if prepare.__module__ == "dash.dash" else prepare
        for prepare in before
    ]


def _as_nobody(prepare: Callable[[], Any], app: Dash, stash: Deployment) -> Callable[[], Any]:
    done = app._got_first_request

    def is_ready() -> bool:
        """Whether Dash has validated all layouts, so that every further request is spared this."""
        return done["setup_server"] and (done["pages"] or not app.use_pages)

    if inspect.iscoroutinefunction(prepare):

        @functools.wraps(prepare)
        async def prepare_later() -> Any:
            if is_ready():
                return await prepare()
            with _nobody(stash):
                return await prepare()

        return prepare_later

    @functools.wraps(prepare)
    def prepare_now() -> Any:
        if is_ready():
            return prepare()
        with _nobody(stash):
            return prepare()

    return prepare_now


@contextlib.contextmanager
def _nobody(stash: Deployment) -> Iterator[None]:
    visits: Visits = stash.visitor
    visit = Nobody(visits.current)
    visits.enter(visit)
    try:
        yield
    finally:
        visits.enter(visit.before)
        with contextlib.suppress(StoreUnavailable):
            for scope in ("session", "user"):
                if scope in visit.owners:
                    stash.store.end(visit.owners[scope])
