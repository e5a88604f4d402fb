"""Serving one app: what is registered with Dash and Flask, and what is refused."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import dash
import flask
from dash import _callback
from flask import Response

from dash_stash.deployment import Deployment
from dash_stash.errors import (
    BudgetExceeded,
    ConfigError,
    NoSession,
    PartMissing,
    RefExpired,
    RefInvalid,
    StashError,
    StoreUnavailable,
)
from dash_stash.plugin.callbacks import prepare_callbacks
from dash_stash.plugin.layouts import prepare_as_nobody, serve_layouts
from dash_stash.plugin.page import Pages
from dash_stash.plugin.visit import HEADER
from dash_stash.plugin.visitors import Visitors

_log = logging.getLogger("dash_stash")

_MARK = "_dash_stash"
# What a callback is answered that did not run, and what the reader is told in the page.
_ANSWERS: dict[type[StashError], tuple[int, str]] = {
    RefInvalid: (
        403,
        "This page has data of an earlier visit, which is closed. Reload it to go on.",
    ),
    NoSession: (403, "This page has no session any more. Reload it to go on; it needs cookies."),
    RefExpired: (410, "The data of this page has expired. Reload it to go on."),
    PartMissing: (410, "The data of this page has changed. Reload it to go on."),
    StoreUnavailable: (
        503,
        "The server cannot store or find the data of this page now. Try again later.",
    ),
}


def install(app: dash.Dash, stash: Deployment) -> None:
    """Let *stash* serve *app*, which has passed `check`."""
    setattr(app, _MARK, stash)
    prepare_callbacks(app, stash)
    serve_layouts(app, stash)
    pages = Pages(app)
    connected: list[flask.Flask] = []

    def connect() -> None:
        if app.server not in connected:
            connected.append(app.server)
            _connect(app, stash, pages)
            if len(connected) == 1:
                _watch(app, stash, pages)

    init_app = app.init_app

    def init_app_and_connect(*args: Any, **kwargs: Any) -> None:
        init_app(*args, **kwargs)
        connect()

    app.init_app = init_app_and_connect
    if app.routes:  # else Dash(server=False), which gets its server later
        connect()


def _connect(app: dash.Dash, stash: Deployment, pages: Pages) -> None:
    """Serve the requests that the app's server gets."""
    stash.serve_at(app.config.requests_pathname_prefix.strip("/"))
    visitors = Visitors(app, stash, pages)
    prepare_as_nobody(app, stash)
    # Before Dash's own, whose first one calls layouts.
    app.server.before_request_funcs.setdefault(None, []).insert(0, visitors.arrive)
    app.server.after_request(visitors.answer)
    app.server.teardown_request(visitors.leave)
    handlers = app.server.error_handler_spec[None][None]
    for error in _ANSWERS:
        app.server.register_error_handler(
            error, functools.partial(_refuse, stash, visitors, handlers.get(error))
        )
    visitors.serve()


def check(app: dash.Dash) -> None:
    """See that a stash can serve *app*.

    Raises:
        ConfigError: Its Dash is too old, its backend is not Flask, or it has a Stash already.
    """
    if not isinstance(app, dash.Dash):
        raise ConfigError(
            f"Stash(app) takes a dash.Dash, not a {type(app).__qualname__} (pass app, not app.server)"
        )
    if not hasattr(app, "_execute_callback"):
        raise ConfigError(
            f"dash {dash.__version__} is not supported: dash-stash needs dash 3.2 or newer"
        )
    # On Dash 3, an app that gets its server later has none until then.
    if app.server is not None and not isinstance(app.server, flask.Flask):
        raise ConfigError(
            f"the backend {type(app.server).__module__}.{type(app.server).__qualname__} is not supported yet: "
            'use Dash(..., backend="flask"), which is the default'
        )
    if hasattr(app, _MARK):
        raise ConfigError("this app has a Stash already: use that one everywhere")


def check_memo(function: Callable[..., Any], app: dash.Dash | None) -> None:
    """See that a function which is to be a memo is not registered as a callback without it.

    Raises:
        ConfigError: It is: Dash would never call the memo.
    """
    maps = (_callback.GLOBAL_CALLBACK_MAP, {} if app is None else app.callback_map)
    registered = (
        getattr(entry.get("callback"), "__wrapped__", None)
        for entries in maps
        for entry in entries.values()
    )
    if any(callback is function for callback in registered):
        raise ConfigError(
            f"@stash.memo stands above @callback at {function.__qualname__}(), so Dash calls the function without it: write @stash.memo "
            "below @callback, right above the def"
        )


def _watch(app: dash.Dash, stash: Deployment, pages: Pages) -> None:
    """Let the guard watch *app*, unless it is off; without a mode it warns, in debug mode only.

    *stash* learns of debug mode too.
    """

    def begin() -> None:
        from dash_stash.plugin import watching  # in production it is not even imported

        watching.watch(app, "raise" if stash.settings.guard == "raise" else "warn", pages)

    def begin_debugging() -> None:
        stash.is_debug = True
        if stash.settings.guard is None:
            begin()

    if stash.settings.guard in ("warn", "raise"):
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


def _refuse(
    stash: Deployment, visitors: Visitors, neighbour: Callable[[Any], Any] | None, error: StashError
) -> Any:
    """Answer a callback that cannot get its data: the page stays as it is, and shows a notice.

    A server has one handler for all its apps: what was asked of an earlier one is left to
    *neighbour*.
    """
    if neighbour is not None and not visitors.is_addressed:
        return neighbour(error)
    status, notice = next(answer for kind, answer in _ANSWERS.items() if isinstance(error, kind))
    if isinstance(error, NoSession) and error.scope == "user":
        notice = "This needs a user: log in to go on."
    text = str(error)
    if isinstance(error, BudgetExceeded):
        _log.warning("%s", error)
        text = error.reason  # where the store is concerns nobody who looks at a page
    elif isinstance(error, StoreUnavailable):
        stash.warn(error)
        text = notice  # likewise
    else:
        _log.warning("%s", error)
    response = Response(text, status=status, mimetype="text/plain")
    own = None if stash.settings.on_expired is None else stash.settings.on_expired(error)
    response.headers[f"{HEADER}-Notice"] = quote(notice if own is None else own)
    response.headers.update(visitors.told_along(error))
    return response
