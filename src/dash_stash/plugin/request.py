"""The request that is being answered, as far as it is in the way of sharing a value."""

from __future__ import annotations

import contextvars
from contextvars import Context

import flask.globals
from dash import _callback_context
from dash.exceptions import MissingCallbackContextException

# Where Flask and Dash keep the request, and what stands there when there is none. `current_app` and `g` are kept elsewhere.
_FLASK = flask.globals._cv_request
_DASH = _callback_context.context_value


class FlaskRequest:
    """A `scope.Request` of Flask's and Dash's."""

    def hidden(self) -> Context:
        """Return a copy of the present context in which there is no request."""
        context = Context()
        for variable, value in contextvars.copy_context().items():
            if variable is not _FLASK:
                context.run(variable.set, value)
        context.run(_DASH.set, {})
        return context

    def is_missed_by(self, error: Exception) -> bool:
        """Whether *error* is what Flask or Dash raises where a request is needed and there is none."""
        if isinstance(error, MissingCallbackContextException):
            return True
        return isinstance(error, RuntimeError) and str(error).startswith("Working outside of request context")
