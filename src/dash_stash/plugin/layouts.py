"""Layout functions that Dash calls while nobody asks for a page.

It does so when a layout is assigned, and once with the layouts of all pages.
"""

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
from dash_stash.owner import APP, Owner, Scope, make
from dash_stash.visitor import Visitor

if TYPE_CHECKING:
    from dash import Dash


class Nobody:
    """A `Visitor` without a browser: all that it has is empty, and goes with it."""

    def __init__(self, before: Visitor | None) -> None:
        """Take the visitor who is served again afterwards."""
        self.before = before
        self.owners: dict[Scope, Owner] = {}

    def owner(self, scope: Scope) -> Owner:
        """Return an owner that nobody else is."""
        if scope not in self.owners:
            session = self.owner("session") if scope in ("tab", "page") else APP
            self.owners[scope] = make(scope, secrets.token_bytes(keys.KEY_SIZE), session)
        return self.owners[scope]

    def rotate(self) -> None:
        """Do nothing: there is no cookie."""

    def end(self) -> None:
        """Be somebody else."""
        self.owners.clear()


def serve_layouts(app: Dash, deployment: Deployment) -> None:
    """Let layout functions find an empty session while Dash only validates what they return.

    The first visitor's data must not be validated, and a layout that logs out must not log that
    visitor out.
    """
    value = app._layout_value

    def layout_value() -> Any:
        if deployment.visitor.current is not None:
            return value()
        with _nobody(deployment):
            return value()

    app._layout_value = layout_value


def prepare_as_nobody(app: Dash, deployment: Deployment) -> None:
    """Let nobody be the visitor of what Dash itself does before requests, as validating layouts."""
    before = app.server.before_request_funcs.setdefault(None, [])
    before[:] = [
        _as_nobody(prepare, app, deployment) if prepare.__module__ == "dash.dash" else prepare
        for prepare in before
    ]


def _as_nobody(prepare: Callable[[], Any], app: Dash, deployment: Deployment) -> Callable[[], Any]:
    done = app._got_first_request

    def is_ready() -> bool:
        """Return whether Dash has validated all layouts: then requests need nothing of this."""
        return done["setup_server"] and (done["pages"] or not app.use_pages)

    if inspect.iscoroutinefunction(prepare):

        @functools.wraps(prepare)
        async def prepare_later() -> Any:
            if is_ready():
                return await prepare()
            with _nobody(deployment):
                return await prepare()

        return prepare_later

    @functools.wraps(prepare)
    def prepare_now() -> Any:
        if is_ready():
            return prepare()
        with _nobody(deployment):
            return prepare()

    return prepare_now


@contextlib.contextmanager
def _nobody(deployment: Deployment) -> Iterator[None]:
    current = deployment.visitor
    nobody = Nobody(current.current)
    current.enter(nobody)
    try:
        yield
    finally:
        current.enter(nobody.before)
        with contextlib.suppress(StoreUnavailable):
            for scope, owner in nobody.owners.items():
                if scope in ("session", "user"):
                    deployment.store.end(owner)
