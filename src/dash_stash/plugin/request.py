"""The request that Flask and Dash are answering, and how to run something without it."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from contextvars import Context

import flask
import flask.ctx
import flask.globals
from dash import _callback_context
from dash.exceptions import MissingCallbackContextException

# Where Flask and Dash keep the request.
_FLASK = flask.globals._cv_request
_DASH = _callback_context.context_value


class FlaskRequest:
    """A `Request` of Flask's and Dash's."""

    @contextlib.contextmanager
    def hidden(self) -> Iterator[Context]:
        """Make a copy of the present context in which there is no request."""
        context = Context()
        for variable, value in contextvars.copy_context().items():
            if variable is not _FLASK:
                context.run(variable.set, value)
        context.run(_DASH.set, {})
        if not flask.has_request_context():
            yield context
            return
        # The app's context stays, with a `g` of its own: in the request's `g`, apps and extensions
        # keep who is asking.
        app = flask.current_app.app_context()
        context.run(app.push)
        try:
            yield context
        finally:
            context.run(app.pop)

    def is_missed_by(self, error: Exception) -> bool:
        """Return whether Flask or Dash raised *error* because it needs a request."""
        if isinstance(error, MissingCallbackContextException):
            return True
        if isinstance(error, AttributeError):
            return isinstance(error.obj, flask.ctx._AppCtxGlobals)
        return isinstance(error, RuntimeError) and str(error).startswith(
            "Working outside of request context"
        )


REQUEST = FlaskRequest()
"""The one of this thread or task."""
