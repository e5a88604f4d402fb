"""Serving one app: what is registered with Dash and Flask, and what is refused."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import dash
import flask
from flask import Response

from dash_stash.errors import BudgetExceeded, ConfigError, NoSession, PartMissing, RefExpired, RefInvalid, StashError, StoreUnavailable
from dash_stash.plugin.arguments import Arguments
from dash_stash.plugin.visit import HEADER
from dash_stash.plugin.visitors import Visitors

if TYPE_CHECKING:
    from dash_stash.stash import Stash

_log = logging.getLogger("dash_stash")

_MARK = "_dash_stash"
# What a callback is answered that did not run, and what the reader is told in the page.
_ANSWERS: dict[type[StashError], tuple[int, str]] = {
    RefInvalid: (403, "This page belongs to another session. Reload it to go on."),
    NoSession: (403, "This page has no session any more. Reload it to go on; it needs cookies."),
    RefExpired: (410, "The data of this page has expired. Reload it to go on."),
    PartMissing: (410, "The data of this page has changed. Reload it to go on."),
    StoreUnavailable: (503, "The server cannot store or find the data of this page now. Try again later."),
}


def install(app: dash.Dash, stash: Stash) -> None:
    """Let *stash* serve *app*, which has passed `check`."""
    setattr(app, _MARK, stash)
    _resolve_references(app, stash)
    visitors = Visitors(app, stash)
    # Before Dash's own: on the first request that calls the layout, which may want to know who is asking.
    app.server.before_request_funcs.setdefault(None, []).insert(0, visitors.arrive)
    app.server.after_request(visitors.answer)
    app.interpolate_index = visitors.with_page(app.interpolate_index)
    app.server.teardown_request(visitors.leave)
    for error in _ANSWERS:
        app.server.register_error_handler(error, functools.partial(_refuse, stash))
    visitors.serve()
    _watch(app, stash)


def check(app: dash.Dash) -> None:
    """See that a stash can serve *app*.

    Raises:
        ConfigError: Its Dash is too old, its backend is not Flask, or it has a Stash already.
    """
    if not isinstance(app, dash.Dash):
        raise ConfigError(f"Stash(app) takes a dash.Dash, not a {type(app).__qualname__} (pass app, not app.server)")
    if not hasattr(app, "_execute_callback"):
        raise ConfigError(f"dash {dash.__version__} is not supported: dash-stash needs dash 3.2 or newer")
    if not isinstance(app.server, flask.Flask):
        raise ConfigError(
            f"the backend {type(app.server).__module__}.{type(app.server).__qualname__} is not supported yet: "
            'use Dash(..., backend="flask"), which is the default'
        )
    if hasattr(app, _MARK):
        raise ConfigError("this app has a Stash already: use that one everywhere")


def _resolve_references(app: dash.Dash, stash: Stash) -> None:
    """Put values in the place of references, right before Dash calls a callback with its arguments.

    `Dash._execute_callback(func, args, outputs_list, g)` is where every transport passes, unchanged from Dash 3.2 to 4.5.
    """
    arguments = Arguments(app, stash.references)
    execute = app._execute_callback

    def execute_resolved(func, args, outputs_list, g):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 (Dash's own)
        return execute(func, arguments.resolve(func, args, g), outputs_list, g)

    app._execute_callback = execute_resolved


def _watch(app: dash.Dash, stash: Stash) -> None:
    """Let the guard watch *app*, unless it is off; without a mode it warns, in debug mode only. *stash* learns of debug mode too."""

    def begin() -> None:
        from dash_stash.plugin import watching  # in production it is not even imported

        watching.watch(app, "raise" if stash.guard == "raise" else "warn")

    def begin_debugging() -> None:
        stash.is_debug = True
        if stash.guard is None:
            begin()

    if stash.guard in ("warn", "raise"):
        begin()
    # Dash notes what debug mode turns on, not the mode itself.
    if any(app._dev_tools[tool] for tool in ("ui", "hot_reload", "prune_errors")):
        begin_debugging()
        return
    enable = app.enable_dev_tools

    def enable_and_watch(*args: Any, **kwargs: Any) -> Any:
        debug = enable(*args, **kwargs)
        if debug:
            app.enable_dev_tools = enable
            begin_debugging()
        return debug

    app.enable_dev_tools = enable_and_watch


def _refuse(stash: Stash, error: StashError) -> Response:
    """Answer a callback that cannot get its data: the page stays as it is, and shows a notice."""
    status, notice = next(answer for kind, answer in _ANSWERS.items() if isinstance(error, kind))
    text = str(error)
    if isinstance(error, StoreUnavailable) and not isinstance(error, BudgetExceeded):
        stash.warn(error)
        text = notice  # where the store is concerns nobody who looks at a page
    else:
        _log.warning("%s", error)
    response = Response(text, status=status, mimetype="text/plain")
    response.headers[f"{HEADER}-Notice"] = quote(notice if stash.on_expired is None else stash.on_expired(error))
    return response
